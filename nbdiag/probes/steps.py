"""Hearing every optimizer step of a model, with or without the optimizer at hand."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from torch import nn
from torch.compiler import disable
from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from nbdiag.measures.sampler import Sampler
from nbdiag.probes.passing_hook import PassingHook
from nbdiag.probes.uncompiled import leave_uncompiled

Before = Callable[[Optimizer, bool], None]
After = Callable[[Optimizer], None]


class Steps:
    """Calls `before(optimizer, closure)` and `after(optimizer)` around each step.

    The first runs after unscaling and clipping and before the weights move, once for each step
    however many backward passes were accumulated; `closure` says that the step has yet to compute
    the gradients itself.

    Parameters
    ----------
    references : the parameters that count.
    optimizers : the ones to listen to; none given means every optimizer of this process.

    Raises
    ------
    ValueError : for an optimizer that holds none of the parameters.
    """

    def __init__(
        self,
        references: Sequence[weakref.ref[nn.Parameter]],
        optimizers: Sequence[Optimizer],
        before: Before,
        after: After,
    ) -> None:
        self.pacer: Sampler | None = None
        """Counts the steps of the only optimizer there is by itself as long as nothing is wanted of
        them; None: each is told."""
        self.idle: Callable[[], bool] = lambda: False
        """Asked after a step: True when there is nothing to do."""
        self._given: list[weakref.ref[Optimizer]] = []
        self.set_references(references)
        self._before, self._after = disable(before), disable(after)
        self._stopped = False
        self._removals: list[Callable[[], None]] = []
        for optimizer in optimizers:
            if not self.owned(optimizer):
                raise ValueError(
                    f"this {type(optimizer).__name__} holds none of the model's parameters; "
                    "was it made for another model, or before this one was rebuilt?"
                )
        # Weak: a run that is kept does not keep the optimizer's state alive.
        self._given = [weakref.ref(optimizer) for optimizer in optimizers]

    def set_references(self, references: Sequence[weakref.ref[nn.Parameter]]) -> None:
        """Which parameters count."""
        self._references = references
        self._index = {id(reference()): i for i, reference in enumerate(references)}
        self._owned: weakref.WeakKeyDictionary[Optimizer, tuple[int, list[int]]] = (
            weakref.WeakKeyDictionary()
        )
        self._recent: tuple[weakref.ref[Optimizer], int, list[int]] | None = None
        self._alone: weakref.ref[Optimizer] | None = None
        for optimizer in self._alive():
            self.owned(optimizer)

    def _alive(self) -> list[Optimizer]:
        return [optimizer for given in self._given if (optimizer := given()) is not None]

    def listen(self) -> None:
        """Attach the hooks."""
        for optimizer in self._alive():
            self._removals += _hooks(optimizer, self)
        if not self._given:
            _everywhere.add(self)

    def before(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """An optimizer begins its step: one of those given, or any of this process."""
        if self._stopped:
            return
        closure = args[1] if len(args) > 1 else kwargs.get("closure")
        self._before(optimizer, closure is not None)

    def after(self, optimizer: Optimizer) -> None:
        """It has ended its step."""
        if not self._stopped and not self.idle():
            self._after(optimizer)

    def mute(self) -> None:
        """Hear nothing more. The hooks stay until `remove`."""
        self._stopped, self.pacer = True, None

    def owned(self, optimizer: Optimizer) -> list[int]:
        """Indices of the parameters that `optimizer` updates; empty when it has none of them."""
        size = 0
        for group in optimizer.param_groups:
            size += len(group["params"])
        recent = self._recent
        if recent is not None and recent[0]() is optimizer and recent[1] == size:
            return recent[2]
        known = self._owned.get(optimizer)
        if known is None or known[0] != size:  # add_param_group() may come at any time
            params = (p for group in optimizer.param_groups for p in group["params"])
            known = (size, sorted(i for p in params if (i := self._find(p)) is not None))
            self._owned[optimizer] = known
            alone = self.known()
            self._alone = weakref.ref(alone[0]) if len(alone) == 1 else None
        self._recent = (weakref.ref(optimizer), *known)
        return known[1]

    def _find(self, parameter: Any) -> int | None:
        index = self._index.get(id(parameter))
        # An id may have been given to another object since.
        return index if index is not None and self._references[index]() is parameter else None

    def known(self) -> list[Optimizer]:
        """Optimizers that were given or heard so far and hold at least one of the parameters."""
        return [optimizer for optimizer, (_, owned) in self._owned.items() if owned]

    @property
    def alone(self) -> Optimizer | None:
        """The only one of `known`, if there is one."""
        return None if self._alone is None else self._alone()

    def is_alone(self, optimizer: Optimizer) -> bool:
        """Whether it is the only one of `known`."""
        return self._alone is not None and self._alone() is optimizer

    def passes_by(self, optimizer: Optimizer) -> bool:
        """Count a step of which nothing is wanted; False for any other, which is to be told."""
        pacer = self.pacer
        if pacer is None or not self.is_alone(optimizer):
            return False
        if pacer.step < pacer.unheard:
            pacer.step += 1
            return True
        return pacer.pass_by(time.perf_counter())

    @property
    def stopped(self) -> bool:
        return self._stopped

    def remove(self) -> None:
        """Take the hooks away. Not from within a hook: torch walks through them at that time."""
        self.mute()
        while self._removals:
            self._removals.pop()()
        _everywhere.discard(self)


def _hooks(optimizer: Optimizer, steps: Steps) -> list[Callable[[], None]]:
    """As `Steps.before` and `after`, and short for the steps that pass by: nearly all.

    Between two kernels of torch the caches are cold, and each call costs several times what it
    does in a loop of its own. The hook after a step is there only where it is needed.
    """

    def before_step(stepping: Optimizer, args: Any, kwargs: Any) -> None:
        pacer = steps.pacer
        if pacer is not None and pacer.step < pacer.unheard:
            pacer.step += 1
            return
        passes = steps.passes_by(stepping)
        wanted = not (passes and pacer is not None and pacer.calm)
        if wanted != behind.up:
            (behind.put_up if wanted else behind.take_down)()
        if not passes:
            steps.before(stepping, args, kwargs)

    def after_step(stepping: Optimizer, _args: Any, _kwargs: Any) -> None:
        pacer = steps.pacer
        if pacer is None or not pacer.calm:
            steps.after(stepping)

    leave_uncompiled(before_step, after_step)
    behind = PassingHook(optimizer.register_step_post_hook, after_step)
    behind.put_up()
    return [
        optimizer.register_step_pre_hook(before_step).remove,
        partial(behind.take_down, for_good=True),
    ]


class _Everywhere:
    """Two global hooks for all who listen, there only while somebody does."""

    def __init__(self) -> None:
        self._members: tuple[Steps, ...] = ()
        self._lock = threading.RLock()
        self._handles: list[Any] = []

    def add(self, steps: Steps) -> None:
        with self._lock:
            self._members = (*self._members, steps)
            if not self._handles:
                self._handles = [
                    register_optimizer_step_pre_hook(self._before),
                    register_optimizer_step_post_hook(self._after),
                ]

    def discard(self, steps: Steps) -> None:
        with self._lock:
            self._members = tuple(member for member in self._members if member is not steps)
            while not self._members and self._handles:
                self._handles.pop().remove()

    def _before(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        for member in self._members:
            if not member.passes_by(optimizer):
                member.before(optimizer, args, kwargs)

    def _after(self, optimizer: Optimizer, _args: Any, _kwargs: Any) -> None:
        for member in self._members:
            member.after(optimizer)


_everywhere = _Everywhere()

leave_uncompiled(
    Steps.before, Steps.after, Steps.is_alone, Steps.passes_by,
    _Everywhere._before, _Everywhere._after,
)  # fmt: skip
