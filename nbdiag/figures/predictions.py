"""How sure is the model where it is right, and where it is wrong?"""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.figures.style import CLASSES, new_figure
from nbdiag.measures.predictions import Predictions


def draw(result: Predictions, *, bins: int = 25) -> Any:
    """Counts of right and wrong answers over the confidence."""
    figure = new_figure(repr(result), "confidence", "samples")
    edges = np.linspace(0, 1, bins + 1)
    right = result.predicted == result.targets
    bottom = np.zeros(bins)
    for name, chosen, colour in (("right", right, CLASSES[0]), ("wrong", ~right, CLASSES[5])):
        counts, _ = np.histogram(result.confidence[chosen & result.finite], edges)
        figure.quad(
            left=edges[:-1], right=edges[1:], bottom=bottom, top=bottom + counts,
            fill_color=colour, line_color="white", legend_label=name,
        )  # fmt: skip
        bottom = bottom + counts
    figure.legend.location = "top_left"
    return figure
