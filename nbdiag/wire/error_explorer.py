"""The still picture of an error explorer: the confusion matrix and the largest confusions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nbdiag.wire.canvas import LINE, MUTED, Canvas, ink_on, shorten_all, viridis

WIDTH = 860
NAMES = 110
MATRIX = 400
NUMBERS_UP_TO = 20  # classes; beyond that a number does not fit its cell
BETTER, WORSE = np.array([33, 102, 172]), np.array([178, 24, 43])


def largest(matrix: np.ndarray, count: int) -> list[tuple[int, int]]:
    """The ``count`` largest cells off the diagonal, as (true, predicted), zeros left out.

    >>> largest(np.array([[5, 2], [3, 0]]), 3)
    [(1, 0), (0, 1)]
    """
    errors = matrix.copy()
    np.fill_diagonal(errors, 0)
    order = np.argsort(-errors, axis=None, kind="stable")[:count]
    cells = [divmod(int(flat), matrix.shape[1]) for flat in order]
    return [(row, column) for row, column in cells if errors[row, column] > 0]


def draw(
    *,
    classes: Sequence[str],
    matrix: np.ndarray,
    headline: str,
    findings: list[dict[str, Any]],
    change: np.ndarray | None = None,
    sentence: str = "",
) -> bytes:
    """PNG of a (C, C) matrix of counts, true classes in rows; `headline` goes beside the title.

    With ``change``, the counts less those of a baseline, (C, C), it shows those instead, blue where
    they are for the better and red where for the worse; ``sentence`` says what they amount to.
    """
    count = len(classes)
    head = 26 + 22 * (min(len(findings), 3) + (len(findings) > 3)) + 44
    head += 22 if sentence else 0
    cell = MATRIX / count
    names = shorten_all(classes, 15)
    widest = max(Canvas(1, 1).text_width(name, 11) for name in names)
    upright = count > 1 and widest + 6 > cell  # column labels that would run into one another
    below = (widest if upright else 11) + 12
    board = Canvas(WIDTH, int(head + MATRIX + below + 24))
    top = board.header("Error explorer", headline, findings)
    if sentence:
        board.text(14, top + 4, sentence, size=12)
        top += 22
    top += 26
    right, bottom = NAMES + MATRIX, top + MATRIX
    if change is None:
        _draw_cells(board, matrix, top, cell, *_error_colors(matrix))
    else:
        _draw_cells(board, change, top, cell, *_change_colors(change))
    stride = max(1, int(np.ceil(14 / cell)))
    for index in range(0, count, stride):
        middle = (index + 0.5) * cell
        board.text(NAMES - 6, top + middle, names[index], size=11, anchor="rm")
        if upright:
            board.upright(NAMES + middle, bottom + 6, names[index], size=11)
        else:
            board.text(NAMES + middle, bottom + 11, names[index], size=11, anchor="mm")
    board.text(NAMES, top - 12, "rows: true class", size=11, color=MUTED)
    board.text(
        right, bottom + below + 8, "columns: predicted class", size=11, color=MUTED, anchor="rm"
    )
    if change is None:
        _draw_ranking(board, matrix, classes, right + 40, top)
    else:
        _draw_changes(board, matrix, change, classes, right + 40, top)
    return board.png()


def _error_colors(matrix: np.ndarray) -> tuple[np.ndarray, Callable[[int], str]]:
    """(C, C, 3) colours, and how a count is written."""
    errors = matrix.copy()
    np.fill_diagonal(errors, 0)
    share = errors / max(1, errors.max())
    # towards the paper for small counts, so that one stray error does not shout in yellow
    tint = 0.7 * (1 - share[..., None]) ** 3
    colors = (viridis(share) * (1 - tint) + 255 * tint).astype(np.uint8)
    colors[errors == 0] = 255
    colors[np.diag_indices(len(matrix))] = (226, 230, 234)
    return colors, lambda number: f"{number:,}"


def _change_colors(change: np.ndarray) -> tuple[np.ndarray, Callable[[int], str]]:
    """White where nothing changed; more on the diagonal is better, more beside it is worse."""
    worse = change.astype(float).copy()
    worse[np.diag_indices(len(change))] *= -1
    share = np.abs(worse) / max(1, np.abs(worse).max())
    strength = np.where(worse == 0, 0, 0.12 + 0.88 * share)[..., None]
    ends = np.where(worse[..., None] > 0, WORSE, BETTER)
    return (255 - strength * (255 - ends)).astype(np.uint8), _signed


def _draw_cells(
    board: Canvas,
    matrix: np.ndarray,
    top: float,
    cell: float,
    colors: np.ndarray,
    written: Callable[[int], str],
) -> None:
    count = len(matrix)
    board.picture(colors, NAMES, top, NAMES + MATRIX, top + MATRIX)
    if count <= NUMBERS_UP_TO:
        for i in range(count + 1):
            at = i * cell
            board.line(NAMES, top + at, NAMES + MATRIX, top + at, LINE)
            board.line(NAMES + at, top, NAMES + at, top + MATRIX, LINE)
        size = 11 if cell < 50 else 14
        for row, column in zip(*np.nonzero(matrix), strict=True):
            board.text(
                NAMES + (column + 0.5) * cell,
                top + (row + 0.5) * cell,
                written(int(matrix[row, column])),
                size=size,
                color=ink_on(colors[row, column]),
                anchor="mm",
            )
    board.line(NAMES, top, NAMES, top + MATRIX, MUTED)
    board.line(NAMES, top + MATRIX, NAMES + MATRIX, top + MATRIX, MUTED)


def _draw_ranking(
    board: Canvas, matrix: np.ndarray, classes: Sequence[str], x: float, top: float
) -> None:
    board.text(
        x, top - 12, "largest confusions, and their share of the true class", size=11, color=MUTED
    )
    cells = largest(matrix, 12)
    names = shorten_all(classes, 14)
    if not cells:
        board.text(x, top + 12, "no errors", color=MUTED)
    longest = matrix[cells[0]] if cells else 1
    for rank, (row, column) in enumerate(cells):
        y = top + 14 + rank * 32
        name = f"{names[row]}  taken for  {names[column]}"
        board.text(x, y, name, size=12)
        share = matrix[row, column] / matrix[row].sum()
        number = f"{int(matrix[row, column]):,}  ({share:.0%})"
        board.text(WIDTH - 14, y, number, size=12, anchor="rm")
        full = WIDTH - 14 - x
        board.box(x, y + 10, x + full, y + 14, "#eaeef2")
        board.box(x, y + 10, x + full * matrix[row, column] / longest, y + 14, "#33638d")


def _draw_changes(
    board: Canvas,
    matrix: np.ndarray,
    change: np.ndarray,
    classes: Sequence[str],
    x: float,
    top: float,
) -> None:
    board.text(
        x, top - 12, "largest changes: blue for the better, red for the worse", size=11, color=MUTED
    )
    names = shorten_all(classes, 14)
    order = np.argsort(-np.abs(change), axis=None, kind="stable")[:12]
    cells = [divmod(int(flat), len(change)) for flat in order]
    cells = [(row, column) for row, column in cells if change[row, column]]
    if not cells:
        board.text(x, top + 12, "no cell changed", color=MUTED)
    full, longest = WIDTH - 14 - x, np.abs(change).max()
    for rank, (row, column) in enumerate(cells):
        y, number = top + 14 + rank * 32, int(change[row, column])
        verb = "recognised" if row == column else f"taken for  {names[column]}"
        board.text(x, y, f"{names[row]}  {verb}", size=12)
        text = f"{_signed(number)}  (now {int(matrix[row, column]):,})"
        board.text(WIDTH - 14, y, text, size=12, anchor="rm")
        board.box(x, y + 10, x + full, y + 14, "#eaeef2")
        better = (number > 0) == (row == column)
        board.box(
            x,
            y + 10,
            x + full * abs(number) / longest,
            y + 14,
            "#{:02x}{:02x}{:02x}".format(*(BETTER if better else WORSE)),
        )


def _signed(number: int) -> str:
    return f"{number:+,}"
