"""Hearing every optimizer step of a model, with or without the optimizer at hand."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

OnStep = Callable[[Optimizer], None]


class Steps:
    """Calls `on_step(optimizer)` before each step of an optimizer that may train `references`.

    A step pre hook runs after unscaling and clipping and before the weights move, once for each
    step however many backward passes were accumulated.

    Parameters
    ----------
    optimizers : the ones to listen to; none given means every optimizer of this process.

    Raises
    ------
    ValueError : for an optimizer that holds none of the parameters.
    """

    def __init__(
        self,
        references: Sequence[weakref.ref[nn.Parameter]],
        optimizers: Sequence[Optimizer],
        on_step: OnStep,
    ) -> None:
        self.set_references(references)
        self._on_step = on_step
        self._stopped = False
        self._handles: list[Any] = []
        for optimizer in optimizers:
            if not self.owned(optimizer):
                raise ValueError(
                    f"this {type(optimizer).__name__} holds none of the model's parameters; "
                    "was it made for another model, or before this one was rebuilt?"
                )
        # Weak: a run that is kept does not keep the optimizer's state alive.
        self._optimizers = [weakref.ref(optimizer) for optimizer in optimizers]

    def set_references(self, references: Sequence[weakref.ref[nn.Parameter]]) -> None:
        """Which parameters count."""
        self._references = references
        self._index = {id(reference()): i for i, reference in enumerate(references)}
        self._owned: weakref.WeakKeyDictionary[Optimizer, tuple[int, list[int]]] = (
            weakref.WeakKeyDictionary()
        )

    def listen(self) -> None:
        """Attach the hooks."""
        for reference in self._optimizers:
            optimizer = reference()
            if optimizer is not None:
                self._handles.append(_hook(optimizer, self))
        if not self._optimizers:
            _everywhere.add(self)

    def heard(self, optimizer: Optimizer) -> None:
        """An optimizer steps: one of those given, or any of this process."""
        if not self._stopped:
            self._on_step(optimizer)

    def owned(self, optimizer: Optimizer) -> list[int]:
        """Indices of the parameters that `optimizer` updates; empty when it has none of them."""
        size = sum(len(group["params"]) for group in optimizer.param_groups)
        known = self._owned.get(optimizer)
        if known is None or known[0] != size:  # add_param_group() may come at any time
            params = (p for group in optimizer.param_groups for p in group["params"])
            known = (size, sorted(i for p in params if (i := self._find(p)) is not None))
            self._owned[optimizer] = known
        return known[1]

    def _find(self, parameter: Any) -> int | None:
        index = self._index.get(id(parameter))
        # An id may have been given to another object since.
        return index if index is not None and self._references[index]() is parameter else None

    def known(self) -> list[Optimizer]:
        """Optimizers heard so far that hold at least one of the parameters."""
        return [optimizer for optimizer, (_, owned) in self._owned.items() if owned]

    def mute(self) -> None:
        """Hear nothing more. The hooks stay until `remove`."""
        self._stopped = True

    def remove(self) -> None:
        """Take the hooks away. Not from within a hook: torch walks through them at that time."""
        self._stopped = True
        while self._handles:
            self._handles.pop().remove()
        _everywhere.discard(self)


def _hook(optimizer: Optimizer, steps: Steps) -> Any:
    def before_step(stepping: Optimizer, _args: Any, _kwargs: Any) -> None:
        steps.heard(stepping)

    return optimizer.register_step_pre_hook(before_step)


class _Everywhere:
    """One global hook for all who listen, there only while somebody does."""

    def __init__(self) -> None:
        self._members: tuple[Steps, ...] = ()
        self._lock = threading.RLock()
        self._handle: Any = None

    def add(self, steps: Steps) -> None:
        with self._lock:
            self._members = (*self._members, steps)
            if self._handle is None:
                self._handle = register_optimizer_step_pre_hook(self._before_step)

    def discard(self, steps: Steps) -> None:
        with self._lock:
            self._members = tuple(member for member in self._members if member is not steps)
            if not self._members and self._handle is not None:
                self._handle.remove()
                self._handle = None

    def _before_step(self, optimizer: Optimizer, _args: Any, _kwargs: Any) -> None:
        for member in self._members:
            member.heard(optimizer)


_everywhere = _Everywhere()
