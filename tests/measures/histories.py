"""Made-up recordings for the tests of the rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nbdiag.measures.activation_log import ActivationInfo
from nbdiag.measures.recording import LayerInfo, Recording


def recording(
    norms: object,
    *,
    ratios: object = 1e-3,
    gradients: object = 1.0,
    status: int = 0,
    loss: Sequence[float] = (),
    val_loss: Sequence[float] = (),
    outputs: int = 4,
    stride: int = 1,
    kind: str = "Linear",
    dims: int = 2,
) -> Recording:
    """(T, L) norms of L layers of one weight each; the last has a bias of `outputs` entries.

    `ratios` and `gradients` broadcast against `norms`; val_loss is logged evenly along the losses.
    """
    values = np.asarray(norms, np.float32)
    count = values.shape[1]
    layers = [LayerInfo(f"l{i}", kind, (f"l{i}.weight",), 4, dims) for i in range(count)]
    last = LayerInfo(f"l{count - 1}", kind, (f"l{count - 1}.weight", "head.bias"), 4, dims)
    layers[-1] = last
    names = [f"l{i}.weight" for i in range(count)] + ["head.bias"]
    made = Recording(names, layers, [*range(count), count - 1], [4] * count + [outputs])
    updates = np.broadcast_to(np.asarray(ratios, np.float32), values.shape) * values
    grads = np.broadcast_to(np.asarray(gradients, np.float32), values.shape)
    for t, row in enumerate(values):
        zero = np.float32(0)
        made.append(
            1 + t * stride,
            np.append(grads[t], zero),
            np.append(row, zero),
            np.full(count + 1, status, np.uint8),
            update_norm=np.append(updates[t], zero),
        )
    for t, value in enumerate(loss):
        made.scalar_log.put("loss", t + 1, float(value))
    for t, value in enumerate(val_loss):
        made.scalar_log.put("val_loss", (t + 1) * max(1, len(loss) // len(val_loss)), float(value))
    return made


def still(rows: int = 150, layers: int = 3) -> np.ndarray:
    """Norms that stay at 1."""
    return np.ones((rows, layers), np.float32)


def activate(
    made: Recording,
    active: Sequence[float],
    *,
    name: str = "act",
    kind: str = "ReLU",
    looks: int = 50,
    inputs: int = 32,
    stuck: Sequence[float] | None = None,
    std: float = 1.0,
    mean: float = 0.5,
    until: int | None = None,
) -> None:
    """A track whose unit u is active for `active[u]` inputs of each look, until look `until`."""
    ends = {"Tanh": (-1.0, 1.0), "Sigmoid": (0.0, 1.0)}.get(kind, (None, None))
    number = made.activations.open(
        ActivationInfo(name, kind, len(active), "unit", *ends, kind == "ReLU")
    )
    at_end = None if stuck is None else np.asarray(stuck, np.float32) * inputs
    saturated = 0.0 if stuck is None else float(np.mean(stuck))
    for look in range(looks):
        on = until is None or look < until
        fired = np.asarray(active, np.float32) * on
        zeros = 1.0 - float(fired.mean()) / inputs
        made.activations[number].add(
            look + 1, inputs, inputs, (mean, std, zeros, saturated), fired, at_end
        )
