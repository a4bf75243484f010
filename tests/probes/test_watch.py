"""What watch() records, compared with norms worked out by hand and by plain torch."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nbdiag.measures.run import Run
from nbdiag.probes.parameters import ParameterReader
from nbdiag.probes.step_sample import Sample, settle
from nbdiag.probes.watch import watch, watching
from tests.probes.patients import PATIENTS, admit, hooks, steps


class Hand(nn.Module):
    """y = scale * (w . x), with gradients that one can work out on paper."""

    def __init__(self, weights: list[float], dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(weights, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        return (self.w * x).sum()


def train_once(model: nn.Module, x: list[float], optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    model(torch.tensor(x, dtype=next(model.parameters()).dtype)).backward()
    optimizer.step()


def test_norms_of_a_3_4_5_triangle() -> None:
    model = Hand([6.0, 8.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    with watch(model, optimizer) as run:
        train_once(model, [3.0, 4.0], optimizer)  # the gradient is x itself
        train_once(model, [0.0, 0.0], optimizer)
    assert run.recording.steps.tolist() == [1, 2]
    assert run.recording.parameter_stat("grad_norm").tolist() == [[5.0], [0.0]]
    # 6 - 3 and 8 - 4: the weights before the second step
    assert run.recording.stat("weight_norm").tolist() == [[10.0], [5.0]]
    assert run.recording.status().tolist() == [[0], [0]]
    assert run.recording.layers[0].name == "Hand"


@pytest.mark.parametrize("name", PATIENTS)
def test_norms_equal_plain_torch(name: str) -> None:
    """Every tiny model: the same numbers as one .norm() a parameter, taken before the step."""
    patient = admit(PATIENTS[name])
    expected: list[list[float]] = []

    def read() -> None:
        row = []
        for p in patient.model.parameters():
            if p.grad is None:
                row.append(float("nan"))
            else:
                row.append(float(p.grad.to_dense().double().norm()))
        expected.append(row)

    loss = patient.loss

    def backward_then_read(model: nn.Module) -> Tensor:
        value = loss(model)
        value.register_hook(lambda _: None)
        return value

    patient.loss = backward_then_read
    with watch(patient.model, patient.optimizers, every=1) as run:
        for optimizer in patient.optimizers[:1]:
            optimizer.register_step_pre_hook(lambda *_: read())
        list(steps(patient, 4))
    got = run.recording.parameter_stat("grad_norm")
    np.testing.assert_allclose(got, np.array(expected), rtol=2e-6)
    names = [n for n, _ in patient.model.named_parameters()]
    assert list(run.recording.parameters) == names
    frozen = [not p.requires_grad for p in patient.model.parameters()]
    assert (run.recording.parameter_status()[0] == 2).tolist() == frozen


def test_layers_stand_in_forward_order() -> None:
    patient = admit(PATIENTS["transformer"])
    with watch(patient.model, patient.optimizers) as run:
        assert [layer.name for layer in run.recording.layers[:2]] == ["_Attention", "head"]
        list(steps(patient, 1))
    names = [layer.name for layer in run.recording.layers]
    assert names[0] == "_Attention"
    assert names[1].startswith("body.layers.0.self_attn")
    assert names[-1] == "head"
    assert run.recording.parameters[0] == "position"  # parameters: registration order


class Root(nn.Module):
    """Status of each kind, in one layer each."""

    def __init__(self) -> None:
        super().__init__()
        self.ok, self.none, self.frozen = nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 1)
        self.nan, self.infinite = nn.Linear(1, 1), nn.Linear(1, 1)
        self.frozen.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.ok(x) + self.frozen(x) + self.nan(x) * torch.nan + self.infinite(x) * torch.inf


def test_status_of_each_kind() -> None:
    model = Root()
    with watch(model, torch.optim.SGD(model.parameters(), lr=0.0)) as run:
        model(torch.ones(1)).backward()
        run.mark_step()
    by_name = dict(
        zip((x.name for x in run.recording.layers), run.recording.status()[0], strict=True)
    )
    assert by_name == {"ok": 0, "none": 1, "frozen": 2, "nan": 3, "infinite": 4}
    norms = dict(
        zip((x.name for x in run.recording.layers), run.recording.stat("grad_norm")[0], strict=True)
    )
    assert norms["ok"] == pytest.approx(2**0.5)  # d/dw = 1 and d/db = 1
    assert np.isnan([norms["none"], norms["frozen"], norms["nan"]]).all()
    assert norms["infinite"] == np.inf


@pytest.mark.parametrize(
    ("dtype", "x", "norm", "status"),
    [
        (torch.float16, [300.0] * 4, 600.0, 0),  # the squares overflow float16
        (torch.bfloat16, [1.0] * 4096, 64.0, 0),  # sums stop growing at 256 in bfloat16
        (torch.float32, [3e25, 4e25], 5e25, 0),  # the squares overflow float32
        (torch.float64, [3e25, 4e25], 5e25, 0),
        (torch.float64, [1e300, 0.0], np.finfo(np.float32).max, 0),  # finite, beyond float32
        (torch.float32, [float("inf"), 1.0], np.inf, 4),
        (torch.float32, [float("inf"), float("nan")], np.nan, 3),
        (torch.float32, [0.0], 0.0, 0),
    ],
)
def test_ranges_of_types(dtype: torch.dtype, x: list[float], norm: float, status: int) -> None:
    model = Hand([1.0] * len(x), dtype)
    with watch(model) as run:
        train_once(model, x, torch.optim.SGD(model.parameters(), lr=0.0))
    np.testing.assert_allclose(run.recording.stat("grad_norm"), [[norm]], rtol=1e-6)
    assert run.recording.status().tolist() == [[status]]


def test_gradient_accumulation_is_one_step_with_the_sum() -> None:
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    with watch(model, optimizer) as run:
        for _ in range(3):
            model(torch.tensor([3.0, 4.0])).backward()
        optimizer.step()
    assert run.step == 1
    assert run.recording.stat("grad_norm").tolist() == [[15.0]]


def test_clipped_norm_is_what_the_optimizer_uses() -> None:
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    with watch(model, optimizer) as run:
        model(torch.tensor([3.0, 4.0])).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    assert run.recording.stat("grad_norm")[0, 0] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("fused", [False, True])
def test_scaled_gradients_are_shown_unscaled(fused: bool) -> None:
    """A loss scale of 65536 must not show, in whichever place the optimizer takes it out."""
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.Adam(model.parameters(), fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    with watch(model, optimizer) as run:
        for x in ([3.0, 4.0], [float("inf"), 1.0], [6.0, 8.0]):
            optimizer.zero_grad()
            scaler.scale(model(torch.tensor(x))).backward()
            scaler.step(optimizer)
            scaler.update()
    # The overflow step changed no weight. Only a fused optimizer gets to see it; for the other
    # the lowered loss scale tells that there was one.
    assert run.recording.stat("grad_norm").tolist() == [[5.0], [10.0]]
    assert run.recording.steps.tolist() == ([1, 3] if fused else [1, 2])
    assert run.skipped_steps == 1
    assert run.findings() == []


def test_several_optimizers_make_one_step() -> None:
    """Alternating, with the gradients cleared in between: each read at its own step."""
    model = nn.ModuleDict({"a": Hand([0.0, 0.0]), "b": Hand([0.0, 0.0])})
    one, two = (torch.optim.SGD(model[k].parameters(), lr=0.0) for k in "ab")
    other = Hand([1.0])
    with watch(model) as run:
        for i in range(1, 4):
            train_once(model["a"], [3.0 * i, 4.0 * i], one)
            train_once(other, [1.0], torch.optim.SGD(other.parameters(), lr=0.0))
            model.zero_grad()
            train_once(model["b"], [0.0, 2.0 * i], two)
            model.zero_grad()
    assert run.step == 3
    # At the first step nothing tells that a second optimizer will follow.
    assert run.recording.stat("grad_norm")[1:].tolist() == [[10.0, 4.0], [15.0, 6.0]]


def test_loop_without_optimizer() -> None:
    model = Hand([0.0, 0.0])
    with watch(model) as run:
        for _ in range(2):
            model(torch.tensor([3.0, 4.0])).backward()
            run.mark_step()
            with torch.no_grad():
                model.w -= 0.1 * model.w.grad
            model.w.grad = None
    assert run.recording.stat("grad_norm").tolist() == [[5.0], [5.0]]
    run.mark_step()
    assert run.step == 2  # closed


def test_norms_left_on_the_device_arrive_in_order() -> None:
    """The accelerator's path, taken on the CPU: nothing is read before settle()."""
    patient = admit(PATIENTS["embedding"])
    references = [weakref.ref(p) for p in patient.model.parameters()]
    later, at_once = (
        ParameterReader(references, defer=True),
        ParameterReader(references, defer=False),
    )
    pairs = []
    for step in steps(patient, 3):
        pair = [Sample(step, len(references)) for _ in range(2)]
        for reader, sample in zip((later, at_once), pair, strict=True):
            reader.read(sample, None)
        assert np.isnan(pair[0].grad_norm).all()
        pairs.append(pair)
    settle([pair[0] for pair in pairs])
    for waited, direct in pairs:
        np.testing.assert_allclose(waited.grad_norm, direct.grad_norm, rtol=1e-6)
        np.testing.assert_allclose(waited.weight_norm, direct.weight_norm, rtol=1e-6)
        np.testing.assert_array_equal(waited.status, direct.status)
        assert waited.waiting == []


