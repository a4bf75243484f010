"""What one sampled step measured, part of it perhaps still on a device."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbdiag.measures.recording import INFINITE, NAN, NO_GRADIENT, OK, Codes, Floats, Op

Use = Callable[[NDArray[Any]], None]
_FLOAT32_MAX = float(np.finfo(np.float32).max)


class Sample:
    """The numbers of one optimizer step over P parameters.

    Arrays whose name ends in `_part` may be of a part of a large tensor; `row` scales them up.
    """

    def __init__(self, step: int, width: int) -> None:
        self.step = step
        self.width = width
        unknown = np.full((7, width), np.nan, np.float32)
        self.grad_norm, self.weight_norm, self.update_part = unknown[0], unknown[1], unknown[2]
        self.zeros, self.nonfinite = unknown[3], unknown[4]
        self.raw_part: Floats = unknown[5]
        """Norm when backward ended: before clipping, and before AMP unscaled it."""
        self.used_part: Floats = unknown[6]
        """Norm of the same entries at the step, where they had changed since then."""
        self.raw_scale = 1.0
        self.changed: list[int] = []
        """Parameters whose gradient was changed between backward and the step."""
        self.raw_seen = np.zeros(width, bool)
        self.partial = np.zeros(width, bool)
        """The `raw_part` and `used_part` are those of some entries only."""
        self.enlarge = np.ones(width, np.float32)
        """Root of entries over entries read, for `update_part`."""
        self.status: Codes = np.full(width, NO_GRADIENT, np.uint8)
        self.skipped = False
        """The optimizer saw an overflow of the scaled gradients and left the weights alone."""
        self.ops: list[Op] = []
        """More to record with this step: activations, histograms."""
        self.waiting: list[tuple[Tensor, Use]] = []
        self.late = False
        """A closure computes the gradients in the step itself: they are read after it."""
        self.only: list[int] | None = None
        """The parameters that the optimizer at hand answers for; None for all."""
        self.updates_due: list[int] | None = None
        """Parameters whose update is still to be measured; None for all."""
        self.amp: tuple[float, float] | None = None
        """The loss scale, and the factor by which an overflow lowers it."""

    def take(self, values: Tensor, use: Use, *, defer: bool | None = None) -> None:
        """Call `use` with the numbers: now if they are here, else when they are fetched."""
        if values.device.type != "cpu" if defer is None else defer:
            self.waiting.append((values, use))
        else:
            use(_numpy(values.detach()))

    def row(self) -> dict[str, Any]:
        """Arguments of `Run.append`."""
        raw = np.where(self.raw_seen, self.grad_norm, np.float32(np.nan))
        with np.errstate(all="ignore"):
            if self.changed:
                change = self.raw_part[self.changed] / self.raw_scale
                # Clipping by norm scales all entries alike, so a part of them tells the whole.
                whole = change / self.used_part[self.changed] * self.grad_norm[self.changed]
                raw[self.changed] = np.where(self.partial[self.changed], whole, change)
            update = self.update_part * self.enlarge
        return {
            "step": self.step,
            "grad_norm": self.grad_norm,
            "weight_norm": self.weight_norm,
            "status": self.status,
            "grad_norm_raw": to_float32(raw),
            "update_norm": to_float32(update),
            "grad_zeros": self.zeros,
            "grad_nonfinite": self.nonfinite,
        }

    def set_gradients(self, index: list[int], norms: NDArray[Any]) -> None:
        """Norms of the gradients of parameters `index`, and the status that they imply."""
        self.status[index] = OK
        if norms.dtype != np.float32 or not np.isfinite(norms).all():
            status = np.full(len(index), OK, np.uint8)
            status[np.isnan(norms)] = NAN
            status[np.isinf(norms)] = INFINITE
            self.status[index] = status
        self.grad_norm[index] = to_float32(norms)

    def set_weights(self, index: list[int], norms: NDArray[Any]) -> None:
        """Norms of the weights of parameters `index`."""
        self.weight_norm[index] = to_float32(norms)


def settle(samples: Iterable[Sample]) -> None:
    """Fetch what is still on a device, in one transfer a device and type."""
    waiting: dict[tuple[torch.device, torch.dtype], list[tuple[Tensor, Use]]] = {}
    for sample in samples:
        for values, use in sample.waiting:
            waiting.setdefault((values.device, values.dtype), []).append((values.reshape(-1), use))
        sample.waiting = []
    for entries in waiting.values():
        fetched = _numpy(torch.cat([values for values, _ in entries]).cpu())
        start = 0
        for values, use in entries:
            stop = start + len(values)
            use(fetched[start:stop])
            start = stop


def to_float32(values: NDArray[Any]) -> Floats:
    """As float32; a finite number beyond its range becomes the largest finite one."""
    if values.dtype == np.float32:
        return values
    finite = np.isfinite(values)
    largest = np.clip(values, -_FLOAT32_MAX, _FLOAT32_MAX)
    return np.where(finite, largest, values).astype(np.float32)


def _numpy(values: Tensor) -> NDArray[Any]:
    return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
