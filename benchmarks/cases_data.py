"""Sound data sets that look frightening, and unsound ones with one planted fault each.

A case makes the arguments of `nd.inspect_data` from a seed. `expected` is the code that must be
found ("" for a sound one); other codes that the data also deserve are in `also`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, WeightedRandomSampler


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[np.random.Generator], tuple[Any, ...]]
    expected: str = ""
    also: frozenset[str] = frozenset()


CASES: list[Case] = []


def case(expected: str = "", *also: str) -> Callable[[Any], Any]:
    def note(make: Any) -> Any:
        CASES.append(Case(make.__name__, make, expected, frozenset(also)))
        return make

    return note


def split(rng: np.random.Generator, x: Any, y: Any, share: float = 0.3) -> tuple[Any, Any]:
    order = rng.permutation(len(x))
    cut = int(len(x) * (1 - share))
    a, b = order[:cut], order[cut:]
    return (x[a], y[a]), (x[b], y[b])


def table(
    rng: np.random.Generator, n: int = 600, d: int = 12, classes: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Correlated standardised columns, classes that overlap.

    Scaled by what is known of the population, not by these very samples: whoever does that before
    splitting has fitted the scaling on everything.
    """
    y = rng.integers(0, classes, n)
    centres = rng.normal(size=(classes, d)) * 0.7
    mix = rng.normal(size=(d, d)) / np.sqrt(d)
    x = centres[y] + rng.normal(size=(n, d)) @ mix
    spread = np.sqrt(centres.var(axis=0) + (mix**2).sum(axis=0))
    return ((x - centres.mean(axis=0)) / spread).astype(np.float32), y


