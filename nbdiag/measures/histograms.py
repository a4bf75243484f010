"""Histograms of weights and gradients along a training, at log-spaced steps."""

from __future__ import annotations

import threading
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.timeline import Timeline

BINS = 40
KINDS = ("weight", "gradient")
Kind = Literal["weight", "gradient"]
SPACING = 1.12
"""A histogram is due when the step number has grown by this factor: 20 in a decade."""
_MAX_ROWS = 256


class Histograms(NamedTuple):
    """The histograms of one parameter, H of them."""

    steps: NDArray[np.int64]
    """(H,) optimizer step of each."""
    low: NDArray[np.float32]
    """(H,) lower end of the first bin: the least finite entry; NaN where there is none."""
    high: NDArray[np.float32]
    """(H,) upper end of the last bin: the greatest finite entry."""
    counts: NDArray[np.float32]
    """(H, BINS) finite entries a bin, the bins equally wide."""
    nan: NDArray[np.float32]
    """(H,) entries that were NaN."""
    infinite: NDArray[np.float32]
    """(H,) entries that were infinite."""


def next_due(step: int) -> int:
    """The step from which on the next histograms are taken, after those of `step`.

    >>> [next_due(step) for step in (1, 2, 10, 100, 1000)]
    [2, 3, 12, 112, 1120]
    """
    return max(step + 1, int(np.ceil(step * SPACING - 1e-9)))


def histogram(values: NDArray[Any]) -> tuple[float, float, NDArray[np.int64], int, int]:
    """(low, high, (BINS,) counts, NaN, infinite) of any array; NaN as ends of an empty one.

    >>> low, high, counts, nan, infinite = histogram(np.array([0.0, 1.0, 1.0, np.nan, -np.inf]))
    >>> low, high, int(counts[0]), int(counts[-1]), nan, infinite
    (0.0, 1.0, 1, 2, 1, 1)
    """
    flat = np.asarray(values).ravel()
    finite = np.isfinite(flat)
    nan = infinite = 0
    if not finite.all():
        nan = int(np.isnan(flat).sum())
        infinite = int(flat.size - nan - finite.sum())
        flat = flat[finite]
    if not flat.size:
        return float("nan"), float("nan"), np.zeros(BINS, np.int64), nan, infinite
    flat = flat.astype(np.float64)
    low, high = float(flat.min()), float(flat.max())
    width = high - low
    if width == 0:
        counts = np.zeros(BINS, np.int64)
        counts[BINS // 2] = flat.size
    else:
        # np.histogram with a range of equal width, at a third of its cost.
        at = np.minimum(((flat - low) * (BINS / width)).astype(np.intp), BINS - 1)
        counts = np.bincount(at, minlength=BINS)
    return low, high, counts, nan, infinite


class HistogramLog:
    """For each parameter its histograms; one row a step, all parameters side by side.

    Parameters
    ----------
    width : number of parameters, P.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._lock = threading.Lock()
        columns = {
            "step": (np.int64, ()),
            "low": (np.float32, (width,)),
            "high": (np.float32, (width,)),
            "counts": (np.float32, (width, BINS)),
            "nan": (np.float32, (width,)),
            "infinite": (np.float32, (width,)),
        }
        self._lines = {kind: Timeline(columns, max_rows=_MAX_ROWS) for kind in KINDS}

    def add(self, kind: Kind, row: dict[str, Any]) -> None:
        """One step: "step", "low", "high", "nan", "infinite" (P,) and "counts" (P, BINS)."""
        with self._lock:
            self._lines[kind].append(row)

    def steps(self, kind: Kind) -> NDArray[np.int64]:
        """(H,) steps at which all parameters were looked at."""
        with self._lock:
            return self._lines[kind].column("step")

    def of(self, parameter: int, kind: Kind) -> Histograms:
        """The histograms of one parameter; those without any entry (no gradient) are left out.

        Raises
        ------
        ValueError : for another kind.
        IndexError : for a parameter that does not exist.
        """
        if kind not in KINDS:
            raise ValueError(f"no histograms of {kind!r}; there are {' and '.join(KINDS)}")
        if not 0 <= parameter < self.width:
            raise IndexError(f"parameter {parameter} of {self.width}")
        with self._lock:
            line = self._lines[kind]
            parts = [line.peek(name)[:, parameter] for name in ("low", "high", "counts")]
            extra = [line.peek(name)[:, parameter] for name in ("nan", "infinite")]
            there = (parts[2].sum(axis=1) + extra[0] + extra[1]) > 0
            return Histograms(line.peek("step")[there], *(p[there] for p in (*parts, *extra)))
