"""Scores of a classifier: scikit-learn as the oracle, every edge, and when accuracy misleads."""

from __future__ import annotations

import re
import warnings
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics
from torchmetrics.functional.classification import binary_recall_at_fixed_precision
from torchmetrics.functional.classification import multiclass_calibration_error as oracle_ece

import nbdiag as nd
from nbdiag.measures.bootstrap import Estimate
from nbdiag.measures.class_scores import METRICS, OVERALL
from nbdiag.measures.evaluation import Evaluation, evaluate
from nbdiag.measures.predictions import Predictions
from tests.measures.predicted import made, random_predictions, rare_class

NAN = float("nan")


def quick(predictions: Predictions, **options: Any) -> Evaluation:
    return evaluate(predictions, resamples=options.pop("resamples", 100), **options)


def values(estimates: Any) -> list[float]:
    return [one.value for one in estimates]


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("digits", [None, 2])
def test_scores_are_those_of_scikit_learn(classes: int, digits: int | None) -> None:
    told = random_predictions(400, classes, seed=classes, digits=digits)
    result = quick(told)
    t, p = told.targets, told.probabilities.astype(float)
    each = metrics.precision_recall_fscore_support(t, told.predicted, zero_division=np.nan)
    for name, oracle in zip(("precision", "recall", "f1"), each, strict=False):
        assert np.allclose(values(result.by_class[name]), oracle, equal_nan=True)
    assert np.array_equal(result.support, each[3])
    for c in range(classes):
        mine, y = result.of(c), t == c
        assert mine["roc_auc"].value == pytest.approx(metrics.roc_auc_score(y, p[:, c]))
        assert mine["average_precision"].value == pytest.approx(
            metrics.average_precision_score(y, p[:, c])
        )
        assert mine["brier"].value == pytest.approx(metrics.brier_score_loss(y, p[:, c]))
        clipped = np.clip(p[:, c], 1.1920929e-07, 1 - 1.1920929e-07)
        assert mine["log_loss"].value == pytest.approx(metrics.log_loss(y, clipped), abs=1e-6)
    for name in ("precision", "recall", "f1"):
        score = getattr(metrics, f"{name}_score")
        for average, group in (("macro", result.macro), ("weighted", result.weighted)):
            assert group[name].value == pytest.approx(score(t, told.predicted, average=average))
    areas = [metrics.roc_auc_score(t == c, p[:, c]) for c in range(classes)]
    assert result.macro["roc_auc"].value == pytest.approx(np.mean(areas))
    share = result.support / len(t)
    assert result.weighted["roc_auc"].value == pytest.approx(share @ areas)
    whole = result.overall
    assert whole["accuracy"].value == metrics.accuracy_score(t, told.predicted)
    assert whole["balanced_accuracy"].value == pytest.approx(
        metrics.balanced_accuracy_score(t, told.predicted)
    )
    assert whole["brier"].value == pytest.approx(((p - np.eye(classes)[t]) ** 2).sum(1).mean())


def test_overall_log_loss_and_ece() -> None:
    told = random_predictions(500, 4, seed=3)
    p = torch.tensor(told.probabilities)
    whole = quick(told).overall
    exact = told.probabilities.astype(float)
    oracle = metrics.log_loss(told.targets, exact / exact.sum(1, keepdims=True))
    assert whole["log_loss"].value == pytest.approx(oracle, abs=1e-6)
    theirs = oracle_ece(p, torch.tensor(told.targets), num_classes=4, n_bins=15, norm="l1")
    assert whole["ece"].value == pytest.approx(float(theirs), abs=1e-6)


def test_curve_is_that_of_scikit_learn() -> None:
    told = random_predictions(300, 3, seed=1, digits=2)
    curve = quick(told).curve("2")
    oracle = metrics.precision_recall_curve(told.targets == 2, told.probabilities[:, 2])
    for mine, theirs in zip((curve.precision, curve.recall, curve.thresholds), oracle, strict=True):
        assert np.allclose(mine, theirs)
    known = np.isfinite(curve.low)
    assert known[0]
    assert (curve.low[known] <= curve.high[known]).all()
    assert curve.baseline == pytest.approx((told.targets == 2).mean())
    assert repr(curve).startswith("PrecisionRecall of 2: average precision 0.")


@pytest.mark.parametrize("level", [0.3, 0.5, 0.8, 0.9])
def test_recall_at_precision_is_that_of_torchmetrics(level: float) -> None:
    told = rare_class(400, 0.2, 1.5, seed=4)
    point = quick(told).recall_at(level, of="rare")
    recall, threshold = binary_recall_at_fixed_precision(
        torch.tensor(told.probabilities[:, 1]), torch.tensor(told.targets), level
    )
    assert point.value == pytest.approx(float(recall))
    assert point.threshold == pytest.approx(float(threshold))
    assert point.low <= point.value <= point.high


