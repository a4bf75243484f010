"""A progress line that leaves a notebook the same on every run."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TextIO

BAR = 24
PER_SECOND = 10


class Progress:
    """One line that counts samples while they are read, and ends as one stable sentence.

    In a notebook it writes to stdout, where JupyterLab lets a carriage return overwrite the line
    and nbval joins the stream and keeps what follows the last one: ``predicted 1000 samples``,
    without timings, so that a saved notebook compares equal. (A tqdm bar fails there: nbval
    compares stderr too, and its widget form stays in the saved file as a bar at 0 %.) In a
    terminal it writes to stderr and clears itself; anywhere else it is silent.
    """

    def __init__(self, doing: str, done: str, total: int | None, show: bool) -> None:
        self.doing, self.done, self.total = doing, done, total
        self.count = 0
        self._notebook = type(sys.stdout).__module__.startswith("ipykernel")
        self._out: TextIO | None = None
        if show and self._notebook:
            self._out = sys.stdout
        elif show and sys.stderr is not None and sys.stderr.isatty():
            self._out = sys.stderr
        self._width = 0
        self._next = 0.0

    def __enter__(self) -> Progress:
        return self

    def add(self, samples: int) -> None:
        """Count more samples; writes at most `PER_SECOND` times a second."""
        self.count += samples
        now = time.monotonic()
        if self._out is not None and now >= self._next:
            self._next = now + 1 / PER_SECOND
            self._write(self.line())

    def line(self) -> str:
        """What the line says now.

        >>> progress = Progress("predicting", "predicted", 200, show=False)
        >>> progress.add(50); progress.line()
        'predicting ██████░░░░░░░░░░░░░░░░░░ 50/200'
        """
        if not self.total:
            return f"{self.doing} {self.count} samples"
        filled = min(BAR, BAR * self.count // self.total)
        return f"{self.doing} {'█' * filled}{'░' * (BAR - filled)} {self.count}/{self.total}"

    def _write(self, text: str, end: str = "") -> None:
        assert self._out is not None
        self._out.write("\r" + text.ljust(self._width) + end)
        self._out.flush()
        self._width = max(self._width, len(text))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._out is None:
            return
        if kind is not None:
            self._write(self.line(), end="\n")
        elif self._notebook:
            self._write("")
            self._width = 0
            self._write(f"{self.done} {self.count} samples", end="\n")
        else:
            self._write("", end="\r")
