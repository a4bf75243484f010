"""Rates over time: steps, slopes, and nothing."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from nbdiag.measures.drift import _armitage, over_time
from nbdiag.measures.grouping import Grouping, group
from nbdiag.measures.slice_explorer import SliceTable
from tests.measures.made import told

N = 6000


def months(seed: int = 0) -> tuple[Grouping, np.ndarray, np.random.Generator]:
    """N dates of a year, the month 0 to 11 of each."""
    rng = np.random.default_rng(seed)
    day = rng.integers(0, 366, N)
    times = (np.datetime64("2024-01-01") + day.astype("timedelta64[D]")).astype("datetime64[s]")
    month = times.astype("datetime64[M]").astype(int) - np.datetime64("2024-01").astype(int)
    return group("when", times, at_least=20), month, rng


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("rate", "shape", "words"),
    [
        (lambda m: 0.1 + 0.0 * m, "steady", "does not change over time beyond noise"),
        (lambda m: 0.05 + 0.15 * (m >= 7), "step", "is higher from 2024-08 on"),
        (lambda m: 0.25 - 0.15 * (m >= 3), "step", "is lower from 2024-04 on"),
        (lambda m: 0.05 + 0.02 * m, "trend", "rises over time, from about"),
        (lambda m: 0.30 - 0.02 * m, "trend", "falls over time, from about"),
    ],
)
def test_shapes(rate: object, shape: str, words: str, seed: int) -> None:
    grouping, month, rng = months(seed)
    line = over_time(grouping, rng.random(N) < rate(month))  # type: ignore[operator]
    assert (line.shape, line.period) == (shape, "month")
    assert words in line.words
    if shape == "step":
        assert line.labels[line.step] in line.words


def test_counts_and_intervals_by_hand() -> None:
    times = np.array(["2024-01-01"] * 40 + ["2024-02-01"] * 20, "datetime64[s]")
    line = over_time(group("t", times, at_least=20), np.arange(60) % 4 == 0)
    assert (line.n.tolist(), line.errors.tolist()) == ([40, 20], [10, 5])
    assert line.rate.tolist() == [0.25, 0.25]
    low, high = stats.binomtest(10, 40).proportion_ci(method="wilson")
    assert (line.low[0], line.high[0]) == pytest.approx((low, high))


def test_the_slope_is_cochran_and_armitages() -> None:
    rng = np.random.default_rng(0)
    n = rng.integers(50, 200, 8)
    k = rng.binomial(n, np.linspace(0.1, 0.2, 8))
    table = sm.stats.Table(np.stack([k, n - k]), shift_zeros=False)
    test = table.test_ordinal_association(row_scores=np.array([1, 0]), col_scores=np.arange(8))
    # statsmodels divides by N - 1 where Armitage divides by N
    correction = np.sqrt((n.sum() - 1) / n.sum())
    assert _armitage(n, k, np.arange(8.0)) * correction == pytest.approx(test.zscore)


@pytest.mark.parametrize("wrong", [np.zeros(60, bool), np.ones(60, bool)])
def test_all_right_and_all_wrong_are_steady(wrong: np.ndarray) -> None:
    times = np.array(["2024-01-01"] * 40 + ["2024-02-01"] * 20, "datetime64[s]")
    line = over_time(group("t", times, at_least=20), wrong)
    assert (line.shape, line.step, line.p_value) == ("steady", -1, 1)


def test_one_period_beside_missing_dates() -> None:
    times = np.array(["2024-01-01"] * 40 + ["NaT"] * 20, "datetime64[s]")
    line = over_time(group("t", times, at_least=20), np.arange(60) % 4 == 0)
    assert line.n.tolist() == [40]
    assert line.shape == "steady"


def test_luck_is_no_drift() -> None:
    found = [over_time(months(s)[0], np.random.default_rng(s).random(N) < 0.2) for s in range(40)]
    assert sum(line.shape != "steady" for line in found) <= 2


def test_of_a_table() -> None:
    _, month, _ = months()
    times = np.datetime64("2024-01-01") + np.arange(N).astype("timedelta64[h]")
    table = SliceTable.from_predictions(
        told(0.05 + 0.2 * (np.arange(N) > 4000), metadata={"t": times, "s": month % 2 == 0})
    )
    assert table.time_columns == ["t"]
    assert table.over_time().shape == "step"
    with pytest.raises(ValueError, match="'s' holds no times"):
        table.over_time("s")
    with pytest.raises(ValueError, match="'u' is no column that was sliced; those are: t, s"):
        table.over_time("u")
    without = SliceTable.from_predictions(told(month == 3, metadata={"s": month % 2 == 0}))
    with pytest.raises(ValueError, match="no column holds times"):
        without.over_time()
