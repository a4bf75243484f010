"""Evidence on the object, counted by hand; judged only over many maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbdiag.measures.grad_cam import GradCAMResult
from nbdiag.measures.on_object import objects_in, on_object

NAN = np.nan


def cams(*maps: Any) -> GradCAMResult:
    array = np.array(maps, np.float32)
    return GradCAMResult(array, np.zeros(len(array), int), "layer4")


MAP = [[4.0, 0.0], [1.0, 3.0]]


@pytest.mark.parametrize(
    ("mask", "share", "area"),
    [
        ([[1, 0], [0, 0]], 0.5, 0.25),
        ([[1, 1], [1, 1]], 1.0, 1.0),
        ([[0, 0], [0, 0]], 0.0, 0.0),
        (np.kron([[1, 0], [0, 1]], np.ones((3, 3))), 7 / 8, 0.5),
        # the left three quarters: half of the right cells
        (np.array([[1, 1, 1, 0]] * 4), (4 + 1 + 1.5) / 8, 0.75),
        (np.array([[True, False, False]] * 3), (4 + 1) * (2 / 3) / 8, 1 / 3),
    ],
)
def test_masks_by_hand(mask: Any, share: float, area: float) -> None:
    result = on_object(cams(MAP), masks=[np.array(mask)])
    assert result.share[0] == pytest.approx(share)
    assert result.area[0] == pytest.approx(area)


def test_maps_are_asked_themselves() -> None:
    told = cams(MAP, MAP).on_object(boxes=[(0, 0, 50, 30), None], size=(60, 100))
    assert told.share.tolist() == pytest.approx([0.5, NAN], nan_ok=True)
    with pytest.raises(ValueError, match="one of the two"):
        cams(MAP).on_object()


@pytest.mark.parametrize(
    ("box", "share", "area"),
    [
        ((0, 0, 50, 30), 0.5, 0.25),
        ((0, 0, 100, 60), 1.0, 1.0),
        ((-20, -20, 50, 30), 0.5, 0.25),
        ((25, 0, 75, 60), 0.5, 0.5),
        ((10, 10, 10, 40), 0.0, 0.0),
        ([(0, 0, 50, 30), (50, 30, 100, 60)], 7 / 8, 0.5),
        ([(0, 0, 50, 30), (0, 0, 50, 30), (0, 0, 25, 30)], 0.5, 0.25),  # the union counts once
    ],
)
def test_boxes_by_hand(box: Any, share: float, area: float) -> None:
    result = on_object(cams(MAP), boxes=[box], size=(60, 100))
    assert result.share[0] == pytest.approx(share)
    assert result.area[0] == pytest.approx(area)


def test_boxes_and_masks_agree() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        x1, y1 = random.integers(0, 20, 2)
        x2, y2 = x1 + random.integers(1, 12), y1 + random.integers(1, 12)
        mask = np.zeros((32, 32))
        mask[y1:y2, x1:x2] = 1
        cam = cams(random.random((7, 7)))
        one, two = (
            on_object(cam, masks=[mask]),
            on_object(cam, boxes=[(x1, y1, x2, y2)], size=(32, 32)),
        )
        assert one.share[0] == pytest.approx(two.share[0])
        assert one.area[0] == pytest.approx(((x2 - x1) * (y2 - y1)) / 32**2)


def test_nothing_to_tell() -> None:
    full = np.ones((2, 2))
    cam = cams(np.zeros((2, 2)), np.full((2, 2), NAN), MAP, MAP)
    result = on_object(cam, masks=[full, full, None, full * 0])
    assert np.allclose(result.share, [NAN, NAN, NAN, 0.0], equal_nan=True)
    assert not result.known.any()
    assert np.isnan(result.excess)
    assert result.interval() == (-1.0, 1.0)
    assert result.findings() == []


def many(n: int, pull: float, seed: int = 0) -> Any:
    """Maps of noise, with so much more evidence on the object."""
    random = np.random.default_rng(seed)
    masks = np.zeros((n, 28, 28))
    for mask in masks:
        x, y = random.integers(0, 16, 2)
        mask[y : y + 12, x : x + 12] = 1
    maps = random.gamma(1, 1, (n, 7, 7))
    maps += pull * masks.reshape(n, 7, 4, 7, 4).mean(axis=(2, 4))
    return on_object(cams(*maps), masks=masks)


def test_looking_at_the_object_is_no_finding() -> None:
    assert many(200, 3).findings() == []
    assert many(200, 0.6).findings() == []  # weakly, but it does
    assert many(20, -1).findings() == []  # too few to tell


@pytest.mark.parametrize("pull", [0.0, -0.5])
def test_looking_anywhere_is(pull: float) -> None:
    result = many(400, pull)
    (finding,) = result.findings()
    assert finding.code == "cam.off_object"
    assert finding.evidence["maps"] == 400
    assert abs(finding.evidence["area"] - (12 / 28) ** 2) < 0.01
    assert repr(result) == "OnObject: 400 of 400 maps judged, off the objects"


def test_objects_that_fill_the_picture_are_not_judged() -> None:
    cam = cams(*np.random.default_rng(0).random((100, 7, 7)))
    result = on_object(cam, masks=np.ones((100, 14, 14)))
    assert result.findings() == []


def test_interval_against_scipy() -> None:
    from scipy import stats

    result = many(50, 1)
    gap = result.share - result.area
    theirs = stats.t.interval(0.95, 49, gap.mean(), stats.sem(gap))
    assert np.allclose(result.interval(), theirs)


def test_objects_in_the_metadata() -> None:
    boxes = [[0, 0, 1, 1], [0, 0, 2, 2]]
    assert objects_in({"Box": boxes, "x": [1, 2]}) == ("boxes", boxes)
    kind, column = objects_in(pd.DataFrame({"bbox": boxes})) or ("", [])
    assert (kind, list(column)) == ("boxes", boxes)
    assert (objects_in({"mask": [1], "box": [2]}) or "")[0] == "masks"
    assert objects_in({"x": [1]}) is None
    assert objects_in(None) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "as masks= or as boxes="),
        ({"masks": [1], "boxes": [1]}, "one of the two"),
        ({"masks": []}, "0 objects for 1 maps"),
        ({"masks": [np.ones((2, 2, 2))]}, r"mask 0 must be .*\(H, W\), got float64 \(2, 2, 2\)"),
        ({"boxes": [(0, 0, 1, 1)]}, r"give its size=\(H, W\)"),
        ({"boxes": [(0, 0, 1)], "size": (4, 4)}, "box 0 must be"),
        ({"boxes": [(3, 3, 1, 1)], "size": (4, 4)}, r"is it given as \(x, y, width, height\)"),
        ({"boxes": [(0, 0, 1, NAN)], "size": (4, 4)}, "box 0 must be"),
        ({"boxes": [(0, 0, 1, 1)], "size": 4}, r"size must be \(H, W\)"),
    ],
)
def test_what_is_refused(given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        on_object(cams(MAP), **given)


def test_frame_and_figure() -> None:
    result = many(40, 1)
    assert list(result.to_frame().columns) == ["share_on_object", "area_of_object"]
    assert result.figure().title.text == "Evidence on the object, layer4"
