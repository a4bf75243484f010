"""What one sampled step measured, part of it perhaps still on a device."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbdiag.measures.recording import (
    INFINITE,
    NAN,
    NO_GRADIENT,
    OK,
    STATISTICS,
    Codes,
    Floats,
    Op,
)
from nbdiag.probes.transfer import Transfer

Use = Callable[[NDArray[Any]], None]
_FLOAT32_MAX = float(np.finfo(np.float32).max)


@lru_cache(8)
def _blank(width: int) -> tuple[Floats, Codes]:
    """What is to be copied: a fifth of the price of filling."""
    stats = np.full((len(STATISTICS), width), np.nan, np.float32)
    return stats, np.full(width, NO_GRADIENT, np.uint8)


class Sample:
    """The numbers of one optimizer step over P parameters.

    Arrays whose name ends in `_part` may be of a part of a large tensor; `row` scales them up.
    """

    def __init__(self, step: int, width: int) -> None:
        self.step = step
        self.width = width
        stats, status = _blank(width)
        self.stats: Floats = stats.copy()
        """The row to be: its lines are `STATISTICS`."""
        self.grad_norm, self.raw_norm, self.weight_norm, *rest = self.stats
        self.update_part, self.zeros, self.nonfinite = rest
        self.raw_part: dict[int, float] = {}
        """Norm when backward ended: before clipping, and before AMP unscaled it."""
        self.used_part: dict[int, float] = {}
        """Norm of the same entries at the step, where they had changed since then."""
        self.raw_scale = 1.0
        self.changed: list[int] = []
        """Parameters whose gradient was changed between backward and the step."""
        self.raw_seen: list[int] = []
        """Parameters whose gradient was there when backward ended."""
        self.partial: set[int] = set()
        """The `raw_part` and `used_part` are those of some entries only."""
        self.enlarge: dict[int, float] = {}
        """Root of entries over entries read, for `update_part`, where it is not 1."""
        self.status: Codes = status.copy()
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
        seen = self.raw_seen
        if len(seen) == self.width:
            self.raw_norm[:] = self.grad_norm
        else:
            self.raw_norm[seen] = self.grad_norm[seen]
        if not self.changed and not self.enlarge:
            return {"step": self.step, "status": self.status, "stats": self.stats}
        with np.errstate(all="ignore"):
            for index in self.changed:
                raw = self.raw_part.get(index, np.nan) / self.raw_scale
                if index in self.partial:
                    # Clipping by norm scales all entries alike: a part of them tells the whole.
                    used = np.float64(self.used_part.get(index, np.nan))
                    raw = raw / used * self.grad_norm[index]
                self.raw_norm[index] = _fit(float(raw))
            for index, factor in self.enlarge.items():
                self.update_part[index] *= factor
        return {"step": self.step, "status": self.status, "stats": self.stats}

    def set_gradient(self, index: int, norm: float) -> None:
        """Norm of the gradient of one parameter, and the status that it implies."""
        self.grad_norm[index] = _fit(norm)
        if math.isfinite(norm):
            self.status[index] = OK
        else:
            self.status[index] = INFINITE if norm == math.inf else NAN

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


class Sent:
    """Samples whose numbers are on their way."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = samples
        self._uses = [use for sample in samples for _, use in sample.waiting]
        self._transfer = Transfer([values for sample in samples for values, _ in sample.waiting])
        for sample in samples:
            sample.waiting = []

    def ready(self) -> bool:
        """Whether `arrive` would not wait."""
        return self._transfer.ready()

    def arrive(self) -> None:
        """Put the numbers into the samples."""
        for use, numbers in zip(self._uses, self._transfer.arrays(), strict=True):
            use(numbers)


def settle(samples: Sequence[Sample]) -> None:
    """Fetch what is still on a device, and wait for it."""
    Sent(samples).arrive()


def _fit(value: float) -> float:
    """One number, as `to_float32` has it."""
    return min(value, _FLOAT32_MAX) if math.isfinite(value) else value


def to_float32(values: NDArray[Any]) -> Floats:
    """As float32; a finite number beyond its range becomes the largest finite one."""
    if values.dtype == np.float32:
        return values
    finite = np.isfinite(values)
    largest = np.clip(values, -_FLOAT32_MAX, _FLOAT32_MAX)
    return np.where(finite, largest, values).astype(np.float32)


def _numpy(values: Tensor) -> NDArray[Any]:
    return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
