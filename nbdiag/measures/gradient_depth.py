"""Gradients that vanish or explode on their way from the output to the input."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.findings import Finding
from nbdiag.measures.gradient_history import GradientHistory
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.recording import OK
from nbdiag.measures.robust import finite_median, rank_correlation
from nbdiag.measures.wording import sentence

MIN_SAMPLES = 20
MIN_SPARSE, MIN_STEPS = 8, 60
"""Or these, where steps lie between the samples: what lasts for so long lasts."""
MIN_LAYERS = 4
WINDOW = 200
VANISHING = 2e-3
"""Steps of 0.001 of the weights are usual: at 1/500 of that, early layers would take half a million
steps to move by their own size."""
VANISHING_UNLEARNED = 1e-2
"""Where the loss fell by less than a half."""
VANISHING_STUCK = 3e-2
"""Where the loss has not left its start: what the early layers get is not enough, as one sees."""
EXPLODING = 100.0
TREND = 0.6
PERSISTENT = 0.8

_EMBEDDINGS = ("Embedding", "EmbeddingBag")
_SATURATING = ("Sigmoid", "Tanh", "Hardsigmoid", "Hardtanh", "Softsign", "LogSigmoid")


def over_depth(history: GradientHistory, kinds: frozenset[str]) -> Finding | None:
    window = np.s_[-WINDOW:]
    status, relative = history.status[window], history.relative[window].astype(np.float64)
    weighty = np.array([x.dims >= 2 and x.kind not in _EMBEDDINGS for x in history.layers], bool)
    usable = (status == OK) & np.isfinite(relative)
    layers = np.flatnonzero(weighty & (usable.mean(axis=0) >= PERSISTENT if len(status) else False))
    if len(layers) < MIN_LAYERS or len(status) < MIN_SPARSE:
        return None
    if len(status) < MIN_SAMPLES and history.steps[-1] - history.steps[0] < MIN_STEPS:
        return None
    ratio = np.where(usable, relative, np.nan)[:, layers]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # a row of NaN has a NaN median: meant
        early = ratio[:, : max(2, len(layers) // 3)]
        # Three at least, so that a new head with tiny weights is not taken for all late layers.
        late = np.nanmedian(ratio[:, -max(3, len(layers) // 3) :], axis=1)
        last = np.nanmedian(_of_usual_weights(history, layers)[window], axis=1)
        passed = np.nanmax(early, axis=1) / late
        passed_last = np.nanmax(early, axis=1) / last
        swollen = np.nanmedian(early, axis=1) / late
        typical = np.nanmedian(ratio, axis=0)
    trend = rank_correlation(typical)
    # 0 / 0 is NaN and no evidence: a network where nothing arrives has another illness.
    least = _least(history.levels)
    unlearned = least > VANISHING and _lasts(passed_last < VANISHING_UNLEARNED)
    if trend >= TREND and _lasts(passed < least):
        return _vanishing(history, layers, typical, float(np.nanmedian(passed)), least, kinds)
    if trend >= TREND and unlearned:
        share = float(np.nanmedian(passed_last))
        return _vanishing(history, layers, typical, share, VANISHING_UNLEARNED, kinds)
    idle = history.idle[layers[: early.shape[1]]].any()
    grown = not idle and float(finite_median(swollen)) > EXPLODING
    if trend <= -TREND and grown and _lasts(swollen > EXPLODING / 3):
        return _exploding_over_depth(history, layers, typical, float(np.nanmedian(swollen)), kinds)
    return None


def _of_usual_weights(history: GradientHistory, layers: NDArray[np.intp]) -> NDArray[np.float64]:
    """(T, .) gradient over weights of the last third of `layers`, the weights taken for as large as
    those of the other layers are by entry where they are smaller: a new head has tiny ones.
    """
    sizes = np.sqrt([history.layers[i].size for i in layers])
    norms = history.weight_norms[:, layers].astype(np.float64)
    usual = float(np.nanmedian(norms[0] / sizes)) if len(norms) else 0.0
    part = np.s_[:, -max(1, len(layers) // 3) :]
    weights = np.fmax(norms, usual * sizes)[part]
    return history.norms[:, layers][part] / np.where(weights > 0, weights, np.nan)


def _lasts(rows: NDArray[np.bool_]) -> bool:
    """Nearly always so, and so at the end: many trainings begin badly and recover."""
    recent = rows[-max(5, len(rows) // 10) :]
    return bool(rows.mean() >= PERSISTENT and recent.mean() >= PERSISTENT)


def _least(levels: LossLevels | None) -> float:
    """The share of the gradient that early layers need at least, by what the loss shows of it."""
    if levels is None or len(levels) < MIN_SAMPLES:
        return VANISHING
    if levels.stuck_at_start():
        return VANISHING_STUCK
    return VANISHING if levels.fall > 0.5 else VANISHING_UNLEARNED


def _factor_a_layer(typical: NDArray[np.float64]) -> float:
    """By how much the relative gradient grows from a layer to the one before it."""
    positive = typical > 0
    if positive.sum() < 2:
        return 0.0
    slope = np.polyfit(np.flatnonzero(positive), np.log(typical[positive]), 1)[0]
    return float(np.exp(-slope))


def _vanishing(
    history: GradientHistory,
    layers: NDArray[np.intp],
    typical: NDArray[np.float64],
    passed: float,
    least: float,
    kinds: frozenset[str],
) -> Finding:
    # The early third at least, and what else gets as little as the best of it may.
    late = float(np.max(typical[: max(2, len(layers) // 3)])) / passed if passed > 0 else np.inf
    few = typical < least * late
    few[: max(2, len(layers) // 3)] = True
    hit = layers[few]
    first, last = history.layers[hit[0]].name, history.layers[hit[-1]].name
    factor = _factor_a_layer(typical)
    message = (
        f"{len(hit)} of {len(layers)} layers, {first} to {last}, hardly learn: relative to their "
        f"weights, the layers nearest the input get {passed:.1g} of the gradient of those nearest "
        f"the output"
    )
    if factor:
        message += f" (about x{factor:.2g} a layer on the way back)"
    remedies = []
    squashing = [kind for kind in _SATURATING if kind in kinds]
    if squashing:
        remedies.append(f"replace {' and '.join(squashing)} by ReLU or GELU in the hidden layers")
    if not any("Norm" in kind for kind in kinds):
        remedies.append("add normalisation layers")
    remedies.append("add residual connections, or initialise for the activation (Kaiming, Xavier)")
    return Finding(
        "gradient.vanishing",
        "critical",
        first,
        message + ".",
        {"ratio": passed, "factor_a_layer": factor, "layers": len(hit), "of": len(layers)},
        sentence(remedies),
    )


def _exploding_over_depth(
    history: GradientHistory,
    layers: NDArray[np.intp],
    typical: NDArray[np.float64],
    swollen: float,
    kinds: frozenset[str],
) -> Finding:
    first = history.layers[layers[0]].name
    factor = _factor_a_layer(typical)
    remedies = ["initialise with a smaller gain"]
    if not any("Norm" in kind for kind in kinds):
        remedies.append("add normalisation layers")
    remedies.append("add residual connections; clipping alone leaves the imbalance")
    return Finding(
        "gradient.exploding",
        "warning",
        first,
        f"Gradients grow on the way back: relative to their weights, the layers nearest the input "
        f"get {swollen:.1g} times the gradient of those nearest the output "
        f"(about x{factor:.2g} a layer).",
        {"ratio": swollen, "factor_a_layer": factor, "of": len(layers)},
        sentence(remedies),
    )
