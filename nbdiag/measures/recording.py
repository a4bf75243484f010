"""What a training left behind: one row a sampled optimizer step, one column a parameter."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.activation_log import ActivationInfo, ActivationLog
from nbdiag.measures.histograms import HistogramLog
from nbdiag.measures.scalar_series import Series
from nbdiag.measures.scalars import ScalarLog, scalars_to
from nbdiag.measures.timeline import Timeline

Floats = NDArray[np.float32]
Codes = NDArray[np.uint8]

OK, NO_GRADIENT, FROZEN, NAN, INFINITE = range(5)
STATUS_NAMES = ("ok", "no gradient", "frozen", "NaN", "infinite")

STATISTICS = (
    "grad_norm",
    "grad_norm_raw",
    "weight_norm",
    "update_norm",
    "grad_zeros",
    "grad_nonfinite",
)
DERIVED = ("grad_rms", "update_ratio")
_BYTES_A_CELL = 4 * len(STATISTICS) + 1
_MEMORY = 64 * 2**20

Op = dict[str, Any]
"""One thing that was recorded, as plain numbers and arrays: what a journal gets."""


@dataclass(frozen=True)
class LayerInfo:
    """A module that owns parameters directly, or one of the layers that a recurrent one stacks.

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
    """A consistent copy of some rows, by layer. NaN where a layer has no gradient."""

    start: int
    steps: NDArray[np.int64]
    """(T,) optimizer step number; the first step is 1."""
    grad_norm: Floats
    """(T, L) norm of the gradient as the optimizer used it: unscaled, summed up, clipped."""
    grad_norm_raw: Floats
    """(T, L) the same before clipping; NaN where it was not seen."""
    weight_norm: Floats
    """(T, L) before the step."""
    update_norm: Floats
    """(T, L) norm of the change that the step made; NaN where it was not seen."""
    grad_zeros: Floats
    """(T, L) share of gradient entries that are exactly zero."""
    grad_nonfinite: Floats
    """(T, L) number of gradient entries that are NaN or infinite."""
    status: Codes
    """(T, L)"""
    thinned: int
    """`Recording.thinned` at the time of the copy: row numbers hold only while it is the same."""

    @property
    def update_ratio(self) -> Floats:
        """(T, L) norm of the change over norm of the weights; NaN where the weights are zero."""
        return _ratio(self.update_norm, self.weight_norm)


