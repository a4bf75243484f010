"""Predictions of parts of a data set, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from nbdiag.measures.columns import column_names
from nbdiag.measures.metadata import take_rows

if TYPE_CHECKING:
    from nbdiag.measures.predictions import Inputs, Predictions


def merge(shards: Sequence[Predictions]) -> Predictions:
    """See `Predictions.merge`."""
    from nbdiag.measures.predictions import Predictions

    parts = list(shards)
    wrong = [type(part).__name__ for part in parts if not isinstance(part, Predictions)]
    if wrong or not parts:
        raise TypeError(
            f"shards must be a list of Predictions, got {wrong[0] if wrong else 'an empty list'}"
        )
    for i, part in enumerate(parts):
        if part.class_names != parts[0].class_names:
            raise ValueError(
                f"shard {i} has the classes {_few(part.class_names)} and shard 0 "
                f"{_few(parts[0].class_names)}: all shards need the same class_names"
            )
    if len({part.ids.dtype.kind in "USO" for part in parts}) > 1:
        raise ValueError("some shards have words as ids and others numbers: give all the same kind")
    logits = None
    if all(part.logits is not None for part in parts):
        logits = np.concatenate([part.logits for part in parts if part.logits is not None])
    ids, targets, probabilities = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("ids", "targets", "probabilities")
    )
    order = np.argsort(ids, kind="stable")
    again = np.flatnonzero(ids[order][1:] == ids[order][:-1])
    for name, values in (("targets", targets), ("probabilities", probabilities)):
        _alike(name, values, ids, order[again], order[again + 1])
    rows = np.delete(order, again + 1)
    known = {part.out_of_sample for part in parts}
    outputs = {part.output for part in parts}
    return Predictions(
        ids[rows],
        targets[rows],
        probabilities[rows],
        None if logits is None else logits[rows],
        parts[0].class_names,
        _metadata(parts, rows),
        parts[0].output if len(outputs) == 1 else None,
        _inputs(parts),
        "; ".join(dict.fromkeys(part.note for part in parts if part.note)),
        # One shard of training samples makes it no held-out set.
        False if False in known else known.pop() if len(known) == 1 else None,
    )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" … ({len(names)})" if len(names) > 6 else "")


def _alike(name: str, values: np.ndarray, ids: np.ndarray, one: Any, other: Any) -> None:
    a, b = values[one], values[other]
    differ = (a != b) & ~((a != a) & (b != b))
    if differ.ndim == 2:
        differ = differ.any(axis=1)
    if differ.any():
        first = ids[one][differ][0]
        raise ValueError(
            f"{int(differ.sum())} ids occur in several shards with different {name}, the first is "
            f"{first}. Shards that were predicted as data sets of their own count from 0 each: "
            "give them ids that say which sample is meant, dataclasses.replace(shard, ids=...)"
        )


def _metadata(parts: list[Predictions], rows: np.ndarray) -> Any:
    tables = [part.metadata for part in parts]
    if all(table is None for table in tables):
        return None
    without = [i for i, table in enumerate(tables) if table is None]
    if without:
        raise ValueError(f"shard {without[0]} has no metadata and others have: give all or none")
    names = [column_names(table) for table in tables]
    for i, some in enumerate(names):
        if set(some) != set(names[0]):
            odd = sorted(set(some) ^ set(names[0]))
            raise ValueError(f"the metadata of shard {i} and shard 0 differ in the columns {odd}")
        if type(tables[i]) is not type(tables[0]):
            raise ValueError(
                f"the metadata of shard {i} is a {type(tables[i]).__name__}, that of shard 0 a "
                f"{type(tables[0]).__name__}: all shards need the same kind of table"
            )
    return take_rows(_stacked(tables), rows)


def _stacked(tables: list[Any]) -> Any:
    """Tables of the same columns below each other."""
    library = type(tables[0]).__module__.split(".")[0]
    if library == "polars":
        import polars as pl

        order = tables[0].columns
        return pl.concat([table.select(order) for table in tables], how="vertical_relaxed")
    if library == "pyarrow":
        return import_module("pyarrow").concat_tables(tables, promote_options="permissive")
    if isinstance(tables[0], Mapping):
        return {name: _joined([table[name] for table in tables]) for name in tables[0]}
    if hasattr(tables[0], "iloc"):
        return _stacked_frames(tables)
    return np.concatenate(tables)


def _joined(columns: list[Any]) -> Any:
    if all(isinstance(column, list | tuple) for column in columns):
        return [value for column in columns for value in column]
    if hasattr(columns[0], "iloc"):
        import pandas as pd

        return pd.concat(columns, ignore_index=True)
    return np.concatenate([np.asarray(column) for column in columns])


def _stacked_frames(tables: list[Any]) -> Any:
    import pandas as pd

    whole = pd.concat(tables, ignore_index=all(_counts(table.index) for table in tables))
    for name in tables[0].columns:
        if all(isinstance(table[name].dtype, pd.CategoricalDtype) for table in tables):
            # Shards may each hold a part of the categories.
            union = pd.api.types.union_categoricals([table[name] for table in tables])
            whole[name] = pd.Series(union, index=whole.index)
    return whole


def _counts(index: Any) -> bool:
    return type(index).__name__ == "RangeIndex" and (index.start, index.step) == (0, 1)


def _inputs(parts: list[Predictions]) -> Inputs | None:
    inputs = [part.inputs for part in parts]
    if any(one is None for one in inputs):
        return None
    datasets = {id(getattr(one, "dataset", one)) for one in inputs}
    if len(datasets) == 1:
        return inputs[0]
    return ShardInputs(tuple(parts))


@dataclass(frozen=True, eq=False)
class ShardInputs:
    """``inputs(ids)``: each from the shard that holds it."""

    parts: tuple[Predictions, ...]
    _where: dict[Any, int] = field(default_factory=dict, repr=False)

    def __call__(self, ids: Sequence[Any]) -> list[Any]:
        if not self._where:
            for i, part in enumerate(self.parts):
                self._where.update(dict.fromkeys(part.ids.tolist(), i))
        found = []
        for key in ids:
            if key not in self._where:
                raise IndexError(f"no sample {key} in these shards")
            inputs = self.parts[self._where[key]].inputs
            assert inputs is not None
            found += inputs([key])
        return found


def beside(frame: Any, metadata: Any) -> Any:
    """The frame with the metadata's columns behind its own, in the frame's library."""
    if metadata is None:
        return frame
    taken = set(frame.columns)
    names = {
        name: f"metadata.{name}" if str(name) in taken else str(name)
        for name in (metadata.columns if hasattr(metadata, "iloc") else column_names(metadata))
    }
    if hasattr(metadata, "iloc"):
        frame.index = metadata.index
        for name, new in names.items():
            frame[new] = metadata[name]
        return frame
    if type(frame).__module__.startswith("polars"):
        return frame.hstack(metadata.rename(names))
    for name, new in names.items():
        column = metadata[name]
        flat = isinstance(column, np.ndarray) and column.ndim == 1
        frame[new] = column if flat else _listed(column)
    return frame


def _listed(column: Any) -> list[Any]:
    return column.to_pylist() if hasattr(column, "to_pylist") else list(column)
