"""Two models on the same samples: is one better by more than noise?

Only the samples on which the two disagree tell: ``fixed`` that the second has right and the first
wrong, ``broken`` the other way round. Arrays are taken too, element by element.
"""

from __future__ import annotations

from typing import Any

import numpy as np

ROUNDS = 60  # halvings of an interval of length 2: beyond the last bit


def mcnemar(fixed: Any, broken: Any, *, exact: bool = False) -> np.ndarray:
    """Two-sided p-value of McNemar's test, by default its mid-p version; 1 where nothing differs.

    Under chance each disagreement goes either way like a coin. The exact test never exceeds its
    level. The mid-p value keeps it on average over the number of disagreements and misses less
    (Fagerland, Lydersen and Laake, BMC Med. Res. Methodol. 13:91, 2013); for a given number of them
    it may exceed 5 % by half.

    >>> mcnemar([7, 3, 0], [1, 2, 0]).round(4).tolist()
    [0.0391, 0.6875, 1.0]
    >>> mcnemar(7, 1, exact=True).round(4).item()
    0.0703
    """
    from scipy.special import bdtr, gammaln

    b, c = np.asarray(fixed, float), np.asarray(broken, float)
    n, fewer = b + c, np.minimum(b, c)
    tail = bdtr(fewer, n.astype(np.int64), 0.5)
    here = np.exp(gammaln(n + 1) - gammaln(fewer + 1) - gammaln(n - fewer + 1) - n * np.log(2))
    doubled = np.where(b == c, 1.0, np.minimum(2 * tail, 1.0))
    if exact:
        return doubled
    p = np.where(b == c, 1 - here / 2, doubled - here)
    return np.where(n == 0, 1.0, np.clip(p, 0, 1))


def difference_interval(
    fixed: Any, broken: Any, n: Any, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the difference of two paired proportions, ``(fixed - broken) / n``.

    Tango's score interval (Stat. Med. 17:891, 1998), which holds its coverage for few
    disagreements and stays within [-1, 1]. ``n = 0`` tells nothing: (-1, 1).

    >>> low, high = difference_interval(7, 1, 21)
    >>> print(f"{low:.3f} {high:.3f}")
    0.026 0.517
    """
    from scipy.special import ndtri

    b, c, total = np.broadcast_arrays(*(np.asarray(x, float) for x in (fixed, broken, n)))
    if np.any(b < 0) or np.any(c < 0) or np.any(b + c > total):
        raise ValueError("fixed and broken must be counts that together do not exceed n")
    z = float(ndtri(0.5 + confidence / 2))
    counted = np.where(total > 0, total, 1.0)
    middle = (b - c) / counted

    def statistic(delta: np.ndarray) -> np.ndarray:
        # The share of broken samples that is likeliest where the true difference is delta.
        linear = -b - c + (2 * counted - b + c) * delta
        constant = -c * delta * (1 - delta)
        root = np.sqrt(np.maximum(linear**2 - 8 * counted * constant, 0))
        share = (root - linear) / (4 * counted)
        variance = np.maximum(counted * (2 * share + delta * (1 - delta)), 0)
        gap = b - c - counted * delta
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(gap == 0, 0.0, gap / np.sqrt(variance))

    ends = []
    for sign in (1.0, -1.0):
        outer, inner = np.full(middle.shape, -sign), middle.copy()
        for _ in range(ROUNDS):
            half = (outer + inner) / 2
            beyond = sign * statistic(half) > z
            outer, inner = np.where(beyond, half, outer), np.where(beyond, inner, half)
        ends.append(np.where(total > 0, (outer + inner) / 2, -sign))
    return ends[0], ends[1]
