"""Categories of errors: their share of the errors beside their share of the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nbdiag.figures.style import INK, MUTED, SEVERITY, new_figure

if TYPE_CHECKING:
    from nbdiag.measures.failure_modes import FailureTable

BLUE = "#33638d"


def draw(result: FailureTable, **options: Any) -> Any:
    """A bar a category, a mark where its share of the samples is; the lift on hover."""
    from bokeh.models import ColumnDataSource, HoverTool, NumeralTickFormatter

    names = list(result.names)
    places = list(range(len(names)))[::-1]
    share = result.errors / max(1, result.total_errors)
    of_samples = result.n / result.total
    end = min(1.0, 1.08 * max(0.01, float(share.max()), float(of_samples.max())))
    figure = new_figure(
        options.pop("title", "Share of the errors (bars) and of the samples (marks)"),
        "share of the errors",
        "",
        **{"height": 130 + 32 * len(names), "x_range": (0, end), **options},
    )
    concentrated = set(result.concentrated)
    rest = len(names) - 1
    data = ColumnDataSource(
        {
            "y": places,
            "name": names,
            "share": share.tolist(),
            "of_samples": of_samples.tolist(),
            "n": result.n.tolist(),
            "errors": result.errors.tolist(),
            "lift": [_lift(result, i) for i in range(len(names))],
            "color": [
                SEVERITY["critical"] if i in concentrated else MUTED if i == rest else BLUE
                for i in range(len(names))
            ],
        }
    )
    bars = figure.hbar(y="y", right="share", height=0.55, source=data, color="color", alpha=0.85)
    figure.scatter(
        "of_samples", "y", source=data, marker="dash", angle=np.pi / 2, size=22, color=INK,
        line_width=3,
    )  # fmt: skip
    figure.add_tools(
        HoverTool(
            renderers=[bars],
            tooltips=[
                ("category", "@name"),
                ("errors", "@errors, @share{0.0%} of all"),
                ("samples", "@n, @of_samples{0.0%} of all"),
                ("lift", "@lift"),
            ],
        )
    )
    figure.yaxis.ticker = places
    figure.yaxis.major_label_overrides = dict(zip(places, names, strict=True))
    figure.xaxis.formatter = NumeralTickFormatter(format="0%")
    return figure


def _lift(result: FailureTable, at: int) -> str:
    if np.isnan(result.lift[at]):
        return "unknown"
    low, high = result.lift_low[at], result.lift_high[at]
    return f"{result.lift[at]:.2f} ({low:.2f} to {high:.2f})"
