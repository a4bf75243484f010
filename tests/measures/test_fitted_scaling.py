"""A scaling that was fitted on everything leaves a mark; sound ones leave none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from nbdiag.measures.findings import Finding
from nbdiag.probes.inspect_data import inspect_data


def raw(seed: int = 0, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 5)) * [1, 5, 20, 0.1, 3] + [0, 3, -50, 7, 1]
    return x, random.integers(0, 2, n)


def told(train: Any, *others: Any) -> list[Finding]:
    found = inspect_data(train, *others, progress=False)
    return [one for one in found if one.code == "data.leakage" and one.subject[:7] == "scaling"]


def cut(x: np.ndarray, y: np.ndarray, *at: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip(np.split(x, at), np.split(y, at), strict=True))


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("seed", range(3))
def test_standardised_before_the_split(seed: int, kind: Any) -> None:
    x, y = raw(seed)
    x = StandardScaler().fit_transform(x).astype(kind)
    (found,) = told(*cut(x, y, 200))
    assert found.evidence["fitted_on"] == ["train", "val"]
    assert found.evidence["features_affected"] == 5
    assert "train alone has not" in found.message
    (found,) = told(*cut(x, y, 200, 250))
    assert found.evidence["fitted_on"] == ["train", "val", "test"]


def test_divided_by_n_minus_one_and_only_with_val() -> None:
    x, y = raw()
    part = x[:250]
    x = (x - part.mean(axis=0)) / part.std(axis=0, ddof=1)
    (found,) = told(*cut(x, y, 200, 250))
    assert found.evidence["fitted_on"] == ["train", "val"]


def test_min_max_before_the_split() -> None:
    x, y = raw()
    x = MinMaxScaler().fit_transform(x)
    (found,) = told(*cut(x[::-1], y, 100))
    assert "from 0 to 1 exactly" in found.message


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler()])
@pytest.mark.parametrize("seed", range(5))
def test_fitted_on_train_is_silent(scaler: Any, seed: int) -> None:
    x, y = raw(seed)
    x = scaler.fit(x[:200]).transform(x)
    assert told(*cut(x, y, 200)) == []
    assert told(*cut(x, y, 200, 250)) == []


@pytest.mark.parametrize("seed", range(5))
def test_other_sound_data_are_silent(seed: int) -> None:
    x, y = raw(seed)
    random = np.random.default_rng(seed)
    assert told(*cut(x, y, 200)) == []
    assert told(*cut(random.normal(size=(300, 5)), y, 200)) == []  # standard normal by nature
    assert told(*cut(random.integers(0, 2, (300, 8)) * 1.0, y, 200)) == []
    assert told(*cut(random.random((300, 5)), y, 200)) == []
    assert told(*cut(random.integers(0, 17, (300, 8)) / 16, y, 200)) == []
    each = [(StandardScaler().fit_transform(a), b) for a, b in cut(x, y, 200)]
    assert told(*each) == []


def test_one_split_and_few_samples_tell_nothing() -> None:
    x, y = raw()
    x = StandardScaler().fit_transform(x)
    assert told((x, y)) == []
    few = StandardScaler().fit_transform(x[:12])
    assert told(*cut(few, y[:12], 8)) == []


def test_constant_columns_do_not_matter() -> None:
    x, y = raw()
    x = np.hstack([StandardScaler().fit_transform(x), np.zeros((300, 3))])
    (found,) = told(*cut(x, y, 200))
    assert found.evidence["features_affected"] == 5
