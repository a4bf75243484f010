"""The still picture of a dashboard: its vital signs, and below them the pictures of its parts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from nbdiag.wire.canvas import LINE, MUTED, SEVERITY, SIGN, SURFACE, Canvas

WIDTH = 860
_TILE, _GAP = 200, 10
_LINE_COLOR = "#0063a3"
_COLORS = 256


def draw(
    *,
    source: str,
    step: int,
    findings: list[dict[str, Any]],
    vitals: Sequence[dict[str, Any]],
    pictures: Sequence[bytes],
) -> bytes:
    """PNG of the head: findings and one tile a vital sign; `pictures` follow below each other."""
    head = 26 + 22 * (min(len(findings), 3) + (len(findings) > 3))
    board = Canvas(WIDTH, head + 118)
    at = f"step {step:,}" if step else "no optimizer step yet"
    top = board.header("Training", f"{source}, {at}" if source else at, findings) + 4
    for number, vital in enumerate(vitals):
        _tile(board, vital, 14 + number * (_TILE + _GAP), top)
    return _stacked([board.png(), *pictures]) if pictures else board.png()


def _tile(board: Canvas, vital: dict[str, Any], x: float, y: float) -> None:
    board.box(x, y, x + _TILE, y + 84, SURFACE, outline=LINE)
    board.text(x + 8, y + 14, str(vital["name"]).capitalize(), size=12)
    severity, count = vital["severity"], vital["findings"]
    steps, values = np.asarray(vital["steps"]), np.asarray(vital["values"])
    if severity:
        word = f"{severity} ({SIGN[severity]})" + (f", {count} findings" if count > 1 else "")
        board.text(x + _TILE - 8, y + 14, word, size=10, color=SEVERITY[severity], anchor="rm")
    elif len(steps):
        board.text(x + _TILE - 8, y + 14, "no finding", size=10, color=MUTED, anchor="rm")
    board.text(x + 8, y + 74, board.fit(vital["label"], _TILE - 16, 9), size=9, color=MUTED)
    known = np.isfinite(values)
    if not known.any():
        board.text(x + 8, y + 42, "nothing recorded", size=10, color=MUTED)
        return
    low, high = values[known].min(), values[known].max()
    across = (steps - steps[0]) / max(1.0, steps[-1] - steps[0])
    up = (values - low) / ((high - low) or 1.0)
    for run in np.split(np.arange(len(values)), np.flatnonzero(np.diff(known)) + 1):
        if known[run[0]]:
            points = [(x + 8 + across[i] * (_TILE - 16), y + 62 - up[i] * 34) for i in run]
            board.path(points, _LINE_COLOR, 1.5)
    for i in np.flatnonzero(~known):
        board.cross(x + 8 + across[i] * (_TILE - 16), y + 30, 3, SEVERITY["critical"])


def _stacked(pictures: Sequence[bytes]) -> bytes:
    """One PNG of all of them below each other, left edges flush."""
    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    width, height = max(one.width for one in images), sum(one.height for one in images)
    sheet = Image.new("RGB", (width, height), SURFACE)
    y = 0
    for one in images:
        sheet.paste(one, (0, y))
        if y:
            sheet.paste(LINE, (0, y, width, y + 1))
        y += one.height
    out = io.BytesIO()
    sheet.quantize(_COLORS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
