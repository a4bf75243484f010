"""The still picture of a gradient flow: bars of the last sample beside the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nbdiag.wire.canvas import INK, LINE, MUTED, SEVERITY, Canvas, shorten, viridis

WIDTH = 860
NAMES, BARS, GAP = 190, 230, 28
ROWS_AT_MOST = 40
COLUMNS_AT_MOST = 400
NOT_FINITE = SEVERITY["critical"]
NAN, INFINITE = 3, 4
_CLIPPED = 1e-4


def decades(values: np.ndarray) -> tuple[int, int]:
    """Whole powers of ten around the positive finite values; at least two apart.

    >>> decades(np.array([0.02, 3.0, 0.0, np.nan]))
    (-2, 1)
    """
    usable = values[np.isfinite(values) & (values > 0)]
    if not usable.size:
        return -3, 0
    low = int(np.floor(np.log10(usable.min())))
    high = int(np.ceil(np.log10(usable.max())))
    return min(low, high - 2), high


def _thin_rows(layers: Sequence[str]) -> np.ndarray:
    """Which layers to draw: all, or an even choice that keeps the first and the last."""
    count = min(len(layers), ROWS_AT_MOST)
    return np.unique(np.linspace(0, len(layers) - 1, count).round().astype(int))


def _thin_columns(status: np.ndarray) -> np.ndarray:
    """Which samples to draw: an even choice, and every one with a value that is not finite."""
    if len(status) <= COLUMNS_AT_MOST:
        return np.arange(len(status))
    even = np.linspace(0, len(status) - 1, COLUMNS_AT_MOST // 2).round().astype(int)
    bad = np.flatnonzero((status >= NAN).any(axis=1))[: COLUMNS_AT_MOST // 2]
    return np.union1d(even, bad)


def draw(
    *,
    source: str,
    layers: Sequence[str],
    steps: np.ndarray,
    norms: np.ndarray,
    raw: np.ndarray,
    status: np.ndarray,
    findings: list[dict[str, Any]],
) -> bytes:
    """PNG of steps (T,), norms (T, L), the same before clipping (NaN: unknown), status (T, L)."""
    shown = _thin_rows(layers)
    pitch = 18 if len(shown) <= 24 else 12
    head = 26 + 22 * (min(len(findings), 3) + (len(findings) > 3)) + 40
    board = Canvas(WIDTH, int(head + pitch * len(shown) + 48))
    at = f"step {int(steps[-1]):,}" if len(steps) else "no optimizer step yet"
    top = board.header("Gradient flow", f"{source}, {at}" if source else at, findings) + 22
    bottom = top + pitch * len(shown)
    for row, layer in enumerate(shown):
        y = top + (row + 0.5) * pitch
        board.text(
            NAMES - 8, y, shorten(layers[layer], 26), size=11 if pitch > 12 else 9, anchor="rm"
        )
    if not len(steps):
        board.text(NAMES, top + 10, "Waiting for the first optimizer.step()", color=MUTED)
        return board.png()

    clipped = raw[-1] > norms[-1] * (1 + _CLIPPED)
    low, high = decades(np.concatenate([norms, raw[-1:][:, clipped]], axis=None))
    _draw_bars(board, norms[-1][shown], status[-1][shown], (low, high), top, pitch)
    _draw_raw(board, np.where(clipped, raw[-1], np.nan)[shown], (low, high), top, pitch)
    x0, x1 = NAMES + BARS + GAP, WIDTH - 14
    columns = _thin_columns(status)
    values, codes = norms[np.ix_(columns, shown)].T, status[np.ix_(columns, shown)].T
    _draw_history(board, values, codes, (low, high), (x0, top, x1, bottom))
    board.text(NAMES, top - 12, "gradient norm, last sample", size=11, color=MUTED)
    board.text(x0, top - 12, "its history", size=11, color=MUTED)
    board.text(x0, bottom + 10, f"step {int(steps[0]):,}", size=10, color=MUTED)
    board.text(x1, bottom + 10, f"{int(steps[-1]):,}", size=10, color=MUTED, anchor="rm")
    note = f"{len(steps):,} samples, {len(layers)} layers"
    if len(shown) < len(layers):
        note += f", {len(shown)} of them drawn"
    if clipped.any():
        note += "; tick: norm before clipping"
    board.text(14, bottom + 32, note, size=10, color=MUTED)
    _draw_legend(board, (low, high), x1, bottom + 32)
    return board.png()


def _draw_bars(
    board: Canvas,
    values: np.ndarray,
    codes: np.ndarray,
    span: tuple[int, int],
    top: float,
    pitch: float,
) -> None:
    low, high = span
    bottom = top + pitch * len(values)
    for exponent in range(low, high + 1, max(1, (high - low) // 4)):
        x = NAMES + BARS * (exponent - low) / (high - low)
        board.line(x, top, x, bottom, LINE)
        board.power(x, bottom + 10, exponent)
    for row, (value, code) in enumerate(zip(values, codes, strict=True)):
        y = top + (row + 0.5) * pitch
        if code >= NAN:
            board.cross(NAMES + 8, y, 4, NOT_FINITE)
            word = "NaN" if code == NAN else "infinite"
            board.text(NAMES + 18, y, word, size=10, color=NOT_FINITE)
        elif code or not value > 0:
            word = ("zero", "no gradient", "frozen")[code]
            board.text(NAMES + 4, y, word, size=10, color=MUTED)
        else:
            share = (np.log10(value) - low) / (high - low)
            color = "#{:02x}{:02x}{:02x}".format(*viridis(np.array([share]))[0])
            end = NAMES + max(2.0, BARS * share)
            board.box(NAMES, y - pitch * 0.34, end, y + pitch * 0.34, color, outline=MUTED)


def _draw_raw(
    board: Canvas, values: np.ndarray, span: tuple[int, int], top: float, pitch: float
) -> None:
    low, high = span
    for row in np.flatnonzero(np.isfinite(values)):
        x = NAMES + BARS * (np.log10(values[row]) - low) / (high - low)
        y = top + (row + 0.5) * pitch
        board.box(x - 1, y - pitch * 0.44, x + 1, y + pitch * 0.44, INK)


def _draw_history(
    board: Canvas,
    values: np.ndarray,
    codes: np.ndarray,
    span: tuple[int, int],
    box: tuple[float, float, float, float],
) -> None:
    low, high = span
    usable = (codes == 0) & (values > 0)
    share = (np.log10(np.where(usable, values, 1.0)) - low) / (high - low)
    pixels = viridis(share)
    pixels[~usable] = (234, 238, 242)
    pixels[codes >= NAN] = [int(NOT_FINITE[i : i + 2], 16) for i in (1, 3, 5)]
    board.picture(pixels, *box)
    x0, top, x1, bottom = box
    for x in (x0, x1):
        board.line(x, top, x, bottom, LINE)


def _draw_legend(board: Canvas, span: tuple[int, int], right: float, y: float) -> None:
    low, high = span
    board.power(right - 12, y, high, color=INK)
    board.picture(viridis(np.linspace(0, 1, 64))[None], right - 150, y - 5, right - 30, y + 5)
    board.power(right - 168, y, low, color=INK)
