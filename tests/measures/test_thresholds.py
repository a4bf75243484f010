"""A threshold is chosen on one split and reported on another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from nbdiag.measures.predictions import Predictions
from nbdiag.measures.thresholds import choose_threshold
from tests.measures.predicted import made, rare_class

NAN = np.nan
# class 1 by falling probability: + + - + - -
P, T = [0.9, 0.8, 0.7, 0.6, 0.2, 0.1], [1, 1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ({"maximise": "f1"}, 0.6),  # 6/7 against 4/5 at 0.8
        ({"maximise": "accuracy"}, 0.8),  # 5 of 6, as at 0.6: the highest of equals
        ({"maximise": "balanced_accuracy"}, 0.8),
        ({"precision": 1.0}, 0.8),
        ({"precision": 0.7}, 0.6),
        ({"recall": 1.0}, 0.6),
        ({"recall": 0.5}, 0.8),  # both precisions are 1: the highest is 0.9, of recall 1/3
        ({"cost": {"missed": 1, "false_alarm": 10}}, 0.8),
        ({"cost": {"missed": 10, "false_alarm": 1}}, 0.6),
        ({"cost": {"missed": 0, "false_alarm": 1}}, 0.9),
    ],
)
def test_by_hand(rule: dict[str, Any], value: float) -> None:
    assert choose_threshold(made(T, P), of=1, **rule).value == pytest.approx(value)


def test_best_f1_over_all_thresholds_of_scikit_learn() -> None:
    told = rare_class(500, 0.2, 1.0)
    chosen = choose_threshold(told, of="rare", maximise="f1")
    scores = told.probabilities[:, 1]
    best = max(metrics.f1_score(told.targets, scores >= t) for t in np.unique(scores))
    assert metrics.f1_score(told.targets, scores >= chosen.value) == pytest.approx(best)
    assert np.array_equal(chosen.applied(told), scores >= chosen.value)


def test_never_is_the_cheapest_where_alarms_cost_too_much() -> None:
    chosen = choose_threshold(made([0, 1], [0.9, 0.2]), of=1, cost={"missed": 1, "false_alarm": 5})
    assert chosen.value == np.inf
    assert "never call it" in repr(chosen)
    report = chosen.report(made([0, 1, 1], [0.8, 0.25, 0.3]))
    assert (report.found, report.missed) == (0, 2)
    assert np.isnan(report.precision.value)


def test_report_on_other_data() -> None:
    chosen = choose_threshold(made(T, P), of=1, maximise="f1")  # 0.6
    report = chosen.report(made([1, 0, 0, 1, 1], [0.95, 0.65, 0.3, 0.59, NAN]))
    assert (report.found, report.false_alarms, report.missed, report.passed) == (1, 1, 2, 1)
    assert report.precision.value == 0.5
    assert report.recall.value == pytest.approx(1 / 3)
    assert report.f1 == pytest.approx(0.4)
    frame = report.to_frame()
    assert frame.loc[0, "recall_low"] < 1 / 3 < frame.loc[0, "recall_high"]
    assert repr(report).startswith("ThresholdReport for 1 on 5 samples: precision 0.")


def same(**changes: Any) -> Predictions:
    given = {"ids": np.arange(6), "targets": np.array(T), "p": np.array(P)} | changes
    p = np.stack([1 - given["p"], given["p"]], 1).astype(np.float32)
    return Predictions(given["ids"], given["targets"], p)


@pytest.mark.parametrize(
    "other",
    [
        same(),  # a copy
        same(ids=np.arange(10, 16)),  # under other ids
        same(ids=np.arange(6)[::-1], targets=np.array(T[::-1]), p=np.array(P[::-1])),  # shuffled
        Predictions(np.arange(3), np.array(T[:3]), same().probabilities[:3]),  # a part of it
    ],
    ids=["copy", "renamed", "shuffled", "part"],
)
def test_the_same_data_are_refused(other: Predictions) -> None:
    one = same()
    chosen = choose_threshold(one, of=1, maximise="f1")
    for data in (one, other):
        with pytest.raises(ValueError, match="chosen on these data: .* would flatter it"):
            chosen.report(data)


def test_shared_samples_are_counted_and_chance_is_not() -> None:
    """TRAP: ids start at 0 in both splits, and nearly all rows are exactly [1, 0]."""
    other = same(p=np.r_[P[:2], np.array(P[2:]) + 1e-3])
    report = choose_threshold(same(), of=1, maximise="f1").report(other)
    assert "(2 samples were among those that it was chosen on)" in repr(report)
    first = made([0] * 99 + [1], [0.0] * 99 + [0.9])
    report = choose_threshold(first, of=1, maximise="f1").report(
        made([0] * 99 + [1], [0.0] * 99 + [0.8])
    )
    assert (report.missed, report.shared) == (1, 0)


def test_nan_rows_are_never_called() -> None:
    told = made([1, 0, 1], [0.9, 0.3, NAN])
    chosen = choose_threshold(told, of=1, recall=0.5)
    assert chosen.applied(told).tolist() == [True, False, False]
    with pytest.raises(ValueError, match="no threshold reaches a recall of 1"):
        choose_threshold(told, of=1, recall=1.0)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, TypeError, "exactly one of .* got none"),
        ({"maximise": "f1", "recall": 0.5}, TypeError, "got maximise and recall"),
        ({"maximise": "f2"}, ValueError, "must be one of .* got 'f2'"),
        ({"precision": 0.0}, ValueError, "up to 1, got 0"),
        ({"recall": 90}, ValueError, "up to 1, got 90"),
        ({"cost": {"miss": 1}}, ValueError, r"got the keys \['miss'\]"),
        ({"cost": {"missed": -1, "false_alarm": 1}}, ValueError, "not negative"),
        ({"of": "dog", "maximise": "f1"}, ValueError, "no class 'dog'"),
    ],
)
def test_refusals(given: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        choose_threshold(made(T, P), **{"of": 1, **given})


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (made([0, 0], [0.1, 0.2]), "no sample of class 1"),
        (made([1, 1], [0.1, 0.2]), "all samples are of class 1"),
        (made([0, 1], [NAN, NAN]), "no sample has a finite probability"),
    ],
)
def test_nothing_to_choose_on(told: Predictions, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose_threshold(told, of=1, maximise="f1")


def test_unreachable_precision_and_other_classes() -> None:
    with pytest.raises(ValueError, match=r"no threshold reaches a precision of 0.9 for class 1"):
        choose_threshold(made([0, 1], [0.9, 0.2]), of=1, precision=0.9)
    with pytest.raises(TypeError, match="got int"):
        choose_threshold(3, of=1, maximise="f1")  # type: ignore[arg-type]
    chosen = choose_threshold(made(T, P), of=1, maximise="f1")
    with pytest.raises(ValueError, match="other classes: cat, dog"):
        chosen.report(made([0, 1], [0.1, 0.2], class_names=("cat", "dog")))
