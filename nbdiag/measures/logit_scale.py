"""Logits of predictions divided by a temperature: the sums that a fit and a diagram need.

All in float64, some rows at a time, so that 1,000,000 x 10 fit into little memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nbdiag.measures.predictions import Predictions

_ELEMENTS = 2**17  # of a block of rows: two of these in float64 stay within the cache
MASKED = -1e9  # a logit of -infinity, far below any other at every temperature


def blocks(n: int, classes: int) -> Iterator[slice]:
    """Slices over N rows whose blocks hold about as many numbers as the cache does."""
    rows = max(1, _ELEMENTS // classes)
    for start in range(0, n, rows):
        yield slice(start, min(n, start + rows))


@dataclass(frozen=True)
class Scaled:
    """Logits, or the logarithms of probabilities, that can be divided by a temperature.

    Attributes
    ----------
    scores : (n, C), of the finite rows.
    targets : (n,) int64.
    predicted : (n,) int64.
    are_log : ``scores`` are probabilities of which the logarithm is still to be taken.
    """

    scores: np.ndarray
    targets: np.ndarray
    predicted: np.ndarray
    are_log: bool

    @classmethod
    def of(cls, predictions: Predictions, rows: np.ndarray | None = None) -> Scaled:
        """The finite rows of `Predictions`; those at ``rows`` among all of them where given."""
        finite = predictions.finite
        kept = np.flatnonzero(finite) if rows is None else rows[finite[rows]]
        scores = predictions.probabilities if predictions.logits is None else predictions.logits
        targets, predicted = predictions.targets, predictions.predicted
        if rows is not None or len(kept) < len(predictions):
            scores, targets, predicted = scores[kept], targets[kept], predicted[kept]
        return cls(scores, targets, predicted, predictions.logits is None)

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: np.ndarray) -> Scaled:
        """These rows alone."""
        return Scaled(self.scores[rows], self.targets[rows], self.predicted[rows], self.are_log)

    @property
    def n_classes(self) -> int:
        return self.scores.shape[1]

    def below_best(self, part: slice) -> np.ndarray:
        """(C, rows) float64, <= 0: how far each logit lies below the largest of its sample.

        Classes first: sums over few classes are several times faster that way.
        """
        given = self.scores[part].T.astype(np.float64, order="C")
        if self.are_log:
            with np.errstate(divide="ignore"):
                np.log(np.maximum(given, 0, out=given), out=given)
        given -= given.max(axis=0)
        return np.maximum(given, MASKED, out=given)

    def softened(self, temperature: float) -> Iterator[tuple[slice, np.ndarray]]:
        """Probabilities (C, rows) in float64 with the logits divided by the temperature."""
        for part in blocks(len(self), self.n_classes):
            if self.are_log and temperature == 1:
                yield part, np.clip(self.scores[part].T.astype(np.float64), 0, 1)
                continue
            told = self.below_best(part)
            told /= temperature
            np.exp(told, out=told)
            told /= told.sum(axis=0)
            yield part, told

    def slope(self, inverse: float) -> Slope:
        """Mean NLL at ``inverse`` = 1/T, and its first two derivatives by 1/T."""
        total = np.zeros(4)
        for part in blocks(len(self), self.n_classes):
            below = self.below_best(part)
            weight = np.exp(below * inverse)
            size = weight.sum(axis=0)
            weight *= below
            mean = weight.sum(axis=0) / size
            weight *= below
            spread = weight.sum(axis=0) / size - mean**2
            own = below[self.targets[part], np.arange(below.shape[1])]
            score = mean - own
            total += (
                (np.log(size) - inverse * own).sum(),
                score.sum(),
                np.maximum(spread, 0).sum(),
                (score**2).sum(),
            )
        return Slope(*(total / len(self)).tolist())

    def nll(self, temperature: float) -> float:
        """Mean negative log-likelihood of the true classes at that temperature."""
        return self.slope(1 / temperature).nll


@dataclass(frozen=True)
class Slope:
    """Mean NLL with its first and second derivative by 1/T, and the first's mean square."""

    nll: float
    first: float
    second: float
    square: float