def test_loss_module_is_recorded_in_training_only() -> None:
    model, loss_fn = nn.Linear(2, 1), nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    with watch(model, optimizer, loss_fn) as run:
        for _ in range(3):
            loss = loss_fn(model(torch.ones(4, 2)), torch.zeros(4, 1))
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            model.eval()
            loss_fn(model(torch.ones(4, 2)), torch.zeros(4, 1))
            model.train()
            with torch.no_grad():
                loss_fn(model(torch.ones(4, 2)), torch.zeros(4, 1))
    at, values, *_ = run.recording.scalars["loss"]
    assert at.tolist() == [1, 2, 3]
    assert values.tolist() == losses


def test_losses_are_recorded_while_samples_are_paused() -> None:
    """As those of run.log() are: a pause ends the looks at the model, not the curve."""
    model, loss_fn = nn.Linear(2, 1), nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with watch(model, optimizer, loss_fn, every=1) as run:
        for step in range(6):
            if step in (2, 4):
                (run.pause if step == 2 else run.resume)()
            loss_fn(model(torch.ones(3, 2)), torch.zeros(3, 1)).backward()
            optimizer.step()
    assert run.recording.scalars["loss"].steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert run.recording.steps.tolist() == [1, 2, 5, 6]


def test_loss_of_the_wrong_shape_is_said_once() -> None:
    model, loss_fn = nn.Linear(2, 1), nn.MSELoss(reduction="none")
    with watch(model, loss_fn=loss_fn) as run:
        for _ in range(3):
            loss_fn(model(torch.ones(4, 2)), torch.zeros(4, 1))
    assert [(f.probe, f.reason) for f in run.failures] == [
        (
            "loss",
            "ValueError: loss_fn returned (4, 1) and not one number; "
            "call run.log(loss=loss) instead",
        )
    ]
    assert run.state == "done"


