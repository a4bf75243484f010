"""A table in any library as plain arrays and back, in the library that it came in."""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from nbdiag.measures.column_archive import (
    Arrays,
    Spec,
    UnsavableError,
    pack_column,
    pack_values,
    unpack_column,
    unpack_values,
)

LABEL_TYPES = (str, int)


def pack_table(table: Any, into: Arrays) -> Spec | None:
    """Put a table ``into`` the file's arrays, under names that start with ``metadata``.

    Raises UnsavableError for what only pickle could keep.
    """
    if table is None:
        return None
    library = type(table).__module__.split(".")[0]
    if library == "polars":
        buffer = io.BytesIO()
        try:
            table.write_ipc(buffer)
        except Exception as error:
            raise UnsavableError(f"polars cannot write the metadata: {error}") from error
        into["metadata"] = np.frombuffer(buffer.getvalue(), np.uint8)
        return {"library": "polars"}
    if library == "pyarrow":
        pa: Any = import_module("pyarrow")

        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        into["metadata"] = np.frombuffer(sink.getvalue(), np.uint8)
        return {"library": "pyarrow"}
    if isinstance(table, Mapping):
        columns: list[Spec] = []
        for i, (name, column) in enumerate(table.items()):
            pack = _pack_series if type(column).__module__.startswith("pandas") else pack_column
            spec = pack(column, str(name), f"metadata.{i}", into)
            columns.append({"name": _label(name), **spec})
        return {"library": "dict", "columns": columns}
    if hasattr(table, "iloc"):
        return _pack_frame(table, into)
    spec = pack_column(table, "metadata", "metadata", into)
    return {"library": "numpy", **spec}


def unpack_table(spec: Spec | None, arrays: Mapping[str, np.ndarray]) -> Any:
    """The table that `pack_table` was given."""
    if spec is None:
        return None
    library = spec["library"]
    if library == "polars":
        import polars as pl

        return pl.read_ipc(arrays["metadata"].tobytes(), use_pyarrow=False)
    if library == "pyarrow":
        pa: Any = import_module("pyarrow")

        return pa.ipc.open_file(pa.py_buffer(arrays["metadata"].tobytes())).read_all()
    if library == "numpy":
        return unpack_column(spec, "metadata", arrays)
    if library == "dict":
        return {
            column["name"]: (
                _unpack_series if "dtype" in column else unpack_column
            )(column, f"metadata.{i}", arrays)
            for i, column in enumerate(spec["columns"])
        }  # fmt: skip
    return _unpack_frame(spec, arrays)


def _label(name: Any) -> Any:
    if isinstance(name, np.integer):
        name = int(name)
    if type(name) not in LABEL_TYPES:
        raise UnsavableError(
            f"the metadata has a column named by a {type(name).__name__}, {name!r}: name columns "
            "by text or whole numbers"
        )
    return name


def _pack_frame(frame: Any, into: Arrays) -> Spec:
    if getattr(frame.columns, "nlevels", 1) > 1 or not frame.columns.is_unique:
        raise UnsavableError(
            "the metadata's columns have several levels, or names that occur twice: give each one "
            "name of its own"
        )
    columns = []
    for i, name in enumerate(frame.columns):
        spec = _pack_series(frame[name], str(name), f"metadata.{i}", into)
        columns.append({"name": _label(name), **spec})
    found: Spec = {"library": "pandas", "columns": columns, "label": frame.columns.name}
    index = frame.index
    if type(index).__name__ == "RangeIndex":
        found["range"] = [index.start, index.stop, index.step, index.name]
    elif index.nlevels > 1:
        raise UnsavableError(
            "the metadata's index has several levels: make columns of them with reset_index()"
        )
    else:
        spec = _pack_series(index.to_series(), "index", "metadata.index", into)
        found["index"] = {"name": index.name, **spec}
    return found


def _unpack_frame(spec: Spec, arrays: Mapping[str, np.ndarray]) -> Any:
    import pandas as pd

    columns = {
        column["name"]: _unpack_series(column, f"metadata.{i}", arrays)
        for i, column in enumerate(spec["columns"])
    }
    if "range" in spec:
        start, stop, step, name = spec["range"]
        index: Any = pd.RangeIndex(start, stop, step, name=name)
    else:
        values = _unpack_series(spec["index"], "metadata.index", arrays)
        index = pd.Index(values, name=spec["index"]["name"])
    frame = pd.DataFrame({name: series.array for name, series in columns.items()}, index=index)
    frame.columns.name = spec["label"]
    return frame


def _pack_series(series: Any, name: str, key: str, into: Arrays) -> Spec:
    dtype = series.dtype
    found: Spec = {"dtype": str(dtype)}
    if isinstance(dtype, np.dtype):
        if dtype.kind == "O":
            return {**found, **pack_values(list(series.array), name, key, into)}
        into[key] = series.to_numpy()
        return {**found, "kind": "array"}
    kind = type(dtype).__name__
    if kind == "CategoricalDtype":
        into[f"{key}.of"] = series.cat.codes.to_numpy()
        categories = series.cat.categories
        inner = _pack_series(categories.to_series(), name, key, into)
        return {**found, "kind": "category", "ordered": bool(dtype.ordered), "values": inner}
    if kind == "DatetimeTZDtype":
        into[key] = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return {**found, "kind": "zone", "zone": str(dtype.tz)}
    missing = series.isna().to_numpy()
    if kind == "StringDtype":
        texts = np.where(missing, "", series.array.to_numpy(object)).tolist()
        into[f"{key}.missing"] = missing
        inner = pack_values(texts, name, key, into)
        nan = isinstance(dtype.na_value, float)
        return {**found, "kind": "text", "values": inner, "storage": dtype.storage, "nan": nan}
    if (
        hasattr(dtype, "numpy_dtype")
        and getattr(dtype, "kind", "") in "biuf"
        and kind[:5] != "Arrow"
    ):
        zero = np.zeros(1, dtype.numpy_dtype)[0]
        into[key] = series.to_numpy(dtype=dtype.numpy_dtype, na_value=zero)
        into[f"{key}.missing"] = missing
        return {**found, "kind": "masked"}
    raise UnsavableError(
        f"column {name!r} of the metadata has the type {dtype}, which the file does not know: turn "
        "it into numbers, text, dates or categories"
    )


def _unpack_series(spec: Spec, key: str, arrays: Mapping[str, np.ndarray]) -> Any:
    import pandas as pd

    kind = spec["kind"]
    if kind == "array":
        return pd.Series(arrays[key])
    if kind == "category":
        values = pd.Index(_unpack_series(spec["values"], key, arrays))
        made: Any = pd.Categorical.from_codes(arrays[f"{key}.of"], values, spec["ordered"])
        return pd.Series(made)
    if kind == "zone":
        return pd.Series(arrays[key]).dt.tz_localize("UTC").dt.tz_convert(spec["zone"])
    if kind == "text":
        texts = np.array(unpack_values(spec["values"], key, arrays), object)
        texts[arrays[f"{key}.missing"]] = None
        missing: Any = np.nan if spec["nan"] else pd.NA
        return pd.Series(texts, dtype=pd.StringDtype(spec["storage"], na_value=missing))
    if kind == "masked":
        series = pd.Series(arrays[key]).astype(spec["dtype"])
        series[arrays[f"{key}.missing"]] = pd.NA
        return series
    values = unpack_values(spec, key, arrays)
    return pd.Series(np.fromiter(values, object, len(values)), dtype=object)
