"""Does a share of errors stay, however sure the model is? Wrong labels leave such a floor.

The chance that label and answer agree is modelled over the margin z between the two highest scores
as ``(1 - f) * rise(z)``, a rise with an upper end below 1, as psychometrics models lapses of a
sure observer (Wichmann and Hill, Perception & Psychophysics 63, 2001). Two rises are tried, of
which the second is slow: logistic in z, and in log z. That leaves a miscalibrated model room to err
in its own way before the floor f is called upon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbdiag.measures.predictions import Predictions

BINS = 100  # of equal counts, so that a million samples cost no more to fit
SAMPLES_AT_LEAST = 100
NEEDED = 10.8  # likelihood ratio; of a share at its bound, p = 0.0005
FLOORS = np.concatenate([[0.0], np.geomspace(1e-3, 0.6, 48)])
MARGIN_AT_MOST = 30.0
FADES = 0.7  # per spread of the margins, at least so much do the log odds of an error fall


@dataclass(frozen=True)
class ErrorFloor:
    """The share of errors that does not fade with certainty.

    Attributes
    ----------
    share, low, high : likeliest share, with its 95 % profile likelihood interval, rounded
        outwards to the grid that was tried.
    likelihood_ratio : 2 log of how much better the data fit with it than without.
    """

    share: float
    low: float
    high: float
    likelihood_ratio: float

    @property
    def there(self) -> bool:
        return self.likelihood_ratio > NEEDED


def error_floor(predictions: Predictions) -> ErrorFloor:
    """Fit it; nothing is known (0 to 1) of fewer than `SAMPLES_AT_LEAST` samples."""
    rows = np.flatnonzero(predictions.finite)
    if len(rows) < SAMPLES_AT_LEAST:
        return ErrorFloor(0.0, 0.0, 1.0, 0.0)
    margin = _margins(predictions, rows)
    agree = (predictions.predicted == predictions.targets)[rows]
    order = np.argsort(margin, kind="stable")
    cuts = np.linspace(0, len(rows), min(BINS, len(rows) // 10) + 1).astype(np.int64)[:-1]
    n = np.diff([*cuts, len(rows)]).astype(np.float64)
    z = np.add.reduceat(margin[order], cuts) / n
    right = np.add.reduceat(agree[order].astype(np.float64), cuts)
    chance = 1 / predictions.n_classes
    profiles = [_profile(x, right, n, chance) for x in (z, np.log(z + 1e-3))]
    best = np.max(profiles, axis=0)
    ratio = 2 * (best.max() - best[0])
    within = np.flatnonzero(2 * (best.max() - best) <= 3.84)
    low, high = max(within[0] - 1, 0), min(within[-1] + 1, len(FLOORS) - 1)
    return ErrorFloor(
        float(FLOORS[best.argmax()]), float(FLOORS[low]), float(FLOORS[high]), float(ratio)
    )


def _margins(predictions: Predictions, rows: np.ndarray) -> np.ndarray:
    """Between the two highest scores, in logits; of probabilities, the log of their ratio."""
    margins = np.empty(len(rows))
    for start in range(0, len(rows), 2**16):
        part = rows[start : start + 2**16]
        scores = predictions.probabilities if predictions.logits is None else predictions.logits
        top = np.partition(scores[part], -2, axis=1)[:, -2:].astype(np.float64)
        if predictions.logits is None:
            top = np.log(np.maximum(top, 1e-7))
        margins[start : start + len(part)] = top[:, 1] - top[:, 0]
    return np.minimum(margins, MARGIN_AT_MOST)


def _profile(x: np.ndarray, right: np.ndarray, n: np.ndarray, chance: float) -> np.ndarray:
    """Best log likelihood for each of `FLOORS`."""
    from scipy.optimize import minimize

    middle, spread = float(np.average(x, weights=n)), float(x.std()) or 1.0
    scaled, wrong = (x - middle) / spread, n - right

    def loss(at: np.ndarray, floor: float) -> tuple[float, np.ndarray]:
        # The lowest end is chance: a coin among C classes.
        slope, shift = np.exp(at[0]), at[1]
        inner = np.clip(slope * scaled + shift, -40, 40)
        rise = 1 / (1 + np.exp(-inner))
        p = (1 - floor) * (chance + (1 - chance) * rise)
        p = np.clip(p, 1e-12, 1 - 1e-12)
        slopes = -(right / p - wrong / (1 - p)) * (1 - floor) * (1 - chance) * rise * (1 - rise)
        value = -float((right * np.log(p) + wrong * np.log1p(-p)).sum())
        return value, np.array([(slopes * slope * scaled).sum(), slopes.sum()])

    starts = [np.array([0.0, 2.0]), np.array([1.0, 3.0])]
    bounds, found = [(np.log(FADES), 3.5), (-20.0, 40.0)], []
    for floor in FLOORS:
        ways = [
            minimize(loss, at, (floor,), jac=True, method="L-BFGS-B", bounds=bounds)
            for at in starts
        ]
        best = min(ways, key=lambda way: way.fun)
        starts = [best.x]
        found.append(-best.fun)
    return np.array(found)
