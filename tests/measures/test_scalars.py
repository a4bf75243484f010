"""Logged series: what is merged in a long one keeps its range."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nbdiag.measures.scalar_series import Mark
from nbdiag.measures.scalars import Here, ScalarLog


def test_points_are_kept_as_they_came() -> None:
    log = ScalarLog()
    for step, value in ((1, 2.0), (2, float("nan")), (2, float("inf"))):
        log.add(step, {"loss": value})
    series = log.series()["loss"]
    assert series.steps.tolist() == [1, 2, 2]
    for part in (series.values, series.low, series.high):
        np.testing.assert_array_equal(part, [2.0, np.nan, np.inf])


def test_points_are_merged_in_pairs_all_along_and_keep_their_range() -> None:
    log = ScalarLog(max_points=8)
    for step in range(1, 10):
        log.add(step, {"loss": 100.0 if step == 2 else float(step)})
    series = log.series()["loss"]
    # Full after 8: 1 and 2, 3 and 4, ... become one point each, then 9 comes.
    assert series.steps.tolist() == [1, 3, 5, 7, 9]
    assert series.values.tolist() == [50.5, 3.5, 5.5, 7.5, 9]
    assert series.low.tolist() == [1, 3, 5, 7, 9]
    assert series.high.tolist() == [100, 4, 6, 8, 9]
    log.add(10, {"loss": 0.0})
    log.add(11, {"loss": -1.0})
    series = log.series()["loss"]
    assert series.steps.tolist() == [1, 3, 5, 7, 9, 11]
    assert [part[4:].tolist() for part in series[1:]] == [[4.5, -1], [0, -1], [9, -1]]


def test_a_million_losses_are_spread_evenly_and_the_band_holds_the_spike() -> None:
    log = ScalarLog()
    for step in range(1, 1_000_001):
        log.put("loss", step, 1e6 if step == 77_777 else -3.0 if step == 500_000 else 1.0)
    series = log.series()["loss"]
    assert set(np.diff(series.steps)) == {16}
    assert (len(series.steps), series.steps[0], series.steps[-1]) == (62_500, 1, 999_985)
    assert series.high.max() == 1e6
    assert series.steps[series.high.argmax()] <= 77_777 < series.steps[series.high.argmax()] + 16
    assert series.low.min() == -3.0
    np.testing.assert_allclose(series.values.sum() * 16, 1e6 + 1e6 - 1 - 4, rtol=1e-12)


def test_means_are_those_of_all_values_whatever_their_number() -> None:
    values = np.random.default_rng(0).normal(size=777)
    log = ScalarLog(max_points=16)
    for step, value in enumerate(values):
        log.put("x", step, float(value))
    series = log.series()["x"]
    parts = [values[start : start + 64] for start in range(0, 777, 64)]
    assert series.steps.tolist() == list(range(0, 777, 64))
    np.testing.assert_allclose(series.values, [part.mean() for part in parts])
    assert series.low.tolist() == [part.min() for part in parts]
    assert series.high.tolist() == [part.max() for part in parts]


def test_reading_in_between_changes_nothing() -> None:
    values = np.random.default_rng(1).normal(size=1000).tolist()
    read, left = ScalarLog(max_points=32), ScalarLog(max_points=32)
    for step, value in enumerate(values):
        read.put("x", step, value)
        left.put("x", step, value)
        read.series(), read.tail({})
    for one, other in zip(read.series()["x"], left.series()["x"], strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_not_averaged_away(bad: float) -> None:
    log = ScalarLog(max_points=4)
    for step in range(32):
        log.put("x", step, bad if step == 13 else 2.0)
    series = log.series()["x"]
    assert series.steps.tolist() == [0, 8, 16, 24]
    assert np.isfinite(series.values).tolist() == [True, False, True, True]
    assert series.low[1] == (bad if bad < 0 else 2.0)
    assert series.high[1] == (bad if bad > 0 else 2.0)


def test_a_spike_survives_any_number_of_merges() -> None:
    log = ScalarLog(max_points=16)
    for step in range(1, 10_000):
        log.add(step, {"loss": 1e6 if step == 77 else 1.0, "other": float("nan")})
    series = log.series()["loss"]
    assert len(series.steps) <= 16
    assert (series.high.max(), series.low.min(), series.steps[0]) == (1e6, 1.0, 1)
    assert np.isnan(log.series()["other"].values).all()


def test_a_tail_tells_each_complete_point_once() -> None:
    log = ScalarLog(max_points=8)
    marks: dict[str, Mark] = {}
    told: list[list[float]] = []
    for step in range(1, 60):
        log.put("x", step, float(step))
        for start, points, mark in log.tail(marks).values():
            told[start:] = np.transpose(points).tolist()
            marks["x"] = mark
    whole = log.series()["x"]
    assert marks["x"] == (8, 7, 56)
    assert told == np.transpose(whole)[:7].tolist()
    assert len(whole.steps) == 8  # the last of three values only
    assert log.tail(marks) == {}


def test_a_tail_is_of_the_series_in_which_something_came() -> None:
    log = ScalarLog()
    log.add(1, {"a": 1.0, "b": 1.0})
    marks = log.marks()
    assert log.tail(marks) == {}
    log.add(2, {"b": 2.0, "c": 3.0})
    news = log.tail(marks)
    assert {key: (tail.start, tail.points.values.tolist()) for key, tail in news.items()} == {
        "b": (1, [2.0]),
        "c": (0, [3.0]),
    }


def test_each_value_is_told_once() -> None:
    told: list[tuple[str, int, float]] = []
    log = ScalarLog()
    log.on_value = lambda *what: told.append(what)
    log.add(3, {"a": 1.0})
    log.series(), log.series()
    assert told == [("a", 3, 1.0)]


def test_numbers_at_successive_steps_wait_for_a_reader() -> None:
    log, steady = ScalarLog(), []
    log.add(1, {"loss": 4.0})
    assert (log.steady.key, log.steady.due) == ("loss", 2)
    log.steady.values += [3.0, 2.0]
    log.steady.due = 4
    steady.append(log.waiting)
    log.add(6, {"loss": 1.0})  # steps 4 and 5 without one
    assert [*zip(*log.series()["loss"][:2], strict=True)] == [
        (1, 4.0),
        (2, 3.0),
        (3, 2.0),
        (6, 1.0),
    ]
    steady.append(log.waiting)
    assert steady == [True, False]


def test_numbers_that_wait_come_behind_those_on_their_way() -> None:
    class Slow(Here):
        arrived = False

        def ready(self) -> bool:
            return Slow.arrived

    log = ScalarLog(Slow)
    far = torch.tensor(1.0).as_subclass(type("Far", (torch.Tensor,), {"is_cpu": False}))
    log.add(1, {"loss": far})
    log.settle(hurry=True)  # sent
    log.add(2, {"loss": 2.0})
    log.steady.values.append(3.0)
    log.steady.due = 4
    log.settle(hurry=True)
    assert log._read == {}
    Slow.arrived = True
    assert log.series()["loss"].values.tolist() == [1.0, 2.0, 3.0]


def test_the_name_logged_at_each_step_is_found_behind_one_logged_once() -> None:
    log = ScalarLog()
    log.add(0, {"lr": 0.1})
    log.add(0, {"loss": 9.0})
    assert log.steady.key == "lr"  # of two at each step, the first
    log.add(1, {"loss": 8.0})
    assert (log.steady.key, log.steady.due) == ("loss", 2)
