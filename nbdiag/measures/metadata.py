"""Rows of whatever table the user keeps about the samples, without importing its library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def count_rows(metadata: Any) -> int:
    """Number of rows of a dataframe, a dict of columns or a structured array.

    Raises ValueError for columns of unequal length or of one name, TypeError for what is no table.
    """
    if isinstance(metadata, Mapping):
        lengths = {str(name): len(column) for name, column in metadata.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the columns of metadata differ in length: {lengths}")
        return next(iter(lengths.values()), 0)
    if hasattr(metadata, "num_rows"):
        return int(metadata.num_rows)
    index: Any = getattr(metadata, "columns", None)
    if getattr(index, "is_unique", True) is False:  # pandas allows it
        twice = index[index.duplicated()][0]
        raise ValueError(f"metadata has several columns {str(twice)!r}: rename or drop all but one")
    if index is not None or getattr(getattr(metadata, "dtype", None), "names", None):
        return len(metadata)
    hint = ': of one column give {"name": column}' if hasattr(metadata, "__len__") else ""
    raise TypeError(
        f"metadata must be a dataframe or a dict of columns, got {type(metadata).__name__}{hint}"
    )


def take_rows(metadata: Any, positions: np.ndarray) -> Any:
    """The rows at ``positions``, in the type that was given.

    >>> take_rows({"sensor": ["a", "b", "c"]}, np.array([2, 0]))
    {'sensor': ['c', 'a']}
    """
    if isinstance(metadata, Mapping):
        return {name: _take(column, positions) for name, column in metadata.items()}
    return _take(metadata, positions)


def _take(rows: Any, positions: np.ndarray) -> Any:
    if isinstance(rows, (list, tuple)):
        return [rows[i] for i in positions]
    if hasattr(rows, "iloc"):  # pandas
        return rows.iloc[positions]
    if hasattr(rows, "take") and not isinstance(rows, np.ndarray):  # Arrow
        return rows.take(positions)
    return rows[positions.tolist()]  # polars, numpy, torch
