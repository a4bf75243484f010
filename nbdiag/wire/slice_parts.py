"""Parts of a slice table as plain lists and arrays, for the browser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

MATRIX_UP_TO = 20  # classes; of more only the largest confusions are shown
CONFUSIONS = 12
METRICS_UP_TO = 40  # classes that are offered as a metric


def slice_rows(table: Any, at: Sequence[int] | np.ndarray) -> list[dict[str, Any]]:
    """These slices of a `SliceTable`, a dict each."""
    family, judged = table.family, table.judged
    names = [grouping.name for grouping in family.groupings]
    rows = []
    for i in np.asarray(at, int).tolist():
        rate, other = table.rate(i), int(family.other[i])
        rows.append(
            {
                "at": i,
                "title": family.title(i),
                "column": names[family.column[i]],
                "other": names[other] if other >= 0 else "",
                "label": family.groupings[family.column[i]].labels[family.first[i]],
                "n": rate.n,
                "errors": rate.successes,
                "rate": _number(rate.value),
                "low": rate.low,
                "high": rate.high,
                "tested": bool(judged.tested[i]),
                "p": _number(float(judged.p_adjusted[i])),
                "weak": i in judged.weak,
                "explained": judged.explained.get(i, ""),
            }
        )
    return rows


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def table_info(table: Any, metric: str) -> dict[str, Any]:
    """What the header, the controls and the foot say."""
    told, overall = table.predictions, table.overall
    offered = told.class_names if told.n_classes <= METRICS_UP_TO else ()
    return {
        "title": "Slice explorer",
        "samples": len(told),
        "counted": overall.n,
        "classes": list(told.class_names),
        "metric": {"value": metric, "name": table.metric.name},
        "metrics": list(dict.fromkeys(["error", *(f"recall:{c}" for c in offered), metric])),
        "overall": {"value": overall.value, "low": overall.low, "high": overall.high},
        "columns": [{"name": g.name, "kind": g.kind} for g in table.family.groupings],
        "pairs": sorted(pairs_of(table)),
        "total": len(table.order),
        "tested": int(table.judged.tested.sum()),
        "min_support": table.min_support,
        "nonfinite": told.n_nonfinite,
        "skipped": [[name, why] for name, why in table.skipped.items()],
    }


def pairs_of(table: Any) -> set[tuple[int, int]]:
    """Which columns are crossed, by their numbers."""
    family = table.family
    crossed = family.is_pair
    return set(zip(family.column[crossed].tolist(), family.other[crossed].tolist(), strict=True))


def slice_detail(table: Any, at: int) -> dict[str, Any]:
    """The confusion matrix of a slice beside all others', and its largest confusions."""
    inside, whole = table.confusion(at), table.confusion()
    wrong = inside[:, :-1] * ~np.eye(len(inside), dtype=bool)
    largest = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSIONS]
    cells = [divmod(int(cell), len(wrong)) for cell in largest]
    rest = table.rest(at)
    few = len(inside) <= MATRIX_UP_TO
    return {
        "rest": {"value": _number(rest.value), "low": rest.low, "high": rest.high},
        "confusions": [[t, p, int(wrong[t, p])] for t, p in cells if wrong[t, p]],
        "matrix": inside if few else None,
        "others": whole - inside if few else None,
    }


def column_slices(table: Any, name: str) -> np.ndarray:
    """Slices of one column: by rank, or along the axis where it has an order."""
    grouping, family = table.column(name), table.family
    position = family.groupings.index(grouping)
    at = table.order[(family.column[table.order] == position) & (family.other[table.order] < 0)]
    return at[np.lexsort((family.last[at], family.first[at]))] if grouping.ordered else at


def pair_map(table: Any, one: int, two: int) -> dict[str, Any]:
    """The slices of two columns crossed, and where each lies. ValueError for others."""
    if (one, two) not in pairs_of(table):
        raise ValueError(f"the columns {one} and {two} are not crossed")
    family = table.family
    at = np.flatnonzero((family.column == one) & (family.other == two))
    return {
        "columns": [one, two],
        "labels": [list(family.groupings[one].labels), list(family.groupings[two].labels)],
        "cells": [[int(family.first[i]), int(family.cell[i])] for i in at],
        "slices": slice_rows(table, at),
    }


def time_line(table: Any, column: str) -> dict[str, Any]:
    """The rate over time, and the slice of each period."""
    line, grouping = table.over_time(column), table.column(column)
    position = table.family.groupings.index(grouping)
    groups = [grouping.labels.index(label) for label in line.labels]
    return {
        "column": column,
        "period": line.period,
        "labels": list(line.labels),
        "at": line.at.tolist(),
        "slices": [table.family.single(position, group) for group in groups],
        "n": line.n.tolist(),
        "rate": line.rate.tolist(),
        "low": line.low.tolist(),
        "high": line.high.tolist(),
        "shape": line.shape,
        "step": line.step,
        "words": line.words,
    }
