"""A reliability diagram as a Bokeh figure: what is observed over what is said, counts below."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from nbdiag.figures.style import GRID, INK, MUTED, new_figure
from nbdiag.measures.calibration_study import axes
from nbdiag.measures.calibration_words import in_words

if TYPE_CHECKING:
    from nbdiag.measures.calibration import Reliability

OVER, UNDER = "#b03a1e", "#1c66ab"
WIDTH, SIDE, COUNTS = 580, 520, 130
HALF = 0.05  # in confidence


def draw(result: Reliability, **options: Any) -> Any:
    """Diagram and histogram on one axis; ``options`` go to the diagram's ``figure``."""
    from bokeh.layouts import column
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.models.annotations import Label
    from bokeh.models.widgets import Div

    x, y = axes(result)
    shared = {"width": WIDTH, "height": SIDE, "x_range": (-0.02, 1.02), "y_range": (-0.02, 1.02)}
    what = "the predicted class" if result.of == "top" else f"class {result.of}"
    top = new_figure(f"Reliability of {what}", "", y, **{**shared, **options})
    source = ColumnDataSource(_columns(result))
    top.quad(
        left="left", right="right", bottom="floor", top="ceiling", fill_color="colour",
        fill_alpha="tint", line_color=None, source=source,
    )  # fmt: skip
    top.line([0, 1], [0, 1], line_color=INK, line_dash="dashed")
    top.segment("confidence", "low", "confidence", "high", line_color=MUTED, source=source)
    top.line("confidence", "observed", line_color=INK, line_width=1.6, source=source)
    points = top.scatter(
        "confidence", "observed", size=9, fill_color="fill", line_color=INK, source=source
    )
    place: dict[str, Any] = {"text_font_size": "12px", "background_fill_color": "white"}
    top.add_layout(Label(x=0.06, y=0.09, text="perfectly calibrated", angle=0.72, **place))
    for label in _regions(result.of == "top"):
        top.add_layout(Label(**label, **place))
    top.add_tools(
        HoverTool(
            renderers=[points],
            tooltips=[
                ("bin", "@from{0.000} to @to{0.000}"),
                ("samples", "@n{0,0}"),
                ("says", "@confidence{0.0 %}"),
                ("observed", "@observed{0.0 %} (@low{0.0 %} to @high{0.0 %})"),
                ("", "@word"),
            ],
        )
    )
    below = new_figure(
        "", x, "samples", width=WIDTH, height=COUNTS, x_range=top.x_range, toolbar_location=None
    )
    below.quad(
        left="from", right="to", bottom=0, top="n", fill_color=MUTED, fill_alpha=0.6,
        line_color=GRID, source=source,
    )  # fmt: skip
    below.y_range.start = 0
    first, *rest = (escape(words) for words in in_words(result))
    lines = "".join(f'<div style="color: {MUTED}">{words}</div>' for words in rest)
    said = f'<div style="font-size: 14px; color: {INK}">{first}</div>{lines}'
    return column(Div(text=said, width=WIDTH), top, below)


def _columns(result: Reliability) -> dict[str, Any]:
    """The full bins, and how each is drawn; NaN would break the line."""
    full = np.flatnonzero(result.bins.counts)
    table = {name: np.asarray(one)[full] for name, one in result.columns().items()}
    said, seen = table["confidence"], table["observed"]
    over = result.overconfident()[full] > 0
    sure = table["beyond_chance"]
    colour = np.where(over, OVER, UNDER)
    thin = table["to"] - table["from"] < 0.004  # a bar of no width would not be seen
    return {
        **table,
        "from": np.where(thin, table["from"] - 0.002, table["from"]),
        "to": np.where(thin, table["to"] + 0.002, table["to"]),
        # of a wide bin only the part around its mean, where the gap was measured
        "left": np.maximum(table["from"], said - HALF) - 0.002 * thin,
        "right": np.minimum(table["to"], said + HALF) + 0.002 * thin,
        "floor": np.minimum(said, seen),
        "ceiling": np.maximum(said, seen),
        "colour": colour,
        "tint": np.where(sure, 0.35, 0.15),
        "fill": np.where(sure, colour, "#ffffff"),
        "word": [
            f"{word}{'' if certain else ', or chance'}" if word else "as it says"
            for word, certain in zip(table["direction"], sure, strict=True)
        ],
    }


def _regions(top: bool) -> list[dict[str, Any]]:
    """What lies on each side of the diagonal, in words."""
    if top:
        return [
            {"x": 0.01, "y": 0.95, "text": "underconfident", "text_color": UNDER},
            {
                "x": 0.99, "y": 0.01, "text": "overconfident", "text_color": OVER,
                "text_align": "right",
            },
        ]  # fmt: skip
    over, under = {"text_color": OVER}, {"text_color": UNDER}
    end = {"text_align": "right", "y": 0.01}
    return [
        {"x": 0.01, "y": 0.95, "text": "too low: overconfident", **over},
        {"x": 0.52, "y": 0.95, "text": "too low: underconfident", **under},
        {"x": 0.49, "text": "too high: underconfident", **under, **end},
        {"x": 0.99, "text": "too high: overconfident", **over, **end},
    ]
