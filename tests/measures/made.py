"""Predictions with errors at chosen rates, for tests of what is found in them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.measures.predictions import Predictions


def told(
    wrong: Any, classes: int = 10, seed: int = 0, targets: Any = None, **options: Any
) -> Predictions:
    """Predictions that are wrong where `wrong` (N,) says: bool, or the chance of it."""
    rng = np.random.default_rng([seed, 77])  # no stream that a test draws from as well
    wrong = np.asarray(wrong)
    n = len(wrong)
    if wrong.dtype != bool:
        wrong = rng.random(n) < wrong
    y = rng.integers(0, classes, n) if targets is None else np.asarray(targets)
    answer = np.where(wrong, (y + rng.integers(1, classes, n)) % classes, y)
    sure = rng.uniform(0.6, 0.98, n).astype(np.float32)
    p = np.repeat(((1 - sure) / (classes - 1))[:, None], classes, axis=1)
    p[np.arange(n), answer] = sure
    return Predictions(targets=y, probabilities=p, **options)


def scene(n: int, seed: int = 0) -> dict[str, Any]:
    """Metadata of n pictures: six cameras at three sites, light, night, weather, a date."""
    rng = np.random.default_rng(seed)
    camera = rng.integers(0, 6, n)
    north = (camera == 3) | ((camera > 3) & (rng.random(n) < 0.5))
    start = np.datetime64("2024-01-01", "s")
    return {
        "sensor": np.array([f"cam{i}" for i in range(6)])[camera],
        "site": np.where(north, "north", np.where(camera < 3, "south", "east")),
        "light": rng.beta(2, 2, n).round(3),
        "night": rng.random(n) < 0.3,
        "weather": rng.choice(np.array(["sun", "rain", None], object), n, p=[0.6, 0.35, 0.05]),
        "when": start + (rng.random(n) * 365 * 86400).astype("timedelta64[s]"),
    }
