"""The confusion matrix as a Bokeh figure: what it holds is what the table holds."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.embed import file_html
from bokeh.models import GlyphRenderer
from bokeh.models.glyphs import Rect, Text
from bokeh.resources import INLINE

from nbdiag.measures.error_explorer import ErrorTable
from nbdiag.measures.predictions import Predictions


def table(classes: int, n: int = 400) -> ErrorTable:
    rng = np.random.default_rng(classes)
    told = Predictions(
        targets=rng.integers(0, classes, n), probabilities=rng.dirichlet(np.ones(classes), n)
    )
    return ErrorTable.from_predictions(told)


def cells(figure: object) -> dict[tuple[int, int], int]:
    found = {}
    for drawn in figure.select(GlyphRenderer):
        if isinstance(drawn.glyph, Rect):
            data = drawn.data_source.data
            for t, p, n in zip(data["true"], data["predicted"], data["count"], strict=True):
                found[int(t), int(p)] = int(n)
    return found


@pytest.mark.parametrize("classes", [2, 15, 16, 60, 61, 1000])
def test_every_filled_cell_is_drawn(classes: int) -> None:
    result = table(classes)
    figure = result.figure()
    expected = {(int(t), int(p)): int(result.matrix[t, p]) for t, p in np.argwhere(result.matrix)}
    assert cells(figure) == expected
    texts = [one for one in figure.select(GlyphRenderer) if isinstance(one.glyph, Text)]
    assert len(texts) == (2 if classes <= 15 else 0)


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_all_right_and_all_wrong(kind: str) -> None:
    targets = np.array([0, 1, 1])
    p = np.eye(2)[targets if kind == "right" else 1 - targets]
    result = ErrorTable.from_predictions(Predictions(targets=targets, probabilities=p))
    assert sum(cells(result.figure()).values()) == 3


def test_it_stands_alone_and_names_are_text() -> None:
    name = "<img src=x onerror=alert(1)>"
    told = Predictions(
        targets=np.array([0, 1]),
        probabilities=np.array([[0.9, 0.1], [0.8, 0.2]]),
        class_names=(name, "b"),
    )
    html = file_html(ErrorTable.from_predictions(told).figure(size=300), INLINE)
    assert "<img src=x" not in html
