"""Norms of many tensors at once, and the part of a large one that stands for it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

BLOCK, BLOCKS = 1024, 128
LARGE = BLOCK * BLOCKS
"""Of a tensor with more than 131,072 entries, the update, the zeros and what clipping did are read
from 128 evenly spaced blocks of 1,024: a copy of all weights at each step would cost more than the
rest together. The norms themselves are those of all entries."""

_HALF = (torch.float16, torch.bfloat16)

Member = tuple[int, Tensor]


def part_of(tensor: Tensor) -> Tensor:
    """The tensor, or blocks of one that is large; a view in either case."""
    size = tensor.numel()
    if size <= LARGE or not dense(tensor):
        return tensor
    return tensor.as_strided((BLOCKS, BLOCK), (size // BLOCKS, 1), tensor.storage_offset())


def dense(tensor: Tensor) -> bool:
    """Whether its entries lie in one piece of memory, without gaps."""
    if tensor.is_contiguous():
        return True
    return tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)


def norms(tensors: list[Tensor], order: float = 2) -> Tensor:
    """(n,) the norms of n tensors of one device and type; order 0 counts what is not zero."""
    # A sum of squares in half precision overflows at 256 and stops growing at 2048 entries.
    wide = {"dtype": torch.float32} if tensors[0].dtype in _HALF else {}
    return torch.stack(torch._foreach_norm(tensors, order, **wide))


class Group:
    """Gradients and other tensors of one device and type, and whose they are."""

    __slots__ = ("grad_index", "grads", "index", "tensors")

    def __init__(self) -> None:
        self.grad_index: list[int] = []
        self.grads: list[Tensor] = []
        self.index: list[int] = []
        self.tensors: list[Tensor] = []


def grouped(grads: Iterable[Member], others: Iterable[Member] = ()) -> list[Group]:
    """Both, (index, tensor) each, by device and type: a group is measured in one go."""
    groups: dict[tuple[torch.device, torch.dtype], Group] = {}
    for index, tensor in grads:
        key = (tensor.device, tensor.dtype)
        group = groups.get(key) or groups.setdefault(key, Group())
        group.grad_index.append(index)
        group.grads.append(tensor)
    for index, tensor in others:
        key = (tensor.device, tensor.dtype)
        group = groups.get(key) or groups.setdefault(key, Group())
        group.index.append(index)
        group.tensors.append(tensor)
    return list(groups.values())
