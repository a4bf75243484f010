"""Levels, noise and trends that a few odd values do not move."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
_MAD = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""


def noise(values: Numbers) -> float:
    """Standard deviation of the noise, by second differences: a steady trend has no part in it.

    >>> noise(np.arange(100.0))
    0.0
    >>> noise(np.ones(2))
    0.0
    """
    if len(values) < 3:
        return 0.0
    return float(_MAD * np.median(np.abs(np.diff(values, 2))) / np.sqrt(6))


def spread(values: Numbers) -> float:
    """Standard deviation by the median absolute deviation; 0 for nothing."""
    if not len(values):
        return 0.0
    return float(_MAD * np.median(np.abs(values - np.median(values))))


def block_medians(values: NDArray[Any], blocks: int) -> Numbers:
    """Medians of at most `blocks` neighbouring parts of equal length, along the first axis.

    >>> block_medians(np.array([1.0, 2.0, 9.0, 4.0, 5.0, 6.0]), 2)
    array([2., 5.])
    """
    parts = np.array_split(values, min(blocks, len(values))) if len(values) else []
    return np.array([np.median(part, axis=0) for part in parts], np.float64)


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(start, stop) of each unbroken stretch of True.

    >>> runs(np.array([True, False, True, True]))
    [(0, 1), (2, 4)]
    """
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def rank_correlation(values: Numbers) -> float:
    """Spearman's correlation with the position: 1 when the values rise all the way.

    >>> rank_correlation(np.array([1.0, 5.0, 9.0]))
    1.0
    """
    if len(values) < 2:
        return 0.0
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return round(float(np.corrcoef(ranks, np.arange(len(values)))[0, 1]), 12)


def finite_median(values: NDArray[Any]) -> Numbers:
    """Medians along the first axis over what is finite; NaN where nothing is.

    >>> finite_median(np.array([[1.0, np.nan], [3.0, np.nan], [np.inf, np.nan]]))
    array([ 2., nan])
    """
    wide = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
    empty = np.isnan(wide).all(axis=0) if len(wide) else np.ones(wide.shape[1:], bool)
    if not len(wide):
        return np.full(wide.shape[1:], np.nan)
    wide[:, empty] = 0.0
    return np.where(empty, np.nan, np.nanmedian(wide, axis=0))
