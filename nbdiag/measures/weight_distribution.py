"""Do the weights move as they should? The rules on the norms and steps of each layer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.findings import Finding, by_severity
from nbdiag.measures.recording import OK
from nbdiag.measures.robust import finite_median
from nbdiag.measures.weight_history import (
    FIRST_STEPS,
    MIN_SAMPLES,
    MIN_SPARSE,
    MIN_STEPS,
    OVERWRITTEN,
    THROWN,
    UPROOTED,
    WeightHistory,
)
from nbdiag.measures.weight_parameters import forgotten, without_gradient
from nbdiag.measures.wording import confidence, fold, layers_in_words, sure

STILL = 1e-3
"""Weights whose steps add up to less than a thousandth of their norm: had all of them pointed the
same way, each layer's output would have changed by a thousandth."""
STILL_A_STEP = 1e-5
"""And a step takes less than this share, so that it would take 100,000 to replace them."""
MOVES = 1e-2
EXPLODED = 10.0
SWELLS = 15.0
"""Most layers together, and still growing, while a loss that has no floor falls on."""
EXPLODED_AT_REST = 1000.0
THROWN_ONE = 10.0
"""At this multiple of the norm all but a hundredth of its square is the work of the first steps."""
COLLAPSED = 0.1
"""A tenth of the norm left in a layer passes a tenth of the signal; two of them a hundredth."""
SIGNAL_LOST = 0.01
CHANCE = 0.9
"""Share of the cost of guessing, as of `loss.flat`."""


def judge(
    history: WeightHistory, kinds: frozenset[str] = frozenset(), *, hurt: bool = False
) -> list[Finding]:
    """What is wrong with the weights, most severe first; empty when nothing is.

    Only trained matrices and kernels are judged, each against its own norm: biases and
    normalisations are small and move by their own size, and embeddings row by row.

    - ``weight.not_updating``: over 60 steps and more, all steps together are below a thousandth of
      the norm, although gradients arrive: in all layers, or in some while others move; or no step
      changes a matrix at all, while the biases or other parameters move.
    - ``weight.update_too_large``: half of all steps change a layer by a tenth of its norm and
      more, the recent ones by no less than half of that, in most layers, or in some while the
      loss does not fall; or the first steps threw the weights away, and the loss suffers.
    - ``weight.exploding``: the norm has grown tenfold and still grows faster than steadily, or
      thousandfold. A layer that began near zero is compared with the usual one.
    - ``weight.collapsing``: less than a tenth of the norm is left, in most layers, or in some while
      the loss has not halved.

    Parameters
    ----------
    kinds : class names of all modules of the model, so that the remedy fits it.
    hurt : whether the loss is known to suffer from steps that are far too large: that it fell
        meanwhile is no excuse then.
    """
    if len(history.steps) < 3 or not len(history.matrices):
        return []
    rules: tuple[Callable[[WeightHistory, frozenset[str]], Finding | None], ...] = (
        _exploding,
        _collapsing,
        _not_updating,
    )
    found = [rule(history, kinds) for rule in rules] + [_too_large(history, hurt)]
    return by_severity(finding for finding in found if finding is not None)


def _names(history: WeightHistory, hit: NDArray[np.intp]) -> str:
    return layers_in_words([history.layers[i].name for i in hit])


def _whose(history: WeightHistory, hit: NDArray[np.intp]) -> str:
    """The subject: all layers together when most of them are hit, else the first of them."""
    if len(hit) > 1 and len(hit) >= len(history.matrices):
        return "all layers"
    return history.layers[hit[0]].name


# Growing and shrinking ----------------------------------------------------------------------------


