"""Two models on the same samples: what each class won and lost."""

from __future__ import annotations

from typing import Any

from nbdiag.figures.style import GRID, INK, MUTED, new_figure
from nbdiag.measures.comparison import Comparison

BETTER, WORSE = "#0072b2", "#d55e00"
SHOWN = 40  # classes, those that changed most


def draw(result: Comparison, *, classes: int = SHOWN) -> Any:
    """Bars of fixed (right) and broken (left) samples of the classes that changed most."""
    from bokeh.models import ColumnDataSource, HoverTool

    changed = sorted(result.classes, key=lambda c: (-(c.fixed + c.broken), c.name))[:classes]
    changed.sort(key=lambda c: c.fixed - c.broken)
    names = [c.name for c in changed]
    figure = new_figure(
        f"{result.sentence} {result.numbers}",
        "samples broken | fixed",
        "",
        y_range=names,
        height=max(220, 22 * len(names) + 130),
    )
    source = {
        "class": names,
        "fixed": [c.fixed for c in changed],
        "broken": [c.broken for c in changed],
        "minus": [-c.broken for c in changed],
        "samples": [c.samples for c in changed],
        "verdict": [c.verdict for c in changed],
        "edge": [INK if c.verdict in ("better", "worse") else GRID for c in changed],
    }
    data = ColumnDataSource(source)
    shared = {"y": "class", "height": 0.7, "line_color": "edge", "source": data}
    figure.hbar(right="fixed", left=0, fill_color=BETTER, legend_label="fixed", **shared)
    figure.hbar(right=0, left="minus", fill_color=WORSE, legend_label="broken", **shared)
    figure.vspan(x=[0], line_color=MUTED)
    figure.add_tools(
        HoverTool(
            tooltips=[
                ("class", "@class"),
                ("fixed", "@fixed of @samples"),
                ("broken", "@broken of @samples"),
                ("against noise", "@verdict"),
            ]
        )
    )
    figure.legend.location = "bottom_right"
    return figure
