"""Do all layers learn? What is wrong with the gradient norms of a training."""

from __future__ import annotations

import numpy as np

from nbdiag.measures.findings import Finding, by_severity
from nbdiag.measures.gradient_depth import over_depth
from nbdiag.measures.gradient_growth import over_steps
from nbdiag.measures.gradient_history import GradientHistory
from nbdiag.measures.recording import FROZEN, NAN, NO_GRADIENT

MIN_SAMPLES_NONE = 5


def judge(history: GradientHistory, kinds: frozenset[str] = frozenset()) -> list[Finding]:
    """What is wrong with the gradients, most severe first; empty when nothing is.

    Every rule compares a training with itself, so that neither the scale of the loss nor the units
    of the data matter, and asks for a state that lasts.

    - ``gradient.vanishing``: in plain words, the layers near the input hardly learn. Among layers
      with weight matrices (embeddings aside), the largest gradient-to-weight ratio of the early
      third lies below 1/500 of the median of the late third and the ratio rises with depth, in 80 %
      of the last 200 samples, at least 20, or 8 over 60 steps, and still so at the end. Below 1/100
      where the loss fell by less than a half, and below 1/30 where it has not left its start.
    - ``gradient.exploding``: over depth, the median of the early third lies 100-fold above that of
      the late third, as lastingly; or over steps, the norm over all layers has grown 1000-fold, is
      still rising, and either overflowed, passed 10,000 or took the loss up with it; 100-fold where
      the loss ended above its start; or 1000-fold within a few steps, and it did not come back; or
      a hundred times the weights in one of the first steps, which threw them away and overflowed.
    - ``gradient.nonfinite``: a gradient was NaN or infinite; which step, and which layer first.
    - ``gradient.none``: a trainable parameter got no gradient in 5 samples or more.

    Parameters
    ----------
    kinds : class names of all modules of the model, so that the remedy fits it.
    """
    found = (_nonfinite(history), over_steps(history), over_depth(history, kinds), _none(history))
    return by_severity(finding for finding in found if finding is not None)


# NaN and infinity -----------------------------------------------------------------------------


def _nonfinite(history: GradientHistory) -> Finding | None:
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


def _none(history: GradientHistory) -> Finding | None:
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
