"""The Bokeh figure of a reliability diagram: what is drawn, in words as in numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bokeh.io import save
from bokeh.models import ColumnDataSource, Label
from bokeh.resources import INLINE

from nbdiag.measures.calibration import reliability
from nbdiag.measures.predictions import Predictions


def told(n: int = 400) -> Predictions:
    rng = np.random.default_rng(0)
    z = rng.normal(size=n) * 4
    y = (rng.random(n) < 1 / (1 + np.exp(-z / 3))).astype(int)
    return Predictions(targets=y, logits=np.stack([0 * z, z], 1), class_names=("<b>no</b>", "yes"))


def drawn(figure: Any) -> Any:
    """The table of the bins."""
    tables = [source.data for source in figure.select({"type": ColumnDataSource})]
    return next(table for table in tables if "n" in table)


def texts(figure: Any) -> list[str]:
    return [label.text for label in figure.select({"type": Label})]


def test_the_full_bins_are_drawn() -> None:
    found = reliability(told(), 10)
    figure = found.figure()
    data = drawn(figure)
    full = found.bins.counts > 0
    assert list(data["n"]) == found.bins.counts[full].tolist()
    assert list(data["observed"]) == found.bins.observed[full].tolist()
    assert np.isfinite(np.asarray(data["confidence"], float)).all()


def test_the_sides_of_the_diagonal_are_named() -> None:
    assert set(texts(reliability(told()).figure())) == {
        "perfectly calibrated",
        "underconfident",
        "overconfident",
    }
    assert set(texts(reliability(told(), of="yes").figure())) == {
        "perfectly calibrated",
        "too low: overconfident",
        "too low: underconfident",
        "too high: underconfident",
        "too high: overconfident",
    }


def test_names_stay_text_and_it_saves_alone(tmp_path: Path) -> None:
    path = tmp_path / "figure.html"
    save(reliability(told(), of=0).figure(), path, resources=INLINE, title="calibration")
    page = path.read_text()
    assert "<b>no</b>" not in page.split("<body>")[1].split('type="application/json"')[0]
    assert "&amp;lt;b&amp;gt;no" in page or "&lt;b&gt;no" in page


@pytest.mark.parametrize(
    ("p", "y"),
    [
        pytest.param([1.0], [1], id="one sample"),
        pytest.param([0.0, 1.0, 1.0], [0, 1, 0], id="exactly 0 and 1"),
        pytest.param([np.nan, 0.5], [0, 1], id="NaN"),
        pytest.param([np.nan], [0], id="nothing finite"),
    ],
)
@pytest.mark.parametrize("strategy", ["equal_width", "equal_mass"])
def test_edges(p: list, y: list, strategy: Any, tmp_path: Path) -> None:
    column = np.array(p)
    given = Predictions(targets=y, probabilities=np.stack([1 - column, column], 1))
    figure = reliability(given, 5, strategy).figure(width=400)
    save(figure, tmp_path / "x.html", resources=INLINE, title="x")
    data = drawn(figure)
    assert sum(data["n"]) == int(np.isfinite(column).sum())
    assert (np.asarray(data["to"]) > np.asarray(data["from"])).all()
