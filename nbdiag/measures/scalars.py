"""Named numbers logged along a training, kept without waiting for the device they live on."""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from numbers import Real
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

_PENDING_AT_MOST, _HURRY_UP_TO = 256, 4096
_SEND_SECONDS = 0.25


def check_scalar(key: str, value: Any) -> Any:
    """A float, or a private copy of a one-element tensor that is read later.

    >>> check_scalar("loss", np.float32(0.5))
    0.5
    >>> check_scalar("loss", np.zeros(3))
    Traceback (most recent call last):
    ValueError: log(loss=...) takes one number, got an array of shape (3,); reduce it, as by .mean()
    """
    if hasattr(value, "detach"):
        if getattr(value, "is_cpu", False):  # nothing to wait for
            try:
                return float(value.item())
            except (RuntimeError, TypeError):
                if value.numel() == 1 and not value.is_complex():
                    raise
        if value.numel() != 1 or value.is_complex():
            shape = tuple(value.shape)
            raise ValueError(_wrong(key, f"a {value.dtype} tensor of shape {shape}"))
        # A copy: the caller may go on to change the tensor in place, as `total += loss` does.
        return value.detach().clone()
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fiub":
        if value.size == 1:
            return float(value.reshape(()))
        raise ValueError(_wrong(key, f"an array of shape {value.shape}"))
    raise TypeError(_wrong(key, f"{type(value).__name__} {value!r:.60}"))


def _wrong(key: str, what: str) -> str:
    hint = "; reduce it, as by .mean()" if "shape" in what else ""
    return f"log({key}=...) takes one number, got {what}{hint}"


class Coming(Protocol):
    """Numbers that are on their way from where they were computed."""

    def ready(self) -> bool: ...

    def numbers(self) -> list[float]: ...


