"""What each threshold would do where one is chosen, and where it lies on other data."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.figures.style import CLASSES, INK, MUTED, new_figure
from nbdiag.measures import curves
from nbdiag.measures.thresholds import Threshold, ThresholdReport

POINTS = 2000  # of a curve that is drawn


def draw(result: Threshold | ThresholdReport, **options: Any) -> Any:
    """Of a threshold what it was chosen from, of a report what it does on other data."""
    return (_chosen if isinstance(result, Threshold) else _reported)(result, **options)  # type: ignore[arg-type]


def _chosen(result: Threshold, **options: Any) -> Any:
    """Precision and recall over the threshold, on the samples that it was chosen on."""
    told, number = result.chosen, result.class_number
    scores = np.where(told.finite, told.probabilities[:, number], np.nan)
    ranking = curves.rank(scores, told.targets == number)
    precision, recall, thresholds = ranking.precision_recall()
    shown = np.unique(np.linspace(0, len(thresholds) - 1, POINTS).round().astype(int))
    plot = new_figure(
        f"{result.name}: {result.rule}, chosen on these {len(told):,} samples",
        f"threshold: {result.name} is called from this probability on",
        "precision, recall",
        x_range=(-0.01, 1.01),
        y_range=(-0.02, 1.05),
        **options,
    )
    for name, values, colour in (
        ("precision", precision, CLASSES[0]),
        ("recall", recall, CLASSES[2]),
    ):
        plot.step(
            x=thresholds[shown],
            y=values[shown],
            mode="after",  # from the highest down: each holds until the next lower score
            line_color=colour,
            line_width=2,
            legend_label=name,
        )
    if np.isfinite(result.value):
        plot.line(
            x=[result.value] * 2,
            y=[0, 1],
            line_color=INK,
            line_dash="dashed",
            legend_label=f"chosen: {result.value:.3g}",
        )
    plot.legend.location = "bottom_left"
    plot.legend.label_text_color = MUTED
    return plot


def _reported(result: ThresholdReport, **options: Any) -> Any:
    """The curve of the reported data, and the threshold's precision and recall with intervals."""
    told, number = result.predictions, result.threshold.class_number
    scores = np.where(told.finite, told.probabilities[:, number], np.nan)
    ranking = curves.rank(scores, told.targets == number)
    precision, recall, _ = ranking.precision_recall()
    plot = new_figure(
        f"{result.threshold.name}: the threshold on {len(told):,} other samples",
        "recall",
        "precision",
        x_range=(-0.01, 1.01),
        y_range=(-0.02, 1.05),
        **options,
    )
    plot.step(
        x=np.r_[0.0, recall],
        y=np.r_[precision[:1], precision],
        mode="before",
        line_color=CLASSES[0],
        line_width=2,
        legend_label="every threshold",
    )
    p, r = result.precision, result.recall
    ends = {"line_color": INK, "line_width": 2}
    plot.segment(x0=[r.low], x1=[r.high], y0=[p.value], y1=[p.value], **ends)
    plot.segment(x0=[r.value], x1=[r.value], y0=[p.low], y1=[p.high], **ends)
    plot.scatter(
        x=[r.value],
        y=[p.value],
        size=10,
        fill_color=CLASSES[1],
        line_color=INK,
        legend_label="the threshold, with 95 % intervals",
    )
    plot.legend.location = "top_right"
    plot.legend.label_text_color = MUTED
    return plot
