"""The format of TensorBoard's event files: framed, checksummed records of protobuf messages.

Written here and not by the tensorboard package, which takes its checksums byte by byte in Python
and waits two minutes before it writes; a logged run needs no package that way.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbdiag.tracking.crc import Bytes, masked

PLUGIN = "nbdiag"
BLOB_TAG = "nbdiag/recording"
_MARK = BLOB_TAG.encode()
_STRING = 7  # DT_STRING
_STEP_BYTES = 5

# Writing ---------------------------------------------------------------------------------------


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def framed(message: bytes) -> bytes:
    """One record."""
    length = struct.pack("<Q", len(message))
    checks = [int(masked(np.frombuffer(part, np.uint8)[None])[0]) for part in (length, message)]
    return b"".join((length, struct.pack("<I", checks[0]), message, struct.pack("<I", checks[1])))


def _event(time: float, step: int, body: bytes) -> bytes:
    return framed(_double(1, time) + b"\x10" + _varint(step) + body)


def opening(time: float, *, restart: bool) -> bytes:
    """What a file begins with; `restart`: TensorBoard forgets the earlier files of the folder."""
    version = _field(3, b"brain.Event:2") + _field(10, _field(1, PLUGIN.encode()))
    # Twice: one of TensorBoard's readers takes the first start of a folder for no restart.
    start = _event(time, 0, _field(7, b"\x08\x01")) * 2 if restart else b""
    return _event(time, 0, version) + start


def blob(time: float, step: int, content: bytes) -> bytes:
    """Bytes of ours, which TensorBoard passes over: a plugin that it does not know."""
    metadata = _field(1, _field(1, PLUGIN.encode()))
    tensor = b"\x08" + _varint(_STRING) + _field(2, b"") + _field(8, content)
    value = _field(1, _MARK) + _field(9, metadata) + _field(8, tensor)
    return _event(time, step, _field(5, _field(1, value)))


def scalars(
    tags: Sequence[str], times: NDArray[np.float64], steps: NDArray[np.int64], values: Any
) -> bytes:
    """n records of k numbers each: (n,) times, (n,) steps and (n, k) values, as float32."""
    body, holes = b"", []
    for tag in tags:
        value = _field(1, tag.encode()) + b"\x15" + bytes(4)
        body += _field(1, value)
        holes.append(len(body) - 4)
    head = b"\x09" + bytes(8) + b"\x10" + bytes(_STEP_BYTES)
    message = head + _field(5, body)
    shift = 12 + len(message) - len(body)
    row = struct.pack("<Q", len(message)) + bytes(4) + message + bytes(4)
    rows = np.tile(np.frombuffer(row, np.uint8), (len(steps), 1))
    rows[:, 13:21] = _as_bytes(times, "<f8")
    # A number of bytes that does not depend on the step: all records are equally long.
    rows[:, 22:27] = np.asarray(steps)[:, None] >> (7 * np.arange(_STEP_BYTES)) & 0x7F
    rows[:, 22:26] |= 0x80
    numbers = _as_bytes(values, "<f4").reshape(len(steps), len(tags), 4)
    for i, hole in enumerate(holes):
        rows[:, shift + hole : shift + hole + 4] = numbers[:, i]
    rows[:, 8:12] = _as_bytes(masked(rows[:, :8]), "<u4")
    rows[:, -4:] = _as_bytes(masked(rows[:, 12:-4]), "<u4")
    return rows.tobytes()


def _as_bytes(values: Any, dtype: str) -> Bytes:
    with np.errstate(over="ignore"):  # beyond float32 is infinite there
        array = np.ascontiguousarray(values, dtype)
    return array.view(np.uint8).reshape(len(array), -1)


def histograms(
    time: float,
    step: int,
    tags: Sequence[str],
    low: Sequence[float],
    high: Sequence[float],
    counts: NDArray[Any],
) -> bytes:
    """One record with k histograms: (k,) ends and (k, BINS) counts of equally wide bins.

    An empty one, of a tensor without a single finite entry, has no buckets.
    """
    values = b""
    for tag, start, stop, row in zip(tags, low, high, counts, strict=True):
        start, stop, total = float(start), float(stop), float(np.sum(row))
        if not total:
            start = stop = 0.0
            edges, filled = np.empty(0), np.empty(0)
        elif start == stop:
            edges, filled = np.array([stop]), np.array([total])
        else:
            edges = np.linspace(start, stop, len(row) + 1)[1:]
            filled = np.asarray(row, np.float64)
        middle = edges - (stop - start) / max(1, len(edges)) / 2
        sums = float(filled @ middle), float(filled @ middle**2)
        histo = b"".join(map(_double, range(1, 6), (start, stop, total, *sums)))
        histo += _field(6, edges.astype("<f8").tobytes())
        histo += _field(7, filled.astype("<f8").tobytes())
        values += _field(1, _field(1, tag.encode()) + _field(5, histo))
    return _event(time, step, _field(5, values))


# Reading ---------------------------------------------------------------------------------------


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """(number, value) of each field: an int, the 8 or 4 bytes of a number, or a part's bytes.

    Raises
    ------
    ValueError : for bytes that are no message.
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _read_varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _read_varint(message, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _read_varint(message, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"no protobuf message: wire type {kind}")
        if at + size > end:
            raise ValueError("no protobuf message: it ends too early")
        yield key >> 3, message[at : at + size]
        at += size


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if at >= len(message):
            raise ValueError("no protobuf message: it ends too early")
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def blobs(message: bytes) -> Iterator[bytes]:
    """What `blob` wrote into this event; nothing in any other."""
    if _MARK not in message[:64]:
        return
    for value in _values(message):
        if value.get(1) == _MARK:
            yield dict(fields(value[8]))[8]


def _values(message: bytes) -> Iterator[dict[int, Any]]:
    for number, summary in fields(message):
        if number == 5:
            yield from (dict(fields(value)) for key, value in fields(summary) if key == 1)


def numbers(message: bytes) -> Iterator[tuple[str, int, float]]:
    """(tag, step, value) of each scalar in this event, of TensorBoard's older or newer form."""
    step = next((value for number, value in fields(message) if number == 2), 0)
    for value in _values(message):
        found = None
        if 2 in value:
            found = struct.unpack("<f", value[2])[0]
        elif 8 in value and b"scalars" in value.get(9, b""):
            found = _one_number(value[8])
        if found is not None:
            yield value[1].decode(), step, found


_DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}


def _one_number(tensor: bytes) -> float | None:
    parts = dict(fields(tensor))
    dtype = _DTYPES.get(parts.get(1, 0))
    if dtype is None:
        return None
    if parts.get(4):
        return float(np.frombuffer(parts[4], dtype)[0])
    for number, kind in ((5, "<f4"), (6, "<f8")):
        if parts.get(number):
            return float(np.frombuffer(parts[number], kind)[0])
    for number in (7, 10):
        packed = parts.get(number)
        if packed is not None:
            value = packed if isinstance(packed, int) else _read_varint(packed, 0)[0]
            return float(value - 2**64 if value >= 2**63 else value)
    return 0.0
