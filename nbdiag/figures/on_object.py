"""Evidence on the object over the object's area: on the diagonal, it looks anywhere."""

from __future__ import annotations

from typing import Any

from nbdiag.figures.style import CLASSES, MUTED, new_figure
from nbdiag.measures.on_object import OnObject


def draw(result: OnObject) -> Any:
    """A point for each map."""
    figure = new_figure(
        f"Evidence on the object, {result.layer}",
        "share of the picture that the object covers",
        "share of the evidence on the object",
        x_range=(0, 1),
        y_range=(0, 1),
        height=480,
        width=520,
    )
    figure.line([0, 1], [0, 1], line_color=MUTED, line_dash="dashed", legend_label="chance")
    known = result.known
    looks = {"color": CLASSES[0], "alpha": 0.6, "size": 7, "legend_label": "a map"}
    figure.scatter(result.area[known], result.share[known], **looks)
    figure.legend.location = "bottom_right"
    return figure
