"""The still picture of slices, and their parts as plain lists."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nbdiag.measures.slice_explorer import SliceTable
from nbdiag.wire.canvas import SCALE
from nbdiag.wire.slice_explorer import LEFT, RIGHT, ROW, axis_end, draw
from nbdiag.wire.slice_parts import slice_rows, table_info, time_line
from tests.measures.made import scene, told


def row(title: str, rate: float | None, **more: Any) -> dict[str, Any]:
    low, high = (0.0, 1.0) if rate is None else (max(0, rate - 0.05), min(1, rate + 0.05))
    made = {"title": title, "rate": rate, "low": low, "high": high, "n": 100, "tested": True}
    return {**made, "weak": False, **more}


def pixels(rows: list[dict[str, Any]]) -> np.ndarray:
    png = draw(rows=rows, overall=0.1, metric="error rate", headline="x", findings=[])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.mark.parametrize(
    ("highs", "end"), [([0.004], 0.01), ([0.31, 0.12], 0.4), ([1.0], 1.0), ([], 1.0), ([2.0], 1.0)]
)
def test_axis_end(highs: list[float], end: float) -> None:
    assert axis_end(highs) == end


def test_a_weak_slice_is_red_where_its_rate_is() -> None:
    image = pixels([row("weak", 0.35, weak=True), row("plain", 0.15)])
    top = (44 + 34) * SCALE  # below the header and the axis
    lines = [image[top + int((i + 0.5) * ROW * SCALE)] for i in range(2)]
    reds = (lines[0][: (RIGHT + 4) * SCALE, 0] > 150) & (lines[0][: (RIGHT + 4) * SCALE, 1] < 60)
    red = np.flatnonzero(reds)
    axis = np.array([red.min(), red.max()]) / SCALE
    at = [LEFT + (RIGHT - LEFT) * share / 0.4 for share in (0.30, 0.40)]
    np.testing.assert_allclose(axis, at, atol=3)
    assert not ((lines[1][:, 0] > 150) & (lines[1][:, 1] < 60)).any()


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row("nothing", None, tested=False)],
        [row("all wrong", 1.0)],
        [row("<b>a very long name of a slice, and of another one besides</b>", 0.0)] * 40,
    ],
)
def test_anything_is_drawn(rows: list[dict[str, Any]]) -> None:
    assert pixels(rows).shape[1] == 860 * SCALE


def test_parts_are_plain_and_have_no_nan() -> None:
    metadata = scene(800, 0)
    table = SliceTable.from_predictions(told(np.full(800, 0.1), metadata=metadata))
    parts = [slice_rows(table, table.order), table_info(table, "error"), time_line(table, "when")]
    text = json.dumps(parts, allow_nan=False)
    assert json.loads(text)[1]["samples"] == 800
