"""Bins over confidence, what was counted in them, and what chance alone would show there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Strategy = Literal["equal_width", "equal_mass"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
BINS_AT_MOST = 1000
DRAWS = 1000
CELLS = 512  # in [0, 1]: samples whose confidences differ by less are drawn together


def edges_of(confidence: np.ndarray, bins: int, strategy: Strategy) -> np.ndarray:
    """Ascending edges (B + 1,) of bins [a, b), of which the last one is closed: [a, b].

    ``"equal_width"``: B = ``bins`` over 0 to 1. ``"equal_mass"``: from the least confidence to the
    largest, as many samples each as ties allow; equal confidences are never parted, so that B may
    be smaller, and no bin is empty. The last two edges are equal where a tie fills the last bin.

    >>> edges_of(np.array([0.2, 0.4, 0.4, 0.4, 0.9, 1.0]), 3, "equal_mass").tolist()
    [0.2, 0.4, 0.9, 1.0]
    """
    if strategy == "equal_width" or not len(confidence):
        return np.linspace(0, 1, bins + 1)
    starts = np.arange(bins) * len(confidence) // bins
    ordered = np.sort(confidence)
    return np.append(np.unique(ordered[starts]), ordered[-1])


def assign(confidence: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(n,) the bin of each confidence. 0 lies in the first, 1 in the last.

    >>> assign(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.5, 1.0])).tolist()
    [0, 1, 1]
    """
    return np.searchsorted(edges[1:-1], confidence, side="right")


@dataclass(frozen=True)
class Bins:
    """What was counted in B bins.

    Attributes
    ----------
    edges : (B + 1,).
    counts : (B,) int64, samples.
    hits : (B,) int64, those that are right (of the class, for a diagram of one class).
    confidence : (B,) mean of the confidences, NaN in an empty bin.
    """

    edges: np.ndarray
    counts: np.ndarray
    hits: np.ndarray
    confidence: np.ndarray

    @classmethod
    def count(
        cls, confidence: np.ndarray, hit: np.ndarray, edges: np.ndarray, where: np.ndarray
    ) -> Bins:
        many = len(edges) - 1
        counts = np.bincount(where, minlength=many)
        hits = np.bincount(where[hit], minlength=many)
        total = np.bincount(where, weights=confidence, minlength=many)
        mean = np.divide(total, counts, out=np.full(many, np.nan), where=counts > 0)
        return cls(edges, counts.astype(np.int64), hits.astype(np.int64), np.minimum(mean, 1))

    def scaled(self, factor: float) -> Bins:
        """As of ``factor`` times as many samples with the same shares."""
        counts = np.maximum(np.round(self.counts * factor), self.counts).astype(np.int64)
        hits = np.round(np.nan_to_num(self.observed) * counts).astype(np.int64)
        return Bins(self.edges, counts, hits, self.confidence)

    @property
    def observed(self) -> np.ndarray:
        """(B,) share that is right, NaN in an empty bin."""
        empty = np.full(len(self.counts), np.nan)
        return np.divide(self.hits, self.counts, out=empty, where=self.counts > 0)

    @property
    def gap(self) -> np.ndarray:
        """(B,) confidence minus what is observed: above 0 it says more than is true."""
        return self.confidence - self.observed

    @property
    def ece(self) -> float:
        """Mean absolute gap, bins weighted by their samples; NaN without a sample."""
        full = self.counts > 0
        if not full.any():
            return float("nan")
        return float(np.abs(self.gap[full]) @ self.counts[full] / self.counts.sum())

    @property
    def worst(self) -> int:
        """The bin with the largest gap, -1 without a sample."""
        return int(np.nanargmax(np.abs(self.gap))) if self.counts.any() else -1

    @property
    def mce(self) -> float:
        """Largest absolute gap of a bin, however few samples it holds."""
        return float(np.abs(self.gap[self.worst])) if self.counts.any() else float("nan")


@dataclass(frozen=True)
class NoiseFloor:
    """The ECE that a perfectly calibrated model with these confidences would show.

    Attributes
    ----------
    mean : expected ECE; it is not 0, as the shares in bins scatter.
    low, high : 95 % of such models show an ECE between them.
    """

    mean: float
    low: float
    high: float


def noise_floor(
    confidence: np.ndarray,
    where: np.ndarray,
    *,
    draws: int = DRAWS,
    cells: int = CELLS,
    share: float = 1.0,
) -> NoiseFloor:
    """Draw what is right anew, each sample with the probability that was said; always the same way.

    Samples of a bin whose confidences agree to 1/512 are drawn together, as one binomial: its
    variance is too large by 0.2 % at most.

    Parameters
    ----------
    where : (n,) bin of each sample.
    draws, cells : how many models are drawn, and how finely confidences are told apart.
    share : the samples given are this share of those that there are.
    """
    if not len(confidence):
        return NoiseFloor(float("nan"), float("nan"), float("nan"))
    cell = where * (cells + 1) + (confidence * cells).astype(np.int64)
    counts = np.bincount(cell)
    chances = np.bincount(cell, weights=confidence)
    taken = np.flatnonzero(counts)
    chance = np.clip(chances[taken] / counts[taken], 0, 1)
    many = np.maximum(1, np.round(counts[taken] / share)).astype(np.int64)
    starts = np.flatnonzero(np.diff(taken // (cells + 1), prepend=-1))
    rng = np.random.default_rng(0)
    surplus = rng.binomial(many, chance, (draws, len(taken))) - many * chance
    errors = np.abs(np.add.reduceat(surplus, starts, axis=1)).sum(axis=1) / many.sum()
    low, high = np.quantile(errors, [0.025, 0.975])
    return NoiseFloor(float(errors.mean()), float(low), float(high))
