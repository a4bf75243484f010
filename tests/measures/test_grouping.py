"""Columns of any library, cut into groups that a person can read."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nbdiag.measures.binning import periods, quantile_edges, roundest
from nbdiag.measures.columns import codes_of, column_names, column_of, plain
from nbdiag.measures.grouping import MISSING, RARE, Grouping, UnusableError, group

N = 400


def made(values: Any, **options: Any) -> Grouping:
    return group("x", plain(values), **{"at_least": 20, **options})


def titles(grouping: Grouping) -> list[str]:
    return [grouping.title(i) for i in range(len(grouping.labels))]


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [(0.2317, 0.2481, 0.24), (-3, 4, 0), (0, 1e-9, 1e-9), (999, 1001, 1000), (-7.3, -6.1, -7),
     (1e12, 1.1e12, 1.1e12), (0.1, 0.1 + 1e-9, 0.1 + 1e-9)],
)  # fmt: skip
def test_roundest(low: float, high: float, found: float) -> None:
    assert roundest(low, high) == pytest.approx(found, rel=1e-9)
    assert low < roundest(low, high) <= high


@pytest.mark.parametrize("bins", [2, 5, 10])
@pytest.mark.parametrize("seed", range(6))
def test_quantile_groups_are_near_equal_in_size(bins: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=N), rng.lognormal(size=N), rng.random(N) * 1e-6 - 5][seed % 3]
    edges = quantile_edges(values, bins)
    sizes = np.bincount(np.searchsorted(edges, values, side="right"))
    assert len(sizes) == bins
    assert sizes.min() >= 0.55 * N / bins
    assert sizes.max() <= 1.45 * N / bins


def test_a_heap_of_equal_values_gets_a_group_of_its_own() -> None:
    values = np.concatenate([np.zeros(200), np.linspace(0.01, 10, 200)])
    grouping = made(values)
    assert titles(grouping)[:2] == ["x = 0", "x above 0 to 1"]
    assert np.bincount(grouping.codes)[0] == 200


@pytest.mark.parametrize(
    ("values", "kind", "labels"),
    [
        (["b", "a", None, "b"] * 100, "category", ["a", "b", MISSING]),
        ([True, False] * 200, "boolean", ["False", "True"]),
        ([True, None] * 200, "boolean", ["True", MISSING]),
        ([1, 2, 3, 2] * 100, "number", ["1", "2", "3"]),
        ([1.0, float("nan")] * 200, "number", ["1", MISSING]),
        ([Decimal("0.5"), Decimal("1.5")] * 200, "number", ["0.5", "1.5"]),
        (list(range(100)) * 4, "number", ["up to 19", "20 to 49", "50 to 79", "80 and above"]),
        ([0.0, 1.0, np.inf, -np.inf] * 100, "number", None),
        ([datetime.date(2024, 1, 5), datetime.date(2024, 7, 5)] * 200, "time", None),
        ([[1], [2]] * 200, "category", ["[1]", "[2]"]),
        (np.array(["u", "v"] * 200), "category", ["u", "v"]),
        (pd.Series(pd.Categorical(["u", "v"] * 200)), "category", ["u", "v"]),
        (pd.Series([1, None] * 200, dtype="Int64"), "number", ["1", MISSING]),
        (pd.Series([True, None] * 200, dtype="boolean"), "boolean", ["True", MISSING]),
        (pd.Series(["u", None] * 200), "category", ["u", MISSING]),
        (pl.Series(["u", None] * 200), "category", ["u", MISSING]),
        (pl.Series([True, None] * 200), "boolean", ["True", MISSING]),
        (pl.Series([1, None] * 200), "number", ["1", MISSING]),
        (pl.Series(["u", "v"] * 200, dtype=pl.Categorical), "category", ["u", "v"]),
    ],
)  # fmt: skip
def test_kinds(values: Any, kind: str, labels: list[str] | None) -> None:
    grouping = made(values)
    assert grouping.kind == kind
    assert len(grouping.codes) == N
    if labels is not None:
        assert list(grouping.labels) == labels


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_dates_of_pandas(zone: str | None) -> None:
    values = pd.Series(pd.date_range("2024-01-01", periods=N, freq="D", tz=zone))
    grouping = made(values)
    assert (grouping.kind, grouping.period) == ("time", "month")
    assert grouping.labels[-1] == "2025-02"
    values[5] = pd.NaT
    assert made(values).labels[-1] == MISSING


def test_periods_of_pandas_are_times() -> None:
    values = pd.Series(pd.period_range("2024-01", periods=N, freq="D"))
    values[5] = pd.NaT
    grouping = made(values)
    assert (grouping.kind, grouping.labels[0], grouping.labels[-1]) == ("time", "2024-01", MISSING)


@pytest.mark.parametrize(
    ("days", "period", "first"),
    [(3, "6 hours", "2024-01-01 00:00"), (20, "day", "2024-01-01"),
     (100, "week", "week of 2024-01-01"), (300, "month", "2024-01"),
     (1500, "quarter", "2024 Q1"), (7000, "year", "2024"), (90_000, "10 years", "2020 to 2029")],
)  # fmt: skip
def test_the_period_fits_the_span(days: int, period: str, first: str) -> None:
    times = np.datetime64("2024-01-01") + np.linspace(0, days * 24 - 1, N).astype("timedelta64[h]")
    name, numbers, labels = periods(times.astype("datetime64[s]"), 10)
    assert (name, labels[0]) == (period, first)
    assert len(labels) == len(np.unique(numbers))


def test_few_samples_make_periods_longer() -> None:
    times = np.datetime64("2024-01-01") + np.arange(20).astype("timedelta64[D]")
    assert periods(times, 1)[0] == "day"
    assert periods(times, 6)[0] == "week"
    assert periods(times, 50)[0] == "week"  # a month would be one group


def test_a_gap_in_time_keeps_its_place() -> None:
    times = np.array(["2024-01-05", "2024-04-05"] * 200, "datetime64[s]")
    grouping = made(times)
    assert len(grouping.labels) == 2
    assert grouping.positions[1] - grouping.positions[0] >= 3


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("x", ["a"] * N, "one value"),
        ("x", [3] * N, "one value"),
        ("x", [None] * N, "one value"),
        ("x", [float("nan")] * N, "one value"),
        ("x", np.full(N, "NaT", "datetime64[s]"), "one value"),
        ("x", [f"img{i}.png" for i in range(N)], "400 distinct values in 400 samples"),
        ("x", range(N), "a number of its own"),
        ("user_id", np.arange(N) * 7, "a number of its own"),
        ("user_id", np.arange(N) // 1.5 // 1, "distinct numbers"),
        ("x", [f"u{i % 100}" for i in range(N)], "none of its 100 values has 20 samples"),
    ],
)
def test_what_names_samples_is_left_out(name: str, values: Any, why: str) -> None:
    with pytest.raises(UnusableError, match=why):
        group(name, plain(list(values) if isinstance(values, range) else values), at_least=20)


def test_rare_values_stand_together() -> None:
    values = [*["a"] * 200, *["b"] * 100, *[f"r{i}" for i in range(100)]]
    grouping = made(values)
    assert list(grouping.labels) == ["a", "b", RARE]
    assert np.bincount(grouping.codes).tolist() == [200, 100, 100]


def test_a_hundred_thousand_words() -> None:
    values = np.array([f"w{i % 100_000}" for i in range(200_000)] + ["often"] * 50, object)
    assert list(made(values).labels) == ["often", RARE]


def test_ranges_read_as_one() -> None:
    whole = made(list(range(100)) * 4)
    assert whole.title(1, 2) == "x = 20 to 79"
    assert whole.title(0, 1) == "x up to 49"
    assert whole.title(2, 3) == "x = 50 and above"
    times = made(np.datetime64("2024-01-01") + (np.arange(N) % 300).astype("timedelta64[D]"))
    assert times.title(2, 9) == "x from 2024-03 on"
    assert times.title(0, 1) == "x up to 2024-02"
    assert times.title(1, 3) == "x 2024-02 to 2024-04"


TABLES = [
    {"a": [1, 2], "b": ["u", None]},
    pd.DataFrame({"a": [1, 2], "b": ["u", None]}),
    pl.DataFrame({"a": [1, 2], "b": ["u", None]}),
]


@pytest.mark.parametrize("table", TABLES)
def test_columns_of_any_table(table: Any) -> None:
    assert column_names(table) == ["a", "b"]
    assert column_of(table, "a").tolist() == [1, 2]
    codes, levels = codes_of(column_of(table, "b"))
    assert (codes.tolist(), levels) == ([0, -1], ["u"])
    with pytest.raises(KeyError, match="no column 'c'; it has: a, b"):
        column_of(table, "c")


def test_columns_of_a_structured_array() -> None:
    table = np.array([(1, 0.5), (2, 0.7)], dtype=[("a", int), ("b", float)])
    assert column_names(table) == ["a", "b"]
    assert column_of(table, "b").tolist() == [0.5, 0.7]


def test_columns_with_names_that_are_no_text() -> None:
    assert column_of(pd.DataFrame({0: [5, 6]}), "0").tolist() == [5, 6]
