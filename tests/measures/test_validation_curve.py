"""Validation that turns up while training goes on falling, and its neighbours that are healthy."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.loss_curve import judge
from nbdiag.measures.loss_history import LossHistory
from tests.measures.histories import recording, still
from tests.measures.test_loss_curve import NAN, codes, falling, noisy


def u_turn(best: float, end: float, count: int = 30) -> np.ndarray:
    half = count // 3
    return np.r_[np.linspace(1.4, best, half), np.linspace(best, end, count - half)]


@pytest.mark.parametrize(
    ("val_loss", "loss", "expected"),
    [
        (u_turn(0.6, 1.2), falling(1.4, 0.01), ["overfitting"]),
        (np.full(30, 1.4), falling(1.4, 0.05), ["overfitting"]),
        (u_turn(0.6, 0.62), falling(1.4, 0.4), []),
        (u_turn(0.6, 1.2), np.r_[falling(1.4, 0.5, 100), np.full(200, 0.5)], []),  # drifting data
        (falling(1.4, 0.3, 30), falling(1.4, 0.2), []),
        (falling(0.3, 0.12, 30), falling(2.3, 0.001), []),  # a gap that is not worth closing
        (u_turn(0.6, 1.2, 5), falling(1.4, 0.01), []),  # too few
        (noisy(np.full(30, 0.6), 0.2), falling(0.7, 0.55), []),
        (np.full(30, NAN), falling(), ["nonfinite"]),
        # A rise by a fifth under noise of a twentieth: seen over many validations, not over few.
        (noisy(u_turn(0.6, 0.75, 60), 0.05), falling(1.4, 0.01, 600), ["overfitting"]),
        (noisy(u_turn(0.6, 0.66, 12), 0.05), falling(1.4, 0.01), []),
    ],
)
def test_overfitting(val_loss: np.ndarray, loss: np.ndarray, expected: list[str]) -> None:
    assert codes(loss, val_loss=val_loss) == expected


def test_overfitting_in_words() -> None:
    made = recording(still(), loss=falling(1.4, 0.01), val_loss=u_turn(0.6, 1.2))
    (finding,) = judge(LossHistory.from_recording(made))
    assert finding.subject == "val_loss"
    assert finding.evidence["from_step"] == 100  # the tenth of thirty validations
    assert "best at step 100, 0.6" in finding.message
    assert finding.remedy.startswith("Stop at step 100")
    (finding,) = judge(LossHistory.from_recording(made), frozenset({"Dropout"}))
    assert "raise dropout" in finding.remedy


def test_losses_of_epochs_alone() -> None:
    made = recording(still())
    for epoch in range(1, 31):
        made.scalar_log.put("val_loss", 10 * epoch, float(u_turn(0.6, 1.2)[epoch - 1]))
        made.scalar_log.put("train_loss", 10 * epoch, float(falling(1.4, 0.01, 30)[epoch - 1]))
    (finding,) = judge(LossHistory.from_recording(made))
    assert finding.code == "loss.overfitting"
