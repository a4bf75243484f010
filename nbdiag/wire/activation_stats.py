"""The still picture of activations: units by state beside zeros and saturation over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nbdiag.wire.canvas import INK, LINE, MUTED, SEVERITY, SURFACE, Canvas, shorten, viridis

WIDTH = 860
NAMES, BARS, WORDS, GAP = 170, 200, 150, 20
ROWS_AT_MOST = 40
COLUMNS_AT_MOST = 300
DEAD, SILENT, SOMETIMES, ALWAYS, STUCK, PARTLY, FREE = range(7)
COLORS = {
    DEAD: INK,
    SILENT: "#8c959f",
    SOMETIMES: "#56b4e9",
    ALWAYS: "#0072b2",
    STUCK: INK,
    PARTLY: "#8fb8d6",
    FREE: "#56b4e9",
}
_HATCHED = (DEAD, STUCK)
_EMPTY = (234, 238, 242)


def pack_shares(shares: np.ndarray) -> np.ndarray:
    """Shares as uint16 for the wire; 0 and 65535 stand for exactly 0 and exactly 1 only.

    >>> pack_shares(np.array([0.0, 1e-9, 0.5, 1 - 1e-9, 1.0])).tolist()
    [0, 1, 32768, 65534, 65535]
    """
    packed = np.clip(np.rint(np.asarray(shares, np.float64) * 65535), 1, 65534)
    packed[shares <= 0] = 0
    packed[shares >= 1] = 65535
    return packed.astype(np.uint16)


def draw(
    *,
    source: str,
    step: int,
    names: Sequence[str],
    findings: list[dict[str, Any]],
    counts: np.ndarray,
    seen: Sequence[int],
    series: Sequence[tuple[np.ndarray, np.ndarray]],
) -> bytes:
    """PNG of A activations.

    Parameters
    ----------
    counts : (A, 7) units in each state: dead, silent, sometimes, always, stuck, partly, free.
    seen : (A,) inputs looked at.
    series : for each activation steps (T,) and the share of its units that were off (never active,
        or stuck) around them (T,), NaN or infinite in a look at something not finite.
    """
    count = min(len(names), ROWS_AT_MOST)
    shown = np.unique(np.linspace(0, max(0, len(names) - 1), count).round().astype(int))
    pitch = 18 if count <= 24 else 12
    head = 26 + 22 * (min(len(findings), 3) + (len(findings) > 3)) + 40
    board = Canvas(WIDTH, int(head + pitch * max(1, count) + 50))
    at = f"step {step:,}" if step else "no optimizer step yet"
    top = board.header("Activations", f"{source}, {at}" if source else at, findings) + 22
    bottom = top + pitch * max(1, count)
    if not count:
        text = "No activation was seen" if step else "Waiting for the first optimizer.step()"
        board.text(NAMES, top + 8, text, color=MUTED)
        return board.png()
    x0, x1 = NAMES + BARS + WORDS + GAP, WIDTH - 14
    board.text(NAMES, top - 12, "units, over all inputs seen", size=11, color=MUTED)
    board.text(x0, top - 12, "units idle or stuck, by step", size=11, color=MUTED)
    first = min((int(s[0]) for s, _ in series if len(s)), default=0)
    last = max((int(s[-1]) for s, _ in series if len(s)), default=1)
    for row, number in enumerate(shown):
        y = top + (row + 0.5) * pitch
        size = 11 if pitch > 12 else 9
        board.text(NAMES - 8, y, shorten(names[number], 24), size=size, anchor="rm")
        _draw_units(board, counts[number], y, pitch)
        board.text(NAMES + BARS + 8, y, words(counts[number]), size=size, color=MUTED)
        steps, off = series[number]
        pixels = _history(steps, off, first, last)
        board.picture(pixels[None], x0, y - pitch * 0.42, x1, y + pitch * 0.42)
    board.text(x0, bottom + 10, f"step {first:,}", size=10, color=MUTED)
    board.text(x1, bottom + 10, f"{last:,}", size=10, color=MUTED, anchor="rm")
    middle = (x0 + x1) / 2
    board.text(middle - 36, bottom + 10, "0 %", size=10, color=MUTED, anchor="rm")
    board.picture(
        viridis(np.linspace(0, 1, 64))[None], middle - 30, bottom + 6, middle + 30, bottom + 14
    )
    board.text(middle + 36, bottom + 10, "100 %", size=10, color=MUTED)
    inputs = sorted({int(seen[number]) for number in shown})
    span = f"{inputs[0]:,}" if len(inputs) == 1 else f"{inputs[0]:,} to {inputs[-1]:,}"
    note = f"dead: never active in {span} inputs"
    if any(not np.isfinite(off).all() for _, off in series):
        note += "; red: NaN or infinite"
    if count < len(names):
        note += f"; {count} of {len(names)} activations drawn"
    board.text(14, bottom + 32, note, size=10, color=MUTED)
    _draw_legend(board, bottom + 32, counts[shown].sum(axis=0), x1)
    return board.png()


def words(counts: np.ndarray) -> str:
    """How many units need a look, in words.

    >>> words(np.array([12, 3, 40, 9, 0, 0, 0])), words(np.array([0, 0, 0, 0, 5, 0, 3]))
    ('12 dead, 3 silent of 64', '5 stuck of 8')
    """
    total = int(counts.sum())
    bounded = counts[[STUCK, PARTLY, FREE]].sum() > 0
    parts = [f"{int(counts[STUCK]):,} stuck" if bounded else f"{int(counts[DEAD]):,} dead"]
    if counts[SILENT]:
        parts.append(f"{int(counts[SILENT]):,} silent")
    return f"{', '.join(parts)} of {total:,}"


def _draw_units(board: Canvas, counts: np.ndarray, y: float, pitch: float) -> None:
    total = max(1, int(counts.sum()))
    left = float(NAMES)
    for state in np.flatnonzero(counts):
        right = left + BARS * counts[state] / total
        _fill(board, int(state), left, y - pitch * 0.34, right, y + pitch * 0.34)
        left = right


def _fill(board: Canvas, state: int, x0: float, y0: float, x1: float, y1: float) -> None:
    if state not in _HATCHED:
        board.box(x0, y0, x1, y1, COLORS[state])
        return
    board.box(x0, y0, x1, y1, SURFACE, outline=INK)
    x = x0 + 2
    while x < x1:
        board.line(x, y0, x, y1, INK)
        x += 3


def _history(steps: np.ndarray, values: np.ndarray, first: int, last: int) -> np.ndarray:
    """(COLUMNS, 3) colours: the newest look at or before each column; one not finite stays."""
    width = max(1, last - first)
    columns = min(COLUMNS_AT_MOST, max(1, last - first + 1))
    edges = first + width * (np.arange(columns) + 1) / columns
    pixels = np.empty((columns, 3), np.uint8)
    pixels[:] = _EMPTY
    if not len(steps):
        return pixels
    newest = np.searchsorted(steps, edges, side="right") - 1
    there = newest >= 0
    shares = values[np.maximum(newest, 0)]
    good = there & np.isfinite(shares)
    pixels[good] = viridis(shares[good])
    pixels[good & (shares == 0)] = _EMPTY  # what is healthy does not shine
    bad = np.searchsorted(edges, steps[~np.isfinite(values)], side="left")
    red = [int(SEVERITY["critical"][i : i + 2], 16) for i in (1, 3, 5)]
    pixels[np.minimum(bad, columns - 1)] = red
    pixels[there & ~np.isfinite(shares)] = red
    return pixels


def _draw_legend(board: Canvas, y: float, counts: np.ndarray, right: float) -> None:
    names = ("dead", "fell silent", "now and then", "always on", "stuck", "partly", "free")
    x = right
    for state in np.flatnonzero(counts)[::-1]:
        x -= board.text_width(names[state], 10)
        board.text(x, y, names[state], size=10, color=MUTED)
        _fill(board, int(state), x - 18, y - 4, x - 5, y + 4)
        x -= 30
    board.line(14, y - 14, right, y - 14, LINE)
