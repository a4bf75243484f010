"""Samples as pictures, whatever their transform made of them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import ConcatDataset, Subset
from torchvision.datasets import FakeData
from torchvision.transforms import Compose, Normalize, ToTensor, v2

from nbdiag.probes.pictures import display_array

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
UNIT = torch.tensor(RGB.transpose(2, 0, 1)) / 255
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (RGB, RGB),
        (torch.tensor(RGB.transpose(2, 0, 1)), RGB),
        (torch.tensor(RGB), RGB),  # (H, W, 3)
        (UNIT, RGB),
        (UNIT.double(), RGB),
        (UNIT.numpy().transpose(1, 2, 0), RGB),
        (UNIT.numpy(), RGB),  # an array (3, H, W)
        (Image.fromarray(RGB), RGB),
        (UNIT[:1], RGB[:, :, 0]),
        (UNIT[0], RGB[:, :, 0]),
        (Image.fromarray(RGB[:, :, 0]), RGB[:, :, 0]),
        (UNIT * 255, RGB),
        (torch.tensor(RGB.transpose(2, 0, 1)).long(), RGB),
        (torch.tensor(RGB[:, :, 0] > 100), (RGB[:, :, 0] > 100) * 255),
        (torch.zeros(3, 8, 8), np.zeros((8, 8, 3))),
        (torch.ones(3, 8, 8), np.full((8, 8, 3), 255)),
    ],
)
def test_shown_as_it_is(sample: Any, expected: np.ndarray) -> None:
    pixels, note = display_array(sample)
    assert note == ""
    assert pixels is not None
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, expected)


class Data:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Albumentations:
    """Means and deviations of pixels in [0, 1], applied to pixels in [0, 255]."""

    mean, std, max_pixel_value = MEAN, STD, 255.0


HOMES = {
    "transform": lambda step: Data(transform=step),
    "compose": lambda step: Data(transform=Compose([ToTensor(), step])),
    "v2 compose": lambda step: Data(transform=v2.Compose([v2.ToImage(), step])),
    "nested": lambda step: Data(transform=Compose([Compose([step]), nn.Identity()])),
    "sequential": lambda step: Data(transform=nn.Sequential(nn.Identity(), step)),
    "transforms": lambda step: Data(transforms=Data(transform=Compose([step]))),
    "subset": lambda step: Subset(Subset(FakeData(3, transform=step), [0]), [0]),
    "concat": lambda step: Subset(ConcatDataset([FakeData(3), FakeData(3, transform=step)]), [4]),
    "concat of two": lambda step: ConcatDataset(
        [FakeData(3, transform=type(step)([0.5] * 3, [9.0] * 3)), FakeData(3, transform=step)]
    ),
}


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("kind", [Normalize, v2.Normalize])
def test_normalize_is_found_and_undone(home: str, kind: Any) -> None:
    step = kind(MEAN, STD)
    pixels, note = display_array(step(UNIT), HOMES[home](step))
    assert note == ""
    assert np.array_equal(pixels, RGB)


def test_more_ways_to_normalize() -> None:
    one = Normalize([0.5], [0.5])
    assert np.array_equal(display_array(one(UNIT[:1]), Data(transform=one))[0], RGB[:, :, 0])
    preset = Data(mean=MEAN, std=STD)  # as torchvision's weights carry them
    assert np.array_equal(display_array(Normalize(MEAN, STD)(UNIT), Data(transform=preset))[0], RGB)
    pixels, note = display_array(Normalize(MEAN, STD)(UNIT) * 1.0, Data(transform=Albumentations()))
    assert note.startswith("stretched")  # 255 times too large: does not explain the values
    dark = Normalize(MEAN, STD)(torch.full((3, 8, 8), 0.6))
    assert dark.min() > 0
    assert dark.max() < 1
    pixels, note = display_array(dark, Data(transform=Normalize(MEAN, STD)))
    assert set(np.unique(pixels)) == {153}  # 0.6 * 255, and not what lies in [0, 1] by chance


def test_stretched_when_nothing_explains_the_values() -> None:
    values = torch.linspace(-50, 250, 101).repeat(101, 1)
    values[0, 0] = 1e6  # one wild pixel must not blacken the rest
    pixels, note = display_array(values)
    assert note.startswith("stretched to its own range")
    assert pixels is not None
    assert (pixels[5, 0], pixels[5, 50], pixels[5, 100]) == (0, 128, 255)
    assert set(np.unique(display_array(torch.full((8, 8), 7.5))[0])) == {128}


def test_nan_is_drawn_black_and_said() -> None:
    broken = UNIT.clone()
    broken[:, 0, 0] = float("nan")
    pixels, note = display_array(broken)
    assert note == "3 pixels are NaN or infinite"
    assert pixels is not None
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert np.array_equal(pixels[1:], RGB[1:])
    assert display_array(torch.full((8, 8), float("inf")))[1] == "all pixels are NaN or infinite"


def test_other_numbers_of_channels() -> None:
    for channels, shown in ((2, 1), (4, 3), (12, 3)):
        pixels, note = display_array(UNIT[:1].expand(channels, 6, 8))
        assert note == f"{shown} of {channels} channels shown"
        assert pixels is not None
        assert pixels.shape == ((6, 8) if shown == 1 else (6, 8, 3))


def test_transparent_pictures_lie_on_white() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    pixels, _ = display_array(clear)
    assert pixels is not None
    assert pixels.shape == (8, 8, 3)
    assert set(np.unique(pixels)) == {255}


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (torch.zeros(64), "a vector of 64 numbers"),
        (np.zeros(1), "a vector of 1 numbers"),
        ("a text", "is a str, not"),
        ([1, 2], "is a list"),
        ({"image": 1}, "is a dict"),
        (None, "is a NoneType"),
        (torch.zeros(1, 3, 8, 8), r"shape \(1, 3, 8, 8\)"),
        (torch.zeros(100, 2), r"shape \(100, 2\)"),
        (torch.zeros(()), r"shape \(\), not"),
        (torch.zeros(3, 0, 8), "no pixels"),
        (np.array([["a", "b"]]), "no pixels"),
        (torch.zeros(8, 8, dtype=torch.complex64), "complex64 values"),
    ],
)
def test_what_is_no_picture(sample: Any, reason: str) -> None:
    pixels, note = display_array(sample)
    assert pixels is None
    assert re.search(reason, note)


def test_the_sample_is_not_changed() -> None:
    sample = UNIT.clone().requires_grad_()
    pixels, _ = display_array(sample, Data(transform=Normalize(MEAN, STD)))
    assert pixels is not None
    pixels[:] = 0
    assert torch.equal(sample.detach(), UNIT)
    bytes_before = RGB.copy()
    pixels, _ = display_array(RGB)
    assert pixels is not None
    assert np.array_equal(RGB, bytes_before)
