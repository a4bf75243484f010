"""What the notebook is doing: does a cell run, has one ended; and a turn in the main thread."""

from __future__ import annotations

import logging
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, Protocol

log = logging.getLogger("nbdiag")


class Listener(Protocol):
    """Somebody who wants to hear that a cell has ended."""

    def cell_ended(self) -> None: ...


class Notebook:
    """The notebook that this process is the kernel of, if it is one.

    JupyterLab delivers messages from widgets in a subshell, a thread beside the main one, busy or
    not; so a message says nothing about whether a cell is running.
    """

    def __init__(self) -> None:
        self.running = False
        self._shell: weakref.ref[Any] | None = None
        self._listeners: weakref.WeakSet[Any] = weakref.WeakSet()

    def join(self, listener: Listener) -> None:
        """Have `listener.cell_ended()` called in the main thread after each cell."""
        self._listeners.add(listener)
        shell = _shell()
        if shell is None or (self._shell is not None and self._shell() is shell):
            return
        self._shell = weakref.ref(shell)
        self.running = True  # who joins does so from a cell
        shell.events.register("pre_run_cell", self._begun)
        shell.events.register("post_run_cell", self._ended)

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def in_main_thread(self, action: Callable[[], None]) -> None:
        """Call `action` in the main thread: now, or when it is free, which is between two cells."""
        loop = getattr(getattr(_shell(), "kernel", None), "io_loop", None)
        if loop is None or threading.current_thread() is threading.main_thread():
            action()
        else:
            loop.add_callback(action)

    def _begun(self, *_: Any) -> None:
        self.running = True

    def _ended(self, *_: Any) -> None:
        self.running = False
        for listener in list(self._listeners):
            try:
                listener.cell_ended()
            except Exception:  # the others must hear of it all the same
                log.exception("%s failed at the end of a cell", type(listener).__name__)


def _shell() -> Any:
    if "IPython" not in sys.modules:
        return None
    return sys.modules["IPython"].get_ipython()


notebook = Notebook()
