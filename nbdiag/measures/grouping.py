"""Cutting the samples by one column of their metadata: values, ranges, periods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from nbdiag.measures.binning import number, periods, quantile_edges, range_name
from nbdiag.measures.columns import codes_of

Kind = Literal["category", "boolean", "number", "time", "mask"]
FEW_NUMBERS = 12  # numbers with so few distinct values are values, not ranges
NAMED_AT_MOST = 1000  # values of a category that are slices of their own
MISSING, RARE = "missing", "rare values"
ID_NAMES = {"id", "ids", "idx", "index", "uuid", "guid", "key", "rowid", "unnamed: 0"}


class UnusableError(ValueError):
    """Why a column cannot be cut into slices."""


@dataclass(frozen=True)
class Grouping:
    """Every sample in one of K groups.

    Attributes
    ----------
    name : of the column.
    kind : what the column holds.
    codes : (N,) int32, the group of each sample.
    labels : K names; the groups of `number` and `time` are in their order.
    ordered : how many groups, from the first, have an order; missing values stand behind them.
    period : the period of a time column ("month"), else empty.
    edges : what cuts a column of numbers into ranges, else empty.
    whole, ends : whether those are whole numbers; the smallest and the largest.
    positions : of a time column, how many periods after the first each group is.
    """

    name: str
    kind: Kind
    codes: np.ndarray
    labels: tuple[str, ...]
    ordered: int = 0
    period: str = ""
    edges: tuple[float, ...] = ()
    whole: bool = False
    ends: tuple[float, float] = (-np.inf, np.inf)
    positions: tuple[int, ...] = ()

    def title(self, first: int, last: int | None = None) -> str:
        """A group, or the range from one group to another, as a reader names it.

        >>> made = Grouping("light", "number", np.zeros(1, np.int32),
        ...                 ("below 0.1", "0.1 to 0.5", "0.5 and above"), 3, edges=(0.1, 0.5))
        >>> made.title(0), made.title(0, 1)
        ('light below 0.1', 'light below 0.5')
        """
        last = first if last is None else last
        label = self.labels[first] if first == last else self._span(first, last)
        if self.kind == "mask":
            return self.name
        if label in (MISSING, RARE):
            return f"{self.name}: {label}"
        if self.kind == "time":
            return f"{self.name} {label}"
        plain = self.kind == "number" and not label[:1].isdigit() and not label.startswith("-")
        return f"{self.name} {label}" if plain else f"{self.name} = {label}"

    def at(self, rows: np.ndarray) -> Grouping:
        """The same groups, of some of the samples."""
        return replace(self, codes=self.codes[rows])

    def _span(self, first: int, last: int) -> str:
        start, end = self.labels[first], self.labels[last]
        if self.kind == "time":
            if last == self.ordered - 1:
                return f"from {start} on"
            return f"up to {end}" if first == 0 else f"{start} to {end}"
        if not self.edges:
            return f"{start} to {end}"
        return range_name(np.array(self.edges), first, last, self.whole, self.ends)


def group(name: str, values: np.ndarray, *, at_least: int, bins: int | None = None) -> Grouping:
    """Cut a column, by its kind.

    Words and truth values by value; numbers into ranges of similar size (`quantile_edges`), few
    whole numbers by value; times into the finest period that fits (`periods`). Missing values are a
    group, and so are all the values too rare to be judged, where there are many.

    Raises
    ------
    UnusableError : for a column that names samples instead of grouping them, or holds one value.
    """
    kind = values.dtype.kind
    if kind == "f" or kind in "iu":
        return _numbers(name, values, at_least, bins)
    if kind == "M":
        return _times(name, values, at_least)
    codes, levels = codes_of(values, at_most=max(20, len(values) / 2))
    n, distinct = len(values), len(levels)
    if distinct > max(20, n / 2) or (distinct == n and n > 2 and name.lower() in ID_NAMES):
        raise UnusableError(f"{distinct:,} distinct values in {n:,} samples: it names samples")
    labels = [str(level) for level in levels]
    if distinct > 20:
        codes, labels = _rare_together(codes, labels, at_least)
        if len(labels) == 1 and not (codes < 0).any():
            raise UnusableError(f"none of its {distinct:,} values has {at_least} samples")
    boolean = {type(level) for level in levels} == {bool}
    return _finished(name, "boolean" if boolean else "category", codes, labels, 0)


def _rare_together(
    codes: np.ndarray, labels: list[str], at_least: int
) -> tuple[np.ndarray, list[str]]:
    """Values with fewer than ``at_least`` samples, or beyond `NAMED_AT_MOST`, as one group."""
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    kept = np.flatnonzero(counts >= at_least)
    if len(kept) > NAMED_AT_MOST:
        kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")[:NAMED_AT_MOST]])
    if len(kept) == len(labels):
        return codes, labels
    changed = np.full(len(labels) + 1, len(kept))
    changed[kept] = np.arange(len(kept))
    changed[-1] = -1  # missing
    return changed[codes], [*(labels[i] for i in kept), RARE]


def _numbers(name: str, values: np.ndarray, at_least: int, bins: int | None) -> Grouping:
    known = np.sort(values[~np.isnan(values)])
    distinct = 1 + np.count_nonzero(known[1:] != known[:-1]) if len(known) else 0
    finite = known[np.isfinite(known)]
    whole = bool((finite == np.floor(finite)).all())
    n, lower = len(values), name.lower()
    is_id = lower in ID_NAMES or lower.endswith(("_id", " id", "_idx", "_index"))
    counted = len(finite) and finite[-1] - finite[0] == n - 1  # 1, 2, 3...: the row's number
    if whole and distinct == n and n > 20 and (is_id or counted):
        raise UnusableError(f"a number of its own for each of {n:,} samples: it names samples")
    if is_id and whole and distinct > max(20, n / 2):
        raise UnusableError(f"{distinct:,} distinct numbers in {n:,} samples: it names samples")
    if distinct <= FEW_NUMBERS and (whole or n >= 5 * distinct):
        codes, levels = codes_of(values)
        return _finished(name, "number", codes, [number(v) for v in levels], len(levels))
    edges = quantile_edges(finite, bins or bins_for(n))
    if not len(edges):
        raise UnusableError("it holds one value")
    codes = np.searchsorted(edges, values, side="right")
    codes = np.where(np.isnan(values), -1, codes)
    ends = float(known[0]), float(known[-1])
    labels = [range_name(edges, i, i, whole, ends) for i in range(len(edges) + 1)]
    made = _finished(name, "number", codes, labels, len(labels))
    return replace(made, edges=tuple(edges.tolist()), whole=whole, ends=ends)


def bins_for(n: int) -> int:
    """Ranges of a number: 4 of a few hundred samples, 10 of many thousands."""
    return int(np.clip(round((n / 100) ** 0.5), 4, 10))


def _times(name: str, values: np.ndarray, at_least: int) -> Grouping:
    known = ~np.isnat(values)
    if not known.any():
        raise UnusableError("it holds one value")
    period, numbers, labels = periods(values[known], at_least)
    used = np.flatnonzero(np.bincount(numbers))
    codes = np.full(len(values), -1)
    codes[known] = np.searchsorted(used, numbers)
    made = _finished(name, "time", codes, labels, len(labels), period)
    return replace(made, positions=tuple(used.tolist()))


def _finished(
    name: str, kind: Kind, codes: np.ndarray, labels: list[str], ordered: int, period: str = ""
) -> Grouping:
    """Missing values as the last group; a column of one group is not usable."""
    if (codes < 0).any():
        codes = np.where(codes < 0, len(labels), codes)
        labels = [*labels, MISSING]
    if len(labels) < 2:
        raise UnusableError("it holds one value")
    codes = codes.astype(np.int32)
    codes.flags.writeable = False
    return Grouping(name, kind, codes, tuple(labels), ordered, period)


def mask_grouping(name: str, mask: Any) -> Grouping:
    """Two groups, of which the second is the slice."""
    codes = np.asarray(mask, np.int32)
    codes.flags.writeable = False
    return Grouping(name, "mask", codes, (f"not {name}", name))
