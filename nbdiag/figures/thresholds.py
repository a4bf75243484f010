"""Where a chosen threshold lies on the precision-recall curve of other data."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.figures.style import CLASSES, INK, MUTED, new_figure
from nbdiag.measures import curves
from nbdiag.measures.thresholds import ThresholdReport


def draw(result: ThresholdReport, **options: Any) -> Any:
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
