"""The still picture of the confusion matrix."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from nbdiag.wire.canvas import SCALE
from nbdiag.wire.error_explorer import MATRIX, NAMES, draw, largest


def pixels(matrix: np.ndarray) -> np.ndarray:
    png = draw(
        classes=[f"<b>class {i}</b>" for i in range(len(matrix))],
        matrix=matrix,
        headline="Net, accuracy 90.0 %",
        findings=[],
    )
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.mark.parametrize(
    ("matrix", "cells"),
    [
        ([[5, 2], [3, 0]], [(1, 0), (0, 1)]),
        ([[5, 0], [0, 5]], []),
        ([[0, 4], [4, 0]], [(0, 1), (1, 0)]),  # a tie: in reading order
        ([[7]], []),
    ],
)
def test_largest(matrix: list[list[int]], cells: list[tuple[int, int]]) -> None:
    assert largest(np.array(matrix), 3) == cells


def test_the_largest_error_is_the_darkest_cell() -> None:
    matrix = np.array([[50, 1, 0], [9, 40, 0], [0, 0, 50]])
    image = pixels(matrix)
    top = image.shape[0] - (46 + MATRIX) * SCALE
    corner = [[int((i + 0.12) * MATRIX / 3 * SCALE) for i in range(3)]] * 2
    lightness = np.array(
        [[image[top + y, NAMES * SCALE + x].sum() for x in corner[1]] for y in corner[0]]
    )
    assert lightness.argmin() == 3  # row 1, column 0
    assert lightness[0, 2] == lightness[2, 0] == 255 * 3  # no error: paper
    assert np.ptp(image[top + corner[0][0], NAMES * SCALE + corner[1][0]]) < 20  # diagonal: grey


@pytest.mark.parametrize("classes", [1, 2, 10, 100, 1000])
def test_any_number_of_classes_is_drawn(classes: int) -> None:
    matrix = np.random.default_rng(0).poisson(0.5, (classes, classes))
    assert pixels(matrix).shape[1] == 860 * SCALE


def test_no_samples() -> None:
    assert pixels(np.zeros((3, 3), int)).shape[1] == 860 * SCALE


@pytest.mark.parametrize("classes", [6, 100])
def test_labels_of_long_names_stay_apart(classes: int) -> None:
    names = [f"species {i:03d} of the family" for i in range(classes)]
    png = draw(classes=names, matrix=np.eye(classes, dtype=int), headline="", findings=[])
    image = np.asarray(Image.open(io.BytesIO(png)).convert("L")).astype(int)
    left, right = NAMES * SCALE, (NAMES + MATRIX) * SCALE
    matrix_rows = np.flatnonzero((image[:, left + 2 : right] < 250).any(axis=1))
    below = matrix_rows.max() - 60 * SCALE  # within the labels: they are the last thing but one
    label_band = image[below : below + 20 * SCALE, left:right]
    assert (label_band < 200).any()
    assert (label_band > 250).all(axis=0).mean() > 0.2  # white between one label and the next


def test_change_is_blue_for_the_better_red_for_the_worse_and_white_where_there_is_none() -> None:
    change = np.array([[5, -5, 0], [2, -2, 0], [0, 0, 0]])
    png = draw(
        classes=["a", "b", "c"],
        matrix=np.full((3, 3), 9),
        headline="",
        findings=[],
        change=change,
        sentence="Better.",
    )
    image = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    top = image.shape[0] - (46 + MATRIX) * SCALE
    at = [int((i + 0.12) * MATRIX / 3 * SCALE) for i in range(3)]
    red_over_blue = [[int(image[top + y, NAMES * SCALE + x] @ [1, 0, -1]) for x in at] for y in at]
    assert np.sign(np.where(np.abs(red_over_blue) < 6, 0, red_over_blue)).tolist() == [
        [-1, -1, 0],  # more right, fewer wrong
        [1, 1, 0],  # more wrong, fewer right
        [0, 0, 0],
    ]
    assert (image[top + at[2], NAMES * SCALE + at[2]] > 250).all()


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_no_change_is_drawn_too(classes: int) -> None:
    nothing = np.zeros((classes, classes), int)
    names = [str(i) for i in range(classes)]
    assert draw(classes=names, matrix=nothing, headline="", findings=[], change=nothing)
