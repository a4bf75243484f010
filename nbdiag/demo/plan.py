"""Which digit goes on which photograph, where and how large: the plan of a demo data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nbdiag.demo.pictures import INKS, PHOTOS, SIDE, digit_bitmaps

SPLITS: dict[str, float] = {"train": 0.6, "val": 0.2, "test": 0.2}
"""The splits and the share of the 1,797 digits that each one owns."""

N_CLASSES = 10
SMALLEST, LARGEST = 42, 58  # side of the square that a digit is drawn in, in pixels


@dataclass(frozen=True)
class Plan:
    """One entry a picture: everything needed to draw it again."""

    digit: np.ndarray  # (N,) position in load_digits()
    label: np.ndarray  # (N,) class as handed out, after label noise
    true_label: np.ndarray  # (N,) class as written
    background: np.ndarray  # (N,) name of the photograph
    patch: np.ndarray  # (N, 4) float64: left, top in [0, 1), side in pixels, mirrored 0 or 1
    ink: np.ndarray  # (N,) name of the stroke colour
    size: np.ndarray  # (N,) side of the digit's square, in pixels
    left: np.ndarray  # (N,)
    top: np.ndarray  # (N,)


def split_members(split: str) -> list[np.ndarray]:
    """The digits of one split, a list of 10 arrays of positions in `load_digits()`, one a class.

    The deal is fixed: it depends on no seed, so no digit is ever in two splits.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; choose one of {', '.join(map(repr, SPLITS))}")
    labels = digit_bitmaps()[1]
    stops = np.cumsum([0.0, *SPLITS.values()])
    at = list(SPLITS).index(split)
    # RandomState, not default_rng: numpy promises the same stream in every future version.
    shuffle = np.random.RandomState(0)
    members = []
    for label in range(N_CLASSES):
        own = shuffle.permutation(np.flatnonzero(labels == label))
        first, last = (round(stop * len(own)) for stop in (stops[at], stops[at + 1]))
        members.append(own[first:last])
    return members


def class_counts(
    available: np.ndarray, n: int | None, minority: int | None, minority_share: float
) -> np.ndarray:
    """How many pictures each class gets, (10,) int64: balanced, but for the minority class."""
    total = int(available.sum())
    if minority is None:
        if n is None:
            return available.copy()
        if n > total:
            raise ValueError(f"n is {n}, but there are only {total} pictures; raise copies")
        # One each in turn, as long as a class has some left.
        turn = np.concatenate([np.arange(count) for count in available])
        owner = np.repeat(np.arange(N_CLASSES), available)
        dealt = owner[np.lexsort((owner, turn))[:n]]
        return np.bincount(dealt, minlength=N_CLASSES)
    if not 0 <= minority < N_CLASSES:
        raise ValueError(f"minority is {minority}; the classes are 0 to {N_CLASSES - 1}")
    if not 0.0 < minority_share < 1 / N_CLASSES:
        raise ValueError(
            f"minority_share is {minority_share}; it must lie between 0 and "
            f"{1 / N_CLASSES}, the share of a class in balanced data"
        )
    others = np.arange(N_CLASSES) != minority
    share = available.copy()
    if n is None:
        rest = int(available[others].sum())
        few = max(round(rest * minority_share / (1 - minority_share)), 1)
    else:
        few = max(round(n * minority_share), 1)  # rare, not absent
        rest = n - few
        share[others] = rest // (N_CLASSES - 1)
        share[np.flatnonzero(others)[: rest % (N_CLASSES - 1)]] += 1
    share[minority] = few
    short = np.flatnonzero(share > available)
    if len(short):
        worst = int(short[0])
        raise ValueError(
            f"n is {n} with a rare class {minority}: class {worst} would need {share[worst]} "
            f"pictures and has only {available[worst]}; lower n (there are {total} pictures in "
            "all) or raise copies"
        )
    return share


def make_plan(
    split: str,
    *,
    n: int | None,
    copies: int,
    background_correlation: float,
    flower_classes: Sequence[int],
    minority: int | None,
    minority_share: float,
    label_noise: float,
    seed: int,
) -> Plan:
    """Draw the plan. Arguments as in `digits_on_photos`."""
    if n is not None and n < 1:
        raise ValueError(f"n is {n}; ask for at least 1 picture, or None for all")
    if copies < 1:
        raise ValueError(f"copies is {copies}; every digit is pasted at least once")
    for name, share in (
        ("background_correlation", background_correlation),
        ("label_noise", label_noise),
    ):
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{name} is {share}; it must lie between 0 and 1")
    stray = [label for label in flower_classes if not 0 <= label < N_CLASSES]
    if stray:
        raise ValueError(f"flower_classes holds {stray[0]}; the classes are 0 to {N_CLASSES - 1}")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed}; it must lie between 0 and 2**32 - 1")
    members = [np.tile(own, copies) for own in split_members(split)]
    counts = class_counts(np.array([len(own) for own in members]), n, minority, minority_share)

    # One stream a purpose: changing one switch leaves everything else about the pictures alone,
    # so the same digit can be seen at the same place on the other photograph.
    at = list(SPLITS).index(split)
    order, place, swap, noise = (np.random.RandomState([seed, at, use]) for use in range(4))

    # Places are drawn for every digit of the split and then taken by digit, so that they do not
    # depend on how many of them are kept.
    start = np.cumsum([0, *(len(own) for own in members)])
    kept = np.concatenate([first + np.arange(k) for first, k in zip(start, counts, strict=False)])
    drawn = place.random_sample((start[-1], 8))[kept]
    digit = np.concatenate(members)[kept]
    true_label = digit_bitmaps()[1][digit]

    photo = np.isin(true_label, list(flower_classes)).astype(np.int64)  # position in PHOTOS
    for label in range(N_CLASSES):
        # An exact share a class, not a coin a picture: small data sets stay comparable.
        own = np.flatnonzero(true_label == label)
        moved = round(len(own) * (1.0 - background_correlation) / 2)
        photo[swap.permutation(own)[:moved]] ^= 1

    label = true_label.copy()
    flipped = noise.permutation(len(label))[: round(label_noise * len(label))]
    label[flipped] = (label[flipped] + noise.randint(1, N_CLASSES, len(flipped))) % N_CLASSES

    size = SMALLEST + (drawn[:, 0] * (LARGEST - SMALLEST + 1)).astype(np.int64)
    patch = np.stack(
        [drawn[:, 1], drawn[:, 2], 130 + np.floor(drawn[:, 3] * 91), drawn[:, 4] < 0.5], axis=1
    )
    plan = Plan(
        digit=digit,
        label=label,
        true_label=true_label,
        background=np.array(list(PHOTOS))[photo],
        patch=patch,
        ink=np.array(list(INKS))[(drawn[:, 5] * len(INKS)).astype(np.int64)],
        size=size,
        left=(drawn[:, 6] * (SIDE - size + 1)).astype(np.int64),
        top=(drawn[:, 7] * (SIDE - size + 1)).astype(np.int64),
    )
    shuffled = order.permutation(len(digit))
    return Plan(**{name: values[shuffled] for name, values in vars(plan).items()})
