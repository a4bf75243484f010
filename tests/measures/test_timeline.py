"""Rows that stay within a bound are spread evenly over what was appended."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.timeline import Timeline


def steps_of(rows: int, max_rows: int, bad: tuple[int, ...] = ()) -> tuple[list[int], Timeline]:
    line = Timeline(
        {"step": (np.int64, ()), "value": (np.float32, (2,))},
        max_rows=max_rows,
        marked=lambda held: np.isnan(held["value"]).any(axis=1),
    )
    for step in range(1, rows + 1):
        line.append({"step": step, "value": [step, np.nan if step in bad else 0.0]})
    assert line.column("value")[:, 0].tolist() == line.column("step").tolist()
    return line.column("step").tolist(), line


@pytest.mark.parametrize(
    ("rows", "held"),
    [
        (0, []),
        (1, [1]),
        (8, [1, 2, 3, 4, 5, 6, 7, 8]),
        (9, [1, 3, 5, 7, 9]),
        (10, [1, 3, 5, 7, 9, 10]),  # 10 gives way to what comes next
        (11, [1, 3, 5, 7, 9, 11]),
        (12, [1, 3, 5, 7, 9, 11, 12]),
        (16, [1, 3, 5, 7, 9, 11, 13, 15, 16]),
        (17, [1, 5, 9, 13, 17]),
        (20, [1, 5, 9, 13, 17, 20]),
        (33, [1, 9, 17, 25, 33]),
    ],
)
def test_every_second_row_goes_all_along(rows: int, held: list[int]) -> None:
    steps, line = steps_of(rows, 8)
    assert steps == held
    assert len(line) == len(held)


def test_the_start_of_a_long_series_does_not_collapse() -> None:
    line = Timeline({"step": (np.int64, ())}, max_rows=1000)
    for step in range(1_000_000):
        line.append({"step": step})
    steps = line.column("step")
    assert (line.thinned, line.stride) == (10, 1024)
    assert set(np.diff(steps[:-1])) == {1024}
    assert (steps[0], steps[-1], len(steps)) == (0, 999_999, 978)


@pytest.mark.parametrize("bad", [1, 2, 7, 8, 9, 30, 37, 38, 100])
def test_a_marked_row_stays_wherever_it_came(bad: int) -> None:
    for rows in (bad, bad + 1, bad + 2, 150, 1000):
        steps, line = steps_of(rows, 8, bad=(bad,))
        assert bad in steps
        assert steps == sorted(set(steps))
        assert np.isnan(line.column("value")).sum() == 1


def test_of_several_marked_rows_the_first_stays() -> None:
    steps, _ = steps_of(40, 8, bad=(19, 20, 21))
    assert 19 in steps
    assert 20 not in steps
    everything_bad, _ = steps_of(20, 8, bad=tuple(range(1, 21)))
    assert everything_bad == [1, 5, 9, 13, 17, 20]


def test_an_odd_bound_is_rounded_up_and_a_tiny_one_refused() -> None:
    steps, line = steps_of(9, 7)
    assert (line.max_rows, steps) == (8, [1, 3, 5, 7, 9])
    with pytest.raises(ValueError, match="at least 4, got 3"):
        Timeline({}, max_rows=3)


@pytest.mark.parametrize("parts", [[0], [1], [5, 3], [7, 30], [16, 1, 8], [40, 0, 200], [3] * 50])
@pytest.mark.parametrize("max_rows", [4, 8, 1000])
def test_many_rows_at_once_are_rows_one_by_one(parts: list[int], max_rows: int) -> None:
    columns = {"step": (np.int64, ()), "value": (np.float32, (2,))}
    one, many = Timeline(columns, max_rows=max_rows), Timeline(columns, max_rows=max_rows)
    step = 0
    for count in parts:
        steps = np.arange(step, step + count)
        step += count
        rows = {"step": steps, "value": np.stack([steps, -steps], axis=1)}
        many.extend(rows)
        for i in range(count):
            one.append({name: column[i] for name, column in rows.items()})
        assert (len(one), one.settled, one.thinned) == (len(many), many.settled, many.thinned)
        for name in columns:
            np.testing.assert_array_equal(one.column(name), many.column(name))
