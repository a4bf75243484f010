"""From ids of samples to their rows, for a million of them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np


class SampleIds:
    """Finds the rows of ids that the user names.

    Parameters
    ----------
    ids : (N,) distinct ids, of any type that can be compared or hashed.

    >>> SampleIds(np.array([7, 3, 5])).rows_of([5, 7]).tolist()
    [2, 0]
    """

    def __init__(self, ids: np.ndarray) -> None:
        self._ids = ids

    def rows_of(self, keys: Any) -> np.ndarray:
        """(M,) int64 rows of these ids, in their order.

        Raises
        ------
        ValueError : names the first that no sample has.
        """
        if hasattr(keys, "tolist"):
            keys = keys.tolist()
        keys = list(keys) if not isinstance(keys, str | bytes) else [keys]
        if not keys:
            return np.empty(0, np.int64)
        numbers = np.can_cast(self._ids.dtype, np.int64)
        rows = self._sorted_rows(keys) if numbers else self._hashed(keys)
        missing = np.flatnonzero(rows < 0)
        if missing.size:
            raise ValueError(
                f"no sample has the id {keys[missing[0]]!r}; ids are those of the "
                f"{len(self._ids):,} samples that were predicted, such as {self._ids[:1].item()!r}"
            )
        return rows

    def _sorted_rows(self, keys: list[Any]) -> np.ndarray:
        """By bisection: a table of a million Python numbers would take longer than all the rest."""
        whole = [type(key) is int and abs(key) < 2**62 for key in keys]
        wanted = np.array([key if ok else 0 for key, ok in zip(keys, whole, strict=True)], np.int64)
        values, rows = self._in_order
        at = np.searchsorted(values, wanted).clip(max=len(values) - 1)
        found = (values[at] == wanted) & np.array(whole)
        return np.where(found, rows[at], -1)

    @cached_property
    def _in_order(self) -> tuple[np.ndarray, np.ndarray]:
        ids = self._ids.astype(np.int64)
        if len(ids) < 2 or (ids[1:] > ids[:-1]).all():
            return ids, np.arange(len(ids))
        rows = np.argsort(ids, kind="stable")
        return ids[rows], rows

    def _hashed(self, keys: list[Any]) -> np.ndarray:
        table = self._table
        return np.array(
            [-1 if isinstance(key, list | dict | set) else table.get(key, -1) for key in keys],
            np.int64,
        )

    @cached_property
    def _table(self) -> dict[Any, int]:
        return {key: row for row, key in enumerate(self._ids.tolist())}
