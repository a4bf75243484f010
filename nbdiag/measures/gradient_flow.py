"""Do all layers learn? Gradient norms by layer over a training, and what is wrong with them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.findings import Finding, by_severity
from nbdiag.measures.recording import (
    FROZEN,
    NAN,
    NO_GRADIENT,
    OK,
    Codes,
    Floats,
    LayerInfo,
    Recording,
)

MIN_SAMPLES_NONE = 5
MIN_SAMPLES_VANISHING = 20
MIN_LAYERS = 4
WINDOW = 200
VANISHING = 2e-3
EXPLODING_DEPTH = 100.0
TREND = 0.6
EXPLODING_STEPS = 1e3
ON_THE_WAY_TO_OVERFLOW = 1e4
PERSISTENT = 0.8

_EMBEDDINGS = ("Embedding", "EmbeddingBag")
_SATURATING = ("Sigmoid", "Tanh", "Hardsigmoid", "Hardtanh", "Softsign", "LogSigmoid")


@dataclass(frozen=True, eq=False)
class GradientHistory:
    """Gradient norms of L layers, in forward order, at T sampled optimizer steps.

    Parameters
    ----------
    layers : (L,)
    steps : (T,) optimizer step numbers.
    norms : (T, L) Euclidean norm of the gradient; NaN where there is none.
    weight_norms : (T, L)
    status : (T, L) 0 ok, 1 no gradient, 2 frozen, 3 NaN, 4 infinite.
    without_gradient : trainable parameters that got no gradient in any of the samples.
    losses : (T,) the loss near each step, NaN where it was not logged.
    """

    layers: tuple[LayerInfo, ...]
    steps: NDArray[np.int64]
    norms: Floats
    weight_norms: Floats
    status: Codes
    without_gradient: tuple[str, ...] = ()
    losses: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @classmethod
    def from_recording(cls, recording: Recording) -> GradientHistory:
        """At most 1,000 rows of it, the first and the last in full."""
        rows = recording.sketch()
        losses = np.full(len(rows.steps), np.nan)
        loss = recording.scalars.get("loss")
        if loss is not None and np.all(np.diff(loss.steps) >= 0):
            # The latest loss known at a step: it may be logged a line after the step.
            at = np.searchsorted(loss.steps, rows.steps, side="right") - 1
            losses[at >= 0] = loss.values[at[at >= 0]]
        return cls(
            recording.layers,
            rows.steps,
            rows.grad_norm,
            rows.weight_norm,
            rows.status,
            recording.without_gradient(),
            losses,
        )

    @property
    def relative(self) -> Floats:
        """(T, L) norm of the gradient over norm of the weights; NaN where the weights are zero."""
        weights = np.where(self.weight_norms > 0, self.weight_norms, np.nan)
        with np.errstate(over="ignore", invalid="ignore"):
            return (self.norms / weights).astype(np.float32)


def judge(history: GradientHistory, kinds: frozenset[str] = frozenset()) -> list[Finding]:
    """What is wrong with the gradients, most severe first; empty when nothing is.

    Every rule compares a training with itself, so that neither the scale of the loss nor the units
    of the data matter, and asks for a state that lasts.

    - ``gradient.vanishing``: in plain words, the layers near the input hardly learn. Among layers
      with weight matrices (embeddings aside), the largest gradient-to-weight ratio of the early
      third lies below 1/500 of the median of the late third and the ratio rises with depth, in 80 %
      of the last 200 samples, at least 20, and still so at the end.
    - ``gradient.exploding``: over depth, the median of the early third lies 100-fold above that of
      the late third, as lastingly; or over steps, the norm over all layers has grown 1000-fold, is
      still rising, and either overflowed, passed 10,000 or took the loss up with it.
    - ``gradient.nonfinite``: a gradient was NaN or infinite; which step, and which layer first.
    - ``gradient.none``: a trainable parameter got no gradient in 5 samples or more.

    Parameters
    ----------
    kinds : class names of all modules of the model, so that the remedy fits it.
    """
    rules: tuple[Callable[[GradientHistory, frozenset[str]], Finding | None], ...] = (
        _nonfinite,
        _exploding_over_steps,
        _depth,
        _none,
    )
    return by_severity(found for rule in rules if (found := rule(history, kinds)) is not None)


# NaN and infinity -----------------------------------------------------------------------------


def _nonfinite(history: GradientHistory, kinds: frozenset[str]) -> Finding | None:
    bad = history.status >= NAN
    rows = np.flatnonzero(bad.any(axis=1))
    if not len(rows):
        return None
    row = int(rows[0])
    layers = np.flatnonzero(bad[row])
    # Gradients flow from the output to the input: the last layer is the first to be hit.
    layer = int(layers[-1])
    word = "NaN" if history.status[row, layer] == NAN else "infinite"
    step = int(history.steps[row])
    trained = int((~np.isin(history.status[row], (NO_GRADIENT, FROZEN))).sum())
    recovered = bool(not bad[rows[-1] + 1 :].any() and rows[-1] + MIN_SAMPLES_NONE < len(bad))
    message = f"The gradient of {history.layers[layer].name} was {word} at step {step}"
    if not np.isfinite(history.weight_norms[row, layer]):
        message += ", as its weights already were"
        remedy = "Look at the step before: an update overflowed. Lower the learning rate."
    elif len(layers) == trained:
        message += f", and so were those of all {trained} layers, so the loss itself was"
        remedy = (
            "Check the batch and the loss for log(0), division by zero, sqrt(0) and overflow; "
            "then lower the learning rate or clip the gradients."
        )
    else:
        message += f", the first on the way back; {len(layers)} of {trained} layers were hit"
        remedy = (
            f"Look at what {history.layers[layer].name} computes "
            "(torch.autograd.set_detect_anomaly(True) names the operation)."
        )
    if recovered:
        message += f"; the gradients are finite again since step {int(history.steps[rows[-1] + 1])}"
    return Finding(
        "gradient.nonfinite",
        "warning" if recovered else "critical",
        history.layers[layer].name,
        message + ".",
        {"step": step, "layers": len(layers), "samples": len(rows), "kind": word},
        remedy,
    )


# No gradient at all -----------------------------------------------------------------------------


def _none(history: GradientHistory, kinds: frozenset[str]) -> Finding | None:
    names, samples = history.without_gradient, len(history.steps)
    if not names or samples < MIN_SAMPLES_NONE:
        return None
    total = sum(len(layer.parameters) for layer in history.layers)
    evidence = {"parameters": list(names[:20]), "count": len(names), "samples": samples}
    if len(names) == total:
        return Finding(
            "gradient.none",
            "critical",
            "all layers",
            f"None of the {total} parameters got a gradient in {samples} samples.",
            evidence,
            "Call backward() on the loss before optimizer.step(), without zero_grad() between "
            "them, and make sure that the loss is not detached from the model.",
        )
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    verb = (
        "requires a gradient but never got one"
        if len(names) == 1
        else ("require gradients but never got any")
    )
    return Finding(
        "gradient.none",
        "warning",
        _common_name(names),
        f"{shown} {verb} in {samples} samples.",
        evidence,
        "Use them in forward(), look for a detach(), .data or no_grad() on the way to the loss, or "
        "set requires_grad to False when they are meant to stay as they are.",
    )


def _common_name(names: tuple[str, ...]) -> str:
    """The deepest module that holds them all, or the first of them."""
    if len(names) == 1:
        return names[0]
    split = [name.split(".")[:-1] for name in names]
    common: list[str] = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return ".".join(common) or names[0]


# Over depth -------------------------------------------------------------------------------------


def _depth(history: GradientHistory, kinds: frozenset[str]) -> Finding | None:
    window = np.s_[-WINDOW:]
    status, relative = history.status[window], history.relative[window].astype(np.float64)
    weighty = np.array([x.dims >= 2 and x.kind not in _EMBEDDINGS for x in history.layers])
    usable = (status == OK) & np.isfinite(relative)
    layers = np.flatnonzero(weighty & (usable.mean(axis=0) >= PERSISTENT if len(status) else False))
    if len(layers) < MIN_LAYERS or len(status) < MIN_SAMPLES_VANISHING:
        return None
    ratio = np.where(usable, relative, np.nan)[:, layers]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # a row of NaN has a NaN median: meant
        early = ratio[:, : max(2, len(layers) // 3)]
        # Three at least, so that a new head with tiny weights is not taken for all late layers.
        late = np.nanmedian(ratio[:, -max(3, len(layers) // 3) :], axis=1)
        passed = np.nanmax(early, axis=1) / late
        swollen = np.nanmedian(early, axis=1) / late
        typical = np.nanmedian(ratio, axis=0)
    trend = _rank_correlation(typical)
    # 0 / 0 is NaN and no evidence: a network where nothing arrives has another illness.
    if trend >= TREND and _lasts(passed < VANISHING):
        return _vanishing(history, layers, typical, float(np.nanmedian(passed)), kinds)
    if trend <= -TREND and _lasts(swollen > EXPLODING_DEPTH):
        return _exploding_over_depth(history, layers, typical, float(np.nanmedian(swollen)), kinds)
    return None


def _lasts(rows: NDArray[np.bool_]) -> bool:
    """Nearly always so, and so at the end: many trainings begin badly and recover."""
    recent = rows[-max(5, len(rows) // 10) :]
    return bool(rows.mean() >= PERSISTENT and recent.mean() >= PERSISTENT)


def _rank_correlation(values: NDArray[np.float64]) -> float:
    """Spearman's correlation of `values` with their position: 1 when they rise all the way."""
    ranks = np.argsort(np.argsort(values))
    return float(np.corrcoef(ranks, np.arange(len(values)))[0, 1])


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
    kinds: frozenset[str],
) -> Finding:
    third = max(3, len(layers) // 3)
    hit = layers[typical < VANISHING * np.median(typical[-third:])]
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
        _sentence(remedies),
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
        _sentence(remedies),
    )


