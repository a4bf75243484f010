"""Logged series: what is merged in a long one keeps its range."""

from __future__ import annotations

import numpy as np

from nbdiag.measures.scalars import ScalarLog


def test_points_are_kept_as_they_came() -> None:
    log = ScalarLog()
    for step, value in ((1, 2.0), (2, float("nan")), (2, float("inf"))):
        log.add(step, {"loss": value})
    series = log.series()["loss"]
    assert series.steps.tolist() == [1, 2, 2]
    for part in (series.values, series.low, series.high):
        np.testing.assert_array_equal(part, [2.0, np.nan, np.inf])


def test_older_points_are_merged_in_pairs_and_keep_their_range() -> None:
    log = ScalarLog(max_points=8)
    for step in range(1, 10):
        log.add(step, {"loss": 100.0 if step == 2 else float(step)})
    series = log.series()["loss"]
    # Full after 8: 1 and 2, 3 and 4 become one point each, then 9 comes.
    assert series.steps.tolist() == [1, 3, 5, 6, 7, 8, 9]
    assert series.values.tolist() == [50.5, 3.5, 5, 6, 7, 8, 9]
    assert series.low.tolist() == [1, 3, 5, 6, 7, 8, 9]
    assert series.high.tolist() == [100, 4, 5, 6, 7, 8, 9]


def test_a_spike_survives_any_number_of_merges() -> None:
    log = ScalarLog(max_points=16)
    for step in range(1, 10_000):
        log.add(step, {"loss": 1e6 if step == 77 else 1.0, "other": float("nan")})
    series = log.series()["loss"]
    assert len(series.steps) <= 16
    assert (series.high.max(), series.low.min(), series.steps[0]) == (1e6, 1.0, 1)
    assert np.isnan(log.series()["other"].values).all()


def test_each_value_is_told_once() -> None:
    told: list[tuple[str, int, float]] = []
    log = ScalarLog(fetch=lambda values: [2.0 for _ in values])
    log.on_value = lambda *what: told.append(what)
    log.add(3, {"a": 1.0})
    log.series(), log.series()
    assert told == [("a", 3, 1.0)]
