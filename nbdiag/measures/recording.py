"""What a training left behind: one row a sampled optimizer step, one column a parameter."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.scalars import ScalarLog, Series

Floats = NDArray[np.float32]
Codes = NDArray[np.uint8]

OK, NO_GRADIENT, FROZEN, NAN, INFINITE = range(5)
STATUS_NAMES = ("ok", "no gradient", "frozen", "NaN", "infinite")

STATISTICS = ("grad_norm", "weight_norm")
_BYTES_A_CELL = 9  # two float32 and one status byte
_MEMORY = 64 * 2**20


@dataclass(frozen=True)
class LayerInfo:
    """A module that owns parameters directly.

    >>> LayerInfo("fc", "Linear", ("fc.weight", "fc.bias"), 10, 2)
    LayerInfo(name='fc', kind='Linear', parameters=('fc.weight', 'fc.bias'), size=10, dims=2)
    """

    name: str
    kind: str
    parameters: tuple[str, ...]
    size: int
    """Number of weights, biases included."""
    dims: int = 0
    """Largest number of dimensions among its parameters: 1 for a normalisation, 4 for Conv2d."""


class Rows(NamedTuple):
    """A consistent copy of some rows. NaN where a layer has no gradient; `status` says why."""

    start: int
    steps: NDArray[np.int64]
    """(T,) optimizer step number; the first step is 1."""
    grad_norm: Floats
    """(T, L)"""
    weight_norm: Floats
    """(T, L)"""
    status: Codes
    """(T, L)"""
    thinned: int
    """`Recording.thinned` at the time of the copy: row numbers hold only while it is the same."""


class Recording:
    """Append-only columns of gradient and weight norms; safe to read while a training writes.

    Norms are Euclidean, of the gradient that the optimizer is about to use. Row numbers stay valid
    until `thinned` changes: once `max_samples` rows are held, every second row of the older half
    is dropped, so that a long training keeps its whole course at a lower resolution.

    Parameters
    ----------
    parameters : (P,) names in registration order, a shared parameter once.
    layers : (L,) the modules that own them.
    layer_of : (P,) for each parameter the index of its layer.
    max_samples : rows kept; by default 20,000, fewer where P is so large that they would take
        more than 64 MiB, and never fewer than 500.

    Raises
    ------
    ValueError : when the three do not fit together, or `max_samples` is below 4.
    """

    def __init__(
        self,
        parameters: Sequence[str],
        layers: Sequence[LayerInfo],
        layer_of: Sequence[int],
        *,
        max_samples: int | None = None,
    ) -> None:
        if max_samples is None:
            fits = _MEMORY // (_BYTES_A_CELL * max(1, len(parameters)))
            max_samples = int(np.clip(fits, 500, 20_000))
        if max_samples < 4:
            raise ValueError(f"max_samples must be at least 4, got {max_samples}")
        self.max_samples = max_samples
        self.thinned = 0
        """How often every second row of the older half was dropped."""
        self.scalar_log = ScalarLog()
        self._lock = threading.Lock()
        self._count = 0
        self.arrange(parameters, layers, layer_of)

    def arrange(
        self, parameters: Sequence[str], layers: Sequence[LayerInfo], layer_of: Sequence[int]
    ) -> None:
        """Set the columns, while no row is there yet: the forward order shows in the first step.

        Raises
        ------
        ValueError : when the three do not fit together.
        RuntimeError : when there are rows.
        """
        if len(parameters) != len(layer_of):
            raise ValueError(f"{len(parameters)} parameters but {len(layer_of)} layer indices")
        if sorted(set(layer_of)) != list(range(len(layers))):
            raise ValueError("layer_of must name every layer at least once, and no others")
        if self._count:
            raise RuntimeError("the columns of a recording cannot change once it has rows")
        self.parameters = tuple(parameters)
        self.layers = tuple(layers)
        self.layer_of = np.asarray(layer_of, dtype=np.intp)
        # Parameters sorted by layer: one reduceat then gives all layers.
        self._by_layer = np.argsort(self.layer_of, kind="stable")
        self._starts = np.searchsorted(self.layer_of[self._by_layer], np.arange(len(layers)))
        width = len(self.parameters)
        self._steps = np.empty(0, np.int64)
        self._stats = {name: np.empty((0, width), np.float32) for name in STATISTICS}
        self._status = np.empty((0, width), np.uint8)
        self._resize(min(64, self.max_samples), np.arange(0))

    def _resize(self, rows: int, keep: NDArray[np.intp]) -> None:
        """Room for `rows` rows, of which the first are those of `keep`."""

        def moved(column: Any) -> Any:
            fresh = np.empty((rows, *column.shape[1:]), column.dtype)
            fresh[: len(keep)] = column[keep]
            return fresh

        stats = {name: moved(column) for name, column in self._stats.items()}
        steps, status = moved(self._steps), moved(self._status)
        self._steps, self._stats, self._status, self._count = steps, stats, status, len(keep)

    def append(self, step: int, grad_norm: Floats, weight_norm: Floats, status: Codes) -> None:
        """Add one row of (P,) arrays. A norm is NaN where `status` says that there is none."""
        with self._lock:
            if self._count == self.max_samples:
                self._thin()
            elif self._count == len(self._steps):
                self._resize(min(2 * self._count, self.max_samples), np.arange(self._count))
            row = self._count
            self._steps[row] = step
            self._stats["grad_norm"][row] = grad_norm
            self._stats["weight_norm"][row] = weight_norm
            self._status[row] = status
            # Last: an interrupt before this line leaves no half-written row behind.
            self._count = row + 1

    def _thin(self) -> None:
        half = self._count // 2
        self._resize(self.max_samples, np.r_[0:half:2, half : self._count])
        self.thinned += 1

    @property
    def scalars(self) -> dict[str, Series]:
        """By name: (n,) steps and (n,) values that were logged."""
        return self.scalar_log.series()

    def __len__(self) -> int:
        """Number of sampled steps, T."""
        return self._count

    @property
    def steps(self) -> NDArray[np.int64]:
        """(T,) optimizer step of each row; the first step is 1."""
        with self._lock:
            return self._steps[: self._count].copy()

    def parameter_stat(self, name: str) -> Floats:
        """(T, P) "grad_norm" or "weight_norm"; NaN where there was no gradient."""
        self._check(name)
        with self._lock:
            return self._stats[name][: self._count].copy()

    def parameter_status(self) -> Codes:
        """(T, P) 0 ok, 1 no gradient, 2 frozen, 3 NaN, 4 infinite."""
        with self._lock:
            return self._status[: self._count].copy()

    def stat(self, name: str) -> Floats:
        """(T, L) root of the sum of squares over a layer's parameters; NaN where it has none."""
        self._check(name)
        rows = self.rows()
        return rows.grad_norm if name == "grad_norm" else rows.weight_norm

    def status(self) -> Codes:
        """(T, L) the worst status among a layer's trainable parameters.

        NaN over infinite over ok over no gradient: a layer has no gradient only if none of its
        trainable parameters got one, and is frozen only if all of its parameters are.
        """
        return self.rows().status

    def rows(self, start: int = 0, stop: int | None = None) -> Rows:
        """A consistent copy of rows `start` to `stop` for all layers."""
        with self._lock:
            stop = self._count if stop is None else min(stop, self._count)
            start = min(max(0, start), stop)
            return self._take(np.s_[start:stop], start)

    def sketch(self, head: int = 200, middle: int = 400, tail: int = 400) -> Rows:
        """A copy of at most head + middle + tail rows: the first, the last, an even choice between.

        What a judgement over a long training reads, at a cost that does not grow with it. The
        first row that holds a NaN or infinite gradient is always among them.
        """
        with self._lock:
            count = self._count
            if count <= head + middle + tail:
                return self._take(np.s_[:count], 0)
            between = np.linspace(head, count - tail, middle, endpoint=False).astype(np.intp)
            first_bad = np.flatnonzero((self._status[:count] >= NAN).any(axis=1))[:1]
            parts = (np.arange(head), between, np.arange(count - tail, count), first_bad)
            return self._take(np.unique(np.concatenate(parts)), 0)

    def without_gradient(self) -> tuple[str, ...]:
        """Names of the parameters that were trainable and never got a gradient, in any row."""
        with self._lock:
            status = self._status[: self._count]
            missing = (status == NO_GRADIENT).any(axis=0)
            missing &= np.isin(status, (NO_GRADIENT, FROZEN)).all(axis=0)
        return tuple(self.parameters[i] for i in np.flatnonzero(missing))

    def _take(self, index: slice | NDArray[np.intp], start: int) -> Rows:
        status = self._status[index]
        return Rows(
            start,
            self._steps[index].copy(),
            self._layer_norm(self._stats["grad_norm"][index], status),
            self._layer_norm(self._stats["weight_norm"][index], None),
            self._layer_status(status),
            self.thinned,
        )

    def _layer_norm(self, norms: Floats, status: Codes | None) -> Floats:
        squares = norms[:, self._by_layer].astype(np.float64) ** 2
        if status is not None:
            absent = np.isin(status[:, self._by_layer], (NO_GRADIENT, FROZEN))
            squares[absent] = 0.0
        total = np.sqrt(np.add.reduceat(squares, self._starts, axis=1))
        if status is not None:
            total[np.logical_and.reduceat(absent, self._starts, axis=1)] = np.nan
        with np.errstate(over="ignore"):
            return total.astype(np.float32)

    def _layer_status(self, status: Codes) -> Codes:
        rank_to_status = np.array([FROZEN, NO_GRADIENT, OK, INFINITE, NAN], np.uint8)
        rank = np.argsort(rank_to_status).astype(np.uint8)
        worst = np.maximum.reduceat(rank[status[:, self._by_layer]], self._starts, axis=1)
        return rank_to_status[worst]

    @staticmethod
    def _check(name: str) -> None:
        if name not in STATISTICS:
            raise ValueError(f"no statistic {name!r}; recorded are {', '.join(STATISTICS)}")
