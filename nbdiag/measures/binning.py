"""Cutting numbers and dates into a few groups whose edges a person can read."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

SLACK = 0.2  # how far a round edge may move the share of a group, as a share of its size
# Period -> how many fit at most, so that a picture over time stays readable.
PERIODS_AT_MOST = 24


def roundest(low: float, high: float) -> float:
    """The number with the fewest digits in ``(low, high]``: what a person would cut at.

    >>> roundest(0.2317, 0.2481), roundest(17.3, 21.9), roundest(-0.3, 0.2), roundest(19, 20)
    (0.24, 20.0, 0.0, 20.0)
    """
    if low < 0 <= high:
        return 0.0
    at_most = int(np.floor(np.log10(max(abs(low), abs(high))))) + 1
    for exponent in range(at_most, at_most - 18, -1):
        for step in (
            Decimal(5).scaleb(exponent),
            Decimal(2).scaleb(exponent),
            Decimal(1).scaleb(exponent),
        ):
            found = float((Decimal(high) / step).to_integral_value("ROUND_FLOOR") * step)
            if low < found <= high:
                return found
    return high


def quantile_edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Inner edges, ascending and distinct, that cut finite values into groups of similar size.

    An edge is the roundest number that keeps its group within a fifth of that size, and a value
    that fills a group by itself gets one. Lower ends are in, upper ends out.

    >>> quantile_edges(np.linspace(0, 1, 101) ** 2, 4).tolist()
    [0.05, 0.2, 0.5]
    """
    ordered = np.sort(values)
    n = len(ordered)
    if n == 0 or ordered[0] == ordered[-1]:
        return np.empty(0)
    size, whole = n / bins, bool((ordered == np.floor(ordered)).all())
    edges: set[float] = set()
    for part in range(1, bins):
        rank = part * size
        first, last = int(rank - SLACK * size), int(np.ceil(rank + SLACK * size))
        first, last = max(first, 1), min(last, n - 1)
        middle = ordered[min(n - 1, int(rank))]
        start, end = (int(np.searchsorted(ordered, middle, side)) for side in ("left", "right"))
        if end - start >= size:
            cuts = [start, end]
        elif ordered[first - 1] == ordered[last]:
            cuts = [start if rank - start < end - rank else end]
        else:
            edges.add(roundest(float(ordered[first - 1]), float(ordered[last])))
            continue
        # Just above the heap: of whole numbers the next one, else "above 0" and no tiny number.
        edges.update(
            float(ordered[cut]) if cut == start or whole else np.nextafter(middle, np.inf)
            for cut in cuts
            if 0 < cut < n
        )
    found = np.array(sorted(edges), float)
    # Where heaps stand close, two edges may have nothing between them.
    return found[np.unique(np.searchsorted(ordered, found), return_index=True)[1]]


def just_above(edge: float) -> float | None:
    """The value that an edge lies one step above, where that is how it was made.

    >>> just_above(float(np.nextafter(0.25, 1))), just_above(0.25)
    (0.25, None)
    """
    value = float(np.nextafter(edge, -np.inf))
    return value if len(repr(value)) <= len(repr(edge)) - 3 else None


def range_name(
    edges: np.ndarray, first: int, last: int, whole: bool, ends: tuple[float, float]
) -> str:
    """Groups ``first`` to ``last`` of those that the inner ``edges`` cut, in words.

    ``ends`` are the smallest and the largest value; of whole numbers both ends of a name are in.

    >>> [range_name(np.array([0.1, 0.25]), i, i, False, (0, 9)) for i in range(3)]
    ['below 0.1', '0.1 to 0.25', '0.25 and above']
    >>> [range_name(np.array([1.0, 20.0, 30.0]), i, i, True, (0, 50)) for i in range(4)]
    ['0', '1 to 19', '20 to 29', '30 and above']
    >>> range_name(np.array([0.1, 0.25, 0.7]), 1, 2, False, (0, 9))
    '0.1 to 0.7'
    """
    low = None if first == 0 else float(edges[first - 1])
    high = None if last == len(edges) else float(edges[last])
    top = None if high is None else high - 1 if whole else just_above(high)
    bottom = ends[0] if low is None else low
    if (ends[1] if top is None and high is None else top) == bottom:
        return number(bottom)
    above = None if low is None or whole else just_above(low)
    start = "" if low is None else f"above {number(above)}" if above is not None else number(low)
    if high is None:
        return start if above is not None else f"{start} and above"
    if low is None:
        return f"below {number(high)}" if top is None else f"up to {number(top)}"
    return f"{start} to {number(high if top is None else top)}"


