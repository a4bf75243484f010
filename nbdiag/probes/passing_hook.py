"""A hook that comes and goes, without making torch.compile compile again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def frames_compiled() -> int | None:
    """How many pieces of code torch.compile has compiled in this process; None: it does not say."""
    try:
        from torch._dynamo.utils import counters  # any optimizer has imported it already

        return int(counters["frames"]["total"])
    except (ImportError, AttributeError, LookupError, TypeError):
        return None


class PassingHook:
    """One hook on all modules, or on one optimizer, that is seldom wanted.

    (A hook on each module would be copied with the model and break pickling it.)

    Compiled code holds only for the hooks that were there when it was compiled, each by its
    number. Hence this one keeps its number, and its place among the others, when it comes back; and
    once something was compiled while it was there, it stays where it is until the end: the hook
    itself must look whether it is wanted.

    Parameters
    ----------
    register : torch's own function that adds a hook, such as `register_module_forward_hook`.
    hook : called while `up`, and perhaps otherwise. In a piece of code that is being compiled it
        must return at once.
    """

    def __init__(self, register: Callable[[Any], Any], hook: Callable[..., None]) -> None:
        self._register, self._hook = register, hook
        self._handle: Any = None
        self._compiled: int | None = 0
        self._gone = False
        self.up = False
        """Whether it is wanted."""

    @property
    def compiled(self) -> bool:
        """Whether something was compiled since the hook came for the first time."""
        return frames_compiled() != self._compiled

    def put_up(self) -> None:
        """The hook is called from now on; not where it was taken down for good."""
        if self._gone:  # by another thread, while a step was under way
            return
        self.up = True
        if self._handle is None:
            self._compiled = frames_compiled()
            self._handle = self._register(self._hook)
            return
        hooks = self._handle.hooks_dict_ref()
        if hooks is not None and self._handle.id not in hooks:
            hooks[self._handle.id] = self._hook
            for later in [number for number in hooks if number > self._handle.id]:
                hooks.move_to_end(later)

    def take_down(self, *, for_good: bool = False) -> None:
        """It is not wanted for now, or never again."""
        self.up, self._gone = False, self._gone or for_good
        if self._handle is None:
            return
        if for_good or not self.compiled:
            self._handle.remove()
        if for_good:
            self._handle = None
