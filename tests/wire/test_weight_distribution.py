"""The still picture: what is drawn can be told from its pixels."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nbdiag.wire.canvas import SCALE, SEVERITY
from nbdiag.wire.weight_distribution import CHANGE, NAMES, RATIO, TREND, WIDTH, draw

RED = tuple(int(SEVERITY["critical"][i : i + 2], 16) for i in (1, 3, 5))


def histograms(count: int, nan: float = 0) -> dict[str, np.ndarray]:
    counts = np.zeros((count, 40), np.float32)
    counts[:, 18:22] = 10
    return {
        "steps": np.arange(1, count + 1),
        "low": np.full(count, -1.0),
        "high": np.full(count, 1.0),
        "counts": counts,
        "nan": np.full(count, nan),
        "infinite": np.zeros(count),
    }


def pixels(weights: np.ndarray, ratios: Any = 1e-3, **more: Any) -> np.ndarray:
    samples, layers = weights.shape
    png = draw(
        source="Net",
        layers=[f"layer{i}" for i in range(layers)],
        findings=[],
        steps=np.arange(1, samples + 1),
        weights=weights,
        ratios=np.full(layers, ratios) if np.isscalar(ratios) else np.asarray(ratios),
        parameter=more.get("parameter", "layer0.weight"),
        histograms=more.get("histograms", histograms(6)),
    )
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def column(image: np.ndarray, x0: float, x1: float) -> np.ndarray:
    """Where that column is dark, away from the headings above it."""
    area = image[62 * SCALE :, round(x0 * SCALE) : round(x1 * SCALE)]
    return (area.sum(axis=2) < 200).nonzero()[1]


def test_the_dot_lies_at_the_logarithm_of_the_ratio() -> None:
    x0 = NAMES + TREND + CHANGE + 8
    marks = [column(pixels(np.ones((3, 1)), r), x0, x0 + RATIO).mean() for r in (1e-6, 1e-3, 1.0)]
    assert marks[0] == pytest.approx(RATIO * SCALE * 1 / 7, abs=6)
    assert marks[1] == pytest.approx(RATIO * SCALE * 4 / 7, abs=6)
    assert marks[2] > RATIO * SCALE * 0.95


def test_a_norm_that_grows_rises() -> None:
    grows = pixels(np.array([[1.0], [2.0], [4.0]]))
    still = pixels(np.array([[1.0], [1.0], [1.0]]))
    area = np.s_[:, NAMES * SCALE : (NAMES + TREND) * SCALE]
    assert (grows[area] != still[area]).any()
    rows = (grows[area][62 * SCALE :].sum(axis=2) < 200).nonzero()
    left, right = rows[0][rows[1] < 20].mean(), rows[0][rows[1] > TREND * SCALE - 20].mean()
    assert right < left


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_marked(bad: float) -> None:
    weights = np.ones((5, 2))
    assert not (pixels(weights) == RED).all(axis=2).any()
    weights[-1, 1] = bad
    assert (pixels(weights) == RED).all(axis=2).any()


def test_entries_that_are_not_finite_are_counted() -> None:
    image = pixels(np.ones((5, 2)), histograms=histograms(6, nan=3))
    assert (image == RED).all(axis=2).any()


def test_a_histogram_that_is_all_nan_or_one_number_is_drawn() -> None:
    flat = histograms(3)
    flat["low"][:] = flat["high"][:] = 0.5
    empty = histograms(3, nan=40)
    empty["counts"][:] = 0
    empty["low"][:] = empty["high"][:] = np.nan
    for one in (flat, empty):
        assert pixels(np.ones((2, 1)), histograms=one).shape[1] == WIDTH * SCALE


@pytest.mark.parametrize(("samples", "layers"), [(0, 3), (1, 1), (2, 300), (5000, 2)], ids=str)
def test_any_size_is_drawn(samples: int, layers: int) -> None:
    image = pixels(np.full((samples, layers), 0.1), np.nan, histograms={}, parameter="")
    assert image.shape[1] == WIDTH * SCALE
    assert image.shape[0] < 700 * SCALE