def test_recall_and_precision_at_by_hand() -> None:
    # class 1 by falling probability: + - + -
    result = quick(made([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]))
    assert result.recall_at(precision=1.0, of="1").value == 0.5
    assert result.recall_at(precision=0.6, of=1).threshold == pytest.approx(0.7)
    assert result.precision_at(recall=1.0, of=1).value == pytest.approx(2 / 3)
    assert result.precision_at(recall=0.5, of=1).value == 1.0
    never = quick(made([0, 1], [0.9, 0.2])).recall_at(precision=0.9, of=1)
    assert (never.value, never.reached, never.threshold) == (0.0, False, np.inf)
    assert repr(never) == "1: no threshold reaches a precision of at least 0.9"
    absent = quick(made([0, 0], [0.9, 0.2])).recall_at(precision=0.9, of=1)
    assert np.isnan(absent.value)
    assert repr(absent) == "1: not defined, there is no sample of this class"


EDGES: dict[str, tuple[list[int], Any, dict[str, list[float]], str]] = {
    # targets, probabilities of class 1 or (N, C); metric -> expected per class; a note
    "all right": ([0, 1, 1], [0.1, 0.8, 0.9],
                  {"precision": [1, 1], "recall": [1, 1], "f1": [1, 1], "roc_auc": [1, 1],
                   "average_precision": [1, 1]}, ""),
    "all wrong": ([0, 0, 1], [0.9, 0.8, 0.1],
                  {"precision": [0, 0], "recall": [0, 0], "f1": [0, 0], "roc_auc": [0, 0],
                   "average_precision": [(1 / 2 + 2 / 3) / 2, 1 / 3]}, ""),
    "one sample": ([1], [0.8],
                   {"precision": [NAN, 1], "recall": [NAN, 1], "f1": [NAN, 1],
                    "roc_auc": [NAN, NAN], "average_precision": [NAN, 1],
                    "brier": [0.04, 0.04], "ece": [0.2, 0.2]}, "one class"),
    "a class absent": ([0, 1], [[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]],
                       {"precision": [1, 1, NAN], "recall": [1, 1, NAN], "f1": [1, 1, NAN],
                        "roc_auc": [1, 1, NAN], "average_precision": [1, 1, NAN]},
                       "2: no sample"),
    "absent but predicted": ([0, 1, 1], [[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.2, 0.1, 0.7]],
                             {"precision": [1, 1, 0], "recall": [1, 0.5, NAN],
                              "f1": [1, 2 / 3, NAN]}, "2: predicted, but no sample is"),
    "never predicted": ([0, 0, 1], [0.1, 0.2, 0.3],
                        {"precision": [2 / 3, NAN], "recall": [1, 0], "f1": [0.8, 0],
                         "roc_auc": [1, 1]}, "1: never predicted"),
    "ties": ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5],
             {"roc_auc": [0.5, 0.5], "average_precision": [0.5, 0.5], "recall": [1, 0]},
             "1: never predicted"),
    "exactly 0 and 1": ([0, 1, 0, 1], [0.0, 1.0, 1.0, 0.0],
                        {"brier": [0.5, 0.5], "ece": [0.5, 0.5], "roc_auc": [0.5, 0.5],
                         "log_loss": [7.9712, 7.9712]}, "2 samples have a probability of exactly"),
    "NaN rows": ([0, 1, 1, 1], [0.1, 0.9, NAN, 0.8],
                 {"precision": [1, 1], "recall": [1, 2 / 3], "f1": [1, 0.8],
                  "roc_auc": [2 / 3, 2 / 3], "average_precision": [1, 2 / 3],
                  "brier": [0.02, 0.02]}, "1 of 4 samples have no finite answer"),
    "only NaN": ([0, 1], [NAN, NAN],
                 {"precision": [NAN, NAN], "recall": [0, 0], "roc_auc": [0, 0],
                  "brier": [NAN, NAN], "ece": [NAN, NAN]}, "2 of 2 samples"),
}  # fmt: skip


@pytest.mark.parametrize("edge", EDGES)
def test_edges(edge: str) -> None:
    targets, probabilities, expected, note = EDGES[edge]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = quick(made(targets, probabilities))
        assert "Evaluation" in repr(result)
        assert "<table" in result._repr_html_()
        result.to_frame()
        assert result.findings() == []
        point, curve = result.recall_at(0.9, 1), result.curve(1)
        assert point.reached == np.isfinite(point.threshold)
        assert len(curve.precision) == len(curve.thresholds) + 1 == len(curve.to_frame())
        result.precision_at(0.9, 1)
    for metric, each in expected.items():
        assert np.allclose(values(result.by_class[metric]), each, atol=1e-4, equal_nan=True), metric
    assert note in " ".join(result.notes)
    if not note:
        assert result.notes == ()
    for group in (*result.by_class.values(), result.macro.values(), result.overall.values()):
        for one in group:
            if np.isnan(one.value):
                assert np.isnan([one.low, one.high]).all()
            else:
                assert one.low <= one.value <= one.high


