"""Sound data sets that look frightening."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset, WeightedRandomSampler

from benchmarks.cases_data import case, pictures, split, table


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
