"""Does a part of the samples err more often than the rest, by how much, and how sure is that?

Every question is about counts: of ``n`` samples of a part ``errors`` are wrong, of all ``total``
samples ``total_errors`` are. All functions take arrays, one entry a part.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.measures.intervals import wilson

BLOCK = 64  # terms of a tail that are summed at once


def greater(errors: Any, n: Any, total_errors: Any, total: Any) -> np.ndarray:
    """Chance of so many errors in the part, or more, were errors dealt out at random.

    Fisher's exact test, one-sided: the upper tail of the hypergeometric distribution, summed until
    it no longer changes, so that it stays exact from ten samples to a million.

    >>> float(greater(3, 3, 3, 6).round(9))  # 1 of the 20 ways to choose 3 of 6
    0.05
    """
    given = np.broadcast_arrays(*(np.asarray(v, float) for v in (errors, n, total_errors, total)))
    k, size, marked, whole = (np.atleast_1d(values).ravel() for values in given)
    lowest, highest = np.maximum(0.0, size + marked - whole), np.minimum(size, marked)
    if np.any(k < lowest) or np.any(k > highest):
        raise ValueError("errors of a part must lie between 0 and its samples, and not be too many")
    # From the side of the mode away from it, the terms fall at once and the sum is short.
    upper = k * whole > size * marked
    found = np.empty(len(k))
    for side, step, end in ((upper, 1, highest), (~upper, -1, lowest)):
        counts = size[side], marked[side], whole[side]
        start = k[side] if step > 0 else k[side] - 1
        tail = _tail(start, *counts, end[side], step)
        found[side] = tail if step > 0 else 1 - tail
    return np.clip(found, 0.0, 1.0).reshape(given[0].shape)


def _tail(start: np.ndarray, n: np.ndarray, marked: np.ndarray, total: np.ndarray, end: np.ndarray,
          step: int) -> np.ndarray:  # fmt: skip
    """Probability from ``start`` to ``end`` on the side where terms fall, a block at a time."""
    summed = np.zeros(len(start))
    left = np.flatnonzero((start - end) * step <= 0)
    term = np.exp(_log_chance(start[left], n[left], marked[left], total[left]))
    summed[left] = term
    at = start[left]
    ahead = np.arange(BLOCK) * step
    while left.size:
        size, ones, whole = (values[left][:, None] for values in (n, marked, total))
        i = at[:, None] + ahead
        if step > 0:
            ratio = (ones - i) * (size - i) / np.maximum((i + 1) * (whole - ones - size + i + 1), 1)
        else:
            ratio = i * (whole - ones - size + i) / np.maximum((ones - i + 1) * (size - i + 1), 1)
        ratio[(i - end[left][:, None]) * step >= 0] = 0.0  # the end: no term beyond it
        terms = term[:, None] * np.cumprod(ratio, axis=1)
        summed[left] += terms.sum(axis=1)
        going = terms[:, -1] > 1e-17 * summed[left]
        left, at, term = left[going], at[going] + BLOCK * step, terms[going, -1]
    return summed


def _log_chance(k: np.ndarray, n: np.ndarray, marked: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Log of the hypergeometric probability of ``k`` marked among ``n`` drawn."""
    return _choose(marked, k) + _choose(total - marked, n - k) - _choose(total, n)


def _choose(n: Any, k: Any) -> np.ndarray:
    from scipy.special import betaln

    # As a beta function: differences of log-factorials of a million lose half their digits.
    return -betaln(np.add(n, 1.0) - k, np.add(k, 1.0)) - np.log1p(n)


def difference(errors: Any, n: Any, other_errors: Any, other_n: Any) -> tuple[np.ndarray, ...]:
    """95 % interval of the part's error rate less the others' rate.

    Newcombe's hybrid of two Wilson intervals (Stat. Med. 17 (1998), method 10): it holds for few
    samples and for rates near 0. Without samples on a side: (-1, 1).
    """
    a, b = _rates(errors, n), _rates(other_errors, other_n)
    (low_a, high_a), (low_b, high_b) = wilson(errors, n), wilson(other_errors, other_n)
    low = a - b - np.hypot(a - low_a, high_b - b)
    high = a - b + np.hypot(high_a - a, b - low_b)
    known = (np.asarray(n) > 0) & (np.asarray(other_n) > 0)
    return np.where(known, low, -1.0), np.where(known, high, 1.0)


