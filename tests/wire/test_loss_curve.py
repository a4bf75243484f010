"""Curves at a bounded size, and their still picture: what is drawn can be told from its pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from nbdiag.wire.canvas import SCALE, SEVERITY
from nbdiag.wire.loss_curve import (
    INFINITE,
    NAN,
    TRAINING,
    VALIDATION,
    Curve,
    curve,
    draw,
    sketch,
    smooth,
)


def made(values: list[float] | np.ndarray, steps: np.ndarray | None = None) -> Curve:
    values = np.asarray(values, float)
    return curve(np.arange(1, len(values) + 1) if steps is None else steps, values, values, values)


def rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def pixels(curves: dict[str, Curve], **more: object) -> np.ndarray:
    settings = {"source": "Net", "step": 9, "findings": [], **more}
    png = draw(curves=curves, **settings)  # type: ignore[arg-type]
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def where(image: np.ndarray, color: str) -> np.ndarray:
    """(n, 2) rows and columns of the pixels of that colour."""
    return np.argwhere(np.abs(image - rgb(color)).max(axis=2) <= 6)


# curve ------------------------------------------------------------------------------------------


def test_what_is_not_finite_is_told_apart_and_has_no_value() -> None:
    one = made([1.0, np.nan, np.inf, -np.inf])
    assert one.bad.tolist() == [0, NAN, INFINITE, INFINITE]
    assert np.isnan(one.values[1:]).all()
    assert np.isnan(one.low[1:]).all()
    assert np.isnan(one.high[1:]).all()


def test_a_merged_point_with_a_nan_keeps_its_finite_range() -> None:
    one = curve(np.array([1]), np.array([np.nan]), np.array([2.0]), np.array([4.0]))
    assert (one.values[0], one.low[0], one.high[0], one.bad[0]) == (3.0, 2.0, 4.0, NAN)
    half = curve(np.array([1]), np.array([np.inf]), np.array([2.0]), np.array([np.inf]))
    assert (half.low[0], half.high[0], half.bad[0]) == (2.0, 2.0, INFINITE)


def test_steps_out_of_order_are_sorted_and_keep_their_order_within_a_step() -> None:
    one = made([10.0, 20.0, 30.0], np.array([5, 2, 5]))
    assert (one.steps.tolist(), one.values.tolist()) == ([2, 5, 5], [20, 10, 30])


# sketch -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 2, 10])
def test_a_short_series_stays_as_it_is(n: int) -> None:
    one = made(np.arange(n))
    assert sketch(one, 10) is one


def test_a_bucket_has_the_mean_and_the_full_range() -> None:
    short = sketch(made([1, 3, 8, 0]), 2)
    assert short.steps.tolist() == [1, 3]
    assert short.values.tolist() == [2, 4]
    assert (short.low.tolist(), short.high.tolist()) == ([1, 0], [3, 8])


def test_a_million_steps_keep_their_spike_their_dip_and_their_nan() -> None:
    values = np.ones(1_000_000)
    values[123_456], values[500_000], values[700_000], values[700_001] = 9, -9, np.inf, np.nan
    short = sketch(made(values), 1000)
    assert len(short.steps) == 1000
    assert short.high.max() == 9
    assert short.low.min() == -9
    assert short.bad[700] == NAN  # the worse of the two
    assert (short.bad > 0).sum() == 1
    assert short.values[700] == 1


def test_a_bucket_without_a_number_has_none() -> None:
    short = sketch(made([1.0, 1.0, np.nan, np.nan]), 2)
    assert np.isnan(short.values[1])
    assert np.isnan(short.low[1])
    assert np.isnan(short.high[1])


def test_buckets_are_even_over_the_steps_and_empty_ones_are_left_out() -> None:
    steps = np.r_[np.arange(1, 101), 1000]
    assert sketch(made(np.ones(101), steps), 10).steps.tolist() == [1, 1000]
    same = sketch(made(np.arange(40), np.full(40, 7)), 10)
    assert len(same.steps) == 10
    assert same.high.max() == 39


# smooth -----------------------------------------------------------------------------------------


def test_smoothing_weighs_neighbours_by_distance_on_both_sides() -> None:
    steps, values = np.array([1.0, 2, 5]), np.array([4.0, 1.0, 7.0])
    weight = np.exp(-np.abs(steps[:, None] - steps) / 2.0)
    np.testing.assert_allclose(
        smooth(steps, values, 2.0), (weight @ values) / weight.sum(axis=1), rtol=1e-12
    )


def test_smoothing_leaves_nan_alone_and_nothing_out() -> None:
    out = smooth(np.array([1.0, 2, 3]), np.array([1.0, np.nan, 3.0]), 1e9)
    assert np.isnan(out[1])
    np.testing.assert_allclose(out[[0, 2]], 2.0)
    assert smooth(np.array([1.0]), np.array([5.0]), 3.0).tolist() == [5.0]
    assert smooth(np.array([1.0, 2.0]), np.array([5.0, 6.0]), 0.0).tolist() == [5.0, 6.0]


# the picture ------------------------------------------------------------------------------------


def test_a_falling_loss_falls_on_the_sheet_and_validation_lies_above_it() -> None:
    image = pixels(
        {
            "loss": made(np.linspace(2, 1, 300)),
            "val_loss": made(np.full(5, 2.5), np.arange(1, 300, 60)),
        }
    )
    blue = where(image, TRAINING)
    plot = blue[blue[:, 0] < 320 * SCALE]
    left, right = plot[plot[:, 1] < 200 * SCALE], plot[plot[:, 1] > 700 * SCALE]
    assert left[:, 0].mean() < right[:, 0].mean()
    orange = where(image, VALIDATION)
    assert orange[orange[:, 0] < 320 * SCALE, 0].mean() < left[:, 0].mean()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_value_of_thousands_that_is_not_finite_is_marked(bad: float) -> None:
    values = np.ones(5000)
    assert not len(where(pixels({"loss": made(values)}), SEVERITY["critical"]))
    values[3210] = bad
    assert len(where(pixels({"loss": made(values)}), SEVERITY["critical"]))


def test_a_finding_is_drawn_where_it_happens() -> None:
    mark = (250.0, 300.0, "critical", "diverging")
    image = pixels({"loss": made(np.ones(500))}, marks=[mark])
    columns = where(image, SEVERITY["critical"])[:, 1] / SCALE
    assert columns.min() == pytest.approx(66 + 780 * 249 / 499, abs=3)


@pytest.mark.parametrize("n", [1, 2, 30, 3000])
@pytest.mark.parametrize("value", [0.0, -3.0, 1e-9, 1e30, np.nan])
def test_any_curve_is_drawn(n: int, value: float) -> None:
    values = np.full(n, value)
    values[0] = 1.0
    assert pixels({"loss": made(values)}).shape[1] == 860 * SCALE


def test_nothing_yet_is_said() -> None:
    assert pixels({}).shape == pixels({"loss": made([])}).shape


def test_findings_take_their_lines() -> None:
    finding = {"severity": "warning", "message": "The loss is unstable. " * 20}
    told = pixels({"loss": made(np.ones(9))}, findings=[finding] * 5)
    assert told.shape[0] > pixels({"loss": made(np.ones(9))}).shape[0]
