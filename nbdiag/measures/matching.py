"""Which row of one table is which row of another? Matched by ids."""

from __future__ import annotations

import numpy as np


def match_ids(ids: np.ndarray, others: np.ndarray) -> np.ndarray | None:
    """Positions (N,) in ``others`` of each of ``ids``; None where the two are equal as they are.

    Both hold each id once. Raises ValueError where the sets differ, with the first ids that lack.

    >>> match_ids(np.array([7, 3]), np.array([3, 7])).tolist()
    [1, 0]
    """
    if ids.shape == others.shape and np.array_equal(ids, others):
        return None
    if (ids.dtype.kind in "USO") != (others.dtype.kind in "USO"):
        raise ValueError(
            f"the ids cannot be matched: {ids.dtype} such as {ids[0]!r} here, {others.dtype} such "
            f"as {others[0]!r} there"
        )
    here, there = np.argsort(ids, kind="stable"), np.argsort(others, kind="stable")
    if len(ids) == len(others) and np.array_equal(ids[here], others[there]):
        rows = np.empty(len(ids), np.int64)
        rows[here] = there
        return rows
    lacking = [_named(np.setdiff1d(a, b)) for a, b in ((ids, others), (others, ids))]
    parts = [
        f"{where} lacks {what}"
        for where, what in zip(("the baseline", "predictions"), lacking, strict=True)
        if what
    ]
    raise ValueError(
        f"the two are not about the same samples: {'; '.join(parts)}. Predict both over the same "
        "data, or compare what they share: predictions.take(rows)"
    )


def _named(ids: np.ndarray) -> str:
    """How many, and the first few."""
    if not len(ids):
        return ""
    shown = ", ".join(str(key) for key in ids[:5].tolist())
    return f"{len(ids)} ids ({shown}{', …' if len(ids) > 5 else ''})"
