"""The still picture of failure modes."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nbdiag.measures.failure_modes import FailureTable
from nbdiag.wire.canvas import SCALE
from nbdiag.wire.failure_modes import LEFT, RIGHT, ROW, draw, mode_rows
from tests.measures.made import told


def rows(wrong: Any, **categories: Any) -> list[dict[str, Any]]:
    return mode_rows(FailureTable.from_predictions(told(np.asarray(wrong)), categories))


def pixels(made: list[dict[str, Any]]) -> np.ndarray:
    png = draw(rows=made, headline="x", findings=[])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_bars_are_as_long_as_their_share_of_the_errors() -> None:
    at = np.arange(100)
    image = pixels(rows(at < 40, most=at < 30, few=(at >= 30) & (at < 50)))
    top = image.shape[0] - (30 + 3 * ROW) * SCALE
    lengths = []
    for i in range(3):
        line = image[top + int((i + 0.5) * ROW * SCALE) - 6 * SCALE, LEFT * SCALE : RIGHT * SCALE]
        lengths.append(((line.sum(axis=1) < 600) & (np.ptp(line, axis=1) > 10)).sum() / SCALE)
    # of 40 errors 30, 10 and none; the longest bar fills the axis; a mark covers 3 of each
    np.testing.assert_allclose(lengths, [RIGHT - LEFT, (RIGHT - LEFT) / 3, 0], atol=5)


@pytest.mark.parametrize("wrong", [np.zeros(20, bool), np.ones(20, bool), np.arange(20) == 3])
def test_anything_is_drawn(wrong: np.ndarray) -> None:
    names = {
        f"<b>{i}</b> a long name of a category of errors": np.arange(20) < i for i in range(20)
    }
    made = rows(wrong, **names)
    json.dumps(made, allow_nan=False)
    assert pixels(made).shape[1] == 860 * SCALE
