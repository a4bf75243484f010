"""Is training healthy? The course of the loss, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import median_filter

from nbdiag.measures import validation_curve
from nbdiag.measures.findings import Finding, by_severity
from nbdiag.measures.head import outputs
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.recording import Recording, Rows
from nbdiag.measures.robust import noise, rank_correlation, runs, spread
from nbdiag.measures.validation_curve import ValidationCurve
from nbdiag.measures.weight_history import UPROOTED, WeightHistory
from nbdiag.measures.wording import confidence, sure

MIN_STEPS = 100
MIN_POINTS = 20
CHANCE = 0.9
"""Share of log(outputs) above which a loss is taken for the entropy of guessing: two classes as
uneven as 2 to 1 still reach 0.92 of it, and a network that knows its task is far below."""
HARDLY_MOVED = 1e-2
"""When all steps together are below a hundredth of the weights, nothing can have been learned."""
DROP = 0.1
STUCK = 0.3
SOLVED = 0.05
SOLVED_THROWN = 0.003
"""Where the first steps threw the weights away: most of such a fall is their own work."""
STOPPED = 1e-3
"""Steps a thousandfold smaller than at first for half of the training; a rate that is lowered
tenfold twice, or along a cosine, stays well above."""
WORSE = 0.2
"""Above its start by a fifth: worse than not having trained at all."""
SWING = 0.8
"""From the lower tenth to the upper fiftieth in units of the median. A mean over 32 squared normal
errors, the noisiest of the common losses, stays at that."""
EXCURSIONS = 3


@dataclass(frozen=True, eq=False)
class LossHistory:
    """The losses of a training and what is needed to tell why they are as they are.

    Parameters
    ----------
    levels : the training loss, condensed; None when none was logged.
    bad : for each logged loss with NaN or infinite values: step of the first, how many there are,
        and whether it ended so.
    validation : validation next to training loss; None when none was logged.
    weights : None when no step was sampled.
    outputs : length of the bias of the last layer: the number of classes of a classifier.
    """

    levels: LossLevels | None
    bad: dict[str, tuple[int, int, bool]] = field(default_factory=dict)
    validation: ValidationCurve | None = None
    weights: WeightHistory | None = None
    outputs: int = 0

    @classmethod
    def from_recording(
        cls,
        recording: Recording,
        rows: Rows | None = None,
        levels: LossLevels | None = None,
        weights: WeightHistory | None = None,
    ) -> LossHistory:
        """Condensed to at most 2,000 values and 1,000 samples of the weights."""
        scalars = recording.scalars
        levels = LossLevels.from_recording(recording) if levels is None else levels
        if weights is None and len(recording):
            weights = WeightHistory.from_recording(recording, rows, levels)
        bad: dict[str, tuple[int, int, bool]] = {}
        for name in ("loss", "train_loss", "val_loss"):
            if name in scalars:
                series = scalars[name]
                wrong = np.flatnonzero(~np.isfinite(series.values))
                if len(wrong):
                    ends = bool(wrong[-1] == len(series.values) - 1)
                    bad[name] = (int(series.steps[wrong[0]]), len(wrong), ends)
        validation = ValidationCurve.from_scalars(scalars)
        return cls(levels, bad, validation, weights, outputs(recording))

    @property
    def trained(self) -> int:
        """Optimizer steps that the training loss spans."""
        steps = None if self.levels is None else self.levels.steps
        return 0 if steps is None or not len(steps) else int(steps[-1] - min(steps[0], 1))

    @property
    def violent(self) -> str:
        """What shows that the steps were far too large, in words; empty when nothing does."""
        weights = self.weights
        if weights is None or not len(weights.matrices):
            return ""
        if weights.uprooted > UPROOTED:
            factor = weights.uprooted
            return f"the weights of a typical layer grew {factor:.2g}-fold in the first steps"
        ratio = weights.typical_ratio(late=False)
        if ratio > 0.1:
            return f"a typical step changes {ratio:.2g} of the weights"
        return ""


def judge(history: LossHistory, kinds: frozenset[str] = frozenset()) -> list[Finding]:
    """What is wrong with the loss, most severe first; empty when nothing is.

    Every rule compares the loss with its own start and its own noise.

    - ``loss.nonfinite``: NaN or infinite at the end, or more than once.
    - ``loss.diverging``: above its start by a fifth and still rising, or it rose tenfold on the way
      to overflow.
    - ``loss.flat``: over 100 steps and more it did not fall by a twentieth, and either stays where
      guessing among the network's outputs stays, or all steps together hardly moved the weights.
    - ``loss.plateau_early``: it fell early, then no more, well above zero, and there is a reason:
      the first steps threw the weights away, steps are still as large, or they stopped.
    - ``loss.unstable``: it swings by its own size while the steps are far too large, or comes back
      above its start again and again.
    - ``loss.overfitting``: see `validation_curve`.

    Parameters
    ----------
    kinds : class names of all modules of the model, so that the remedy fits it.
    """
    rules: tuple[Callable[[LossHistory, LossLevels], Finding | None], ...] = (
        _diverging,
        _flat,
        _plateau,
        _unstable,
    )
    found = [_nonfinite(history)]
    if history.levels is not None and len(history.levels):
        found += [rule(history, history.levels) for rule in rules]
    if history.validation is not None:
        found.append(validation_curve.overfitting(history.validation, kinds))
    return by_severity(finding for finding in found if finding is not None)


def _nonfinite(history: LossHistory) -> Finding | None:
    for name, (step, count, ends) in history.bad.items():
        if not ends and count < 2:
            continue  # one odd step
        where = "and still is" if ends else f"at {count} points in all, and is finite again"
        return Finding(
            "loss.nonfinite",
            "critical" if ends else "warning",
            name,
            f"The {_called(name)} was NaN or infinite at step {step}, {where}; {sure(True)}.",
            {"step": step, "count": count, "recovered": not ends, "confidence": "high"},
            "Look at the batch and at the loss of that step for log(0), division by zero, sqrt(0) "
            "and NaN in the data; if the loss rose before, lower the learning rate instead.",
        )
    return None


def _called(name: str) -> str:
    return {"loss": "loss", "train_loss": "training loss", "val_loss": "validation loss"}[name]


# Rising -------------------------------------------------------------------------------------------


def _diverging(history: LossHistory, levels: LossLevels) -> Finding | None:
    values = levels.values
    overflow = levels.bad is not None
    first = float(values[0])
    if overflow and len(values) >= 2 and values[-1] > 10 * max(abs(first), abs(levels.best)):
        # On the way to overflow: few values, but each beyond anything that noise could be.
        lowest = int(np.argmin(values))
        sharp = float(values[-1]) >= 0.1 * float(values.max())
        if sharp:
            return _rose(
                history, levels, lowest, float(values[-1]), f"overflows at step {levels.bad}"
            )
    if len(values) < MIN_POINTS:
        return None
    blocks = levels.blocks
    lowest = int(np.argmin(blocks))
    rise = blocks[lowest:]
    worse = levels.end - levels.start > WORSE * abs(levels.start)
    # Against the noise at the start: a loss that diverges swings ever more.
    clear = levels.end - levels.start > 4 * _noise_at_start(levels)
    if len(rise) < 4 or not (worse and clear) or rank_correlation(rise) < 0.7:
        return None
    third = len(rise) - max(2, len(rise) // 3)
    keeps = rise[-1] - rise[third - 1] > 0.25 * (rise[-1] - rise[0]) / len(rise) * (
        len(rise) - third
    )
    if not keeps or rise[-1] < rise[0] + 0.6 * (rise.max() - rise[0]):
        return None
    at = int(np.argmin(np.abs(np.arange(len(values)) - lowest * len(values) / len(blocks))))
    return _rose(history, levels, at, levels.end, "is still rising")


def _noise_at_start(levels: LossLevels) -> float:
    return noise(levels.values[: max(10, len(levels) // 8)])


def _rose(history: LossHistory, levels: LossLevels, lowest: int, to: float, how: str) -> Finding:
    start, best = float(levels.values[0]), float(levels.values[lowest])
    from_step = int(levels.steps[lowest])
    violent = history.violent
    message = f"The loss rose from {best:.3g} at step {from_step} to {to:.3g} and {how}"
    if violent:
        message += f"; {violent}"
    if violent:
        remedy = "Lower the learning rate about 10-fold, and warm it up."
    elif lowest > len(levels) // 10:
        remedy = (
            "Lower the learning rate from there on: look for a schedule that keeps raising it; "
            "clipping the gradients helps against single bad batches."
        )
    else:
        remedy = (
            "Check that the loss is minimised (its sign, maximize=True) and that inputs are "
            "normalised; then lower the learning rate about 10-fold."
        )
    return Finding(
        "loss.diverging",
        "critical",
        levels.name,
        f"{message}; {sure(True)}.",
        {
            "start": start,
            "lowest": best,
            "end": to,
            "from_step": from_step,
            "to_step": int(levels.steps[-1]),
            "confidence": "high",
        },
        remedy,
    )


# Not falling --------------------------------------------------------------------------------------


def _flat(history: LossHistory, levels: LossLevels) -> Finding | None:
    if history.trained < MIN_STEPS or not levels.stuck_at_start():
        return None
    path = float("nan")
    if history.weights is not None and len(history.weights.matrices):
        path = float(np.median(history.weights.paths[history.weights.matrices]))
    # Guessing among C outputs costs log(C); more is no proof of anything, less was learned.
    chance = np.log(history.outputs) if history.outputs >= 2 else np.nan
    guessing = bool(CHANCE * chance < levels.end < 1.1 * chance) and levels.unmoved()
    if not guessing and not path < HARDLY_MOVED:
        return None
    message = f"The loss has not left its start: {levels.start:.3g} then, {levels.end:.3g} now, "
    message += f"after {history.trained:,} steps"
    if path < HARDLY_MOVED:
        message += f"; all steps together changed the weights by at most {path:.1g} of their norm"
        remedy = (
            "Raise the learning rate 10- to 1000-fold, and check that the optimizer holds these "
            "parameters and that their gradients are not zero."
        )
    else:
        message += f", which is what guessing among {history.outputs} classes costs"
        remedy = (
            "The weights move, but towards nothing: check that each input still has its own label "
            "(shuffling, sorting, collating), that the inputs are not all alike, and that the "
            "output reaches the loss as it expects; then try to learn one batch by heart."
        )
    certain = path < HARDLY_MOVED or history.trained >= 3 * MIN_STEPS
    return Finding(
        "loss.flat",
        "critical",
        levels.name,
        f"{message}; {sure(certain)}.",
        {
            "start": levels.start,
            "end": levels.end,
            "noise": levels.noise,
            "path": path,
            "outputs": history.outputs,
            "from_step": int(levels.steps[0]),
            "to_step": int(levels.steps[-1]),
            "confidence": confidence(certain),
        },
        remedy,
    )


def _plateau(history: LossHistory, levels: LossLevels) -> Finding | None:
    blocks = levels.blocks
    if history.trained < MIN_STEPS or len(blocks) < 10 or history.weights is None:
        return None
    first = float(levels.values[0])
    quarter = len(blocks) // 4
    early = float(np.median(blocks[quarter : 2 * quarter]))
    fall = first - early
    if not fall > DROP * abs(first) or levels.still_falling():
        return None
    left = abs(levels.end) / abs(first)
    if not abs(early - levels.end) < STUCK * fall or not left > SOLVED_THROWN:
        return None
    if not (left > SOLVED or history.violent):
        return None
    cause, remedy, certain = _why_stuck(history)
    if not cause:
        return None
    step = int(levels.steps[len(levels) * quarter // len(blocks)])
    return Finding(
        "loss.plateau_early",
        "warning",
        levels.name,
        f"The loss fell from {first:.3g} to {early:.3g} within {step} steps and has stayed there, "
        f"at {levels.end:.3g} now: {cause}; {sure(certain)}.",
        {
            "start": first,
            "plateau": levels.end,
            "from_step": step,
            "to_step": int(levels.steps[-1]),
            "confidence": confidence(certain),
        },
        remedy,
    )


def _why_stuck(history: LossHistory) -> tuple[str, str, bool]:
    """The reason, the remedy, and whether it is certain; an empty reason where none is seen.

    A loss that comes to rest at what the data allow looks the same: the reason must be seen.
    """
    weights = history.weights
    if weights is None or not len(weights.matrices):
        return "", "", False
    if violent := history.violent:
        return (
            violent,
            "Lower the learning rate about 10-fold and start anew, with a warm-up.",
            True,
        )
    late = weights.typical_ratio(late=True)
    if late > 0.05:
        return (
            f"a typical step still changes {late:.2g} of the weights",
            "Lower the learning rate about 10-fold; a schedule that decays it may be enough.",
            False,
        )
    early = weights.typical_ratio(late=False)
    if late < STOPPED * early:
        return (
            f"the steps have become {early / max(late, 1e-30):.1g} times smaller than at first",
            "Let the learning rate decay later: a schedule that counts epochs is stepped at "
            "every batch, or its end was set too early.",
            True,
        )
    return "", "", False


# Swinging -----------------------------------------------------------------------------------------


def _unstable(history: LossHistory, levels: LossLevels) -> Finding | None:
    values, n = levels.values, len(levels)
    if n < 3 * MIN_POINTS:
        return None
    late = values[n // 3 :]
    trend = median_filter(late, max(9, len(late) // 5) | 1, mode="nearest")
    middle = max(abs(float(np.median(late))), 1e-300)
    low, high = np.quantile(late - trend, (0.1, 0.98))
    swing = float(high - low) / middle
    first = max(abs(float(values[0])), 1e-300)
    violent = history.violent
    above = _excursions(levels)
    quiet = _noise_at_start(levels)
    if violent and swing > SWING and levels.end > 0.02 * first:
        how = f"it swings by {swing:.2g} of its typical value, and {violent}"
    elif len(above) >= EXCURSIONS:
        how = f"it rose {len(above)} times from below its start to well above it"
    elif levels.end > 0.9 * levels.start and spread(late - trend) > 4 * quiet > 0 and swing > 0.5:
        noisier = spread(late - trend) / quiet
        how = f"it swings {noisier:.2g} times as far as at the start, and is no lower than there"
    else:
        return None
    worst = int(np.argmax(late)) + n // 3
    certain = bool(violent) or len(above) > EXCURSIONS
    return Finding(
        "loss.unstable",
        "warning",
        levels.name,
        f"The loss is unstable: {how}; {sure(certain)}.",
        {
            "swing": swing,
            "excursions": len(above),
            "step": int(levels.steps[worst]),
            "from_step": int(levels.steps[n // 3]),
            "to_step": int(levels.steps[-1]),
            "confidence": confidence(certain),
        },
        "Lower the learning rate about 10-fold"
        + (
            " and warm it up." if violent else ", or clip the gradients if single batches start it."
        ),
    )


def _excursions(levels: LossLevels) -> list[tuple[int, int]]:
    """Stretches well above the start, each after a stretch well below it.

    Of a running median of five, so that it takes three of five steps: odd batches are left out.
    """
    smooth = median_filter(levels.values, 5, mode="nearest")
    start, best = levels.start, levels.best
    above: list[tuple[int, int]] = []
    below = smooth < start - 0.5 * (start - best)
    clear = max(WORSE * abs(start), 4 * levels.noise)
    for begin, stop in runs(smooth > start + clear):
        since = above[-1][1] if above else 0
        if below[since:begin].any():
            above.append((begin, stop))
    return above
