"""The Bokeh figure of slices: the numbers that are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bokeh.io import save
from bokeh.models import ColumnDataSource, Span
from bokeh.resources import INLINE

from nbdiag.figures.style import SEVERITY
from nbdiag.measures.slice_explorer import SliceTable
from tests.measures.made import scene, told


def table(n: int = 3000) -> SliceTable:
    metadata = {**scene(n, 1), "<b>bold</b>": np.arange(n) % 2 == 0}
    rate = 0.05 + 0.25 * (metadata["sensor"] == "cam3") + 0.15 * (
        metadata["when"] >= np.datetime64("2024-08-01")
    )  # fmt: skip
    return SliceTable.from_predictions(told(rate, metadata=metadata))


def drawn(figure: Any) -> Any:
    tables = [source.data for source in figure.select({"type": ColumnDataSource})]
    return next(found for found in tables if "name" in found)


def test_the_first_slices_are_drawn(tmp_path: Path) -> None:
    made = table()
    figure = made.figure(most=10)
    data = drawn(figure)
    order = made.order[:10]
    assert data["name"] == [made.family.title(int(at)) for at in order]
    assert data["rate"] == [made.rate(int(at)).value for at in order]
    assert data["low"] == [made.rate(int(at)).low for at in order]
    weak = [name for name, color in zip(data["name"], data["color"], strict=True)
            if color == SEVERITY["critical"]]  # fmt: skip
    assert weak == [finding.subject for finding in made.findings()]
    (line,) = figure.select({"type": Span})
    assert line.location == made.overall.value
    save(figure, tmp_path / "x.html", title="x", resources=INLINE)
    assert (tmp_path / "x.html").stat().st_size > 1000


def test_over_time() -> None:
    made = table()
    figure = made.figure(over_time=True)
    assert "is higher from 2024-08 on" in figure.title.text
    assert len(figure.select({"type": Span})) == 2  # all samples, and the step
    assert made.figure(over_time="when").title.text == figure.title.text
    with pytest.raises(ValueError, match="'light' holds no times"):
        made.figure(over_time="light")


@pytest.mark.parametrize("wrong", [np.zeros(60, bool), np.ones(60, bool)])
def test_all_right_and_all_wrong(wrong: np.ndarray) -> None:
    made = SliceTable.from_predictions(told(wrong, metadata={"s": ["a", "b"] * 30}))
    assert drawn(made.figure())["rate"] == [float(wrong[0])] * 2
