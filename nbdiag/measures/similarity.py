"""Which samples does the model see as alike?"""

from __future__ import annotations

import numpy as np


def most_similar(features: np.ndarray, at: int) -> np.ndarray:
    """Rows of ``features`` (M, D), the most similar to row ``at`` first, which is itself.

    Cosine similarity: the direction counts, not the length. Rows without a direction (all zero, or
    not finite) come last; among equals the order is kept. Raises IndexError for a row that does not
    exist.

    >>> most_similar(np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 1.0]]), 0).tolist()
    [0, 2, 1]
    """
    rows = directions(features)
    if not 0 <= at < len(rows):
        raise IndexError(f"no row {at}: there are {len(rows)}")
    alike = rows @ rows[at]
    alike[~rows.any(axis=1)] = -2
    alike[at] = 2
    return np.argsort(-alike, kind="stable")


def directions(features: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1 in float64; zeros for those that have no direction."""
    rows = np.asarray(features, np.float64)
    if rows.ndim != 2:
        raise ValueError(f"features must have the shape (M, D), got {rows.shape}")
    rows = np.where(np.isfinite(rows).all(axis=1, keepdims=True), rows, 0)
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    rows = rows / np.where(largest > 0, largest, 1)  # squares of what is large would overflow
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return rows / np.where(lengths > 0, lengths, 1)
