"""One thread that reads on, for all runs that somebody looks at."""

from __future__ import annotations

import threading
from typing import Protocol

PERIOD = 1.0


class Followed(Protocol):
    """A run that is read from disk."""

    def follow(self) -> bool:
        """Read on and tell the listeners; whether to come again."""


class Follower:
    """Calls `follow()` of each member about once a second; its thread lives while there are any."""

    def __init__(self) -> None:
        self._members: list[Followed] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def add(self, run: Followed) -> None:
        with self._lock:
            if not any(member is run for member in self._members):
                self._members.append(run)
            if self._thread is None or not self._thread.is_alive():
                self._wake.clear()
                self._thread = threading.Thread(
                    target=self._work, name="nbdiag-follow", daemon=True
                )
                self._thread.start()

    def discard(self, run: Followed) -> None:
        with self._lock:
            self._members = [member for member in self._members if member is not run]
            if not self._members:
                self._wake.set()

    def _work(self) -> None:
        while True:
            self._wake.wait(PERIOD)
            with self._lock:
                if not self._members:
                    self._thread = None
                    return
                self._wake.clear()
                members = list(self._members)
            for member in members:
                if not member.follow():
                    self.discard(member)


follower = Follower()