def test_what_is_all_right_is_not_certain() -> None:
    result = quick(made([0, 1, 1], [0.1, 0.8, 0.9]))
    for metric in ("precision", "recall", "f1", "roc_auc", "average_precision"):
        assert result.of(1)[metric].low < 0.6
        assert result.of(1)[metric].high == 1.0


def test_averages_leave_out_what_is_not_defined() -> None:
    result = quick(made([0, 0, 1], [0.1, 0.2, 0.3]))
    assert result.macro["precision"].value == pytest.approx(2 / 3)  # of one class, and says so
    assert result.macro["recall"].value == 0.5
    assert result.weighted["recall"].value == pytest.approx(2 / 3)


@pytest.mark.parametrize("classes", [2, 100, 1000])
def test_two_to_a_thousand_classes(classes: int) -> None:
    told = random_predictions(2000, classes, seed=0, signal=4)
    result = quick(told)
    assert len(result.by_class["f1"]) == classes
    assert 0.3 < result.overall["accuracy"].value <= 1
    html = result._repr_html_()
    assert html.count("<tr") <= 36
    if classes > 30:
        assert f"{classes - 30} classes between" in html.replace(",", "")


def test_many_classes_are_resampled_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rankings of classes on their own: the same intervals, up to the resampling noise."""
    told = random_predictions(600, 5, seed=0)
    together = evaluate(told, resamples=400)
    monkeypatch.setattr("nbdiag.measures.class_scores.SHARED_UP_TO", 100)
    monkeypatch.setattr("nbdiag.measures.evaluation_text.SHARED_UP_TO", 100)
    monkeypatch.setattr("nbdiag.measures.class_scores.BLOCK", 1200)
    apart = evaluate(told, resamples=400)
    assert "resamples of their own" in " ".join(apart.notes)
    for metric in METRICS:
        for one, other in zip(together.by_class[metric], apart.by_class[metric], strict=True):
            assert one.value == pytest.approx(other.value)
            width = one.high - one.low
            assert other.low == pytest.approx(one.low, abs=0.25 * width), metric
            assert other.high == pytest.approx(one.high, abs=0.25 * width), metric


def test_lowered_resamples_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbdiag.measures.evaluation.WORK", 60_000)
    result = evaluate(random_predictions(200, 3), resamples=1000)
    assert (result.resamples, result.asked) == (100, 1000)
    assert "intervals from 100 resamples instead of 1,000" in repr(result)


def test_the_seed_decides_and_strata_narrow() -> None:
    told = rare_class(300, 0.1, 1.5)
    assert quick(told).by_class == quick(told).by_class
    assert quick(told).by_class != quick(told, seed=1).by_class
    plain = evaluate(told, resamples=400).of("rare")["precision"]
    strata = evaluate(told, resamples=400, stratified=True).of("rare")["precision"]
    assert strata.high - strata.low < plain.high - plain.low


def test_intervals_hold_the_truth() -> None:
    """95 % intervals of AUC and recall on 60 draws of 200 samples; binomial(60, 0.95) >= 51."""
    draws = [quick(rare_class(200, 0.3, 1.0, seed=seed), resamples=200) for seed in range(60)]
    whole = rare_class(200_000, 0.3, 1.0, seed=99)
    auc = metrics.roc_auc_score(whole.targets, whole.probabilities[:, 1])
    recall = (whole.predicted[whole.targets == 1] == 1).mean()
    for metric, truth in (("roc_auc", auc), ("recall", recall)):
        held = sum(d.of(1)[metric].low <= truth <= d.of(1)[metric].high for d in draws)
        assert held >= 51, metric


def test_frame_has_a_row_for_each_class_and_the_averages() -> None:
    frame = quick(rare_class(100, 0.2, 1.0)).to_frame()
    assert frame["name"].tolist() == ["common", "rare", "macro average", "weighted average",
                                      "overall"]  # fmt: skip
    assert frame["support"].tolist()[2:] == [100, 100, 100]
    for metric in dict.fromkeys((*METRICS, *OVERALL)):
        assert {metric, f"{metric}_low", f"{metric}_high"} <= set(frame.columns)
    assert frame.set_index("name").loc["overall", "accuracy"] > 0.5


def test_frame_is_polars_where_metadata_is() -> None:
    import polars as pl

    told = made([0, 1], [0.2, 0.9], metadata=pl.DataFrame({"a": [1, 2]}))
    assert isinstance(quick(told).to_frame(), pl.DataFrame)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        assert not {"class", "id", "onclick"} & {name for name, _ in attributes}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_well_formed_and_escaped() -> None:
    told = made([0, 1, 1], [0.2, 0.9, 0.4], class_names=("<b>a</b>", "b & c"))
    html = quick(told)._repr_html_()
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    assert not reader.tags & {"style", "script", "svg", "b>"}
    assert "&lt;b&gt;a&lt;/b&gt;" in html
    assert "b &amp; c" in html


def test_reprs_show_no_digit_that_another_machine_may_not() -> None:
    """A thousandth of noise on the probabilities, as another processor may leave it."""
    one = rare_class(400, 0.3, 1.2)
    noise = np.random.default_rng(0).normal(0, 1e-6, 400)
    p = np.clip(one.probabilities[:, 1] + noise, 0, 1)
    other = made(one.targets, p, class_names=one.class_names)
    first, second = quick(one), quick(other)
    assert repr(first) == repr(second)
    assert first._repr_html_() == second._repr_html_()
    assert not re.search(r"0\.\d{4}", first._repr_html_())


# --- metric.misleading


def codes(predictions: Predictions) -> list[str]:
    return [f"{one.severity} {one.code}" for one in quick(predictions).findings()]


def test_always_the_majority_misleads() -> None:
    n = 1000
    told = made(np.arange(n) % 20 == 0, np.full(n, 0.1), class_names=("no", "yes"))
    (found,) = quick(told).findings()
    assert (found.code, found.severity, found.subject) == (
        "metric.misleading", "critical", "accuracy",
    )  # fmt: skip
    assert found.evidence["accuracy"] == found.evidence["baseline"] == 0.95
    assert found.evidence["metric"] == "average precision of yes"
    assert found.evidence["value"] == pytest.approx(0.05)
    assert "no better than always answering no, which reaches 95.0%" in found.message
    assert "of 50 samples of yes 0 are recognised" in found.message
    assert 'recall_at(precision=0.9, of="yes")' in found.remedy


def test_better_than_the_majority_and_still_misleading() -> None:
    told = rare_class(4000, 0.1, 2.6, seed=1, shift=-1.3)
    (found,) = quick(told).findings()
    assert found.severity == "warning"
    assert found.evidence["recall"] < 0.6
    assert found.evidence["accuracy"] > found.evidence["baseline"]


def test_of_many_classes_balanced_accuracy_fits() -> None:
    n = 2000
    targets = np.where(np.arange(n) % 10 == 0, 1 + np.arange(n) // 10 % 2, 0)
    p = np.tile([0.8, 0.1, 0.1], (n, 1))
    (found,) = quick(made(targets, p)).findings()
    assert found.evidence["metric"] == "balanced accuracy"
    assert found.evidence["value"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "told",
    [
        rare_class(3000, 0.05, 4.5, seed=0),  # rare, and recognised
        rare_class(3000, 0.5, 0.0, seed=0),  # balanced and useless: accuracy says so itself
        rare_class(3000, 0.5, 1.5, seed=0),
        rare_class(3000, 0.4, 1.0, seed=1),  # a little unbalanced
        random_predictions(2000, 10, seed=0),
        made(np.arange(40) == 7, np.full(40, 0.1)),  # one rare sample proves nothing
        made(np.arange(60) % 20 == 0, np.full(60, 0.1)),  # nor do three
        made(np.zeros(100, int), np.full(100, 0.1)),  # a single class
    ],
    ids=["recognised", "useless", "balanced", "nearly", "ten", "one", "three", "single"],
)
def test_healthy_is_left_alone(told: Predictions) -> None:
    assert codes(told) == []


def test_healthy_over_many_draws() -> None:
    for seed in range(40):
        assert codes(rare_class(300, 0.1, 4.5, seed=seed)) == []


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: evaluate([0, 1]), TypeError, "needs the Predictions .* got list"),  # type: ignore[arg-type]
        (lambda: quick(made([0], [0.1]), resamples=0), ValueError, "at least 1, got 0"),
        (lambda: quick(made([0], [0.1]), confidence=95), ValueError, "between 0 and 1, got 95"),
        (lambda: quick(made([0], [0.1])).of("dog"), ValueError, "no class 'dog'; classes: 0, 1"),
        (lambda: quick(made([0], [0.1])).of(2), ValueError, "no class 2: there are 2 classes"),
        (lambda: quick(made([0], [0.1])).recall_at(0, 1), ValueError, "up to 1, got 0"),
        (lambda: quick(made([0], [0.1])).precision_at(1.2, 1), ValueError, "up to 1, got 1.2"),
        (lambda: evaluate(made([[0, 1]], [0.2])), ValueError, "targets"),  # multi-label
    ],
)
def test_refusals(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_public_names() -> None:
    assert nd.evaluate is evaluate
    assert isinstance(quick(made([0, 1], [0.2, 0.9])).of(0)["recall"], Estimate)
