"""Histograms of all weights and gradients of one step."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nbdiag.measures.histograms import BINS, KINDS, histogram
from nbdiag.probes.step_sample import Sample, to_float32

BLOCK, BLOCKS = 1024, 16
"""Of more than 16,384 entries, 16 evenly spaced blocks of 1,024 make the histogram."""


def take_histograms(sample: Sample, references: Sequence[weakref.ref[nn.Parameter]]) -> None:
    """Add the histograms of this step to `sample`; those on a device are made when fetched."""
    for kind in KINDS:
        op = _empty(kind, sample.step, len(references))
        sample.ops.append(op)
        for index, reference in enumerate(references):
            parameter = reference()
            tensor = parameter if kind == "weight" or parameter is None else parameter.grad
            if tensor is None:
                continue
            if tensor.layout is not torch.strided:
                tensor = tensor.coalesce().values()
            part = _part(tensor.detach())
            if part.device.type != "cpu":
                part = part.clone()  # until it is fetched the training goes on
            sample.take(part, _counter(op, index))


def _empty(kind: str, step: int, width: int) -> dict[str, Any]:
    nothing = np.full(width, np.nan, np.float32)
    return {
        "op": "histogram",
        "kind": kind,
        "step": step,
        "low": nothing,
        "high": nothing.copy(),
        "counts": np.zeros((width, BINS), np.float32),
        "nan": np.zeros(width, np.float32),
        "infinite": np.zeros(width, np.float32),
    }


def _counter(op: dict[str, Any], index: int) -> Any:
    def use(values: Any) -> None:
        low, high, counts, nan, infinite = histogram(values)
        op["low"][index], op["high"][index] = to_float32(np.array([low, high]))
        op["counts"][index] = counts
        op["nan"][index], op["infinite"][index] = nan, infinite

    return use


def _part(tensor: Tensor) -> Tensor:
    size = tensor.numel()
    if size <= BLOCK * BLOCKS or not tensor.is_contiguous():
        return tensor
    return tensor.as_strided((BLOCKS, BLOCK), (size // BLOCKS, 1), tensor.storage_offset())
