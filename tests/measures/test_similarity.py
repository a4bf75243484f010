"""Order by cosine, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from nbdiag.measures.similarity import most_similar

NAN = np.nan


@pytest.mark.parametrize(("rows", "dims"), [(1, 3), (2, 1), (50, 8), (400, 64)])
def test_against_scikit_learn(rows: int, dims: int) -> None:
    features = np.random.default_rng(rows).normal(size=(rows, dims)) * 100
    for at in (0, rows - 1):
        alike = cosine_similarity(features)[at]
        order = most_similar(features, at)
        assert order[0] == at
        assert sorted(order.tolist()) == list(range(rows))
        assert (np.diff(alike[order]) <= 1e-9).all()


def test_ties_and_rows_without_a_direction() -> None:
    features = np.array([[0.0, 0.0], [2.0, 0.0], [NAN, 1.0], [1e300, 0.0], [-1.0, 0.0], [1.0, 0.0]])
    assert most_similar(features, 5).tolist() == [5, 1, 3, 4, 0, 2]
    assert most_similar(features, 0).tolist()[0] == 0


def test_what_is_refused() -> None:
    with pytest.raises(IndexError, match="no row 3: there are 3"):
        most_similar(np.ones((3, 2)), 3)
    with pytest.raises(ValueError, match=r"\(M, D\), got \(3,\)"):
        most_similar(np.ones(3), 0)
