"""Single parameters that never move, in layers of which others do."""

from __future__ import annotations

import numpy as np

from nbdiag.measures.findings import Finding
from nbdiag.measures.recording import OK, Recording
from nbdiag.measures.robust import finite_median
from nbdiag.measures.wording import sure

BULK = 0.1
"""Of the weights of its layer: biases are left out, of which some may stand still by nature."""
LITTLE = 1e-2
"""Of the gradient that others get: less, and it may be too small to change anything."""
MIN_SAMPLES = 5


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


def forgotten(names: tuple[str, ...], first: int, last: int, steps: int) -> Finding:
    """The finding for those names."""
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    verb = "does" if len(names) == 1 else "do"
    return Finding(
        "weight.not_updating",
        "warning",
        names[0],
        f"{shown} {verb} not move while other parameters do, although gradients arrive: none of "
        f"{steps} steps changed anything; {sure(True)}.",
        {
            "update_ratio": 0.0,
            "path": 0.0,
            "parameters": list(names[:20]),
            "count": len(names),
            "from_step": first,
            "to_step": last,
            "confidence": "high",
        },
        "Give them to the optimizer, with a learning rate above 0 and in a precision that does not "
        "round the steps away; or set requires_grad to False if they are meant to stay.",
    )
