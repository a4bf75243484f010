"""What single parameters tell and their layer hides: that they stand still, or shrink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.findings import Finding
from nbdiag.measures.recording import OK, Recording
from nbdiag.measures.robust import finite_median
from nbdiag.measures.wording import sure

BULK = 0.1
"""Of the weights of its layer: biases are left out, of which some may stand still by nature."""
LITTLE = 1e-2
"""Of the gradient that others get: less, and it may be too small to change anything."""
MIN_SAMPLES = 5
_RECURRENT = ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")


def unmoved(recording: Recording) -> tuple[str, ...]:
    """Names of the matrices and kernels that get gradients like others, and of which no step
    changed a single bit, while the optimizer moves others.

    What is meant to stay has requires_grad=False. To be told so, the gradient relative to the
    weights must be like that of those that move, and like that of the rest of its own layer.
    """
    if len(recording) < MIN_SAMPLES:
        return ()
    steps = recording.parameter_stat("update_norm")
    stepped = (steps > 0).any(axis=0)
    if stepped.all() or not stepped.any():
        return ()
    status = recording.parameter_status()
    norms, grads = recording.parameter_stat("weight_norm"), recording.parameter_stat("grad_norm")
    flows = (status == OK) & (grads > 0)
    moves = np.asarray(stepped | (norms != norms[0]).any(axis=0))
    typical = finite_median(np.where(flows, grads, np.nan))
    with np.errstate(all="ignore"):
        relative = typical / np.where(norms[0] > 0, norms[0], np.nan)
    sizes, layers = recording.sizes, recording.layer_of
    totals = np.bincount(layers, sizes)[layers]
    dims = np.array([layer.dims for layer in recording.layers])[layers]
    bulk = (dims >= 2) & (sizes > BULK * totals)
    stands = ~moves & bulk & (flows.mean(axis=0) >= 0.5) & np.isfinite(relative)
    if not stands.any():
        return ()
    least = finite_median(relative[moves & bulk]) if (moves & bulk).any() else 0.0
    stands &= ~(relative <= LITTLE * least)
    for layer in np.unique(layers[stands]):
        own = layers == layer
        stands &= ~own | (typical > LITTLE * np.nanmax(typical[own]))
    return tuple(recording.parameters[i] for i in np.flatnonzero(stands))


def kept(recording: Recording) -> NDArray[np.float64]:
    """(L,) what is left of the norm of the layer's matrices and kernels, without its biases, which
    stay where weights shrink away; NaN where there are none or they began at zero.
    """
    norms = recording.parameter_stat("weight_norm").astype(np.float64)
    layers, count = recording.layer_of, len(recording.layers)
    if not len(norms):
        return np.full(count, np.nan)
    largest = np.zeros(count)
    np.maximum.at(largest, layers, recording.sizes)
    dims = np.array([layer.dims for layer in recording.layers])[layers]
    bulk = (dims >= 2) & (recording.sizes > largest[layers] / 2)
    last = finite_median(norms[-MIN_SAMPLES:])
    before, after = (
        np.bincount(layers, np.where(bulk, n, 0) ** 2, count) for n in (norms[0], last)
    )
    with np.errstate(all="ignore"):
        return np.sqrt(after / np.where(before > 0, before, np.nan))


def masked(recording: Recording) -> tuple[str, ...]:
    """Names of the matrices and kernels of which the gradient was zero in every entry at each
    sample, although signals pass: the bias of the layer got one, or, where it has none, the matrix
    of the layer behind, which takes in what this one gives.

    Weights from step to step of a sequence are left out: in sequences of one they get nothing.
    """
    if len(recording) < MIN_SAMPLES:
        return ()
    status, grads = recording.parameter_status(), recording.parameter_stat("grad_norm")
    zero = ((status == OK) & (grads == 0)).all(axis=0)
    if not zero.any():
        return ()
    flows = ((status == OK) & (grads > 0)).mean(axis=0) >= 0.5
    members = [np.flatnonzero(recording.layer_of == i) for i in range(len(recording.layers))]
    largest = [own[np.argmax(recording.sizes[own])] for own in members]
    found = []
    for i, (layer, own) in enumerate(zip(recording.layers, members, strict=True)):
        if not zero[largest[i]] or layer.dims < 2 or layer.kind in _RECURRENT:
            continue
        if flows[own if len(own) > 1 else largest[i + 1 : i + 2]].any():
            found.append(largest[i])
    return tuple(recording.parameters[i] for i in found)


def forgotten(names: tuple[str, ...], first: int, last: int, steps: int) -> Finding:
    """The finding for what `unmoved` found."""
    verb = "does" if len(names) == 1 else "do"
    return _not_updating(
        names,
        first,
        last,
        f"{verb} not move while other parameters do, although gradients arrive: none of {steps} "
        "steps changed anything",
        "Give them to the optimizer, with a learning rate above 0 and in a precision that does not "
        "round the steps away; or set requires_grad to False if they are meant to stay.",
    )


def without_gradient(names: tuple[str, ...], first: int, last: int, steps: int) -> Finding:
    """The finding for what `masked` found."""
    verb, its = ("is", "its") if len(names) == 1 else ("are", "their")
    return _not_updating(
        names,
        first,
        last,
        f"{verb} not trained: at each of {steps} steps {its} gradient was zero in every entry, "
        "while signals pass",
        "Look for a hook or a mask that multiplies the gradient by zero, and for inputs of the "
        "layer that are zero for every sample.",
    )


def _not_updating(names: tuple[str, ...], first: int, last: int, what: str, remedy: str) -> Finding:
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return Finding(
        "weight.not_updating",
        "warning",
        names[0],
        f"{shown} {what}; {sure(True)}.",
        {
            "update_ratio": 0.0,
            "path": 0.0,
            "parameters": list(names[:20]),
            "count": len(names),
            "from_step": first,
            "to_step": last,
            "confidence": "high",
        },
        remedy,
    )
