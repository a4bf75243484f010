"""Slices through feature space: what is asked, what is near, what is concluded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_moons
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from nbdiag.measures.decision_boundary import RESOLUTION, DecisionSlice, Slicer
from nbdiag.measures.feature_table import FeatureTable


def logistic(X: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-4 * (X[:, 0] + X[:, 1])))
    return np.stack([1 - p, p], 1)


def names(classes: int) -> list[str]:
    return [f"class {i}" for i in range(classes)]


def slicer(
    X: Any, ask: Callable[[np.ndarray], np.ndarray] = logistic, y: Any = None, size: int = 31
) -> Slicer:
    given = None if y is None else lambda _: np.asarray(y)
    return Slicer.of(FeatureTable.of(X), ask, names, given, size)


def gaussian(n: int, features: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, features))


def test_every_cell_is_asked_with_the_rest_held() -> None:
    X, asked = gaussian(100, 4), []

    def ask(rows: np.ndarray) -> np.ndarray:
        asked.append(rows)
        return logistic(rows)

    cut = slicer(X, ask).cut((2, 0))
    grid = asked[-1].reshape(31, 31, 4)
    assert np.allclose(grid[..., [1, 3]], np.median(X, axis=0)[[1, 3]])
    assert np.allclose(grid[0, :, 2], cut.x.values)
    assert np.allclose(grid[:, 0, 0], cut.y.values)
    assert cut.x.values[0] < X[:, 2].min()
    assert cut.x.values[-1] > X[:, 2].max()
    assert np.allclose(cut.probabilities, logistic(asked[-1]).reshape(31, 31, 2))
    held = slicer(X, ask).cut((2, 0), 17)
    assert np.allclose(asked[-1][:, [1, 3]], X[17, [1, 3]])
    assert held.held_in_words == "others as in sample 17"
    assert held.closeness.max() == held.closeness[17] == 1.0


def test_near_is_where_samples_are() -> None:
    X = gaussian(400, 2)
    cut = slicer(X).cut((0, 1))
    middle = (np.abs(cut.x.values).argmin(), np.abs(cut.y.values).argmin())
    assert cut.near[middle[1], middle[0]]
    assert not cut.near[0, 0]
    assert cut.closeness.tolist() == [1.0] * 400
    assert cut.held_in_words == "no other features"
    inside = [
        cut.near[np.abs(cut.y.values - y).argmin(), np.abs(cut.x.values - x).argmin()] for x, y in X
    ]
    assert np.mean(inside) > 0.95


def test_held_where_nobody_is_everything_is_far() -> None:
    X = gaussian(300, 3)
    X[7, 2] = 50
    assert slicer(X).cut((0, 1)).near.any()
    assert not slicer(X).cut((0, 1), 7).near.any()


@pytest.mark.parametrize(
    ("column", "kind", "cells"),
    [
        (np.arange(200) % 2, "binary", [0, 1]),
        (np.arange(200) % 5, "integer", [0, 1, 2, 3, 4]),
        (np.arange(200) * 10, "integer", None),
    ],
)
def test_whole_numbers_are_asked_at_whole_numbers(column: Any, kind: str, cells: Any) -> None:
    X = np.column_stack([gaussian(200, 1), column])
    cut = slicer(X).cut((0, 1))
    assert cut.y.kind == kind
    assert (cut.y.values == np.round(cut.y.values)).all()
    if cells is not None:
        assert cut.y.values.tolist() == cells
        assert cut.roughness is None
        assert cut.unmeasured == f"feature 1 has only {len(cells)} values"
        assert cut.y.discrete
    else:
        assert len(cut.y.values) == 31
        assert not cut.y.discrete


def test_an_outlier_does_not_squeeze_the_rest() -> None:
    X = gaussian(500, 2)
    X[3, 0] = 1e6
    assert slicer(X).cut((0, 1)).x.values[-1] < 10


def flipped(seed: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    X, y = make_moons(400, noise=0.2, random_state=seed)
    wrong = np.random.default_rng(seed).random(400) < share
    return X, np.where(wrong, 1 - y, y)


@pytest.mark.parametrize("labelled", [True, False])
def test_noise_learnt_by_heart_is_erratic(labelled: bool) -> None:
    X, y = flipped(0, 0.15)
    model = KNeighborsClassifier(1).fit(X, y)
    cut = slicer(X, model.predict_proba, y if labelled else None, 61).cut((0, 1))
    (found,) = cut.findings()
    assert found.code == "boundary.erratic"
    assert found.subject == "feature 0 × feature 1"
    assert found.evidence["flips"] > 2 > 2 * found.evidence["control_flips"]
    assert "boundary.erratic" in repr(cut)


def svm(X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    fitted = SVC().fit(X, y)

    def ask(rows: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-3 * fitted.decision_function(rows)))
        return np.stack([1 - p, p], 1)

    return ask


def forest(X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return RandomForestClassifier(50, min_samples_leaf=5, random_state=0).fit(X, y).predict_proba


def neighbours(X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return KNeighborsClassifier(15).fit(X, y).predict_proba


def truth(X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    def ask(rows: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-30 * np.sin(np.pi * rows[:, 0]) * np.sin(np.pi * rows[:, 1])))
        return np.stack([1 - p, p], 1)

    return ask


@pytest.mark.parametrize("model", [svm, forest, neighbours])
@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_sound_model_is_left_alone(model: Any, share: float) -> None:
    X, y = flipped(1, share)
    assert slicer(X, model(X, y), y, 61).cut((0, 1)).findings() == []


@pytest.mark.parametrize("n", [100, 400])
def test_a_chequerboard_that_is_true_is_left_alone(n: int) -> None:
    X = np.random.default_rng(0).random((n, 2)) * 4
    ask = truth(X, X)
    assert slicer(X, ask, ask(X).argmax(1), 61).cut((0, 1)).findings() == []


@pytest.mark.parametrize(
    ("X", "ask", "why"),
    [
        (gaussian(8, 2), logistic, "8 samples are too few"),
        (gaussian(50, 2), lambda X: np.tile([0.9, 0.1], (len(X), 1)), "all samples are of one"),
        (gaussian(50, 2), lambda X: np.full((len(X), 2), np.nan), "all samples are of one"),
    ],
)
def test_not_measured_and_why(X: Any, ask: Any, why: str) -> None:
    cut = slicer(X, ask).cut((0, 1))
    assert cut.roughness is None
    assert why in cut.unmeasured
    assert f"smoothness not measured: {cut.unmeasured}" in repr(cut)


def test_answers_that_are_not_finite_are_no_class() -> None:
    def ask(rows: np.ndarray) -> np.ndarray:
        return np.where(rows[:, :1] > 0.5, np.nan, logistic(rows))

    cut = slicer(gaussian(100, 2), ask).cut((0, 1))
    assert set(np.unique(cut.labels)) == {-1, 0, 1}
    assert (cut.labels[:, -1] == -1).all()
    assert -1 in cut.told
    assert cut.to_frame()["predicted"].isna().any()


def test_a_sample_and_a_single_sample() -> None:
    X = np.array([[0.0, 1.0], [2.0, 3.0]])
    cut = slicer(X, size=9).cut((0, 1))
    assert (cut.reach == 1).all()
    with pytest.raises(ValueError, match="it is 0 in every sample"):
        slicer(np.array([[0.0, 1.0]]), size=9).cut((0, 1))


def test_a_thousand_classes() -> None:
    def ask(rows: np.ndarray) -> np.ndarray:
        p = np.zeros((len(rows), 1000))
        p[np.arange(len(rows)), (np.abs(rows[:, 0]) * 300).astype(int) % 1000] = 1
        return p

    cut = slicer(gaussian(60, 2), ask, size=15).cut((0, 1))
    assert cut.probabilities.shape == (15, 15, 1000)


def test_frame_has_a_row_for_each_cell() -> None:
    table = pd.DataFrame(gaussian(50, 2), columns=["a", "b"])
    cut = slicer(table, size=9).cut(("a", "b"))
    frame = cut.to_frame()
    assert list(frame.columns) == ["a", "b", "predicted", "p(class 0)", "p(class 1)", "reach"]
    assert len(frame) == 81
    row = frame.iloc[10]
    assert (row["a"], row["b"]) == (cut.x.values[1], cut.y.values[1])


@pytest.mark.parametrize(
    ("hold", "message"),
    [
        ("mean", "must be \"typical\" or the number of a sample, got 'mean'"),
        (50, "no sample 50: X has 50"),
        (-1, "no sample -1"),
        (3, "sample 3 has a NaN"),
    ],
)
def test_what_cannot_be_held(hold: Any, message: str) -> None:
    X = gaussian(50, 3)
    X[3, 2] = np.nan
    with pytest.raises(ValueError, match=message):
        slicer(X).cut((0, 1), hold)
    with pytest.raises(ValueError, match="at least 5 cells"):
        slicer(X, size=3)


def test_the_default_resolution_and_type() -> None:
    cut = Slicer.of(FeatureTable.of(gaussian(60, 2)), logistic, names).cut((0, 1))
    assert isinstance(cut, DecisionSlice)
    assert cut.labels.shape == (RESOLUTION, RESOLUTION)
