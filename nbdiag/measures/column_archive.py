"""Columns of Python and numpy values as plain arrays and back, exactly, and without pickle."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]
Spec = dict[str, Any]
GLANCE = 2000
PLAIN = "biufcMmUS"  # kinds of array that a file holds as they are
_NULLS = {"NAType": "NA", "NaTType": "NaT"}  # pandas' own words for "missing"


class UnsavableError(ValueError):
    """What a file without pickle cannot hold."""


def pack_column(column: Any, name: str, key: str, into: Arrays) -> Spec:
    """Put a list, tuple or array ``into`` the file's arrays under ``key``; how to read it back.

    Raises UnsavableError, which names the column, for values of a type that only pickle knows.
    """
    holder = "list" if isinstance(column, list) else "tuple" if isinstance(column, tuple) else ""
    if not holder:
        array = np.asarray(column)
        if array.dtype.kind in PLAIN or array.dtype.names:
            if array.dtype.hasobject:
                raise UnsavableError(f"column {name!r} has fields of Python objects")
            into[key] = array
            return {"kind": "array"}
        values = array.tolist() if array.ndim == 1 else None
        if values is None:
            raise UnsavableError(f"column {name!r} is a matrix of Python objects")
        return {"holder": "object", **pack_values(values, name, key, into)}
    return {"holder": holder, **pack_values(list(column), name, key, into)}


def unpack_column(spec: Spec, key: str, arrays: Mapping[str, np.ndarray]) -> Any:
    """The column that `pack_column` was given."""
    if spec["kind"] == "array":
        return arrays[key]
    values = unpack_values(spec, key, arrays)
    if spec["holder"] == "object":
        # From an iterator: numpy would make a matrix of lists of one length.
        return np.fromiter(values, object, len(values))
    return tuple(values) if spec["holder"] == "tuple" else values


def pack_values(values: list[Any], name: str, key: str, into: Arrays) -> Spec:
    """A list of Python values; equal ones are kept once."""
    types = set(map(type, values))
    if types == {float}:
        into[key] = np.array(values, np.float64)
        return {"kind": "numbers"}
    if types == {bool} or (types == {int} and -(2**63) <= min(values) <= max(values) < 2**63):
        into[key] = np.array(values, bool if types == {bool} else np.int64)
        return {"kind": "numbers"}
    if types & {list, tuple, np.ndarray}:
        return _pack_arrays(values, name, key, into)
    if types <= {str} and len(set(values[:GLANCE])) > 0.9 * GLANCE:
        _put_texts(values, key, into)  # names: hardly any occurs twice
        return {"kind": "texts"}
    if types <= {str}:
        distinct: list[Any] = list(dict.fromkeys(values))
        number: dict[Any, int] = {value: at for at, value in enumerate(distinct)}
        codes = np.fromiter(map(number.__getitem__, values), np.int32, len(values))
    else:
        # 1, 1.0 and True are equal, and NaN is not: told apart by their text as well.
        tagged = [(type(v), v if isinstance(v, str) else repr(v)) for v in values]
        first = dict(zip(tagged, values, strict=True))
        distinct = list(first.values())
        number = {tag: at for at, tag in enumerate(first)}
        codes = np.fromiter(map(number.__getitem__, tagged), np.int32, len(values))
    into[f"{key}.codes"] = codes
    if types <= {str}:
        _put_texts(distinct, key, into)
        return {"kind": "values", "tags": "s"}
    told = [_tag(value, name) for value in distinct]
    _put_texts([text for _, text in told], key, into)
    return {"kind": "values", "tags": [tag for tag, _ in told]}


def unpack_values(spec: Spec, key: str, arrays: Mapping[str, np.ndarray]) -> list[Any]:
    if spec["kind"] == "numbers":
        return list(arrays[key].tolist())
    if spec["kind"] == "arrays":
        return _unpack_arrays(spec, key, arrays)
    texts = _get_texts(key, arrays)
    if spec["kind"] == "texts":
        return texts
    if spec["tags"] != "s":
        texts = [_untag(tag, text) for tag, text in zip(spec["tags"], texts, strict=True)]
    return [texts[code] for code in arrays[f"{key}.codes"].tolist()]


def _put_texts(texts: Sequence[str], key: str, into: Arrays) -> None:
    whole = "".join(texts)
    if whole.isascii():  # a character is a byte: no need to look at each text
        lengths, blob = map(len, texts), whole.encode()
    else:
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        lengths, blob = map(len, encoded), b"".join(encoded)
    into[f"{key}.bytes"] = np.frombuffer(blob, np.uint8)
    into[f"{key}.ends"] = np.cumsum(np.fromiter(lengths, np.int64, len(texts)))


def _get_texts(key: str, arrays: Mapping[str, np.ndarray]) -> list[Any]:
    blob = arrays[f"{key}.bytes"].tobytes()
    ends = arrays[f"{key}.ends"].tolist()
    spans = zip([0, *ends[:-1]], ends, strict=True)
    if blob.isascii():
        text = blob.decode()
        return [text[start:end] for start, end in spans]
    return [blob[start:end].decode("utf-8", "surrogatepass") for start, end in spans]


def _tag(value: Any, name: str) -> tuple[str, str]:
    """What a value is, and its text."""
    if isinstance(value, np.generic) and value.dtype.kind in "biufUS":
        return f"np.{value.dtype.str}", value.tobytes().hex()
    if isinstance(value, bool):
        return "b", str(int(value))
    for kind, tag in ((str, "s"), (int, "i")):
        if type(value) is kind:
            return tag, str(value)
    if type(value) is float:
        return "f", value.hex() if math.isfinite(value) else str(value)
    if value is None:
        return "None", ""
    if type(value).__name__ in _NULLS:
        return _NULLS[type(value).__name__], ""
    if type(value) is bytes:
        return "y", value.hex()
    if type(value) is datetime.datetime:
        return "dt", value.isoformat()
    if type(value) is datetime.date:
        return "d", value.isoformat()
    if type(value).__name__ == "Timestamp":  # pandas
        return "Timestamp", f"{value.isoformat()}|{value.unit}"
    raise UnsavableError(
        f"column {name!r} of the metadata holds values of the type {type(value).__name__}, which "
        "a file without pickle cannot hold: turn them into text or numbers, or leave the column out"
    )


def _untag(tag: str, text: str) -> Any:
    if tag.startswith("np."):
        return np.frombuffer(bytes.fromhex(text), np.dtype(tag[3:]))[0]
    if tag in ("NA", "NaT", "Timestamp"):
        import pandas as pd

        if tag == "Timestamp":
            moment, unit = text.rsplit("|", 1)
            return pd.Timestamp(moment).as_unit(unit)
        return pd.NA if tag == "NA" else pd.NaT
    made: dict[str, Callable[[str], Any]] = {
        "s": str,
        "b": lambda given: given == "1",
        "i": int,
        "f": lambda given: float(given) if given[-1] in "fn" else float.fromhex(given),
        "None": lambda given: None,
        "y": bytes.fromhex,
        "dt": datetime.datetime.fromisoformat,
        "d": datetime.date.fromisoformat,
    }
    return made[tag](text)


def _pack_arrays(values: list[Any], name: str, key: str, into: Arrays) -> Spec:
    """Boxes, masks and the like: arrays or lists of numbers, and None."""
    kinds = {type(value) for value in values if value is not None}
    arrays = []
    try:
        arrays = [np.asarray(value) for value in values if value is not None]
    except ValueError:  # lists of unequal lists
        kinds = set()
    types = {(array.dtype, array.ndim) for array in arrays}
    if len(kinds) != 1 or len(types) != 1 or next(iter(types))[0].kind not in "biuf":
        raise UnsavableError(
            f"column {name!r} of the metadata mixes lists or arrays of different kinds: let each "
            "row hold an array of numbers of the same type and number of axes, or None"
        )
    into[key] = np.concatenate([array.ravel() for array in arrays])
    into[f"{key}.shapes"] = np.array([array.shape for array in arrays], np.int64)
    into[f"{key}.known"] = np.array([value is not None for value in values])
    return {"kind": "arrays", "rows": kinds.pop().__name__}


def _unpack_arrays(spec: Spec, key: str, arrays: Mapping[str, np.ndarray]) -> list[Any]:
    flat, shapes = arrays[key], arrays[f"{key}.shapes"]
    sizes = shapes.prod(axis=1)
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    rows: list[Any] = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    if spec["rows"] == "list":
        rows = [row.tolist() for row in rows]
    elif spec["rows"] == "tuple":
        rows = [_tuples(row.tolist()) for row in rows]
    remaining = iter(rows)
    return [next(remaining) if known else None for known in arrays[f"{key}.known"].tolist()]


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
