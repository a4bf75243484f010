"""One class, batches of one class, rare classes: found where they are, and only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbdiag.measures.class_balance import judge_classes
from nbdiag.measures.data_split import Loading, Split
from nbdiag.measures.data_tally import SplitTally
from nbdiag.measures.findings import Finding


def split(labels: Any, name: str = "train", loading: Loading | None = None) -> Split:
    tally, n = SplitTally(name), len(labels)
    x = np.random.default_rng(0).normal(size=(n, 2))
    tally.add({"": x}, labels if isinstance(labels, list) else np.asarray(labels), np.arange(n))
    return tally.finish(loading=loading)


def judge(*splits: Split) -> list[Finding]:
    return judge_classes(splits)


def repeated(*counts: int) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


@pytest.mark.parametrize(
    "counts",
    [(50, 50), (100, 50), (70, 30), (80, 20), (18, 2), (9, 1), (1, 1), (12, 1, 4, 5, 6)],
)
def test_mild_or_unsure_imbalance_is_none(counts: tuple[int, ...]) -> None:
    assert judge(split(repeated(*counts))) == []


@pytest.mark.parametrize(
    ("counts", "severity", "rare"),
    [
        ((900, 100), "info", {"1": 100}),
        ((950, 50), "info", {"1": 50}),
        ((960, 40), "warning", {"1": 40}),
        ((990, 10), "warning", {"1": 10}),
        ((195, 5), "critical", {"1": 5}),
        ((20_000, 200, 9000), "critical", {"1": 200}),
        ((500, 400, 30, 20), "warning", {"3": 20, "2": 30}),
    ],
)
def test_imbalance(counts: tuple[int, ...], severity: str, rare: dict[str, int]) -> None:
    (finding,) = judge(split(repeated(*counts)))
    assert (finding.code, finding.severity) == ("data.imbalanced", severity)
    assert finding.evidence["rare"] == rare
    assert finding.evidence["ratio"] == max(counts) / min(counts)
    wanted = "average precision" if len(counts) == 2 else "macro F1"
    assert wanted in finding.remedy


def test_a_weighted_sampler_that_balances_is_no_imbalance() -> None:
    labels = repeated(950, 50)
    even = np.where(labels == 1, 19.0, 1.0)
    assert judge(split(labels, loading=Loading(32, False, even))) == []
    (finding,) = judge(split(labels, loading=Loading(32, False, np.ones(1000))))
    assert finding.code == "data.imbalanced"


def test_one_class() -> None:
    (finding,) = judge(split(np.array([4, 4, 4])))
    assert (finding.code, finding.severity, finding.subject) == (
        "data.single_class", "critical", "train",
    )  # fmt: skip
    assert finding.evidence["class"] == 4
    assert "All 3 samples" in finding.message
    (named,) = judge(split(["cat"] * 5))
    assert "class cat" in named.message


def test_one_class_in_validation_only_warns() -> None:
    (finding,) = judge(split(repeated(20, 20)), split(repeated(9), "val"))
    assert (finding.severity, finding.subject) == ("warning", "val")
    assert judge(split(repeated(20, 20)), split(repeated(1), "val")) == []


def test_a_class_that_train_has_not() -> None:
    (finding,) = judge(split(repeated(20, 20)), split(np.array([0, 1, 2, 0, 2]), "test"))
    assert (finding.subject, finding.severity) == ("class 2", "critical")
    assert finding.evidence["ids"] == [2, 4]
    assert finding.evidence["share"] == 0.4


def test_ignored_targets_are_no_class() -> None:
    (finding,) = judge(split(np.array([3, 3, -100, 3])))
    assert finding.evidence["samples"] == 3


def test_sorted_batches() -> None:
    labels = repeated(40, 40)
    (finding,) = judge(split(labels, loading=Loading(16, True)))
    assert (finding.code, finding.subject) == ("data.single_class", "train batches")
    assert (finding.evidence["single_class_batches"], finding.evidence["batches"]) == (4, 5)
    assert finding.remedy == "Give the train loader shuffle=True."
    for harmless in (Loading(16, False), Loading(1, True), Loading(64, True), None):
        assert judge(split(labels, loading=harmless)) == []
    mixed = np.random.default_rng(0).permutation(labels)
    assert judge(split(mixed, loading=Loading(16, True))) == []


def test_pairs_that_chance_often_makes_equal_are_no_sorted_batches() -> None:
    assert judge(split(repeated(40, 40), loading=Loading(2, True))) == []


def test_masks_and_labels() -> None:
    (masks,) = judge(split(np.full((4, 6, 6), 2)))
    assert (masks.code, masks.severity) == ("data.single_class", "critical")
    assert "Every pixel of the 4 masks of train is class 2" in masks.message
    labels = np.array([[1, 0, 1], [0, 0, 1], [1, 0, 1]])
    (several,) = judge(split(labels))
    assert (several.evidence["never"], several.evidence["always"]) == ([1], [2])
    (constant,) = judge(split(np.array([1.25, 1.25, 1.25])))
    assert "All 3 targets of train are 1.25" in constant.message


def test_class_codes_do_not_apply_to_amounts() -> None:
    rng = np.random.default_rng(0)
    assert judge(split(rng.normal(size=50)), split(rng.normal(size=9), "val")) == []
    counts = rng.poisson(1.0, 300).astype(float)
    assert judge(split(counts), split(np.append(counts[:20], 9.0), "val")) == []