def ratio(errors: Any, n: Any, other_errors: Any, other_n: Any) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of the part's error rate over the others' rate; 0 to infinity where unknown.

    From two Wilson intervals (MOVER; Donner and Zou, Stat. Methods Med. Res. 21 (2012)), which
    holds where one of the rates is 0.
    """
    a, b = _rates(errors, n), _rates(other_errors, other_n)
    (low_a, high_a), (low_b, high_b) = wilson(errors, n), wilson(other_errors, other_n)
    with np.errstate(divide="ignore", invalid="ignore"):
        slack = np.maximum((a * b) ** 2 - low_a * (2 * a - low_a) * high_b * (2 * b - high_b), 0)
        low = (a * b - np.sqrt(slack)) / (high_b * (2 * b - high_b))
        # High ends above twice the rate turn the parabola over; the lower end is then 2ab / ...
        low = np.where(high_b == 2 * b, low_a * (2 * a - low_a) / (2 * a * b), low)
        slack = np.maximum((a * b) ** 2 - high_a * (2 * a - high_a) * low_b * (2 * b - low_b), 0)
        high = (a * b + np.sqrt(slack)) / (low_b * (2 * b - low_b))
    known = (np.asarray(n) > 0) & (np.asarray(other_n) > 0)
    low = np.where(known & (a > 0), low, 0.0)
    high = np.where(known & (low_b > 0), high, np.inf)
    return np.nan_to_num(low, nan=0.0), np.where(np.isnan(high), np.inf, high)


def lift(errors: Any, n: Any, total_errors: int, total: int) -> tuple[np.ndarray, ...]:
    """How many times as often as all samples a part errs: ``(value, low, high)``, 95 %.

    The part is among all samples, so its interval follows from the ratio to the rest: with a share
    w of the samples, lift = 1 / (w + (1 - w) / ratio), which grows with the ratio. NaN where
    there are no errors at all, or no samples in the part.

    >>> value, _, _ = lift(30, 100, 50, 1000)
    >>> float(value.round(2))
    6.0
    """
    k, size = np.asarray(errors, float), np.asarray(n, float)
    share = size / total
    value = _rates(k, size) / (total_errors / total if total_errors else np.nan)
    low, high = ratio(k, size, total_errors - k, total - size)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = [np.where(r > 0, 1 / (share + (1 - share) / r), 0.0) for r in (low, high)]
    whole = size == total  # all samples: neither more nor less often than all
    low, high = (np.where(whole, 1.0, end) for end in ends)
    unknown = np.isnan(value)
    return value, np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def likelihood_gain(errors: Any, n: Any, total_errors: int, total: int) -> np.ndarray:
    """How much better two rates explain the errors than one: the G statistic, 0 or more.

    Of several parts that overlap, the one with the largest gain draws the line where it is.
    """
    k, size = np.asarray(errors, float), np.asarray(n, float)
    inside, outside = _log_likelihood(k, size), _log_likelihood(total_errors - k, total - size)
    whole = _log_likelihood(np.asarray(float(total_errors)), np.asarray(float(total)))
    return np.maximum(0.0, 2 * (inside + outside - whole))


def _log_likelihood(k: np.ndarray, n: np.ndarray) -> np.ndarray:
    from scipy.special import xlogy

    counted = np.where(n > 0, n, 1.0)
    return xlogy(k, k / counted) + xlogy(n - k, (n - k) / counted)


def _rates(errors: Any, n: Any) -> np.ndarray:
    size = np.asarray(n, float)
    return np.where(size > 0, np.asarray(errors, float) / np.where(size > 0, size, 1.0), np.nan)
