"""Calibration: what crosses to the browser, and what Python reads back."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import traitlets
from PIL import Image
from torch import nn
from torch.utils.data import TensorDataset

import nbdiag as nd


def made(n: int = 600, classes: int = 3, too_large: float = 3.0, seed: int = 0, **more: Any) -> Any:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) * 2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    targets = (p.cumsum(1) > rng.random((n, 1))).argmax(1)
    return nd.Predictions(targets=targets, logits=logits * too_large, **more)


def unpack(packed: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(packed["data"], packed["dtype"]).reshape(packed["shape"])


def test_what_the_browser_gets() -> None:
    widget = nd.Calibration(made(class_names=("a", "b", "c")))
    info = widget.info
    assert info["samples"] == 600
    assert info["classes"] == ["a", "b", "c"]
    assert info["fitted"]["value"] == pytest.approx(3, rel=0.2)
    assert info["in_sample"]
    assert "in-sample" in info["advice"]
    assert info["nll"][1] < info["nll"][0]
    assert [one["code"] for one in widget.findings] == ["calibration.overconfident"]
    assert widget.settings["of"] == -1
    temperatures = unpack(widget.curves["temperatures"])
    assert 1.0 in temperatures
    assert info["fitted"]["value"] in temperatures
    counts = unpack(widget.curves["counts"])
    assert (counts.sum(1) == 600).all()
    ece = unpack(widget.curves["numbers"])[:, widget.curves["names"].index("ece")]
    at = temperatures.tolist().index(info["fitted"]["value"])
    assert ece[at] < 0.5 * ece[temperatures.tolist().index(1.0)]


def test_the_temperature_goes_both_ways(connect: Any) -> None:
    told = made()
    widget = nd.Calibration(told)
    assert widget.calibrated is told
    reply = connect(widget).ask("temperature", value=2.5)
    assert reply["result"] == {"temperature": 2.5}
    assert widget.temperature == 2.5
    expected = torch.softmax(torch.tensor(np.array(told.logits)) / 2.5, 1).numpy()
    assert widget.calibrated.probabilities == pytest.approx(expected, abs=1e-6)
    assert widget.reliability.temperature == 2.5
    assert unpack(widget.diagrams["temperatures"]).tolist() == [1.0, 2.5]
    widget.temperature = 0.5
    assert unpack(widget.diagrams["temperatures"]).tolist() == [1.0, 0.5]
    exact = nd.reliability(widget.calibrated)
    assert widget.reliability.ece == pytest.approx(exact.ece, abs=1e-9)


def test_bad_temperatures(connect: Any) -> None:
    widget = nd.Calibration(made())
    for bad in (0.0, -1.0, 1e6, float("nan")):
        with pytest.raises(traitlets.TraitError, match=r"between 0\.01 and 100"):
            widget.temperature = bad
    reply = connect(widget).ask("temperature", value=0)
    assert not reply["ok"]
    assert "between 0.01 and 100" in reply["error"]
    assert widget.temperature == 1.0


def test_settings(connect: Any) -> None:
    widget = nd.Calibration(made(class_names=("a", "b", "c")), bins=5)
    assert len(widget.to_frame()) == 5
    reply = connect(widget).ask("settings", bins=8, strategy="equal_mass", of=1)
    assert reply["result"] == {"bins": 8}
    assert (widget.reliability.of, widget.reliability.strategy) == ("b", "equal_mass")
    assert (widget.settings["of"], widget.settings["bins"]) == (1, 8)
    assert widget.settings["y"] == "share that is b"
    assert widget.curves == {}
    assert connect(widget).ask("curves")["result"] == {"ready": True}
    assert unpack(widget.curves["counts"]).shape[1] == 8
    widget.show(of="top")
    assert widget.settings["of"] == -1
    assert unpack(widget.curves["counts"]).shape[1] == 15
    assert not connect(widget).ask("settings", bins=0, strategy="equal_mass", of=1)["ok"]
    assert widget.settings["bins"] == 15
    with pytest.raises(ValueError, match="classes: a, b, c"):
        widget.show(of="dog")


def test_a_class_called_top_can_be_chosen(connect: Any) -> None:
    widget = nd.Calibration(made(class_names=("left", "top", "right")))
    connect(widget).ask("settings", bins=15, strategy="equal_width", of=1)
    assert widget.settings["of"] == 1
    assert widget.reliability.bins.hits.sum() == (widget.predictions.targets == 1).sum()


def test_a_bin_is_selected(connect: Any) -> None:
    told = made(ids=np.arange(600) + 1000)
    widget = nd.Calibration(told, bins=10)
    browser = connect(widget)
    assert browser.ask("select", bin=9)["result"]["selection"] == len(widget.selection)
    chosen = np.isin(told.ids, widget.selection)
    assert (told.confidence[chosen] >= 0.9).all()
    assert (told.confidence[~chosen] < 0.9).all()
    browser.ask("select", bin=None)
    assert widget.selection == []
    assert not browser.ask("select", bin=99)["ok"]


def test_held_out_and_in_sample() -> None:
    fit, judge = made(seed=0), made(seed=1)
    fitted = nd.fit_temperature(fit)
    held = nd.Calibration(judge, temperature=fitted)
    assert held.fitted is fitted
    assert not held.info["in_sample"]
    assert "fitted on 600 other samples" in held.info["advice"]
    assert "in-sample" not in repr(held)
    again = nd.Calibration(fit, temperature=fitted)
    assert again.info["in_sample"]
    assert "in-sample" in repr(again)
    with pytest.raises(TypeError, match=r"must come from nd\.fit_temperature.* got float"):
        nd.Calibration(judge, temperature=2.0)  # type: ignore[arg-type]


def test_large_ones_count_their_curves_when_a_browser_asks(connect: Any) -> None:
    widget = nd.Calibration(made(60_000, 2))
    assert widget.curves == {}
    assert connect(widget).ask("curves")["result"]["ready"]
    assert widget.curves["rows"] is None
    assert unpack(widget.curves["counts"]).sum(1).max() == 60_000


@pytest.mark.parametrize(
    ("p", "y"),
    [
        pytest.param([[0.3, 0.7]], [0], id="one sample"),
        pytest.param([[0.0, 1.0], [1.0, 0.0], [0.4, 0.6]], [0, 0, 1], id="exactly 0 and 1"),
        pytest.param([[np.nan, np.nan], [0.4, 0.6], [0.7, 0.3]], [0, 0, 1], id="NaN row"),
        pytest.param([[np.nan, np.nan]], [0], id="nothing finite"),
        pytest.param([[0.5, 0.5]] * 9, [0] * 9, id="ties"),
        pytest.param(np.full((5, 1000), 0.001), [0, 1, 2, 3, 999], id="1000 classes"),
    ],
)
@pytest.mark.parametrize("strategy", ["equal_width", "equal_mass"])
def test_edges(p: Any, y: list[int], strategy: Any, connect: Any) -> None:
    widget = nd.Calibration(nd.Predictions(targets=y, probabilities=np.array(p)), strategy=strategy)
    browser = connect(widget)
    assert browser.ask("curves")["ok"]
    assert browser.ask("settings", bins=3, strategy=strategy, of=1)["ok"]
    moved = browser.ask("temperature", value=2.0)
    assert moved["ok"] == (widget.info["fixed"] == "")
    assert Image.open(io.BytesIO(widget.picture())).width == 1720
    assert isinstance(widget.to_frame(), pd.DataFrame)
    assert widget.figure() is not None
    assert "no findings" in repr(widget)


def test_probabilities_of_zero_fix_the_temperature() -> None:
    told = nd.Predictions(targets=[0, 1], probabilities=[[1.0, 0.0], [0.2, 0.8]])
    widget = nd.Calibration(told)
    assert widget.fitted is None
    assert "probability of exactly 0" in widget.info["fixed"]
    with pytest.raises(traitlets.TraitError, match="probability of exactly 0"):
        widget.temperature = 2.0


def test_from_a_model_and_its_data() -> None:
    torch.manual_seed(0)
    data = TensorDataset(torch.randn(40, 5), torch.arange(40) % 2)
    widget = nd.Calibration(nn.Linear(5, 2), data)
    assert widget.info["source"] == "Linear"
    assert widget.info["output"] == "softmax of 2 logits"
    one = nd.Calibration(nn.Linear(5, 1), data, of=1)
    assert one.info["output"] == "sigmoid of one logit"
    assert one.settings["x"] == "probability said for 1"
    with pytest.raises(TypeError, match="a model and its data"):
        nd.Calibration(nn.Linear(5, 2))


def test_mimebundle_and_summary() -> None:
    widget = nd.Calibration(made())
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "image/png" in data
    assert data["text/plain"].splitlines() == [
        "Calibration of Predictions: 600 samples, 3 classes, accuracy 0.7",
        "Temperature above 1: overconfident before, fitted on 600 samples",
        "the temperature was fitted on these same samples (in-sample)",
        "critical: calibration.overconfident in top label",
    ]
