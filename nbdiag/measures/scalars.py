"""Named numbers logged along a training, kept without waiting for the device they live on."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, repeat
from numbers import Real
from operator import itemgetter
from typing import Any, Protocol

import numpy as np

from nbdiag.measures.scalar_series import Growing, Mark, Series, Tail

_PENDING_AT_MOST, _HURRY_UP_TO, _STEADY_AT_MOST = 256, 4096, 512
CLOSED = -2
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


class Steady:
    """The numbers lately logged under one name, one at each step: no need to note the steps.

    Whoever logs appends to `values` and moves `due`, without a lock; whoever reads takes from the
    other end, and moves `first`.
    """

    __slots__ = ("due", "first", "key", "values")

    def __init__(self) -> None:
        self.key = ""
        self.values: list[float] = []
        self.first = 0
        """The step of the first value."""
        self.due = -1
        """The step whose number may be appended; CLOSED: none before `reopen`."""

    def take(self) -> tuple[range, list[float]]:
        """The steps and the values so far."""
        values = self.values[:]
        steps = range(self.first, self.first + len(values))
        del self.values[: len(values)]
        self.first = steps.stop
        return steps, values


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
        self._busy = False
        self.on_value: Callable[[str, int, float], None] | None = None
        self._max_points = max_points
        self._lock, self._settling = threading.RLock(), threading.RLock()
        self._read: dict[str, Growing] = {}
        self.count = 0
        """Values that were read so far."""
        # Appended to without a lock, and emptied from the other end by whoever settles.
        self._pending: deque[tuple[str, int, Any]] = deque()
        self.steady = Steady()
        """What came after all that is pending under its name."""

    def reopen(self, step: int) -> bool:
        """Whether `steady` was CLOSED and may take the number of `step` now."""
        steady = self.steady
        if steady.due != CLOSED:
            return False
        if len(steady.values) > _STEADY_AT_MOST:
            self.settle(hurry=True)
        with self._lock:
            steady.due = steady.first + len(steady.values)
        return steady.due == step

    def add(self, step: int, values: dict[str, Any]) -> None:
        """Keep one value a name; nothing is kept when one of them is bad."""
        pending, steady = self._pending, self.steady
        checked = [(key, step, check_scalar(key, value)) for key, value in values.items()]
        far = any(type(value) is not float for _, _, value in checked)
        own = steady.key in values
        if own or (len(values) == 1 and not far and steady.due <= step):  # none came at this step
            self._interrupt(steady.key if own else next(iter(values)), step, far)
        pending.extend(checked)
        if len(pending) >= _PENDING_AT_MOST or (far and self._should_send()):
            self.settle(hurry=len(pending) < _HURRY_UP_TO)

    def _interrupt(self, key: str, step: int, far: bool) -> None:
        """A number of the steady name goes another way, or another name is to be steady.

        It goes behind those that came before it.
        """
        steady = self.steady
        with self._lock:
            self._take_steady()
            steps, values = steady.take()
            self._pending.extend(zip(repeat(steady.key), steps, values))
            steady.key, steady.first, steady.due = key, step + 1, -1 if far else step + 1

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
        return bool(self._pending or self._sent or self.steady.values)

    def put(self, name: str, step: int, value: float) -> None:
        """Keep one number."""
        self._put(name, [step], [value])

    def _put(self, name: str, steps: Sequence[int], values: Sequence[float]) -> None:
        with self._lock:
            growing = self._read.get(name)
            if growing is None:
                growing = self._read[name] = Growing(self._max_points)
            growing.extend(steps, values)
            self.count += len(steps)
            if self.on_value is not None:
                for step, value in zip(steps, values, strict=True):
                    self.on_value(name, step, value)

    def settle(self, *, hurry: bool | None = None) -> None:
        """Convert what still is a tensor; in a hurry only what has arrived by now."""
        hurry = self.hurry() if hurry is None else hurry
        with self._settling:
            self._busy = True  # what is on its way is neither pending nor sent for moments
            try:
                self._send_and_land(hurry)
            finally:
                self._busy = False
            self._take_steady()

    def _send_and_land(self, hurry: bool) -> None:
        waits = self.stand_by()
        if not self._land(hurry or waits):
            return
        count = len(self._pending)
        if not count or (
            waits and any(type(self._pending[i][2]) is not float for i in range(count))
        ):
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
        for name, run in groupby(pending, key=itemgetter(0)):
            _, steps, values = zip(*run, strict=True)
            self._put(name, steps, [v if type(v) is float else next(numbers) for v in values])
        return True

    def _take_steady(self) -> None:
        with self._lock:
            if not (self._pending or self._busy or self._sent):  # they came before
                steps, values = self.steady.take()
                if values:
                    self._put(self.steady.key, steps, values)

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
