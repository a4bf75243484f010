"""Named numbers logged along a training, kept without waiting for the device they live on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

Series = tuple[NDArray[np.int64], NDArray[np.float64]]

_PENDING_AT_MOST = 256


def check_scalar(key: str, value: Any) -> Any:
    """A float, or a private copy of a one-element tensor that is read later.

    >>> check_scalar("loss", np.float32(0.5))
    0.5
    >>> check_scalar("loss", np.zeros(3))
    Traceback (most recent call last):
    ValueError: log(loss=...) takes one number, got an array of shape (3,); reduce it, as by .mean()
    """
    if isinstance(value, Real):
        return float(value)
    if hasattr(value, "detach") and hasattr(value, "numel"):
        if value.numel() != 1 or value.is_complex():
            shape = tuple(value.shape)
            raise ValueError(_wrong(key, f"a {value.dtype} tensor of shape {shape}"))
        # A copy: the caller may go on to change the tensor in place, as `total += loss` does.
        return value.detach().clone()
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


class ScalarLog:
    """Series of (step, value) by name; tensors are converted when somebody reads.

    `fetch` turns a list of kept tensors into numbers, if possible in one transfer.
    """

    def __init__(self, fetch: Callable[[Sequence[Any]], Sequence[float]] = fetch_each) -> None:
        self.fetch = fetch
        self._lock = threading.Lock()
        self._read: dict[str, tuple[list[int], list[float]]] = {}
        self._pending: list[tuple[str, int, Any]] = []

    def add(self, step: int, values: dict[str, Any]) -> None:
        """Keep one value a name; nothing is kept when one of them is bad."""
        checked = {key: check_scalar(key, value) for key, value in values.items()}
        with self._lock:
            self._pending.extend((key, step, value) for key, value in checked.items())
            if len(self._pending) >= _PENDING_AT_MOST:
                self._convert()

    def _convert(self) -> None:
        kept = [value for _, _, value in self._pending if not isinstance(value, float)]
        numbers = iter(self.fetch(kept) if kept else ())
        for key, step, value in self._pending:
            steps, series = self._read.setdefault(key, ([], []))
            steps.append(step)
            series.append(value if isinstance(value, float) else float(next(numbers)))
        self._pending.clear()

    def series(self) -> dict[str, Series]:
        """By name, in order of first appearance: (n,) steps and (n,) values."""
        with self._lock:
            self._convert()
            return {
                key: (np.asarray(steps, np.int64), np.asarray(values, np.float64))
                for key, (steps, values) in self._read.items()
            }
