"""Which of N samples are chosen, in as few bytes as it takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.wire.arrays import to_wire


def pack_rows(rows: np.ndarray, n: int) -> dict[str, Any]:
    r"""Rows (M,) of N samples as a trait carries them: a list of them, or a bit for each sample.

    >>> pack_rows(np.array([4, 1]), 1000)["rows"]["shape"]
    [2]
    >>> packed = pack_rows(np.arange(8, 900), 1000)
    >>> packed["count"], packed["bits"]["shape"], packed["bits"]["data"][:3]
    (892, [125], b'\x00\xff\xff')
    """
    if 4 * len(rows) <= n / 8:
        return {"count": len(rows), "rows": to_wire(rows.astype(np.int32))}
    chosen = np.zeros(n, bool)
    chosen[rows] = True
    return {"count": len(rows), "bits": to_wire(np.packbits(chosen, bitorder="little"))}


def pack_matrix(matrix: np.ndarray) -> dict[str, Any]:
    """A (C, C) matrix of counts; of many classes only the cells that hold something.

    >>> pack_matrix(np.eye(300, dtype=int))["at"]["shape"]
    [300]
    """
    matrix = matrix.astype(np.int32)
    if matrix.size <= 4096 or 2 * np.count_nonzero(matrix) > matrix.size:
        return to_wire(matrix)
    at = np.flatnonzero(matrix).astype(np.int32)
    return {
        "shape": list(matrix.shape),
        "at": to_wire(at),
        "values": to_wire(matrix.ravel()[at]),
    }
