"""Resamples and intervals: scipy as the oracle, edges, the digits that are shown."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from nbdiag.measures.bootstrap import Estimate, around, not_certain, percentiles, weights
from nbdiag.measures.class_scores import METRICS, chance_errors, exact, resampled
from tests.measures.predicted import made, random_predictions


def test_weights_draw_every_sample_as_often_as_any() -> None:
    drawn = np.concatenate(list(weights(50, 2000, seed=1)))
    assert drawn.shape == (2000, 50)
    assert (drawn.sum(1) == 50).all()
    # each weight is Binomial(50, 1/50): mean 1, variance 0.98; 2000 of them know both well
    assert np.abs(drawn.mean(0) - 1).max() < 5 * math.sqrt(0.98 / 2000)
    assert abs(drawn.var() - 0.98) < 0.03


def test_the_chunk_changes_nothing() -> None:
    whole = np.concatenate(list(weights(7, 30, seed=3, chunk=30)))
    parts = list(weights(7, 30, seed=3, chunk=4))
    assert len(parts) == 8
    assert np.array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(np.concatenate(list(weights(7, 30, seed=4))), whole)


def test_strata_keep_their_size() -> None:
    strata = np.array([0, 1, 0, 1, 1, 2])
    drawn = np.concatenate(list(weights(6, 100, seed=0, strata=strata)))
    for stratum, size in ((0, 2), (1, 3), (2, 1)):
        assert (drawn[:, strata == stratum].sum(1) == size).all()


@pytest.mark.parametrize("metric", METRICS)
def test_intervals_are_those_of_scipy(metric: str) -> None:
    """Percentiles of resamples with another generator: equal up to the resampling noise."""
    told = random_predictions(120, 3, seed=5)
    p, t, predicted = told.probabilities.astype(float), told.targets, told.predicted

    def brute(rows: np.ndarray) -> float:
        y, q = t[rows] == 1, p[rows, 1]
        if metric in ("precision", "recall", "f1"):
            score = getattr(metrics, f"{metric}_score")
            return float(score(y, predicted[rows] == 1, zero_division=np.nan))
        if metric == "ece":
            bins = np.minimum((q * 15).astype(int), 14)
            return sum(abs((q - y)[bins == b].sum()) for b in range(15)) / len(rows)
        names = {"roc_auc": "roc_auc_score", "average_precision": "average_precision_score",
                 "brier": "brier_score_loss", "log_loss": "log_loss"}  # fmt: skip
        return float(getattr(metrics, names[metric])(y, q))

    oracle = stats.bootstrap(
        (np.arange(120),), brute, n_resamples=300, method="percentile", vectorized=False,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    drawn = resampled(told, 2000, seed=0).by_class[metric][1]
    low, high = percentiles(drawn, 0.95)
    width = oracle.confidence_interval.high - oracle.confidence_interval.low
    assert low == pytest.approx(oracle.confidence_interval.low, abs=0.16 * width)
    assert high == pytest.approx(oracle.confidence_interval.high, abs=0.16 * width)
    assert exact(told)[0].by_class[metric][1] == pytest.approx(brute(np.arange(120)), abs=1e-9)


def test_a_resample_is_what_its_samples_say() -> None:
    """The weights of one resample, against the same samples repeated."""
    told = random_predictions(60, 3, seed=2, digits=1)
    (block,) = weights(60, 4, seed=9)
    drawn = resampled(told, 4, seed=9)
    for row, weight in enumerate(block):
        rows = np.repeat(np.arange(60), weight.astype(int))
        again = exact(made(told.targets[rows], told.probabilities[rows]))[0]
        for metric in METRICS:
            mine = drawn.by_class[metric][:, row]
            assert np.allclose(mine, again.by_class[metric], atol=1e-5, equal_nan=True), metric
        for metric, value in again.overall.items():
            assert drawn.overall[metric][row] == pytest.approx(value, abs=1e-5), metric


def test_the_interval_of_a_calibration_error_holds_0_where_there_is_none() -> None:
    """Perfectly calibrated, 300 samples: ECE comes out near 0.06, and may still be 0."""
    kept, shown = 0, []
    for seed in range(60):
        generator = np.random.default_rng(seed)
        q = generator.random(300)
        told = made((generator.random(300) < q).astype(int), q)
        shown.append(exact(told)[0].by_class["ece"][1])
        kept += bool(shown[-1] <= chance_errors(told, 0.95)[1])
    assert np.mean(shown) > 0.04
    assert kept >= 55  # 97.5 % of the time
    q = np.full(300, 0.8)
    told = made((np.random.default_rng(0).random(300) < 0.5).astype(int), q)
    assert exact(told)[0].by_class["ece"][1] > 2 * chance_errors(told, 0.95)[1]


def test_undefined_resamples_are_left_out() -> None:
    values = np.array([[1.0, np.nan, 3.0], [np.nan] * 3])
    low, high = percentiles(values, 0.5)
    assert (low[0], high[0]) == (1.5, 2.5)
    assert np.isnan([low[1], high[1]]).all()


def test_around() -> None:
    drawn = np.array([0.4, 0.5, 0.6])
    assert np.allclose(around(0.52, drawn, 0.5, coarse=0.5), (0.47, 0.57))
    assert np.allclose(around(0.45, drawn, 0.5, basic=True), (0.35, 0.45))
    assert np.allclose(around(0.99, drawn + 0.5, 0.5), (0.95, 1.0))  # no share above 1
    assert np.isnan(around(np.nan, drawn, 0.5)).all()


def test_what_is_all_right_is_not_certain() -> None:
    low, high = not_certain(
        np.array([1.0, 0.0, 0.5, np.nan]), np.array([1.0, 0.0, 0.4, np.nan]),
        np.array([1.0, 0.0, 0.6, np.nan]), np.array([5, 5, 5, 0]), 0.95,
    )  # fmt: skip
    assert np.allclose(low[:3], [0.5655, 0, 0.4], atol=1e-4)  # Wilson: 5 of 5
    assert np.allclose(high[:3], [1, 0.4345, 0.6], atol=1e-4)


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((0.5, 0.4, 0.6), "0.5"),
        ((0.8731, 0.871, 0.875), "0.87"),
        ((0.9, 0.9, 0.9), "0.9000"),
        ((1.0, 0.981, 1.0), "1.00"),
        ((0.0, 0.0, 0.3), "0.0"),
        ((0.02, 0.0, 0.3), "below 0.1"),
        ((0.97, 0.9, 1.0), "0.9 or more"),
        ((15.2, 10.0, 20.0), "15"),
        ((math.inf, 1.0, math.inf), "infinite"),
        ((math.nan, math.nan, math.nan), "not defined"),
        ((0.5, math.nan, math.nan), "0.5000"),
    ],
)
def test_digits_that_the_interval_supports(ends: tuple[float, float, float], words: str) -> None:
    assert str(Estimate(*ends)) == words
