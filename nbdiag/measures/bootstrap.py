"""How sure is a measured number? The same measure over resamples of the samples.

Efron, Ann. Statist. 7 (1979). Resampling is plain by default: a test set is a sample, and how many
of each class are in it is part of the chance. A resample is a vector of weights (how often each
sample was drawn), so that a measure made of sums is one matrix product for all resamples.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nbdiag.measures.intervals import wilson

CHUNK_BYTES = 64_000_000  # of weights held at a time


@dataclass(frozen=True)
class Estimate:
    """A measured number with the ends of its interval; all NaN where it is not defined.

    >>> print(Estimate(0.8731, 0.853, 0.893), Estimate(0.99996, 0.99, 1), Estimate(2.41, 2.2, 2.7))
    0.9 0.99 or more 2
    >>> print(Estimate(math.nan, math.nan, math.nan))
    not defined
    """

    value: float
    low: float
    high: float

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        """Only the digits that the interval supports, as `intervals.supported` has them.

        What is not 1 is not rounded to 1, and what is not 0 not to 0.
        """
        return self.text()

    def text(self, more: str = "{} or more", less: str = "below {}") -> str:
        if math.isnan(self.value):
            return "not defined"
        if not math.isfinite(self.value):
            return "infinite"
        half = (self.high - self.low) / 2
        digits = 4 if not half > 0 else min(4, max(0, math.floor(-math.log10(half))))
        if abs(self.value) < 1 or self.value == 1:
            digits = max(1, digits)
        words, step = f"{self.value:.{digits}f}", 10.0**-digits
        if self.value < 1 and float(words) == 1:
            return more.format(f"{1 - step:.{digits}f}")
        if self.value > 0 and float(words) == 0:
            return less.format(f"{step:.{digits}f}")
        return words


UNKNOWN = Estimate(math.nan, math.nan, math.nan)


def weights(
    n: int, resamples: int, seed: int, strata: np.ndarray | None = None, chunk: int | None = None
) -> Iterator[np.ndarray]:
    """Blocks (k, n) float32: how often each of ``n`` samples is in each of k resamples.

    With ``strata`` (n,) each stratum is resampled on its own and keeps its size. The same seed
    gives the same blocks on every machine, whatever the chunk.
    """
    chunk = chunk or max(1, min(resamples, 64, CHUNK_BYTES // (4 * n)))
    generator = np.random.Generator(np.random.PCG64(seed))
    groups = None
    if strata is not None:
        order = np.argsort(strata, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(strata[order])) + 1)
    for start in range(0, resamples, chunk):
        block = np.zeros((min(chunk, resamples - start), n), np.float32)
        for row in block:
            if groups is None:
                row[:] = np.bincount(generator.integers(0, n, n), minlength=n)
            else:
                for group in groups:
                    drawn = generator.integers(0, len(group), len(group))
                    row[group] = np.bincount(drawn, minlength=len(group))
        yield block


def percentiles(values: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the percentile interval of (..., B) resampled values; undefined ones are left out."""
    tail = (1 - confidence) / 2
    known = np.isfinite(values).any(-1)
    low, high = np.full(known.shape, np.nan), np.full(known.shape, np.nan)
    if known.any():
        low[known], high[known] = np.nanquantile(
            np.where(np.isfinite(values[known]), values[known], np.nan), [tail, 1 - tail], axis=-1
        )
    return low, high


def around(
    exact: np.ndarray,
    resampled: np.ndarray,
    confidence: float,
    *,
    coarse: np.ndarray | None = None,
    basic: bool = False,
    most: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals (...) of ``exact`` (...) from (..., B) resampled values.

    coarse : what the resampled way of counting says of the sample itself; where that differs from
        ``exact``, because scores were grouped, the interval is moved by the difference.
    basic : the interval 2t - q instead of the percentiles q, for measures that resampling pushes
        to one side as much as sampling did (a calibration error can only be pushed up).
    most : the greatest value that is possible.
    """
    exact = np.asarray(exact, float)
    low, high = percentiles(resampled, confidence)
    if coarse is not None:
        low, high = low + (exact - coarse), high + (exact - coarse)
    if basic:
        low, high = 2 * exact - high, 2 * exact - low
    low, high = np.clip(low, 0.0, most), np.clip(high, 0.0, most)
    unknown = np.isnan(exact)
    return (
        np.where(unknown, np.nan, np.fmin(low, exact)),
        np.where(unknown, np.nan, np.fmax(high, exact)),
    )


def not_certain(
    value: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    n: np.ndarray,
    confidence: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of shares, opened where the bootstrap knows no doubt.

    Resamples of samples that are all right, or all wrong, are all right or wrong too. There
    Wilson's interval of none or all of ``n`` takes the bootstrap's place.
    """
    counted = np.maximum(n, 0)
    all_low, _ = wilson(counted, counted, confidence)
    _, none_high = wilson(np.zeros_like(counted), counted, confidence)
    sure = (low == high) & ~np.isnan(value)
    return (
        np.where(sure & (value == 1), all_low, low),
        np.where(sure & (value == 0), none_high, high),
    )
