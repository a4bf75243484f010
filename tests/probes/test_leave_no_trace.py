"""A diagnosis must not disturb the patient: every model in every situation, bit for bit."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nbdiag.measures.run import ProbeFailure, Run
from nbdiag.probes.parameters import ParameterReader
from nbdiag.probes.watch import watch
from tests.probes.patients import PATIENTS, Patient, admit, chart, differences, hooks, steps

STEPS = 6


class StopError(Exception):
    """Something goes wrong in the user's own loop."""


def normal_end(patient: Patient) -> Run:
    with watch(patient.model, patient.optimizers, every=1) as run:
        list(steps(patient, STEPS))
    return run


def no_optimizer_at_hand(patient: Patient) -> Run:
    with watch(patient.model) as run:
        list(steps(patient, STEPS))
    return run


def exception_in_the_loop(patient: Patient) -> Run:
    with pytest.raises(StopError), watch(patient.model, every=1) as run:  # noqa: PT012
        for step in steps(patient, STEPS):
            if step == STEPS:
                raise StopError
    return run


def keyboard_interrupt(patient: Patient) -> Run:
    with pytest.raises(KeyboardInterrupt), watch(patient.model, patient.optimizers) as run:  # noqa: PT012
        for step in steps(patient, STEPS):
            if step == STEPS:
                raise KeyboardInterrupt
    return run


def closed_in_the_middle(patient: Patient) -> Run:
    run = watch(patient.model, patient.optimizers, every=1)
    for step in steps(patient, STEPS):
        if step == STEPS // 2:
            run.close()
            run.close()
    return run


def attached_twice(patient: Patient) -> Run:
    first = watch(patient.model, patient.optimizers)
    second: Run | None = None
    for step in steps(patient, STEPS):
        if step == 2:
            second = watch(patient.model, patient.optimizers)
            assert first.state == "done"
    assert second is not None
    assert (first.step, second.step) == (2, STEPS - 2)
    second.close()
    return second


def paused(patient: Patient) -> Run:
    with watch(patient.model, patient.optimizers, every=1) as run:
        for step in steps(patient, STEPS):
            if step == 2:
                run.pause()
            if step == 4:
                run.resume()
    assert run.recording.steps.tolist() == [1, 2, 5, 6]
    return run


def every_second(patient: Patient) -> Run:
    with watch(patient.model, patient.optimizers, every=2) as run:
        list(steps(patient, STEPS))
    assert run.recording.steps.tolist() == [1, 3, 5]
    return run


def with_a_listener(patient: Patient) -> Run:
    seen = []
    with watch(patient.model, patient.optimizers, every=1) as run:
        run.subscribe(lambda r: seen.append((r.step, len(r.recording), len(r.findings()))))
        list(steps(patient, STEPS))
    assert seen[-1][:2] == (STEPS, STEPS)
    return run


def with_a_failing_listener(patient: Patient) -> Run:
    def listener(run: Run) -> None:
        raise RuntimeError("widget lost")

    with watch(patient.model, patient.optimizers, every=1) as run:
        run.subscribe(listener)
        list(steps(patient, STEPS))
    assert [failure.probe for failure in run.failures] == ["listener"]
    return run


def with_a_failing_probe(patient: Patient) -> Run:
    def broken(*_: object) -> None:
        raise ArithmeticError("norm lost")

    with pytest.MonkeyPatch.context() as patch:
        with watch(patient.model, patient.optimizers, every=1) as run:
            for step in steps(patient, STEPS):
                if step == 2:
                    patch.setattr(ParameterReader, "read", broken)
        assert run.state == "failed"
        assert run.failures == (ProbeFailure("gradient_flow", "ArithmeticError: norm lost", 3),)
    return run


def looked_at_all_the_time(patient: Patient) -> Run:
    with watch(patient.model, patient.optimizers, every=1) as run:
        for _ in steps(patient, STEPS):
            repr(run), run.findings(), run.recording.rows(), run.drain()
            run.log(loss=torch.ones(()))
    return run


def logged_to_disk(patient: Patient) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        with watch(patient.model, patient.optimizers, every=1, log_dir=folder) as run:
            for _ in steps(patient, STEPS):
                run.log(loss=torch.ones(()))
        (path,) = Path(folder).iterdir()
        assert path.stat().st_size > 1000
    assert run.failures == ()
    assert [t.name for t in threading.enumerate() if t.name.startswith("nbdiag")] == []
    return run


SITUATIONS: tuple[Callable[[Patient], Run], ...] = (
    normal_end,
    no_optimizer_at_hand,
    exception_in_the_loop,
    keyboard_interrupt,
    closed_in_the_middle,
    attached_twice,
    paused,
    every_second,
    with_a_listener,
    with_a_failing_listener,
    with_a_failing_probe,
    looked_at_all_the_time,
    logged_to_disk,
)


@pytest.fixture(scope="module")
def untouched() -> dict[str, dict[str, object]]:
    """How each training ends when nobody looks."""
    charts = {}
    for name, make in PATIENTS.items():
        patient = admit(make)
        list(steps(patient, STEPS))
        charts[name] = chart(patient)
    return charts


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", PATIENTS)
def test_training_is_bit_identical(
    name: str, situation: Callable[[Patient], Run], untouched: dict[str, dict[str, object]]
) -> None:
    patient = admit(PATIENTS[name])
    before = hooks(patient)
    run = situation(patient)
    assert differences(chart(patient), untouched[name]) == []
    assert hooks(patient) == before
    assert run.step >= 2
    assert len(run.recording) >= 2


def test_the_comparison_sees_a_trace() -> None:
    """The tables above can fail: each kind of trace shows up by name."""
    one = admit(PATIENTS["cnn"])
    list(steps(one, 2))
    reference, hung = chart(one), hooks(one)

    one.model[1].eval()
    one.model[1].running_mean += 1e-7
    one.model[0].weight.grad[0, 0, 0, 0] += 1e-7
    one.model[5].bias.requires_grad_(False)
    torch.rand(1)
    one.model[0].register_forward_hook(lambda *_: None)
    assert set(differences(chart(one), reference)) == {
        "training 1",
        "state 1.running_mean",
        "grad 0.weight",
        "requires_grad 5.bias",
        "torch rng",
    }
    assert hooks(one) != hung