def _exploding(history: WeightHistory, kinds: frozenset[str]) -> Finding | None:
    growth = history.growth[:, history.matrices]
    finite = np.isfinite(growth)
    # The last sample in which all weights still were numbers.
    stop = int(np.argmin(finite.all(axis=1))) if not finite.all() else len(growth)
    overflowed = stop < len(growth) and not finite[-1].all()
    if stop < 2:
        return None
    last = growth[stop - 1]
    quarter = np.searchsorted(history.steps[:stop], 0.75 * history.steps[stop - 1])
    before = growth[min(int(quarter), stop - 2)]
    if (history.few or stop < MIN_SPARSE) and not overflowed:
        return None
    # Norms that grow by steps of one direction grow in proportion to the time, 4/3 in the last
    # quarter; random steps, as those before a normalisation, slower. Faster feeds on itself.
    fast = (last > EXPLODED) & (last > 4 / 3 * before)
    no_end = not history.harmless or (history.loss is not None and history.loss.bottomless)
    slow = (last > EXPLODED) & (last > 1.1 * before) & no_end
    swells = (last > SWELLS) & (last > 1.2 * before)
    below = history.loss is not None and history.loss.end < 0 and history.loss.still_falling()
    swells &= below and swells.mean() > 0.5
    hit = np.flatnonzero(fast | slow | swells | (last > EXPLODED_AT_REST))
    if not len(hit):
        return None
    layers = history.matrices[hit]
    worst = int(layers[np.argmax(last[hit])])
    factor = float(last[hit].max())
    from_step = int(history.steps[np.argmax((growth[:stop][:, hit] > 2).any(axis=1))])
    to_step = int(history.steps[stop - 1])
    end = ", then it overflowed" if overflowed else ""
    ratio = float(finite_median(history.ratios[:stop, worst]))
    early = history.uprooted > UPROOTED
    certain = factor > 10 * EXPLODED or len(hit) > len(history.matrices) / 2
    remedy = (
        "Lower the learning rate about 10-fold: the first steps already threw the weights away."
        if early
        else "Check the sign and the size of the weight decay, and that nothing but the optimizer "
        "writes to the weights; then lower the learning rate."
    )
    return Finding(
        "weight.exploding",
        "critical" if certain else "warning",
        _whose(history, layers),
        f"The weights of {_names(history, layers)} have grown up to {fold(factor)} by step "
        f"{to_step}{end}; {sure(certain)}.",
        {
            "growth": factor,
            "layer": history.layers[worst].name,
            "layers": len(hit),
            "of": len(history.matrices),
            "update_ratio": ratio,
            "from_step": from_step,
            "to_step": to_step,
            "confidence": confidence(certain),
        },
        remedy,
    )


