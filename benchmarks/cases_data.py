"""Sound data sets that look frightening, and unsound ones with one planted fault each.

A case makes the arguments of `nd.inspect_data` from a seed. `expected` is the code that must be
found ("" for a sound one); other codes that the data also deserve are in `also`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[np.random.Generator], tuple[Any, ...]]
    expected: str = ""
    also: frozenset[str] = frozenset()


CASES: list[Case] = []


def load() -> list[Case]:
    """All cases, the sound ones first."""
    for part in ("sound", "unsound"):
        import_module(f"benchmarks.cases_data_{part}")
    return CASES


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
