"""A slice on its way to the browser, and its still picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nbdiag.wire.arrays import to_wire
from nbdiag.wire.canvas import INK, LINE, MUTED, SURFACE, Canvas

CLASSES = 12  # that travel: those that win somewhere, the largest areas first
LOST = 65535  # a probability that is none
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7f7f7f")
WIDTH, PLOT, HIGH, LEFT = 860, 560, 400, 70
LEGEND = LEFT + PLOT + 24


def shown_classes(probabilities: np.ndarray, others: Sequence[int] = ()) -> list[int]:
    """The classes of (H, W, C) to send, ascending: those with the largest areas and most samples.

    >>> field = np.array([[[0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.9, 0.05, 0.05]]])
    >>> shown_classes(field)
    [0, 1, 2]
    """
    known = np.nan_to_num(probabilities, nan=-1.0)
    flat = known.reshape(-1, known.shape[-1])
    won = np.bincount(flat.argmax(1)[flat.max(1) >= 0], minlength=flat.shape[1])
    won = won + np.bincount(list(others), minlength=flat.shape[1])[: flat.shape[1]]
    order = np.lexsort((np.arange(len(won)), -flat.max(0), -won))
    return sorted(int(number) for number in order[:CLASSES])


def pack_field(probabilities: np.ndarray, classes: Sequence[int]) -> dict[str, Any]:
    """(K, H, W) uint16: 0 to 65534 for 0 to 1, `LOST` for NaN."""
    chosen = np.moveaxis(probabilities[..., list(classes)], -1, 0)
    scaled = np.clip(np.nan_to_num(chosen), 0, 1) * (LOST - 1)
    return to_wire(np.where(np.isfinite(chosen), scaled.round(), LOST).astype(np.uint16))


def draw(
    *,
    axes: Sequence[Mapping[str, Any]],
    probabilities: np.ndarray,
    reach: np.ndarray,
    points: Mapping[str, Any],
    class_names: Sequence[str],
    headline: str,
    findings: list[dict[str, Any]],
) -> bytes:
    """PNG of a field (H, W, C): classes by colour, boundary, far areas faded, samples."""
    head = 26 + 22 * (min(len(findings), 3) + (len(findings) > 3)) + 34
    board = Canvas(WIDTH, head + HIGH + 54)
    top = board.header("Decision boundary", headline, findings) + 14
    x, y = axes
    board.picture(paint(probabilities, reach, (2 * PLOT, 2 * HIGH)), LEFT, top, LEFT + PLOT,
                  top + HIGH)  # fmt: skip
    across = _place(np.asarray(points["x"]), x["values"]) * PLOT + LEFT
    down = top + HIGH - _place(np.asarray(points["y"]), y["values"]) * HIGH
    kinds = np.asarray(points["true"] if points["true"] is not None else points["told"])
    inside = (across >= LEFT) & (across <= LEFT + PLOT) & (down >= top) & (down <= top + HIGH)
    order = np.argsort(points["closeness"], kind="stable")
    for i in order[inside[order] & (np.asarray(points["closeness"])[order] > 0.1)]:
        colour = COLOURS[int(kinds[i]) % len(COLOURS)] if kinds[i] >= 0 else INK
        size = 1.5 + 1.5 * float(points["closeness"][i])
        board.box(across[i] - size - 1, down[i] - size - 1, across[i] + size + 1,
                  down[i] + size + 1, SURFACE)  # fmt: skip
        board.box(across[i] - size, down[i] - size, across[i] + size, down[i] + size, colour)
    for share in (0, 0.5, 1):
        board.text(LEFT + share * PLOT, top + HIGH + 12, _at(x["values"], share), size=10,
                   color=MUTED, anchor="mm")  # fmt: skip
        board.text(LEFT - 6, top + HIGH - share * HIGH, _at(y["values"], share), size=10,
                   color=MUTED, anchor="rm")  # fmt: skip
    board.text(LEFT + PLOT / 2, top + HIGH + 32, board.fit(x["name"], PLOT), anchor="mm")
    name = board.fit(y["name"], HIGH)
    board.upright(14, top + HIGH / 2 - board.text_width(name, 11) / 2, name)
    won = np.nan_to_num(probabilities, nan=-1.0).argmax(-1)
    seen = [int(c) for c in np.unique(np.r_[won.ravel(), kinds[kinds >= 0]])][:14]
    for row, number in enumerate(seen):
        at = top + 10 + 20 * row
        board.box(LEGEND, at - 5, LEGEND + 10, at + 5, COLOURS[number % len(COLOURS)])
        board.text(LEGEND + 16, at, board.fit(class_names[number], WIDTH - LEGEND - 24))
    board.text(LEGEND, top + 20 + 20 * len(seen), "pale: no samples near", size=11, color=MUTED)
    board.line(LEFT, top + HIGH, LEFT + PLOT, top + HIGH, LINE)
    return board.png()


def paint(probabilities: np.ndarray, reach: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(height, width, 3) uint8 of a field (H, W, C), row 0 at the bottom, smoothed."""
    width, height = size
    rows = np.linspace(probabilities.shape[0] - 1, 0, height)
    columns = np.linspace(0, probabilities.shape[1] - 1, width)
    classes = shown_classes(probabilities)
    field = np.stack([_between(probabilities[..., c], rows, columns) for c in classes], -1)
    lost = ~np.isfinite(field).all(-1)
    field = np.nan_to_num(field, nan=0.0)
    label, sure = field.argmax(-1), field.max(-1)
    palette = np.array([_rgb(COLOURS[c % len(COLOURS)]) for c in classes])
    least = 1 / max(2, probabilities.shape[-1])
    strength = 0.22 + 0.58 * np.clip((sure - least) / (1 - least), 0, 1)
    far = np.clip(_between(np.minimum(reach, 9), rows, columns) - 1, 0, 1)
    strength = strength * (1 - 0.8 * far)
    colour = 255 + (palette[label] - 255) * strength[..., None]
    edge = np.zeros_like(lost)
    for shift in (1, 2):
        edge[shift:] |= label[shift:] != label[:-shift]
        edge[:, shift:] |= label[:, shift:] != label[:, :-shift]
    colour[edge] = 40 + 150 * far[edge][:, None]
    colour[lost] = 225
    return colour.round().astype(np.uint8)


