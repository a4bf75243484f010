"""Which labels are probably wrong? Asked of what a model says about samples it did not train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.error_floor import ErrorFloor, error_floor
from nbdiag.measures.findings import Finding
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.result import Result

CHUNK = 2**16
FLOOR = 0.01  # share of wrong labels, its lower end, from which it is told
SUSPECTS_AT_LEAST = 10
ACCURACY = 0.8  # below, too many of its errors are the model's own to tell
OF_ERRORS = 0.15  # and the share must make up so much of the errors
IF_UNSEEN = "if the model was not trained on these samples"


@dataclass(frozen=True, repr=False, eq=False)
class Suspects(Result):
    """Samples whose label is probably wrong, the likeliest first.

    Confident learning (Northcutt, Jiang and Chuang, J. Artif. Intell. Res. 70, 2021): a class is
    claimed for a sample when its probability reaches the mean that the model gives to samples
    labelled so. A sample for which another class than its label is claimed, and predicted, is a
    suspect. Model errors are among them; look before you correct.

    Attributes
    ----------
    rows : (S,) row positions in ``predictions``.
    suggested : (S,) int64, the class that is claimed instead.
    score : (S,) in [0, 1], by how much more probable it is than the label; in falling order.
    thresholds : (C,) what the probability of a class must reach; NaN for a class without samples.
    """

    figure_stem: ClassVar[str] = "label_suspects"

    rows: np.ndarray
    suggested: np.ndarray
    score: np.ndarray
    thresholds: np.ndarray
    predictions: Predictions = field(compare=False)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def floor(self) -> ErrorFloor:
        """The share of errors that stays however sure the model is: what wrong labels leave."""
        return error_floor(self.predictions)

    @property
    def condition(self) -> str:
        """What must hold for these to mean anything; empty where it is known to hold."""
        return "" if self.predictions.out_of_sample else IF_UNSEEN

    def findings(self) -> list[Finding]:
        """``label.suspect``, where errors do not fade as the model gets surer.

        A model errs less the surer it is, and overconfidence only shifts that curve; wrong labels
        add the same share everywhere. The finding needs that share to be there by a likelihood
        ratio test, to be `FLOOR` at least, `SUSPECTS_AT_LEAST` suspects, and a model that is right
        in `ACCURACY` of the samples: a poor one errs at any certainty.
        """
        told = self.predictions
        if len(self) < SUSPECTS_AT_LEAST or told.accuracy < ACCURACY:
            return []
        floor = self.floor
        if not floor.there or floor.low < FLOOR:
            return []
        if floor.share < OF_ERRORS * (1 - told.accuracy):
            return []
        known = bool(told.out_of_sample)
        about = f"Even where the model is most certain, {floor.share:.1%} of the labels contradict"
        return [
            Finding(
                "label.suspect",
                "warning" if known else "info",
                "labels",
                f"{about} it (95 % interval {floor.low:.1%} to {floor.high:.1%}), as wrong labels "
                f"do, while a model's own errors fade; {len(self)} samples are suspects"
                + (f", {self.condition}." if self.condition else "."),
                {
                    "suspects": len(self),
                    "share": floor.share,
                    "share_low": floor.low,
                    "share_high": floor.high,
                    "likelihood_ratio": floor.likelihood_ratio,
                    "samples": len(told),
                    "out_of_sample": told.out_of_sample,
                },
                "Look at the suspects, the first ones first, and correct the labels that are wrong "
                "before you blame the model; then evaluate anew."
                + (
                    ""
                    if known
                    else " If the model was trained on these samples, predict them by "
                    "cross-validation instead, and say out_of_sample=True."
                ),
            )
        ]

    def columns(self) -> Mapping[str, Any]:
        """A row for each suspect."""
        told, names = self.predictions, np.array(self.predictions.class_names, object)
        return {
            "id": told.ids[self.rows],
            "label": names[told.targets[self.rows]],
            "suggested": names[self.suggested],
            "score": self.score,
        }

    def __repr__(self) -> str:
        condition = f" ({self.condition})" if self.condition else ""
        found = "probably wrong labels" if self.findings() else "no sign of wrong labels"
        return f"Suspects: of {len(self.predictions)} samples, {found}{condition}"


def label_suspects(predictions: Predictions) -> Suspects:
    """Which labels are probably wrong?

    Only of samples that the model did not train on: what it has learnt by heart, wrong labels and
    all, it confirms. ``predictions.out_of_sample`` says so; where it is not known, the answer
    holds "if the model was not trained on these samples".

    Raises
    ------
    ValueError : for predictions that are known to be of the training samples.
    """
    if predictions.out_of_sample is False:
        raise ValueError(
            "these are predictions of the samples that the model was trained on, and it confirms "
            "the labels that it has learnt by heart, right or wrong: predict held-out samples, or "
            "each sample by a model that was trained without it (cross-validation), and say "
            "out_of_sample=True"
        )
    told, classes = predictions, predictions.n_classes
    targets, finite = told.targets, told.finite
    every = np.arange(len(told))
    own = told.probabilities[every, targets].astype(np.float64)
    counts = np.bincount(targets[finite], minlength=classes)
    sums = np.bincount(targets[finite], weights=own[finite], minlength=classes)
    with np.errstate(invalid="ignore"):
        thresholds = sums / counts
    reach = np.where(counts > 0, thresholds, np.inf)
    # Only errors can be suspects, and of a large table they are the smaller part.
    wrong = np.flatnonzero(finite & (told.predicted != targets))
    claimed = np.full(len(wrong), -1)
    for start in range(0, len(wrong), CHUNK):
        part = slice(start, start + CHUNK)
        probabilities = told.probabilities[wrong[part]]
        allowed = np.where(probabilities >= reach, probabilities, -1)
        best = allowed.argmax(axis=1)
        claimed[part] = np.where(allowed[np.arange(len(best)), best] >= 0, best, -1)
    kept = (claimed >= 0) & (claimed != targets[wrong])
    rows, suggested = wrong[kept], claimed[kept]
    score = told.probabilities[rows, suggested].astype(np.float64) - own[rows]
    order = np.lexsort((rows, -score))
    return Suspects(rows[order], suggested[order], score[order].clip(0, 1), thresholds, told)
