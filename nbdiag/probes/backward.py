"""Hearing that a backward pass has ended."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn
from torch.autograd import Variable

_WATCHED = 2


class BackwardEnd:
    """Calls `ended()` after each backward pass that reached the parameters, while armed.

    The gradients of all parameters are complete then, and nobody has clipped them yet.
    """

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._handles: list[Any] = []
        self._queued = False

    def arm(
        self, references: Sequence[weakref.ref[nn.Parameter]], with_gradient: Sequence[int]
    ) -> None:
        """Listen to the parameters that had a gradient lately, or to all if none is known.

        A few of them at both ends of the network are enough: any of them tells of the pass.
        """
        self._queued = False
        if self._handles:
            return
        chosen = list(with_gradient) or list(range(len(references)))
        if with_gradient and len(chosen) > _WATCHED:
            chosen = chosen[: _WATCHED // 2] + chosen[-_WATCHED // 2 :]
        for index in chosen:
            parameter = references[index]()
            if parameter is not None and parameter.requires_grad and parameter.is_leaf:
                self._handles.append(parameter.register_post_accumulate_grad_hook(self._reached))

    def disarm(self) -> None:
        """Listen no more."""
        self._queued = False
        while self._handles:
            self._handles.pop().remove()

    def _reached(self, _parameter: Tensor) -> None:
        if not self._queued:
            self._queued = True
            Variable._execution_engine.queue_callback(self._call)

    def _call(self) -> None:
        self._queued = False
        self._ended()
