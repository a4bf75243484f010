"""Reliability diagrams on their way to the browser, and the still picture of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nbdiag.wire.arrays import to_wire
from nbdiag.wire.canvas import INK, LINE, MUTED, Canvas, shorten

WIDTH, SIDE = 860, 380
LEFT, HISTOGRAM = 64, 70
HALF = 0.05  # in confidence
OVER, UNDER = "#b2402a", "#2166ac"
OVER_TINT, UNDER_TINT = "#f3cfc4", "#cddff0"
BINWISE = ("confidence", "observed", "low", "high")

Diagram = Mapping[str, Any]
"""One diagram as plain arrays: edges (B + 1,); counts, confidence, observed, low, high, way and
sure (B,); numbers, a dict of floats; words, sentences; temperature."""


def pack(diagrams: Sequence[Diagram]) -> dict[str, Any]:
    """Diagrams below each other as a trait carries them; the shorter are filled up with NaN."""
    width = max(len(one["counts"]) for one in diagrams)

    def stacked(name: str, columns: int, kind: Any) -> dict[str, Any]:
        whole = np.full((len(diagrams), columns), np.nan if kind == np.float32 else 0, kind)
        for row, one in enumerate(diagrams):
            whole[row, : len(one[name])] = one[name]
        return to_wire(whole)

    packed: dict[str, Any] = {name: stacked(name, width, np.float32) for name in BINWISE}
    packed["edges"] = stacked("edges", width + 1, np.float32)
    packed["counts"] = stacked("counts", width, np.float64)
    # over- or underconfident as 2 or 0 beside 1, and 3 more where that is no chance
    packed["marks"] = to_wire(
        np.array(
            [
                np.pad(
                    np.asarray(one["way"]) + 1 + 3 * (np.asarray(one["sure"]) != 0),
                    (0, width - len(one["counts"])),
                    constant_values=1,
                )
                for one in diagrams
            ],
            np.uint8,
        )
    )
    packed["sizes"] = [len(one["counts"]) for one in diagrams]
    packed["temperatures"] = to_wire(np.array([one["temperature"] for one in diagrams], float))
    names = list(diagrams[0]["numbers"])
    packed["numbers"] = to_wire(
        np.array([[one["numbers"][name] for name in names] for one in diagrams], float)
    )
    packed["names"] = names
    packed["words"] = [list(one["words"]) for one in diagrams]
    return packed


def draw(
    *,
    headline: str,
    axes: tuple[str, str],
    diagram: Diagram,
    findings: list[dict[str, Any]],
    note: str,
) -> bytes:
    """PNG of one diagram: what is observed over what is said, counts below, words beside it.

    Parameters
    ----------
    axes : what the horizontal and the vertical axis measure.
    note : a line below, for the fitted temperature.
    """
    head = 26 + 22 * (min(len(findings), 3) + (len(findings) > 3)) + 40
    board = Canvas(WIDTH, head + SIDE + HISTOGRAM + 74)
    top = board.header("Calibration", headline, findings) + 26
    bottom = top + SIDE

    def x(value: float) -> float:
        return LEFT + SIDE * value

    def y(value: float) -> float:
        return bottom - SIDE * value

    board.text(LEFT, top - 12, axes[1], size=11, color=MUTED)
    for tick in np.linspace(0, 1, 6):
        board.line(x(0), y(tick), x(1), y(tick))
        board.text(LEFT - 6, y(tick), f"{tick:.0%}", size=10, color=MUTED, anchor="rm")
        board.text(
            x(tick), bottom + HISTOGRAM + 18, f"{tick:.0%}", size=10, color=MUTED, anchor="mm"
        )
    _draw_bins(board, diagram, x, y)
    board.path([(x(0), y(0)), (x(1), y(1))], MUTED, 1.2)
    board.text(x(0.04), y(0.12), "perfect", size=10, color=MUTED)
    _draw_points(board, diagram, x, y)
    board.line(x(0), y(0), x(0), y(1), MUTED)
    board.line(x(0), y(0), x(1), y(0), MUTED)
    _draw_counts(board, diagram, x, bottom + 6)
    board.text(x(1), bottom + HISTOGRAM + 38, axes[0], size=11, color=MUTED, anchor="rm")
    _draw_words(board, diagram, x(1) + 36, top, note)
    return board.png()


def _draw_bins(board: Canvas, diagram: Diagram, x: Any, y: Any) -> None:
    """The gap between what is said and what is observed, in the colour of its direction."""
    edges = diagram["edges"]
    for i in np.flatnonzero(diagram["counts"]):
        said, true = float(diagram["confidence"][i]), float(diagram["observed"][i])
        # of a wide bin only the part around its mean, where the gap was measured
        left = x(max(float(edges[i]), said - HALF)) + 1
        right = x(min(float(edges[i + 1]), said + HALF)) - 1
        middle, half = (left + right) / 2, max(3.0, right - left) / 2
        tint = OVER_TINT if diagram["way"][i] > 0 else UNDER_TINT
        board.box(middle - half, y(max(said, true)), middle + half, y(min(said, true)), tint)


def _draw_points(board: Canvas, diagram: Diagram, x: Any, y: Any) -> None:
    points = []
    for i in np.flatnonzero(diagram["counts"]):
        across, up = x(float(diagram["confidence"][i])), y(float(diagram["observed"][i]))
        points.append((across, up))
        low, high = y(float(diagram["low"][i])), y(float(diagram["high"][i]))
        board.path([(across, low), (across, high)], INK, 1)
    board.path(points, INK, 1.5)
    for i, (across, up) in zip(np.flatnonzero(diagram["counts"]), points, strict=True):
        colour = (OVER if diagram["way"][i] > 0 else UNDER) if diagram["sure"][i] else INK
        board.box(across - 3.5, up - 3.5, across + 3.5, up + 3.5, colour)


def _draw_counts(board: Canvas, diagram: Diagram, x: Any, top: float) -> None:
    counts, edges = diagram["counts"], diagram["edges"]
    most = max(1, int(np.max(counts)))
    bottom = top + HISTOGRAM
    for i in np.flatnonzero(counts):
        tall = HISTOGRAM * float(counts[i]) / most
        left, right = x(float(edges[i])) + 1, x(float(edges[i + 1])) - 1
        middle, half = (left + right) / 2, max(2.0, right - left) / 2
        board.box(middle - half, bottom - max(1.0, tall), middle + half, bottom, "#8c959f")
    board.line(x(0), bottom, x(1), bottom, MUTED)
    board.text(LEFT - 6, top + 4, f"{most:,}", size=10, color=MUTED, anchor="rm")
    board.text(LEFT - 6, top + 18, "samples", size=10, color=MUTED, anchor="rm")


def _draw_words(board: Canvas, diagram: Diagram, x: float, top: float, note: str) -> None:
    room, at = WIDTH - 14 - x, top + 6
    for number, words in enumerate(diagram["words"]):
        for line in wrapped(board, words, room):
            board.text(x, at, line, size=12, color=INK if number == 0 else MUTED)
            at += 18
        at += 6
    at += 4
    for name, value in diagram["numbers"].items():
        if name in SHOWN:
            board.text(x, at, SHOWN[name], size=12, color=MUTED)
            board.text(x + 150, at, f"{value:.3f}", size=12, anchor="rm")
            at += 20
    at += 6
    for line in wrapped(board, note, room):
        board.text(x, at, line, size=12, color=MUTED)
        at += 18
    at += 12
    for tint, word in ((OVER_TINT, "overconfident"), (UNDER_TINT, "underconfident")):
        board.box(x, at - 6, x + 14, at + 6, tint, LINE)
        board.text(x + 22, at, word, size=12, color=MUTED)
        at += 20


SHOWN = {"ece": "ECE", "mce": "MCE", "brier": "Brier score", "nll": "NLL"}


def wrapped(board: Canvas, text: str, room: float, size: int = 12) -> list[str]:
    """The text in lines that take at most ``room`` pixels."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and board.text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(board.fit(shorten(word, 60), room, size))
    return lines
