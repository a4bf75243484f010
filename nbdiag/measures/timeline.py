"""Rows of numbers that grow with a training and stay within a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FIRST = 16


class Timeline:
    """Columns that are appended to row by row.

    Once `max_rows` are held, every second row of the older half is dropped, so that a long
    training keeps its whole course at a lower resolution. Not locked: the owner does that.

    Parameters
    ----------
    columns : name -> (type, shape of one entry).
    max_rows : at least 4.

    >>> line = Timeline({"step": (np.int64, ()), "value": (np.float32, ())}, max_rows=4)
    >>> for step in range(1, 6):
    ...     line.append({"step": step, "value": step / 2})
    >>> line.column("step"), line.thinned
    (array([1, 3, 4, 5]), 1)
    """

    def __init__(
        self, columns: Mapping[str, tuple[Any, tuple[int, ...]]], *, max_rows: int
    ) -> None:
        if max_rows < 4:
            raise ValueError(f"max_rows must be at least 4, got {max_rows}")
        self.max_rows = max_rows
        self.thinned = 0
        """How often every second row of the older half was dropped."""
        self._columns = dict(columns)
        self._data = {
            name: np.empty((0, *shape), dtype) for name, (dtype, shape) in self._columns.items()
        }
        self._count = self._room = 0

    def __len__(self) -> int:
        return self._count

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one row; it must name every column."""
        if self._count == self.max_rows:
            half = self._count // 2
            self._resize(self.max_rows, np.r_[0:half:2, half : self._count])
            self.thinned += 1
        elif self._count == self._room:
            rows = min(max(_FIRST, 2 * self._count), self.max_rows)
            self._resize(rows, np.arange(self._count))
        for name, column in self._data.items():
            column[self._count] = row[name]
        # Last: an interrupt before this line leaves no half-written row behind.
        self._count += 1

    def column(self, name: str, index: slice | NDArray[np.intp] | None = None) -> NDArray[Any]:
        """A copy of a column, or of some of its rows."""
        held = self._data[name][: self._count]
        return held.copy() if index is None else held[index].copy()

    def peek(self, name: str) -> NDArray[Any]:
        """The column itself, to be read under the owner's lock and not kept."""
        return self._data[name][: self._count]

    def _resize(self, room: int, keep: NDArray[np.intp]) -> None:
        """Room for `room` rows, of which the first are those of `keep`."""
        fresh = {
            name: np.empty((room, *shape), dtype) for name, (dtype, shape) in self._columns.items()
        }
        for name, column in fresh.items():
            column[: len(keep)] = self._data[name][keep]
        self._data, self._count, self._room = fresh, len(keep), room
