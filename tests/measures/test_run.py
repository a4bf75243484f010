"""A Run's controls, scalars, listeners and text, without any model behind it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch

from nbdiag.measures import run as run_module
from nbdiag.measures.recording import LayerInfo, Recording
from nbdiag.measures.run import Run
from nbdiag.measures.scalars import Here


def make(**options: Any) -> Run:
    recording = Recording(["fc.w"], [LayerInfo("fc", "Linear", ("fc.w",), 1200, 2)], [0])
    return Run("demo", recording, **options)


def row(run: Run, norm: float = 1.0, status: int = 0) -> None:
    one = np.ones(1, np.float32)
    if run.next_step():
        run.append(run.step, norm * one, one, np.full(1, status, np.uint8))
        run.sampled()


def test_states() -> None:
    run = make()
    assert run.state == "waiting"
    row(run)
    assert run.state == "live"
    run.pause()
    assert run.state == "paused"
    run.resume()
    assert run.state == "live"
    run.close()
    assert run.state == "done"
    failed = make()
    failed.fail("gradient_flow", "why")
    failed.close()
    assert failed.state == "failed"


def test_steps_are_counted_while_paused() -> None:
    run = make(every=2)
    for step in range(1, 11):
        if step == 4:
            run.pause()
        if step == 8:
            run.resume()
        row(run)
    assert run.step == 10
    assert run.recording.steps.tolist() == [1, 3, 8, 10]


def test_sample_every() -> None:
    run = make(every=1)
    for step in range(1, 9):
        if step == 3:
            run.sample_every(3)
        row(run)
    assert run.recording.steps.tolist() == [1, 2, 5, 8]
    assert (run.every, run.stride) == (3, 3)


@pytest.mark.parametrize("bad", [0, -1, 1.5, "often", None, True])
def test_bad_stride_changes_nothing(bad: object) -> None:
    run = make(every=4)
    with pytest.raises(ValueError, match="every must be"):
        run.sample_every(bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no request 'stop'"):
        run.request("stop", {})
    assert (run.every, run.state) == (4, "waiting")


def test_reply_tells_the_step_and_a_failing_one_is_noted() -> None:
    run, replies = make(), []
    row(run)
    run.request("pause", {}, replies.append)

    def broken(result: dict[str, Any]) -> None:
        raise OSError("closed socket")

    run.request("resume", {}, broken)
    assert replies == [{"step": 1}]
    assert run.state == "live"
    assert [(f.probe, f.reason) for f in run.failures] == [
        ("reply to resume", "OSError: closed socket")
    ]


def test_request_from_another_thread_waits_for_the_next_step() -> None:
    run = make()
    row(run)
    thread = threading.Thread(target=run.pause)
    thread.start()
    thread.join()
    assert run.state == "live"
    row(run)
    assert run.state == "paused"
    assert run.recording.steps.tolist() == [1]


def test_request_after_the_training_went_quiet_applies_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = make()
    row(run)
    monkeypatch.setattr(run_module, "_IDLE_SECONDS", 0.0)
    thread = threading.Thread(target=run.pause)
    thread.start()
    thread.join()
    assert run.state == "paused"


def test_listeners_are_called_seldom_and_on_every_change(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(run_module.time, "perf_counter", lambda: clock[0])
    run, calls = make(every=1), []
    unsubscribe = run.subscribe(lambda r: calls.append((r.state, len(r.recording))))
    for _ in range(100):  # ten seconds, ten steps a second
        clock[0] += 0.1
        row(run)
    # That it went live is told at the first step, its row only with the second one's.
    assert calls[:2] == [("live", 0), ("live", 2)]
    assert len(calls) == 100
    for _ in range(1000):  # one second, a thousand steps
        clock[0] += 0.001
        row(run)
    assert 100 + 10 <= len(calls) <= 100 + 13
    run.pause()
    assert calls[-1] == ("paused", 1100)
    unsubscribe()
    run.close()
    assert calls[-1] == ("paused", 1100)


def test_what_is_logged_while_paused_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbdiag.measures.listeners.NOTIFY_SECONDS", (0.0, 0.0))
    run, heard = make(every=1), []
    row(run)
    run.pause()
    run.subscribe(lambda r: heard.append(r.recording.scalars["loss"].values.tolist()))
    for step in range(3):
        run.log(loss=float(step))
        row(run)  # the step is counted and not sampled
    assert heard == [[0.0], [0.0, 1.0], [0.0, 1.0, 2.0]]
    assert len(run.recording) == 1


def test_drain_tells_of_the_last_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(run_module.time, "perf_counter", lambda: clock[0])
    run, calls = make(every=1), []
    run.subscribe(lambda r: calls.append(len(r.recording)))
    row(run)
    row(run)
    assert calls == [0]  # no time has passed since
    run.drain()
    run.drain()
    assert calls == [0, 2]


def test_slow_listener_is_called_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(run_module.time, "perf_counter", lambda: clock[0])
    run, calls = make(every=1, budget=0.1), []

    def slow(_: Run) -> None:
        calls.append(clock[0])
        clock[0] += 0.05  # half of a tenth is allowed: every second

    run.subscribe(slow)
    while clock[0] < 10:
        clock[0] += 0.01
        row(run)
    assert 8 <= len(calls) <= 11


def test_one_dear_call_does_not_stop_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cheap drawings, and a judgement every two seconds that is worth a second's pause."""
    clock = [0.0]
    monkeypatch.setattr(run_module.time, "perf_counter", lambda: clock[0])
    run, calls, judged, costs = make(every=1, budget=0.1), [], [-2.0], [0.0]

    def uneven(_: Run) -> None:
        calls.append(clock[0])
        dear = clock[0] - judged[0] > 2
        if dear:
            judged[0] = clock[0]
        costs.append(0.03 if dear else 0.001)
        clock[0] += costs[-1]

    run.subscribe(uneven)
    while clock[0] < 20:
        clock[0] += 0.01
        row(run)
    pauses = np.diff(calls)
    assert 9 <= sum(cost > 0.01 for cost in costs) <= 10
    assert pauses.max() < 0.4
    assert len(calls) > 100
    assert sum(costs) < 0.1 / 4 * 20


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        np.float32(0.5),
        np.array(0.5),
        np.array([0.5]),
        torch.tensor(0.5),
        torch.tensor([0.5], dtype=torch.bfloat16),
        torch.tensor(0.5, requires_grad=True),
    ],
    ids=lambda v: f"{type(v).__name__}{getattr(v, 'shape', '')}",
)
def test_log_takes_numbers_of_all_kinds(value: Any) -> None:
    run = make()
    row(run)
    run.log(loss=value, val_loss=1)
    assert {k: (s.steps.tolist(), s.values.tolist()) for k, s in run.recording.scalars.items()} == {
        "loss": ([1], [0.5]),
        "val_loss": ([1], [1.0]),
    }


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (
            np.zeros((2, 3)),
            ValueError,
            "log(f1=...) takes one number, got an array of shape (2, 3)",
        ),
        (torch.zeros(4), ValueError, "got a torch.float32 tensor of shape (4,); reduce it"),
        (torch.zeros(0), ValueError, "tensor of shape (0,)"),
        ("0.5", TypeError, "got str '0.5'"),
        (None, TypeError, "got NoneType None"),
        ([0.5], TypeError, "got list [0.5]"),
        (np.array("x"), TypeError, "got ndarray"),
    ],
)
def test_log_refuses_the_rest_and_keeps_nothing(
    value: Any, kind: type[Exception], message: str
) -> None:
    run = make()
    with pytest.raises(kind) as error:
        run.log(loss=1.0, f1=value)
    assert message in str(error.value)
    assert run.recording.scalars == {}


