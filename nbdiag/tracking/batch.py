"""Ops of a recording as bytes and back: columns of numbers and a line of JSON, nothing pickled."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nbdiag.measures.recording import Op

FORMAT = 1
_LEVEL = 1


def pack(meta: dict[str, Any], ops: Sequence[Op]) -> bytes:
    """`meta` (anything that JSON holds) and ops, whose order is kept.

    Ops with the same keys and shapes become one column a key: thousands of rows cost little more
    than one.
    """
    groups: dict[Any, tuple[int, list[Op]]] = {}
    order = []
    for op in ops:
        form, op = _form(op)
        number, members = groups.setdefault(form, (len(groups), []))
        members.append(op)
        order.append(number)
    arrays: list[np.ndarray[Any, Any]] = [np.array(order, "<u2")]
    described = []
    for _, members in groups.values():
        same: dict[str, Any] = {}
        columns: list[str] = []
        listed: dict[str, Any] = {}
        for key, value in members[0].items():
            if isinstance(value, int | float | np.ndarray) and not isinstance(value, bool):
                columns.append(key)
                arrays.append(np.array([op[key] for op in members]))
            elif isinstance(value, dict | list):
                listed[key] = [op[key] for op in members]
            else:
                same[key] = value
        described.append({"same": same, "columns": columns, "listed": listed})
    shapes = [(array.dtype.str, array.shape) for array in arrays]
    head = json.dumps(
        {"format": FORMAT, "meta": meta, "groups": described, "arrays": shapes}, default=_json
    ).encode()
    parts = [len(head).to_bytes(4, "little"), head, *map(_planes, arrays)]
    return zlib.compress(b"".join(parts), _LEVEL)  # lets the training run meanwhile


def unpack(data: bytes) -> tuple[dict[str, Any], Iterator[Op]]:
    """What `pack` was given.

    Raises
    ------
    ValueError : for bytes that `pack` did not make, or a later version of it.
    """
    try:
        data = zlib.decompress(data)
        size = int.from_bytes(data[:4], "little")
        head = json.loads(data[4 : 4 + size])
    except (zlib.error, ValueError) as error:
        raise ValueError(f"not a piece of a recording: {error}") from error
    if head["format"] > FORMAT:
        raise ValueError(
            f"written by a later nbdiag (format {head['format']}, this one reads {FORMAT}): "
            "pip install --upgrade nbdiag"
        )
    at = 4 + size
    arrays = []
    for dtype, shape in head["arrays"]:
        kind = np.dtype(dtype)
        length = kind.itemsize * int(np.prod(shape))
        planes = np.frombuffer(data, np.uint8, length, at).reshape(kind.itemsize, -1)
        arrays.append(np.ascontiguousarray(planes.T).view(kind).reshape(shape))
        at += length
    return head["meta"], _replay(head["groups"], arrays)


def _replay(groups: list[dict[str, Any]], arrays: list[np.ndarray[Any, Any]]) -> Iterator[Op]:
    rest = iter(arrays[1:])
    members = []
    for group in groups:
        columns: dict[str, Any] = {key: next(rest) for key in group["columns"]}
        # Numbers as Python's own, as they were.
        columns = {k: a.tolist() if a.ndim == 1 else a for k, a in columns.items()}
        columns.update(group["listed"])
        members.append((group["same"], columns))
    at = [0] * len(groups)
    for number in arrays[0].tolist():
        same, columns = members[number]
        i, at[number] = at[number], at[number] + 1
        yield {**same, **{key: column[i] for key, column in columns.items()}}


def _plain(value: Any) -> Any:
    """Sequences of numbers as an array; numpy's single numbers as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        array = np.asarray(value)
        return array if array.dtype.kind in "iufb" and array.size else list(value)
    return value


def _form(op: Op) -> tuple[tuple[Any, ...], Op]:
    """What ops must share to stand in one group, and the op in `_plain` values."""
    form: list[Any] = [tuple(op)]
    for key, value in op.items():
        kind = type(value)
        if kind is not float and kind is not int and kind is not str:
            plain = _plain(value)
            if plain is not value:
                op = {**op, key: plain}
                value, kind = plain, type(plain)
        if kind is np.ndarray:
            form += (value.dtype, value.shape)
        elif kind is str or kind is bool or value is None:
            form += (kind, value)
        else:
            form.append(kind)
    return tuple(form), op


def _planes(array: np.ndarray[Any, Any]) -> bytes:
    """First all first bytes, then all second ones ...: exponents compress, mantissas do not."""
    if not array.size:
        return b""
    flat = np.ascontiguousarray(array).view(np.uint8).reshape(-1, array.dtype.itemsize)
    return flat.T.tobytes()


def _json(value: Any) -> Any:
    """What JSON does not know, in a config: numpy's numbers as numbers, all else in words."""
    return value.item() if isinstance(value, np.generic) else str(value)
