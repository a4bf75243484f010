"""From which probability on should a class be called? Chosen on one split, reported on another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures import curves
from nbdiag.measures.evaluation import number_of_class
from nbdiag.measures.intervals import Proportion
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.result import Result, table_behind
from nbdiag.measures.same_samples import overlap

GOALS = ("f1", "balanced_accuracy", "accuracy")


@dataclass(frozen=True, repr=False)
class Threshold(Result):
    """Call a class from this probability on.

    Attributes
    ----------
    name : the class.
    value : call the class where its probability is at least this much; infinite: never.
    rule : how it was chosen, in words.
    chosen_on : how many samples it was chosen on.

    Scores on the samples that it was chosen on flatter it: `report` takes others.
    """

    figure_stem: ClassVar[str] = "thresholds"

    name: str
    value: float
    rule: str
    chosen_on: int
    class_number: int
    chosen: Predictions = field(compare=False)

    def __float__(self) -> float:
        return self.value

    def columns(self) -> Mapping[str, Any]:
        """One row; no score, which would be one of the samples that it was chosen on."""
        return {
            "class": [self.name],
            "threshold": [self.value],
            "rule": [self.rule],
            "chosen_on": [self.chosen_on],
        }

    def metadata_given(self) -> Any:
        return table_behind(self.chosen)

    def applied(self, predictions: Predictions) -> np.ndarray:
        """(N,) bool: which samples are called; never one without a finite answer."""
        told = predictions.probabilities[:, self.class_number]
        return predictions.finite & (told >= self.value)

    def report(self, predictions: Predictions) -> ThresholdReport:
        """What the threshold does on other samples than those that it was chosen on.

        Raises
        ------
        ValueError : for the same data, whether copied, cut out, put in another order or numbered
            anew (`same_samples`), and for other classes. Whether two splits share samples that
            another model predicted, only their inputs tell: `nd.inspect_data`.
        """
        if predictions.class_names != self.chosen.class_names:
            raise ValueError(
                f"the threshold is for the class {self.name} of {len(self.chosen.class_names)} "
                f"classes; these predictions have other classes: "
                f"{', '.join(predictions.class_names[:10])}"
            )
        shared, same = overlap(self.chosen, predictions)
        if same:
            raise ValueError(
                f"the threshold was chosen on these data: {shared} of {len(predictions)} samples "
                "are the same, and its scores there would flatter it. Choose on one split "
                "(validation) and report on another (test)"
            )
        true = predictions.targets == self.class_number
        called = self.applied(predictions)
        return ThresholdReport(
            self,
            predictions,
            found=int((true & called).sum()),
            false_alarms=int((~true & called).sum()),
            missed=int((true & ~called).sum()),
            passed=int((~true & ~called).sum()),
            shared=shared,
        )

    def __repr__(self) -> str:
        what = "never call it" if np.isinf(self.value) else "a probability to call it from"
        return (
            f"Threshold for {self.name}: {what}, {self.rule}, chosen on {self.chosen_on} samples; "
            "report it on others with .report(predictions)"
        )


@dataclass(frozen=True, repr=False)
class ThresholdReport(Result):
    """What a threshold does on samples that it was not chosen on.

    Attributes
    ----------
    found, false_alarms, missed, passed : samples of the class that are called, others that are
        called, samples of the class that are not, and others that are not.
    shared : samples with the same class and probabilities as one that it was chosen on.
    """

    figure_stem: ClassVar[str] = "thresholds"

    threshold: Threshold
    predictions: Predictions = field(compare=False)
    found: int
    false_alarms: int
    missed: int
    passed: int
    shared: int

    @property
    def precision(self) -> Proportion:
        """Share of the called that are of the class, with Wilson's interval; NaN if none is."""
        return Proportion.of(self.found, self.found + self.false_alarms)

    @property
    def recall(self) -> Proportion:
        """Share of the class that is called, with Wilson's interval."""
        return Proportion.of(self.found, self.found + self.missed)

    @property
    def f1(self) -> float:
        """NaN where there is no sample of the class."""
        if self.found + self.missed == 0:
            return float("nan")
        return 2 * self.found / (2 * self.found + self.false_alarms + self.missed)

    def columns(self) -> Mapping[str, Sequence[Any]]:
        names = ("precision", "recall")
        shares = {name: getattr(self, name) for name in names}
        return {
            "class": [self.threshold.name],
            "threshold": [self.threshold.value],
            "samples": [len(self.predictions)],
            "found": [self.found],
            "false_alarms": [self.false_alarms],
            "missed": [self.missed],
            "passed": [self.passed],
            **{name: [share.value] for name, share in shares.items()},
            **{f"{name}_low": [share.low] for name, share in shares.items()},
            **{f"{name}_high": [share.high] for name, share in shares.items()},
            "f1": [self.f1],
        }

    def __repr__(self) -> str:
        words = (
            f"ThresholdReport for {self.threshold.name} on {len(self.predictions)} samples: "
            f"precision {self.precision}, recall {self.recall}"
        )
        if self.shared:
            words += f" ({self.shared} samples were among those that it was chosen on)"
        return words


