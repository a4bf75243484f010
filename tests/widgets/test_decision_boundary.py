"""DecisionBoundary without a browser: what it sends, what it answers, what it refuses."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

import nbdiag as nd

X = np.random.default_rng(0).normal(size=(80, 4)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


class Slanted(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = 3 * (x[:, 0] + x[:, 1] + x[:, 2])
        return torch.stack([-z, z], 1)


def made(**options: Any) -> nd.DecisionBoundary:
    given: dict[str, Any] = {"features": (0, 1), "y": Y, "resolution": 15} | options
    features = given.pop("features")
    return nd.DecisionBoundary(Slanted(), X, features, **given)


def array(packed: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(packed["data"], packed["dtype"]).reshape(packed["shape"])


def test_what_is_sent() -> None:
    widget = made(feature_names=["a", "b", "c", "d"], class_names=["no", "yes"])
    cut = widget.slice
    assert (cut["x"]["name"], cut["y"]["name"]) == ("a", "b")
    assert array(cut["field"]).shape == (2, 15, 15)
    assert array(cut["control"]).shape == (2, 15, 15)
    assert array(cut["points"]["true"]).tolist() == Y.tolist()
    assert array(cut["points"]["x"]).tolist() == X[:, 0].tolist()
    assert [name for name, _ in cut["held"]] == ["c", "d"]
    assert cut["hold"] == "typical"
    assert widget.info["classes"] == ["no", "yes"]
    assert widget.info["output"] == "softmax of 2 logits"
    assert widget.findings == []


def test_held_features_decide_the_field() -> None:
    """Held at a sample with a large third feature the boundary moves aside."""
    widget = made()
    before = widget.result.labels.mean()
    high = int(X[:, 2].argmax())
    after = widget.show(hold=high)
    assert after.held_at == high
    assert after.labels.mean() > before + 0.1
    assert widget.slice["hold"] == high
    assert widget.show((2, 3)).held_at == high  # stays held where it was
    assert (widget.slice["x"]["number"], widget.slice["y"]["number"]) == (2, 3)


def test_requests(connect: Callable[..., Any]) -> None:
    widget = made()
    browser = connect(widget)
    reply = browser.ask("cut", x=1, y=3, hold=5)
    assert reply["ok"]
    assert reply["result"] == {"x": 1, "y": 3, "hold": 5}
    assert widget.result.held_at == 5
    refused = browser.ask("cut", x=1, y=1)
    assert not refused["ok"]
    assert "two different ones" in refused["error"]
    assert not browser.ask("cut", x=0, y=1, hold=99)["ok"]
    assert widget.result.x.number == 1  # a refused request changes nothing


def test_repr_states_no_measured_number() -> None:
    assert repr(made()) == (
        "DecisionBoundary of Slanted: feature 0 × feature 1, others at their medians, 80 samples "
        "of 4 features, 2 classes\nno findings"
    )
    rows = np.random.default_rng(1).random((300, 2))
    noisy = (rows[:, 0] > 0.5) ^ (np.arange(300) % 6 == 0)
    rough = nd.DecisionBoundary(KNeighborsClassifier(1).fit(rows, noisy), rows, (0, 1))
    assert repr(rough).split("\n")[1] == "warning: boundary.erratic in feature 0 × feature 1"


def test_picture_is_in_the_mimebundle() -> None:
    data, _ = made()._repr_mimebundle_()
    assert base64.b64decode(data["image/png"])[:4] == b"\x89PNG"
    assert data["text/plain"].startswith("DecisionBoundary of Slanted")


def test_a_classifier_over_a_dataframe() -> None:
    iris = load_iris(as_frame=True)
    model = LogisticRegression(max_iter=500).fit(iris.data, iris.target)
    widget = nd.DecisionBoundary(
        model, iris.data, ("petal length (cm)", "petal width (cm)"), iris.target, resolution=21
    )
    assert widget.info["classes"] == ["0", "1", "2"]
    assert widget.findings == []
    assert isinstance(widget.to_frame(), pd.DataFrame)
    assert widget.figure().title.text.startswith("petal length (cm) and petal width (cm)")


def test_categories_are_held_by_name() -> None:
    table = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "town": list("xyyz") * 20})

    def ask(rows: pd.DataFrame) -> np.ndarray:
        p = np.where(rows["town"] == "y", 0.9, 0.1)
        return np.stack([1 - p, p], 1)

    widget = nd.DecisionBoundary(ask, table, ("a", "b"), resolution=9)
    assert widget.slice["held"] == [["town", "y"]]
    assert (widget.result.labels == 1).all()
    assert (widget.show(hold=0).labels == 0).all()


def test_no_labels_and_rows_with_nan() -> None:
    holes = X.copy()
    holes[3, 2] = np.nan
    widget = nd.DecisionBoundary(Slanted(), holes, (0, 1), resolution=9)
    assert widget.slice["points"]["true"] is None
    assert widget.info["incomplete"] == 1
    assert 3 not in array(widget.slice["points"]["rows"])
    with pytest.raises(ValueError, match="sample 3 has a NaN"):
        widget.show(hold=3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"features": (0, 0)}, ValueError, "two different ones"),
        ({"features": ("a", 1)}, ValueError, "no feature 'a'"),
        ({"y": Y[:3]}, ValueError, "each of the 80 samples"),
        ({"feature_names": ["a"]}, ValueError, "1 names for 4 features"),
        ({"class_names": ["a"]}, ValueError, "1 names for 2 classes"),
        ({"hold": 80}, ValueError, "no sample 80"),
        ({"resolution": 2}, ValueError, "at least 5"),
        ({"output": "both"}, ValueError, "output must be"),
        ({"depth": 3}, TypeError, "depth"),
    ],
)
def test_refusals(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        made(**options)