def number(value: Any) -> str:
    """A number as a person writes it: no exponent for common sizes, no trailing zeros.

    >>> number(0.25), number(1500.0), number(1e9), number(-0.0)
    ('0.25', '1,500', '1e+09', '0')
    """
    value = float(value) + 0.0
    if value == int(value) if np.isfinite(value) else False:
        # Years and other numbers of four digits are read as they stand up to 9,999.
        return f"{int(value):,}" if abs(value) < 1e6 else f"{value:.6g}"
    return f"{value:.6g}"


def _weeks(days: np.ndarray) -> np.ndarray:
    """Number of the week, Monday first, of days since 1970-01-01, a Thursday."""
    return (days + 3) // 7


def _iso(unit: str) -> Callable[[np.ndarray], list[str]]:
    return lambda at: at.astype(f"datetime64[{unit}]").astype(str).tolist()


def _clock(at: np.ndarray, step: int) -> list[str]:
    return [str(np.datetime64(int(i) * step, "s"))[11:] for i in at]


def _spaced(at: np.ndarray, unit: str, step: int) -> list[str]:
    starts = np.array([int(i) * step for i in at]).astype(f"datetime64[{unit}]")
    return [str(text)[:16].replace("T", " ") for text in np.datetime_as_string(starts, unit="m")]


# name, number of the period a time lies in, names of such numbers; the finest first
_PERIODS: tuple[
    tuple[str, Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], list[str]]], ...
] = (
    ("second", lambda t: _units(t, "s"), lambda at: _clock(at, 1)),
    ("10 seconds", lambda t: _units(t, "s") // 10, lambda at: _clock(at, 10)),
    ("minute", lambda t: _units(t, "m"), lambda at: _spaced(at, "m", 1)),
    ("10 minutes", lambda t: _units(t, "m") // 10, lambda at: _spaced(at, "m", 10)),
    ("hour", lambda t: _units(t, "h"), lambda at: _spaced(at, "h", 1)),
    ("6 hours", lambda t: _units(t, "h") // 6, lambda at: _spaced(at, "h", 6)),
    ("day", lambda t: _units(t, "D"), _iso("D")),
    (
        "week",
        lambda t: _weeks(_units(t, "D")),
        lambda at: [f"week of {np.datetime64(int(i) * 7 - 3, 'D')}" for i in at],
    ),
    ("month", lambda t: _units(t, "M"), _iso("M")),
    (
        "quarter",
        lambda t: _units(t, "M") // 3,
        lambda at: [f"{1970 + int(i) // 4} Q{int(i) % 4 + 1}" for i in at],
    ),
    ("year", lambda t: _units(t, "Y"), _iso("Y")),
    (
        "10 years",
        lambda t: (_units(t, "Y") + 1970) // 10,
        lambda at: [f"{int(i) * 10} to {int(i) * 10 + 9}" for i in at],
    ),
)  # fmt: skip


def _units(times: np.ndarray, unit: str) -> np.ndarray:
    return times.astype(f"datetime64[{unit}]").astype(np.int64)


def periods(times: np.ndarray, at_least: int) -> tuple[str, np.ndarray, list[str]]:
    """The finest period that fits: its name, the number of each sample's, their names in order.

    At most `PERIODS_AT_MOST` of them from first to last, and ``at_least`` samples in the typical
    one. Times are datetime64 without NaT.

    >>> times = np.array(["2024-01-05", "2024-02-07", "2024-02-09"], "datetime64[s]")
    >>> periods(times, 1)
    ('week', array([0, 5, 5]), ['week of 2024-01-01', 'week of 2024-02-05'])
    """
    found: tuple[str, np.ndarray, list[str]] | None = None
    for name, index_of, name_of in _PERIODS:
        numbers = index_of(times)
        first, last = int(numbers.min()), int(numbers.max())
        if last - first >= PERIODS_AT_MOST and name != _PERIODS[-1][0]:
            continue
        counts = np.bincount(numbers - first)
        used = np.flatnonzero(counts)
        if found is not None and len(used) < 2:
            break  # few samples: rather a finer period than none
        found = name, numbers - first, name_of(used + first)
        if np.median(counts[used]) >= at_least:
            break
    assert found is not None
    return found
