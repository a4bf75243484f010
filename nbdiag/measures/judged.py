"""What a run was found to be when somebody last asked: judging costs more than sampling does."""

from __future__ import annotations

import time
from collections.abc import Callable

from nbdiag.measures.findings import Finding

SHARE, OLDEST_SECONDS = 0.1, 5.0
"""Of the budget, what judging for listeners may take, and how old a judgement may get by that."""


class Judged:
    """Judges anew only what has changed, and for listeners no more often than the budget allows."""

    def __init__(self) -> None:
        self._of: int | None = None
        self._found: list[Finding] = []
        self._next = 0.0

    def findings(
        self, version: int, judge: Callable[[], list[Finding]], budget: float = 1.0, *, lately: bool
    ) -> list[Finding]:
        """What `judge` finds at this version of the recording, or found at the last one.

        Parameters
        ----------
        lately : a judgement from a moment ago will do.
        """
        started = time.perf_counter()
        if self._of == version or (lately and self._of is not None and started < self._next):
            return list(self._found)
        self._of, self._found = version, judge()
        now = time.perf_counter()
        self._next = now + min((now - started) / (SHARE * budget), OLDEST_SECONDS)
        return list(self._found)