def choose_threshold(
    predictions: Predictions,
    *,
    of: int | str,
    maximise: str | None = None,
    precision: float | None = None,
    recall: float | None = None,
    cost: Mapping[str, float] | None = None,
) -> Threshold:
    """From which probability on should a class be called?

    Exactly one rule:

    maximise : ``"f1"``, ``"balanced_accuracy"`` or ``"accuracy"`` of the class against the rest.
    precision : the most recall at no less than this precision.
    recall : the most precision at no less than this recall.
    cost : ``{"missed": 5, "false_alarm": 1}``: the least cost, with the prices of a sample of the
        class that is not called and of another that is.

    Of thresholds that are equally good the highest. Report it on other data: `Threshold.report`.

    Raises
    ------
    TypeError : for anything but `Predictions`, or not exactly one rule.
    ValueError : for a class that does not exist or has no samples, an unknown rule, a level outside
        0 to 1, a negative cost, or a precision that no threshold reaches.

    >>> told = Predictions(np.arange(4), np.array([0, 1, 0, 1]),
    ...                    np.array([[.9, .1], [.6, .4], [.7, .3], [.2, .8]]))
    >>> choose_threshold(told, of="1", maximise="f1").value
    0.4
    """
    if not isinstance(predictions, Predictions):
        raise TypeError(
            "choose_threshold needs the Predictions that nd.predict(model, data) returns, got "
            f"{type(predictions).__name__}"
        )
    rules = {"maximise": maximise, "precision": precision, "recall": recall, "cost": cost}
    given = [name for name, rule in rules.items() if rule is not None]
    if len(given) != 1:
        raise TypeError(
            f"choose by exactly one of maximise=, precision=, recall= and cost=, got "
            f"{' and '.join(given) or 'none'}"
        )
    number = number_of_class(predictions, of)
    name = predictions.class_names[number]
    true = predictions.targets == number
    if not true.any():
        raise ValueError(f"there is no sample of class {name} to choose a threshold on")
    if true.all():
        raise ValueError(f"all samples are of class {name}: there is nothing to tell it from")
    scores = np.where(predictions.finite, predictions.probabilities[:, number], np.nan)
    ranking = curves.rank(scores, true, every=True)
    if not len(ranking.scores):
        raise ValueError("no sample has a finite probability to choose a threshold from")
    found = np.cumsum(ranking.positive).astype(float)
    alarms = np.cumsum(ranking.negative).astype(float)
    goodness, rule = _goodness(found, alarms, ranking, maximise, precision, recall, cost)
    best = int((goodness >= goodness.max() - 1e-12).argmax())
    if np.isneginf(goodness[best]):
        level, limit = ("precision", precision) if precision is not None else ("recall", recall)
        raise ValueError(
            f"no threshold reaches a {level} of {limit:g} for class {name} on these "
            f"{len(predictions)} samples: ask for less"
        )
    # Calling nothing costs all that is missed, and may still be the cheapest.
    never = cost is not None and -float(cost.get("missed", 0)) * true.sum() > goodness[best]
    value = np.inf if never else float(ranking.scores[best])
    return Threshold(name, value, rule, len(predictions), number, predictions)


def _goodness(
    found: np.ndarray,
    alarms: np.ndarray,
    ranking: curves.Ranking,
    maximise: str | None,
    precision: float | None,
    recall: float | None,
    cost: Mapping[str, float] | None,
) -> tuple[np.ndarray, str]:
    """(G,) how good each threshold is, -inf where it is not allowed; and the rule in words."""
    positives, negatives = ranking.n_positive, ranking.n_negative
    missed = positives - found
    told, had = found / (found + alarms), found / positives
    if maximise is not None:
        if maximise not in GOALS:
            raise ValueError(f"maximise must be one of {GOALS}, got {maximise!r}")
        scores = {
            "f1": 2 * found / (2 * found + alarms + missed),
            "balanced_accuracy": (had + 1 - alarms / negatives) / 2,
            "accuracy": (found + negatives - alarms) / (positives + negatives),
        }
        return scores[maximise], f"the greatest {maximise.replace('_', ' ')}"
    if cost is not None:
        if set(cost) != {"missed", "false_alarm"}:
            raise ValueError(
                f'cost must be {{"missed": ..., "false_alarm": ...}}, got the keys {sorted(cost)}'
            )
        if min(cost.values()) < 0 or not np.isfinite(list(cost.values())).all():
            raise ValueError(f"costs must be finite and not negative, got {dict(cost)}")
        rule = f"the least cost at {cost['missed']:g} a miss and {cost['false_alarm']:g} an alarm"
        return -(cost["missed"] * missed + cost["false_alarm"] * alarms), rule
    level = precision if precision is not None else recall
    if not 0 < level <= 1:  # type: ignore[operator]
        raise ValueError(f"a level must lie above 0 and up to 1, got {level!r}")
    if precision is not None:
        fits = (told >= precision - 1e-12) & (found > 0)
        return np.where(fits, had, -np.inf), f"the most recall at a precision of {precision:g}"
    return (
        np.where(had >= recall - 1e-12, told, -np.inf),  # type: ignore[operator]
        f"the most precision at a recall of {recall:g}",
    )