def _collapsing(history: WeightHistory, kinds: frozenset[str]) -> Finding | None:
    if history.few:
        return None
    # The last fifth of the samples, five at most, so that a single one does not count.
    first, last = history.norms[0], history.norms[-min(5, max(2, len(history.steps) // 5)) :]
    with np.errstate(all="ignore"):
        left = (np.median(last, axis=0) / np.where(first > 0, first, np.nan))[history.matrices]
    if history.kept is not None:
        left = np.fmin(left, history.kept[history.matrices])
    small = np.flatnonzero(left < COLLAPSED)
    loss = history.loss
    known = loss is not None and len(loss) >= 20
    if known and not any("Norm" in kind for kind in kinds) and _knows_nothing(history):
        # Layer by layer what is left is multiplied, where no normalisation makes up for it.
        through = np.cumprod(np.fmin(left, 1.0))[-1]
        halved = np.flatnonzero(left < 0.5)
        if through < SIGNAL_LOST and len(halved) > len(left) / 2:
            small = halved
    if not len(small):
        return None
    # In one layer of many it may be what the training wants: a branch that is not needed.
    most = len(small) > len(history.matrices) / 2
    lost = loss is not None and known and loss.fall < 0.5
    if not (most or lost):
        return None
    layers = history.matrices[small]
    worst = int(layers[np.argmin(left[small])])
    share = float(left[small].min())
    fallen = (history.norms[:, layers] < 0.5 * first[layers]).any(axis=1)
    from_step, to_step = int(history.steps[np.argmax(fallen)]), int(history.steps[-1])
    rate = float(np.log(1 / max(share, 1e-30))) / max(1, to_step)
    certain = most and share < 0.5 * COLLAPSED
    return Finding(
        "weight.collapsing",
        "critical" if most else "warning",
        _whose(history, layers),
        f"The weights of {_names(history, layers)} shrink away: {share:.2g} of the norm of "
        f"{history.layers[worst].name} is left at step {to_step}, about {rate:.1%} less a step; "
        f"{sure(certain)}.",
        {
            "left": share,
            "layer": history.layers[worst].name,
            "layers": len(small),
            "of": len(history.matrices),
            "rate": rate,
            "from_step": from_step,
            "to_step": to_step,
            "confidence": confidence(certain),
        },
        "Lower the weight decay (or the penalty on the weights in the loss) 10- to 100-fold: it "
        "takes more from the weights than the gradients put back.",
    )


def _knows_nothing(history: WeightHistory) -> bool:
    """Whether the loss is where it began, or where guessing among the classes is: a penalty that
    shrinks with the weights takes the loss down, and nothing was learned.
    """
    loss = history.loss
    if loss is None:
        return False
    guessing = history.outputs >= 2 and loss.end > CHANCE * np.log(history.outputs)
    return bool(loss.fall < 0.1 or guessing)


# Steps too small and too large --------------------------------------------------------------------


def _not_updating(history: WeightHistory, kinds: frozenset[str]) -> Finding | None:
    steps = history.trained
    if history.few or steps < MIN_STEPS or history.warming:
        return None
    layers = history.matrices
    if history.tables and not (history.paths[layers] == 0).all():
        return None
    flows = (history.status[:, layers] == OK) & (history.gradients[:, layers] > 0)
    known = np.isfinite(history.ratios[:, layers])
    with np.errstate(all="ignore"):
        share = history.gradients[:, layers] / history.norms[:, layers]
        moved = np.abs(history.norms[-1, layers] / history.norms[0, layers] - 1)
    relative = finite_median(np.where(flows, share, np.nan))
    judged = (flows & known).mean(axis=0) >= 0.5
    # Where samples have become rare, the steps since count as much as those before.
    path = history.paths[layers] * steps / history.gaps.sum()
    # Steps that something undoes lead nowhere.
    path = np.where(history.put_back[layers], 0.0, path)
    # Weights that something else than the optimizer writes do move: a teacher that is averaged.
    still = judged & (path < STILL) & (path / steps < STILL_A_STEP) & ~(moved > STILL)
    if not still.any():
        return _single(history)
    moving = path > MOVES
    everything = bool(still.sum() == judged.sum() == len(layers)) or not moving.any()
    if not everything:
        # Little gradient, little movement: another illness, with another name.
        least = 1e-2 * float(finite_median(relative[moving]))
        still &= (relative > least) | history.put_back[layers]
        if not still.any():
            return _single(history)
    elif history.harmless:
        return None
    hit = layers[still]
    largest = float(path[still].max())
    typical = float(finite_median(history.ratios[:, hit].ravel()))
    exact = largest == 0.0
    undone = bool(history.put_back[hit].all())
    if everything:
        what = (
            f"None of the {len(hit)} layers moves"
            if len(hit) > 1
            else f"{_names(history, hit)} does not move"
        )
        factor = f"{1e-3 / typical:.0g}" if typical > 0 else "1000"
        remedy = (
            "Check that the optimizer holds the parameters of this model, that the learning rate "
            "is not 0, and that the steps are not rounded away in half precision."
            if exact
            else f"Raise the learning rate, up to {factor}-fold, until a step changes about 0.001 "
            "of the weights; look for a loss that is divided twice."
        )
    else:
        verb = "do" if len(hit) > 1 else "does"
        what = f"{_names(history, hit)} {verb} not move while {int(moving.sum())} other layers do"
        remedy = (
            "Give their parameters to the optimizer, with a learning rate above 0; or set "
            "requires_grad to False if they are meant to stay as they are."
        )
    much = f"a step changes {typical:.1g} of the norm, all {steps} together at most {largest:.1g}"
    much = "no step changed anything" if exact else much
    if undone:
        much = f"each step changes {typical:.1g} of the norm, and something puts them back"
        remedy = (
            "Look for what writes to these weights after optimizer.step(): a state dict that is "
            "loaded again, a callback that restores the best weights, a copy of an average."
        )
    message = f"{what}, although gradients arrive: {much}; {sure(True)}."
    return Finding(
        "weight.not_updating",
        "critical" if everything else "warning",
        _whose(history, hit) if everything else history.layers[hit[0]].name,
        message,
        {
            "update_ratio": typical,
            "path": largest,
            "put_back": undone,
            "layers": len(hit),
            "of": len(layers),
            "from_step": int(history.steps[0]),
            "to_step": int(history.steps[-1]),
            "confidence": "high",
        },
        remedy,
    )


def _single(history: WeightHistory) -> Finding | None:
    first, last = int(history.steps[0]), int(history.steps[-1])
    if history.unmoved:
        return forgotten(history.unmoved, first, last, history.trained)
    if history.masked:
        return without_gradient(history.masked, first, last, history.trained)
    return None


def _too_large(history: WeightHistory, hurt: bool) -> Finding | None:
    # Many trainings begin with large steps; the first of Adam are of full size.
    if history.few or history.trained < MIN_STEPS or (history.harmless and not hurt):
        return None
    ratios = history.shares[:, history.matrices]
    known = np.isfinite(ratios)
    enough = known.sum(axis=0) >= min(MIN_SAMPLES, len(history.steps))
    if not enough.any():
        return None
    typical, recent = finite_median(ratios), finite_median(ratios[history.late])
    always = enough & (_half_of_steps(history, ratios > OVERWRITTEN, known))
    hit = np.flatnonzero(always & (recent > OVERWRITTEN / 2))
    # One layer of several lives with large steps where the others do not: a head behind sigmoids.
    lost = history.loss is not None and history.loss.fall < 0.2
    # And all that a linear model is lives so, too, while its loss falls and does not suffer.
    if not (lost or hurt) and (len(hit) <= enough.sum() / 2 or not len(history.hidden)):
        hit = hit[:0]
    if not len(hit):
        return _thrown(history, UPROOTED if hurt else THROWN)
    layers = history.matrices[hit]
    worst = int(layers[np.argmax(typical[hit])])
    ratio = float(typical[hit].max())
    certain = ratio > 3 * OVERWRITTEN or len(hit) > len(history.matrices) / 2
    over = (ratios[:, hit] > OVERWRITTEN).any(axis=1)
    factor = 10 ** int(np.clip(np.ceil(np.log10(ratio / 1e-2)), 1, 4))
    return Finding(
        "weight.update_too_large",
        "critical" if ratio > 3 * OVERWRITTEN else "warning",
        _whose(history, layers),
        f"A typical step changes {_names(history, layers)} by up to {ratio:.2g} of the norm of the "
        f"weights, so that they are overwritten again and again; {sure(certain)}.",
        {
            "update_ratio": ratio,
            "layer": history.layers[worst].name,
            "layers": len(hit),
            "of": len(history.matrices),
            "from_step": int(history.steps[np.argmax(over)]),
            "to_step": int(history.steps[-1]),
            "confidence": confidence(certain),
        },
        f"Lower the learning rate about {factor}-fold: a step should change about 0.001 of the "
        "weights, and 0.01 at most.",
    )


def _half_of_steps(
    history: WeightHistory, mask: NDArray[np.bool_], known: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(M,) whether `mask` (T, M) holds for half of the steps that the samples stand for."""
    gaps = history.gaps[:, None]
    return np.asarray((mask * gaps).sum(axis=0) > 0.5 * (known * gaps).sum(axis=0), np.bool_)


def _thrown(history: WeightHistory, least: float) -> Finding | None:
    """The first steps replaced the weights by ones so large that later steps look small."""
    if history.loss is None or len(history.loss) < MIN_SAMPLES:
        return None
    if history.uprooted > least:
        factor, layers, whose = history.uprooted, history.matrices, "the typical layer"
    else:
        # In one layer of several: where next to nothing is left of what it was.
        hit = np.flatnonzero(history.sprung > THROWN_ONE)
        if not len(hit):
            return None
        layers = history.hidden[hit]
        factor, whose = float(history.sprung[hit].max()), _names(history, layers)
    certain = factor > 2 * THROWN
    stop = min(FIRST_STEPS, int(history.steps[-1]))
    return Finding(
        "weight.update_too_large",
        "warning",
        _whose(history, layers),
        f"Within the first {stop} steps {whose} grew {fold(factor)}: the steps "
        f"replaced the weights instead of improving them; {sure(certain)}.",
        {
            "growth": factor,
            "layers": len(layers),
            "of": len(history.matrices),
            "from_step": int(history.steps[0]),
            "to_step": stop,
            "confidence": confidence(certain),
        },
        "Lower the learning rate 10- to 100-fold and warm it up.",
    )
