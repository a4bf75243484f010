"""Clusters of errors that were planted, and none where there are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nbdiag.measures.error_clusters import ERRORS_AT_MOST, cluster_errors
from nbdiag.measures.predictions import Predictions

GROUPS = 3


def planted(
    sizes: tuple[int, ...] = (40, 25, 15), strays: int = 20, right: int = 100, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Features of errors around some centres, (M, D); the group of each, and the metadata."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(len(sizes), 16)) * 6
    group = np.concatenate([np.full(n, k) for k, n in enumerate((*sizes, strays, right))])
    group[group == len(sizes)] = -1
    group[group == len(sizes) + 1] = -2
    features = random.normal(size=(len(group), 16))
    features[group >= 0] += centres[group[group >= 0]]
    features[group < 0] *= 3
    light = np.array(["day", "night"])[random.integers(0, 2, len(group))]
    light[group == 0] = "night"
    light[(group == 1) | (group == 2)] = "day"
    return features, group, {"light": light.tolist(), "size": random.random(len(group))}


def answered(group: np.ndarray, metadata: Any = None, seed: int = 0) -> Predictions:
    """Errors of group 1 are all cats taken for dogs, the others random; group -2 is right."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, 5, len(group))
    told = (targets + random.integers(1, 5, len(group))) % 5
    targets[group == 1], told[group == 1] = 0, 1
    told[group == -2] = targets[group == -2]
    probabilities = np.full((len(group), 5), 0.1)
    probabilities[np.arange(len(group)), told] = 0.6
    names = ("cat", "dog", "owl", "fox", "cow")
    return Predictions(
        targets=targets, probabilities=probabilities, class_names=names, metadata=metadata
    )


@pytest.mark.parametrize("table", [dict, pd.DataFrame, pl.DataFrame])
def test_planted_groups_are_found(table: Any) -> None:
    features, group, metadata = planted()
    predictions = answered(group, table(metadata))
    found = cluster_errors(features, np.arange(len(group)), predictions)
    assert len(found) == GROUPS
    for k, cluster in enumerate(found):
        assert (group[cluster.rows] == k).mean() > 0.9
        assert (group[cluster.rows] == k).sum() > 0.8 * (group == k).sum()
    assert found[0].label == "light night"
    assert found[1].label.startswith("cat taken for dog")
    first = found[0].shared[0]
    assert (first.name, first.value, first.share) == ("light", "night", 1.0)
    assert str(first).startswith(f"light is night in {first.members} of {first.members}, in ")
    assert found[2].label in ("similar errors 3", "light day")


def test_it_is_the_same_again_and_rows_may_be_a_part() -> None:
    features, group, metadata = planted()
    predictions = answered(group, metadata)
    rows = np.flatnonzero(group != -2)[::-1]
    one, two = (cluster_errors(features[rows], rows, predictions) for _ in range(2))
    assert [c.rows.tolist() for c in one] == [c.rows.tolist() for c in two]
    assert len(one) == GROUPS
    assert np.isin(np.concatenate([c.rows for c in one]), rows).all()


@pytest.mark.parametrize("seed", range(10))
def test_chance_is_not_called_shared(seed: int) -> None:
    """Twenty columns of noise: what the members share is luck."""
    features, group, _ = planted(seed=seed)
    random = np.random.default_rng(seed)
    noise = {f"c{i}": random.integers(0, 4, len(group)) for i in range(20)}
    predictions = answered(np.where(group == 1, 0, group), noise, seed)
    found = cluster_errors(features, np.arange(len(group)), predictions)
    assert sum(len(c.shared) for c in found) <= (1 if seed == 3 else 0)


@pytest.mark.parametrize("seed", range(5))
def test_a_cloud_has_few_clusters(seed: int) -> None:
    random = np.random.default_rng(seed)
    group = np.full(300, -1)
    found = cluster_errors(random.normal(size=(300, 32)), np.arange(300), answered(group))
    assert sum(map(len, found)) < 150


@pytest.mark.parametrize(
    "features",
    [
        np.zeros((50, 4)),
        np.ones((50, 4)),
        np.full((50, 4), np.nan),
        np.ones((50, 1)),
        np.random.default_rng(0).normal(size=(9, 4)),
        np.zeros((0, 4)),
    ],
    ids=["zeros", "equal", "nan", "one column", "nine", "none"],
)
def test_nothing_to_cluster(features: np.ndarray) -> None:
    group = np.full(max(len(features), 1), -1)
    assert cluster_errors(features, np.arange(len(features)), answered(group)) == ()


def test_right_answers_are_left_out_and_all_right_is_nothing() -> None:
    features, group, _ = planted()
    assert cluster_errors(features, np.arange(len(group)), answered(np.full(len(group), -2))) == ()


def test_ten_errors_in_two_heaps() -> None:
    features = np.repeat([[1.0, 0.0], [0.0, 1.0]], 6, axis=0)
    features += np.random.default_rng(0).normal(scale=0.01, size=features.shape)
    found = cluster_errors(features, np.arange(12), answered(np.full(12, -1)))
    assert sorted(sorted(c.rows.tolist()) for c in found) == [list(range(6)), list(range(6, 12))]


def test_many_errors_are_cut_to_the_most_confident() -> None:
    random = np.random.default_rng(0)
    n = ERRORS_AT_MOST + 500
    predictions = answered(np.full(n, -1))
    found = cluster_errors(random.normal(size=(n, 4)), np.arange(n), predictions)
    assert sum(map(len, found)) <= ERRORS_AT_MOST


def test_shapes_must_fit() -> None:
    with pytest.raises(ValueError, match=r"got \(3, 2\) and \(4,\)"):
        cluster_errors(np.ones((3, 2)), np.arange(4), answered(np.full(4, -1)))