class Here:
    """Numbers that need not travel."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values

    def ready(self) -> bool:
        return True

    def numbers(self) -> list[float]:
        return [float(value) for value in self._values]


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


class _Growing:
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

    def extend(self, points: Sequence[tuple[str, int, float]]) -> None:
        """Several values at once; of each point only the step and the value count."""
        if self.stride == 1 and len(self._steps) + len(points) <= self._max_points:
            self._sums.extend(value for _, _, value in points)
            self._steps.extend(step for _, step, _ in points)
            return
        for _, step, value in points:
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


class ScalarLog:
    """Series of (step, value) by name; tensors are converted when somebody reads.

    `send` begins to turn a list of kept tensors into numbers, if possible in one transfer; `hurry`
    says whether the caller must not wait for that, `stand_by` whether it must not even begin, since
    another thread will; `on_value` is called with the name, step and
    number of each value once it is known. Beyond `max_points` a
    name, neighbouring points are merged all along the series, and keep their range.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Any]], Coming] = Here,
        *,
        max_points: int = 100_000,
    ) -> None:
        self.send = send
        self.hurry: Callable[[], bool] = lambda: False
        self.stand_by: Callable[[], bool] = lambda: False
        self._send_at: float | None = None
        self._sent: tuple[list[tuple[str, int, Any]], Coming] | None = None
        self.on_value: Callable[[str, int, float], None] | None = None
        self._max_points = max_points
        self._lock, self._settling = threading.RLock(), threading.RLock()
        self._read: dict[str, _Growing] = {}
        self.count = 0
        """Values that were read so far."""
        # Appended to without a lock, and emptied from the other end by whoever settles.
        self._pending: deque[tuple[str, int, Any]] = deque()

    def add(self, step: int, values: dict[str, Any]) -> None:
        """Keep one value a name; nothing is kept when one of them is bad."""
        pending, far = self._pending, False
        if len(values) == 1:  # most often, and once a step: cheap
            for key, value in values.items():
                if type(value) is not float:
                    near = getattr(value, "is_cpu", False) and value.ndim == 0
                    number = value.item() if near else None
                    value = number if type(number) is float else check_scalar(key, value)
                    far = type(value) is not float
                pending.append((key, step, value))
        else:
            checked = [(key, step, check_scalar(key, value)) for key, value in values.items()]
            far = any(type(value) is not float for _, _, value in checked)
            pending.extend(checked)
        if len(pending) >= _PENDING_AT_MOST or (far and self._should_send()):
            self.settle(hurry=len(pending) < _HURRY_UP_TO)

    def _should_send(self) -> bool:
        """Tensors are sent by who logs them, now and then; numbers wait for a reader."""
        now, due = time.perf_counter(), self._send_at
        if due is not None and now < due:
            return False
        self._send_at = now + _SEND_SECONDS
        return due is not None

    @property
    def waiting(self) -> bool:
        """Whether something was logged since it was last read."""
        return bool(self._pending or self._sent)

    def put(self, name: str, step: int, value: float) -> None:
        """Keep one number."""
        self._put([(name, step, value)])

    def _put(self, points: Sequence[tuple[str, int, float]]) -> None:
        with self._lock:
            read, told = self._read, self.on_value
            for name, run in groupby(points, key=itemgetter(0)):
                growing = read.get(name)
                if growing is None:
                    growing = read[name] = _Growing(self._max_points)
                growing.extend(list(run))
            self.count += len(points)
            if told is not None:
                for point in points:
                    told(*point)

    def settle(self, *, hurry: bool | None = None) -> None:
        """Convert what still is a tensor; in a hurry only what has arrived by now."""
        hurry = self.hurry() if hurry is None else hurry
        with self._settling:
            waits = self.stand_by()
            if not self._land(hurry or waits):
                return
            count = len(self._pending)
            if waits and any(type(self._pending[i][2]) is not float for i in range(count)):
                return
            pending = [self._pending.popleft() for _ in range(count)]
            kept = [value for _, _, value in pending if type(value) is not float]
            self._sent = pending, self.send(kept) if kept else Here(())
            self._land(hurry)

    def _land(self, hurry: bool) -> bool:
        """Put what was sent into the series; False when it has not arrived."""
        if self._sent is None:
            return True
        pending, coming = self._sent
        if hurry and not coming.ready():
            return False
        numbers = iter(coming.numbers())
        self._sent = None
        self._put(
            [
                point if type(point[2]) is float else (point[0], point[1], next(numbers))
                for point in pending
            ]
        )
        return True

    def series(self) -> dict[str, Series]:
        """By name, in order of first appearance."""
        self.settle()
        with self._lock:
            return {key: growing.series() for key, growing in self._read.items()}

    def marks(self) -> dict[str, Mark]:
        """How far each series goes now, by name."""
        self.settle()
        with self._lock:
            return {key: growing.mark() for key, growing in self._read.items()}

    def tail(self, marks: Mapping[str, Mark]) -> dict[str, Tail]:
        """What came since `marks`, by name: only series in which something did.

        A point that is still being merged from values is left out until it is complete, so that
        no point has to be told twice; in a series that was merged since, all points are new.

        >>> log = ScalarLog()
        >>> log.add(1, {"loss": 3.0})
        >>> marks = log.marks()
        >>> log.add(2, {"loss": 2.0})
        >>> news = log.tail(marks)["loss"]
        >>> news.start, news.points.values, news.mark
        (1, array([2.]), Mark(stride=1, points=2, logged=2))
        """
        self.settle()
        news: dict[str, Tail] = {}
        with self._lock:
            for key, growing in self._read.items():
                mark, before = growing.mark(), marks.get(key)
                if before is None or before.stride != mark.stride:
                    news[key] = Tail(0, growing.series(0, mark.points), mark)
                elif before.points < mark.points:
                    points = growing.series(before.points, mark.points)
                    news[key] = Tail(before.points, points, mark)
        return news


def scalars_to(journal: Callable[[dict[str, Any]], None]) -> Callable[[str, int, float], None]:
    """What tells a journal of each value, as an op of a recording."""
    return lambda name, step, value: journal(
        {"op": "scalar", "name": name, "step": step, "value": value}
    )
