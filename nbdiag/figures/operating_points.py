"""One class's precision-recall curve, and a point on it at a fixed level."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.figures.evaluation import add_curve
from nbdiag.figures.style import CLASSES, INK, MUTED, new_figure
from nbdiag.measures.operating_points import OperatingPoint, PrecisionRecall


def draw(result: PrecisionRecall | OperatingPoint, **options: Any) -> Any:
    """The curve with its interval; of a point also the level that is held, and where it lies."""
    if isinstance(result, PrecisionRecall):
        point, curve = None, result
    else:
        point, curve = result, result.evaluation.curve(result.name)
    shared = {"x_range": (-0.01, 1.01), "y_range": (-0.02, 1.05)}
    title = f"{curve.name}: precision and recall as the threshold falls"
    if point is not None:
        title = f"{point.name}: {point.metric} at a {point.fixed} of at least {point.level:g}"
        title += "" if point.reached else ", which no threshold reaches"
    plot = new_figure(title, "recall", "precision", **{**shared, **options})
    add_curve(plot, curve, CLASSES[0])
    if point is not None:
        _add_point(plot, point, curve)
    plot.legend.label_text_color = MUTED
    plot.legend.background_fill_alpha = 0.85
    plot.legend.location = "top_right"
    return plot


def _add_point(plot: Any, point: OperatingPoint, curve: PrecisionRecall) -> None:
    held, ends = [point.level] * 2, [0, 1]
    flat = point.fixed == "precision"
    plot.line(
        x=ends if flat else held,
        y=held if flat else ends,
        line_color=MUTED,
        line_dash="dotted",
        legend_label=f"{point.fixed} held at {point.level:g}",
    )
    if not point.reached:
        return
    at = int(np.searchsorted(curve.thresholds, point.threshold))
    x, y = float(curve.recall[at]), float(curve.precision[at])
    bars = {"line_color": INK, "line_width": 2}
    if point.metric == "recall":
        plot.segment(x0=[point.low], x1=[point.high], y0=[y], y1=[y], **bars)
    else:
        plot.segment(x0=[x], x1=[x], y0=[point.low], y1=[point.high], **bars)
    plot.scatter(
        x=[x],
        y=[y],
        size=10,
        fill_color=CLASSES[1],
        line_color=INK,
        legend_label=f"greatest {point.metric}, with its interval",
    )
