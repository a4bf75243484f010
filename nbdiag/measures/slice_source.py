"""From what the user says to slice by, to columns that can be counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nbdiag.measures.columns import column_names, column_of, plain
from nbdiag.measures.grouping import Grouping, UnusableError, group, mask_grouping
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.sample_view import ask
from nbdiag.measures.slices import all_pairs

Pairs = list[tuple[int, int]]
FEW = 20  # samples; of fewer a column is like the classes by chance
NO_METADATA = (
    "these predictions have no metadata, so there is nothing to slice by: give "
    "nd.predict(model, data, metadata=table), a dataframe or dict of columns with a row for each "
    'sample, or name slices yourself, by={"dark": mask}'
)


def read_by(
    by: Any, told: Predictions, at_least: int, bins: int | None
) -> tuple[list[Grouping], Pairs, dict[str, str]]:
    """Groupings, which pairs of them to cross, and why columns were left out.

    Raises
    ------
    ValueError : without metadata; where no column can be used; for a column that was asked for and
        cannot be.
    KeyError : for a column that does not exist.
    TypeError : for anything else than a column, columns, a pair or a mapping.
    """
    if isinstance(by, Mapping):
        return _named(by, told, at_least, bins)
    if hasattr(by, "dtype") and np.ndim(by) == 1 and len(by) == len(told):
        return _named({str(getattr(by, "name", None) or "column"): by}, told, at_least, bins)
    if told.metadata is None:
        raise ValueError(NO_METADATA)
    if by is None:
        return _all_columns(told, at_least, bins)
    names, crossed = _asked(by)
    made = [_grouping(name, column_of(told.metadata, name), at_least, bins) for name in names]
    if crossed is None:
        return made, all_pairs(made), {}
    return made, [(names.index(one), names.index(two)) for one, two in crossed], {}


def _asked(by: Any) -> tuple[list[str], list[tuple[str, str]] | None]:
    """Columns, and the pairs that were named; None where none was: then all are crossed."""
    if isinstance(by, str):
        return [by], []
    if not isinstance(by, list | tuple) or not by:
        raise TypeError(
            "by must be a column, a list of columns, a pair (two columns in a tuple) or a mapping "
            f"of names to masks; got {by!r}"
        )
    items = [by] if isinstance(by, tuple) else list(by)
    names: list[str] = []
    crossed: list[tuple[str, str]] = []
    for item in items:
        pair = isinstance(item, tuple)
        if pair and (len(item) != 2 or item[0] == item[1]):
            raise ValueError(f"a pair is two different columns, got {item!r}")
        names += [str(name) for name in (item if pair else (item,))]
        if pair:
            crossed.append((str(item[0]), str(item[1])))
    return list(dict.fromkeys(names)), crossed or None


def _grouping(name: str, values: np.ndarray, at_least: int, bins: int | None) -> Grouping:
    try:
        return group(name, values, at_least=at_least, bins=bins)
    except UnusableError as error:
        raise ValueError(f"column {name!r} cannot be cut into slices: {error}") from error


def _all_columns(
    told: Predictions, at_least: int, bins: int | None
) -> tuple[list[Grouping], Pairs, dict[str, str]]:
    made, skipped = [], {}
    for name in column_names(told.metadata):
        try:
            grouping = group(name, column_of(told.metadata, name), at_least=at_least, bins=bins)
        except UnusableError as error:
            skipped[name] = str(error)
            continue
        same = _restates(grouping, told)
        if same:
            skipped[name] = same
        else:
            made.append(grouping)
    if not made:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        raise ValueError(
            f"no column of the metadata can be cut into slices ({reasons or 'there is none'}): "
            'name a column, by="...", or slices, by={"dark": mask}'
        )
    return made, all_pairs(made), skipped


def _restates(grouping: Grouping, told: Predictions) -> str:
    """Whether a column only repeats what the predictions hold, which no slice can tell."""
    answers = {
        "it is the true class": told.targets,
        "it is the predicted class": told.predicted + 1,
        "it is whether the model was right": (told.predicted != told.targets).astype(np.int64),
    }
    for said, values in answers.items() if len(told) >= FEW else ():
        size = int(values.max()) + 1
        if len(grouping.labels) > size:
            continue
        joint = np.bincount(grouping.codes * size + values, minlength=len(grouping.labels) * size)
        used = joint.reshape(-1, size) > 0
        if (used.sum(axis=0) <= 1).all() and (used.sum(axis=1) <= 1).all():
            return said
    return ""


def _named(
    by: Mapping[Any, Any], told: Predictions, at_least: int, bins: int | None
) -> tuple[list[Grouping], Pairs, dict[str, str]]:
    """Masks and predicates are slices; a column under a name of its own is cut as any column."""
    if not by:
        raise ValueError("by is an empty mapping: name at least one slice")
    columns: dict[str, np.ndarray] = {}
    for name, given in by.items():
        if not callable(given) and hasattr(given, "__len__") and len(given) == len(told):
            values = plain(given)
            if values.dtype != bool and {type(v) for v in values[:1000].tolist()} - {bool}:
                columns[str(name)] = values
    masks = ask({str(n): g for n, g in by.items() if str(n) not in columns}, told)
    made = [
        _grouping(str(name), columns[str(name)], at_least, bins)
        if str(name) in columns
        else mask_grouping(str(name), masks[str(name)][0])
        for name in by
    ]
    return made, [], {}
