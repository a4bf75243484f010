from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from nbdiag.wire.thumbnails import encode


def decode(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("shape", [(8, 8), (64, 64, 3), (1, 1, 3), (5, 9, 4)])
def test_small_pictures_are_exact(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    sent = encode(pixels, 128)
    assert (sent["mime"], sent["width"], sent["height"]) == ("image/png", shape[1], shape[0])
    np.testing.assert_array_equal(np.asarray(decode(sent["data"])), pixels)


@pytest.mark.parametrize(
    ("shape", "size"), [((300, 200, 3), (85, 128)), ((100, 1000, 3), (128, 13))]
)
def test_large_pictures_shrink_and_keep_their_ratio(
    shape: tuple[int, ...], size: tuple[int, int]
) -> None:
    sent = encode(np.full(shape, 120, np.uint8), 128)
    assert (sent["width"], sent["height"]) == size == decode(sent["data"]).size
    assert sent["mime"] == "image/jpeg"
    assert abs(int(np.asarray(decode(sent["data"])).mean()) - 120) <= 1


def test_nothing_is_enlarged() -> None:
    assert encode(np.zeros((100, 100, 3), np.uint8), 640)["width"] == 100
