"""Precision-recall curves with their intervals and what chance would give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nbdiag.figures.style import CLASSES, MUTED, new_figure
from nbdiag.measures.evaluation import Evaluation
from nbdiag.measures.operating_points import PrecisionRecall

CURVES = 6  # more lie over one another
POINTS = 2000  # of a curve that is drawn


def draw(result: Evaluation, *, of: Any = None, **options: Any) -> Any:
    """Precision against recall of some classes: the curve as steps, its interval as a band.

    of : a class or a list of them, by name or number; by default all of a few, and of many those
        with the least average precision (of two the rarer one).
    """
    classes = chosen(result) if of is None else _as_list(of)
    curves = [result.curve(one) for one in classes]
    title = "Precision and recall as the threshold falls"
    if of is None and len(classes) < len(result.class_names) and len(result.class_names) > 2:
        title += f", the {len(classes)} classes with the least average precision"
    plot = new_figure(
        title, "recall", "precision", x_range=(-0.01, 1.01), y_range=(-0.02, 1.05), **options
    )
    for number, curve in enumerate(curves):
        add_curve(plot, curve, CLASSES[number % len(CLASSES)])
    plot.legend.click_policy = "hide"
    plot.legend.label_text_color = MUTED
    plot.legend.background_fill_alpha = 0.85
    plot.legend.location = "top_right"
    return plot


def chosen(result: Evaluation) -> list[int]:
    """The classes worth a curve: those with samples, the least average precision first."""
    present = np.flatnonzero(result.support > 0)
    if len(present) == 2 == len(result.class_names):
        return [int(present[result.support[present].argmin()])]
    area = np.array([one.value for one in result.by_class["average_precision"]])
    order = present[np.argsort(area[present], kind="stable")]
    return [int(number) for number in order[:CURVES]]


def _as_list(of: Any) -> list[Any]:
    if isinstance(of, str) or not isinstance(of, Sequence | np.ndarray):
        return [of]
    return list(of)


def add_curve(plot: Any, curve: PrecisionRecall, colour: str) -> None:
    """The curve as steps, its interval as a band, and what chance would give as a dashed line."""
    label = f"{curve.name}: average precision {curve.average_precision}, dashed: chance"
    known = np.isfinite(curve.low) & np.isfinite(curve.high)
    plot.varea(
        x=curve.recalls[known],
        y1=curve.low[known],
        y2=curve.high[known],
        fill_color=colour,
        fill_alpha=0.16,
        legend_label=label,
    )
    recall, precision = _thinned(curve)
    plot.step(
        x=recall, y=precision, mode="after", line_color=colour, line_width=2, legend_label=label
    )
    plot.line(
        x=[0, 1],
        y=[curve.baseline] * 2,
        line_color=colour,
        line_dash="dashed",
        line_alpha=0.7,
        legend_label=label,
    )


def _thinned(curve: PrecisionRecall) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision, of many points those evenly spread over recall."""
    size = len(curve.recall)
    if size <= POINTS:
        return curve.recall, curve.precision
    wanted = np.linspace(curve.recall[-1], curve.recall[0], POINTS)
    at = np.unique(size - 1 - np.searchsorted(curve.recall[::-1], wanted).clip(max=size - 1))
    return curve.recall[at], curve.precision[at]
