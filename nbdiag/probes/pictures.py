"""A sample of a data set as a picture to look at, whatever its transform made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import ConcatDataset

SMALLEST = 4  # pixels along an axis; a table of fewer rows or columns is no picture
PERCENTILES = (1, 99)


def display_array(x: Any, dataset: Any = None) -> tuple[np.ndarray | None, str]:
    """A sample as ``(H, W)`` or ``(H, W, 3)`` uint8, and a note on what was done to show it.

    ``x``: a tensor (C, H, W) or (H, W), an array that may also be (H, W, C), or a PIL image.
    uint8 is shown as it is, and so are floats within [0, 1]. Otherwise a ``Normalize`` in the
    transform of ``dataset`` is undone; where there is none, the values between the 1st and the 99th
    percentile are stretched to the full range, and the note says so.

    ``(None, reason)`` for what is no picture.

    >>> pixels, note = display_array(torch.tensor([[0.0, 1.0]]).expand(3, 4, 2).repeat(1, 1, 2))
    >>> pixels.shape, pixels[0, :2, 0].tolist(), note
    ((4, 4, 3), [0, 255], '')
    >>> display_array(torch.zeros(64))
    (None, 'a sample is a vector of 64 numbers, not a picture')
    """
    if hasattr(x, "convert") and hasattr(x, "getbands"):
        return _from_pil(x), ""
    if isinstance(x, torch.Tensor):
        channels_first = True
        x = x.detach().cpu()
        array = x.float().numpy() if x.dtype in (torch.bfloat16, torch.float16) else x.numpy()
    elif isinstance(x, np.ndarray):
        channels_first, array = False, x
    else:
        return None, f"a sample is a {type(x).__name__}, not a picture"
    if array.ndim == 1:
        return None, f"a sample is a vector of {len(array)} numbers, not a picture"
    if array.dtype.kind not in "fiub" or array.size == 0:
        return None, f"a sample holds {array.dtype} values of the shape {array.shape}, no pixels"
    pixels = _height_width_channels(array, channels_first)
    if pixels is None:
        return None, f"a sample has the shape {array.shape}, not (C, H, W) of a picture"
    return _shown(*_as_bytes(pixels, dataset))


def _from_pil(image: Any) -> np.ndarray:
    if "A" in image.getbands() or "transparency" in image.info:
        from PIL import Image

        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("L" if image.mode in ("L", "1") else "RGB"))


def _height_width_channels(array: np.ndarray, channels_first: bool) -> np.ndarray | None:
    """(H, W, C), or None where no two axes can be those of a picture."""
    if array.ndim == 2:
        array = array[:, :, None]
    elif array.ndim == 3:
        colours = (1, 3, 4)
        first, last = array.shape[0] in colours, array.shape[2] in colours
        if (first and not last) or (first == last and channels_first):
            array = np.moveaxis(array, 0, 2)
    else:
        return None
    return array if min(array.shape[:2]) >= SMALLEST else None


def _as_bytes(pixels: np.ndarray, dataset: Any) -> tuple[np.ndarray, str]:
    if pixels.dtype == np.uint8:
        return pixels, ""
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * 255, ""
    if pixels.dtype.kind in "iu" and pixels.min() >= 0 and pixels.max() <= 255:
        return pixels.astype(np.uint8), ""
    values = pixels.astype(np.float64)
    finite = np.isfinite(values)
    broken = "" if finite.all() else f"{int((~finite).sum())} pixels are NaN or infinite"
    if not finite.any():
        return np.zeros(values.shape, np.uint8), "all pixels are NaN or infinite"
    undone = None
    # A normalised picture may lie in [0, 1] too: what the transform says goes first.
    for mean, std in _normalizations(dataset):
        if mean.size in (1, values.shape[2]):
            candidate = values * std + mean
            if _mostly_within_unit(candidate[finite]):
                undone = candidate
                break
    if undone is not None:
        values, note = undone, ""
    elif values[finite].min() >= 0 and values[finite].max() <= 1:
        note = ""
    elif _whole_bytes(values[finite]):
        values, note = values / 255, ""
    else:
        low, high = np.percentile(values[finite], PERCENTILES)
        values = (values - low) / (high - low) if high > low else np.full(values.shape, 0.5)
        note = (
            "stretched to its own range, since the values are not in [0, 1] and no Normalize that "
            "explains them was found in the data set's transform"
        )
    values = np.where(finite, values, 0).clip(0, 1)
    note = "; ".join(part for part in (note, broken) if part)
    return np.round(values * 255).astype(np.uint8), note


def _mostly_within_unit(values: np.ndarray) -> bool:
    """Within [0, 1] but for rounding and for the few pixels that an augmentation pushed out."""
    return bool(((values > -0.01) & (values < 1.01)).mean() > 0.95)


def _whole_bytes(values: np.ndarray) -> bool:
    return bool(values.min() >= 0 and values.max() <= 255 and (values == np.round(values)).all())


def _shown(pixels: np.ndarray, note: str) -> tuple[np.ndarray, str]:
    channels = pixels.shape[2]
    if channels == 1:
        return pixels[:, :, 0], note
    if channels == 3:
        return pixels, note
    shown = 1 if channels == 2 else 3
    remark = f"{shown} of {channels} channels shown"
    kept = pixels[:, :, 0] if shown == 1 else pixels[:, :, :3]
    return kept, f"{note}; {remark}" if note else remark


def _normalizations(dataset: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """``(mean, std)`` of the Normalize steps in a data set's transform, the last one first."""
    for _ in range(10):  # Subset of a Subset of ...
        for attribute in ("transform", "transforms"):
            yield from _within(getattr(dataset, attribute, None), depth=6)
        if isinstance(dataset, ConcatDataset):  # which part a sample is from is not known here
            for part in dataset.datasets:
                yield from _normalizations(part)
        dataset = getattr(dataset, "dataset", None)
        if dataset is None:
            return


def _within(step: Any, depth: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    if step is None or depth == 0:
        return
    mean, std = getattr(step, "mean", None), getattr(step, "std", None)
    if mean is not None and std is not None and not callable(mean):
        scale = float(getattr(step, "max_pixel_value", None) or 1)  # albumentations
        as_array = [np.asarray(v, np.float64).reshape(-1) * scale for v in (mean, std)]
        if as_array[0].size == as_array[1].size:
            yield as_array[0], as_array[1]
        return
    inner = getattr(step, "transforms", None)
    steps = [getattr(step, "transform", None)]
    if isinstance(inner, (list, tuple)):
        steps = [*inner]
    elif isinstance(step, (list, tuple, torch.nn.Sequential)):
        steps = list(step)
    for each in reversed(steps):
        yield from _within(each, depth - 1)
