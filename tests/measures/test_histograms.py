"""Histograms against numpy's, and what must never be dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbdiag.measures.histograms import BINS, HistogramLog, histogram, next_due

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("seed", range(5))
def test_counts_are_numpys(dtype: Any, seed: int) -> None:
    values = (np.random.default_rng(seed).standard_normal(5000) * 10.0 ** (seed - 3)).astype(dtype)
    low, high, counts, *_ = histogram(values.reshape(50, 100))
    expected, edges = np.histogram(values.astype(np.float64), BINS)
    assert (low, high) == (edges[0], edges[-1])
    assert np.abs(counts - expected).sum() <= 2  # a value on an edge may fall to either side
    assert counts.sum() == 5000


@pytest.mark.parametrize(
    ("values", "low", "high", "total", "nan", "infinite"),
    [
        ([], NAN, NAN, 0, 0, 0),
        ([2.0], 2.0, 2.0, 1, 0, 0),
        ([0.0, 0.0], 0.0, 0.0, 2, 0, 0),
        ([NAN, NAN], NAN, NAN, 0, 2, 0),
        ([1.0, NAN, INF, -INF, 3.0], 1.0, 3.0, 2, 1, 2),
        ([-3e38, 3e38], -3e38, 3e38, 2, 0, 0),
    ],
)
def test_edges(
    values: list[float], low: float, high: float, total: int, nan: int, infinite: int
) -> None:
    got = histogram(np.array(values))
    assert got[:2] == pytest.approx((low, high), nan_ok=True)
    assert (got[2].sum(), *got[3:]) == (total, nan, infinite)


def test_steps_are_evenly_spaced_in_the_logarithm() -> None:
    steps = [1]
    while steps[-1] < 1_000_000:
        steps.append(next_due(steps[-1]))
    assert len(steps) < 130
    assert steps[:8] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_one_parameter_of_a_log() -> None:
    log = HistogramLog(2)
    counts = np.zeros((2, BINS))
    counts[0, 3] = 5
    for step in (1, 2):
        row = {"low": [0.0, NAN], "high": [1.0, NAN], "counts": counts, "nan": [0, 0]}
        log.add("gradient", {"step": step, "infinite": [0, step - 1], **row})
    first, second = log.of(0, "gradient"), log.of(1, "gradient")
    assert (first.steps.tolist(), first.counts[:, 3].tolist()) == ([1, 2], [5, 5])
    assert (second.steps.tolist(), second.infinite.tolist()) == ([2], [1])  # nothing at step 1
    assert log.of(0, "weight").steps.tolist() == []
    assert log.steps("gradient").tolist() == [1, 2]
    with pytest.raises(ValueError, match="no histograms of 'bias'"):
        log.of(0, "bias")  # type: ignore[arg-type]
    with pytest.raises(IndexError, match="parameter 2 of 2"):
        log.of(2, "weight")
