"""Needless flips: by hand, on fields whose shape is known, and what is concluded from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nbdiag.measures.boundary_roughness import (
    FEWEST,
    LEAD,
    Roughness,
    along,
    judge,
    measure,
    needless,
    walks,
)  # fmt: skip

A, B, C = [0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.0, 0.1, 0.9]


@pytest.mark.parametrize(
    ("walk", "flips"),
    [
        ([A, A, A], 0),
        ([A, B, B], 0),  # the one change that its ends need
        ([A, B, A], 2),
        ([A, B, A, B], 2),
        ([A, B, C], 1),  # through a third class
        ([[0.51, 0.49, 0], [0.49, 0.51, 0], [0.51, 0.49, 0]], 0),  # undecided is no flip
        ([A], 0),
    ],
)
def test_needless_flips_by_hand(walk: list[list[float]], flips: int) -> None:
    assert needless(np.array([walk]))[0].tolist() == [flips]
    assert pytest.approx(0.1) == LEAD


def test_between_cells_is_bilinear() -> None:
    field = np.arange(6.0).reshape(2, 3, 1)
    path = np.array([[[0, 0], [0.5, 0.5], [1, 2], [0, 1.25]]])
    assert along(field, path)[0, :, 0].tolist() == [0, 2, 5, 1.25]


def test_walks_stay_where_data_are() -> None:
    near = np.zeros((40, 40), bool)
    near[:, :15] = near[:, 25:] = True
    starts, ends = walks(near)
    assert len(starts) >= FEWEST
    assert ((starts[:, 1] < 15) == (ends[:, 1] < 15)).all()  # nobody crosses the gap
    assert np.array_equal(walks(near)[0], starts)
    assert len(walks(np.zeros((9, 9), bool))[0]) == 0


def stripes(period: float) -> np.ndarray:
    column = 1 / (1 + np.exp(-12 * np.sin(np.arange(60) * 2 * np.pi / period)))
    p = np.tile(column, (60, 1))
    return np.stack([p, 1 - p], -1)


def line() -> np.ndarray:
    """A slanted boundary: a grid that made steps of it would flip."""
    rows, columns = np.mgrid[:60, :60]
    p = 1 / (1 + np.exp(-(rows - 0.7 * columns - 8)))
    return np.stack([p, 1 - p], -1)


def test_a_straight_line_has_no_needless_flip() -> None:
    near = np.ones((60, 60), bool)
    found = measure(line(), line(), near, 0.05, 0.5, 400)
    assert found is not None
    assert (found.flips, found.control, found.agreement) == (0, 0, 1)
    assert judge(found, ("x", "y"), "") == []


def test_stripes_against_a_line() -> None:
    found = measure(stripes(12), line(), np.ones((60, 60), bool), 0.05, 0.5, 400)
    assert found is not None
    # a walk of mean length 20 along x crosses about 2 * 20 / 12 boundaries
    assert 1.5 < found.flips < 4
    assert found.low > 1


def island() -> np.ndarray:
    field = line()
    field[40:46, 10:16] = field[40:46, 10:16, ::-1]
    return field


def test_islands_are_found_where_they_are() -> None:
    found = measure(island(), line(), np.ones((60, 60), bool), 0.05, 0.5, 400)
    assert found is not None
    assert found.flips > found.control
    assert found.where == pytest.approx((12.5, 42.5), abs=4)


ERRATIC = Roughness(4.0, 0.2, 3.0, 4.6, 400, 500, 0.1, 0.5, 0.8, (1.0, 2.0))


def test_the_finding_and_each_reason_to_be_silent() -> None:
    (found,) = judge(ERRATIC, ("age", "income"), ", most of it around age = 3")
    assert (found.code, found.severity) == ("boundary.erratic", "warning")
    assert found.subject == "age × income"
    assert "4 times more than needed" in found.message
    assert "most of it around age = 3" in found.message
    for change in (
        {"low": 0.9},  # not clearly rougher
        {"control": 1.5},  # the data themselves are that rough
        {"control_error": 0.4},  # the control understands nothing
        {"agreement": 0.5},
        {"samples": 100},
        {"walks": 50},
    ):
        assert judge(replace(ERRATIC, **change), ("a", "b"), "") == [], change
    assert judge(None, ("a", "b"), "") == []


def test_too_scattered_to_walk() -> None:
    near = np.zeros((60, 60), bool)
    near[::20, ::20] = True
    assert measure(line(), line(), near, 0.1, 0.5, 400) is None
