"""The still picture of a weight distribution: norms and updates beside histograms over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nbdiag.wire.canvas import INK, LINE, MUTED, SEVERITY, SURFACE, Canvas, shorten, viridis

WIDTH = 860
NAMES, TREND, CHANGE, RATIO = 150, 150, 52, 150
ROWS_AT_MOST = 32
RIDGES_AT_MOST = 16
BAND = (1e-4, 1e-2)
"""Update over weights per step as it usually is: around 1e-3, a rule of thumb."""
_RATIO_AXIS = (-7.0, 0.0)
_POINTS = 150
_BAND_COLOR = "#dbeee2"
_TAIL = 0.005


def draw(
    *,
    source: str,
    layers: Sequence[str],
    findings: list[dict[str, Any]],
    steps: np.ndarray,
    weights: np.ndarray,
    ratios: np.ndarray,
    parameter: str,
    histograms: Mapping[str, np.ndarray],
) -> bytes:
    """PNG of steps (T,), norms of the weights (T, L) and the newest update ratios (L,).

    Parameters
    ----------
    parameter : the one whose histograms these are: "steps", "low", "high", "nan", "infinite" (H,)
        and "counts" (H, B); empty for none.
    """
    count = min(len(layers), ROWS_AT_MOST)
    shown = np.unique(np.linspace(0, len(layers) - 1, count).round().astype(int))
    pitch = 18 if count <= 18 else 13
    head = 26 + 22 * (min(len(findings), 3) + (len(findings) > 3)) + 40
    tall = max(pitch * count, 170)
    board = Canvas(WIDTH, int(head + tall + 50))
    at = f"step {int(steps[-1]):,}" if len(steps) else "no optimizer step yet"
    top = board.header("Weight distribution", f"{source}, {at}" if source else at, findings) + 22
    for row, layer in enumerate(shown):
        y = top + (row + 0.5) * pitch
        board.text(NAMES - 8, y, shorten(layers[layer], 21), size=11, anchor="rm")
    if not len(steps):
        board.text(NAMES, top + 10, "Waiting for the first optimizer.step()", color=MUTED)
        return board.png()
    _draw_trends(board, steps, weights[:, shown], top, pitch)
    _draw_ratios(board, np.where(np.isfinite(weights[-1]), ratios, np.inf)[shown], top, pitch)
    left = NAMES + TREND + CHANGE + RATIO + 40
    if len(histograms.get("steps", ())):
        board.text(left, top - 12, shorten(f"{parameter}, its entries", 44), size=11, color=MUTED)
        _draw_ridges(board, histograms, (left + 44, top, WIDTH - 14, top + tall))
    note = f"{len(steps):,} samples, {len(layers)} layers"
    if count < len(layers):
        note += f", {count} of them drawn"
    note += "; green: 1e-4 to 1e-2, where updates usually lie (rule of thumb)"
    board.text(14, top + tall + 34, note, size=10, color=MUTED)
    return board.png()


def _draw_trends(
    board: Canvas, steps: np.ndarray, weights: np.ndarray, top: float, pitch: float
) -> None:
    """A line a layer: log of its norm over its first norm, one axis for all."""
    board.text(NAMES, top - 12, "norm of the weights", size=11, color=MUTED)
    finite = np.isfinite(weights) & (weights > 0)
    start = np.where(
        finite.any(axis=0), weights[finite.argmax(axis=0), np.arange(weights.shape[1])], 1
    )
    change = np.log10(np.where(finite, weights, 1) / start)
    change[~finite] = np.nan
    most = max(np.log10(1.5), float(np.nanmax(np.abs(change), initial=0.0)))
    keep = np.unique(np.linspace(0, len(steps) - 1, min(_POINTS, len(steps))).round().astype(int))
    span = max(1, int(steps[-1] - steps[0]))
    for row in range(weights.shape[1]):
        middle = top + (row + 0.5) * pitch
        board.line(NAMES, middle, NAMES + TREND, middle, LINE)
        points = [
            (
                NAMES + TREND * (steps[t] - steps[0]) / span,
                middle - pitch * 0.45 * change[t, row] / most,
            )
            for t in keep
            if np.isfinite(change[t, row])
        ]
        if points:
            board.path(points, INK)
        last = weights[-1, row]
        if not np.isfinite(last):
            board.cross(NAMES + TREND + 10, middle, 4, SEVERITY["critical"])
            word = "NaN" if np.isnan(last) else "infinite"
            board.text(NAMES + TREND + 18, middle, word, size=10, color=SEVERITY["critical"])
        else:
            factor = f"{_factor(last, start[row])}"
            board.text(NAMES + TREND + 6, middle, factor, size=10, color=MUTED)


def _factor(now: float, start: float) -> str:
    """How a norm changed since the start.

    >>> _factor(3.0, 2.0), _factor(1.0, 0.0), _factor(250.0, 2.0)
    ('x1.50', '', 'x125')
    """
    if not start > 0:
        return ""
    factor = now / start
    return f"x{factor:.2f}" if factor < 10 else f"x{factor:.3g}"


def _draw_ratios(board: Canvas, ratios: np.ndarray, top: float, pitch: float) -> None:
    x0 = NAMES + TREND + CHANGE + 8
    low, high = _RATIO_AXIS
    bottom = top + pitch * len(ratios)

    def place(exponent: float) -> float:
        return x0 + RATIO * (min(high, max(low, exponent)) - low) / (high - low)

    board.text(x0, top - 12, "update / weights per step", size=11, color=MUTED)
    board.box(place(np.log10(BAND[0])), top, place(np.log10(BAND[1])), bottom, _BAND_COLOR)
    for exponent in range(-6, 1, 2):
        board.line(place(exponent), top, place(exponent), bottom, LINE)
        board.power(place(exponent), bottom + 10, exponent)
    for row, ratio in enumerate(ratios):
        y = top + (row + 0.5) * pitch
        if np.isinf(ratio):
            board.cross(x0 + 8, y, 4, SEVERITY["critical"])
        elif ratio > 0:
            x = place(float(np.log10(ratio)))
            board.box(x - 3, y - 3, x + 3, y + 3, INK)
        else:
            word = "not recorded" if np.isnan(ratio) else "exactly zero"
            board.text(x0 + 4, y, word, size=10, color=MUTED)


def _draw_ridges(
    board: Canvas, histograms: Mapping[str, np.ndarray], box: tuple[float, float, float, float]
) -> None:
    x0, top, x1, bottom = box
    count = len(histograms["steps"])
    which = np.unique(np.linspace(0, count - 1, min(RIDGES_AT_MOST, count)).round().astype(int))
    low, high = _extent(histograms, which)
    rise = (bottom - top) / (len(which) + 1.4)
    for place, i in enumerate(which):
        base = bottom - rise * (len(which) - 1 - place)
        counts = np.asarray(histograms["counts"][i], float)
        broken = int(histograms["nan"][i] + histograms["infinite"][i])
        board.text(
            x0 - 6, base - 4, f"{int(histograms['steps'][i]):,}", size=10, color=MUTED, anchor="rm"
        )
        if counts.sum() > 0:
            ends = (float(histograms["low"][i]), float(histograms["high"][i]))
            line = _curve(counts, ends, (low, high), (x0, x1), base, rise * 1.9)
            age = np.array([place / max(1, len(which) - 1)])
            board.area(line, "#{:02x}{:02x}{:02x}".format(*viridis(0.1 + 0.8 * age)[0]))
            board.path(line, SURFACE, 0.5)
        board.line(x0, base, x1, base, LINE)
        if broken:
            board.cross(x1 - 80, base - 6, 4, SEVERITY["critical"])
            word = f"{broken:,} not finite"
            board.text(x1 - 72, base - 6, word, size=10, color=SEVERITY["critical"])
    for value, anchor, x in ((low, "lm", x0), (high, "rm", x1)):
        board.text(x, bottom + 10, f"{value:.2g}", size=10, color=MUTED, anchor=anchor)
    board.text(
        (x0 + x1) / 2, bottom + 10, "by step, newest in front", size=10, color=MUTED, anchor="mm"
    )


def _curve(
    counts: np.ndarray,
    ends: tuple[float, float],
    axis: tuple[float, float],
    across: tuple[float, float],
    base: float,
    rise: float,
) -> list[tuple[float, float]]:
    """A histogram as a polygon that stands on `base`, cut off at the ends of the axis."""
    edges = np.linspace(*ends, len(counts) + 1)
    centres = np.concatenate([ends[:1], (edges[1:] + edges[:-1]) / 2, ends[1:]])
    heights = np.concatenate([[0.0], counts / counts.max(), [0.0]])
    width = (axis[1] - axis[0]) / 150
    if ends[0] == ends[1]:  # all entries are the same number: a needle
        centres = ends[0] + np.array([-width, 0.0, width])
        heights = np.array([0.0, 1.0, 0.0])
    grid = np.linspace(*axis, 300)
    level = np.interp(grid, centres, heights, left=0.0, right=0.0)
    x = across[0] + (grid - axis[0]) / (axis[1] - axis[0]) * (across[1] - across[0])
    y = base - level * rise
    inner = list(zip(x.tolist(), y.tolist(), strict=True))
    return [(across[0], base), *inner, (across[1], base)]


def _extent(histograms: Mapping[str, np.ndarray], which: np.ndarray) -> tuple[float, float]:
    """An axis that holds the middle 99 % of each histogram."""
    ends = []
    for i in which:
        total = np.concatenate([[0.0], np.cumsum(histograms["counts"][i])])
        if total[-1] > 0:
            edges = np.linspace(histograms["low"][i], histograms["high"][i], len(total))
            ends += np.interp([_TAIL, 1 - _TAIL], total / total[-1], edges).tolist()
    if not ends:
        return -1.0, 1.0
    low, high = min(ends), max(ends)
    pad = 0.04 * (high - low) or 0.1 * abs(low) or 1e-3
    return low - pad, high + pad
