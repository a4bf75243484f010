"""A training loss that does not fall, or stops falling too early."""

from __future__ import annotations

import numpy as np

from nbdiag.measures.findings import Finding
from nbdiag.measures.loss_history import LossHistory
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.weight_history import WeightHistory
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
LOGITS = "Give the loss the logits: leave out the softmax at the end of the network."
MOVED_LITTLE = 1e-2
"""Where the loss is what guessing costs, or is falling that slowly, as well."""
KNOWS = 0.6
"""Below this share of log(outputs) a classifier knows its task already, as in fine-tuning."""
SCALED = 0.05
"""A loss below this that differs from batch to batch by less than this share of itself is not that
of a network that knows its task, which differs by its own size: it is in other units."""
LARGE = 0.08
"""Steps of random directions replace the weights within 1 / 0.08^2 = 150 of them."""
DROP = 0.1
THROWN_UP = 1.5
BEGAN = 1.3
"""In units of guessing: the start of a network whose first outputs were a little too large."""
STUCK = 0.3
SOLVED = 0.05
SOLVED_FAST = 0.25
"""Where steps are large, but the network may live with them."""
SOLVED_THROWN = 0.003
"""Where the first steps threw the weights away: most of such a fall is their own work."""
SILENT = "no gradient arrives at the weights any more"
ALIVE = (
    "Look for units that are off for all inputs, above all at the output (a last layer of ReLU, "
    "targets that it cannot reach); lower the learning rate if it killed them."
)
SHRUNK = 0.7
"""Of the norm: a network that learns mostly gains some."""
TAKEN_BACK, HIGH = 0.08, 0.4
"""Of the fall, and of the start."""
STOPPED = 0.02
"""All steps of the second half together, in units of those of the first: with a rate lowered
tenfold at 30, 60 and 90 % they are 0.04, along a cosine 0.2."""


