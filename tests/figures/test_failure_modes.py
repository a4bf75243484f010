"""The Bokeh figure of failure modes: the numbers that are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bokeh.io import save
from bokeh.models import ColumnDataSource
from bokeh.resources import INLINE

from nbdiag.measures.failure_modes import FailureTable
from tests.measures.made import told


@pytest.mark.parametrize("wrong", [np.arange(100) < 40, np.zeros(100, bool), np.ones(100, bool)])
def test_shares_are_drawn(wrong: np.ndarray, tmp_path: Path) -> None:
    at = np.arange(100)
    made = FailureTable.from_predictions(told(wrong), {"<b>low</b>": at < 30, "none": at < 0})
    figure = made.figure(title="mine")
    (data,) = [source.data for source in figure.select({"type": ColumnDataSource})]
    errors = max(1, wrong.sum())
    assert data["name"] == ["<b>low</b>", "none", "uncategorised"]
    assert data["share"] == [wrong[:30].sum() / errors, 0, wrong[30:].sum() / errors]
    assert data["of_samples"] == [0.3, 0, 0.7]
    assert data["lift"][1] == "unknown"
    assert figure.title.text == "mine"
    save(figure, tmp_path / "x.html", title="x", resources=INLINE)
