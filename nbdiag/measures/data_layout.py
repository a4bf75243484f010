"""What kind of input is this, along which axis do its features lie, and how does it look small?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from nbdiag.measures.data_split import FieldKind

SMALLEST_PICTURE = 6  # narrower arrays are sequences of a few features
LONGEST_CHANNELS = 64
GREY, COLOUR = 16, 12  # side of a picture's low-resolution copy


@dataclass(frozen=True)
class Layout:
    """The kind of a sample, and the axis of its array along which the features lie."""

    kind: FieldKind
    axis: int | None = None


def layout_of(sample: Any) -> Layout:
    """
    >>> layout_of(np.zeros((3, 32, 32))).axis, layout_of(np.zeros((32, 32, 3))).axis
    (0, 2)
    >>> layout_of(np.zeros(12)).kind, layout_of(np.zeros(12, int)).kind, layout_of("a").kind
    ('table', 'tokens', 'text')
    >>> layout_of(np.zeros((50, 9))).axis, layout_of(np.zeros((2, 16_000))).axis
    (1, 0)
    """
    if isinstance(sample, str):
        return Layout("text")
    shape, whole = np.shape(sample), np.asarray(sample).dtype.kind in "iu"
    byte = whole and np.asarray(sample).dtype.itemsize == 1
    if len(shape) <= 1:
        amounts = not whole or (byte and len(shape) == 1 and shape[0] >= 64)
        return Layout("table", 0 if shape else None) if amounts else Layout("tokens")
    if len(shape) == 2:
        if min(shape) >= SMALLEST_PICTURE and (byte or (not whole and shape[0] == shape[1])):
            return Layout("image")
        if whole:
            return Layout("tokens")
        channels_first = shape[0] <= LONGEST_CHANNELS and shape[1] >= 4 * shape[0]
        return Layout("sequence", 0 if channels_first else 1)
    if len(shape) == 3:
        last = shape[-1] in (1, 3, 4) and shape[0] not in (1, 3, 4)
        axis = 2 if last else 0
        sides = [side for i, side in enumerate(shape) if i != axis]
        if min(sides) < SMALLEST_PICTURE or shape[axis] > LONGEST_CHANNELS:
            return Layout("tokens" if whole else "sequence", None if whole else 2)
        return Layout("image", axis)
    return Layout("image")  # videos and volumes: slices one above the other


def by_feature(array: np.ndarray, axis: int | None) -> np.ndarray:
    """(n, positions, F) out of n samples whose features lie along `axis`."""
    if axis is None:
        return array.reshape(len(array), -1, 1)
    moved = np.moveaxis(array, axis + 1, -1)
    return moved.reshape(len(array), -1, moved.shape[-1])


def as_pictures(array: np.ndarray, axis: int | None) -> np.ndarray:
    """(n, C, H, W) float32."""
    if axis is None:
        array = array.reshape(len(array), 1, -1, array.shape[-1])
    else:
        array = np.moveaxis(array, axis + 1, 1)
    return array.astype(np.float32)


def low_resolution(pictures: np.ndarray) -> np.ndarray:
    """(n, D): area averages, 12 x 12 a channel for up to 4 channels, else 16 x 16 of their mean."""
    n, channels, height, width = pictures.shape
    side = COLOUR if 2 <= channels <= 4 else GREY
    if channels > 4:
        pictures = pictures.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):  # NaN and infinity are counted elsewhere
        if height > side:
            pictures = _areas(height, side) @ pictures
        if width > side:
            pictures = pictures @ _areas(width, side).T
    return np.ascontiguousarray(pictures.reshape(n, -1), dtype=np.float32)


@lru_cache(maxsize=64)
def _areas(size: int, side: int) -> np.ndarray:
    """(side, size): how much of each pixel lies in each of `side` equal stretches."""
    edges = np.linspace(0, size, side + 1)
    pixel = np.arange(size)
    high = np.minimum(edges[1:, None], pixel + 1)
    low = np.maximum(edges[:-1, None], pixel)
    share = np.clip(high - low, 0, None)
    return (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