def flat(
    history: LossHistory, levels: LossLevels, kinds: frozenset[str] = frozenset()
) -> Finding | None:
    if history.trained < MIN_STEPS_STILL or levels.bad or len(levels) < 20:
        return None
    if history.broadcast and levels.stuck_at_start():
        return _mismatched(history, levels, "loss.flat")
    path = float("nan")
    matrices = () if history.weights is None else history.weights.matrices
    if history.weights is not None and len(matrices):
        tables = history.weights.tables
        path = float("nan") if tables else float(np.median(history.weights.paths[matrices]))
    guess = _guess(history, levels, kinds)
    weights = history.weights
    comes = weights is not None and (weights.warming or weights.stirring)
    knows = history.outputs >= 2 and 0 < levels.end < KNOWS * np.log(history.outputs)
    knows = knows and not (levels.end < SCALED and levels.noise < SCALED * levels.end)
    # Also where it falls, so that there is something to learn, as slowly as the weights move.
    slow = bool(guess) or (history.trained >= MIN_STEPS and levels.still_falling())
    creeps = not comes and slow and path < MOVED_LITTLE
    silent = weights is not None and weights.silent and levels.end > 0
    rests = path < HARDLY_MOVED or creeps or silent
    still = rests and not knows and levels.stuck_at_start()
    least = MIN_STEPS_STILL if history.uprooted else MIN_STEPS
    guess = "" if (comes and not history.uprooted) or history.trained < least else guess
    if not guess and not still:
        return None
    start = float(levels.values[0]) if history.uprooted else levels.start
    message = f"The loss has not left its start: {start:.3g} then, {levels.end:.3g} now, "
    message += f"after {history.trained:,} steps"
    if still and silent and not path < HARDLY_MOVED:
        message += f"; {SILENT}"
        remedy = ALIVE
    elif still:
        message += f"; all steps together changed the weights by at most {path:.1g} of their norm"
        remedy = (
            "Raise the learning rate 10- to 1000-fold, and check that the optimizer holds these "
            "parameters and that their gradients are not zero."
        )
    else:
        message += f", which is what {guess} costs"
        remedy = (
            "The weights move, but towards nothing: check that each input still has its own label "
            "(shuffling, sorting, collating), that the inputs are not all alike, and that the "
            "output reaches the loss as it expects; then try to learn one batch by heart."
        )
        if history.violent:
            message += f"; {history.violent}"
            remedy = "Lower the learning rate about 10-fold and start anew, with a warm-up."
        elif _inside(history, levels, kinds):
            remedy = LOGITS
    certain = path < HARDLY_MOVED or history.trained >= 3 * MIN_STEPS
    return Finding(
        "loss.flat",
        "critical",
        levels.name,
        f"{message}; {sure(certain)}.",
        {
            "start": start,
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


def _guess(history: LossHistory, levels: LossLevels, kinds: frozenset[str]) -> str:
    """What costs as much as this loss did all along and does, if that is a guess; else empty.

    Guessing among C costs log(C); much more is no proof of anything, much less was learned. With
    yes-or-no answers it costs log(2) whatever their number; that being one number for all, each
    part of the training must lie next to it. Squares that stay at the variance of the targets are
    no proof: where little can be learned, as of markets, a sound training looks the same.
    """
    count, blocks = history.outputs, levels.blocks[1:]
    if not count or not len(blocks):
        return ""
    if count >= 2 and CHANCE < levels.end / np.log(count) < 1.1:
        # Behind a softmax it creeps, too slowly to get anywhere.
        rests = levels.unmoved() or _inside(history, levels, kinds)
        if levels.stuck_at_start() and rests:
            return f"guessing among {count} classes"
        # It began a little higher, or the first steps threw it up: it came down to guessing.
        level = blocks[len(blocks) // (2 if history.uprooted else 10) :] / np.log(count)
        began = float(levels.values[0]) < BEGAN * np.log(count)
        # What still falls, but from above, is on its way to guessing: a rate that decays.
        above = float(blocks[-1]) >= np.log(count)
        rests = above or not levels.still_falling()
        if began and bool((np.abs(level - 1) < 0.03).all()) and rests:
            return f"guessing among {count} classes"
    if not levels.stuck_at_start():
        return ""
    if levels.unmoved() and bool((np.abs(blocks / np.log(2) - 1) < 0.05).all()):
        return "guessing between 2 classes"
    return ""


def plateau(
    history: LossHistory, levels: LossLevels, kinds: frozenset[str] = frozenset()
) -> Finding | None:
    blocks = levels.blocks
    if history.trained < MIN_STEPS or len(blocks) < 10 or history.weights is None:
        return None
    if history.broadcast and levels.at_rest_above(SOLVED):
        return _mismatched(history, levels, "loss.plateau_early")
    if held := _held_back(levels, history.weights):
        return held
    # Steps that are far too large may throw up the loss; the very first one they have not seen yet.
    first, untouched = levels.start, float(levels.values[0])
    thrown_up = history.uprooted and levels.name == "loss" and first > THROWN_UP * abs(untouched)
    top = max(first, untouched)
    first = untouched if thrown_up else top
    quarter = len(blocks) // 4
    early = float(np.median(blocks[quarter : 2 * quarter]))
    fall = first - early
    if not fall > DROP * abs(first):
        return None
    left = abs(levels.end) / max(abs(first), 1e-300)
    least = SOLVED_FAST if history.violent else SOLVED
    least = SOLVED_THROWN if history.thrown else least
    if not abs(early - levels.end) < STUCK * (top - early) or not left > least:
        return None
    # What swings by more than it fell has not stayed anywhere.
    low, high = np.quantile(blocks[quarter:], (0.2, 0.8))
    if high - low > fall:
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


def _mismatched(history: LossHistory, levels: LossLevels, code: str) -> Finding:
    """Each output is compared with all targets of its batch: the mean is all there is to learn."""
    return Finding(
        code,
        "critical",
        levels.name,
        f"The loss went from {levels.start:.3g} to {levels.end:.3g} and is at rest there: "
        f"{history.broadcast}, so that each output is compared with every target of the batch, and "
        f"all that can be learned is their mean; {sure(True)}.",
        {
            "start": levels.start,
            "plateau": levels.end,
            "from_step": int(levels.steps[0]),
            "to_step": int(levels.steps[-1]),
            "confidence": "high",
        },
        "Give outputs and targets one shape before they are compared, as by outputs.squeeze(1) or "
        "targets.unsqueeze(1).",
    )


def _held_back(levels: LossLevels, weights: WeightHistory) -> Finding | None:
    """Weights that shrink take back what was learned: the loss, still high, was lower before."""
    blocks, left = levels.blocks, weights.left
    lowest, end = int(np.argmin(blocks)), float(np.median(blocks[-3:]))
    best = float(blocks[lowest])
    fell, rose = levels.start - best, end - best
    chance = levels.noise * np.sqrt(len(blocks) / len(levels))
    took = left < SHRUNK and rose > TAKEN_BACK * fell and rose > 5 * chance
    if not took or levels.bad or not fell > DROP * abs(levels.start):
        return None
    if not HIGH * levels.start < end < levels.start:
        return None
    step = int(levels.steps[len(levels) * lowest // len(blocks)])
    return Finding(
        "loss.plateau_early",
        "warning",
        levels.name,
        f"The loss fell from {levels.start:.3g} to {best:.3g} by step {step} and is above "
        f"that since, at {end:.3g} now, while the weights shrank to {left:.2g} of their norm: what "
        f"shrinks them takes back what was learned; {sure(False)}.",
        {
            "start": levels.start,
            "plateau": end,
            "left": left,
            "from_step": step,
            "to_step": int(levels.steps[-1]),
            "confidence": confidence(False),
        },
        "Lower the weight decay (or the penalty on the weights in the loss) 10- to 100-fold.",
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
    if weights.silent:
        return SILENT, ALIVE, True
    late = weights.typical_ratio(late=True)
    if late > LARGE:
        return (
            f"a typical step still changes {late:.2g} of the weights",
            "Lower the learning rate about 10-fold; a schedule that decays it may be enough.",
            False,
        )
    if weights.faded < STOPPED:
        return (
            f"all steps of the second half together are {weights.faded:.1g} of those of the first, "
            "as the learning rate has faded away",
            "Let the learning rate decay later: a schedule that counts epochs is stepped at "
            "every batch, or its end was set too early.",
            True,
        )
    if history.at_end:
        return (
            f"the values of {history.at_end} are stuck at an end of its range",
            "Free them first: see what is said of that activation; an output must be able to "
            "reach its targets, and the loss says whether it wants logits.",
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
    inside = _inside(history, levels, kinds)
    if late.min() < 0.9999 * floor or not (near > 0.25 or inside):
        return "", "", False
    return (
        f"no batch comes below {floor:.3g}, the least that cross-entropy over {history.outputs} "
        "probabilities can be, so a softmax seems to stand before a loss that has its own",
        LOGITS,
        named and near > 0.02,
    )


def _inside(history: LossHistory, levels: LossLevels, kinds: frozenset[str]) -> bool:
    """Whether the network has a softmax, and all losses lie where cross-entropy of probabilities
    must: the most that it can be, all of one class and wrong, is 1 above the least.
    """
    if history.outputs < 3 or not {"Softmax", "Softmax2d"} & kinds:
        return False
    floor = float(np.log(np.e + history.outputs - 1) - 1)
    return bool((levels.values > 0.9999 * floor).all() and (levels.values < floor + 1).all())
