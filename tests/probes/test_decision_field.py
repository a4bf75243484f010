"""Asking a model about made-up rows: every kind of model and table, read by one adapter."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from nbdiag.measures.feature_table import FeatureTable
from nbdiag.probes.decision_field import BATCH, DecisionField

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)


def test_a_module_gets_its_own_type_and_is_read_as_by_predict() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.9)).double()
    for given in (X, torch.tensor(X), pd.DataFrame(X, columns=list("abc")), X.tolist()):
        if isinstance(given, torch.Tensor):
            given = given.double()
        field = DecisionField(model, FeatureTable.of(given))
        told = field(X.astype(np.float64))
        with torch.no_grad():
            oracle = model[0](torch.tensor(X).double()).softmax(1)
        assert np.allclose(told, oracle.numpy(), atol=1e-6)
    assert field.reading == "softmax of 2 logits"
    assert model.training


def test_one_logit() -> None:
    field = DecisionField(nn.Linear(3, 1), FeatureTable.of(X))
    assert field(X).shape == (60, 2)
    assert field.names(2) == ("0", "1")
    assert field.targets(torch.tensor(Y), 2).tolist() == Y.tolist()


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_a_classifier_keeps_its_column_names_and_labels(library: Any) -> None:
    table = library({name: X[:, i] for i, name in enumerate("abc")})
    labels = np.where(Y == 1, "yes", "no")
    model = LogisticRegression().fit(table, labels)
    field = DecisionField(model, FeatureTable.of(table))
    with warnings.catch_warnings():
        if library is pd.DataFrame:  # a polars frame loses its names on the way to a classifier
            warnings.simplefilter("error")
        told = field(X)
    assert np.allclose(told, model.predict_proba(table), atol=1e-6)
    assert field.names(2) == ("no", "yes")
    assert field.targets(labels, 2).tolist() == Y.tolist()
    assert field.targets(pd.Series(labels), 2).tolist() == Y.tolist()


def test_a_function_and_many_rows() -> None:
    sizes = []

    def ask(rows: np.ndarray) -> np.ndarray:
        sizes.append(len(rows))
        return np.tile([0.25, 0.75], (len(rows), 1))

    field = DecisionField(ask, FeatureTable.of(X))
    assert field(np.zeros((2 * BATCH + 1, 3))).shape == (2 * BATCH + 1, 2)
    assert sizes == [BATCH, BATCH, 1]


def test_answers_that_are_not_finite() -> None:
    field = DecisionField(lambda rows: np.full((len(rows), 2), np.nan), FeatureTable.of(X),
                          "probabilities")  # fmt: skip
    assert np.isnan(field(X)).all()


@pytest.mark.parametrize(
    ("model", "output", "error", "message"),
    [
        (3, "auto", TypeError, "got int"),
        (nn.Linear(3, 2), "proba", ValueError, "output must be"),
        (LogisticRegression(), "auto", ValueError, "not fitted"),
        (nn.Sequential(nn.Linear(3, 4), nn.Sigmoid()), "auto", ValueError, "multi-label"),
    ],
)
def test_refusals(model: Any, output: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        DecisionField(model, FeatureTable.of(X), output)(X)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (Y[:5], r"each of the 60 samples of X, got the shape \(5,\)"),
        (np.tile(Y, (2, 1)).T, "got the shape"),  # multi-label
        (Y + 5, "must lie in 0..1"),
    ],
)
def test_targets_that_do_not_fit(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DecisionField(nn.Linear(3, 2), FeatureTable.of(X)).targets(y, 2)
