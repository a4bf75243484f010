"""The still picture of an error explorer: the confusion matrix and the largest confusions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nbdiag.wire.canvas import LINE, MUTED, Canvas, ink_on, shorten_all, viridis

WIDTH = 860
NAMES = 110
MATRIX = 400
NUMBERS_UP_TO = 20  # classes; beyond that a number does not fit its cell


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
) -> bytes:
    """PNG of a (C, C) matrix of counts, true classes in rows; `headline` goes beside the title."""
    count = len(classes)
    head = 26 + 22 * (min(len(findings), 3) + (len(findings) > 3)) + 44
    cell = MATRIX / count
    names = shorten_all(classes, 15)
    widest = max(Canvas(1, 1).text_width(name, 11) for name in names)
    upright = count > 1 and widest + 6 > cell  # column labels that would run into one another
    below = (widest if upright else 11) + 12
    board = Canvas(WIDTH, int(head + MATRIX + below + 24))
    top = board.header("Error explorer", headline, findings)
    top += 26
    right, bottom = NAMES + MATRIX, top + MATRIX
    _draw_cells(board, matrix, top, cell)
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
    _draw_ranking(board, matrix, classes, right + 40, top)
    return board.png()


def _draw_cells(board: Canvas, matrix: np.ndarray, top: float, cell: float) -> None:
    count = len(matrix)
    errors = matrix.copy()
    np.fill_diagonal(errors, 0)
    share = errors / max(1, errors.max())
    # towards the paper for small counts, so that one stray error does not shout in yellow
    tint = 0.7 * (1 - share[..., None]) ** 3
    colors = (viridis(share) * (1 - tint) + 255 * tint).astype(np.uint8)
    colors[errors == 0] = 255
    colors[np.diag_indices(count)] = (226, 230, 234)
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
                f"{int(matrix[row, column]):,}",
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
