"""The columns of the metadata, cut into a few values to filter by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nbdiag.measures.columns import codes_of, column_names, column_of, plain
from nbdiag.measures.grouping import ID_NAMES, MISSING, UnusableError, group
from nbdiag.measures.metadata import take_rows

VALUES = 12  # of a category that are named; the rest are "other"
BINS = 5
OTHER = "other"
GLANCE = 5000
KINDS: dict[str, Literal["category", "number", "time"]] = {"number": "number", "time": "time"}


@dataclass(frozen=True, eq=False)
class Facet:
    """A column cut into values.

    Attributes
    ----------
    name : of the column.
    kind : numbers are cut into ranges of similar size, times into periods; both in their order.
        Categories stand by how often they occur, "other" last.
    labels : K values.
    codes : (N,) int32, the value of each sample; -1 where it is missing.
    """

    name: str
    kind: Literal["category", "number", "time"]
    labels: tuple[str, ...]
    codes: np.ndarray


def facets(metadata: Any, *, values: int = VALUES, bins: int = BINS) -> tuple[Facet, ...]:
    """Columns that group the samples, in their order.

    Left out are columns that hold one value, that name samples (ids, paths, texts), and that hold
    something else than one value a sample (boxes, masks).

    Parameters
    ----------
    metadata : a pandas or polars dataframe, an Arrow table, a dict of columns or a structured
        array; None gives no facet.
    values : of a category, the commonest that are named; the others together are "other".
    bins : ranges of a column of numbers.

    >>> (sensor,) = facets({"sensor": ["a", "b", "a", None], "id": [1, 2, 3, 4]})
    >>> sensor.kind, sensor.labels, sensor.codes.tolist()
    ('category', ('a', 'b'), [0, 1, 0, -1])
    """
    if metadata is None:
        return ()
    found = []
    for name in column_names(metadata):
        some = _glance(metadata, name)
        # A million file names need not be read to see that they are names.
        if some is None or (some.dtype == object and len(some) > 1000 and _differ(some)):
            continue
        made = _facet(name, column_of(metadata, name), values, bins)
        if made is not None:
            found.append(made)
    return tuple(found)


def _glance(metadata: Any, name: str) -> np.ndarray | None:
    """Some values of a column, or None for one that holds no single value a sample."""
    key = next((k for k in _keys(metadata) if str(k) == name), name)
    column = metadata[key]
    if getattr(column, "ndim", 1) != 1:
        return None
    rows = np.unique(np.linspace(0, max(len(column) - 1, 0), GLANCE).astype(np.int64))
    some = take_rows({"": column}, rows[: len(column)])[""]
    for value in some:
        if value is not None and hasattr(value, "__len__") and not isinstance(value, str | bytes):
            return None
    return plain(some)


def _keys(metadata: Any) -> Iterable[Any]:
    """What the table calls its columns, which may be no words."""
    return metadata if isinstance(metadata, Mapping) else getattr(metadata, "columns", ())


def _differ(some: np.ndarray) -> bool:
    known = [value for value in some.tolist() if value is not None]
    return len(set(known)) > 0.95 * len(known) > 0


def _facet(name: str, column: np.ndarray, values: int, bins: int) -> Facet | None:
    if name.lower() in ID_NAMES and 1 < len(column) == len(set(column.tolist())):
        return None
    try:
        if column.dtype.kind in "fiuM":
            made = group(name, column, at_least=max(1, len(column) // 200), bins=bins)
            codes, labels = np.asarray(made.codes), list(made.labels)
            if made.ordered < len(labels) and labels[-1] == MISSING:
                codes, labels = np.where(codes == len(labels) - 1, -1, codes), labels[:-1]
            kind = KINDS.get(made.kind, "category")
        else:
            codes, labels = _commonest(name, column, values)
            kind = "category"
    except UnusableError:
        return None
    if not labels or (len(labels) == 1 and not (codes < 0).any()):
        return None
    codes = codes.astype(np.int32)
    codes.flags.writeable = False
    return Facet(name, kind, tuple(labels), codes)


def _commonest(name: str, column: np.ndarray, values: int) -> tuple[np.ndarray, list[str]]:
    codes, levels = codes_of(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    n, distinct = int(counts.sum()), len(levels)
    if distinct > max(20, n / 2) or (distinct == n > 2 and name.lower() in ID_NAMES):
        raise UnusableError(f"{distinct:,} distinct values in {n:,} samples: it names samples")
    order = np.argsort(-counts, kind="stable")
    kept = order if distinct <= values else order[: values - 1]
    if distinct > 20 and counts[kept[0]] * 50 < n and n > 1000:
        raise UnusableError("even its commonest value is rare")
    changed = np.full(distinct + 1, len(kept))
    changed[kept] = np.arange(len(kept))
    changed[-1] = -1  # missing
    labels = [str(levels[i]) for i in kept]
    if len(kept) == distinct:
        return changed[codes], labels
    other = OTHER if OTHER not in labels else f"all {OTHER}"
    return changed[codes], [*labels, other]