class Far(torch.Tensor):
    """Looks as if it were on an accelerator."""

    is_cpu = False  # type: ignore[assignment]


def test_logged_tensor_is_copied_at_once() -> None:
    run, total = make(), torch.tensor(1.0, requires_grad=True).detach()
    for _ in range(3):
        run.log(loss=total)
        total += 1.0
    assert run.recording.scalars["loss"].values.tolist() == [1.0, 2.0, 3.0]


def test_whatever_is_logged_and_whenever_it_is_read() -> None:
    """Against plain lists: gaps, several numbers a step, other names, tensors near and far."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        run, wanted = make(), dict[str, list[tuple[int, float]]]()
        for i in range(120):
            run.sampler.step += int(rng.choice([0, 1, 1, 1, 1, 1, 1, 1, 3]))
            names = ["loss"] if rng.random() < 0.9 else ["acc", "loss", "lr"][: rng.integers(1, 4)]
            given: dict[str, Any] = {}
            for name in names:
                wanted.setdefault(name, []).append((run.step, float(i)))
                near, far = torch.tensor(float(i)), torch.tensor(float(i)).as_subclass(Far)
                given[name] = [near, far, float(i), i][rng.choice(4, p=[0.9, 0.04, 0.03, 0.03])]
            run.log(**given)
            if rng.random() < 0.05:
                run.recording.scalar_log.settle(hurry=bool(rng.integers(2)))
        found = {
            name: [*zip(series.steps.tolist(), series.values.tolist(), strict=True)]
            for name, series in run.recording.scalars.items()
        }
        assert found == wanted


def test_a_reader_in_another_thread_loses_no_loss() -> None:
    run, n = make(), 20_000
    log, over = run.recording.scalar_log, threading.Event()

    def read() -> None:
        while not over.is_set():
            log.settle()

    reader = threading.Thread(target=read)
    reader.start()
    for step in range(n):
        run.sampler.step += 1
        run.log(loss=float(step))
        if step % 97 == 0:
            run.log(loss=-1.0)
    over.set()
    reader.join()
    series = run.recording.scalars["loss"]
    once = series.values != -1.0
    assert series.values[once].tolist() == list(range(n))
    assert series.steps[once].tolist() == list(range(1, n + 1))
    assert series.steps[~once].tolist() == list(range(1, n + 1, 97))


def test_what_lives_elsewhere_is_read_later() -> None:
    run, total = make(), torch.tensor(1.0).as_subclass(Far)
    log, sent = run.recording.scalar_log, []

    class Coming(Here):
        arrived = False

        def __init__(self, values: Any) -> None:
            super().__init__(values)
            sent.append(self)

        def ready(self) -> bool:
            return self.arrived

    log.send = Coming
    for _ in range(3):
        run.log(loss=total)
        total += 1.0
    assert sent == []
    log.settle(hurry=True)  # sent, and not waited for
    run.log(loss=9.0)
    log.settle(hurry=True)
    assert [len(log._read), len(sent), log.waiting] == [0, 1, True]
    sent[0].arrived = True
    log.settle(hurry=True)
    assert run.recording.scalars["loss"].values.tolist() == [1.0, 2.0, 3.0, 9.0]
    assert not log.waiting


def test_who_reads_waits() -> None:
    run = make()
    run.recording.scalar_log.send = type("Slow", (Here,), {"ready": lambda self: False})
    run.log(loss=torch.tensor(2.0).as_subclass(Far))
    assert run.recording.scalars["loss"].values.tolist() == [2.0]


def test_pending_tensors_do_not_pile_up() -> None:
    run = make()
    for _ in range(1000):
        run.log(loss=torch.ones(()).as_subclass(Far))
    assert len(run.recording.scalar_log._pending) < 256


def test_repr_states_findings_and_no_measured_number() -> None:
    run = make(config={"lr": 0.1})
    for _ in range(6):
        row(run, norm=float("nan"), status=1)
    assert repr(run) == (
        "Run 'demo': 6 optimizer steps, 1 layer, 1,200 parameters\n"
        "critical: gradient.none in all layers"
    )
    run.fail("gradient_flow", ZeroDivisionError("division by zero"))
    assert "failed: gradient_flow at step 6, ZeroDivisionError: division by zero" in repr(run)
    assert run.config == {"lr": 0.1}


def test_findings_are_judged_anew_only_with_new_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    from nbdiag.measures import verdict

    judged = []
    monkeypatch.setattr(verdict, "judge_training", lambda *_: judged.append(1) or [])
    run = make(every=1)
    row(run)
    run.findings(), run.findings()
    assert len(judged) == 1
    row(run)
    run.findings()
    assert len(judged) == 2


def test_a_listener_hears_what_was_found_a_moment_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    from nbdiag.measures import judged, verdict

    clock = [0.0]
    monkeypatch.setattr(judged.time, "perf_counter", lambda: clock[0])
    found: list[int] = []

    def judge(*_: object) -> list[int]:
        clock[0] += 0.003  # three milliseconds: one second of a tenth of 3 %
        found.append(1)
        return [len(found)]

    monkeypatch.setattr(verdict, "judge_training", judge)
    run, heard = make(every=1, budget=0.03), []
    run.subscribe(lambda r: heard.append(r.findings()))
    for number, later in enumerate((0.0, 0.5, 0.49, 0.02, 0.0)):
        clock[0] += later
        run.log(accuracy=number)
        run.notify()
    assert heard == [[1], [1], [1], [2], [2]]
    run.log(accuracy=5)
    assert run.findings() == [3]  # who asks for himself gets the last word
    run.log(accuracy=6)
    run.close()
    assert heard[-1] == [4]


def test_mark_step_needs_a_training() -> None:
    with pytest.raises(RuntimeError, match=r"make the run with nbdiag\.watch"):
        make().mark_step()


def test_close_releases_once_and_survives_a_failing_fetch() -> None:
    closed = []

    def collect() -> None:
        raise RuntimeError("device lost")

    run = make(on_close=lambda: closed.append(1), collect=collect)
    run.close()
    assert closed == [1]
    assert run.failures[0].reason == "RuntimeError: device lost"
