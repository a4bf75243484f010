"""How sure a model says it is of each sample, and whether it is right, at any temperature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbdiag.measures.logit_scale import Scaled


@dataclass(frozen=True)
class Scores:
    """What a reliability diagram rests on, for n samples with finite outputs.

    Attributes
    ----------
    confidence : (n,) float64 in [0, 1]: of the predicted class, or of the class asked about.
    hit : (n,) bool: the prediction is right, or the sample is of that class.
    nll : mean negative log-likelihood of the true classes; infinite where one had probability 0.
    brier : mean Brier score over all classes, 0 (best) to 2; of two classes of one of them, 0 to 1.
    impossible : samples whose true class was given a probability of exactly 0.
    """

    confidence: np.ndarray
    hit: np.ndarray
    nll: float
    brier: float
    impossible: int


def score(scaled: Scaled, temperature: float = 1.0, number: int | None = None) -> Scores:
    """Scores of the predicted class, or of class ``number``.

    Brier and NLL are those of all classes either way.
    """
    n = len(scaled)
    confidence = np.empty(n)
    own = np.empty(n)
    squares = 0.0
    for part, told in scaled.softened(temperature):
        across = np.arange(told.shape[1])
        of_target = told[scaled.targets[part], across]
        own[part] = of_target
        squares += float(np.einsum("ij,ij->", told, told)) + float((1 - 2 * of_target).sum())
        confidence[part] = told[scaled.predicted[part], across] if number is None else told[number]
    hit = scaled.predicted == scaled.targets if number is None else scaled.targets == number
    if not n:
        return Scores(confidence, hit, float("nan"), float("nan"), 0)
    brier = squares / n / (2 if scaled.n_classes == 2 else 1)
    nll, impossible = _nll(scaled, own, temperature)
    return Scores(confidence, hit, nll, max(brier, 0.0), impossible)


def _nll(scaled: Scaled, own: np.ndarray, temperature: float) -> tuple[float, int]:
    """Mean NLL, and how many samples make it infinite."""
    low = own < 1e-300
    total = -float(np.log(own[~low]).sum())
    if low.any():  # 0 for good, or only too small for a float64
        rest = scaled.take(np.flatnonzero(low))
        given = rest.scores[np.arange(len(rest)), rest.targets]
        impossible = int((given <= 0).sum() if rest.are_log else np.isneginf(given).sum())
        if impossible:
            return float("inf"), impossible
        total += rest.nll(temperature) * len(rest)
    return total / len(own), 0
