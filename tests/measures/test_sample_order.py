"""The order of a gallery: by hand, and the first of many as the first of all."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.predictions import Predictions
from nbdiag.measures.sample_order import losses, ordered, smallest

NAN = [np.nan] * 3


def told() -> Predictions:
    return Predictions(
        targets=np.array([0, 0, 1, 0, 2, 1]),
        probabilities=np.array(
            [[0.3, 0.6, 0.1], [0.0, 0.9, 0.1], [0.1, 0.8, 0.1], NAN, [0.5, 0.5, 0], [0.2, 0.6, 0.2]]
        ),
    )


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        # wrong: 1 (0.9), 0 (0.6), 4 (0.5); right, least sure first: 5 (0.6), 2 (0.8); no answer: 3
        ("confidence", [1, 0, 4, 5, 2, 3]),
        # loss: infinite for 1 and 4, then -log 0.3, 0.6, 0.8; none for 3
        ("loss", [1, 4, 0, 5, 2, 3]),
        ("data", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_by_hand(by: str, rows: list[int]) -> None:
    every = np.arange(6)
    assert ordered(told(), every, by).tolist() == rows
    for first in range(7):
        assert ordered(told(), every, by, first).tolist() == rows[:first]


def test_another_order_is_an_error() -> None:
    with pytest.raises(ValueError, match="ordered by confidence, loss, data; got 'size'"):
        ordered(told(), np.arange(6), "size")


@pytest.mark.parametrize("distinct", [1, 2, 50, 10_000])
@pytest.mark.parametrize("first", [0, 1, 24, 249, 999, 1000, None])
def test_the_first_of_many_are_the_first_of_all(distinct: int, first: int | None) -> None:
    rng = np.random.default_rng(distinct)
    keys = (rng.integers(0, distinct, 1000).astype(float), rng.integers(0, 3, 1000).astype(float))
    keys[0][::97] = np.inf
    keys[0][5] = -np.inf
    naive = sorted(range(1000), key=lambda i: (keys[0][i], keys[1][i], i))
    assert smallest(keys, first).tolist() == naive[:first]


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
def test_losses_against_a_naive_loop(scale: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(200, 4)) * scale
    targets = rng.integers(0, 4, 200)
    rows = rng.permutation(200)[:150]
    expected = [float(np.logaddexp.reduce(logits[row]) - logits[row, targets[row]]) for row in rows]
    found = losses(Predictions(targets=targets, logits=logits), rows)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    if scale == 1.0:
        exact = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        by_hand = Predictions(targets=targets, probabilities=exact)
        assert losses(by_hand, rows) == pytest.approx(expected)


def test_loss_of_a_masked_class_is_infinite_and_of_no_answer_unknown() -> None:
    logits = np.array([[0.0, -np.inf], [np.nan, 0.0], [0.0, 0.0]])
    told = Predictions(targets=np.array([1, 0, 0]), logits=logits)
    found = losses(told, np.arange(3))
    assert found[0] == np.inf
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(np.log(2))
