"""Where a run that is read gets its news: files of nbdiag, or anybody's TensorBoard folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from nbdiag.measures.recording import Op
from nbdiag.tracking import records
from nbdiag.tracking.batch import unpack
from nbdiag.tracking.files import Tail
from nbdiag.tracking.names import Names

Piece = tuple[dict[str, Any], Iterable[Op]]


class Feed(Protocol):
    """Pieces of a recording, as they come."""

    ends: bool
    """Whether the writer says so when a training is over."""
    silence: float
    """Seconds without a sign of life after which nobody writes any more."""

    def news(self) -> list[Piece]: ...

    def touched(self) -> float: ...


class Journal:
    """One event file of nbdiag.

    Raises
    ------
    OSError : when it cannot be read.
    ValueError : when it is damaged, or not of nbdiag, or nothing was written yet.
    """

    ends = True
    silence = 10.0

    def __init__(self, path: Path) -> None:
        self._tail = Tail(path, records.BLOB_TAG.encode())
        self.touched = self._tail.touched
        first = self._tail.news(at_most=1)
        if not first:
            raise ValueError(
                f"{path} holds no run of nbdiag (yet); of what others wrote give the folder"
            )
        (content,) = records.blobs(first[0])
        self.head: dict[str, Any] = unpack(content)[0]

    def news(self) -> list[Piece]:
        messages = self._tail.news()
        return [unpack(content) for message in messages for content in records.blobs(message)]


class Scalars:
    """The scalars of event files that others wrote, in one folder and its parts.

    Parameters
    ----------
    files : each path, and which member of a group of tags its folder holds: see `plain.parts`.
    """

    ends = False
    silence = 180.0  # SummaryWriter writes every two minutes

    def __init__(self, files: list[tuple[Path, str]]) -> None:
        self._files = [(Tail(path), member) for path, member in files]
        self._names = Names()
        self._last = 0

    def touched(self) -> float:
        return max(tail.touched() for tail, _ in self._files)

    def news(self) -> list[Piece]:
        found: dict[str, list[tuple[int, float]]] = {}
        for tail, member in self._files:
            for message in tail.news():
                for tag, step, value in records.numbers(message):
                    full = tag if not member else f"{tag}/{member}"
                    found.setdefault(full, []).append((step, value))
        if not found:
            return []
        self._names.learn({tag: len(points) for tag, points in found.items()})
        ops: list[Op] = []
        for tag, points in found.items():
            name = self._names[tag]
            for step, value in points:
                ops.append({"op": "scalar", "name": name, "step": step, "value": value})
                self._last = max(self._last, step)
        return [({"state": {"step": self._last}}, ops)]
