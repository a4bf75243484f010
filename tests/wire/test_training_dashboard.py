"""The still picture: what is drawn can be told from its pixels."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nbdiag.wire.canvas import SCALE, SEVERITY, Canvas
from nbdiag.wire.training_dashboard import draw


def vital(values: list[float], severity: str | None = None, findings: int = 0) -> dict[str, Any]:
    return {
        "name": "loss",
        "severity": severity,
        "findings": findings,
        "label": "loss",
        "steps": np.arange(1.0, len(values) + 1),
        "values": np.array(values),
    }


def pixels(vitals: list[dict[str, Any]], pictures: list[bytes] | None = None) -> np.ndarray:
    png = draw(source="Net", step=3, findings=[], vitals=vitals, pictures=pictures or [])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def count(image: np.ndarray, color: str) -> int:
    rgb = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(image - rgb).max(axis=2) <= 8).sum())


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0], [np.nan], [1.0, np.nan, 3.0]], ids=str)
def test_any_series_is_drawn(values: list[float]) -> None:
    assert pixels([vital(values)] * 4).shape[1] == 860 * SCALE


def test_a_number_that_is_not_finite_is_marked() -> None:
    assert count(pixels([vital([1.0, 2.0, 3.0])]), SEVERITY["critical"]) == 0
    assert count(pixels([vital([1.0, np.nan, 3.0])]), SEVERITY["critical"]) > 0


@pytest.mark.parametrize("severity", ["info", "warning", "critical"])
def test_the_worst_finding_is_told_in_its_colour(severity: str) -> None:
    assert count(pixels([vital([1.0, 2.0], severity, 2)]), SEVERITY[severity]) > 0


def test_the_parts_follow_below_the_head_at_their_own_size() -> None:
    alone = pixels([vital([1.0])])
    board = Canvas(860, 100)
    board.box(100, 20, 200, 80, "#123456")
    both = pixels([vital([1.0])], [board.png(), board.png()])
    assert both.shape == (alone.shape[0] + 2 * 100 * SCALE, alone.shape[1], 3)
    area = both[alone.shape[0] :]
    assert count(area, "#123456") == 2 * 100 * 60 * SCALE**2
