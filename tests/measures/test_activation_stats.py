"""Findings on activations: made-up tracks, each with its neighbour that is healthy."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.activation_stats import ActivationHistory, UnitState, judge
from nbdiag.measures.findings import Finding
from tests.measures.histories import activate, recording, still

FALLING = np.linspace(1.4, 0.1, 150)
FLAT = np.full(150, 1.4)


def found(active: list[float], loss: object = (), outputs: int = 4, **track: object) -> list[str]:
    return [f.code.removeprefix("activation.") for f in findings(active, loss, outputs, **track)]


def findings(
    active: list[float], loss: object = (), outputs: int = 4, **track: object
) -> list[Finding]:
    made = recording(still(), loss=np.asarray(loss), outputs=outputs)
    activate(made, active, **track)  # type: ignore[arg-type]
    return judge(ActivationHistory.from_recording(made))


def test_state_by_hand() -> None:
    made = recording(still())
    activate(made, [8, 8, 0, 0], looks=40, inputs=10)
    state = UnitState.of(made.activations[0])
    assert state.dead.tolist() == [False, False, True, True]
    assert (state.seen, state.looks, state.unseen, state.died) == (400, 40, 400, 0)
    assert (state.from_step, state.to_step) == (1, 40)
    assert not state.stuck.any()


def test_nothing_seen() -> None:
    made = recording(still())
    assert judge(ActivationHistory.from_recording(made)) == []
    activate(made, [0, 0], looks=0)
    assert judge(ActivationHistory.from_recording(made)) == []


@pytest.mark.parametrize(
    ("active", "track", "expected"),
    [
        ([0] * 8 + [5] * 8, {}, ["dead"]),
        ([0] * 7 + [5] * 9, {}, []),
        ([0] * 16, {}, ["dead"]),
        ([0.03] * 16, {}, []),  # one input in a thousand: sparse and alive
        ([0] * 16, {"looks": 9}, []),  # 288 inputs
        ([0] * 16, {"looks": 9, "inputs": 1000}, []),  # few batches
        ([0] * 16, {"looks": 400, "inputs": 1}, ["dead"]),
        ([0, 0, 5], {}, []),  # two units
        ([0, 0], {}, ["dead"]),  # all there are
        ([9] * 16, {"until": 20}, ["dead"]),  # killed on the way
        ([9] * 16, {"until": 45}, []),  # off for 160 inputs only
        ([9] * 16, {"until": 80, "looks": 100}, []),  # for 640 of 3,200: they may come back
        ([9] * 16, {"until": 900, "looks": 1000}, ["dead"]),  # for 3,200 of 32,000: they will not
        ([0] * 16, {"kind": "LeakyReLU"}, []),  # below zero is not off
        ([0] * 16, {"kind": "GELU", "std": 1e-5, "mean": -1e-5}, ["dead"]),
        ([0] * 16, {"kind": "GELU", "std": 0.1, "mean": -0.1}, []),
        ([9] * 16, {"kind": "GELU", "std": 1e-5, "mean": 1e-5}, []),  # small, and alive
        ([0] * 16, {"mean": float("nan")}, []),  # not a number: another disease
    ],
)
def test_dead(active: list[float], track: dict[str, object], expected: list[str]) -> None:
    assert found(active, **track) == expected


def test_dead_in_words() -> None:
    (finding,) = findings([0] * 12 + [5] * 4, name="fc.relu")
    assert (finding.subject, finding.severity) == ("fc.relu", "warning")
    assert "12 of 16 units of fc.relu (ReLU) are dead" in finding.message
    assert "any of the last 1,600 inputs" in finding.message
    assert "never before" in finding.message
    assert finding.evidence["share"] == 0.75
    assert finding.remedy.startswith("Initialise the layer before it anew")
    (finding,) = findings([9] * 16, until=20)
    assert finding.severity == "critical"
    assert "most since about step 20" in finding.message
    assert finding.remedy.startswith("Lower the learning rate about 10-fold")


def test_dead_says_how_many_never_were_active() -> None:
    made = recording(still())
    activate(made, [0] * 9 + [5] * 4 + [0] * 3, looks=5)
    track = made.activations[0]
    for step in range(6, 46):
        on = np.array([0.0] * 9 + [0.0] * 3 + [5.0] * 4)
        track.add(step, 32, 32, (0.5, 1.0, 0.7, 0.0), on, None)
    (finding,) = judge(ActivationHistory.from_recording(made))
    assert finding.evidence["dead"] == 12
    assert "inputs and more, 9 of them never before;" in finding.message


@pytest.mark.parametrize(
    ("kind", "stuck", "loss", "others", "expected"),
    [
        ("Tanh", 0.9, (), {}, ["saturated"]),
        ("Tanh", 0.9, FALLING, {}, ["saturated"]),  # from the start
        ("Tanh", 0.4, (), {}, []),
        ("Sigmoid", 0.7, FLAT, {}, ["saturated"]),
        ("ReLU", 0.9, (), {}, []),  # has no ends
        ("Tanh", 0.9, (), {"looks": 9}, []),
        # The output, as wide as the last layer: sure of itself, or stuck.
        ("Sigmoid", 0.99, FALLING, {"outputs": 16}, []),
        ("Sigmoid", 0.99, (), {"outputs": 16}, []),
        ("Sigmoid", 0.99, FLAT, {"outputs": 16}, ["saturated"]),
        ("Sigmoid", 1.0, (), {"outputs": 16, "std": 1e-6}, ["saturated"]),
    ],
)
def test_saturated(
    kind: str, stuck: float, loss: object, others: dict[str, object], expected: list[str]
) -> None:
    assert found([9] * 16, loss, kind=kind, stuck=[stuck] * 16, **others) == expected


def test_saturated_only_once_it_was_solved_is_sureness() -> None:
    made = recording(still(), loss=FALLING)
    activate(made, [9] * 16, kind="Tanh", stuck=[0.1] * 16, looks=20)
    activate(made, [9] * 16, kind="Tanh", stuck=[0.1] * 16, looks=20, name="late")
    track = made.activations[1]
    for step in range(21, 80):
        track.add(step, 32, 32, (0.0, 1.0, 0.0, 0.9), np.full(16, 9.0), np.full(16, 29.0))
    assert judge(ActivationHistory.from_recording(made)) == []


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (0.5 + 0.5 * np.exp(-np.arange(150.0) / 10), ["saturated"]),  # comes no nearer
        (0.1 + 0.9 * np.exp(-np.arange(150.0) / 10), []),  # sure, and right
        (np.linspace(1.0, 0.4, 150), []),  # on its way
        (np.linspace(1.0, -0.4, 150), []),  # no scale to say what is much
    ],
)
@pytest.mark.parametrize("at_start", [0.0, 0.9])
def test_an_output_whose_targets_lie_beyond_its_range(
    loss: np.ndarray, expected: list[str], at_start: float
) -> None:
    made = recording(still(), loss=loss, outputs=16)
    activate(made, [9] * 16, kind="Tanh", stuck=[at_start] * 16, looks=5)
    track = made.activations[0]
    for step in range(6, 80):
        track.add(step, 32, 32, (0.0, 1.0, 0.0, 0.8), np.full(16, 9.0), np.full(16, 26.0))
    # Where it was at its ends before it learned anything, it was made to begin there.
    wanted = expected if at_start == 0.0 else []
    found = judge(ActivationHistory.from_recording(made))
    assert [f.code.removeprefix("activation.") for f in found] == wanted


def test_dead_for_a_quarter_of_the_steps_where_looks_are_rare() -> None:
    """Forty looks in the first forty steps, then one in 20, all of 32 inputs."""

    def rare(last: int) -> int:
        made = recording(still())
        activate(made, [9] * 4, looks=40)
        for step in range(60, 260, 20):
            on = np.full(4, 9.0 * (step <= last))
            made.activations[0].add(step, 32, 32, (0.5, 1.0, 0.7, 0.0), on, None)
        return int(ActivationHistory.from_recording(made).states[0].dead.sum())

    assert rare(40) == 4  # off for 320 of 1,600 inputs, and for 200 of 240 steps
    assert rare(60) == 0  # 288 inputs


def test_the_second_half_goes_by_steps_and_not_by_looks() -> None:
    """As `every="auto"` looks: forty times in the first forty steps, then ten times in 500."""
    made = recording(still())
    activate(made, [32] * 4, kind="Tanh", looks=40, stuck=[0.0] * 4)
    for step in range(50, 550, 50):
        numbers = (0.9, 0.3, 0.0, 0.9)
        made.activations[0].add(step, 32, 32, numbers, np.full(4, 32.0), np.full(4, 29.0))
    (state,) = ActivationHistory.from_recording(made).states
    assert state.saturated == pytest.approx(0.9)
    assert state.lasting == 1.0


def test_saturated_in_words() -> None:
    (finding,) = findings([9] * 4, kind="Tanh", stuck=[0.95, 0.95, 0.95, 0.75], outputs=1)
    assert "90% of the values of act (Tanh) lie at an end" in finding.message
    assert "3 of 4 units for nearly all of 1,600 inputs" in finding.message
    assert finding.remedy.startswith("Normalise the inputs")
