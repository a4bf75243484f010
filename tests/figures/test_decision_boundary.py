"""Bokeh figures of slices."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.embed import file_html
from bokeh.models import ImageRGBA, Scatter

from nbdiag.measures.decision_boundary import DecisionSlice, Slicer
from nbdiag.measures.feature_table import FeatureTable


def cut(X: np.ndarray, lost: bool = False) -> DecisionSlice:
    def ask(rows: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-3 * (rows[:, 0] + rows[:, 1])))
        p = np.where(rows[:, 0] > 1, np.nan, p) if lost else p
        return np.stack([1 - p, p], 1)

    y = (X[:, 0] > 0).astype(int)
    table = FeatureTable.of(X)
    return Slicer.of(table, ask, lambda _: ["a", "b"], lambda _: y, 15).cut((0, 1))


X = np.random.default_rng(0).normal(size=(100, 2))


def test_field_boundaries_and_samples() -> None:
    result = cut(X)
    figure = result.figure()
    (image,) = [r for r in figure.renderers if isinstance(getattr(r, "glyph", None), ImageRGBA)]
    pixels = image.data_source.data["image"][0].view(np.uint8).reshape(15, 15, 4)
    assert pixels[0, 0].sum() > pixels[5, 5].sum()  # a corner without samples is paler
    dots = [r for r in figure.renderers if isinstance(getattr(r, "glyph", None), Scatter)]
    assert sum(len(r.data_source.data["x"]) for r in dots) == 100
    assert {r.glyph.marker for r in dots} == {"circle", "diamond"}
    labels = [item.label.value for item in figure.legend.items]
    assert "boundary of a smooth control" in labels
    assert "feature 0" in file_html(figure)


def test_probability_of_a_class_and_size() -> None:
    figure = cut(X).figure(of="b", width=400)
    assert figure.width == 400
    assert figure.right[0].title == "probability of b"
    with pytest.raises(ValueError, match="no class 'c'; classes: a, b"):
        cut(X).figure(of="c")
    with pytest.raises(ValueError, match="no class 2"):
        cut(X).figure(of=2)


@pytest.mark.parametrize(
    "result",
    [
        cut(X, lost=True),
        cut(X[:2]),
        cut(np.column_stack([X[:, 0], np.arange(100) % 2])),
    ],
    ids=["not finite", "two samples", "binary"],
)
def test_edges(result: DecisionSlice) -> None:
    assert file_html(result.figure())
