"""Which group and which time does each sample belong to? Found where the user keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from nbdiag.measures.columns import column_names, column_of
from nbdiag.measures.data_split import Split
from nbdiag.measures.findings import Finding
from nbdiag.measures.metadata import take_rows
from nbdiag.measures.split_overlap import GROUP_NAMES, judge_groups, judge_times
from nbdiag.probes.data import metadata_of
from nbdiag.probes.samples import is_frame

SPLITS = ("train", "val", "test")


def judge_overlap(
    data: Mapping[str, Any], splits: Sequence[Split], metadata: Any, groups: Any, time: Any
) -> list[Finding]:
    """Findings about groups and times, of what `inspect_data` was given.

    Raises ValueError for a column that does not exist, or one of another length than its split;
    TypeError for splits given in another form.
    """
    tables = _tables(data, metadata)
    found: list[Finding] = []
    for asked, judge, what in ((groups, judge_groups, "groups"), (time, judge_times, "time")):
        if asked is None:
            continue
        columns, name = _columns(asked, what, tables, data)
        if len(columns) < 2:
            continue
        found += judge(_of_samples(columns, splits, name), name)
    if groups is None:
        found += _supposed(tables, splits)
    return found


def _tables(data: Mapping[str, Any], metadata: Any) -> dict[str, Any]:
    """The metadata of each split: given, the data set's own, or a dataframe that the split is."""
    given = {} if metadata is None else by_split(metadata, "metadata", data)
    tables = {}
    for name, one in data.items():
        table = given.get(name)
        if table is None:
            table = metadata_of(one.dataset if isinstance(one, DataLoader) else one)
        if table is None:
            first = one[0] if isinstance(one, tuple) and len(one) == 2 else one
            table = first if is_frame(first) else None
        if table is not None:
            tables[name] = table
    return tables


def by_split(given: Any, what: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """``{"train": ..., "val": ...}`` of a dict, or of a list in the order train, val, test."""
    if isinstance(given, Mapping) and given and set(given) <= set(SPLITS):
        unknown = [name for name in given if name not in data]
        if unknown:
            raise ValueError(f"{what} names {unknown[0]}, which was not given as data")
        return dict(given)
    if isinstance(given, list | tuple) and len(given) == len(data):
        return dict(zip(data, given, strict=True))
    raise TypeError(
        f"{what} must be given for each split, as {{'train': ..., 'val': ...}} or as a list in "
        f"that order with {len(data)} entries, got {type(given).__name__}"
    )


def _columns(
    asked: Any, what: str, tables: Mapping[str, Any], data: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    """Split -> its column, and what it is called."""
    if not isinstance(asked, str):
        return by_split(asked, what, data), what.removesuffix("s")
    columns = {}
    for name in data:
        table = tables.get(name)
        known = [] if table is None else column_names(table)
        if asked not in known:
            there = ", ".join(known) or "none: give metadata= for each split"
            raise ValueError(f"{name} has no column {asked!r} for {what}=; columns: {there}")
        columns[name] = column_of(table, asked)
    return columns, asked


def _of_samples(columns: Mapping[str, Any], splits: Sequence[Split], name: str) -> dict[str, Any]:
    """Columns with one value for each sample that was read."""
    found = {}
    for split in splits:
        if split.name not in columns:
            continue
        column = columns[split.name]
        rows = len(column)
        if rows == len(split):
            found[split.name] = column
        elif rows > int(split.ids.max(initial=-1)):
            found[split.name] = take_rows({"": column}, np.asarray(split.ids))[""]
        else:
            raise ValueError(
                f"{name} has {rows} values for the {len(split)} samples of {split.name}; it needs "
                "one each"
            )
    return found


def _supposed(tables: Mapping[str, Any], splits: Sequence[Split]) -> list[Finding]:
    """Columns whose name says that they group the samples, in the metadata of every split."""
    if len(tables) < len(splits) or len(splits) < 2:
        return []
    names = [name for name in column_names(next(iter(tables.values())))
             if name.lower() in GROUP_NAMES]  # fmt: skip
    found: list[Finding] = []
    for name in names:
        if all(name in column_names(table) for table in tables.values()):
            columns = {split: column_of(table, name) for split, table in tables.items()}
            if any(len(columns[s.name]) < len(s) for s in splits):
                continue
            found += judge_groups(_of_samples(columns, splits, name), name, asked=False)
    return found
