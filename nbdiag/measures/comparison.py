"""Did the change make the model better, and by more than noise? The same samples, asked twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from nbdiag.measures.confusion_counts import count_confusions
from nbdiag.measures.many_tests import holm
from nbdiag.measures.matching import match_ids
from nbdiag.measures.paired import difference_interval, mcnemar
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.result import Result

LEVEL = 0.05
Verdict = Literal["better", "worse", "unclear", "same"]
SENTENCES: dict[Verdict, str] = {
    "better": "Better than the baseline, by more than noise.",
    "worse": "Worse than the baseline, by more than noise.",
    "unclear": "No difference from the baseline that is more than noise.",
    "same": "Right and wrong on the very same samples as the baseline.",
}


@dataclass(frozen=True, repr=False, eq=False)
class Comparison(Result):
    """Two models, or one before and after a fix, on the same samples.

    Attributes
    ----------
    predictions, baseline : the two, both in the order of ``predictions``.
    fixed : row positions that the baseline has wrong and ``predictions`` right.
    broken : row positions that the baseline has right and ``predictions`` wrong.
    still_wrong : row positions that both have wrong.
    change : (C, C) int64, this confusion matrix minus the baseline's; rows = true class.
    nonfinite_change : (C,) int64, the same for samples answered with NaN or infinity, which count
        as wrong and are in no column of ``change``.
    p_value : exact McNemar test of ``fixed`` against ``broken``, two-sided.
    difference, low, high : accuracy minus the baseline's, with its 95 % interval (Tango's score
        interval for paired proportions).

    >>> targets, right, wrong = np.zeros(3, int), [0.9, 0.1], [0.2, 0.8]
    >>> before = Predictions(np.arange(3), targets, np.array([right, wrong, wrong]))
    >>> after = Predictions(np.arange(3), targets, np.array([right, right, wrong]))
    >>> told = Comparison.of(after, before)
    >>> print(told.fixed, told.broken, told.still_wrong, told.change.tolist(), told.verdict)
    [1] [] [2] [[1, -1], [0, 0]] unclear
    """

    figure_stem: ClassVar[str] = "comparison"

    predictions: Predictions = field(compare=False)
    baseline: Predictions = field(compare=False)
    fixed: np.ndarray
    broken: np.ndarray
    still_wrong: np.ndarray
    change: np.ndarray
    nonfinite_change: np.ndarray
    p_value: float
    difference: float
    low: float
    high: float

    @classmethod
    def of(cls, predictions: Predictions, baseline: Predictions) -> Comparison:
        """Compare, matched by ids, whatever the order of either.

        Raises
        ------
        TypeError : for what are no `Predictions`.
        ValueError : where the ids differ (which ones are lacking is said), where a sample has
            another target in the two, or where the classes differ.
        """
        for name, given in (("predictions", predictions), ("baseline", baseline)):
            if not isinstance(given, Predictions):
                raise TypeError(
                    f"{name} must be Predictions, as nd.predict gives them, got "
                    f"{type(given).__name__}"
                )
        _same_classes(predictions.class_names, baseline.class_names)
        rows = match_ids(predictions.ids, baseline.ids)
        if rows is not None:
            baseline = baseline.take(rows)
        _same_targets(predictions, baseline)
        now, before = (told.predicted == told.targets for told in (predictions, baseline))
        counts, missing = count_confusions(predictions)
        old_counts, old_missing = count_confusions(baseline)
        fixed, broken = np.flatnonzero(now & ~before), np.flatnonzero(before & ~now)
        low, high = difference_interval(len(fixed), len(broken), len(now))
        return cls(
            predictions,
            baseline,
            fixed,
            broken,
            np.flatnonzero(~now & ~before),
            counts - old_counts,
            missing - old_missing,
            float(mcnemar(len(fixed), len(broken), exact=True)),
            (len(fixed) - len(broken)) / len(now),
            float(low),
            float(high),
        )

    @property
    def verdict(self) -> Verdict:
        """``"better"`` or ``"worse"`` only where test and interval both say so at the 5 % level."""
        if len(self.fixed) + len(self.broken) == 0:
            return "same"
        return _verdict(self.p_value, self.low, self.high)

    @property
    def sentence(self) -> str:
        """The verdict in words, without digits that another machine would print otherwise."""
        return SENTENCES[self.verdict]

    @property
    def numbers(self) -> str:
        """What the verdict rests on."""
        return (
            f"{len(self.fixed)} fixed, {len(self.broken)} broken, {len(self.still_wrong)} wrong in "
            f"both of {len(self.predictions)}; accuracy {100 * self.difference:+.3g} points "
            f"(95 % interval {100 * self.low:+.3g} to {100 * self.high:+.3g}), "
            f"p = {self.p_value:.2g}"
        )

    @cached_property
    def classes(self) -> tuple[ClassChange, ...]:
        """What became of each class; p-values corrected for the number of classes (Holm)."""
        targets, n = self.predictions.targets, self.predictions.n_classes
        support, fixed, broken = (
            np.bincount(rows, minlength=n)
            for rows in (targets, targets[self.fixed], targets[self.broken])
        )
        p = np.where(support > 0, mcnemar(fixed, broken, exact=True), np.nan)
        adjusted = holm(p)
        # Intervals at the level that one of so many comparisons may use.
        low, high = difference_interval(
            fixed, broken, support, 1 - LEVEL / max(1, int((support > 0).sum()))
        )
        return tuple(
            ClassChange(
                name,
                int(support[i]),
                int(fixed[i]),
                int(broken[i]),
                float(low[i]),
                float(high[i]),
                float(adjusted[i]),
            )
            for i, name in enumerate(self.predictions.class_names)
        )

    def columns(self) -> Mapping[str, Any]:
        """A row for each class."""
        classes = self.classes
        return {
            "class": [c.name for c in classes],
            "samples": [c.samples for c in classes],
            "fixed": [c.fixed for c in classes],
            "broken": [c.broken for c in classes],
            "difference": [c.difference for c in classes],
            "low": [c.low for c in classes],
            "high": [c.high for c in classes],
            "p_value": [c.p_value for c in classes],
            "verdict": [c.verdict for c in classes],
        }

    def __repr__(self) -> str:
        lines = [f"Comparison: {len(self.predictions)} samples. {self.sentence}"]
        for verdict in ("better", "worse"):
            names = [c.name for c in self.classes if c.verdict == verdict]
            if names:
                more = f" and {len(names) - 8} more" if len(names) > 8 else ""
                lines.append(f"  {verdict}: {', '.join(names[:8])}{more}")
        return "\n".join(lines)


@dataclass(frozen=True)
class ClassChange:
    """What became of the samples of one true class.

    Attributes
    ----------
    samples, fixed, broken : counts.
    low, high : interval of the change in recall, widened for the number of classes.
    p_value : exact McNemar, corrected for the number of classes (Holm); NaN without samples.
    """

    name: str
    samples: int
    fixed: int
    broken: int
    low: float
    high: float
    p_value: float

    @property
    def difference(self) -> float:
        """Recall minus the baseline's; NaN without samples."""
        return (self.fixed - self.broken) / self.samples if self.samples else float("nan")

    @property
    def verdict(self) -> Verdict:
        if self.fixed + self.broken == 0:
            return "same"
        return _verdict(self.p_value, self.low, self.high)


