"""One look at the output of an activation: its numbers, by unit and over all."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg.blas import sdot
from torch import Tensor, nn

from nbdiag.measures.activation_log import ActivationInfo
from nbdiag.probes.small import SMALL

ENTRIES = 65_536
"""Of a larger output, evenly spaced inputs and positions are read, about so many entries."""
EDGE = 0.01
"""Within this share of its range of an end, a bounded activation counts as saturated."""

_SEVERAL_INPUTS = 4
_ONES = np.ones(SMALL, np.float32)
_HUGE = 1e38
CHANNELS_SECOND = (
    nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.InstanceNorm1d,
    nn.InstanceNorm2d, nn.MaxPool1d, nn.AvgPool1d,
)  # fmt: skip

Ends = tuple[float | None, float | None]


def _of_hardtanh(module: nn.Module) -> tuple[Ends, bool]:
    low, high = float(module.min_val), float(module.max_val)  # type: ignore[arg-type]
    # At a lower end of zero it is off, as a ReLU is; that is no saturation.
    return ((None, high), True) if low == 0 else ((low, high), False)


_FREE: Ends = (None, None)
KINDS: dict[type[nn.Module], Callable[[Any], tuple[Ends, bool]]] = {
    nn.ReLU: lambda _: (_FREE, True),
    nn.ReLU6: lambda _: ((None, 6.0), True),
    nn.Threshold: lambda module: (_FREE, module.value == 0),
    nn.Hardtanh: _of_hardtanh,
    nn.Sigmoid: lambda _: ((0.0, 1.0), False),
    nn.Hardsigmoid: lambda _: ((0.0, 1.0), False),
    nn.Tanh: lambda _: ((-1.0, 1.0), False),
    nn.Softsign: lambda _: ((-1.0, 1.0), False),
} | dict.fromkeys(
    (
        nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish,
        nn.Hardswish, nn.Softplus, nn.GLU, nn.LogSigmoid, nn.Hardshrink, nn.Softshrink,
        nn.Tanhshrink,
    ),
    lambda _: (_FREE, False),
)  # fmt: skip
"""Activation modules -> their ends and whether an exact zero means off."""

FUNCTIONS: dict[str, tuple[Ends, bool]] = {
    "relu": (_FREE, True),
    "sigmoid": ((0.0, 1.0), False),
    "tanh": ((-1.0, 1.0), False),
    "gelu": (_FREE, False),
    "silu": (_FREE, False),
}


def kind_of(module: nn.Module) -> tuple[Ends, bool] | None:
    """Ends of an activation module and whether it rectifies; None for any other module."""
    for kind in type(module).__mro__:
        if kind in KINDS:
            return KINDS[kind](module)
    return None


def unit_dim(output: Tensor, before: nn.Module | None) -> int:
    """Which dimension holds the units or channels; `before` is the module that ran before it.

    (N, C), (N, T, C), and (N, C, ...) after a convolution or in pictures.
    """
    if output.dim() < 2:
        return 0
    if output.dim() >= 4 or isinstance(before, CHANNELS_SECOND):
        return 1
    return output.dim() - 1


def describe(
    name: str, kind: str, output: Tensor, dim: int, ends: Ends, rectifies: bool
) -> ActivationInfo:
    """What is known of an activation once it has been seen."""
    word = "channel" if output.dim() > 2 and dim == 1 else "unit"
    return ActivationInfo(name, kind, output.shape[dim], word, *ends, rectifies)


def thin(output: Tensor, dim: int) -> Tensor:
    """A view with about `ENTRIES` entries: all units, evenly spaced inputs and positions."""
    size = output.numel()
    if size <= ENTRIES or output.dim() < 2:
        return output
    excess = size / ENTRIES
    inputs = max(1, min(int(excess), output.shape[0] // _SEVERAL_INPUTS))
    index = [slice(None, None, inputs)] + [slice(None)] * (output.dim() - 1)
    excess /= inputs
    places = [i for i in range(1, output.dim()) if i != dim]
    if excess > 1 and places:
        stride = int(np.ceil(excess ** (1 / len(places))))
        for i in places:
            index[i] = slice(None, None, min(stride, output.shape[i]))
    return output[tuple(index)]


class Look:
    """The numbers of one look, ready to be recorded.

    `vector` holds them on the device of the output: mean, std, zeros, saturated, then by unit how
    many values were active and, for a bounded activation, how many lay at an end.
    """

    def __init__(self, output: Tensor, dim: int, info: ActivationInfo) -> None:
        part = thin(output.detach(), dim)
        self.inputs = part.shape[0] if part.dim() > 1 else 1
        self.values = part.numel() // max(1, info.units)
        self.info = info
        self.vector: Tensor | None = None
        self.numbers: NDArray[Any] | None = None
        if part.is_cpu and part.dtype in (torch.float32, torch.float64):
            self.numbers = _with_numpy(part.numpy(), dim, info)
        else:
            self.vector = _with_torch(part, dim, info)

    def op(self, step: int, track: int, numbers: NDArray[Any]) -> dict[str, Any]:
        """What `Recording.apply` takes."""
        units = self.info.units
        bounded = len(numbers) > 4 + units
        if numbers.dtype != np.float32:
            numbers = numbers.astype(np.float32)
        return {
            "op": "activation",
            "step": step,
            "track": track,
            "inputs": self.inputs,
            "values": self.values,
            "numbers": numbers[:4],
            "active": numbers[4 : 4 + units],
            "stuck": numbers[4 + units :] if bounded else None,
        }


def _edges(info: ActivationInfo) -> Ends:
    """From where on a value counts as saturated."""
    low, high = info.low, info.high
    width = (high or 0.0) - (low or 0.0)
    return (
        None if low is None else low + EDGE * width,
        None if high is None else high - EDGE * width,
    )


def _with_numpy(x: NDArray[Any], dim: int, info: ActivationInfo) -> NDArray[Any]:
    units, n = info.units, x.size
    bounded = info.low is not None or info.high is not None
    numbers = np.zeros(4 + units * (2 if bounded else 1), np.float32)
    if not n:
        numbers[:4] = np.nan
        return numbers
    one_sided = _one_sided(info)
    alive = x > 0 if one_sided else x != 0
    active = _by_unit(alive, dim)
    numbers[4 : 4 + units] = active
    on = np.count_nonzero(alive if info.rectifies or not one_sided else x)
    numbers[2] = 1 - on / n
    if bounded:
        low, high = _edges(info)
        stuck = np.zeros(x.shape, bool) if low is None else x <= low
        if high is not None:
            stuck |= x >= high
        by_unit = _by_unit(stuck, dim)
        numbers[4 + units :] = by_unit
        numbers[3] = by_unit.sum() / n
    mean, std = _moments(x)
    if math.isfinite(mean):
        numbers[0], numbers[1] = mean, std
    else:
        numbers[:4] = np.nan
    return numbers


def _moments(x: NDArray[Any]) -> tuple[float, float]:
    """Mean and standard deviation (of a sample, n - 1)."""
    n = x.size
    if x.dtype == np.float32 and n <= SMALL:
        flat = x.ravel()
        mean, square = sdot(flat, _ONES[:n]) / n, sdot(flat, flat)
        rest = square - n * mean * mean
        if 0.01 * square < rest < _HUGE:  # else too few digits are left, or it is no number
            return mean, math.sqrt(rest / max(1, n - 1))
    with np.errstate(all="ignore"):
        mean = float(np.add.reduce(x, axis=None)) / n
        centred = (x - x.dtype.type(mean)).ravel()
        square = float(np.dot(centred, centred))
        if square == math.inf and math.isfinite(mean):  # in single precision
            square = float(np.square(centred, dtype=np.float64).sum())
        return mean, math.sqrt(square / max(1, n - 1))


def _by_unit(mask: NDArray[np.bool_], dim: int) -> NDArray[Any]:
    """(U,) how many entries of each unit are set."""
    if mask.ndim == 1:
        return mask
    if dim == mask.ndim - 1 and mask.size <= SMALL:
        # The sum over rows as a product: BLAS takes a third of the time of numpy's sum of a mask.
        rows = mask.reshape(-1, mask.shape[-1]).astype(np.float32)
        return np.dot(_ONES[: len(rows)], rows)
    others = tuple(i for i in range(mask.ndim) if i != dim)
    return np.add.reduce(mask, axis=others, dtype=np.uint32)


def _with_torch(x: Tensor, dim: int, info: ActivationInfo) -> Tensor:
    x = x if x.dtype in (torch.float32, torch.float64) else x.float()
    others = [i for i in range(x.dim()) if i != dim]
    n = max(1, x.numel())
    alive = x > 0 if _one_sided(info) else x != 0
    active = (alive.sum(others) if others else alive).to(x.dtype)
    var, mean = torch.var_mean(x, correction=min(1, n - 1))
    zeros = (x == 0).sum() / n
    parts = [active]
    saturated = torch.zeros((), dtype=x.dtype, device=x.device)
    low, high = _edges(info)
    if low is not None or high is not None:
        stuck = torch.zeros_like(x, dtype=torch.bool) if low is None else x <= low
        if high is not None:
            stuck = stuck | (x >= high)
        parts.append((stuck.sum(others) if others else stuck).to(x.dtype))
        saturated = parts[1].sum() / n
    head = torch.stack([mean, var.sqrt(), zeros.to(x.dtype), saturated])
    head = torch.where(torch.isfinite(mean), head, torch.full_like(head, torch.nan))
    return torch.cat([head, *(part.reshape(-1) for part in parts)])


def _one_sided(info: ActivationInfo) -> bool:
    """Active means above zero; for a function that is bounded on both sides, just not zero."""
    return info.low is None
