"""Small tensors on the CPU, read with numpy: for a few thousand entries its calls cost less."""

from __future__ import annotations

import math
import weakref

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg.blas import sdot, snrm2
from torch import Tensor, nn

from nbdiag.probes.step_sample import Sample

SMALL = 8192
"""Entries up to which a tensor is read so; below what makes BLAS start threads."""
_TINY, _HUGE = 1e-30, 1e38
"""Sums of squares outside lose digits in single precision; what scales as it sums is slower."""

Array = NDArray[np.float32]


def flat_view(tensor: Tensor) -> Array | None:
    """The entries of a small plain tensor, (n,), as a view; None for any other."""
    if (
        not tensor.is_cpu
        or tensor.dtype is not torch.float32
        or tensor.layout is not torch.strided
        or not 0 < tensor.numel() <= SMALL
        or not tensor.is_contiguous()
        or tensor.is_neg()
    ):
        return None
    if tensor.requires_grad:
        tensor = tensor.detach()
    return tensor.numpy().reshape(-1)


def norm_of(flat: Array) -> float:
    """Its Euclidean norm; NaN and infinity as they come."""
    square = sdot(flat, flat)
    return math.sqrt(square) if _TINY < square < _HUGE else snrm2(flat)


class SmallWeights:
    """The weights of some parameters as they are and as they were."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[weakref.ref[nn.Parameter], int, Array, Array]] = {}

    def view(self, index: int, parameter: nn.Parameter) -> tuple[Array, Array] | None:
        """The weights of this parameter now, and room for a copy; None where it is not small.

        The view is kept as long as the parameter keeps its memory.
        """
        held = self._held.get(index)
        if held is not None and held[0]() is parameter and held[1] == parameter.data_ptr():
            return held[2], held[3]
        flat = flat_view(parameter)
        if flat is None:
            self._held.pop(index, None)
            return None
        room = np.empty_like(flat)
        self._held[index] = weakref.ref(parameter), parameter.data_ptr(), flat, room
        return flat, room

    def clear(self) -> None:
        self._held.clear()


def read_gradient(sample: Sample, index: int, gradient: Tensor) -> bool:
    """Norm, zeros and what is not finite of a small gradient into `sample`; False if it is none."""
    flat = flat_view(gradient)
    if flat is None:
        return False
    norm = norm_of(flat)
    sample.zeros[index] = 1 - np.count_nonzero(flat) / flat.size
    bad = 0 if math.isfinite(norm) else flat.size - np.count_nonzero(np.isfinite(flat))
    sample.nonfinite[index] = bad
    sample.set_gradient(index, norm)
    return True
