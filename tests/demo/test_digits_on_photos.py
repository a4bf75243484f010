"""The demo data: real digits, faults by switch, the same bytes everywhere."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from nbdiag.demo import DigitsOnPhotos, digits_on_photos
from nbdiag.demo.pictures import PHOTOS, SIDE, digit_bitmaps, paste, patch, stroke_alpha
from nbdiag.demo.plan import SPLITS, class_counts, make_plan, split_members


@pytest.fixture(scope="module")
def held_out() -> DigitsOnPhotos:
    return digits_on_photos("test")


def counts(data: DigitsOnPhotos) -> list[int]:
    return np.bincount(data.targets, minlength=10).tolist()


# --- the splits


def test_splits_share_no_digit_and_lose_none() -> None:
    members = np.concatenate([np.concatenate(split_members(split)) for split in SPLITS])
    assert np.array_equal(np.sort(members), np.arange(1797))


def test_no_split_takes_a_digit_of_another_whatever_the_seed() -> None:
    train = set(digits_on_photos("train", n=200, copies=2, seed=5).metadata["digit"])
    test = set(digits_on_photos("test", n=200, seed=6).metadata["digit"])
    assert train.isdisjoint(test)


def test_a_split_holds_every_class_in_its_share(held_out: DigitsOnPhotos) -> None:
    # A fifth of the 178, 182, 177, 183, 181, 182, 181, 179, 174 and 180 digits of each class.
    assert counts(held_out) == [36, 36, 35, 37, 36, 36, 36, 36, 35, 36]
    assert len(held_out) == 359


def test_labels_are_those_of_the_digits(held_out: DigitsOnPhotos) -> None:
    labels = digit_bitmaps()[1]
    assert np.array_equal(held_out.targets, labels[held_out.metadata["digit"]])


# --- items


def test_item_is_a_picture_and_an_int(held_out: DigitsOnPhotos) -> None:
    image, label = held_out[3]
    assert image.shape == (3, 64, 64)
    assert image.dtype == torch.float32
    assert type(label) is int
    expected = held_out.images[3].transpose(2, 0, 1) / np.float32(255)
    assert np.array_equal(image.numpy(), expected)


def test_writing_into_an_item_leaves_the_data_alone() -> None:
    data = digits_on_photos("val", n=10)
    before = data.images.copy()
    data[0][0].zero_()
    assert np.array_equal(data.images, before)


def test_item_past_the_end_ends_a_loop() -> None:
    data = digits_on_photos("val", n=10)
    assert len(list(data)) == 10  # type: ignore[call-overload]
    with pytest.raises(IndexError):
        data[10]


def test_loader_stacks_items() -> None:
    images, labels = next(iter(DataLoader(digits_on_photos("val", n=12), batch_size=12)))
    assert images.shape == (12, 3, 64, 64)
    assert labels.dtype == torch.int64


def test_metadata_has_a_row_for_each_picture(held_out: DigitsOnPhotos) -> None:
    assert list(held_out.metadata) == [
        "background",
        "writers",
        "true_label",
        "digit",
        "ink",
        "size",
        "left",
        "top",
    ]
    assert {len(column) for column in held_out.metadata.values()} == {359}
    first = held_out.metadata["digit"] < 898
    assert np.array_equal(held_out.metadata["writers"] == "first half", first)
    assert held_out.class_names == tuple("0123456789")


def test_repr_is_stable(held_out: DigitsOnPhotos) -> None:
    assert repr(held_out) == "DigitsOnPhotos('test', 359 pictures, 10 classes)"


# --- the pictures


def test_same_bytes_on_every_machine() -> None:
    data = digits_on_photos("val", n=100, background_correlation=0.5, label_noise=0.1, seed=3)
    digest = hashlib.sha256(data.images.tobytes() + data.targets.tobytes()).hexdigest()
    assert digest == "c6bbf4fdf3c963f1b7bebbb737450f0c10a80a63b18081944ad841253f8024b8"


def test_another_seed_pastes_elsewhere() -> None:
    one, other = digits_on_photos("val", n=20), digits_on_photos("val", n=20, seed=1)
    assert not np.array_equal(one.metadata["left"], other.metadata["left"])


def test_mask_is_where_the_digit_changed_the_photograph() -> None:
    plan = make_plan(
        "val",
        n=20,
        copies=1,
        background_correlation=0.0,
        flower_classes=(),
        minority=None,
        minority_share=0.02,
        label_noise=0.0,
        seed=0,
    )
    data = DigitsOnPhotos("val", plan)
    for i in range(20):
        left, top, side, mirrored = plan.patch[i]
        photograph = patch(str(plan.background[i]), left, top, int(side), bool(mirrored))
        changed = (data.images[i] != photograph).any(axis=2)
        mask = data.mask(i)
        assert mask.shape == (64, 64)
        assert mask.dtype == bool
        assert not (changed & ~mask).any()
        assert changed.sum() > 0.9 * mask.sum() > 100


def test_pixels_off_the_mask_are_the_photograph() -> None:
    # The same digits at the same places, once on each photograph.
    pagoda, flower = (
        digits_on_photos("val", n=20, background_correlation=1.0, flower_classes=classes)
        for classes in ((), range(10))
    )
    assert set(pagoda.metadata["background"]) == {"china"}
    assert set(flower.metadata["background"]) == {"flower"}
    for key in ("digit", "ink", "size", "left", "top"):
        assert np.array_equal(pagoda.metadata[key], flower.metadata[key])
    for i in range(20):
        same = (pagoda.images[i] == flower.images[i]).all(axis=2)
        solid = pagoda._alpha(i).max(axis=2) == 255
        assert same[solid].all()  # the stroke is the stroke on either
        assert same[~pagoda.mask(i)].mean() < 0.1  # and the rest is not


def test_stroke_of_a_full_bitmap_by_hand() -> None:
    # 8x8 full cells plus the empty ring = 10 cells on 40 pixels: the square from 4 to 36 is inked.
    alpha = stroke_alpha(np.full((8, 8), 255, dtype=np.uint8), size=40, left=10, top=20)
    assert alpha[20 + 6 : 20 + 34, 10 + 6 : 10 + 34, 0].min() == 255
    outside = np.ones((SIDE, SIDE), dtype=bool)
    outside[20:60, 10:50] = False
    assert not alpha[outside].any()


def test_paste_by_hand() -> None:
    background = np.full((SIDE, SIDE, 3), 100, dtype=np.uint8)
    alpha = np.zeros((SIDE, SIDE, 2), dtype=np.uint8)
    alpha[0, 1] = (255, 0)  # all stroke
    alpha[0, 2] = (0, 255)  # all rim
    alpha[0, 3] = (51, 0)  # a fifth of stroke: 100 * 0.8 + 200 * 0.2 = 120
    picture = paste(background, alpha, ink=(200, 200, 200))
    assert picture[0, :4].tolist() == [[100] * 3, [200] * 3, [16, 18, 40], [120] * 3]


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("at", [0.0, 0.999999])
def test_patches_stay_inside_the_photograph(photo: str, at: float) -> None:
    plain = patch(photo, at, at, 220, mirrored=False)
    assert plain.shape == (64, 64, 3)
    assert plain.reshape(-1, 3).max(axis=0).min() > 0  # a crop past the edge would be black there
    assert np.array_equal(patch(photo, at, at, 220, mirrored=True), plain[:, ::-1])


# --- the faults


@pytest.mark.parametrize(
    ("correlation", "on_the_flower"),
    [(1.0, [0] * 5 + [10] * 5), (0.0, [5] * 10), (0.4, [3] * 5 + [7] * 5)],
)
def test_background_correlation_by_hand(correlation: float, on_the_flower: list[int]) -> None:
    data = digits_on_photos("val", n=100, background_correlation=correlation)
    flower = data.metadata["background"] == "flower"
    assert np.bincount(data.targets[flower], minlength=10).tolist() == on_the_flower


def test_one_class_can_own_the_flower() -> None:
    data = digits_on_photos("val", n=50, background_correlation=1.0, flower_classes=(7,))
    assert set(data.targets[data.metadata["background"] == "flower"]) == {7}


def test_n_may_be_all_there_are(held_out: DigitsOnPhotos) -> None:
    assert counts(digits_on_photos("test", n=359)) == counts(held_out)
    assert counts(digits_on_photos("test", n=358)) == [36, 36, 35, 36, 36, 36, 36, 36, 35, 36]


def test_minority_keeps_its_share() -> None:
    data = digits_on_photos("train", n=500, minority=8, minority_share=0.028)
    assert counts(data) == [54, 54, 54, 54, 54, 54, 54, 54, 14, 54]
    everything = digits_on_photos("test", minority=0, minority_share=0.05)
    assert counts(everything)[0] == 17  # 323 others / 0.95 * 0.05
    assert len(everything) == 340


@pytest.mark.parametrize(
    ("n", "minority", "share", "expected"),
    [
        (None, None, 0.02, [30] * 10),
        (13, None, 0.02, [2, 2, 2, 1, 1, 1, 1, 1, 1, 1]),
        (1, None, 0.02, [1] + [0] * 9),
        (300, None, 0.02, [30] * 10),
        (93, 9, 0.03, [10] * 9 + [3]),
        (10, 0, 0.001, [1] * 10),  # rare, not absent
    ],
)
def test_class_counts(n: int | None, minority: int | None, share: float, expected: Any) -> None:
    found = class_counts(np.full(10, 30), n, minority, share)
    assert sum(found.tolist()) == (n if n is not None else 300)
    assert found.tolist() == expected


def test_label_noise_is_a_wrong_label_in_its_share() -> None:
    data = digits_on_photos("val", n=200, label_noise=0.15)
    clean = digits_on_photos("val", n=200)
    assert (data.targets != data.metadata["true_label"]).sum() == 30
    assert np.array_equal(data.metadata["true_label"], clean.targets)
    assert np.array_equal(data.images, clean.images)  # only the label lies
    noise = digits_on_photos("val", n=50, label_noise=1.0)
    assert (noise.targets != noise.metadata["true_label"]).all()


def test_copies_paste_each_digit_anew() -> None:
    once, twice = digits_on_photos("val"), digits_on_photos("val", copies=2)
    assert len(twice) == 2 * len(once)
    digits, times = np.unique(twice.metadata["digit"], return_counts=True)
    assert len(digits) == len(once)
    assert set(times) == {2}
    first = np.flatnonzero(twice.metadata["digit"] == digits[0])
    assert not np.array_equal(twice.images[first[0]], twice.images[first[1]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "trian"}, "split is 'trian'; choose one of 'train', 'val', 'test'"),
        ({"n": 0}, "n is 0; ask for at least 1 picture"),
        ({"split": "test", "n": 360}, "n is 360, but there are only 359 pictures; raise copies"),
        ({"n": 1000, "minority": 3}, "class 0 would need 109 pictures and has only 107"),
        ({"copies": 0}, "copies is 0"),
        ({"background_correlation": 1.5}, "background_correlation is 1.5; it must lie between 0"),
        ({"background_correlation": float("nan")}, "background_correlation is nan"),
        ({"label_noise": -0.1}, "label_noise is -0.1; it must lie between 0 and 1"),
        ({"minority": 10}, "minority is 10; the classes are 0 to 9"),
        ({"minority": 1, "minority_share": 0.1}, "minority_share is 0.1; it must lie between 0"),
        ({"minority": 1, "minority_share": 0.0}, "minority_share is 0.0; it must lie between 0"),
        ({"flower_classes": (3, 12)}, "flower_classes holds 12; the classes are 0 to 9"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_arguments_say_what_is_wrong(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        digits_on_photos(**arguments)
