"""The look that all figures share."""

from __future__ import annotations

from typing import Any

INK, MUTED, GRID = "#24292f", "#57606a", "#d8dee4"
# Okabe and Ito's colours, safe for colour blindness, in the order of the widgets.
CLASSES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#000000")
SEVERITY = {"info": "#0969da", "warning": "#9a6700", "critical": "#cf222e"}


def new_figure(title: str, x_label: str, y_label: str, **options: Any) -> Any:
    """An empty figure with labelled axes."""
    from bokeh.plotting import figure

    shared = {"width": 720, "height": 420, "toolbar_location": "above", "title": title}
    made: Any = figure(**{**shared, "x_axis_label": x_label, "y_axis_label": y_label, **options})
    made.title.text_font_size = "14px"
    made.title.text_color = INK
    made.outline_line_color = None
    made.grid.grid_line_color = GRID
    made.axis.axis_label_text_color = MUTED
    made.axis.axis_label_text_font_style = "normal"
    made.axis.major_label_text_color = MUTED
    made.axis.axis_line_color = MUTED
    made.toolbar.logo = None
    return made
