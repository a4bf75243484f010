"""The still picture of a slice explorer: slices as intervals, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbdiag.wire.canvas import INK, LINE, MUTED, SEVERITY, Canvas, shorten

WIDTH, ROW, SHOWN = 860, 24, 12
LEFT, RIGHT = 270, 640  # of the axis


def axis_end(highs: Sequence[float]) -> float:
    """A round share that holds the ends of the intervals that matter.

    >>> axis_end([0.31, 0.12]), axis_end([0.02]), axis_end([0.97]), axis_end([])
    (0.4, 0.02, 1.0, 1.0)
    """
    most = max(highs, default=1.0)
    steps = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
    return next((step for step in steps if step >= most), 1.0)


def draw(
    *,
    rows: Sequence[Mapping[str, Any]],
    overall: float,
    metric: str,
    headline: str,
    findings: list[dict[str, Any]],
) -> bytes:
    """PNG of the first slices; rows as `slice_parts.slice_rows` makes them."""
    shown = rows[:SHOWN]
    head = 26 + 22 * (min(len(findings), 3) + (len(findings) > 3)) + 60
    board = Canvas(WIDTH, int(head + ROW * max(1, len(shown)) + 26))
    top = board.header("Slice explorer", headline, findings) + 34
    bottom = top + ROW * max(1, len(shown))
    end = axis_end([min(row["high"], 1.0) for row in shown if row["tested"]])
    board.text(14, top - 24, "slice", size=11, color=MUTED)
    board.text(LEFT, top - 24, f"{metric}, 95 % interval", size=11, color=MUTED)
    board.text(WIDTH - 90, top - 24, "samples", size=11, color=MUTED, anchor="rm")
    for part in range(5):
        x = _x(end * part / 4, end)
        board.line(x, top - 4, x, bottom, LINE)
        board.text(x, top - 10, f"{100 * end * part / 4:g} %", size=10, color=MUTED, anchor="mm")
    for index, row in enumerate(shown):
        _draw_row(board, row, top + ROW * (index + 0.5), end)
    x = _x(min(overall, end), end)
    board.box(x - 0.5, top - 4, x + 1, bottom, INK)
    board.text(x, bottom + 12, f"all: {100 * overall:.1f} %", size=11, anchor="mm")
    if not shown:
        board.text(14, top + ROW / 2, "no slices", color=MUTED)
    return board.png()


def _x(share: float, end: float) -> float:
    return LEFT + (RIGHT - LEFT) * min(share, end) / end


def _draw_row(board: Canvas, row: Mapping[str, Any], y: float, end: float) -> None:
    color = SEVERITY["critical"] if row["weak"] else "#33638d" if row["tested"] else "#9aa3ad"
    board.text(14, y, shorten(row["title"], 38), size=12, color=INK if row["tested"] else MUTED)
    low, high = _x(row["low"], end), _x(row["high"], end)
    board.box(low, y - 1, max(high, low + 1), y + 1, color)
    for x, share in ((low, row["low"]), (high, row["high"])):
        if share <= end:
            board.box(x - 0.75, y - 4, x + 0.75, y + 4, color)
    if row["rate"] is not None and row["rate"] <= end:
        x = _x(row["rate"], end)
        board.box(x - 4, y - 4, x + 4, y + 4, color)
    rate = "-" if row["rate"] is None else f"{100 * row['rate']:.1f} %"
    board.text(RIGHT + 66, y, rate, size=12, anchor="rm")
    board.text(WIDTH - 90, y, f"{row['n']:,}", size=12, color=MUTED, anchor="rm")
    word = "weak" if row["weak"] else "" if row["tested"] else "too few"
    board.text(WIDTH - 14, y, word, size=12, color=color, anchor="rm")
