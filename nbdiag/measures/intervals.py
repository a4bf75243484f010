"""How sure is a proportion? Wilson's interval, and the digits that it supports."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Proportion:
    """A share that was counted, with its interval: ``successes`` of ``n``.

    Attributes
    ----------
    value : ``successes / n``, NaN for ``n = 0``.
    low, high : ends of the Wilson score interval, in [0, 1]; 0 and 1 for ``n = 0``.
    """

    successes: int
    n: int
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, successes: int, n: int, confidence: float = 0.95) -> Proportion:
        low, high = wilson(successes, n, confidence)
        value = successes / n if n else math.nan
        return cls(int(successes), int(n), value, float(low), float(high))

    def __str__(self) -> str:
        return supported(self.successes, self.n)


def wilson(successes: Any, n: Any, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson score interval of a binomial proportion: ``(low, high)``, arrays where given arrays.

    It stays within [0, 1] and keeps its coverage for few samples and for shares near 0 and 1,
    where the normal interval does not. ``n = 0`` tells nothing: (0, 1). Wilson, J. Am. Stat.
    Assoc. 22 (1927); recommended by Brown, Cai and DasGupta, Statist. Sci. 16 (2001).

    >>> low, high = wilson(900, 1000)
    >>> print(f"{low:.4f} {high:.4f}")
    0.8798 0.9171
    """
    from scipy.special import ndtri

    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence!r}")
    k, total = np.asarray(successes, float), np.asarray(n, float)
    if np.any(k < 0) or np.any(k > total):
        raise ValueError("successes must lie between 0 and n")
    z = float(ndtri(0.5 + confidence / 2))
    counted = np.where(total > 0, total, 1.0)
    share = k / counted
    scale = 1 + z**2 / counted
    centre = (share + z**2 / (2 * counted)) / scale
    half = z / scale * np.sqrt(share * (1 - share) / counted + z**2 / (4 * counted**2))
    # None and all are ends of the scale by algebra; rounding must not leave 1e-17 beyond them.
    low = np.where(k == 0, 0.0, centre - half)
    high = np.where(k == total, 1.0, centre + half)
    return np.where(total > 0, low, 0.0), np.where(total > 0, high, 1.0)


def supported(successes: int, n: int) -> str:
    """A proportion with only the digits that its 95 % Wilson interval supports, at least one.

    The last digit printed counts in units no finer than half the interval's width, so that the
    same model on another machine, a sample or two apart, reads the same.

    >>> supported(900, 1000), supported(900_000, 1_000_000), supported(7, 10)
    ('0.9', '0.900', '0.7')
    >>> supported(1000, 1000), supported(0, 0)
    ('1.00', 'unknown')

    What is not all is never rounded up to all, nor what is not nothing down to nothing:

    >>> supported(350, 360), supported(3, 360)
    ('above 0.9', 'below 0.1')
    """
    if n == 0:
        return "unknown"
    low, high = wilson(successes, n)
    digits = max(1, math.floor(-math.log10(float(high - low) / 2)))
    text, step = f"{successes / n:.{digits}f}", 10.0**-digits
    if successes < n and float(text) == 1:
        return f"above {1 - step:.{digits}f}"
    if successes > 0 and float(text) == 0:
        return f"below {step:.{digits}f}"
    return text