# Over steps -------------------------------------------------------------------------------------


def _exploding_over_steps(history: GradientHistory, kinds: frozenset[str]) -> Finding | None:
    bad = np.flatnonzero((history.status >= NAN).any(axis=1))
    stop = int(bad[0]) if len(bad) else len(history.steps)
    squares = history.norms[:stop].astype(np.float64) ** 2
    total = np.sqrt(np.where(history.status[:stop] == OK, squares, 0.0).sum(axis=1))
    if stop < 8:
        return None
    head, tail = max(3, min(20, stop // 5)), max(3, min(20, stop // 10))
    start, recent = float(np.median(total[:head])), float(np.median(total[-tail:]))
    before = float(np.median(total[-3 * tail : -tail]))
    if not start > 0 or recent < EXPLODING_STEPS * start:
        return None
    rising = recent > 2 * before and recent > float(total[:-tail].max())
    if not rising:
        return None
    losses = history.losses[:stop]
    # Leaving a plateau, gradients grow a thousandfold too, but the loss falls, and they end near 1.
    if len(losses) == stop and np.isfinite(losses[:head]).any() and np.isfinite(losses[-1]):
        if np.nanmedian(losses[-tail:]) < np.nanmedian(losses[:head]):
            return None
    elif recent < ON_THE_WAY_TO_OVERFLOW and not len(bad):
        return None
    step = int(history.steps[stop - 1])
    message = (
        f"The gradient norm over all layers grew {recent / start:.1g}-fold, from {start:.3g} to "
        f"{recent:.3g} at step {step}, "
    )
    message += "and overflowed." if len(bad) else "and is still rising."
    return Finding(
        "gradient.exploding",
        "critical",
        "all layers",
        message,
        {"growth": recent / start, "start": start, "recent": recent, "step": step},
        "Lower the learning rate or warm it up, and clip with torch.nn.utils.clip_grad_norm_; "
        "check that the inputs are normalised.",
    )


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return text[0].upper() + text[1:] + "."
