"""CRC-32C of many records at once, as event files want it.

Byte by byte in Python it is the costliest part of writing them, and takes its time from the
training, which waits for the interpreter meanwhile.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint32]

_POLYNOMIAL = 0x82F63B78
_BLOCK = 1024


@cache
def table() -> Words:
    """(BLOCK * 256,) what a byte does to the checksum when 0, 1, 2 ... bytes come after it."""
    effect = np.empty((_BLOCK, 256), np.uint32)
    effect[0] = np.arange(256)
    for _ in range(8):
        effect[0] = (effect[0] >> 1) ^ np.where(effect[0] & 1, _POLYNOMIAL, 0).astype(np.uint32)
    for i in range(1, _BLOCK):
        effect[i] = (effect[i - 1] >> 8) ^ effect[0][effect[i - 1] & 0xFF]
    return effect.ravel()


_ROW = np.arange(_BLOCK - 1, -1, -1, dtype=np.intp) * 256


def crc32c(rows: Bytes) -> Words:
    """(R,) the checksum of each row of an (R, n) matrix of bytes.

    >>> hex(crc32c(np.frombuffer(b"123456789", np.uint8)[None])[0])
    '0xe3069283'
    """
    effect = table()
    rows = np.array(rows, np.uint8)  # a copy: the checksum so far is put into it
    count, length = rows.shape
    state = np.full(count, 0xFFFFFFFF, np.uint32)
    for start in range(0, length, _BLOCK):
        block = rows[:, start : start + _BLOCK]
        width = block.shape[1]
        # The checksum so far, over the first four bytes, has the same effect as all bytes before.
        head = min(4, width)
        block[:, :head] ^= state.astype("<u4").view(np.uint8).reshape(count, 4)[:, :head]
        rest = state >> np.uint32(8 * head) if head < 4 else np.uint32(0)
        state = np.bitwise_xor.reduce(effect.take(block + _ROW[_BLOCK - width :]), axis=1) ^ rest
    return ~state


def masked(rows: Bytes) -> Words:
    """(R,) the checksum as event files hold it."""
    crc = crc32c(rows)
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)