def plain_function(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).sum()


def bad_calls() -> Iterator[tuple[type[Exception], str, dict[str, object]]]:
    model = nn.Linear(2, 1)
    elsewhere = torch.optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
    yield TypeError, "takes a torch.nn.Module, got function", {"model": plain_function}
    yield ValueError, "Sequential has no parameters", {"model": nn.Sequential(nn.ReLU())}
    yield ValueError, "'weight' has no shape yet (a lazy layer)", {"model": nn.LazyLinear(3)}
    yield TypeError, "Optimizer or a list of them, got float", {"model": model, "optimizer": 0.1}
    yield ValueError, "SGD holds none of the model's", {"model": model, "optimizer": elsewhere}
    yield (
        ValueError,
        "got plain_function, which cannot",
        {
            "model": model,
            "loss_fn": plain_function,
        },
    )
    yield ValueError, "whole number of steps >= 1, got 0", {"model": model, "every": 0}
    yield ValueError, "whole number of steps >= 1, got 2.5", {"model": model, "every": 2.5}
    yield ValueError, "in (0, 1], got 0", {"model": model, "budget": 0}


@pytest.mark.parametrize(("kind", "message", "arguments"), list(bad_calls()))
def test_bad_arguments(kind: type[Exception], message: str, arguments: dict[str, object]) -> None:
    from torch.optim.optimizer import _global_optimizer_pre_hooks

    with pytest.raises(kind) as error:
        watch(**arguments)  # type: ignore[arg-type]
    assert message in str(error.value)
    assert not _global_optimizer_pre_hooks


