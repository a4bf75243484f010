"""Samples are known again by what a model said of them, and by nothing that chance brings."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest

from nbdiag.measures.predictions import Predictions
from nbdiag.measures.same_samples import Fingerprint, keys_of, overlap
from nbdiag.measures.temperature import fit_temperature
from tests.measures.predicted import made, random_predictions

N = 400
PERMUTED = np.random.default_rng(0).permutation(N)
NAN = np.nan


def anew(told: Predictions, rows: Any, dtype: Any = np.float32) -> Predictions:
    """The same answers under new ids, as a user makes them from arrays."""
    return Predictions(
        targets=told.targets[rows], probabilities=told.probabilities[rows].astype(dtype)
    )


@pytest.mark.parametrize(
    "change",
    [
        copy.deepcopy,
        lambda told: anew(told, slice(None)),
        lambda told: anew(told, slice(None), np.float64),
        lambda told: anew(told, PERMUTED),
        lambda told: anew(told, slice(300, 400)),
        lambda told: anew(told, PERMUTED[:20]),
        lambda told: told.take(PERMUTED),
        lambda told: told.take(np.arange(3)),  # too few to tell, but under the same ids
        lambda told: Predictions.merge([told, random_predictions(600, 3, 9).take(range(N, 600))]),
    ],
    ids="copy arrays float64 shuffled tail few taken three superset".split(),
)
def test_the_same_data_however_they_come(change: Any) -> None:
    told = random_predictions(N, 3)
    other = change(told)
    assert overlap(told, other) == (min(N, len(other)), True)
    assert overlap(other, told)[1]
    assert Fingerprint(told).share(other) == pytest.approx(min(1, N / len(other)))


def test_other_data_of_the_same_model() -> None:
    told, other = random_predictions(N, 3, 0), random_predictions(N, 3, 1)
    assert overlap(told, other) == (0, False)
    assert Fingerprint(told).share(other) == 0
    assert overlap(told, random_predictions(N, 4)) == (0, False)


def test_counts_by_hand() -> None:
    one = made([1, 1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.6, 0.2, 0.1])
    other = made([1, 1, 0, 1, 0, 0], [0.9, 0.8, 0.71, 0.61, 0.21, 0.11])
    assert overlap(one, other) == (2, False)
    # half of the samples and the same ids are the same data, other targets are others
    assert overlap(one, made([1, 1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.61, 0.21, 0.11])) == (3, True)
    assert overlap(one, made([0, 0, 1, 0, 1, 1], [0.9, 0.8, 0.7, 0.6, 0.2, 0.1])) == (0, False)


def test_a_sure_model_says_the_same_of_many_samples() -> None:
    """TRAP: ids start at 0 in both splits, and nearly all rows are exactly [1, 0]."""
    first = made([0] * 99 + [1], [0.0] * 99 + [0.9])
    assert overlap(first, made([0] * 99 + [1], [0.0] * 99 + [0.8])) == (0, False)
    assert math.isnan(Fingerprint(made([0, 0], [0.0, 0.0])).share(made([0, 0], [0.0, 0.0])))


def test_few_leaves_are_shared_by_chance() -> None:
    """Two splits of a tree with 300 leaves: a third of the rare answers turn up in both."""
    wrong, generator = 0, np.random.default_rng(0)
    for _ in range(200):
        one, other = (
            made(np.ones(300, int), generator.integers(1, 301, 300) / 1000) for _ in range(2)
        )
        shared, same = overlap(one, other)
        assert 0 < shared < 80
        wrong += same
    assert wrong == 0


def test_rows_without_an_answer_tell_nothing() -> None:
    lost = made([0, 1, 1], [NAN, NAN, 0.4])
    assert overlap(lost, made([0, 1, 1], [NAN, NAN, 0.3])) == (0, False)
    assert overlap(lost, made([0, 1, 1], [NAN, NAN, 0.4])) == (3, True)


def test_of_many_some_are_remembered() -> None:
    told = random_predictions(60_000, 2)
    part = told.take(np.arange(50_000, 60_000))
    assert Fingerprint(told).share(part) > 0.999  # some probabilities occur twice
    assert len(Fingerprint(told)._seen) == pytest.approx(20_000, rel=0.05)
    assert len(np.unique(keys_of(told))) > 59_000


def test_minus_zero_is_zero() -> None:
    one, other = made([0], [[1.0, 0.0]]), made([0], [[1.0, -0.0]])
    assert np.array_equal(keys_of(one), keys_of(other))


def test_entries_of_one_data_set_whatever_was_said_of_them() -> None:
    """TRAP: another temperature, or another model, makes no other data of them."""
    dataset = np.zeros((N, 2))
    told, later = (random_predictions(N, 3, seed).with_inputs(dataset) for seed in (0, 1))
    assert overlap(told, later) == (N, True)
    assert overlap(told.take(np.arange(200)), later.take(np.arange(200, N))) == (0, False)
    assert overlap(told.take(np.arange(250)), later.take(np.arange(200, N))) == (50, False)
    assert overlap(told, fit_temperature(told).apply(told))[1]
    assert overlap(told, later.with_inputs(dataset.copy())) == (0, False)
