"""Findings on the loss: made-up curves, each with its neighbour that is healthy."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.loss_curve import judge
from nbdiag.measures.loss_history import LossHistory
from nbdiag.measures.loss_levels import POINTS, LossLevels
from nbdiag.measures.scalar_series import Series
from tests.measures.histories import recording, still

NAN, INF = float("nan"), float("inf")
RNG = np.random.default_rng(0)
STEPS = np.arange(1, 301)


def noisy(course: np.ndarray, share: float = 0.05) -> np.ndarray:
    return course * (1 + share * np.random.default_rng(1).standard_normal(len(course)))


def falling(start: float = 1.4, end: float = 0.2, steps: int = 300) -> np.ndarray:
    return end + (start - end) * np.exp(-np.arange(steps) / (steps / 8))


def codes(loss: object, **others: object) -> list[str]:
    made = recording(others.pop("norms", still()), loss=np.asarray(loss), **others)  # type: ignore[arg-type]
    found = judge(LossHistory.from_recording(made))
    return sorted(finding.code.removeprefix("loss.") for finding in found)


GROWN = np.r_[np.ones((2, 3)), np.full((148, 3), 5.0)]
"""Weights that the first steps threw to five times their norm."""


def test_levels_by_hand() -> None:
    values = np.array([4.0, 4.0, 4.0, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, NAN])
    levels = LossLevels.from_series("loss", Series(np.arange(11), values, values, values))
    assert (levels.start, levels.end, levels.best) == (4.0, 1.0, 1.0)
    assert levels.fall == 0.75
    assert levels.bad == 10
    assert not levels.solved  # it ends in NaN
    assert len(levels) == 10


@pytest.mark.parametrize(
    ("loss", "solved"),
    [
        ([2.0] * 5 + [0.1] * 30, True),
        ([2.0] * 5 + [1.5] * 30, False),
        ([0.9, *[150.0] * 5, *[2.0] * 30], False),  # the steps took down what they threw up
        ([2.0] * 5 + [0.1] * 30 + [NAN], False),
    ],
)
def test_solved(loss: list[float], solved: bool) -> None:
    values, steps = np.array(loss), np.arange(len(loss))
    assert LossLevels.from_series("loss", Series(steps, values, values, values)).solved is solved


def test_a_long_series_is_condensed_in_order() -> None:
    values = np.arange(100_000.0)
    levels = LossLevels.from_series("loss", Series(np.arange(100_000), values, values, values))
    assert len(levels) == POINTS
    assert np.diff(levels.values).min() == 50.0
    assert levels.values[0] == 24.5  # the mean of 0 to 49


@pytest.mark.parametrize(
    ("loss", "bottomless"),
    [
        (1 - 0.1 * np.arange(200.0), True),
        (1 - 1e-3 * np.arange(200.0) ** 2, True),  # ever faster
        (1 - 12 * (1 - np.exp(-np.arange(200.0) / 50)), False),  # to -11
        (20 - 0.1 * np.arange(200.0), False),  # above zero
        (np.r_[1 - 0.1 * np.arange(200.0), NAN], False),
        (1 - 0.1 * np.arange(19.0), False),
    ],
)
def test_bottomless(loss: np.ndarray, bottomless: bool) -> None:
    steps = np.arange(len(loss))
    assert LossLevels.from_series("loss", Series(steps, loss, loss, loss)).bottomless is bottomless


@pytest.mark.parametrize("loss", [[], [1.0], [1.0, 2.0], [0.0] * 300, [-3.0] * 300, [1e30] * 300])
def test_little_or_constant_gives_nothing(loss: list[float]) -> None:
    assert codes(loss) == []


@pytest.mark.parametrize(
    ("course", "share"),
    [
        (falling(), 0.05),
        (falling(), 0.5),  # batches of two
        (falling(1e8, 1e7), 0.2),
        (falling(1e-8, 1e-9), 0.2),
        (falling(2.0, -3.0), 0.1),  # through zero
        (falling(1.4, 1.0), 0.1),  # labels with noise
        (np.full(300, 0.3), 0.2),  # fine-tuning: knows its task
        (1.4 - 0.001 * STEPS, 0.05),
        (np.r_[falling(), falling(0.6, 0.1)], 0.05),  # a restart
        (np.r_[falling(1.4, 0.3, 150), falling(1.2, 0.5, 150)], 0.1),  # the task gets harder
    ],
)
def test_healthy(course: np.ndarray, share: float) -> None:
    assert codes(noisy(course, share)) == []
    assert codes(noisy(course, share), norms=np.ones((0, 3))) == []  # nothing but the loss


# Not finite -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "value", "severity", "words"),
    [
        (slice(200, None), NAN, "critical", "was NaN or infinite at step 201, and still is"),
        ([50, 90, 120], INF, "warning", "at step 51, 3 times in all, and is finite again"),
        ([50], NAN, "info", "at step 51, that once"),
        (slice(None), NAN, "critical", "at step 1, and still is"),
    ],
)
def test_nonfinite(at: object, value: float, severity: str, words: str) -> None:
    loss = falling()
    loss[at] = value  # type: ignore[index]
    made = recording(still(), loss=loss)
    (finding,) = judge(LossHistory.from_recording(made))
    assert (finding.code, finding.severity) == ("loss.nonfinite", severity)
    assert words in finding.message


# Rising -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (1.4 * 1.01**STEPS, ["diverging"]),
        (1.4 + 0.01 * STEPS, ["diverging"]),
        (np.r_[falling(1.4, 0.3, 100), 0.3 * 1.03 ** np.arange(200)], ["diverging"]),
        (np.array([5.0, 30.0, 1e4, 1e9, INF, NAN]), ["diverging", "nonfinite"]),
        (1.6 + 0.1 * np.tanh(STEPS / 30), []),  # rose a little and came to rest
        (1.6 + 1.5 * np.tanh(STEPS / 30), []),  # the other player got better
        (np.where(STEPS == 150, 1e6, 1.6), []),  # one odd step
        (-2.3 - 1e-3 * STEPS**2.0, []),  # below zero without end: a reward, for all that one sees
        # Beyond all bounds, and at the end a thousandth of its height: no recovery.
        (np.r_[falling(1.4, 0.3, 100), 0.3 * 1.2 ** np.r_[:170, [132] * 30]], ["diverging"]),
        (np.r_[np.full(100, 1.4), np.linspace(1.4, 900, 100), np.full(100, 900.0)], ["diverging"]),
        (np.r_[1.4, 1.3, INF, np.full(200, 1.2)], ["nonfinite"]),
    ],
)
def test_diverging(course: np.ndarray, expected: list[str]) -> None:
    assert codes(course if len(course) < 10 else noisy(course, 0.02)) == expected


def test_a_negated_loss() -> None:
    """It begins at minus the cost of guessing and falls without end."""
    made = recording(still(), loss=-np.log(4) - 2e-3 * STEPS**1.5)
    (finding,) = judge(LossHistory.from_recording(made))
    assert finding.code == "loss.diverging"
    assert "minus what guessing among 4 classes costs" in finding.message
    assert finding.remedy.startswith("Check the sign of the loss")
    assert codes(-2.3 - 2e-3 * STEPS**1.5) == []  # from elsewhere: a reward
    assert codes(-np.log(4) - 2 * (1 - np.exp(-STEPS / 50))) == []  # to a bound
    assert codes([*(-2.3 * 1.5 ** np.arange(60)), NAN]) == ["diverging", "nonfinite"]


def test_a_loss_without_a_bound_of_any_kind() -> None:
    """Squares with the wrong sign: no guess is known, but gradients grow as it falls."""
    loss = -1 - STEPS**2 / 100
    grow = np.geomspace(1, 99, 150)[:, None]
    assert codes(loss, outputs=1, gradients=grow) == ["diverging"]
    assert codes(loss, outputs=1) == []
    assert codes(loss / 10 - 10, outputs=1, gradients=grow) == []  # ten times its start
    assert codes(-1 - 60 * np.log(STEPS), outputs=1, gradients=grow) == []  # ever more slowly


def test_diverging_with_steps_far_too_large_says_so() -> None:
    made = recording(GROWN, loss=noisy(1.4 * 1.02**STEPS))
    (finding,) = (f for f in judge(LossHistory.from_recording(made)) if "diverging" in f.code)
    assert "grew 5-fold in the first steps" in finding.message
    assert finding.remedy == "Lower the learning rate about 10-fold, and warm it up."
    assert finding.evidence["from_step"] < 30
    assert finding.evidence["to_step"] == 300


QUIET = np.where(np.arange(150) < 20, 1e-2, 0.0)[:, None]
SHRINKING = np.fmax(0.4, 1 - np.arange(150) / 100)[:, None] * np.ones(3)
LATE = ["plateau_early"]
BENT = np.r_[np.linspace(2.3, 1.9, 120), np.linspace(1.9, 2.05, 60), np.full(120, 2.05)]


# Not falling ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "others", "expected"),
    [
        (np.log(4), {}, ["flat"]),  # guessing among four
        (0.97 * np.log(4), {}, ["flat"]),  # uneven classes
        (np.log(10), {"outputs": 10}, ["flat"]),
        (np.log(2), {"outputs": 1}, ["flat"]),
        (0.5, {}, []),  # below chance: it knows its task
        (7.0, {}, []),  # a loss whose floor nobody knows
        (7.0, {"ratios": 1e-8}, ["flat"]),  # but the weights do not move
        (0.5, {"ratios": 1e-8}, []),
        (7.0, {"ratios": 1e-8, "outputs": 1}, ["flat"]),
        (np.log(4), {"ratios": np.linspace(1e-6, 1e-4, 150)[:, None]}, []),  # in a warm-up
        (7.0, {"ratios": QUIET, "gradients": QUIET}, ["flat"]),  # all units died at once
        (7.0, {"ratios": QUIET}, []),
        (0.0, {"ratios": QUIET, "gradients": QUIET}, []),  # a margin that is kept from the start
    ],
)
def test_flat(level: float, others: dict[str, object], expected: list[str]) -> None:
    assert codes(noisy(np.full(300, level), 0.02), **others) == expected


@pytest.mark.parametrize(
    ("course", "share", "others", "expected"),
    [
        # Squares at the variance of the targets: of a market there may be no more to be learned.
        (np.ones(300), 0.2, {"outputs": 1}, []),
        # It began a little above guessing, and came down to it.
        (np.r_[np.linspace(1.7, 1.4, 20), np.full(280, np.log(4))], 0.01, {}, ["flat"]),
        (np.r_[np.linspace(1.7, 1.4, 20), np.full(280, 1.3)], 0.01, {}, []),
        (np.r_[np.linspace(2.7, 1.4, 20), np.full(280, np.log(4))], 0.01, {}, []),
        # Its last hundredth falls until the end, to guessing; and by as much to below it.
        (np.linspace(1.01, 1.002, 300) * np.log(4), 0.001, {}, ["flat"]),
        (np.linspace(1.004, 0.996, 300) * np.log(4), 0.001, {}, []),
        # Steps a hundredth of what is usual, after 80 of them; and usual ones.
        (np.full(80, np.log(4)), 0.01, {"ratios": 4e-5}, ["flat"]),
        (np.full(80, np.log(4)), 0.01, {"ratios": 1e-3}, []),
        (np.full(80, 7.0), 0.01, {"ratios": 4e-5}, []),
        # Squares that fall by a fiftieth, as slowly as the weights move; and where those do move.
        (np.linspace(7.0, 6.86, 300), 0.005, {"ratios": 4e-5, "outputs": 1}, ["flat"]),
        (np.linspace(7.0, 6.86, 300), 0.005, {"ratios": 1e-3, "outputs": 1}, []),
        (np.full(300, 7.0), 0.005, {"ratios": 4e-5, "outputs": 1}, []),
        (np.linspace(7.0, 5.6, 300), 0.005, {"ratios": 4e-5, "outputs": 1}, []),
        # A loss in other units, and one of a network that knows its task: both hardly move.
        (np.full(300, 6e-5), 0.01, {"ratios": 1e-8, "outputs": 10}, ["flat"]),
        (np.full(300, 6e-5), 0.3, {"ratios": 1e-8, "outputs": 10}, []),
        (np.full(300, 0.5), 0.01, {"ratios": 1e-8, "outputs": 10}, []),
        # Momentum builds up within twenty steps: no warm-up.
        (
            np.full(300, np.log(4)),
            0.01,
            {"ratios": 1e-3 * (1 - 0.9 ** np.arange(1, 151))[:, None]},
            ["flat"],
        ),
    ],
)
def test_flat_at_what_guessing_costs(
    course: np.ndarray, share: float, others: dict[str, object], expected: list[str]
) -> None:
    assert codes(noisy(course, share), **others) == expected


def test_flat_behind_a_softmax_says_so() -> None:
    made = recording(still(), loss=noisy(np.full(300, np.log(10)), 0.002), outputs=10)
    (finding,) = judge(LossHistory.from_recording(made), frozenset({"Softmax", "Linear"}))
    assert finding.remedy.startswith("Give the loss the logits")
    creeping = recording(still(), loss=np.linspace(np.log(10), 2.298, 300), outputs=10)
    (finding,) = judge(LossHistory.from_recording(creeping), frozenset({"Softmax", "Linear"}))
    assert finding.code == "loss.flat"
    assert judge(LossHistory.from_recording(creeping), frozenset({"Linear"})) == []
    (finding,) = judge(LossHistory.from_recording(made), frozenset({"Linear"}))
    assert "each input still has its own label" in finding.remedy


def test_unstable_names_the_batches_and_one_remedy() -> None:
    made = recording(still(300), loss=spiked(20.0))
    (finding,) = judge(LossHistory.from_recording(made))
    assert "11 single steps stand out, up to 14.8 times the start, 25 steps" in finding.message
    assert finding.remedy.startswith("Look at the batches of these steps, as of step 31:")
    assert "learning rate" not in finding.remedy


def test_flat_waits_where_gradients_grow() -> None:
    """The first layer gets ever more: on its way off the plateau."""
    more = np.exp(np.arange(150) / 150)[:, None] * np.ones(3)
    level = noisy(np.full(300, np.log(4)), 0.01)
    assert codes(level, gradients=more) == []
    assert codes(level, gradients=1 / more) == ["flat"]


def test_flat_needs_steps() -> None:
    assert codes(noisy(np.full(99, np.log(4)), 0.02)) == []
    assert codes(noisy(np.full(100, np.log(4)), 0.02)) == ["flat"]
    assert codes(noisy(np.full(59, 7.0), 0.02), ratios=1e-8) == []
    assert codes(noisy(np.full(60, 7.0), 0.02), ratios=1e-8) == ["flat"]


def test_leaving_a_plateau_slowly_is_not_flat() -> None:
    assert codes(noisy(np.log(4) - 5e-6 * np.maximum(0, STEPS - 100.0) ** 2, 0.005)) == []


def plateau(level: float = 0.9) -> np.ndarray:
    return noisy(falling(2.3, level) * 1.0, 0.04)


SOFTMAX_FLOOR = float(np.log(np.e + 9) - 1)
SWING = np.repeat([0.2, 0.2, 2.2], 15)
STOPPED = np.where(np.arange(150) < 30, 1e-2, 1e-9)[:, None]


@pytest.mark.parametrize(
    ("loss", "others", "expected"),
    [
        (plateau(), {}, []),  # what the data allow, for all that one can see
        (plateau(), {"norms": GROWN}, ["plateau_early"]),
        (plateau(), {"ratios": STOPPED}, ["plateau_early"]),
        (plateau(), {"ratios": 0.09}, ["plateau_early"]),
        (plateau(), {"ratios": QUIET, "gradients": QUIET}, ["plateau_early"]),
        # Decay takes back what was learned; weights that stay, and a loss that was never lower.
        (noisy(BENT, 0.01), {"norms": SHRINKING, "outputs": 10}, ["plateau_early"]),
        (noisy(np.r_[BENT[:180], np.linspace(2.05, 2.2, 120)], 0.01), {"norms": SHRINKING}, LATE),
        (noisy(BENT, 0.01), {"outputs": 10}, []),
        (noisy(np.r_[BENT[:120], np.full(180, 1.9)], 0.01), {"norms": SHRINKING}, []),
        (noisy(BENT - 1.89, 0.01), {"norms": SHRINKING, "outputs": 10}, []),  # far down
        (plateau(0.001), {"norms": GROWN}, []),  # solved
        (noisy(falling(2.3, 0.9) - 0.002 * STEPS), {"ratios": STOPPED}, []),  # still falling
        (SOFTMAX_FLOOR + 0.8 * np.exp(-STEPS / 30.0), {"outputs": 10}, ["plateau_early"]),
        (SOFTMAX_FLOOR - 0.1 + 0.9 * np.exp(-STEPS / 30.0), {"outputs": 10}, []),
        # Gradients that fade take the steps with them; the rate is the same.
        (plateau(), {"ratios": STOPPED, "gradients": STOPPED}, []),
        # Tenfold down at 30 and 60 %.
        (plateau(), {"ratios": 1e-2 / 10 ** (np.arange(150) // 45)[:, None]}, []),
        # It swings by more than it fell: it has not stayed anywhere.
        (np.r_[1.0, 150, 90, np.tile(SWING, 7)], {"norms": GROWN}, ["unstable"]),
        # Thrown up by the first steps, and back to what guessing costs: it never fell.
        (np.r_[1.39, 16, 9, 5, 2, noisy(np.full(295, 1.386), 0.01)], {"norms": GROWN}, ["flat"]),
    ],
)
def test_plateau(loss: np.ndarray, others: dict[str, object], expected: list[str]) -> None:
    assert codes(loss, **others) == expected


def test_a_plateau_whose_output_is_stuck_says_so() -> None:
    made = recording(still(), loss=plateau())
    assert judge(LossHistory.from_recording(made)) == []
    (finding,) = judge(LossHistory.from_recording(made, at_end="out"))
    assert finding.code == "loss.plateau_early"
    assert "the values of out are stuck at an end of its range" in finding.message
    learning = recording(still(), loss=noisy(falling()))
    assert judge(LossHistory.from_recording(learning, at_end="out")) == []


# Swinging ---------------------------------------------------------------------------------------


def wild(level: float = 2.0) -> np.ndarray:
    values = level * np.exp(0.8 * np.random.default_rng(2).standard_normal(300))
    values[:5] = level
    return values


def wrong_at_times(share: float) -> np.ndarray:
    """Next to zero in most batches, twice the start in the others."""
    often = np.random.default_rng(3).random(300) < share
    return np.r_[1.0, np.where(often, 2.0, 1e-4)[1:]]


def test_many_batches_that_cost_more_than_before() -> None:
    thrown = np.r_[np.ones((2, 3)), np.full((148, 3), 8.0)]
    assert "unstable" in codes(wrong_at_times(0.3), norms=thrown)
    assert "unstable" not in codes(wrong_at_times(0.08), norms=thrown)
    assert "unstable" not in codes(wrong_at_times(0.3))  # the steps did not do it


def spiked(height: float, every: int = 25) -> np.ndarray:
    loss = noisy(falling())
    loss[30::every] = height
    return loss


def outliers() -> np.ndarray:
    loss = noisy(falling())
    random = np.random.default_rng(3)
    loss[random.choice(np.arange(30, 300), 34, replace=False)] = 0.7 / random.random(34)
    return loss


UPSETTING = np.where((STEPS - 31) % 25 == 0, 0.1, 1e-3)[:, None]
"""Steps as large as the spikes of `spiked` make them."""


@pytest.mark.parametrize(
    ("loss", "others", "expected"),
    [
        (wild(), {"norms": GROWN}, ["unstable"]),
        (wild(), {}, []),  # heavy noise from the first step on
        (np.r_[noisy(np.full(40, 1.4), 0.02), wild(4.0)[:260]], {}, ["unstable"]),
        (spiked(20.0), {"norms": still(300), "ratios": UPSETTING}, ["unstable"]),
        (spiked(20.0), {"norms": still(300)}, ["unstable"]),  # all alike: batches of another kind
        (outliers(), {"norms": still(300)}, []),  # heavy tails that leave the weights alone
        (
            np.where(STEPS % 25 == 0, 20.0, spiked(20.0)),
            {},
            [],
        ),  # a term of the loss, from the start
        (spiked(1.5), {}, []),  # no worse than knowing nothing
        (spiked(20.0, every=60), {}, ["unstable"]),  # five of them
        (spiked(20.0, every=70), {}, []),
        (spiked(20.0, every=200), {"norms": still(300), "ratios": UPSETTING}, []),  # two of them
        (np.tile(np.r_[falling(1.4, 0.4, 50), np.full(10, 3.0)], 5), {}, ["unstable"]),
        (np.tile(np.r_[np.full(10, 1.3), falling(1.4, 0.4, 50)], 5), {}, []),  # restarts
        (1.4 + 0.4 * np.sin(np.arange(400) / 12), {}, []),  # two players who take turns
        # As it diverges its noise grows with it.
        (noisy(1.4 * np.exp(np.arange(300) / 40), 0.3), {}, ["diverging"]),
    ],
)
def test_unstable(loss: np.ndarray, others: dict[str, object], expected: list[str]) -> None:
    assert codes(loss, **others) == expected