def test_bad_call_leaves_the_earlier_run_alone() -> None:
    model = nn.Linear(2, 1)
    with watch(model) as run:
        with pytest.raises(ValueError, match="every must be"):
            watch(model, every=-1)  # type: ignore[arg-type]
        assert run.state == "waiting"


def test_run_does_not_keep_the_model_alive() -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model)
    train_once(model, [1.0, 1.0], optimizer)
    gone = weakref.ref(model)
    weights = weakref.ref(model.weight)
    del model, optimizer
    gc.collect()
    assert gone() is None
    assert weights() is None
    assert run.state == "done"
    assert len(run.recording) == 1
    run.close()


def test_hooks_of_a_dead_model_are_swept() -> None:
    from torch.optim.optimizer import _global_optimizer_pre_hooks

    watch(nn.Linear(2, 1))
    gc.collect()
    with watch(nn.Linear(2, 1)):
        assert len(_global_optimizer_pre_hooks) == 1
    assert not _global_optimizer_pre_hooks


def test_watched_model_can_be_copied_and_pickled() -> None:
    model = nn.Linear(2, 1)
    with watch(model, torch.optim.SGD(model.parameters(), lr=0.1)):
        twin = pickle.loads(pickle.dumps(copy.deepcopy(model)))
    assert not twin._forward_pre_hooks


def test_model_rebuilt_before_the_first_step() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with watch(model) as run:
        model[1] = nn.Linear(2, 7)
        train_once(
            nn.Sequential(model, Sum()), [1.0, 1.0], torch.optim.SGD(model.parameters(), 0.1)
        )
    assert [layer.size for layer in run.recording.layers] == [6, 21]
    assert run.recording.status().tolist() == [[0, 0]]


def test_parameters_that_come_later_are_named_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nbdiag.probes.watcher._LOOK_AT_MODEL_EVERY", 2)
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    optimizer = torch.optim.SGD(model[:2].parameters(), 0.1)
    with watch(model, optimizer, every=1) as run:
        for step in range(8):
            if step == 3:
                model.append(nn.Linear(2, 1))
                optimizer.add_param_group({"params": list(model[2:].parameters())})
            model(torch.ones(3, 2)).sum().backward()
            optimizer.step()
    assert len(run.recording) == 8
    moved = run.recording.stat("update_norm") > 0
    assert moved.T.tolist() == [[True] * 8, [False] * 3 + [True] * 5]
    (failure,) = run.failures
    assert failure.reason == (
        "3.weight, 3.bias came after watch() and are not recorded; watch the model again"
    )


def test_parameters_that_were_replaced_end_the_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbdiag.probes.watcher._LOOK_AT_MODEL_EVERY", 2)
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, every=1) as run:
        for step in range(8):
            if step == 3:
                model[1].weight = nn.Parameter(torch.ones(2, 2))
            model(torch.ones(3, 2)).sum().backward()
            optimizer.step()
    assert (run.step, run.state) == (5, "failed")
    assert "1.weight was replaced by another parameter" in run.failures[0].reason


class Sum(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum()


def test_wrappers_are_looked_through() -> None:
    inner = Hand([0.0, 0.0])
    optimizer = torch.optim.SGD(inner.parameters(), lr=0.1)
    compiled = torch.compile(nn.DataParallel(inner), backend="eager")
    with watch(compiled, optimizer) as run:
        train_once(compiled, [3.0, 4.0], optimizer)
    assert run.name == "Hand"
    assert run.recording.parameters == ("w",)
    assert run.recording.stat("grad_norm").tolist() == [[5.0]]


def test_compiling_after_watch_sees_nothing_of_it() -> None:
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer) as run:
        model.compile(backend="eager", fullgraph=True)
        for _ in range(3):
            train_once(model, [3.0, 4.0], optimizer)
    assert run.recording.stat("grad_norm").tolist() == [[5.0]] * 3
    assert run.failures == ()


