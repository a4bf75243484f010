"""Tables of any kind: what is read, what is typical, how far things are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from nbdiag.measures.feature_table import FeatureTable, neighbour_distances

MIXED = {
    "height": [1.5, 1.7, 1.6, 1.9],
    "rooms": [1, 3, 2, 10],
    "flag": [True, False, True, True],
    "same": [7, 7, 7, 7],
    "town": ["b", "a", "b", "c"],
}


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_kinds_and_typical_values(library: Any) -> None:
    table = FeatureTable.of(library(MIXED))
    assert table.names == tuple(MIXED)
    assert table.kinds == ("continuous", "integer", "binary", "constant", "category")
    assert table.typical.tolist() == [pytest.approx(1.65), 2.0, 1.0, 7.0, 1.0]
    assert table.levels[4].tolist() == ["a", "b", "c"]
    rows = table.like(np.array([table.typical, table.values[3]]))
    assert isinstance(rows, library)
    assert list(rows["town"]) == ["b", "c"]
    assert list(rows["rooms"]) == [2, 10]
    assert list(rows["flag"]) == [True, True]
    assert rows["rooms"].dtype == library(MIXED)["rooms"].dtype


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
def test_arrays_and_tensors_come_back_as_they_were(kind: Any) -> None:
    X = np.arange(12).reshape(4, 3).astype(kind)
    assert FeatureTable.of(X).like(np.array([[1.0, 2.0, 3.0]])).dtype == kind
    tensor = FeatureTable.of(torch.as_tensor(X)).like(np.array([[1.0, 2.0, 3.0]]))
    assert isinstance(tensor, torch.Tensor)
    assert tensor.dtype == torch.as_tensor(X).dtype


def test_rows_with_nan_are_no_reference() -> None:
    X = np.array([[1.5, 2.5], [np.nan, 3.0], [2.0, np.inf], [5.5, 4.5]])
    table = FeatureTable.of(X)
    assert table.complete.tolist() == [0, 3]
    assert table.typical.tolist() == [3.5, 3.5]


def test_many_rows_are_sampled_the_same_each_time() -> None:
    X = np.random.default_rng(0).normal(size=(5000, 2))
    one, other = FeatureTable.of(X), FeatureTable.of(X.copy())
    assert len(one.reference) == 1500
    assert np.array_equal(one.reference, other.reference)
    assert (np.diff(one.reference) > 0).all()


@pytest.mark.parametrize("k", [1, 3, 5])
def test_distances_are_those_of_scikit_learn(k: int) -> None:
    generator = np.random.default_rng(0)
    data, points = generator.normal(size=(300, 4)), generator.normal(size=(50, 4))
    oracle = NearestNeighbors(n_neighbors=k).fit(data)
    assert np.allclose(neighbour_distances(points, data, k), oracle.kneighbors(points)[0][:, -1])
    assert np.allclose(neighbour_distances(data, data, k, own=True), oracle.kneighbors()[0][:, -1])


def test_distances_at_the_edges() -> None:
    same = np.ones((10, 2)) * 1e6
    assert neighbour_distances(same, same, 3, own=True).tolist() == [0.0] * 10
    assert neighbour_distances(np.array([[3.0]]), np.array([[0.0]]), 5).tolist() == [3.0]


def test_scaled_in_standard_deviations_and_categories_one_apart() -> None:
    table = FeatureTable.of(pd.DataFrame({"a": [0.0, 2.0, 0.0, 2.0], "c": list("xyxy")}))
    rows = table.scaled(table.values)
    assert np.linalg.norm(rows[0] - rows[1]) == pytest.approx(np.sqrt(4 + 1))
    constant = FeatureTable.of(np.array([[1.0, 5.0], [2.0, 5.0]]))
    assert np.isfinite(constant.scaled(constant.values)).all()


@pytest.mark.parametrize(
    ("given", "names", "error", "message"),
    [
        (np.zeros(3), None, ValueError, r"samples by features \(N, F\).* shape \(3,\)"),
        (np.array([["a", "b"]]), None, TypeError, "table of numbers"),
        (np.zeros((0, 2)), None, ValueError, "no sample"),
        (np.zeros((2, 1)), None, ValueError, "at least 2 are needed"),
        (np.zeros((2, 2)), ["a"], ValueError, "1 names for 2 features"),
        (np.zeros((2, 2)), ["a", "a"], ValueError, "'a' occurs twice"),
        (object(), None, TypeError, "got object"),
        ((np.zeros((3, 2)), np.zeros(3)), None, TypeError, "X is a pair: give .* one by one"),
    ],
)
def test_refusals(given: Any, names: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        FeatureTable.of(given, names)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (("height", "depth"), "no feature 'depth'; features: height, rooms"),
        ((0, 5), "no feature 5: there are 5"),
        ((1, "rooms"), "two different ones, got 'rooms' twice"),
        (("height", "same"), "'same' cannot be swept: it is 7 in every sample"),
        (("town", "height"), "'town' cannot be swept: it is no number"),
        ("height", "must be two names"),
        ((0, 1, 2), "must be two names"),
    ],
)
def test_features_that_cannot_be_swept(features: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeatureTable.of(pd.DataFrame(MIXED)).swept(features)


def test_nothing_but_nan() -> None:
    with pytest.raises(ValueError, match="every sample of X has a NaN"):
        _ = FeatureTable.of(np.full((3, 2), np.nan)).complete
