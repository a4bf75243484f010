"""Whom a run tells of its news, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbdiag.measures.run import Run

Listener = Callable[["Run"], None]

NOTIFY_SECONDS = (1 / 12, 1.0)
"""Shortest and longest pause between two calls of the listeners while samples come in."""
_SPREAD = 4
"""A dear call (a judgement among cheap drawings) is paid back over about so many pauses: the
picture slows down for a moment, and does not stand still."""


class Listeners:
    """Called one after the other, seldom enough to stay within a quarter of `budget`."""

    def __init__(self, budget: float) -> None:
        self._budget = budget
        self._members: dict[int, Listener] = {}
        self._next = 0
        self.due_at = 0.0
        """When they may be called again."""
        self._owed = 0.0  # seconds of pause that earlier calls are worth
        self._told = float("-inf")

    def __bool__(self) -> bool:
        return bool(self._members)

    def add(self, listener: Listener) -> Callable[[], None]:
        """Returns a function that takes it away again."""
        key = self._next
        self._next += 1
        self._members[key] = listener

        def remove() -> None:
            self._members.pop(key, None)

        return remove

    def wake_at(self, now: float) -> float:
        """When somebody is to be told next, if there are news by then."""
        return max(self.due_at, now + NOTIFY_SECONDS[0]) if self._members else float("inf")

    def tell(self, run: Run) -> list[Exception]:
        """Call them all; those that raise are dropped, and what they raised is returned."""
        started = time.perf_counter()
        errors: list[Exception] = []
        for key, listener in list(self._members.items()):
            try:
                listener(run)
            except Exception as error:
                self._members.pop(key, None)
                errors.append(error)
        now = time.perf_counter()
        # A slow listener (a busy browser) is called less often: most of the budget is for samples.
        shortest, longest = NOTIFY_SECONDS
        owed = max(0.0, self._owed - (started - self._told)) + 4 * (now - started) / self._budget
        self._owed, self._told = min(owed, _SPREAD * longest), now
        self.due_at = now + min(max(self._owed / _SPREAD, shortest), longest)
        return errors
