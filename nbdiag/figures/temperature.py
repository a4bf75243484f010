"""How likely the true classes are at each temperature, and where the fit ended."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.figures.style import CLASSES, INK, MUTED, new_figure
from nbdiag.measures.temperature import Temperature


def draw(result: Temperature, **options: Any) -> Any:
    """Mean NLL over the temperature; marks at 1, the model as it is, and at the fit."""
    temperatures, nll = result.curve
    plot = new_figure(
        f"Temperature {result.told}, fitted on {result.n:,} samples",
        "temperature",
        "mean negative log-likelihood",
        **{"x_axis_type": "log", **options},
    )
    if np.isfinite(result.low):
        plot.quad(
            left=result.low,
            right=result.high,
            bottom=nll.min(),
            top=nll.max(),
            fill_color=CLASSES[1],
            fill_alpha=0.15,
            line_color=None,
        )
    plot.line(x=temperatures, y=nll, line_color=CLASSES[0], line_width=2)
    for at, colour, label in (
        (1.0, MUTED, "as it is"),
        (result.value, CLASSES[1], f"fitted: {result.value:.3g}, with its 95 % interval"),
    ):
        mark = int(np.abs(np.log(temperatures / at)).argmin())
        plot.scatter(
            x=[temperatures[mark]],
            y=[nll[mark]],
            size=10,
            fill_color=colour,
            line_color=INK,
            legend_label=label,
        )
    plot.legend.location = "top_right"
    plot.legend.label_text_color = MUTED
    return plot
