"""A slice through feature space: who wins where, how surely, and where the samples are."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.figures.style import CLASSES, INK, MUTED, new_figure
from nbdiag.measures.decision_boundary import Axis, DecisionSlice

POINTS = 1500


def draw(result: DecisionSlice, *, of: int | str | None = None, **options: Any) -> Any:
    """The predicted class as colour, paler where it is less sure or where no samples are.

    of : a class, by name or number, whose probability is drawn instead.
    """
    x, y = result.x, result.y
    plot = new_figure(
        f"{x.name} and {y.name}, {result.held_in_words}", x.name, y.name,
        x_range=_ends(x), y_range=_ends(y), **{"width": 760, "height": 520, **options},
    )  # fmt: skip
    (left, right), (bottom, top) = _ends(x), _ends(y)
    place = {"x": left, "y": bottom, "dw": right - left, "dh": top - bottom}
    far = np.clip(result.reach - 1, 0, 1)
    if of is None:
        plot.image_rgba(image=[_coloured(result, far)], **place)
    else:
        from bokeh.models.annotations import ColorBar
        from bokeh.models.mappers import LinearColorMapper

        number = class_number(result, of)
        mapper = LinearColorMapper(palette="Viridis256", low=0, high=1)
        plot.image(image=[result.probabilities[..., number]], color_mapper=mapper, **place)
        pale = np.zeros((*far.shape, 4), np.uint8)
        pale[..., :3], pale[..., 3] = 255, (215 * far).astype(np.uint8)
        plot.image_rgba(image=[pale.view(np.uint32)[..., 0]], **place)
        title = f"probability of {result.class_names[number]}"
        plot.add_layout(ColorBar(color_mapper=mapper, title=title, width=10), "right")
    _boundaries(plot, result)
    _samples(plot, result)
    plot.grid.visible = False
    plot.legend.click_policy = "hide"
    plot.legend.label_text_color = MUTED
    return plot


def class_number(result: DecisionSlice, of: int | str) -> int:
    """The number of a class; ValueError for one that does not exist."""
    names = result.class_names
    if isinstance(of, str):
        if of not in names:
            raise ValueError(f"no class {of!r}; classes: {', '.join(names[:40])}")
        return names.index(of)
    if not 0 <= of < len(names):
        raise ValueError(f"no class {of}: there are {len(names)}, from 0")
    return int(of)


def _ends(axis: Axis) -> tuple[float, float]:
    """Outer edges of the first and the last cell."""
    values = axis.values
    half = (values[-1] - values[0]) / (len(values) - 1) / 2
    return float(values[0] - half), float(values[-1] + half)


def _coloured(result: DecisionSlice, far: np.ndarray) -> np.ndarray:
    """(H, W) uint32 RGBA."""
    palette = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in CLASSES])
    least = 1 / max(2, result.probabilities.shape[-1])
    sure = np.nan_to_num(result.probabilities, nan=0.0).max(-1)
    strength = (0.2 + 0.55 * np.clip((sure - least) / (1 - least), 0, 1)) * (1 - 0.85 * far)
    pixels = np.full((*far.shape, 4), 255, np.uint8)
    colours = 255 + (palette[result.labels % len(CLASSES)] - 255) * strength[..., None]
    colours[result.labels < 0] = 200
    pixels[..., :3] = colours.round()
    return pixels.view(np.uint32)[..., 0]


def _boundaries(plot: Any, result: DecisionSlice) -> None:
    """Contours where a class's lead over the next one is 0, of the model and of the control."""
    for field, colour, dash, label in (
        (result.probabilities, INK, "solid", "boundary of the model"),
        (result.control, "#b00082", "dashed", "boundary of a smooth control"),
    ):
        if field is None or not np.isfinite(field).all():
            continue
        for number in np.unique(field.argmax(-1)):
            others = np.delete(field, number, axis=-1).max(-1)
            drawn = plot.contour(
                result.x.values, result.y.values, field[..., number] - others, [0.0],
                line_color=colour, line_dash=dash, line_width=1.6,
            )  # fmt: skip
            drawn.line_renderer.glyph.line_dash = dash
        plot.line([], [], line_color=colour, line_dash=dash, line_width=1.6, legend_label=label)


def _samples(plot: Any, result: DecisionSlice) -> None:
    kinds = result.told if result.targets is None else result.targets
    rows = result.table.values[result.rows]
    wrong = (result.told != kinds) if result.targets is not None else np.zeros(len(kinds), bool)
    for number in np.unique(kinds[kinds >= 0]):
        for missed, marker in ((False, "circle"), (True, "diamond")):
            at = np.flatnonzero((kinds == number) & (wrong == missed))[:POINTS]
            if not len(at):
                continue
            name = result.class_names[number] + (", predicted wrong" if missed else "")
            plot.scatter(
                x=rows[at, result.x.number], y=rows[at, result.y.number], marker=marker,
                size=9 if missed else 6, fill_color=CLASSES[number % len(CLASSES)],
                line_color=INK if missed else "white",
                fill_alpha=0.15 + 0.85 * result.closeness[at],
                line_alpha=0.15 + 0.85 * result.closeness[at], legend_label=name,
            )  # fmt: skip
