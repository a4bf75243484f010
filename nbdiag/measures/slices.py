"""Which samples count, which slices there are, and how many samples of each are wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nbdiag.measures.grouping import Grouping
from nbdiag.measures.predictions import Predictions

PAIR_CELLS = 4000  # of two columns crossed; beyond that hardly a cell has samples enough
RANGES_UP_TO = 30  # groups in order: beyond that a range is not looked for


@dataclass(frozen=True)
class Metric:
    """The share that is looked at: which samples count, and which of them are bad.

    Attributes
    ----------
    kind : ``"error"`` (all samples, the wrong ones), ``"recall"`` (samples of one class, the missed
        ones) or ``"precision"`` (answers of one class, the false ones).
    of_class : the class of recall or precision, else -1.
    name : in words, as an axis says it.
    """

    kind: str = "error"
    of_class: int = -1
    name: str = "error rate"

    @classmethod
    def read(cls, given: str, class_names: Sequence[str]) -> Metric:
        """``"error"``, ``"recall:cat"`` or ``"precision:cat"``; ValueError for anything else."""
        kind, _, label = str(given).partition(":")
        if kind in ("error", "accuracy") and not label:
            return cls()
        if kind not in ("recall", "precision"):
            raise ValueError(
                f'metric must be "error", "recall:CLASS" or "precision:CLASS", got {given!r}'
            )
        if label not in class_names:
            known = ", ".join(class_names[:40])
            raise ValueError(f"no class {label!r} for metric {given!r}; classes: {known}")
        words = "share missed of" if kind == "recall" else "false share of answers"
        return cls(kind, list(class_names).index(label), f"{words} {label}")

    def __str__(self) -> str:
        return self.name

    def counted(self, told: Predictions) -> tuple[np.ndarray | None, np.ndarray]:
        """Rows that count (None: all), and (N,) bool which of those rows are bad.

        An answer that is not finite is wrong, and the answer of no class.
        """
        if self.kind == "error":
            return None, told.predicted != told.targets
        of = told.targets if self.kind == "recall" else told.predicted
        other = told.predicted if self.kind == "recall" else told.targets
        rows = np.flatnonzero(of == self.of_class)
        return rows, other[rows] != self.of_class


@dataclass(frozen=True)
class Family:
    """All slices that are looked at together, S of them, as arrays.

    Attributes
    ----------
    groupings : G columns; codes only of the samples that count.
    column, first, last : (S,) int, the column of a slice, its first and its last group.
    other, cell : (S,) int, of a pair the second column and its group, else -1.
    n, errors : (S,) int, samples and bad ones.
    total, total_errors : of all samples.
    """

    groupings: tuple[Grouping, ...]
    column: np.ndarray
    first: np.ndarray
    last: np.ndarray
    other: np.ndarray
    cell: np.ndarray
    n: np.ndarray
    errors: np.ndarray
    total: int
    total_errors: int

    def __len__(self) -> int:
        return len(self.n)

    @property
    def is_pair(self) -> np.ndarray:
        return self.other >= 0

    @property
    def is_range(self) -> np.ndarray:
        return self.last > self.first

    def title(self, at: int) -> str:
        """A slice as a reader names it: ``sensor = cam3`` or ``sensor = cam3, night = True``."""
        one = self.groupings[self.column[at]].title(self.first[at], self.last[at])
        if self.other[at] < 0:
            return one
        return f"{one}, {self.groupings[self.other[at]].title(self.cell[at])}"

    def inside(self, at: int) -> np.ndarray:
        """(N,) bool: the counted samples in a slice."""
        codes = self.groupings[self.column[at]].codes
        first, last = self.first[at], self.last[at]
        found = codes == first if first == last else (codes >= first) & (codes <= last)
        if self.other[at] >= 0:
            found &= self.groupings[self.other[at]].codes == self.cell[at]
        return found

    def single(self, column: int, group: int) -> int:
        """Where the slice of one group of one column stands."""
        found = (self.column == column) & (self.first == group) & (self.last == group)
        return int(np.flatnonzero(found & (self.other < 0))[0])


def count(
    groupings: Sequence[Grouping], bad: np.ndarray, pairs: Sequence[tuple[int, int]]
) -> Family:
    """Count every group, every range of groups that have an order, and every pair that is asked.

    ``bad`` (N,) bool. Of a mask only the samples inside are a slice.
    """
    parts: list[tuple[np.ndarray, ...]] = []
    for at, grouping in enumerate(groupings):
        n, errors = _counts(grouping.codes, bad, len(grouping.labels))
        for first, last in _spans(grouping):
            parts.append(
                _rows(
                    at, first, last, -1, -1, _between(n, first, last), _between(errors, first, last)
                )
            )
    for one, two in pairs:
        a, b = groupings[one], groupings[two]
        wide = len(b.labels)
        joint = a.codes.astype(np.int64) * wide + b.codes
        n, errors = _counts(joint, bad, len(a.labels) * wide)
        cells = np.flatnonzero(n)
        if a.kind == "mask":
            cells = cells[cells // wide == 1]
        if b.kind == "mask":
            cells = cells[cells % wide == 1]
        parts.append(
            _rows(one, cells // wide, cells // wide, two, cells % wide, n[cells], errors[cells])
        )
    column, first, last, other, cell, n, errors = (
        np.concatenate(part).astype(np.int64) for part in zip(*parts, strict=True)
    )
    total_errors = int(np.count_nonzero(bad))
    return Family(
        tuple(groupings), column, first, last, other, cell, n, errors, len(bad), total_errors
    )


def _counts(codes: np.ndarray, bad: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    return np.bincount(codes, minlength=groups), np.bincount(codes[bad], minlength=groups)


def _spans(grouping: Grouping) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    groups = np.arange(1 if grouping.kind == "mask" else 0, len(grouping.labels))
    yield groups, groups
    k = grouping.ordered
    if 3 <= k <= RANGES_UP_TO:
        first, last = np.triu_indices(k, 1)
        whole = (first == 0) & (last == k - 1)
        yield first[~whole], last[~whole]


def _between(counts: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    summed = np.concatenate([[0], np.cumsum(counts)])
    return summed[last + 1] - summed[first]


def _rows(column: int, first: np.ndarray, last: np.ndarray, other: int, cell: object,
          n: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, ...]:  # fmt: skip
    size = len(first)
    return (
        np.full(size, column),
        first,
        last,
        np.full(size, other),
        np.broadcast_to(np.asarray(cell), size),
        n,
        errors,
    )


def all_pairs(groupings: Sequence[Grouping]) -> list[tuple[int, int]]:
    """Pairs of columns that are worth crossing: not too many cells, and no pair of masks."""
    found = []
    for one in range(len(groupings)):
        for two in range(one + 1, len(groupings)):
            a, b = groupings[one], groupings[two]
            small = len(a.labels) * len(b.labels) <= PAIR_CELLS
            if small and not (a.kind == b.kind == "mask"):
                found.append((one, two))
    return found
