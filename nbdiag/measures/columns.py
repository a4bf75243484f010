"""Columns of the user's table as arrays, whatever library the table came in."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import numpy as np

_NULLS = {"NAType", "NaTType"}  # pandas' own words for "missing"


def column_names(metadata: Any) -> list[str]:
    """Names of the columns of a dataframe, Arrow table, dict of columns or structured array.

    >>> column_names({"sensor": ["a"], "light": [0.3]})
    ['sensor', 'light']
    """
    return list(_keys(metadata))


def column_of(metadata: Any, name: str) -> np.ndarray:
    """One column, (N,): numbers, bool, datetime64, or objects (text, bool) with
    None or NaN where one is missing.

    Raises KeyError, which names the columns there are.
    """
    keys = _keys(metadata)
    if name not in keys:
        raise KeyError(f"metadata has no column {name!r}; it has: {', '.join(keys) or 'none'}")
    return plain(metadata[keys[name]])


def _keys(metadata: Any) -> dict[str, Any]:
    """Name -> what the table calls it."""
    if isinstance(metadata, Mapping):
        names = list(metadata)
    elif hasattr(metadata, "column_names"):  # Arrow
        names = list(metadata.column_names)
    elif hasattr(metadata, "columns"):
        names = list(metadata.columns)
    else:
        names = list(getattr(getattr(metadata, "dtype", None), "names", None) or ())
    return {str(name): name for name in names}


def plain(column: Any) -> np.ndarray:
    """A column of any library as an array (N,) of one of the types that `column_of` names."""
    if str(getattr(column, "dtype", "")).startswith("period[") and hasattr(column, "dt"):
        column = column.dt.to_timestamp()
    if str(getattr(column, "dtype", "")).startswith("datetime64[") and hasattr(column, "dt"):
        column = column.to_numpy(dtype="datetime64[ns]")  # with a time zone: in UTC
    if isinstance(column, list | tuple) or (
        hasattr(column, "dtype") and type(column).__module__.startswith("pandas")
    ):
        array = np.fromiter(iter(column), object, len(column)) if isinstance(
            column, list | tuple
        ) else np.asarray(column)  # fmt: skip
    else:
        array = np.asarray(column.to_numpy() if hasattr(column, "to_numpy") else column)
    if array.ndim != 1:
        raise ValueError(f"a column holds one value for each sample, got the shape {array.shape}")
    if array.dtype.kind in "biufM":
        return array
    if array.dtype.kind == "m":
        return np.where(np.isnat(array), np.nan, array / np.timedelta64(1, "s"))
    if array.dtype.kind in "US":
        return array.astype(str).astype(object)
    if array.dtype == object and str(getattr(column, "dtype", "")) in ("str", "string", "String"):
        return array
    return _of_objects(array.astype(object))


def _of_objects(array: np.ndarray) -> np.ndarray:
    """Objects of one kind as an array of that kind; looked at once for each distinct value."""
    values = array.tolist()
    try:
        distinct = list(dict.fromkeys(values))
    except TypeError:  # lists and the like: told apart by their text
        values = [None if value is None else str(value) for value in values]
        distinct = list(dict.fromkeys(values))
        array = np.fromiter(values, object, len(values))
    if set(map(type, distinct)) <= {str}:
        return array
    known = [value for value in distinct if not is_missing(value)]
    kinds = {_kind(value) for value in known}
    missing = len(known) < len(distinct)
    if kinds == {"bool"} and not missing:
        return np.array(values, bool)
    if kinds and kinds <= {"int", "float"}:
        if kinds == {"int"} and not missing and max(map(abs, known)) < 2**62:
            return np.array(values, np.int64)
        return np.array([np.nan if is_missing(v) else float(v) for v in values])
    if kinds and kinds <= {"date"}:
        times = {v: np.datetime64("NaT") if is_missing(v) else _time(v) for v in distinct}
        return np.array([times[v] for v in values], "datetime64[us]")
    if kinds == {"text"}:
        return array
    changed = {v: None if is_missing(v) else v if isinstance(v, bool) else str(v) for v in distinct}
    return np.fromiter(map(changed.__getitem__, values), object, len(values))


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, int | np.integer):
        return "int"
    if isinstance(value, datetime.date | np.datetime64):
        return "date"
    # Decimal and float
    return "float" if hasattr(value, "__float__") else "other"


def _time(value: Any) -> np.datetime64:
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    return np.datetime64(value, "us")


def is_missing(value: Any) -> bool:
    """None, NaN, and what pandas calls NA and NaT."""
    if value is None or type(value).__name__ in _NULLS:
        return True
    return isinstance(value, float | np.floating | np.datetime64) and bool(value != value)


def codes_of(values: np.ndarray, at_most: float = np.inf) -> tuple[np.ndarray, list[Any]]:
    """Numbers (N,) of distinct values, -1 for missing; the values, sorted.

    Beyond ``at_most`` distinct values the numbers are left out: no codes (0,).

    >>> codes, levels = codes_of(np.array(["b", None, "a", "b"], object))
    >>> codes.tolist(), levels
    ([1, -1, 0, 1], ['a', 'b'])
    """
    if values.dtype != object:
        levels, codes = np.unique(values, return_inverse=True)
        missing = levels != levels  # NaN and NaT stand last
        known = levels[~missing]
        return np.where(codes < len(known), codes, -1).astype(np.int64), known.tolist()
    # Sorting a million words takes seconds; hashing them does not.
    listed = values.tolist()
    seen = dict.fromkeys(listed)
    distinct = [value for value in seen if type(value) is str or not is_missing(value)]
    if len(distinct) > at_most:
        return np.empty(0, np.int64), distinct
    try:
        distinct.sort()
    except TypeError:
        distinct.sort(key=str)
    number = dict.fromkeys(seen, -1)
    number.update(zip(distinct, range(len(distinct)), strict=True))
    return np.fromiter(map(number.__getitem__, listed), np.int64, len(listed)), distinct
