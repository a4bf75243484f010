"""Labels that are probably wrong: how far the model's answer lies above the label."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.figures.style import CLASSES, new_figure
from nbdiag.measures.label_suspects import Suspects


def draw(result: Suspects, *, pairs: int = 15) -> Any:
    """Suspects by label and suggested class, the commonest pairs first."""
    from bokeh.models import ColumnDataSource, HoverTool

    told = result.predictions
    code = told.targets[result.rows] * told.n_classes + result.suggested
    found, at, counts = np.unique(code, return_inverse=True, return_counts=True)
    shown = np.argsort(-counts, kind="stable")[:pairs][::-1]
    names = [
        f"{told.class_names[found[i] // told.n_classes]} -> "
        f"{told.class_names[found[i] % told.n_classes]}"
        for i in shown
    ]
    condition = f" ({result.condition})" if result.condition else ""
    figure = new_figure(
        f"{len(result)} samples whose label is in doubt{condition}",
        "suspects",
        "label -> suggested",
        y_range=names,
        height=max(220, 22 * len(names) + 130),
    )
    means = np.bincount(at, weights=result.score, minlength=len(found)) / np.maximum(counts, 1)
    source = ColumnDataSource(
        {"pair": names, "suspects": counts[shown], "score": means[shown].round(3)}
    )
    figure.hbar(
        y="pair", right="suspects", left=0, height=0.7, fill_color=CLASSES[0], line_color=None,
        source=source,
    )  # fmt: skip
    figure.add_tools(HoverTool(tooltips=[("", "@pair: @suspects"), ("mean score", "@score")]))
    return figure
