"""Grad-CAM maps side by side, on one scale or each on its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.figures.style import GRID, MUTED, new_figure
from nbdiag.measures.grad_cam import GradCAMResult

COLUMNS, SIDE = 6, 150


def draw(result: GradCAMResult, *, most: int = 24, shared: bool = True) -> Any:
    """The first ``most`` maps, the picture's top on top.

    shared : all on the scale of the largest value of all maps, so that weak evidence looks weak;
        otherwise each on its own. An empty map is grey, and says so.
    """
    peaks = result.peak
    finite = peaks[np.isfinite(peaks)]
    top = float(finite.max(initial=0))
    columns = min(COLUMNS, max(1, len(result)))
    shown = min(most, len(result))
    rows = -(-shown // columns)
    scale = f"one scale, 0 to {top:.3g}" if shared else "each on its own scale"
    plot = new_figure(
        f"Evidence in {result.layer or 'the layer'}: {shown} of {len(result)} maps, {scale}",
        "",
        "",
        x_range=(0, columns),
        y_range=(0, max(1, rows)),
        width=SIDE * columns + 40,
        height=(SIDE + 24) * max(1, rows) + 60,
    )
    plot.axis.visible = False
    plot.grid.visible = False
    for number in range(shown):
        x, y = number % columns, rows - 1 - number // columns
        _add(plot, result, number, (x, y), top if shared else float(peaks[number]))
    return plot


def _add(plot: Any, result: GradCAMResult, number: int, place: tuple[int, int], top: float) -> None:
    from bokeh.models import LinearColorMapper
    from bokeh.palettes import Viridis256

    (x, y), peak = place, float(result.peak[number])
    words = f"class {result.targets[number]}"
    if peak > 0:
        mapper: Any = LinearColorMapper(palette=Viridis256, low=0, high=top, nan_color="#888888")
        # Pictures are drawn from the bottom up, maps from the top down.
        plot.image(
            [result.maps[number][::-1]],
            x=x + 0.03,
            y=y + 0.13,
            dw=0.94,
            dh=0.84,
            color_mapper=mapper,
        )
        words += f", up to {peak:.3g}"
    else:
        plot.rect(x=x + 0.5, y=y + 0.55, width=0.94, height=0.84, fill_color=GRID, line_color=None)
        words += ", no positive evidence" if peak == 0 else ", not finite"
    plot.text(x=x + 0.03, y=y + 0.02, text=[words], text_font_size="10px", text_color=MUTED)
