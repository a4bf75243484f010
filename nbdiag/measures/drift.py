"""Does the error rate change over time, and how: a step, a slope, or nothing beyond noise?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbdiag.measures.contrast import greater, likelihood_gain
from nbdiag.measures.grouping import Grouping
from nbdiag.measures.intervals import wilson

ALPHA = 0.005  # for the step and for the slope: 1 % together
SMALL = 0.02  # a change of the error rate that is real but hardly matters


@dataclass(frozen=True)
class TimeLine:
    """A rate over time, period by period.

    Attributes
    ----------
    column, period : of which column, by what ("month").
    labels : K periods that have samples, in their order.
    at : (K,) int, how many periods after the first; a gap is a jump.
    n, errors : (K,) samples and bad ones.
    rate, low, high : (K,) with the 95 % Wilson interval.
    shape : ``"step"``, ``"trend"`` or ``"steady"``.
    step : of a step the first period after it, else -1.
    before, after : rates on both sides of the step, or at both ends of the slope.
    p_value : of the step after correction for where it might have been, or of the slope.
    words : the same in a sentence, without numbers that another machine would not give.
    """

    column: str
    period: str
    labels: tuple[str, ...]
    at: np.ndarray
    n: np.ndarray
    errors: np.ndarray
    rate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    shape: str
    step: int
    before: float
    after: float
    p_value: float
    words: str


def over_time(grouping: Grouping, bad: np.ndarray, name: str = "error rate") -> TimeLine:
    """Count a time column period by period and say how the rate moves.

    A step is the best of all places to cut (exact test on each, corrected for their number), a
    slope is tested as Cochran and Armitage do (Biometrics 11 (1955)); of two that are significant,
    the one that explains more is named.
    """
    k = grouping.ordered
    n = np.bincount(grouping.codes, minlength=k)[:k]
    errors = np.bincount(grouping.codes[bad], minlength=k)[:k]
    used = np.flatnonzero(n)
    n, errors, at = n[used], errors[used], np.array(grouping.positions)[used]
    low, high = wilson(errors, n)
    shape, step, before, after, p = _shape(n, errors, at)
    labels = tuple(grouping.labels[i] for i in used)
    return TimeLine(
        grouping.name,
        grouping.period,
        labels,
        at,
        n,
        errors,
        errors / n,
        low,
        high,
        shape,
        step,
        before,
        after,
        p,
        _words(name, shape, labels[step] if step >= 0 else "", before, after),
    )


def _shape(
    n: np.ndarray, errors: np.ndarray, at: np.ndarray
) -> tuple[str, int, float, float, float]:
    total, wrong = int(n.sum()), int(errors.sum())
    mean = wrong / total
    if len(n) < 2 or wrong in (0, total):
        return "steady", -1, mean, mean, 1.0
    first, first_errors = np.cumsum(n)[:-1], np.cumsum(errors)[:-1]
    gain = likelihood_gain(first_errors, first, wrong, total)
    cut = int(gain.argmax())
    sides = [(first_errors[cut], first[cut]), (wrong - first_errors[cut], total - first[cut])]
    p_step = min(float(greater(k, size, wrong, total)) for k, size in sides)
    p_step = min(1.0, 2 * p_step * len(gain))
    z = _armitage(n, errors, at.astype(float))
    p_trend = _two_sided(z)
    if min(p_step, p_trend) > ALPHA:
        return "steady", -1, mean, mean, min(p_step, p_trend)
    # The step could choose its place, which the slope could not: it must explain clearly more.
    if p_step <= ALPHA and (gain[cut] > z**2 + 2 or p_trend > ALPHA):
        before, after = (float(k / size) for k, size in sides)
        return "step", cut + 1, before, after, p_step
    slope, level = np.polyfit(at, errors / n, 1, w=np.sqrt(n))
    before, after = (float(np.clip(level + slope * t, 0, 1)) for t in (at[0], at[-1]))
    return "trend", -1, before, after, p_trend


def _armitage(n: np.ndarray, errors: np.ndarray, at: np.ndarray) -> float:
    """Cochran and Armitage's z of errors that grow with ``at``."""
    total, mean = n.sum(), errors.sum() / n.sum()
    spread = mean * (1 - mean) * ((n * at**2).sum() - (n * at).sum() ** 2 / total)
    return float((at * (errors - n * mean)).sum() / np.sqrt(spread)) if spread > 0 else 0.0


def _two_sided(z: float) -> float:
    from scipy.special import ndtr

    return float(2 * ndtr(-abs(z)))


def _words(name: str, shape: str, since: str, before: float, after: float) -> str:
    """
    >>> _words("error rate", "step", "2024-07", 0.05, 0.15)
    'The error rate is higher from 2024-07 on: 15% after 5% before.'
    >>> _words("error rate", "steady", "", 0.05, 0.05)
    'The error rate does not change over time beyond noise.'
    """
    if shape == "steady":
        return f"The {name} does not change over time beyond noise."
    size = " (a little)" if abs(after - before) < SMALL else ""
    if shape == "step":
        way = "higher" if after > before else "lower"
        return f"The {name} is {way}{size} from {since} on: {after:.0%} after {before:.0%} before."
    way = "rises" if after > before else "falls"
    return f"The {name} {way}{size} over time, from about {before:.0%} to {after:.0%}."
