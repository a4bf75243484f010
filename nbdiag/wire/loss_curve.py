"""Curves on their way to the browser at a bounded size, and the still picture of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nbdiag.wire.canvas import INK, LINE, MUTED, SEVERITY, Canvas

FINITE, NAN, INFINITE = 0, 1, 2
WIDTH, PLOT = 860, 250
LEFT, RIGHT = 66, 14
COLUMNS = 700
TRAINING, TRAINING_SOFT, VALIDATION = "#0063a3", "#b5d3e8", "#b84c00"
OTHERS = ("#007a58", "#a03d78", "#5c5c5c")


class Curve(NamedTuple):
    """A logged series, or a sketch of it; every column (n,), steps rising."""

    steps: np.ndarray
    values: np.ndarray
    """The mean of what is finite; NaN where nothing is."""
    low: np.ndarray
    high: np.ndarray
    bad: np.ndarray
    """0 where all is finite, 1 where a NaN is among the values, 2 where an infinity is."""


def curve(steps: np.ndarray, values: np.ndarray, low: np.ndarray, high: np.ndarray) -> Curve:
    """A series as it was logged, in the order of its steps, what is not finite told apart.

    >>> one = curve(np.array([3, 1]), *[np.array([np.inf, 0.5])] * 3)
    >>> one.steps.tolist(), one.values.tolist(), one.bad.tolist()
    ([1.0, 3.0], [0.5, nan], [0, 2])
    """
    steps = np.asarray(steps, np.float64)
    if len(steps) > 1 and (np.diff(steps) < 0).any():
        order = np.argsort(steps, kind="stable")
        steps, values, low, high = steps[order], values[order], low[order], high[order]
    bad = np.select([np.isnan(values), np.isinf(values)], [NAN, INFINITE], FINITE)
    # Points that were merged have a finite range even where one of them was NaN.
    low = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, np.nan))
    high = np.where(np.isfinite(high), high, low)
    middle = np.where(bad == FINITE, values, low / 2 + high / 2)
    return Curve(steps, middle, low, high, bad.astype(np.uint8))


def sketch(whole: Curve, buckets: int) -> Curve:
    """At most `buckets` points, even over the steps: mean, least and greatest of each bucket.

    Nothing is lost that a picture shows: a spike stays in `high`, a NaN in `bad`.

    >>> steps = np.arange(1.0, 101)
    >>> short = sketch(curve(steps, *[np.where(steps == 50, 9.0, 1.0)] * 3), 10)
    >>> short.steps.tolist()[:3], short.high.tolist().index(9.0)
    ([1.0, 11.0, 21.0], 4)
    """
    steps = whole.steps
    if len(steps) <= buckets:
        return whole
    span = steps[-1] - steps[0]
    place = ((steps - steps[0]) / span if span else np.linspace(0, 1, len(steps))) * buckets
    bucket = np.minimum(place.astype(np.intp), buckets - 1)
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    known = np.isfinite(whole.values)
    count = np.add.reduceat(known.astype(np.intp), starts)
    total = np.add.reduceat(np.where(known, whole.values, 0.0), starts)
    low = np.fmin.reduceat(whole.low, starts)
    high = np.fmax.reduceat(whole.high, starts)
    mean = np.where(count, total / np.maximum(count, 1), np.nan)
    bad = np.maximum.reduceat(np.where(whole.bad == NAN, 3, whole.bad), starts)
    return Curve(steps[starts], mean, low, high, np.where(bad == 3, NAN, bad).astype(np.uint8))


def smooth(steps: np.ndarray, values: np.ndarray, reach: float) -> np.ndarray:
    """A mean over neighbours that weighs them by ``exp(-distance / reach)``, on both sides alike.

    Centred, so that the line does not lag behind; NaN stays NaN and counts for nothing.

    >>> smooth(np.array([1.0, 2.0, 3.0]), np.array([0.0, 3.0, 0.0]), 1e9).round(6).tolist()
    [1.0, 1.0, 1.0]
    """
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    if not reach > 0 or len(steps) < 2:
        return np.where(known, values, np.nan)
    decay = np.exp(-np.abs(np.diff(steps)) / reach)

    def one_way(numbers: np.ndarray, decays: np.ndarray) -> np.ndarray:
        out = np.array(numbers, np.float64)
        for i in range(1, len(out)):
            out[i] += out[i - 1] * decays[i - 1]
        return out

    def both_ways(numbers: np.ndarray) -> np.ndarray:
        back = one_way(numbers[::-1], decay[::-1])[::-1]
        return one_way(numbers, decay) + back - numbers

    weight = both_ways(known.astype(np.float64))
    return np.where(known, both_ways(filled) / np.maximum(weight, 1e-300), np.nan)


def draw(
    *,
    source: str,
    step: int,
    curves: Mapping[str, Curve],
    findings: list[dict[str, Any]],
    marks: Sequence[tuple[float, float, str, str]] = (),
) -> bytes:
    """PNG of the curves by name; `marks` are (from step, to step, severity, word)."""
    shown = {name: sketch(whole, COLUMNS) for name, whole in curves.items() if len(whole.steps)}
    head = 26 + 22 * (min(len(findings), 3) + (len(findings) > 3)) + 30
    board = Canvas(WIDTH, head + PLOT + 78)
    at = f"step {step:,}" if step else "no optimizer step yet"
    top = board.header("Loss curve", f"{source}, {at}" if source else at, findings) + 26
    if not shown:
        board.text(LEFT, top + 20, "No loss yet", color=MUTED)
        return board.png()
    box = (float(LEFT), top, float(WIDTH - RIGHT), top + PLOT)
    first = min(float(one.steps[0]) for one in shown.values())
    last = max(float(one.steps[-1]) for one in shown.values())
    axes = _Axes(box, (first, max(last, first + 1)), list(shown.values()))
    axes.frame(board)
    for start, stop, severity, word in marks:
        _mark(board, axes, (start, stop), SEVERITY[severity], word)
    for number, (name, one) in enumerate(shown.items()):
        _line(board, axes, one, _color(name, number), by_step=name == "loss")
    _legend(board, shown, top + PLOT + 44)
    return board.png()


class _Axes:
    """Where a step and a value lie on the sheet: linear, or logarithmic over many decades."""

    def __init__(
        self,
        box: tuple[float, float, float, float],
        span: tuple[float, float],
        curves: Sequence[Curve],
    ) -> None:
        self.box, self.span = box, span
        ends = np.concatenate([np.concatenate([one.low, one.high]) for one in curves])
        ends = ends[np.isfinite(ends)]
        low, high = (float(ends.min()), float(ends.max())) if len(ends) else (0.0, 1.0)
        self.log = low > 0 and high / low > 100
        if self.log:
            low, high = np.floor(np.log10(low)), np.ceil(np.log10(high))
        margin = 0.0 if self.log else (high - low) * 0.05 or abs(high) * 0.1 or 1.0
        self.low, self.high = low - margin, high + margin

    def x(self, steps: Any) -> Any:
        x0, _, x1, _ = self.box
        return x0 + (x1 - x0) * (steps - self.span[0]) / (self.span[1] - self.span[0])

    def y(self, values: Any) -> Any:
        _, y0, _, y1 = self.box
        if self.log:
            values = np.log10(np.maximum(values, 10.0**self.low))
        return y1 - (y1 - y0) * (values - self.low) / (self.high - self.low)

    def frame(self, board: Canvas) -> None:
        x0, _, x1, y1 = self.box
        for value in self._ticks():
            y = float(self.y(10.0**value if self.log else value))
            board.line(x0, y, x1, y, LINE)
            if self.log:
                board.power(x0 - 18, y, int(value))
            else:
                board.text(x0 - 8, y, f"{value:.4g}", size=10, color=MUTED, anchor="rm")
        board.line(x0, y1, x1, y1, MUTED)
        board.text(x0, y1 + 12, f"step {int(self.span[0]):,}", size=10, color=MUTED)
        board.text(x1, y1 + 12, f"{int(self.span[1]):,}", size=10, color=MUTED, anchor="rm")

    def _ticks(self) -> list[float]:
        if self.log:
            stride = max(1, int(self.high - self.low) // 6)
            return [float(e) for e in np.arange(self.low, self.high + 1, stride)]
        raw = (self.high - self.low) / 5
        unit = 10.0 ** np.floor(np.log10(raw))
        stride = next(m for m in (1, 2, 5, 10) if m * unit >= raw) * unit
        return [
            float(v) for v in np.arange(np.ceil(self.low / stride), self.high / stride) * stride
        ]


def _color(name: str, number: int) -> str:
    known = {"loss": TRAINING, "train_loss": TRAINING, "val_loss": VALIDATION}
    return known.get(name) or OTHERS[number % len(OTHERS)]


def _mark(board: Canvas, axes: _Axes, span: tuple[float, float], color: str, word: str) -> None:
    _, y0, _, y1 = axes.box
    x0, x1 = (float(axes.x(min(max(step, axes.span[0]), axes.span[1]))) for step in span)
    for x in {x0, x1}:
        board.line(x, y0, x, y1, color)
    board.box(x0, y0 - 3, max(x1, x0 + 2), y0, color)
    room = board.text_width(word, 10)
    board.text(min(x0, axes.box[2] - room), y0 - 10, word, size=10, color=color)


def _line(board: Canvas, axes: _Axes, one: Curve, color: str, *, by_step: bool) -> None:
    x = axes.x(one.steps)
    if by_step:
        for at, low, high in zip(x, axes.y(one.low), axes.y(one.high), strict=True):
            if np.isfinite(low):
                board.box(at - 0.75, min(high, low - 1), at + 0.75, low, TRAINING_SOFT)
        _trace(board, x, axes.y(one.values), TRAINING_SOFT, 1)
    reach = (axes.span[1] - axes.span[0]) / 100 if by_step and len(x) > 40 else 0.0
    # Smoothed as it is drawn, so that the line goes through the middle of its band.
    y = smooth(one.steps, axes.y(one.values), reach)
    _trace(board, x, y, color, 2)
    known = np.isfinite(y)
    if not by_step or len(x) == 1:
        for at, height in zip(x[known], y[known], strict=True):
            board.box(at - 2.5, height - 2.5, at + 2.5, height + 2.5, color)
    for at in x[one.bad != FINITE]:
        board.cross(float(at), axes.box[1] + 8, 4, SEVERITY["critical"])


def _trace(board: Canvas, x: np.ndarray, y: np.ndarray, color: str, width: float) -> None:
    """A line through the points, broken where there is no number."""
    known = np.isfinite(y)
    for run in np.split(np.arange(len(x)), np.flatnonzero(np.diff(known)) + 1):
        if known[run[0]]:
            board.path(list(zip(x[run], y[run], strict=True)), color, width)


def _legend(board: Canvas, curves: Mapping[str, Curve], y: float) -> None:
    x = float(LEFT)
    words = {"loss": "loss of each step, smoothed (thick)"}
    for number, (name, one) in enumerate(curves.items()):
        board.box(x, y - 2, x + 16, y + 1, _color(name, number))
        text = words.get(name, name)
        if (one.bad != FINITE).any():
            text += " (crosses: NaN or infinite)"
        board.text(x + 22, y, text, size=11, color=INK)
        x += 22 + board.text_width(text, 11) + 22
