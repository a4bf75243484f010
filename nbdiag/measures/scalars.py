"""Named numbers logged along a training, kept without waiting for the device they live on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_PENDING_AT_MOST = 256


def check_scalar(key: str, value: Any) -> Any:
    """A float, or a private copy of a one-element tensor that is read later.

    >>> check_scalar("loss", np.float32(0.5))
    0.5
    >>> check_scalar("loss", np.zeros(3))
    Traceback (most recent call last):
    ValueError: log(loss=...) takes one number, got an array of shape (3,); reduce it, as by .mean()
    """
    if hasattr(value, "detach"):  # first, since it comes at every step
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


def fetch_each(values: Sequence[Any]) -> list[float]:
    return [float(value) for value in values]


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


class _Growing:
    """One series; pairs of the older half are merged when it is full."""

    def __init__(self, max_points: int) -> None:
        self.data = np.empty((4, 64))
        self.count = 0
        self.max_points = max_points

    def append(self, step: int, value: float) -> None:
        if self.count == self.max_points:
            self._merge()
        elif self.count == self.data.shape[1]:
            more = np.empty((4, min(2 * self.count, self.max_points)))
            more[:, : self.count] = self.data
            self.data = more
        self.data[:, self.count] = (step, value, value, value)
        self.count += 1

    def _merge(self) -> None:
        half = self.count // 2 // 2 * 2
        first, second = self.data[:, 0:half:2], self.data[:, 1:half:2]
        with np.errstate(invalid="ignore"):  # inf - inf is NaN: meant
            merged = np.stack(
                [
                    first[0],
                    (first[1] + second[1]) / 2,
                    np.fmin(first[2], second[2]),
                    np.fmax(first[3], second[3]),
                ]
            )
        rest = self.data[:, half : self.count]
        fresh = np.empty_like(self.data)
        fresh[:, : half // 2] = merged
        fresh[:, half // 2 : half // 2 + rest.shape[1]] = rest
        self.data, self.count = fresh, half // 2 + rest.shape[1]

    def series(self) -> Series:
        steps, values, low, high = self.data[:, : self.count].copy()
        return Series(steps.astype(np.int64), values, low, high)


class ScalarLog:
    """Series of (step, value) by name; tensors are converted when somebody reads.

    `fetch` turns a list of kept tensors into numbers, if possible in one transfer; `on_value` is
    called with the name, step and number of each value once it is known. Beyond `max_points` a
    name, neighbouring points of the older half are merged, and keep their range.
    """

    def __init__(
        self,
        fetch: Callable[[Sequence[Any]], Sequence[float]] = fetch_each,
        *,
        max_points: int = 100_000,
    ) -> None:
        self.fetch = fetch
        self.on_value: Callable[[str, int, float], None] | None = None
        self._max_points = max_points
        self._lock, self._settling = threading.RLock(), threading.RLock()
        self._read: dict[str, _Growing] = {}
        self._pending: list[tuple[str, int, Any]] = []

    def add(self, step: int, values: dict[str, Any]) -> None:
        """Keep one value a name; nothing is kept when one of them is bad."""
        checked = {key: check_scalar(key, value) for key, value in values.items()}
        with self._lock:
            self._pending.extend((key, step, value) for key, value in checked.items())
            full = len(self._pending) >= _PENDING_AT_MOST
        if full:
            self.settle()

    def put(self, name: str, step: int, value: float) -> None:
        """Keep one number."""
        with self._lock:
            self._read.setdefault(name, _Growing(self._max_points)).append(step, value)
            if self.on_value is not None:
                self.on_value(name, step, value)

    def settle(self) -> None:
        """Convert what still is a tensor."""
        # Fetching may wait for a device; `add` must not wait for it.
        with self._settling:
            with self._lock:
                pending, self._pending = self._pending, []
            kept = [value for _, _, value in pending if not isinstance(value, float)]
            numbers = iter(self.fetch(kept) if kept else ())
            for key, step, value in pending:
                self.put(key, step, value if isinstance(value, float) else float(next(numbers)))

    def series(self) -> dict[str, Series]:
        """By name, in order of first appearance."""
        self.settle()
        with self._lock:
            return {key: growing.series() for key, growing in self._read.items()}
