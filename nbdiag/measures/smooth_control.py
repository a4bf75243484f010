"""How smooth could a boundary through these samples be? A control to compare a model with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST = 500  # samples that it is fitted to
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the kernel, in typical distances between samples
RIDGES = (
    1e-3,
    1e-2,
    1e-1,
    1.0,
)  # in multiples of the number of samples, relative to the kernel's 1


@dataclass(frozen=True, repr=False)
class SmoothControl:
    """Kernel ridge regression of class membership: a Gaussian kernel, as smooth as the data allow.

    Width and ridge are those of the least leave-one-out error (in closed form: Craven and Wahba,
    Numer. Math. 31, 1979). Taking a smoother one within its error would make a yardstick that knows
    nothing of fine structure which few samples show, and every good model would look rough.

    Attributes
    ----------
    error : share of the samples that it gets wrong when they are left out.
    base_error : the same when the commonest class is always said.
    """

    points: np.ndarray
    weights: np.ndarray  # (M, C)
    means: np.ndarray  # (C,)
    width: float
    ridge: float
    error: float
    base_error: float

    @classmethod
    def fit(cls, points: np.ndarray, labels: np.ndarray, classes: int) -> SmoothControl | None:
        """From points (M, D) in standard deviations and their classes; None for a single class."""
        if len(np.unique(labels)) < 2 or len(points) < 10:
            return None
        if len(points) > MOST:
            generator = np.random.Generator(np.random.PCG64(0))
            chosen = np.sort(generator.choice(len(points), MOST, replace=False))
            points, labels = points[chosen], labels[chosen]
        truth = np.eye(classes)[labels]
        means = truth.mean(0)
        n = len(points)
        distances = _squares(points, points)
        typical = float(np.median(distances[np.triu_indices(n, 1)])) or 1.0
        tried = []
        for width in WIDTHS:
            kernel = np.exp(-distances / (2 * width**2 * typical))
            values, vectors = np.linalg.eigh(kernel)
            turned = vectors.T @ (truth - means)
            for ridge in RIDGES:
                gain = values / (values + ridge)
                fitted = vectors @ (gain[:, None] * turned)
                own = (vectors**2) @ gain
                left_out = (fitted - own[:, None] * (truth - means)) / (1 - own)[:, None]
                miss = ((left_out - (truth - means)) ** 2).sum(1)
                wrong = float(((left_out + means).argmax(1) != labels).mean())
                tried.append((float(miss.mean()), width, ridge, wrong))
        _, width, ridge, wrong = min(tried)
        kernel = np.exp(-distances / (2 * width**2 * typical))
        weights = np.linalg.solve(kernel + ridge * np.eye(n), truth - means)
        scale = width * float(np.sqrt(typical))
        return cls(points, weights, means, scale, ridge, wrong, float(1 - means.max()))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Probabilities (Q, C), as far as a regression gives them."""
        out = np.empty((len(points), len(self.means)))
        for start in range(0, len(points), 2048):
            part = points[start : start + 2048]
            kernel = np.exp(-_squares(part, self.points) / (2 * self.width**2))
            out[start : start + len(part)] = kernel @ self.weights + self.means
        out = np.clip(out, 0, None)
        total = out.sum(1, keepdims=True)
        return np.divide(out, total, out=np.tile(self.means, (len(out), 1)), where=total > 0)


def _squares(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    return np.maximum(squares, 0.0)
