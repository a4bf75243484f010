"""Is training healthy? What is wrong with the course of the loss."""

from __future__ import annotations

import numpy as np

from nbdiag.measures import validation_curve
from nbdiag.measures.findings import Finding, by_severity
from nbdiag.measures.loss_fall import flat, plateau
from nbdiag.measures.loss_history import LossHistory
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.loss_swings import WORSE, unstable
from nbdiag.measures.robust import rank_correlation
from nbdiag.measures.wording import sure

MIN_POINTS = 30
"""Fewer are a mood: what a warm-up or a restart throws up comes down again."""
WORSE_AFTER_LEARNING = 1.0
NEGATED = 0.15
"""How far from minus the cost of guessing a negated cross-entropy may begin."""
WITHOUT_BOUND, SWOLLEN = 100.0, 30.0
"""Times its start, below zero, and times its first gradients: nothing holds that back. A likelihood
of ever narrower normals is held back by the smallest spread that fits."""
LOST = 100.0
"""Times the start: whether it rises still or is at rest there, nothing that it learned is left."""


def judge(history: LossHistory, kinds: frozenset[str] = frozenset()) -> list[Finding]:
    """What is wrong with the loss, most severe first; empty when nothing is.

    Every rule compares the loss with its own start and its own noise.

    - ``loss.nonfinite``: NaN or infinite: at the end, several times, or once.
    - ``loss.diverging``: above its start by a fifth and still rising, or it rose tenfold on the way
      to overflow; or it falls without end, as a negated loss does.
    - ``loss.flat``: over 100 steps and more it did not fall by a twentieth, and stays where
      guessing among the network's outputs stays; or all steps together hardly moved the weights; or
      no gradient arrives any more; or each output was compared with the targets of all others.
    - ``loss.plateau_early``: it fell early, then no more, well above zero, and there is a reason:
      the first steps threw the weights away, steps are still as large, or they stopped, no gradient
      arrives, an activation is stuck at its ends, outputs were compared with targets that are not
      theirs, or the weights shrink and take back what was learned.
    - ``loss.unstable``: it swings by its own size while the steps are far too large, or comes back
      above its start again and again, or stands out at the same place of each pass over the data.
    - ``loss.overfitting``: see `validation_curve`.

    Parameters
    ----------
    kinds : class names of all modules of the model, so that the remedy fits it.
    """
    found = [_nonfinite(history)]
    levels = history.levels
    if levels is not None and len(levels):
        found += [_diverging(history, levels), unstable(history, levels)]
        # What never fell has not stopped falling.
        found.append(flat(history, levels, kinds) or plateau(history, levels, kinds))
    if history.validation is not None:
        found.append(validation_curve.overfitting(history.validation, kinds))
    return by_severity(finding for finding in found if finding is not None)


def _nonfinite(history: LossHistory) -> Finding | None:
    for name, (step, count, ends) in history.bad.items():
        where = "and still is" if ends else f"{count} times in all, and is finite again"
        if count == 1 and not ends:
            where = "that once, and is finite again"
        return Finding(
            "loss.nonfinite",
            "critical" if ends else "warning" if count > 1 else "info",
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
    if negated := _negated(history, levels):
        return negated
    blocks = levels.blocks
    lowest = int(np.argmin(blocks))
    rise = blocks[lowest:]
    # A loss that fell before may rise as its task changes: players that learn, harder samples.
    learned = lowest > len(blocks) // 10 and not _faster(history)
    much = WORSE_AFTER_LEARNING if learned else WORSE
    worse = levels.end - levels.start > much * abs(levels.start)
    # Against the noise at the start: a loss that diverges swings ever more.
    clear = levels.end - levels.start > 4 * levels.noise_at_start
    if len(rise) < 4 or not (worse and clear) or rank_correlation(rise) < 0.7:
        return None
    # What grows by a factor a step is judged by its logarithm: seen from its last values, all that
    # came before is nothing, and a dip to a tenth at the end a full recovery.
    rise = np.arcsinh((rise - rise[0]) / max(abs(levels.start), levels.noise_at_start))
    third = len(rise) - max(2, len(rise) // 3)
    keeps = rise[-1] - rise[third - 1] > 0.25 * (rise[-1] - rise[0]) / len(rise) * (
        len(rise) - third
    )
    lost = rise[-1] > np.arcsinh(LOST)
    if not (keeps or lost) or rise[-1] < 0.6 * rise.max():
        return None
    at = int(np.argmin(np.abs(np.arange(len(values)) - lowest * len(values) / len(blocks))))
    how = "is still rising" if keeps else "has not come back"
    return _rose(history, levels, at, levels.end, how)


def _negated(history: LossHistory, levels: LossLevels) -> Finding | None:
    """A loss that falls below zero without end is a reward, for all that one sees; but not one that
    begins at minus what guessing costs, none that overflows, and none of which the gradients grow
    as it falls: towards a bound they would fade.
    """
    start, end, count = levels.start, float(levels.values[-1]), history.outputs
    overflow = levels.bad is not None and end < -10 * abs(start) and start < 0
    guessed = count >= 2 and abs(start / np.log(count) + 1) < NEGATED
    weights = history.weights
    deep = end < -WITHOUT_BOUND * max(abs(start), levels.noise_at_start)
    free = deep and weights is not None and weights.swollen > SWOLLEN
    if not (overflow or ((guessed or free) and levels.bottomless)):
        return None
    how = f"overflows at step {levels.bad}" if overflow else "goes on"
    message = f"The loss falls below zero without end, from {start:.3g} to {end:.3g}, and {how}"
    if guessed:
        message += f"; it began at minus what guessing among {count} classes costs"
    return Finding(
        "loss.diverging",
        "critical",
        levels.name,
        f"{message}; {sure(True)}.",
        {
            "start": start,
            "lowest": float(levels.values.min()),
            "end": end,
            "from_step": int(levels.steps[0]),
            "to_step": int(levels.steps[-1]),
            "confidence": "high",
        },
        "Check the sign of the loss: what has no lower bound cannot be minimised.",
    )


def _faster(history: LossHistory) -> bool:
    """Whether the steps have grown threefold since the first ones, or always were far too large."""
    weights = history.weights
    if weights is None or not len(weights.matrices):
        return False
    early, late = weights.typical_ratio(late=False), weights.typical_ratio(late=True)
    return bool(history.violent) or late > 3 * early


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
