"""Arrays as little-endian bytes with their dtype and shape, for traits and for messages."""

from __future__ import annotations

from typing import Any

import numpy as np

DTYPES = ("float32", "float64", "int32", "uint8", "uint16")


def to_wire(array: np.ndarray) -> dict[str, Any]:
    r"""An array as a trait carries it: ``{"dtype", "shape", "data"}``, C order, little endian.

    JavaScript has no plain 64-bit integers, so int64 travels as float64, exact up to 2**53.

    Raises
    ------
    TypeError : for a dtype that the browser cannot read.

    >>> packed = to_wire(np.array([[1, 2]], dtype=np.uint8))
    >>> packed["dtype"], packed["shape"], bytes(packed["data"])
    ('uint8', [1, 2], b'\x01\x02')
    """
    array = np.asarray(array)
    if array.dtype in (np.int64, np.uint64, np.uint32):
        array = array.astype(np.float64)
    elif array.dtype == np.bool_:
        array = array.astype(np.uint8)
    elif array.dtype == np.float16:
        array = array.astype(np.float32)
    name = array.dtype.newbyteorder("=").name
    if name not in DTYPES:
        raise TypeError(f"cannot send an array of dtype {array.dtype} to the browser")
    data = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return {"dtype": name, "shape": list(array.shape), "data": data.tobytes()}


def lift_buffers(content: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    """Move arrays and bytes out of a message: returns the content and its binary buffers.

    A numpy array becomes ``{"dtype", "shape", "buffer": i}``, and ``{"data": bytes, ...}`` (an
    encoded picture) becomes ``{"buffer": i, ...}``.

    >>> lift_buffers({"kind": "append", "steps": np.array([1.0])})[0]["steps"]
    {'dtype': 'float64', 'shape': [1], 'buffer': 0}
    """
    buffers: list[bytes] = []

    def lift(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            value = to_wire(value)
        if isinstance(value, dict) and isinstance(value.get("data"), bytes):
            buffers.append(value["data"])
            rest = {key: item for key, item in value.items() if key != "data"}
            return {**rest, "buffer": len(buffers) - 1}
        if isinstance(value, dict):
            return {key: lift(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [lift(item) for item in value]
        if isinstance(value, np.generic):
            return value.item()
        return value

    return lift(content), buffers
