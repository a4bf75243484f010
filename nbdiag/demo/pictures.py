"""How one demo picture is made: a handwritten digit drawn over a patch of a photograph.

Everything here works on uint8 pixels and integers, so that the same arguments give the same bytes
on every machine.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

SIDE = 64
"""Height and width of every demo picture, in pixels."""

PHOTOS: dict[str, tuple[int, int, int, int]] = {
    "china": (20, 15, 400, 415),
    "flower": (140, 60, 480, 390),
}
"""The two photographs and the window (left, top, right, bottom) that patches are cut from.

The windows hold the pagoda and the bloom: a patch of plain sky would not tell which photograph it
came from.
"""

INKS: dict[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "lemon": (255, 240, 130),
    "mint": (170, 255, 205),
    "sky": (165, 225, 255),
    "rose": (255, 190, 225),
}
"""Stroke colours: all light, so that with a dark rim they can be read on any patch."""

RIM = (16, 18, 40)


@lru_cache(maxsize=1)
def digit_bitmaps() -> tuple[np.ndarray, np.ndarray]:
    """The 1,797 handwritten digits of scikit-learn: bitmaps (1797, 8, 8) uint8, labels (1797,)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    # The file holds ink counts of 0 to 16 per cell.
    bitmaps = (digits.images.astype(np.int64) * 255 // 16).astype(np.uint8)
    labels = digits.target.astype(np.int64)
    bitmaps.flags.writeable = labels.flags.writeable = False
    return bitmaps, labels


@lru_cache(maxsize=1)
def photographs() -> dict[str, Image.Image]:
    """The windows of `PHOTOS`, cut from the two photographs that ship with scikit-learn."""
    from sklearn.datasets import load_sample_image

    return {
        name: Image.fromarray(load_sample_image(f"{name}.jpg")).crop(window)
        for name, window in PHOTOS.items()
    }


def _ramp(low: int, high: int) -> np.ndarray:
    """Lookup table (256,) uint8 that is 0 up to `low`, 255 from `high` on, and linear between."""
    levels = np.arange(256, dtype=np.int64)
    return (((levels - low) * 255) // (high - low)).clip(0, 255).astype(np.uint8)


# A wide ramp for the stroke: the half-inked cells inside a small 8 or 9 stay darker than its loops.
_STROKE, _RIM = _ramp(96, 208), _ramp(16, 72)


def stroke_alpha(bitmap: np.ndarray, size: int, left: int, top: int) -> np.ndarray:
    """Opacity (64, 64, 2) uint8 of the stroke and of its dark rim.

    The 8x8 `bitmap` is enlarged, with an empty cell all around it, to a square of `size` pixels
    whose upper left corner lies at (`left`, `top`).
    """
    # Many digits touch the edge of their bitmap; the empty cell keeps their outline round.
    bitmap = np.pad(bitmap, 1)
    smooth = np.asarray(
        Image.fromarray(bitmap).resize((size, size), Image.Resampling.BICUBIC), dtype=np.uint8
    )
    alpha = np.zeros((SIDE, SIDE, 2), dtype=np.uint8)
    alpha[top : top + size, left : left + size, 0] = _STROKE[smooth]
    alpha[top : top + size, left : left + size, 1] = _RIM[smooth]
    return alpha


def patch(photo: str, left: float, top: float, side: int, mirrored: bool) -> np.ndarray:
    """A square of `side` pixels out of one photograph, shrunk to (64, 64, 3) uint8.

    `left` and `top` lie in [0, 1): where in the window the square starts, as a share of the room.
    """
    window = photographs()[photo]
    x, y = int(left * (window.width - side + 1)), int(top * (window.height - side + 1))
    cut = window.crop((x, y, x + side, y + side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    pixels = np.asarray(cut, dtype=np.uint8)
    return pixels[:, ::-1] if mirrored else pixels


def paste(background: np.ndarray, alpha: np.ndarray, ink: tuple[int, int, int]) -> np.ndarray:
    """The picture (64, 64, 3) uint8: first the rim, then the stroke, laid over `background`."""
    picture = background
    for opacity, colour in ((alpha[..., 1:], RIM), (alpha[..., :1], ink)):
        share = opacity.astype(np.uint16)  # wide enough: the sum below is at most 255 * 255 + 127
        mixed = picture * (255 - share) + np.array(colour, dtype=np.uint16) * share
        picture = ((mixed + 127) // 255).astype(np.uint8)
    return picture
