"""What the errors of a cluster share, beside the other errors."""

from __future__ import annotations

from typing import Any

from nbdiag.figures.style import CLASSES, INK, MUTED, new_figure
from nbdiag.measures.error_clusters import ErrorCluster


def draw(result: ErrorCluster, *, most: int = 15) -> Any:
    """Share of the members with its interval, and of the other errors, most telling on top."""
    shown = result.shared[:most][::-1]
    names = [f"{one.name}: {one.value}" for one in shown]
    title = f"{len(result)} similar errors: {result.label}"
    plot = new_figure(
        title if shown else f"{title}, which share nothing else that is known of them",
        "share",
        "",
        x_range=(0, 1.01),
        y_range=names,
        height=max(200, 34 * len(names) + 160),
    )
    if not shown:
        return plot
    share = [one.share for one in shown]
    plot.hbar(
        y=names,
        right=share,
        height=0.6,
        fill_color=CLASSES[0],
        line_color=None,
        legend_label="of these errors, with 95 % intervals",
    )
    ends = {"x0": [one.low for one in shown], "x1": [one.high for one in shown]}
    plot.segment(**ends, y0=names, y1=names, line_color=INK, line_width=2)
    plot.scatter(
        x=[one.others / one.of_others if one.of_others else float("nan") for one in shown],
        y=names,
        size=9,
        marker="diamond",
        fill_color=CLASSES[1],
        line_color=INK,
        legend_label="of the other errors",
    )
    plot.legend.label_text_color = MUTED
    plot.legend.orientation = "horizontal"
    plot.add_layout(plot.legend[0], "below")
    return plot
