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

    The gradients of all parameters are complete then, and nobody has clipped them yet. The hooks
    are those of tensors: what is left of a `register_post_accumulate_grad_hook` that was taken away
    again costs every later pass some microseconds.
    """

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._handles: list[Any] = []
        self._hooked: list[weakref.ref[nn.Parameter]] = []  # that had no hook before
        self._chosen: list[int] = []
        self._pass: int | None = None  # whose end will be told; one that fails has none
        self._reached: tuple[weakref.ref[nn.Parameter], tuple[int, int] | None] | None = None

    @property
    def armed(self) -> bool:
        return bool(self._handles)

    def arm(self, references: Sequence[weakref.ref[nn.Parameter]], chosen: Iterable[int]) -> None:
        """Listen to the parameters `chosen`, any of which tells of the pass."""
        wanted = sorted(chosen)
        if self._handles and wanted == self._chosen:
            return
        self.disarm()
        self._chosen = wanted
        for index in wanted:
            parameter = references[index]()
            if parameter is not None and parameter.requires_grad and parameter.is_leaf:
                if parameter._backward_hooks is None:
                    self._hooked.append(references[index])
                self._handles.append(parameter.register_hook(self._hook(references[index])))

    def expect(self) -> None:
        """The next pass is a new one, also where the last has not ended."""
        self._pass = None

    def disarm(self) -> None:
        """Listen no more."""
        self._pass = self._reached = None
        while self._handles:
            self._handles.pop().remove()
        while self._hooked:
            parameter = self._hooked.pop()()
            if parameter is not None and not parameter._backward_hooks:
                parameter._backward_hooks = None  # or each pass would look for hooks in it

    def _hook(self, reference: weakref.ref[nn.Parameter]) -> Callable[[Tensor], None]:
        def reached(_gradient: Tensor) -> None:
            number = torch._C._current_graph_task_id()
            if number != self._pass:
                self._pass, self._reached = number, (reference, _state(reference))
                Variable._execution_engine.queue_callback(self._call)

        return reached

    def _call(self) -> None:
        reached, self._pass, self._reached = self._reached, None, None
        # Of torch.autograd.grad() the parameters keep nothing: no pass of the training.
        if reached is not None and _state(reached[0]) != reached[1]:
            self._ended()


def _state(reference: weakref.ref[nn.Parameter]) -> tuple[int, int] | None:
    """Changes when a gradient is accumulated."""
    parameter = reference()
    gradient = None if parameter is None else parameter.grad
    return None if gradient is None else (id(gradient), gradient._version)


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
