"""One series of numbers that grows without end and keeps a bounded number of points."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Series(NamedTuple):
    """A logged series, n points in the order in which they were logged."""

    steps: NDArray[np.int64]
    """(n,) optimizer step of each point; of the first one where several were merged."""
    values: NDArray[np.float64]
    """(n,) the value, or the mean of what was merged."""
    low: NDArray[np.float64]
    """(n,) the least of what was merged: equal to `values` where nothing was."""
    high: NDArray[np.float64]
    """(n,) the greatest."""


class Mark(NamedTuple):
    """How far somebody has read a series."""

    stride: int
    """Values that a point stands for."""
    points: int
    """Points that were complete."""
    logged: int
    """Values that had come."""


class Tail(NamedTuple):
    """What came since a mark."""

    start: int
    """Index of the first point of `points` in the whole series; 0: all of it is new."""
    points: Series
    mark: Mark


class Growing:
    """One series. When it is full, neighbours are merged all along: each point stands for
    `stride` values, a power of two, but the last, which may stand for fewer so far.

    Sums are added up in the order in which values come, so that the same values give the same
    points to the last bit, whenever somebody reads.
    """

    __slots__ = ("_high", "_in_last", "_low", "_max_points", "_steps", "_sums", "stride")

    def __init__(self, max_points: int) -> None:
        self._steps, self._sums = array("d"), array("d")
        self._low = self._high = self._sums  # the same as long as a point is one value
        self._max_points = max_points + max_points % 2
        self.stride = 1
        self._in_last = 0

    def extend(self, steps: Sequence[int], values: Sequence[float]) -> None:
        """Several values at once."""
        if self.stride == 1 and len(self._steps) + len(steps) <= self._max_points:
            self._sums.extend(values)
            self._steps.extend(steps)
            return
        for step, value in zip(steps, values, strict=True):
            self.append(step, value)

    def append(self, step: int, value: float) -> None:
        if self.stride == 1:
            if len(self._steps) < self._max_points:
                self._sums.append(value)
                self._steps.append(step)
                return
            self._merge()
        elif self._in_last < self.stride:
            self._sums[-1] += value
            low, high = self._low, self._high
            if value < low[-1] or low[-1] != low[-1]:  # the second: NaN gives way
                low[-1] = value
            if value > high[-1] or high[-1] != high[-1]:
                high[-1] = value
            self._in_last += 1
            return
        elif len(self._steps) == self._max_points:
            self._merge()
        for column, number in zip(self._columns(), (step, value, value, value), strict=True):
            column.append(number)
        self._in_last = 1

    def _columns(self) -> tuple[array[float], array[float], array[float], array[float]]:
        return self._steps, self._sums, self._low, self._high

    def _merge(self) -> None:
        steps, sums, low, high = (np.array(column) for column in self._columns())
        with np.errstate(invalid="ignore", over="ignore"):  # inf - inf is NaN: meant
            merged = (
                steps[0::2],
                sums[0::2] + sums[1::2],
                np.fmin(low[0::2], low[1::2]),
                np.fmax(high[0::2], high[1::2]),
            )
        self._steps, self._sums, self._low, self._high = (
            array("d", column.tobytes()) for column in merged
        )
        self.stride *= 2
        self._in_last = self.stride

    @property
    def logged(self) -> int:
        """Values so far."""
        if self.stride == 1:
            return len(self._steps)
        return (len(self._steps) - 1) * self.stride + self._in_last

    def mark(self) -> Mark:
        return Mark(self.stride, self.logged // self.stride, self.logged)

    def series(self, start: int = 0, stop: int | None = None) -> Series:
        """A copy of the points from `start` to `stop`."""
        count = len(self._steps)
        stop = count if stop is None else stop
        steps, values, low, high = (np.array(column[start:stop]) for column in self._columns())
        if self.stride > 1 and len(values):
            merged = np.full(len(values), float(self.stride))
            if stop == count:
                merged[-1] = self._in_last
            values /= merged
        return Series(steps.astype(np.int64), values, low, high)
