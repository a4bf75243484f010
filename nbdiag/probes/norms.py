"""Norms of all gradients and weights at once, without waiting for the device."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nbdiag.measures.recording import FROZEN, INFINITE, NAN, NO_GRADIENT, OK, Codes, Floats

_HALF = (torch.float16, torch.bfloat16)
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_Key = tuple[torch.device, torch.dtype]


@dataclass
class Sample:
    """Norms of one optimizer step over P parameters, part of them perhaps still on a device."""

    step: int
    width: int
    grad_norm: Floats = field(init=False)
    weight_norm: Floats = field(init=False)
    status: Codes = field(init=False)
    skipped: bool = False
    """The optimizer saw an overflow of the scaled gradients and left the weights alone."""
    parts: list[Part] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.grad_norm = np.full(self.width, np.nan, np.float32)
        self.weight_norm = np.full(self.width, np.nan, np.float32)
        self.status = np.full(self.width, NO_GRADIENT, np.uint8)


@dataclass
class Part:
    """What of a sample lives on one device in one type."""

    grads: list[int] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    grad_tensors: list[Tensor] = field(default_factory=list)
    weight_tensors: list[Tensor] = field(default_factory=list)
    values: Tensor | None = None
    """Norms of `grads`, norms of `weights`, then the overflow flag if there is one."""

    def measure(self, dtype: torch.dtype, optimizer: Any) -> None:
        tensors = self.grad_tensors + self.weight_tensors
        # A sum of squares in half precision overflows at 256 and stops growing at 2048 entries.
        wide = {"dtype": torch.float32} if dtype in _HALF else {}
        values = torch.stack(torch._foreach_norm(tensors, 2, **wide))
        # A fused optimizer unscales inside step(): what lies in .grad is still scaled.
        scale = getattr(optimizer, "grad_scale", None)
        if scale is not None:
            values[: len(self.grads)] /= scale.to(values)
        overflow = getattr(optimizer, "found_inf", None)
        if overflow is not None:
            values = torch.cat([values, overflow.detach().to(values).reshape(1)])
        self.values = values

    def release(self) -> None:
        """Let go of the gradients: the training may want their memory back."""
        self.grad_tensors, self.weight_tensors = [], []


class NormReader:
    """Reads the norms of the parameters that `references` name.

    `defer`: the kinds of device whose values are left there until `settle`.
    """

    def __init__(
        self, references: Sequence[weakref.ref[nn.Parameter]], *, defer: bool | None = None
    ) -> None:
        self.references = references
        self._defer = defer

    def read(self, sample: Sample, only: Iterable[int] | None, optimizer: Any = None) -> None:
        """Put the norms of the parameters `only` (all of them if None) into `sample`."""
        parts: dict[_Key, Part] = {}
        with torch.no_grad():
            for index in range(len(self.references)) if only is None else only:
                parameter = self.references[index]()
                if parameter is None:
                    continue
                gradient = parameter.grad
                sample.grad_norm[index] = np.nan
                if not parameter.requires_grad:
                    sample.status[index] = FROZEN
                elif gradient is None:
                    sample.status[index] = NO_GRADIENT
                else:
                    if gradient.layout is not torch.strided:
                        # Rows of an uncoalesced gradient repeat; coalesce() makes a copy.
                        gradient = gradient.coalesce().values()
                    key = (gradient.device, gradient.dtype)
                    part = parts.get(key) or parts.setdefault(key, Part())
                    part.grads.append(index)
                    part.grad_tensors.append(gradient)
                key = (parameter.device, parameter.dtype)
                part = parts.get(key) or parts.setdefault(key, Part())
                part.weights.append(index)
                part.weight_tensors.append(parameter)
            for (device, dtype), part in parts.items():
                part.measure(dtype, optimizer)
                later = device.type != "cpu" if self._defer is None else self._defer
                if later:
                    part.release()
                    sample.parts.append(part)
                else:
                    assert part.values is not None
                    _fill(sample, part, part.values.numpy())


def settle(samples: Iterable[Sample]) -> None:
    """Fetch what is still on a device, in one transfer a device and type."""
    waiting: dict[_Key, list[tuple[Sample, Part, Tensor]]] = {}
    for sample in samples:
        for part in sample.parts:
            if part.values is not None:
                key = (part.values.device, part.values.dtype)
                waiting.setdefault(key, []).append((sample, part, part.values))
        sample.parts = []
    for entries in waiting.values():
        fetched = torch.cat([values for _, _, values in entries]).cpu().numpy()
        start = 0
        for sample, part, values in entries:
            stop = start + len(values)
            _fill(sample, part, fetched[start:stop])
            start = stop


def _fill(sample: Sample, part: Part, values: NDArray[Any]) -> None:
    n, m = len(part.grads), len(part.weights)
    if len(values) == n + m and values.dtype == np.float32 and np.isfinite(values).all():
        sample.status[part.grads] = OK
        sample.grad_norm[part.grads] = values[:n]
        sample.weight_norm[part.weights] = values[n:]
        return
    exact = values.astype(np.float64)
    tensors = part.grad_tensors + part.weight_tensors
    if tensors:
        for i in np.flatnonzero(np.isinf(exact[: len(tensors)])):
            # The squares of a finite gradient above 1e19 overflow float32.
            wide = tensors[i].to(torch.float64)
            largest = wide.abs().max()
            if torch.isfinite(largest):
                exact[i] = float(largest) * float((wide / largest).norm())
    norms, weights = exact[:n], exact[n : n + m]
    if len(exact) > n + m:
        sample.skipped |= bool(exact[-1])
    status = np.full(n, OK, np.uint8)
    status[np.isnan(norms)] = NAN
    status[np.isinf(norms)] = INFINITE
    sample.status[part.grads] = status
    sample.grad_norm[part.grads] = _to_float32(norms)
    sample.weight_norm[part.weights] = _to_float32(weights)


def _to_float32(values: NDArray[np.float64]) -> Floats:
    finite = np.isfinite(values)
    return np.where(finite, np.minimum(values, _FLOAT32_MAX), values).astype(np.float32)
