"""The confusion matrix as a figure to zoom into."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.figures.style import INK, MUTED, new_figure
from nbdiag.measures.error_explorer import ErrorTable

NUMBERS_UP_TO = 15  # classes; beyond that a number does not fit its cell
NAMES_UP_TO = 60  # and beyond that a name does not fit its row
RIGHT = "#e5e7ea"


def draw(result: ErrorTable, *, size: int = 640) -> Any:
    """Rows: true class, columns: predicted class; errors in colour, right answers grey.

    ``size``: width and height of the figure in pixels.
    """
    from bokeh.models import ColumnDataSource, HoverTool, LinearColorMapper
    from bokeh.models.annotations import ColorBar
    from bokeh.palettes import viridis

    names = list(result.class_names)
    classes = len(names)
    true, predicted = np.nonzero(result.matrix)
    count = result.matrix[true, predicted]
    support = result.matrix.sum(axis=1) + result.nonfinite
    right = true == predicted
    errors = count[~right]
    most = int(errors.max()) if errors.size else 1
    mapper = LinearColorMapper(palette=viridis(256)[::-1][18:], low=0, high=most)
    # Numbers stand where classes do, so that the same figure serves 2 and 1,000 of them.
    figure = new_figure(
        f"Accuracy {result.accuracy_text} of {len(result):,} samples",
        "predicted class",
        "true class",
        width=size + 80,
        height=size,
        x_range=(-0.5, classes - 0.5),
        y_range=(classes - 0.5, -0.5),
        tools="pan,wheel_zoom,box_zoom,reset,save",
        match_aspect=True,
    )
    columns = {
        "true": true,
        "predicted": predicted,
        "true_name": [names[i] for i in true],
        "predicted_name": [names[i] for i in predicted],
        "count": count,
        "share": [f"{100 * share:.3g} %" for share in count / support[true]],
        "text": [f"{n:,}" for n in count.tolist()],
    }
    tooltips = [
        ("true", "@true_name"),
        ("predicted", "@predicted_name"),
        ("samples", "@count{0,0} (@share of the true class)"),
    ]
    drawn = []
    for chosen, fill in ((right, RIGHT), (~right, {"field": "count", "transform": mapper})):
        data: dict[str, Any] = {name: np.array(v)[chosen] for name, v in columns.items()}
        dark = (data["count"] > most / 2) & (data["true"] != data["predicted"])
        data["ink"] = np.where(dark, "#ffffff", INK)
        source = ColumnDataSource(data)
        drawn.append(
            figure.rect(
                "predicted",
                "true",
                0.96 if classes <= NAMES_UP_TO else 1,
                0.96 if classes <= NAMES_UP_TO else 1,
                source=source,
                fill_color=fill,
                line_color=None,
            )
        )
        if classes <= NUMBERS_UP_TO:
            figure.text(
                "predicted",
                "true",
                text="text",
                text_align="center",
                text_baseline="middle",
                text_font_size="12px",
                text_color="ink",
                source=source,
            )
    figure.add_tools(HoverTool(tooltips=tooltips, renderers=drawn))
    if classes <= NAMES_UP_TO:
        for axis in (figure.xaxis[0], figure.yaxis[0]):
            axis.ticker = list(range(classes))
            axis.major_label_overrides = dict(enumerate(names))
        if max(map(len, names)) > 3:
            figure.xaxis.major_label_orientation = 0.8
    else:
        figure.axis.major_label_text_font_size = "0px"  # hover names them
    figure.grid.grid_line_color = None
    figure.add_layout(
        ColorBar(color_mapper=mapper, title="errors", title_text_color=MUTED, width=10), "right"
    )
    return figure
