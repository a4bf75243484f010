"""Hearing that a backward pass has ended."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Variable


class BackwardEnd:
    """Calls `ended()` after each backward pass that reached the parameters, while armed.

    The gradients of all parameters are complete then, and nobody has clipped them yet.
    """

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._handles: list[Any] = []
        self._chosen: list[int] = []
        self._pass: int | None = None  # whose end will be told; one that fails has none

    @property
    def armed(self) -> bool:
        return bool(self._handles)

    def arm(self, references: Sequence[weakref.ref[nn.Parameter]], chosen: Iterable[int]) -> None:
        """Listen to the parameters `chosen`, any of which tells of the pass."""
        self._pass = None
        wanted = sorted(chosen)
        if self._handles and wanted == self._chosen:
            return
        self.disarm()
        self._chosen = wanted
        for index in wanted:
            parameter = references[index]()
            if parameter is not None and parameter.requires_grad and parameter.is_leaf:
                self._handles.append(parameter.register_post_accumulate_grad_hook(self._reached))

    def disarm(self) -> None:
        """Listen no more."""
        self._pass = None
        while self._handles:
            self._handles.pop().remove()

    def _reached(self, _parameter: Tensor) -> None:
        number = torch._C._current_graph_task_id()
        if number != self._pass:
            self._pass = number
            Variable._execution_engine.queue_callback(self._call)

    def _call(self) -> None:
        self._pass = None
        self._ended()


def ends(lately: Sequence[int], parts: Iterable[Sequence[int]]) -> set[int]:
    """The first and the last parameter of each part that had a gradient `lately`, or of all of it.

    A pass through a part reaches one of them.

    >>> sorted(ends([0, 1, 2, 3], [[0, 1, 2], [3], [4, 5]]))
    [0, 2, 3, 4, 5]
    """
    found: set[int] = set()
    for part in (lately, *parts):
        trained = [index for index in part if index in lately] or part
        found.update(trained[:1], trained[-1:])
    return found
