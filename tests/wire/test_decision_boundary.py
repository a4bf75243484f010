"""A slice on the wire, and the still picture of it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nbdiag.wire.decision_boundary import CLASSES, LOST, draw, pack_field, paint, shown_classes


def halves(left: float, right: float) -> np.ndarray:
    """Class 0 on the left, class 1 on the right."""
    p = np.repeat([[left] * 5 + [right] * 5], 8, axis=0)
    return np.stack([p, 1 - p], -1)


def test_probabilities_travel_as_sixteen_bits() -> None:
    field = halves(1.0, 0.25)
    field[0, 0] = np.nan
    packed = pack_field(field, [1, 0])
    data = np.frombuffer(packed["data"], "<u2").reshape(packed["shape"])
    assert packed["shape"] == [2, 8, 10]
    assert data[:, 0, 0].tolist() == [LOST, LOST]
    assert data[0, 1, 0] == 0
    assert data[1, 1, 0] == LOST - 1
    assert data[1, 1, 9] / (LOST - 1) == pytest.approx(0.25, abs=1e-5)


def test_of_many_classes_those_that_are_to_be_seen() -> None:
    field = np.zeros((10, 10, 1000))
    won = np.arange(100).reshape(10, 10) % 20 + 40
    np.put_along_axis(field, won[..., None], 1.0, axis=-1)
    shown = shown_classes(field, [999] * 50)
    assert len(shown) == CLASSES
    assert shown == sorted(shown)
    assert 999 in shown
    assert set(shown) - {999} <= set(range(40, 60))
    assert shown_classes(np.full((3, 3, 2), np.nan)) == [0, 1]


def test_paint_tells_class_sureness_distance_and_nothing() -> None:
    near = np.ones((8, 10))
    sure = paint(halves(1.0, 0.0), near, (100, 80)).astype(int)
    assert sure[40, 5, 2] > sure[40, 5, 0]  # blue on the left
    assert sure[40, 95, 0] > sure[40, 95, 2]  # orange on the right
    unsure = paint(halves(0.6, 0.4), near, (100, 80)).astype(int)
    assert unsure[40, 5].sum() > sure[40, 5].sum()
    far = paint(halves(1.0, 0.0), near * 3, (100, 80)).astype(int)
    assert far[40, 5].sum() > sure[40, 5].sum()
    assert sure[40, 48:52].sum(-1).min() < 200  # the boundary, in the middle
    lost = paint(np.full((8, 10, 2), np.nan), near, (20, 20))
    assert np.unique(lost).tolist() == [225]


def picture(**changes: Any) -> np.ndarray:
    given: dict[str, Any] = {
        "axes": [{"name": "a", "values": np.arange(10.0)},
                 {"name": "b" * 200, "values": np.arange(8.0)}],
        "probabilities": halves(0.9, 0.1),
        "reach": np.ones((8, 10)),
        "points": {"x": np.array([1.0, 50.0]), "y": np.array([1.0, 2.0]), "told": np.array([0, -1]),
                   "true": None, "closeness": np.ones(2)},
        "class_names": ["<b>one</b>", "two"],
        "headline": "Net",
        "findings": [],
    }  # fmt: skip
    png = draw(**{**given, **changes})
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_picture_is_the_same_each_time_and_grows_with_findings() -> None:
    one = picture()
    assert np.array_equal(one, picture())
    found = [{"severity": "warning", "message": "rough"}]
    assert picture(findings=found).shape[0] > one.shape[0]
    assert np.ptp(one) > 200


@pytest.mark.parametrize("n", [0, 1])
def test_few_samples_and_bands(n: int) -> None:
    points = {"x": np.zeros(n), "y": np.zeros(n), "told": np.zeros(n, int),
              "true": np.zeros(n, int), "closeness": np.ones(n)}  # fmt: skip
    two = picture(
        points=points,
        probabilities=halves(0.9, 0.1)[:2],
        reach=np.ones((2, 10)),
        axes=[{"name": "a", "values": np.arange(10.0)}, {"name": "b", "values": [0, 1]}],
    )
    assert np.ptp(two) > 100