class Recording:
    """Append-only columns of what was measured; safe to read while a training writes.

    Norms are Euclidean. Row numbers stay valid until `thinned` changes: once `max_samples` rows
    are held, every second row is dropped, and from then on every second one that comes, so that a
    long training keeps its whole course at a lower resolution; of two neighbours one with a NaN or
    infinite gradient stays.

    Parameters
    ----------
    parameters : (P,) names in registration order, a shared parameter once.
    layers : (L,) the modules that own them.
    layer_of : (P,) for each parameter the index of its layer.
    sizes : (P,) number of entries of each; by default 1.
    max_samples : rows kept; by default 20,000, fewer where P is so large that they would take
        more than 64 MiB, and never fewer than 500.

    Raises
    ------
    ValueError : when these do not fit together, or `max_samples` is below 4.
    """

    def __init__(
        self,
        parameters: Sequence[str],
        layers: Sequence[LayerInfo],
        layer_of: Sequence[int],
        sizes: Sequence[int] | None = None,
        *,
        max_samples: int | None = None,
    ) -> None:
        if max_samples is None:
            fits = _MEMORY // (_BYTES_A_CELL * max(1, len(parameters)))
            max_samples = int(np.clip(fits, 500, 20_000))
        if max_samples < 4:
            raise ValueError(f"max_samples must be at least 4, got {max_samples}")
        self.max_samples = max_samples
        self.scalar_log = ScalarLog()
        self.journal = None
        self.activations = ActivationLog()
        self.remarks: dict[str, str] = {}
        self._lock = threading.Lock()
        self._version = 0
        self._lines = self._line(0)
        self.arrange(parameters, layers, layer_of, sizes)

    def _line(self, width: int) -> Timeline:
        columns: dict[str, tuple[Any, tuple[int, ...]]] = {
            "step": (np.int64, ()),
            "status": (np.uint8, (width,)),
            "stats": (np.float32, (len(STATISTICS), width)),
        }
        return Timeline(columns, max_rows=self.max_samples, marked=_not_finite)

    def arrange(
        self,
        parameters: Sequence[str],
        layers: Sequence[LayerInfo],
        layer_of: Sequence[int],
        sizes: Sequence[int] | None = None,
    ) -> None:
        """Set the columns, while no row is there yet: the forward order shows in the first step.

        Raises
        ------
        ValueError : when these do not fit together.
        RuntimeError : when there are rows.
        """
        if len(parameters) != len(layer_of):
            raise ValueError(f"{len(parameters)} parameters but {len(layer_of)} layer indices")
        if sizes is not None and len(sizes) != len(parameters):
            raise ValueError(f"{len(parameters)} parameters but {len(sizes)} sizes")
        if sorted(set(layer_of)) != list(range(len(layers))):
            raise ValueError("layer_of must name every layer at least once, and no others")
        if len(self._lines):
            raise RuntimeError("the columns of a recording cannot change once it has rows")
        self.parameters = tuple(parameters)
        self.layers = tuple(layers)
        self.layer_of = np.asarray(layer_of, dtype=np.intp)
        self.sizes = np.ones(len(parameters), np.int64) if sizes is None else np.asarray(sizes)
        # Parameters sorted by layer: one reduceat then gives all layers.
        self._by_layer = np.argsort(self.layer_of, kind="stable")
        self._starts = np.searchsorted(self.layer_of[self._by_layer], np.arange(len(layers)))
        self._lines = self._line(len(self.parameters))
        self.histograms = HistogramLog(len(self.parameters))

    # Writing -----------------------------------------------------------------------------------

    def apply(self, op: Op) -> None:
        """Record one thing: "row", "track", "activation", "note", "histogram", "remark", "scalar".

        Raises
        ------
        ValueError : for another kind of op.
        """
        kind = op["op"]
        if kind == "row":
            stats = op.get("stats")
            if stats is None:
                stats = np.empty((len(STATISTICS), len(self.parameters)), np.float32)
                for line, name in zip(stats, STATISTICS, strict=True):
                    line[:] = op[name]
            with self._lock:
                self._lines.append({"step": op["step"], "status": op["status"], "stats": stats})
        elif kind == "track":
            self.activations.open(ActivationInfo(**op["info"]))
        elif kind == "activation":
            self.activations[op["track"]].add(
                op["step"], op["inputs"], op["values"], op["numbers"], op["active"], op["stuck"]
            )
        elif kind == "histogram":
            self.histograms.add(op["kind"], op)
        elif kind == "note":
            if op["text"] in self.activations.notes:
                return
            self.activations.notes.append(op["text"])
        elif kind == "remark":
            self.remarks[op["about"]] = op["text"]
        elif kind == "scalar":
            self.scalar_log.put(op["name"], op["step"], op["value"])
            return  # it reports itself
        else:
            raise ValueError(f"a recording knows no op {kind!r}")
        self._version += 1
        if self.journal is not None:
            self.journal(op)

    @property
    def journal(self) -> Callable[[Op], None] | None:
        """Gets everything that is recorded; the same ops through `apply` give the same again."""
        return self._journal

    @journal.setter
    def journal(self, journal: Callable[[Op], None] | None) -> None:
        self._journal = journal
        self.scalar_log.on_value = None if journal is None else scalars_to(journal)

    def append(
        self, step: int, grad_norm: Floats, weight_norm: Floats, status: Codes, **more: Floats
    ) -> None:
        """Add one row of (P,) arrays; of the other `STATISTICS`, what is left out is NaN.

        A norm is NaN where `status` says that there is none.
        """
        row: Op = dict.fromkeys(STATISTICS, _UNKNOWN)
        row.update(more, op="row", step=step, status=status)
        row.update(grad_norm=grad_norm, weight_norm=weight_norm)
        self.apply(row)

    def append_row(self, step: int, status: Codes, stats: Floats) -> None:
        """The same with all `STATISTICS` as one array (6, P), which is not changed later."""
        row: Op = {"op": "row", "step": step, "status": status, "stats": stats}
        if self.journal is not None:
            row.update(zip(STATISTICS, stats, strict=True))
        self.apply(row)

    # Reading -----------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Goes up with everything that is recorded."""
        self.scalar_log.settle()
        return self._version + self.scalar_log.count

    @property
    def thinned(self) -> int:
        """How often every second row was dropped."""
        return self._lines.thinned

    @property
    def scalars(self) -> dict[str, Series]:
        """By name: steps, values and the range of what was merged, of each logged series."""
        return self.scalar_log.series()

    def __len__(self) -> int:
        """Number of sampled steps, T."""
        return len(self._lines)

    @property
    def steps(self) -> NDArray[np.int64]:
        """(T,) optimizer step of each row; the first step is 1."""
        with self._lock:
            return self._lines.column("step")

    def parameter_stat(self, name: str) -> Floats:
        """(T, P) one of `STATISTICS`, or "grad_rms", "update_ratio"; NaN where unknown."""
        self._check(name)
        if name == "grad_rms":
            rms = self.parameter_stat("grad_norm") / np.sqrt(self.sizes)
            return rms.astype(np.float32)
        with self._lock:
            if name == "update_ratio":
                return _ratio(self._peek("update_norm"), self._peek("weight_norm"))
            return self._peek(name).copy()

    def parameter_status(self) -> Codes:
        """(T, P) 0 ok, 1 no gradient, 2 frozen, 3 NaN, 4 infinite."""
        with self._lock:
            return self._lines.column("status")

    def stat(self, name: str) -> Floats:
        """(T, L) as `parameter_stat`, by layer: norms as the root of the sum of squares over its
        parameters, the share of zeros weighted by size, counts summed; NaN where it has none.
        """
        self._check(name)
        rows = self.rows()
        if name == "grad_rms":
            totals = np.add.reduceat(self.sizes[self._by_layer], self._starts)
            return (rows.grad_norm / np.sqrt(totals)).astype(np.float32)
        return getattr(rows, name)

    def status(self) -> Codes:
        """(T, L) the worst status among a layer's trainable parameters.

        NaN over infinite over ok over no gradient: a layer has no gradient only if none of its
        trainable parameters got one, and is frozen only if all of its parameters are.
        """
        return self.rows().status

    def rows(self, start: int = 0, stop: int | None = None) -> Rows:
        """A consistent copy of rows `start` to `stop` for all layers."""
        with self._lock:
            count = len(self._lines)
            stop = count if stop is None else min(stop, count)
            start = min(max(0, start), stop)
            return self._take(np.s_[start:stop], start)

    def sketch(self, head: int = 200, middle: int = 400, tail: int = 400) -> Rows:
        """A copy of at most head + middle + tail rows: the first, the last, an even choice between.

        What a judgement over a long training reads, at a cost that does not grow with it. The
        first row that holds a NaN or infinite gradient is always among them.
        """
        with self._lock:
            count = len(self._lines)
            if count <= head + middle + tail:
                return self._take(np.s_[:count], 0)
            between = np.linspace(head, count - tail, middle, endpoint=False).astype(np.intp)
            first_bad = np.flatnonzero((self._lines.peek("status") >= NAN).any(axis=1))[:1]
            parts = (np.arange(head), between, np.arange(count - tail, count), first_bad)
            return self._take(np.unique(np.concatenate(parts)), 0)

    def without_gradient(self) -> tuple[str, ...]:
        """Names of the parameters that were trainable and never got a gradient, in any row."""
        with self._lock:
            status = self._lines.peek("status")
            missing = (status == NO_GRADIENT).any(axis=0)
            missing &= np.isin(status, (NO_GRADIENT, FROZEN)).all(axis=0)
        return tuple(self.parameters[i] for i in np.flatnonzero(missing))

    def _peek(self, name: str) -> Floats:
        return self._lines.peek("stats")[:, STATISTICS.index(name)]

    def _take(self, index: slice | NDArray[np.intp], start: int) -> Rows:
        data = {name: self._peek(name)[index][:, self._by_layer] for name in STATISTICS}
        status = self._lines.peek("status")[index][:, self._by_layer]
        absent = np.isin(status, (NO_GRADIENT, FROZEN))
        return Rows(
            start,
            self._lines.column("step", index),
            self._norm(data["grad_norm"], absent),
            self._norm(data["grad_norm_raw"], absent),
            self._norm(data["weight_norm"], np.zeros_like(absent)),
            self._norm(data["update_norm"], status == FROZEN),
            self._share(data["grad_zeros"], absent),
            self._sum(data["grad_nonfinite"], absent),
            self._worst(status),
            self._lines.thinned,
        )

    def _sum(self, values: Any, absent: NDArray[np.bool_]) -> Floats:
        """Sums a layer over the parameters that are not `absent`; NaN where all are."""
        total = np.add.reduceat(np.where(absent, 0.0, values), self._starts, axis=1)
        total[np.logical_and.reduceat(absent, self._starts, axis=1)] = np.nan
        with np.errstate(over="ignore"):
            return total.astype(np.float32)

    def _norm(self, norms: Floats, absent: NDArray[np.bool_]) -> Floats:
        squares = np.where(absent, 0.0, norms.astype(np.float64) ** 2)
        total = np.sqrt(np.add.reduceat(squares, self._starts, axis=1))
        total[np.logical_and.reduceat(absent, self._starts, axis=1)] = np.nan
        with np.errstate(over="ignore"):
            return total.astype(np.float32)

    def _share(self, shares: Floats, absent: NDArray[np.bool_]) -> Floats:
        sizes = np.where(absent, 0, self.sizes[self._by_layer])
        weighted = self._sum(shares * sizes, absent)
        total = np.maximum(1, np.add.reduceat(sizes, self._starts, axis=1))
        return (weighted / total).astype(np.float32)

    def _worst(self, status: Codes) -> Codes:
        rank_to_status = np.array([FROZEN, NO_GRADIENT, OK, INFINITE, NAN], np.uint8)
        rank = np.argsort(rank_to_status).astype(np.uint8)
        return rank_to_status[np.maximum.reduceat(rank[status], self._starts, axis=1)]

    @staticmethod
    def _check(name: str) -> None:
        known = STATISTICS + DERIVED
        if name not in known:
            raise ValueError(f"no statistic {name!r}; recorded are {', '.join(known)}")


_UNKNOWN = np.float32(np.nan)


def _not_finite(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Rows that are kept when their neighbours go: where a gradient was NaN or infinite."""
    return np.logical_or.reduce(columns["status"] >= NAN, axis=1)


def _ratio(change: Floats, weights: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return np.where(weights > 0, change / weights, np.nan).astype(np.float32)
