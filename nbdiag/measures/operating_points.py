"""What a class's threshold can be chosen from: its precision-recall curve and points on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nbdiag.measures.bootstrap import Estimate
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.result import Result

if TYPE_CHECKING:
    from nbdiag.measures.evaluation import Evaluation


@dataclass(frozen=True, repr=False)
class PrecisionRecall(Result):
    """Precision against recall of one class, from the lowest threshold to the highest.

    Attributes
    ----------
    precision, recall : (T + 1,), the last one the point (1, 0) that has no threshold.
    thresholds : (T,) ascending: flag what scores at least so much.
    recalls, low, high : (R,) the interval of precision where the curve first reaches each recall.
    baseline : the precision of flagging at random: the class's share of the samples.
    average_precision : the area under the curve, as a sum of steps.
    confidence : of the intervals.
    """

    figure_stem: ClassVar[str] = "operating_points"

    name: str
    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray
    recalls: np.ndarray
    low: np.ndarray
    high: np.ndarray
    baseline: float
    average_precision: Estimate
    confidence: float
    predictions: Predictions = field(compare=False)

    def columns(self) -> Mapping[str, Any]:
        """A row for each point; the last flags nothing, from a threshold that is infinite.

        ``low`` and ``high`` are the precision's interval, between the recalls it was counted at
        on a straight line.
        """
        low, high = (np.interp(self.recall, self.recalls, end) for end in (self.low, self.high))
        return {
            "threshold": np.append(self.thresholds, np.inf),
            "recall": self.recall,
            "precision": self.precision,
            "low": low,
            "high": high,
        }

    def __repr__(self) -> str:
        return (
            f"PrecisionRecall of {self.name}: average precision {self.average_precision}, "
            f"{len(self.thresholds)} thresholds"
        )


@dataclass(frozen=True, repr=False)
class OperatingPoint(Result):
    """The best value of one score of a class at a fixed level of another.

    Attributes
    ----------
    name : the class.
    metric, estimate : what is best, and how good, with its interval.
    fixed, level : what is held, and at least at which level.
    threshold : flag what has at least this probability; infinite where no threshold reaches the
        level (nothing is flagged then, and no recall is had).
    support : samples of the class.
    evaluation : what it was read from.
    """

    figure_stem: ClassVar[str] = "operating_points"

    name: str
    metric: str
    estimate: Estimate
    fixed: str
    level: float
    threshold: float
    support: int
    evaluation: Evaluation = field(compare=False)

    @property
    def value(self) -> float:
        return self.estimate.value

    @property
    def low(self) -> float:
        return self.estimate.low

    @property
    def high(self) -> float:
        return self.estimate.high

    @property
    def reached(self) -> bool:
        """Whether any threshold reaches the level."""
        return math.isfinite(self.threshold)

    def __float__(self) -> float:
        return self.value

    def columns(self) -> Mapping[str, Any]:
        """One row."""
        return {
            "class": [self.name],
            "metric": [self.metric],
            "value": [self.value],
            "low": [self.low],
            "high": [self.high],
            "fixed": [self.fixed],
            "level": [self.level],
            "threshold": [self.threshold],
            "support": [self.support],
        }

    def metadata_given(self) -> Any:
        return self.evaluation.metadata_given()

    def __repr__(self) -> str:
        held = f"{self.fixed} of at least {self.level:g}"
        if self.support == 0:
            return f"{self.name}: not defined, there is no sample of this class"
        if not self.reached:
            return f"{self.name}: no threshold reaches a {held}"
        return f"{self.name}: {self.metric} {self.estimate} at a {held}, on {self.support} samples"