def test_step_from_another_thread_and_commands_from_this_one() -> None:
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    asked, go_on = threading.Event(), threading.Event()
    applied: list[tuple[int, str]] = []

    def training() -> None:
        train_once(model, [3.0, 4.0], optimizer)
        asked.set()
        go_on.wait(10)
        train_once(model, [3.0, 4.0], optimizer)

    def done(result: dict[str, object]) -> None:
        applied.append((result["step"], threading.current_thread().name))  # type: ignore[arg-type]

    with watch(model, optimizer) as run:
        thread = threading.Thread(target=training, name="training")
        thread.start()
        assert asked.wait(10)
        run.request("pause", {}, done)
        assert run.state == "live"  # a training is under way elsewhere: queued
        go_on.set()
        thread.join()
        assert applied == [(1, "training")]  # before its second step
        assert run.state == "paused"
        assert len(run.recording) == 1
        run.request("resume", {}, done)  # that thread has ended: at once
        assert applied[-1] == (2, threading.current_thread().name)


def test_closing_within_a_listener_ends_the_run_quietly() -> None:
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    optimizer.register_step_pre_hook(lambda *_: None)
    patient_hooks = len(optimizer._optimizer_step_pre_hooks)
    run = watch(model, optimizer)
    run.subscribe(lambda r: r.close())
    optimizer.register_step_pre_hook(lambda *_: None)  # torch walks on to this one afterwards
    train_once(model, [3.0, 4.0], optimizer)
    train_once(model, [3.0, 4.0], optimizer)
    assert run.state == "done"
    assert run.step == 1
    run.close()
    assert len(optimizer._optimizer_step_pre_hooks) == patient_hooks + 1


def test_interrupt_within_the_probe_passes_through() -> None:
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)

    def interrupt(run: Run) -> None:
        raise KeyboardInterrupt

    run = watch(model, optimizer)
    unsubscribe = run.subscribe(interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_once(model, [3.0, 4.0], optimizer)
    unsubscribe()
    run.close()
    assert run.state == "done"


def test_hooks_are_gone_after_close() -> None:
    patient = admit(PATIENTS["mlp"])
    before = hooks(patient)
    run = watch(patient.model, patient.optimizers, nn.MSELoss())
    assert hooks(patient) != before
    run.close()
    assert hooks(patient) == before


def test_the_run_that_watches_a_model_now() -> None:
    model = Hand([0.0, 0.0])
    assert watching(model) is None
    earlier = watch(model)
    assert watching(model) is earlier
    assert watching(nn.DataParallel(model)) is earlier
    assert watching(Hand([0.0, 0.0])) is None
    later = watch(model)
    assert watching(model) is later
    later.close()
    assert watching(model) is None


def test_log_dir_holds_what_the_run_holds(tmp_path: Path) -> None:
    from nbdiag.tracking.reader import open_run

    patient = admit(PATIENTS["cnn"])
    with watch(patient.model, patient.optimizers, every=1, log_dir=tmp_path / "a") as run:
        for _ in steps(patient, 5):
            run.log(loss=torch.tensor(0.5))
    again = open_run(tmp_path / "a")
    for name, value in run.recording.rows()._asdict().items():
        np.testing.assert_array_equal(getattr(again.recording.rows(), name), value, name)
    np.testing.assert_array_equal(again.recording.scalars["loss"], run.recording.scalars["loss"])
    (one,), (two,) = run.recording.activations.tracks, again.recording.activations.tracks
    np.testing.assert_array_equal(one.blocks().activity, two.blocks().activity)
    assert again.state == "done"


def test_a_log_dir_that_is_a_file_leaves_everything_as_it_was(tmp_path: Path) -> None:
    model = Hand([1.0])
    (tmp_path / "a").write_text("mine")
    with watch(model) as run:
        with pytest.raises(NotADirectoryError, match="is a file"):
            watch(model, log_dir=tmp_path / "a")
        assert not run.closed
    assert (tmp_path / "a").read_text() == "mine"
