"""Losses that follow the order of the data, each with its neighbour that does not."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.loss_curve import judge
from nbdiag.measures.loss_history import LossHistory
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.loss_rhythm import beats, repeats
from nbdiag.measures.scalar_series import Series
from tests.measures.histories import recording, still

STEPS = np.arange(340)
BASE = (1.6 - STEPS / 300) * (1 + 0.02 * np.random.default_rng(0).standard_normal(340))
ODD = 2.0 + 4.0 * np.random.default_rng(1).random(340)


def levels(values: np.ndarray) -> LossLevels:
    steps = np.arange(1, len(values) + 1)
    return LossLevels.from_series("loss", Series(steps, values, values, values))


def every(gap: int, height: object, *, first: int = 0) -> np.ndarray:
    return np.where((STEPS % gap == gap - 1) & (first < STEPS), height, BASE)


SCATTERED = np.where(np.isin(STEPS, [20, 51, 77, 120, 131, 190, 222, 263, 300]), ODD, BASE)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (every(17, ODD), (19, 17)),  # the very last value has no neighbours to be told by
        (every(17, ODD, first=250), (5, 17)),
        (every(17, ODD, first=270), (0, 0)),  # four of them
        (every(17, BASE + 3.0), (0, 0)),  # a term of the loss, always as large
        (every(17, np.minimum(ODD / 6 + 0.6, 1.5)), (0, 0)),  # no worse than knowing nothing
        (SCATTERED, (0, 0)),
        (every(2, ODD), (0, 0)),  # two losses in turn
        (np.full(340, 1.0), (0, 0)),
        (np.array([1.0]), (0, 0)),
    ],
)
def test_beats(values: np.ndarray, expected: tuple[int, int]) -> None:
    found, gap = beats(levels(values))
    assert (len(found), gap) == expected
    if gap:
        assert set(found % gap) == {gap - 1}


def passes(high: float, low: float, *, shuffled: bool = False) -> np.ndarray:
    """Two classes in turn, of five and seven batches: the first of each knows nothing of it."""
    course = np.tile(np.r_[high, low * np.ones(4), 1.5 * high, low * np.ones(6)], 29)[:340]
    if shuffled:
        course = np.random.default_rng(2).permutation(course)
    course = course * (1 + 0.1 * np.random.default_rng(3).standard_normal(340))
    return np.r_[2.3, 2.3, 2.3, course[3:]]


@pytest.mark.parametrize(
    ("values", "period"),
    [
        (passes(2.3, 0.2), 12),
        (passes(2.3, 0.2, shuffled=True), 0),
        (passes(1.2, 0.2), 0),  # two tasks in turn, of which none is lost again
        (passes(2.3, 1.1), 0),
        (np.geomspace(2.3, 0.01, 340), 0),
        (np.full(340, 2.3), 0),
        (np.where(STEPS % 12, 0.2, 20.0), 0),  # a term of the loss, always as large
        (-passes(2.3, 0.2), 0),
        (np.full(10, 2.3), 0),
    ],
)
def test_repeats(values: np.ndarray, period: int) -> None:
    found = repeats(levels(values))
    assert found == 0 if not period else found % period == 0 and found > 0


def classes(worst: float, *, mixed: bool = False) -> np.ndarray:
    """Eight classes in turn, four batches each, each from its own height down by a fifth."""
    heights = 1 + 0.6 * np.random.default_rng(4).random((8, 1))
    one_pass = (worst * heights * np.geomspace(1, 0.8, 4)).ravel()
    one_pass = np.random.default_rng(5).permutation(one_pass) if mixed else one_pass
    noise = 1 + 0.05 * np.random.default_rng(6).standard_normal(340)
    return np.r_[2.3, 2.3, 2.3, (np.tile(one_pass, 11)[:340] * noise)[3:]]


@pytest.mark.parametrize(
    ("values", "outputs", "period"),
    [
        (classes(2.0), 10, 32),
        (classes(2.0), 1, 0),  # errors of a regression differ by batch before it knows anything
        (classes(2.0, mixed=True), 10, 0),
        (classes(1.2), 10, 0),  # never back up to the start
        (2.3 + 0.5 * np.sin(STEPS / 12), 10, 0),  # it swings by itself
        (np.random.default_rng(7).permutation(classes(2.0)), 10, 0),
    ],
)
def test_repeats_of_a_classifier(values: np.ndarray, outputs: int, period: int) -> None:
    found = repeats(levels(values), outputs)
    assert found == 0 if not period else found % period == 0 and found > 0


def test_in_words() -> None:
    made = recording(still(), loss=passes(2.3, 0.2), outputs=10)
    (finding,) = judge(LossHistory.from_recording(made))
    assert finding.code == "loss.unstable"
    assert "as if nothing was learned, and at 0.21 between" in finding.message
    assert finding.remedy.startswith("Shuffle the samples")
    made = recording(still(), loss=every(17, ODD))
    (finding,) = judge(LossHistory.from_recording(made))
    assert "19 single steps stand out" in finding.message
    assert "17 steps or a multiple of it apart" in finding.message
    assert judge(LossHistory.from_recording(recording(still(), loss=SCATTERED))) == []
