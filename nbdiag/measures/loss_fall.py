"""A training loss that does not fall, or stops falling too early."""

from __future__ import annotations

import numpy as np

from nbdiag.measures.findings import Finding
from nbdiag.measures.loss_history import LossHistory
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.wording import confidence, sure

MIN_STEPS = 100
MIN_STEPS_STILL = 60
"""Where the weights do not move there is nothing to wait for."""
CHANCE = 0.9
"""Share of log(outputs) above which a loss is taken for the entropy of guessing: two classes as
uneven as 2 to 1 still reach 0.92 of it, and a network that knows its task is far below."""
HARDLY_MOVED = 3e-3
"""When all steps together are below a third of a percent of the weights, the outputs cannot have
changed by more than about a percent: nothing can have been learned."""
KNOWS = 0.6
"""Below this share of log(outputs) a classifier knows its task already, as in fine-tuning."""
LARGE = 0.08
"""Steps of random directions replace the weights within 1 / 0.08^2 = 150 of them."""
DROP = 0.1
STUCK = 0.3
SOLVED = 0.05
SOLVED_FAST = 0.25
"""Where steps are large, but the network may live with them."""
SOLVED_THROWN = 0.003
"""Where the first steps threw the weights away: most of such a fall is their own work."""
STOPPED = 1e-3
"""Steps a thousandfold smaller than at first for half of the training; a rate that is lowered
tenfold twice, or along a cosine, stays well above."""


def flat(history: LossHistory, levels: LossLevels) -> Finding | None:
    if history.trained < MIN_STEPS_STILL or levels.bad or not levels.stuck_at_start():
        return None
    path = float("nan")
    if history.weights is not None and len(history.weights.matrices):
        path = float(np.median(history.weights.paths[history.weights.matrices]))
    guess = _guess(history, levels)
    weights = history.weights
    comes = weights is not None and (weights.warming or weights.stirring)
    guessing = guess > 0 and levels.unmoved() and not comes and history.trained >= MIN_STEPS
    knows = history.outputs >= 2 and 0 < levels.end < KNOWS * np.log(history.outputs)
    if not guessing and (not path < HARDLY_MOVED or knows):
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
        message += f", which is what guessing among {guess} classes costs"
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


def _guess(history: LossHistory, levels: LossLevels) -> int:
    """Among how many classes one guesses at this loss; 0 when it is not what guessing costs.

    Guessing among C costs log(C); much more is no proof of anything, much less was learned. With
    yes-or-no answers it costs log(2) whatever their number; that being one number for all, each
    part of the training must lie next to it.
    """
    count = history.outputs
    if count >= 2 and CHANCE < levels.end / np.log(count) < 1.1:
        return count
    parts = levels.blocks[1:] / np.log(2)
    return 2 if count and len(parts) and bool((np.abs(parts - 1) < 0.05).all()) else 0


def plateau(
    history: LossHistory, levels: LossLevels, kinds: frozenset[str] = frozenset()
) -> Finding | None:
    blocks = levels.blocks
    if history.trained < MIN_STEPS or len(blocks) < 10 or history.weights is None:
        return None
    first = max(float(levels.values[0]), levels.start)
    quarter = len(blocks) // 4
    early = float(np.median(blocks[quarter : 2 * quarter]))
    fall = first - early
    if not fall > DROP * abs(first):
        return None
    # Steps that are far too large may throw up the loss; the very first one they have not seen yet.
    left = abs(levels.end) / abs(float(levels.values[0]) if history.violent else first)
    least = SOLVED_FAST if history.violent else SOLVED
    least = SOLVED_THROWN if history.thrown else least
    if not abs(early - levels.end) < STUCK * fall or not left > least:
        return None
    cause, remedy, certain = _squashed_twice(history, levels, kinds)
    if not cause and (history.violent or not levels.still_falling()):
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
    if late > LARGE:
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


def _squashed_twice(
    history: LossHistory, levels: LossLevels, kinds: frozenset[str]
) -> tuple[str, str, bool]:
    """As `_why_stuck`, where a softmax stands before a cross-entropy that has one of its own.

    Of probabilities, cross-entropy cannot fall below log(e + C - 1) - 1, as it would for logits of
    one 1 and zeros: the losses of the batches pile up there and none lies below.
    """
    if history.outputs < 3:
        return "", "", False
    floor = float(np.log(np.e + history.outputs - 1) - 1)
    late = levels.values[len(levels) // 2 :]
    near = float((late < 1.02 * floor).mean())
    named = bool({"Softmax", "Softmax2d"} & kinds)
    # The most that it can be is 1 above the least: all of one and wrong.
    inside = bool((levels.values < floor + 1).all())
    if late.min() < 0.9999 * floor or not (near > 0.25 or (named and inside)):
        return "", "", False
    return (
        f"no batch comes below {floor:.3g}, the least that cross-entropy over {history.outputs} "
        "probabilities can be, so a softmax seems to stand before a loss that has its own",
        "Give the loss the logits: leave out the softmax at the end of the network.",
        named and near > 0.02,
    )
