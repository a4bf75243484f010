"""Which numbers, with what uncertainty?"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures import class_scores, curves
from nbdiag.measures.bootstrap import UNKNOWN, Estimate, around, not_certain, percentiles
from nbdiag.measures.class_scores import METRICS, OVERALL, mean_of_known
from nbdiag.measures.evaluation_text import notes_on, table_of, text_of
from nbdiag.measures.findings import Finding
from nbdiag.measures.intervals import wilson
from nbdiag.measures.misleading import misleading
from nbdiag.measures.operating_points import OperatingPoint, PrecisionRecall
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.result import Result

RESAMPLES = 1000
WORK = 2.0e9  # samples x classes x resamples: some seconds
FEWEST = 100
SHARES = ("precision", "recall", "f1", "roc_auc", "average_precision")
RECALLS = np.linspace(0, 1, 101)
UNBOUNDED = ("log_loss",)


@dataclass(frozen=True, repr=False)
class Evaluation(Result):
    """The scores of a classifier, class by class and overall, each with its interval.

    Attributes
    ----------
    by_class : metric -> the `Estimate` of each class. ``precision``, ``recall`` and ``f1`` are
        those of the most probable class; ``roc_auc``, ``average_precision``, ``brier``,
        ``log_loss`` and ``ece`` those of the class's probability against all the rest.
    macro, weighted : metric -> mean over the classes that have a value, all alike or by support.
    overall : ``accuracy``, ``balanced_accuracy``; ``brier`` (summed over classes, 0 to 2),
        ``log_loss`` and ``ece`` (of the confidence in the predicted class) of whole predictions.
    support, told : (C,) samples of each class, and samples told to be of it.
    resamples, asked : how many resamples the intervals rest on, and how many were asked for.
    notes : what is not defined and why, what was left out, in words.

    A number that is not defined is NaN, never 0, and `notes` says why: recall of a class without
    samples, precision of a class that is never predicted.
    """

    figure_stem: ClassVar[str] = "evaluation"

    predictions: Predictions = field(compare=False)
    by_class: Mapping[str, tuple[Estimate, ...]]
    macro: Mapping[str, Estimate]
    weighted: Mapping[str, Estimate]
    overall: Mapping[str, Estimate]
    support: np.ndarray
    told: np.ndarray
    right: np.ndarray
    resamples: int
    asked: int
    confidence: float
    stratified: bool
    seed: int
    notes: tuple[str, ...]

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.predictions.class_names

    def of(self, name: int | str) -> dict[str, Estimate]:
        """Metric -> estimate of one class, by name or number."""
        number = self.class_number(name)
        return {metric: values[number] for metric, values in self.by_class.items()}

    def class_number(self, name: int | str) -> int:
        """The number of a class; ValueError for one that does not exist."""
        return number_of_class(self.predictions, name)

    def findings(self) -> list[Finding]:
        """``metric.misleading`` where accuracy hides an imbalance."""
        area = dict(zip(self.class_names, self.by_class["average_precision"], strict=True))
        return misleading(self.right, self.support, self.told, self.class_names, area)

    def curve(self, of: int | str) -> PrecisionRecall:
        """The whole precision-recall curve of a class, with the interval around it.

        Precision, recall and thresholds as `sklearn.metrics.precision_recall_curve` has them, one
        point for each distinct score, from the lowest threshold to the point (1, 0).
        """
        number = self.class_number(of)
        ranking = self._ranking(number, every=True)
        precision, recall, thresholds = ranking.precision_recall()
        recalls, low, high = self._band(number)
        return PrecisionRecall(
            self.class_names[number],
            np.r_[precision[::-1], 1.0],
            np.r_[recall[::-1], 0.0],
            thresholds[::-1],
            recalls,
            low,
            high,
            self.support[number] / len(self.predictions),
            self.by_class["average_precision"][number],
            self.confidence,
            self.predictions,
        )

    def recall_at(self, precision: float, of: int | str) -> OperatingPoint:
        """The greatest recall of a class at which its precision is at least ``precision``.

        The interval counts in that each resample would choose its own threshold. The threshold was
        chosen on the very samples it is judged on: `nd.choose_threshold` reports it on others.
        """
        _between(precision, "precision")
        number = self.class_number(of)
        ranking = self._ranking(number)
        best, group = curves.recall_reached(
            ranking.positive, ranking.negative, precision, ranking.lost_positive
        )
        positive, negative, lost, thin = self._resampled(number)
        drawn, _ = curves.recall_reached(positive, negative, precision, lost[:, 0])
        coarse, _ = curves.recall_reached(
            thin.positive, thin.negative, precision, thin.lost_positive
        )
        estimate = self._estimate(best, drawn, coarse, ranking.n_positive)
        return OperatingPoint(
            self.class_names[number], "recall", estimate, "precision", precision,
            float(ranking.scores[group]) if group >= 0 else np.inf, ranking.n_positive, self,
        )  # fmt: skip

    def precision_at(self, recall: float, of: int | str) -> OperatingPoint:
        """The greatest precision of a class at which its recall is at least ``recall``."""
        _between(recall, "recall")
        number = self.class_number(of)
        ranking = self._ranking(number)
        best, group = best_precision(
            ranking.positive, ranking.negative, ranking.lost_positive, recall
        )
        positive, negative, lost, thin = self._resampled(number)
        drawn, _ = best_precision(positive, negative, lost[:, 0], recall)
        coarse, _ = best_precision(thin.positive, thin.negative, thin.lost_positive, recall)
        flagged = int((ranking.positive + ranking.negative)[: int(group) + 1].sum())
        estimate = self._estimate(best, drawn, coarse, flagged)
        return OperatingPoint(
            self.class_names[number], "precision", estimate, "recall", recall,
            float(ranking.scores[group]) if group >= 0 else -np.inf, ranking.n_positive, self,
        )  # fmt: skip

    def columns(self) -> Mapping[str, Any]:
        """A row for each class, for the averages, and for the whole; NaN where not defined."""
        rows = [*self.class_names, "macro average", "weighted average", "overall"]
        kinds = ["class"] * len(self.class_names) + ["average"] * 2 + ["overall"]
        n = len(self.predictions)
        columns: dict[str, Any] = {
            "name": rows,
            "kind": kinds,
            "support": [*self.support.tolist(), n, n, n],
        }
        for metric in dict.fromkeys((*METRICS, *OVERALL)):
            each = list(self.by_class.get(metric, (UNKNOWN,) * len(self.class_names)))
            each += [group.get(metric, UNKNOWN) for group in (self.macro, self.weighted)]
            each.append(self.overall.get(metric, UNKNOWN))
            columns[metric] = [one.value for one in each]
            columns[f"{metric}_low"] = [one.low for one in each]
            columns[f"{metric}_high"] = [one.high for one in each]
        return columns

    def __repr__(self) -> str:
        return text_of(self)

    def _repr_html_(self) -> str:
        return table_of(self)

    def _ranking(self, number: int, most: int | None = None, every: bool = False) -> curves.Ranking:
        told = self.predictions
        scores = np.where(told.finite, told.probabilities[:, number], np.nan)
        return curves.rank(scores, told.targets == number, most, every=every)

    def _resampled(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, curves.Ranking]:
        thin = self._ranking(number, class_scores.GROUPS)
        drawn = class_scores.resampled_ranking(thin, max(self.resamples, FEWEST), self.seed)
        return (*drawn, thin)

    @cached_property
    def _bands(self) -> dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        return {}

    def _band(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if number not in self._bands:
            positive, negative, lost, _ = self._resampled(number)
            drawn = curves.best_precision(positive, negative, RECALLS, lost[:, 0])
            self._bands[number] = (RECALLS, *percentiles(drawn.T, self.confidence))
        return self._bands[number]

    def _estimate(
        self, value: np.ndarray, drawn: np.ndarray, coarse: np.ndarray, n: int
    ) -> Estimate:
        exact = np.asarray(value, float) if n else np.asarray(np.nan)
        low, high = around(exact, drawn, self.confidence, coarse=np.nan_to_num(coarse))
        low, high = not_certain(exact, low, high, np.asarray(n), self.confidence)
        return Estimate(float(exact), float(low), float(high))


def evaluate(
    predictions: Predictions,
    *,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
    stratified: bool = False,
    seed: int = 0,
) -> Evaluation:
    """Which numbers, with what uncertainty?

    Parameters
    ----------
    predictions : what `nd.predict` returned.
    resamples : how often the samples are drawn anew for the intervals. Fewer are taken, and the
        result says so, where samples x classes are so many that it would take minutes.
    confidence : of the intervals: percentiles of the resampled scores; for ECE, which chance
        can only push up, the interval that takes this back, down to 0 where a calibrated model
        would show as much; Wilson's where all or none are right.
    stratified : keep the size of each class in every resample. The default draws all samples
        alike, since how many of each class there are was chance too; a class that drops out of a
        resample is left out there.
    seed : of the resampling; the same seed gives the same intervals.

    Raises
    ------
    TypeError : for anything but `Predictions`.
    ValueError : for fewer than one resample, or a confidence outside 0 to 1.

    >>> told = Predictions(np.arange(4), np.array([0, 0, 0, 1]),
    ...                    np.array([[.9, .1], [.8, .2], [.4, .6], [.3, .7]]))
    >>> evaluate(told).of("1")["precision"].value
    0.5
    """
    if not isinstance(predictions, Predictions):
        raise TypeError(
            "evaluate needs the Predictions that nd.predict(model, data) returns, got "
            f"{type(predictions).__name__}"
        )
    asked = operator.index(resamples)
    if asked < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence!r}")
    size = len(predictions) * predictions.n_classes
    taken = min(asked, max(FEWEST, int(WORK / size)))
    scores, coarse = class_scores.exact(predictions)
    drawn = class_scores.resampled(predictions, taken, seed, stratified)
    chance = class_scores.chance_errors(predictions, confidence)
    made = _Intervals(scores, drawn, coarse, chance, confidence)
    right = np.where(scores.support > 0, scores.by_class["recall"], 0) * scores.support
    support, told = scores.support.round().astype(np.int64), scores.told.round().astype(np.int64)
    by_class = {metric: made.of_classes(metric) for metric in METRICS}
    return Evaluation(
        predictions,
        by_class,
        {metric: made.mean(metric) for metric in METRICS},
        {metric: made.mean(metric, weighted=True) for metric in METRICS},
        {metric: made.overall(metric, len(predictions)) for metric in OVERALL},
        support,
        told,
        right.round().astype(np.int64),
        taken,
        asked,
        confidence,
        stratified,
        seed,
        notes_on(predictions, support, told, taken, asked),
    )


@dataclass(frozen=True)
class _Intervals:
    scores: class_scores.Scores
    drawn: class_scores.Scores
    coarse: np.ndarray  # (2, C) of ROC-AUC and average precision
    chance: np.ndarray  # (C + 1,) ECE up to which chance alone would come
    confidence: float

    def of_classes(self, metric: str) -> tuple[Estimate, ...]:
        exact = self.scores.by_class[metric]
        low, high = self._ends(metric, exact, self.drawn.by_class[metric], self._coarse(metric))
        if metric in SHARES:
            counted = self._counted(metric)
            low, high = not_certain(exact, low, high, counted, self.confidence)
        if metric == "ece":
            low = np.where(exact <= self.chance[:-1], 0.0, low)
        return tuple(
            Estimate(*(float(x) for x in row)) for row in zip(exact, low, high, strict=True)
        )

    def mean(self, metric: str, weighted: bool = False) -> Estimate:
        exact, drawn = self.scores.by_class[metric], self.drawn.by_class[metric]
        coarse = self._coarse(metric)
        by = (self.scores.support, self.drawn.support) if weighted else (None, None)
        value = mean_of_known(exact, by[0])
        middle = None if coarse is None else mean_of_known(coarse, by[0])
        low, high = self._ends(metric, value, mean_of_known(drawn, by[1]), middle)
        if metric in SHARES:
            n = self.scores.support.sum()
            low, high = not_certain(value, low, high, n, self.confidence)
        return Estimate(float(value), float(low), float(high))

    def overall(self, metric: str, n: int) -> Estimate:
        exact = np.asarray(self.scores.overall[metric])
        if metric == "accuracy":
            low, high = wilson(np.round(exact * n), n, self.confidence)
        else:
            low, high = self._ends(metric, exact, self.drawn.overall[metric], None)
        if metric == "balanced_accuracy":
            low, high = not_certain(exact, low, high, np.asarray(n), self.confidence)
        if metric == "ece" and exact <= self.chance[-1]:
            low = np.asarray(0.0)
        return Estimate(float(exact), float(low), float(high))

    def _ends(
        self, metric: str, exact: np.ndarray, drawn: np.ndarray, coarse: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        most = {"log_loss": np.inf, "brier": 2.0}.get(metric, 1.0)
        return around(
            exact, drawn, self.confidence, coarse=coarse, basic=metric == "ece", most=most
        )

    def _coarse(self, metric: str) -> np.ndarray | None:
        names = ("roc_auc", "average_precision")
        return self.coarse[names.index(metric)] if metric in names else None

    def _counted(self, metric: str) -> np.ndarray:
        """How many samples a share rests on, at the ends of its scale."""
        support, told = self.scores.support, self.scores.told
        if metric == "precision":
            return told
        if metric == "roc_auc":
            return np.minimum(support, support.sum() - support)
        return support


def number_of_class(predictions: Predictions, name: int | str) -> int:
    """The number of a class given by name or number; ValueError for one that does not exist."""
    names = predictions.class_names
    if isinstance(name, str):
        if name not in names:
            raise ValueError(f"no class {name!r}; classes: {', '.join(names[:40])}")
        return names.index(name)
    number = operator.index(name)
    if not 0 <= number < len(names):
        raise ValueError(
            f"no class {number}: there are {len(names)} classes, 0 to {len(names) - 1}"
        )
    return number


def best_precision(
    positive: np.ndarray, negative: np.ndarray, lost: np.ndarray | int, recall: float
) -> tuple[np.ndarray, np.ndarray]:
    """The greatest precision (...) at which recall is at least ``recall``, and its group.

    (NaN, -1) where no threshold finds so many.
    """
    p, r = curves.precision_recall(positive, negative, lost)
    if not p.shape[-1]:
        return np.full(p.shape[:-1], np.nan), np.full(p.shape[:-1], -1)
    fits = np.where(r >= recall - 1e-12, p, -1.0)
    group = fits.argmax(-1)
    best = np.take_along_axis(fits, group[..., None], -1)[..., 0]
    return np.where(best >= 0, best, np.nan), np.where(best >= 0, group, -1)


def _between(value: float, name: str) -> None:
    if not 0 < value <= 1:
        raise ValueError(f"{name} must lie above 0 and up to 1, got {value!r}")
