"""Unsound data sets, one planted fault each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from benchmarks.cases_data import case, pictures, split, table

# ---------------------------------------------------------------- unsound: not a number


@case("data.nonfinite")
def nan_in_one_column(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    x[rng.choice(600, 9), 3] = np.nan
    return split(rng, x, y)


@case("data.nonfinite")
def infinity_from_a_logarithm(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    amount = rng.poisson(3, 600)
    x[:, 5] = np.log(np.where(amount > 0, amount, 1.0))
    x[amount == 0, 5] = -np.inf
    return split(rng, x, y)


@case("data.nonfinite")
def nan_pixel_in_validation(rng):  # type: ignore[no-untyped-def]
    a, (x, y) = split(rng, *pictures(rng))
    x[7, 0, 3, 3] = np.nan
    return a, (x, y)


@case("data.nonfinite")
def nan_target_of_a_regression(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng)
    y = x[:, 0] + x[:, 1] + rng.normal(size=600)
    y[11] = np.nan
    return split(rng, x, y)


# ---------------------------------------------------------------- unsound: scale


@case("data.unnormalized")
def raw_pixels_as_floats(rng):  # type: ignore[no-untyped-def]
    x, y = pictures(rng, channels=3)
    return split(rng, np.round(x * 255).astype(np.float32), y)


@case("data.unnormalized")
def raw_pixels_flattened(rng):  # type: ignore[no-untyped-def]
    x, y = pictures(rng, side=14)
    return split(rng, np.round(x * 255).astype(np.float32).reshape(len(x), -1), y)


@case("data.unnormalized")
def one_column_in_thousands(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    x[:, 4] = x[:, 4] * 8000 + 30_000
    return split(rng, x, y)


@case("data.unnormalized")
def kelvin(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    x[:, 2] = x[:, 2] * 5 + 290
    return split(rng, x, y)


@case("data.unnormalized")
def all_columns_times_200(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    return split(rng, x * 200, y)


@case("data.unnormalized")
def divided_by_255_twice(rng):  # type: ignore[no-untyped-def]
    x, y = pictures(rng)
    return split(rng, x / 255, y)


@case("data.unnormalized")
def validation_left_raw(rng):  # type: ignore[no-untyped-def]
    scale, offset = rng.uniform(2, 30, 12), rng.normal(size=12) * 20
    a, b = split(rng, *table(rng))
    return a, (b[0] * scale + offset, b[1])


@case("data.unnormalized")
def test_pixels_not_divided(rng):  # type: ignore[no-untyped-def]
    a, b = split(rng, *pictures(rng))
    return a, b, (b[0][::-1] * 255, b[1][::-1])


@case("data.unnormalized")
def money_in_a_sequence(rng):  # type: ignore[no-untyped-def]
    x = np.exp(rng.normal(8, 1, (300, 30, 3))).astype(np.float32)
    return split(rng, x, rng.integers(0, 2, 300))


# ---------------------------------------------------------------- unsound: classes


@case("data.single_class")
def all_of_one_class(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    return (x, np.zeros(600, int)), (x[:9] + 1, y[:9] * 0)


@case("data.single_class", "data.imbalanced")
def sorted_and_cut_in_two(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    order = np.argsort(y)
    return (x[order[:400]], y[order[:400]]), (x[order[400:]], y[order[400:]])


@case("data.single_class")
def sorted_and_not_shuffled(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    order = np.argsort(y)
    data = TensorDataset(torch.from_numpy(x[order]), torch.from_numpy(y[order]))
    return (DataLoader(data, batch_size=16),)


@case("data.single_class")
def masks_lost(rng):  # type: ignore[no-untyped-def]
    x, _ = pictures(rng, 200)
    return split(rng, x, np.zeros((200, 28, 28), np.int64))


@case("data.single_class")
def label_that_never_applies(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng)
    y = (rng.random((600, 8)) < 0.2).astype(np.float32)
    y[:, 3] = 0
    return split(rng, x, y)


@case("data.imbalanced")
def three_in_a_hundred(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng, 1000)
    return split(rng, x, (rng.random(1000) < 0.03).astype(int))


@case("data.imbalanced")
def long_tail(rng):  # type: ignore[no-untyped-def]
    counts = (600 * 0.01 ** (np.arange(20) / 19)).astype(int)
    y = np.repeat(np.arange(20), counts)
    return ((rng.normal(size=(len(y), 16)), y),)


@case("data.imbalanced")
def one_hot_targets_of_a_rare_class(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng, 1000)
    y = rng.choice(3, 1000, p=[0.6, 0.37, 0.03])
    return ((x, np.eye(3, dtype=np.float32)[y]),)


# ---------------------------------------------------------------- unsound: leakage


@case("data.leakage")
def one_sample_in_both(rng):  # type: ignore[no-untyped-def]
    a, b = split(rng, *table(rng))
    b[0][5], b[1][5] = a[0][17], a[1][17]
    return a, b


@case("data.leakage")
def overlapping_subsets_of_augmented_data(rng):  # type: ignore[no-untyped-def]
    x, y = pictures(rng)

    class Noisy(Dataset[Any]):
        def __len__(self) -> int:
            return 500

        def __getitem__(self, i: int) -> Any:
            return torch.from_numpy(x[i]) + 0.3 * torch.rand(1, 28, 28), int(y[i])

    data = Noisy()
    return Subset(data, range(350)), Subset(data, range(330, 500))


def _copies(rng: Any, change: Callable[[np.ndarray], np.ndarray], channels: int = 1) -> Any:
    a, b = split(rng, *pictures(rng, channels=channels))
    chosen = rng.choice(len(a[0]), 15, replace=False)
    b[0][:15], b[1][:15] = change(a[0][chosen]), a[1][chosen]
    return a, b


@case("data.leakage")
def pictures_brighter(rng):  # type: ignore[no-untyped-def]
    return _copies(rng, lambda x: np.clip(x * 0.9 + 0.08, 0, 1))


@case("data.leakage")
def pictures_with_noise(rng):  # type: ignore[no-untyped-def]
    return _copies(rng, lambda x: np.clip(x + 0.03 * rng.normal(size=x.shape), 0, 1), 3)


@case("data.leakage")
def pictures_shifted(rng):  # type: ignore[no-untyped-def]
    return _copies(rng, lambda x: np.roll(x, 1, axis=3))


@case("data.leakage")
def pictures_flipped(rng):  # type: ignore[no-untyped-def]
    return _copies(rng, lambda x: x[..., ::-1])


@case("data.leakage")
def augmented_before_the_split(rng):  # type: ignore[no-untyped-def]
    x, y = pictures(rng, 300)
    more = [x, np.roll(x, 1, axis=2), np.clip(x + 0.04 * rng.normal(size=x.shape), 0, 1)]
    return split(rng, np.concatenate(more).astype(np.float32), np.tile(y, 3))


@case("data.leakage")
def rows_with_tiny_noise(rng):  # type: ignore[no-untyped-def]
    a, b = split(rng, *table(rng))
    b[0][:12] = a[0][:12] + 1e-3 * rng.normal(size=(12, 12))
    return a, b


@case("data.leakage")
def texts_that_differ_in_case(rng):  # type: ignore[no-untyped-def]
    words = [f"word{i}" for i in range(300)]
    texts = [" ".join(rng.choice(words, 12)) for _ in range(300)]
    copied = [text.upper() + " ." for text in texts[:8]]
    y = rng.integers(0, 2, 308).tolist()
    return (texts[:200], y[:200]), (texts[200:] + copied, y[200:])


@case("data.leakage")
def categorical_rows_copied(rng):  # type: ignore[no-untyped-def]
    x = rng.integers(0, 6, (500, 5)).astype(np.float32)
    a, b = split(rng, x, rng.integers(0, 2, 500))
    b[0][:90], b[1][:90] = a[0][:90], a[1][:90]
    return a, b


@case("data.leakage")
def equal_inputs_other_labels(rng):  # type: ignore[no-untyped-def]
    a, b = split(rng, *pictures(rng))
    b[0][:4], b[1][:4] = a[0][:4], (a[1][:4] + 1) % 5
    return a, b


@case("data.leakage")
def target_in_a_column(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    return split(rng, np.concatenate([x, y[:, None]], 1), y)


@case("data.leakage")
def target_in_a_noisy_column(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    return split(rng, np.concatenate([x, (y - 1 + 0.05 * rng.normal(size=600))[:, None]], 1), y)


@case("data.leakage")
def one_hot_target_among_columns(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    return split(rng, np.concatenate([x, np.eye(3)[y]], 1), y)


@case("data.leakage")
def regression_target_in_a_column(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng)
    y = x @ rng.normal(size=12) + rng.normal(size=600)
    return split(rng, np.concatenate([x, (y / y.std())[:, None] ** 3], 1), y)


@case("data.leakage")
def rare_class_repeated_before_the_split(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng)
    y = (rng.random(600) < 0.1).astype(int)
    again = np.concatenate([np.arange(600), np.repeat(np.flatnonzero(y == 1), 8)])
    return split(rng, x[again], y[again])


@case("data.leakage")
def rare_class_jittered_before_the_split(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng)
    y = (rng.random(600) < 0.1).astype(int)
    again = np.concatenate([np.arange(600), np.repeat(np.flatnonzero(y == 1), 8)])
    noise = 0.02 * rng.normal(size=(len(again), 12)) * (np.arange(len(again)) >= 600)[:, None]
    return split(rng, x[again] + noise, y[again])


@case("data.leakage")
def regression_rows_in_both(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng)
    y = x @ rng.normal(size=12)
    return (x[:450], y[:450]), (x[420:], y[420:])


@case("data.leakage")
def masks_with_equal_pictures(rng):  # type: ignore[no-untyped-def]
    x, _ = pictures(rng, 200)
    masks = (x[:, 0] > 0.5).astype(np.int64)
    return (x[:150], masks[:150]), (x[140:], masks[140:])


@case("data.nonfinite")
def nan_in_a_spectrogram(rng):  # type: ignore[no-untyped-def]
    power = np.maximum(rng.normal(size=(200, 1, 40, 90)), 0) ** 2
    with np.errstate(divide="ignore"):
        x = np.log(power).astype(np.float32)
    return split(rng, x, rng.integers(0, 4, 200))


@case("data.leakage")
def token_sequences_copied(rng):  # type: ignore[no-untyped-def]
    x = rng.zipf(1.3, (500, 30)).clip(1, 5000)
    x[480:] = x[:20]
    y = rng.integers(0, 2, 500)
    return (x[:350], y[:350]), (x[350:], y[350:])
