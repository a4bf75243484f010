"""Bokeh figures of scores and thresholds."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.embed import file_html
from bokeh.models import Line, Scatter, Step, VArea

from nbdiag.figures.evaluation import CURVES, POINTS, chosen
from nbdiag.measures.evaluation import evaluate
from nbdiag.measures.thresholds import choose_threshold
from tests.measures.predicted import made, random_predictions, rare_class


def glyphs(figure: object, kind: type) -> list[object]:
    return [r for r in figure.renderers if isinstance(r.glyph, kind)]  # type: ignore[attr-defined]


def test_the_rare_class_of_two_with_band_and_baseline() -> None:
    told = rare_class(200, 0.2, 1.0)
    figure = evaluate(told, resamples=100).figure()
    assert len(glyphs(figure, Step)) == len(glyphs(figure, VArea)) == 1
    (base,) = glyphs(figure, Line)
    assert base.data_source.data["y"] == pytest.approx([told.targets.mean()] * 2)  # type: ignore[attr-defined]
    assert "rare: average precision" in figure.legend.items[0].label.value
    assert "recall" in file_html(figure)


def test_of_many_classes_the_weakest() -> None:
    result = evaluate(random_predictions(600, 20), resamples=100)
    figure = result.figure()
    assert len(glyphs(figure, Step)) == CURVES
    area = [one.value for one in result.by_class["average_precision"]]
    assert chosen(result) == np.argsort(area)[:CURVES].tolist()
    assert len(glyphs(result.figure(of=["3", 4]), Step)) == 2
    assert len(glyphs(result.figure(of="3"), Step)) == 1
    with pytest.raises(ValueError, match="no class 'dog'"):
        result.figure(of="dog")


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    told = rare_class(20_000, 0.5, 1.0)
    (step,) = glyphs(evaluate(told, resamples=100).figure(of="rare"), Step)
    recall = step.data_source.data["x"]  # type: ignore[attr-defined]
    assert len(recall) <= POINTS
    assert (recall.min(), recall.max()) == (0.0, 1.0)


def test_absent_class_and_single_sample() -> None:
    for told in (made([0, 0], [0.1, 0.2]), made([1], [0.7])):
        assert file_html(evaluate(told, resamples=100).figure())


def test_threshold_report() -> None:
    report = choose_threshold(rare_class(300, 0.2, 1.0), of="rare", maximise="f1").report(
        rare_class(200, 0.2, 1.0, seed=1)
    )
    figure = report.figure(width=500)
    (point,) = glyphs(figure, Scatter)
    assert point.data_source.data["x"] == [report.recall.value]  # type: ignore[attr-defined]
    assert figure.width == 500
    assert "other samples" in figure.title.text
