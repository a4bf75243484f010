"""All judges over one recording, and what of their findings is a consequence of another."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.findings import Finding
from nbdiag.measures.recording import LayerInfo, Recording
from nbdiag.measures.verdict import judge_training, reconcile
from tests.measures.histories import activate, recording, still


def finding(code: str, **evidence: object) -> Finding:
    return Finding(code, "warning", "x", "x.", evidence)


def codes(made: Recording) -> list[str]:
    return sorted(found.code for found in judge_training(made, frozenset()))


def test_empty() -> None:
    assert judge_training(recording(np.ones((0, 3))), frozenset()) == []


def test_healthy() -> None:
    made = recording(still(), loss=np.geomspace(1.4, 0.1, 150))
    activate(made, [10] * 8)
    assert codes(made) == []


def test_every_measure_has_its_say() -> None:
    made = recording(still(), ratios=1e-9, loss=np.full(150, np.log(4)))
    activate(made, [0] * 8)
    assert codes(made) == ["activation.dead", "loss.flat", "weight.not_updating"]


def test_the_most_severe_stands_first() -> None:
    made = recording(still(), ratios=[1e-3, 0.0, 1e-3], loss=np.full(150, np.log(4)))
    found = judge_training(made, frozenset())
    assert [f.severity for f in found] == ["critical", "warning"]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (
            [("weight.collapsing", {}), ("gradient.vanishing", {})],
            ["gradient.vanishing", "weight.collapsing"],
        ),
        (
            [("weight.not_updating", {"path": 1e-4}), ("gradient.vanishing", {})],
            ["gradient.vanishing", "weight.not_updating"],
        ),
        (
            [("activation.dead", {"share": 1.0, "died": 9}), ("weight.collapsing", {})],
            ["weight.collapsing"],
        ),
        (
            [("activation.dead", {"share": 1.0, "died": 0}), ("gradient.vanishing", {})],
            ["activation.dead", "gradient.vanishing"],
        ),
        (
            [("activation.dead", {"share": 0.6, "died": 0}), ("gradient.vanishing", {})],
            ["gradient.vanishing"],
        ),
        (
            [("activation.dead", {"share": 0.6, "died": 9}), ("gradient.vanishing", {})],
            ["activation.dead", "gradient.vanishing"],
        ),
        (
            [("loss.diverging", {}), ("gradient.exploding", {}), ("loss.nonfinite", {})],
            ["gradient.exploding", "loss.diverging", "loss.nonfinite"],
        ),
    ],
)
def test_consequences(given: list[tuple[str, dict[str, object]]], left: list[str]) -> None:
    found = reconcile([finding(code, **evidence) for code, evidence in given])
    assert sorted(f.code for f in found) == left


def test_steps_that_made_the_loss_swing_were_too_large_although_it_fell() -> None:
    """The weights were thrown to three times their norm, and the loss swings on its way down."""
    norms = np.where(np.arange(300)[:, None] > 1, 3.0, 1.0) * np.ones(3)
    course = 0.4 + 2.0 * np.exp(-np.arange(300) / 15)
    swinging = course * np.exp(0.8 * np.random.default_rng(2).standard_normal(300))
    made = recording(norms, loss=np.r_[1.4, 2.0, 9.0, swinging[3:]])
    assert codes(made) == ["loss.plateau_early", "loss.unstable", "weight.update_too_large"]
    assert codes(recording(norms, loss=0.02 * course)) == []
    rewarded = recording(norms, loss=-np.log(4) * (1 + np.arange(300) / 50))  # a reward that grows
    assert codes(rewarded) == ["loss.diverging"]


def test_a_long_recording_costs_no_more_than_a_short_one() -> None:
    """What is read of it is bounded; 62 parameters as in ResNet-18, 20,000 rows."""
    names = [f"p{i}" for i in range(62)]
    layers = [LayerInfo(f"l{i}", "Conv2d", (name,), 100, 4) for i, name in enumerate(names)]
    made = Recording(names, layers, list(range(62)), [100] * 62)
    ones, zeros = np.ones(62, np.float32), np.zeros(62, np.uint8)
    for step in range(20_000):
        made.append(step + 1, ones, ones, zeros, update_norm=ones * np.float32(1e-3))
    assert len(made.sketch().steps) <= 1001
    assert judge_training(made, frozenset()) == []
