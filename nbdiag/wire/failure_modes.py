"""The still picture of failure modes, and its rows: share of the errors beside that of samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nbdiag.wire.canvas import INK, LINE, MUTED, SEVERITY, Canvas, shorten

WIDTH, ROW, SHOWN = 860, 30, 14
LEFT, RIGHT = 200, 560  # of the bars


def mode_rows(table: Any) -> list[dict[str, Any]]:
    """The categories of a `FailureTable`, a dict each; the last is what no category holds."""
    rest = len(table.names) - 1
    share = [k / table.total_errors if table.total_errors else None for k in table.errors.tolist()]
    return [
        {
            "name": name,
            "n": int(table.n[i]),
            "errors": int(table.errors[i]),
            "share": share[i],
            "samples_share": int(table.n[i]) / table.total,
            "rate": table.rate(i).value if table.n[i] else None,
            "low": table.rate(i).low,
            "high": table.rate(i).high,
            "lift": _number(table.lift[i]),
            "lift_low": _number(table.lift_low[i]),
            "lift_high": _number(table.lift_high[i]),
            "concentrated": i in table.concentrated,
            "explained": table.explained.get(i, ""),
            "by_answer": i < rest and bool(table.by_answer[i]),
            "rest": i == rest,
        }
        for i, name in enumerate(table.names)
    ]


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def draw(
    *, rows: Sequence[Mapping[str, Any]], headline: str, findings: list[dict[str, Any]]
) -> bytes:
    """PNG of the categories as bars; rows as `mode_rows` makes them."""
    shown = rows if len(rows) <= SHOWN else [*rows[: SHOWN - 1], rows[-1]]
    head = 26 + 22 * (min(len(findings), 3) + (len(findings) > 3)) + 46
    board = Canvas(WIDTH, int(head + ROW * len(shown) + 30))
    top = board.header("Failure modes", headline, findings) + 26
    board.text(14, top - 14, "category", size=11, color=MUTED)
    board.text(LEFT, top - 14, "share of the errors", size=11, color=MUTED)
    board.text(WIDTH - 110, top - 14, "lift", size=11, color=MUTED, anchor="rm")
    board.text(WIDTH - 14, top - 14, "errors / samples", size=11, color=MUTED, anchor="rm")
    most = max([0.01, *(max(row["share"] or 0, row["samples_share"]) for row in shown)])
    for index, row in enumerate(shown):
        _draw_row(board, row, top + ROW * (index + 0.5), most)
    bottom = top + ROW * len(shown) + 14
    board.box(14, bottom - 7, 17, bottom + 7, INK)
    board.text(24, bottom, "share of the samples", size=11, color=MUTED)
    return board.png()


def _draw_row(board: Canvas, row: Mapping[str, Any], y: float, most: float) -> None:
    color = SEVERITY["critical"] if row["concentrated"] else "#9aa3ad" if row["rest"] else "#33638d"
    board.text(14, y, shorten(row["name"], 26), size=12, color=MUTED if row["rest"] else INK)
    full = RIGHT - LEFT
    board.line(LEFT, y - ROW / 2, LEFT, y + ROW / 2, LINE)
    if row["share"] is not None:
        board.box(LEFT, y - 8, LEFT + full * row["share"] / most, y + 8, color)
        board.text(RIGHT + 58, y, f"{100 * row['share']:.1f} %", size=12, anchor="rm")
    x = LEFT + full * row["samples_share"] / most
    board.box(x - 1.5, y - 12, x + 1.5, y + 12, INK)
    lift = "-" if row["lift"] is None else f"{row['lift']:.2f} x"
    board.text(WIDTH - 110, y, lift, size=12, color=color if row["concentrated"] else INK,
               anchor="rm")  # fmt: skip
    board.text(
        WIDTH - 14, y, f"{row['errors']:,} / {row['n']:,}", size=12, color=MUTED, anchor="rm"
    )
