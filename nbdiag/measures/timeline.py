"""Rows of numbers that grow with a training and stay within a bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FIRST = 16

Columns = Mapping[str, NDArray[Any]]


class Timeline:
    """Columns that are appended to row by row.

    Once `max_rows` are held, one row of each two stays, all along; from then on one of each two
    that come, then one of each four, and so on: the rows are always spread evenly over what was
    appended, and the newest one is always there. Not locked: the owner does that.

    Parameters
    ----------
    columns : name -> (type, shape of one entry).
    max_rows : at least 4; one more where it is odd.
    marked : given columns of (n, ...) rows, (n,) which of them are worth more than others. Of the
        rows that one stands for, that is the first marked one, or the first.

    >>> line = Timeline({"step": (np.int64, ()), "value": (np.float32, ())}, max_rows=4)
    >>> for step in range(1, 9):
    ...     line.append({"step": step, "value": step / 2})
    >>> line.column("step"), line.stride  # 8 may give way to 9
    (array([1, 3, 5, 7, 8]), 2)
    """

    def __init__(
        self,
        columns: Mapping[str, tuple[Any, tuple[int, ...]]],
        *,
        max_rows: int,
        marked: Callable[[Columns], NDArray[np.bool_]] | None = None,
    ) -> None:
        if max_rows < 4:
            raise ValueError(f"max_rows must be at least 4, got {max_rows}")
        self.max_rows = max_rows + max_rows % 2
        self.thinned = 0
        """How often every second row was dropped: one in `stride` is left."""
        self._columns = dict(columns)
        self._marked = marked
        self._data = {
            name: np.empty((0, *shape), dtype) for name, (dtype, shape) in self._columns.items()
        }
        self._count = self._room = 0
        self._seen_of_last = 0  # rows that the last one stands for, of `stride`
        self._newest: bool = False  # a further row is there, until one comes after it

    def __len__(self) -> int:
        return self._count + self._newest

    @property
    def stride(self) -> int:
        """How many appended rows one that is held stands for."""
        return 1 << self.thinned

    @property
    def settled(self) -> int:
        """How many of the rows stay as they are, until `thinned` changes: all but the last few."""
        return self._count - (self._seen_of_last < self.stride and self._count > 0)

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one row; it must name every column."""
        if self.thinned and self._seen_of_last < self.stride:
            self._add_to_last(row)
            return
        if self._count == self.max_rows:
            self._thin()
        elif self._count == self._room:
            # One more than is ever counted: for the newest row.
            rows = min(max(_FIRST, 2 * self._count), self.max_rows + 1)
            self._resize(rows, np.arange(self._count))
        self._write(self._count, row)
        # Last: an interrupt before this line leaves no half-written row behind.
        self._newest, self._seen_of_last, self._count = False, 1, self._count + 1

    def extend(self, rows: Columns) -> None:
        """As many rows as each column has, at once where there is room for them."""
        count, at = len(next(iter(rows.values()))), self._count
        done = 0 if self.thinned else min(count, min(self._room, self.max_rows) - at)
        if done:
            for name, column in self._data.items():
                column[at : at + done] = rows[name][:done]
            self._seen_of_last, self._count = 1, at + done
        for i in range(done, count):
            self.append({name: column[i] for name, column in rows.items()})

    def column(self, name: str, index: slice | NDArray[np.intp] | None = None) -> NDArray[Any]:
        """A copy of a column, or of some of its rows."""
        held = self.peek(name)
        return held.copy() if index is None else held[index].copy()

    def peek(self, name: str) -> NDArray[Any]:
        """The column itself, to be read under the owner's lock and not kept."""
        return self._data[name][: len(self)]

    def _write(self, at: int, row: Mapping[str, Any]) -> None:
        for name, column in self._data.items():
            column[at] = row[name]

    def _add_to_last(self, row: Mapping[str, Any]) -> None:
        """One more of the rows that the last one stands for."""
        last = self._count - 1
        self._newest = False
        self._write(self._count, row)
        both = {name: column[last : last + 2] for name, column in self._data.items()}
        was, now = (False, False) if self._marked is None else self._marked(both)
        if now and not was:
            self._write(last, row)
        else:
            self._newest = True
        self._seen_of_last += 1

    def _thin(self) -> None:
        keep = np.arange(0, self._count, 2)
        if self._marked is not None:
            held = {name: column[: self._count] for name, column in self._data.items()}
            marked = self._marked(held)
            keep += marked[1::2] & ~marked[0::2]
        self._resize(self.max_rows + 1, keep)
        self.thinned += 1

    def _resize(self, room: int, keep: NDArray[np.intp]) -> None:
        """Room for `room` rows, of which the first are those of `keep`."""
        fresh = {
            name: np.empty((room, *shape), dtype) for name, (dtype, shape) in self._columns.items()
        }
        for name, column in fresh.items():
            column[: len(keep)] = self._data[name][keep]
        self._data, self._count, self._room = fresh, len(keep), room
