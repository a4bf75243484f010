"""Which samples are the same? A 64-bit fingerprint of each, small enough to keep them all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

Rows = Any  # an array (n, ...) or a list of n texts or arrays of different shapes
WORDS_THAT_TELL = 5  # shorter texts ("thank you") repeat by nature
TOKENS_THAT_TELL = 8
_EXACT = 2**24  # float32 holds every whole number up to here


def fingerprints(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """A fingerprint of each row, and which rows are too simple for equality to mean anything.

    Equal are rows whose numbers are equal as float32, whatever type they came in; texts that
    differ in case, spaces and punctuation only; and sequences that differ in trailing zeros only,
    because the padding of a batch depends on its neighbours. Too simple are rows of one value
    (a black picture), texts of few words and sequences of few tokens.

    Returns
    -------
    (n,) uint64 and (n,) bool.

    >>> hashes, simple = fingerprints(["A cat sat on the mat.", "a cat  sat on the mat", "Hi"])
    >>> bool(hashes[0] == hashes[1]), simple.tolist()
    (True, [False, False, True])
    """
    if isinstance(rows, np.ndarray) and rows.dtype.kind in "biuf":
        return _of_array(rows.reshape(len(rows), -1))
    digests, simple = [], []
    for row in rows:
        if isinstance(row, str):
            text, bare = normal_text(row)
            digests.append(_digest(text.encode()))
            simple.append(bare)
        else:
            one, bare_one = _of_array(np.asarray(row).reshape(1, -1))
            digests.append(int(one[0]))
            simple.append(bool(bare_one[0]))
    return np.array(digests, np.uint64), np.array(simple, bool)


def combined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """One fingerprint out of several a sample; the order of the parts counts."""
    total = parts[0]
    for part in parts[1:]:
        total = _mixed(total * np.uint64(0x9E3779B97F4A7C15) + part)
    return total


def normal_text(text: str) -> tuple[str, bool]:
    """Words in lower case, one space between, and whether they are too few to tell."""
    words = re.findall(r"\w+", text.casefold())
    return " ".join(words) if words else text, len(words) < WORDS_THAT_TELL


def _of_array(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    whole = flat.dtype.kind in "biu"
    with np.errstate(over="ignore", invalid="ignore"):
        values = flat.astype(np.float32)
        values += np.float32(0)  # -0.0 and 0.0 are equal
    if not whole:
        values[np.isnan(values)] = np.nan
    rest = _beyond_float32(flat, values)
    digests = np.empty(len(flat), np.uint64)
    for i, row in enumerate(values):
        key = row.tobytes().rstrip(b"\0")
        if rest is not None and rest[i].any():
            key += rest[i].tobytes()
        digests[i] = _digest(key)
    simple = (
        (values == values[:, :1]).all(axis=1) if flat.shape[1] > 1 else np.zeros(len(flat), bool)
    )
    if flat.dtype.kind in "iu" and flat.dtype.itemsize > 1:  # tokens: count what is no padding
        simple |= (values != 0).sum(axis=1) < min(TOKENS_THAT_TELL, flat.shape[1])
    return digests, simple


def _beyond_float32(flat: np.ndarray, values: np.ndarray) -> np.ndarray | None:
    """What whole numbers above 2**24 (time stamps, ids) lose as float32; None for all others."""
    if flat.dtype.itemsize < 4 or flat.dtype == np.float32 or not flat.size:
        return None
    if not np.any(np.abs(values) >= _EXACT):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        exact = flat.astype(np.float64)
        rest = np.where(np.isfinite(exact) & (exact == np.floor(exact)), exact - values, 0.0)
    return rest.astype(np.float32)


def _digest(key: bytes) -> int:
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "little")


def _mixed(x: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64: every bit of the input reaches every bit of the output."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
