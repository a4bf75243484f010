"""Predictions made up for the tests of scores over them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.measures.predictions import Predictions


def made(targets: Any, probabilities: Any, **more: Any) -> Predictions:
    """From lists; of a flat list of probabilities, those of class 1 of two."""
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim == 1:
        p = np.stack([1 - p, p], axis=1)
    return Predictions(np.arange(len(p)), np.asarray(targets), p.astype(np.float32), **more)


def random_predictions(
    n: int, classes: int, seed: int = 0, signal: float = 1.5, digits: int | None = None
) -> Predictions:
    """Softmax of noise plus signal; with ``digits`` rounded, so that many scores are equal."""
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, classes, n)
    z = generator.normal(size=(n, classes))
    z[np.arange(n), targets] += signal
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    if digits is not None:
        p[:, 1:] = np.floor(p[:, 1:] * 10**digits) / 10**digits
        p[:, 0] = 1 - p[:, 1:].sum(1)
    return made(targets, p)


def rare_class(
    n: int, share: float, signal: float, seed: int = 0, shift: float = 0.0
) -> Predictions:
    """Two classes, the second rare; ``shift`` moves the model towards it."""
    generator = np.random.default_rng(seed)
    targets = (generator.random(n) < share).astype(int)
    z = generator.normal(size=n) + signal * targets - signal / 2 + shift
    return made(targets, 1 / (1 + np.exp(-3 * z)), class_names=("common", "rare"))