def _verdict(p_value: float, low: float, high: float) -> Verdict:
    if p_value < LEVEL and low > 0:
        return "better"
    if p_value < LEVEL and high < 0:
        return "worse"
    return "unclear"


def _same_classes(names: tuple[str, ...], others: tuple[str, ...]) -> None:
    if len(names) != len(others):
        raise ValueError(
            f"predictions have {len(names)} classes and the baseline has {len(others)}: compare "
            "models that choose among the same classes"
        )
    numbers = tuple(str(i) for i in range(len(names)))
    if names != others and numbers not in (names, others):
        at = next(i for i, pair in enumerate(zip(names, others, strict=True)) if len({*pair}) > 1)
        raise ValueError(
            f"class {at} is {names[at]!r} in predictions and {others[at]!r} in the baseline: give "
            "both the same class_names in the same order"
        )


def _same_targets(predictions: Predictions, baseline: Predictions) -> None:
    differ = np.flatnonzero(predictions.targets != baseline.targets)
    if differ.size:
        at = differ[0]
        raise ValueError(
            f"{len(differ)} of {len(predictions)} samples have another target in the baseline, the "
            f"first is id {predictions.ids[at]} with {predictions.targets[at]} and "
            f"{baseline.targets[at]}: if labels were corrected in between, predict anew with both "
            "models on the corrected data; if these are other data, they cannot be compared"
        )