def _between(grid: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Bilinear values at every row and column, which may lie between cells."""
    r = np.clip(np.floor(rows).astype(int), 0, max(0, grid.shape[0] - 2))
    c = np.clip(np.floor(columns).astype(int), 0, max(0, grid.shape[1] - 2))
    below = np.minimum(r + 1, grid.shape[0] - 1)
    fr, fc = (rows - r)[:, None], (columns - c)[None]
    left = grid[r][:, c] * (1 - fr) + grid[below][:, c] * fr
    beside = np.minimum(c + 1, grid.shape[1] - 1)
    right = grid[r][:, beside] * (1 - fr) + grid[below][:, beside] * fr
    return left * (1 - fc) + right * fc


def _place(values: np.ndarray, axis: Sequence[float]) -> np.ndarray:
    """Where values lie on an axis, 0 to 1; beyond where they lie outside."""
    return (values - axis[0]) / (axis[-1] - axis[0])


def _at(axis: Sequence[float], share: float) -> str:
    return short(axis[0] + share * (axis[-1] - axis[0]))


def short(value: float) -> str:
    """Three significant digits, written out up to a million.

    >>> short(0.012345), short(999.6), short(-33210), short(2.5e7)
    ('0.0123', '1,000', '-33,200', '2.5e+07')
    """
    text = f"{value:.3g}"
    return f"{float(text):,.0f}" if 1e3 <= abs(float(text)) < 1e6 else text


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
