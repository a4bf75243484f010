"""Features before the last layer, against what the layers themselves compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from nbdiag.measures.predictions import Predictions
from nbdiag.probes.penultimate import penultimate
from nbdiag.probes.predict import predict

N = 70
X = torch.randn(N, 3, 8, 8, generator=torch.Generator().manual_seed(0))
Y = torch.arange(N) % 4
ROWS = [69, 3, 4]


def features(model: nn.Module, x: Tensor = X, rows: Any = ROWS) -> np.ndarray:
    return penultimate(model, predict(model, (x, Y[: len(x)]), progress=False), rows)


def body() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.5))


def test_input_of_the_last_linear_layer() -> None:
    front = nn.Sequential(body(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = nn.Sequential(front, nn.Linear(6, 4), nn.Softmax(dim=1)).train()
    found = features(model)
    assert model.training
    model.eval()
    with torch.no_grad():
        assert np.allclose(found, front(X[ROWS]).numpy(), atol=1e-6)
    assert found.dtype == np.float32


def test_last_convolution_is_pooled() -> None:
    front = body()
    model = nn.Sequential(front, nn.Conv2d(6, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    found = features(model)
    front.eval()
    with torch.no_grad():
        assert np.allclose(found, front(X[ROWS]).mean(dim=(2, 3)).numpy(), atol=1e-6)


class Tokens(nn.Module):
    """Scores of each position, averaged at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(9, 5), nn.Linear(5, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.words(tokens)).mean(dim=1)


def test_positions_are_averaged() -> None:
    model, tokens = Tokens(), torch.randint(0, 9, (N, 7))
    found = features(model, tokens)
    assert np.allclose(found, model.words(tokens[ROWS]).mean(dim=1).detach().numpy(), atol=1e-6)


class TwoHeads(nn.Module):
    """Calls an auxiliary head after the one that gives the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.front, self.head, self.aside = nn.Linear(192, 6), nn.Linear(6, 4), nn.Linear(192, 9)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        scores = self.head(self.front(flat))
        self.aside(flat)
        return scores


def test_auxiliary_head_is_not_taken() -> None:
    assert features(TwoHeads()).shape == (3, 6)


def test_one_logit_and_half_precision() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 5), nn.Linear(5, 1)).bfloat16()
    predictions = predict(model, (X.bfloat16(), Y % 2), progress=False)
    assert penultimate(model, predictions, [0, 1]).shape == (2, 5)


def test_batches_join_in_the_order_asked_for() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))
    found = features(model, rows=np.arange(N)[::-1])
    assert np.allclose(found, X.flatten(1).numpy()[::-1])
    assert features(model, rows=[]).shape == (0, 0)
    assert features(model, rows=[5]).shape == (1, 192)


def test_no_hook_stays_and_no_layer_is_said() -> None:
    class Nothing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1)[:, :4]

    with pytest.raises(ValueError, match="no layer of Nothing with a weight matrix"):
        features(Nothing())
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))
    features(model)
    assert not model[1]._forward_hooks


def test_inputs_that_cannot_be_looked_up() -> None:
    predictions = Predictions(
        targets=np.array([0, 1]), probabilities=np.array([[0.9, 0.1], [0.2, 0.8]])
    )
    with pytest.raises(ValueError, match="cannot look up their inputs"):
        penultimate(nn.Linear(2, 2), predictions, [0])


def table() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.normal(size=(60, 3)) * [1, 10, 100] + 5, np.arange(60) % 2


def test_estimator_gives_its_inputs_standardised() -> None:
    x, y = table()
    model = LogisticRegression().fit(x, y)
    found = penultimate(model, predict(model, (x, y), progress=False), np.arange(60))
    assert np.allclose(found, StandardScaler().fit_transform(x), atol=1e-5)
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    model = LogisticRegression().fit(frame, y)
    found = penultimate(model, predict(model, (frame, y), progress=False), np.arange(60))
    assert np.allclose(found, StandardScaler().fit_transform(x), atol=1e-5)


def test_pipeline_gives_what_goes_into_its_last_step() -> None:
    x, y = table()
    model = make_pipeline(StandardScaler(), PCA(2), LogisticRegression()).fit(x, y)
    found = penultimate(model, predict(model, (x, y), progress=False), np.arange(60))
    expected = StandardScaler().fit_transform(model[:-1].transform(x))
    assert np.allclose(found, expected, atol=1e-5)


def test_function_of_numbers_with_missing_values() -> None:
    x, y = table()
    x[:, 1] = 7.0
    x[0, 0] = np.nan

    def ask(batch: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-np.nan_to_num(np.asarray(batch))[:, 2:] / 100))
        return np.hstack([1 - p, p])

    found = penultimate(ask, predict(ask, (x, y), progress=False), np.arange(60))
    assert found[0, 0] == 0
    assert (found[:, 1] == 0).all()
    assert np.isclose(found[:, 2].std(), 1, atol=1e-5)


def test_text_of_an_estimator() -> None:
    words, y = ["good day", "bad day", "good night", "bad night"] * 10, np.arange(40) % 2
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(words, y)
    p = model.predict_proba(words)
    predictions = Predictions(
        targets=y, probabilities=p, inputs=lambda ids: [words[i] for i in ids]
    )
    with pytest.raises(TypeError, match=r"inputs are no rows of numbers \(str\)"):
        penultimate(lambda x: x, predictions, [0, 1])
    assert penultimate(model, predictions, [0, 1, 2]).shape == (3, 4)