def pictures(
    rng: np.random.Generator, n: int = 500, side: int = 28, channels: int = 1, classes: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Strokes on a black background, in [0, 1]: a class is a shape, drawn by a shaky hand."""
    y = rng.integers(0, classes, n)
    shapes = [np.random.default_rng(k).normal(size=(4, 2)) for k in range(classes)]
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).astype(float)
    x = np.zeros((n, channels, side, side), np.float32)
    for i in range(n):
        corners = shapes[y[i]] * side * 0.18 + rng.normal(size=(4, 2)) * side * 0.06 + side / 2
        line = np.concatenate(
            [corners[j] + np.linspace(0, 1, 9)[:, None] * (corners[j + 1] - corners[j])
             for j in range(3)]
        )  # fmt: skip
        far = np.sqrt(((grid[:, :, None] - line) ** 2).sum(-1)).min(-1)
        x[i] = np.clip(1.6 - far / (side * rng.uniform(0.03, 0.06)), 0, 1)
    if channels > 1:
        x *= rng.uniform(0.4, 1, (n, channels, 1, 1))
    return x.astype(np.float32), y


# ---------------------------------------------------------------- sound


@case()
def standardised_table(rng):  # type: ignore[no-untyped-def]
    return split(rng, *table(rng))


@case()
def scaled_on_train(rng):  # type: ignore[no-untyped-def]
    (a, ya), (b, yb) = split(rng, *table(rng))
    a, b = a * 7 + 3, b * 7 + 3
    mean, spread = a.mean(axis=0), a.std(axis=0)
    return ((a - mean) / spread, ya), ((b - mean) / spread, yb)


@case("data.leakage")
def scaled_before_the_split(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    x = x * 7 + 3
    return split(rng, (x - x.mean(axis=0)) / x.std(axis=0), y)


@case()
def strokes_in_0_1(rng):  # type: ignore[no-untyped-def]
    return split(rng, *pictures(rng))


@case()
def colour_normalised_as_imagenet(rng):  # type: ignore[no-untyped-def]
    x, y = pictures(rng, channels=3)
    mean, sd = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    return split(rng, ((x - mean[:, None, None]) / sd[:, None, None]).astype(np.float32), y)


@case()
def random_noise_pictures(rng):  # type: ignore[no-untyped-def]
    x = torch.from_numpy(rng.random((300, 3, 16, 16), dtype=np.float32))
    y = torch.from_numpy(rng.integers(0, 4, 300))
    return TensorDataset(x[:200], y[:200]), TensorDataset(x[200:], y[200:])


@case()
def categorical_table_with_equal_rows(rng):  # type: ignore[no-untyped-def]
    levels = rng.integers(2, 4, 6)
    x = np.stack([rng.integers(0, k, 800) for k in levels], 1).astype(np.float32)
    return split(rng, x, (x.sum(1) + rng.normal(size=800) > x.sum(1).mean()).astype(int))


@case()
def one_hot_table_and_two_amounts(rng):  # type: ignore[no-untyped-def]
    a, b = rng.integers(0, 5, 700), rng.integers(0, 4, 700)
    x = np.concatenate([np.eye(5)[a], np.eye(4)[b], rng.normal(size=(700, 2))], 1)
    return split(rng, x, ((a + b + x[:, -1]) > 4).astype(int))


@case()
def ages_in_whole_years_among_categories(rng):  # type: ignore[no-untyped-def]
    age = np.round(rng.normal(0, 1, 900) * 12) / 12
    x = np.concatenate([age[:, None], rng.integers(0, 2, (900, 7))], 1).astype(np.float32)
    return split(rng, x, rng.integers(0, 2, 900))


@case()
def bag_of_words(rng):  # type: ignore[no-untyped-def]
    topics = rng.dirichlet(np.full(400, 0.05), 4)
    y = rng.integers(0, 4, 500)
    x = np.stack([rng.multinomial(60, topics[c]) for c in y]).astype(np.float32)
    return split(rng, x, y)


@case()
def tf_idf(rng):  # type: ignore[no-untyped-def]
    (a, ya), (b, yb) = bag_of_words(rng)
    idf = np.log(len(a) / (1 + (a > 0).sum(0))) + 1
    scale = [x * idf / np.linalg.norm(x * idf, axis=1, keepdims=True) for x in (a, b)]
    return (scale[0], ya), (scale[1], yb)


@case()
def unit_length_embeddings(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng, 600, 768, 6)
    return split(rng, x / np.linalg.norm(x, axis=1, keepdims=True), y)


@case()
def token_ids_with_padding(rng):  # type: ignore[no-untyped-def]
    x = rng.zipf(1.3, (600, 40)).clip(1, 5000)
    for row, length in zip(x, rng.integers(10, 41, 600), strict=True):
        row[length:] = 0
    return split(rng, torch.from_numpy(x), torch.from_numpy(rng.integers(0, 2, 600)))


@case()
def short_sequences_of_four_letters(rng):  # type: ignore[no-untyped-def]
    x = rng.integers(0, 4, (1500, 8))
    return split(rng, x, (x[:, 2] == 1).astype(int))


@case()
def short_texts_that_repeat(rng):  # type: ignore[no-untyped-def]
    stock = ["ok", "thank you", "see you later", "yes please", "no"]
    words = [f"word{i}" for i in range(300)]
    texts = [
        stock[rng.integers(5)] if rng.random() < 0.2 else " ".join(rng.choice(words, 12))
        for _ in range(500)
    ]
    y = rng.integers(0, 2, 500).tolist()
    return (texts[:350], y[:350]), (texts[350:], y[350:])


@case()
def audio_in_minus_1_to_1(rng):  # type: ignore[no-untyped-def]
    t = np.arange(2000) / 2000
    f = rng.uniform(5, 200, (300, 1))
    x = 0.3 * np.sin(2 * np.pi * (f * t + rng.random((300, 1)))) + 0.02 * rng.normal(
        size=(300, 2000)
    )
    return split(rng, x[:, None].astype(np.float32), (f[:, 0] > 100).astype(int))


@case()
def heavy_tails_on_a_unit_scale(rng):  # type: ignore[no-untyped-def]
    return split(rng, rng.standard_t(1.5, (800, 10)), rng.integers(0, 3, 800))


@case()
def amounts_mostly_zero(rng):  # type: ignore[no-untyped-def]
    x = rng.poisson(4, (700, 15)) * (rng.random((700, 15)) < 0.15)
    return split(rng, x.astype(np.float32), rng.integers(0, 2, 700))


@case()
def principal_components(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng, 700, 20)
    x = x * np.logspace(0, -2, 20)[rng.permutation(20)]
    u, s, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
    return split(rng, u * s, y)


@case()
def two_to_one(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng)
    return split(rng, x, (rng.random(600) < 1 / 3).astype(int))


@case()
def hundred_classes_of_few(rng):  # type: ignore[no-untyped-def]
    weights = 1 / np.arange(1, 101) ** 0.3
    y = np.concatenate(
        [np.arange(100), np.arange(100), rng.choice(100, 900, p=weights / weights.sum())]
    )
    x = rng.normal(size=(1100, 20)) + rng.normal(size=(100, 20))[y]
    keep = np.concatenate([np.ones(100, bool), rng.random(1000) < 0.75])
    return (x[keep], y[keep]), (x[~keep], y[~keep])


@case()
def rare_class_drawn_more_often(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng, 1000)
    y = (rng.random(1000) < 0.04).astype(int)
    weights = np.where(y == 1, 1 / y.mean(), 1 / (1 - y.mean()))
    data = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    return (DataLoader(data, batch_size=32, sampler=WeightedRandomSampler(weights.tolist(), 1000)),)


@case()
def sorted_but_shuffled_by_the_loader(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    order = np.argsort(y)
    data = TensorDataset(torch.from_numpy(x[order]), torch.from_numpy(y[order]))
    return (DataLoader(data, batch_size=16, shuffle=True),)


@case()
def easy_clusters_that_any_column_tells(rng):  # type: ignore[no-untyped-def]
    y = rng.integers(0, 2, 500)
    return split(rng, rng.normal(size=(500, 6)) * 0.15 + (2 * y - 1)[:, None], y)


@case()
def one_column_of_two_tells(rng):  # type: ignore[no-untyped-def]
    y = rng.integers(0, 2, 400)
    return split(
        rng, np.stack([(2 * y - 1) + rng.normal(size=400) * 0.2, rng.normal(size=400)], 1), y
    )


@case()
def straight_line(rng):  # type: ignore[no-untyped-def]
    x = rng.uniform(-2, 2, (300, 1))
    return split(rng, x, 3 * x[:, 0] + 1 + rng.normal(size=300) * 0.1)


@case()
def forecast_of_a_smooth_series(rng):  # type: ignore[no-untyped-def]
    t = np.arange(900)
    series = np.sin(t / 20) + 0.5 * np.sin(t / 7.3 + rng.random()) + 0.01 * rng.normal(size=900)
    x = np.stack([series[i : i + 12] for i in range(880)])
    return (x[:600], series[12:612]), (x[612:], series[624:892])


@case()
def blank_tiles(rng):  # type: ignore[no-untyped-def]
    x, y = pictures(rng)
    blank = rng.random(500) < 0.3
    x[blank] = rng.choice([0.0, 1.0], (int(blank.sum()), 1, 1, 1))
    return split(rng, x, y)


@case()
def nearly_blank_tiles(rng):  # type: ignore[no-untyped-def]
    x, y = pictures(rng, 600)
    blank = rng.random(600) < 0.3
    x[blank] = 0.9 + 0.005 * rng.normal(size=(int(blank.sum()), 1, 28, 28))
    return split(rng, x, y)


@case()
def small_sample_with_one_perfect_column(rng):  # type: ignore[no-untyped-def]
    y = np.array([0, 1] * 6)
    x = rng.integers(0, 2, (12, 60)).astype(np.float32)
    x[:, 0] = y
    return split(rng, x, y)


@case()
def augmented_by_a_random_transform(rng):  # type: ignore[no-untyped-def]
    x, y = pictures(rng)

    class Augmented(Dataset[Any]):
        def __len__(self) -> int:
            return 300

        def __getitem__(self, i: int) -> Any:
            picture = torch.from_numpy(x[i])
            return (picture.flip(-1) if torch.rand(()) < 0.5 else picture), int(y[i])

    return Augmented(), (x[300:], y[300:])


@case()
def constant_and_duplicated_columns(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng)
    return split(rng, np.concatenate([x, np.ones((600, 2)), x[:, :2], np.zeros((600, 1))], 1), y)


@case()
def time_split_with_a_trend(rng):  # type: ignore[no-untyped-def]
    x, y = table(rng, 900)
    x = x + np.linspace(-1, 1, 900)[:, None] * rng.normal(size=12)
    return (x[:600], y[:600]), (x[600:], y[600:])


@case()
def segmentation_masks(rng):  # type: ignore[no-untyped-def]
    x, _ = pictures(rng, 200)
    return split(rng, x, (x[:, 0] > 0.5).astype(np.int64))


@case()
def many_labels_at_once(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng)
    y = (rng.random((600, 20)) < rng.uniform(0.03, 0.3, 20)).astype(np.float32)
    return split(rng, x, y)


@case()
def counts_as_targets(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng)
    return split(rng, x, rng.poisson(np.exp(0.5 * x[:, 0])).astype(np.float32))


@case()
def rare_class_repeated_in_train_only(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng)
    y = (rng.random(600) < 0.1).astype(int)
    a, b = split(rng, x, y)
    again = np.repeat(np.flatnonzero(a[1] == 1), 6)
    return (np.concatenate([a[0], a[0][again]]), np.concatenate([a[1], a[1][again]])), b


@case()
def features_of_twenty_products(rng):  # type: ignore[no-untyped-def]
    product = rng.integers(0, 20, 600)
    return split(rng, rng.normal(size=(20, 8))[product], rng.integers(0, 2, 600))


@case()
def flattened_digits_normalised(rng):  # type: ignore[no-untyped-def]
    x, y = pictures(rng)
    return split(rng, ((x.reshape(len(x), -1) - 0.1307) / 0.3081).astype(np.float32), y)


@case()
def dna_one_hot(rng):  # type: ignore[no-untyped-def]
    x = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (500, 50))].transpose(0, 2, 1)
    return split(rng, x, rng.integers(0, 2, 500))


@case()
def two_moons(rng):  # type: ignore[no-untyped-def]
    y = rng.integers(0, 2, 800)
    t = rng.random(800) * np.pi
    x = np.stack(
        [np.where(y, 1 - np.cos(t), np.cos(t)), np.where(y, 0.5 - np.sin(t), np.sin(t))], 1
    )
    return split(rng, x + 0.05 * rng.normal(size=x.shape), y)


@case()
def boxes_beside_pictures(rng):  # type: ignore[no-untyped-def]
    x, y = pictures(rng, 200)
    rows = [
        {"image": x[i], "bbox": rng.uniform(0, 224, 4), "label": int(y[i]), "id": i}
        for i in range(200)
    ]
    return rows[:140], rows[140:]


@case()
def smooth_sensor_windows_in_time_order(rng):  # type: ignore[no-untyped-def]
    noise = rng.normal(size=(6, 3000))
    kernel = np.ones(25) / 5
    series = np.stack([np.convolve(row, kernel, "same") for row in noise])
    x = np.stack([series[:, i : i + 60] for i in range(0, 2900, 20)]).astype(np.float32)
    y = rng.integers(0, 3, len(x))
    return (x[:100], y[:100]), (x[103:], y[103:])


@case()
def autoencoder(rng):  # type: ignore[no-untyped-def]
    x, _ = table(rng)
    return split(rng, x, x)


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
