"""Targets are read as what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbdiag.measures.data_split import Targets
from nbdiag.measures.targets import TargetTally


def read(*batches: Any) -> Targets:
    tally, seen = TargetTally(), 0
    for batch in batches:
        n = 3 if batch is None else len(batch)
        tally.add(batch, np.arange(seen, seen + n))
        seen += n
    return tally.finish()


EYE = np.eye(3)[[0, 1, 1, 2]]


@pytest.mark.parametrize(
    ("batch", "kind", "labels"),
    [
        (np.array([0, 1, 1, 2]), "classes", [0, 1, 1, 2]),
        (np.array([[0.0], [1.0], [1.0], [0.0]]), "classes", [0, 1, 1, 0]),
        (np.array([True, False]), "classes", [1, 0]),
        (EYE, "classes", [0, 1, 1, 2]),
        (0.8 * EYE + 0.2 / 3, "classes", [0, 1, 1, 2]),
        (["cat", "dog", "cat"], "classes", ["cat", "dog", "cat"]),
        (np.array([0.5, 1.5, 2.0]), "regression", None),
        (np.array([[1, 1, 0], [0, 0, 0]]), "multilabel", None),
        (np.array([[0.5, 2.0], [1.0, 3.0]]), "regression", None),
        (np.array([[4, 7, 9], [1, 2, 3]]), "sequence", None),
        (np.zeros((2, 5, 5), int), "mask", None),
        (np.zeros((2, 5, 5)), "regression", None),
        ([{"boxes": 1}, {"boxes": 2}], "structured", None),
        ([1, None], "structured", None),
        (None, "none", None),
        ([None, None], "none", None),
    ],
)
def test_kinds(batch: Any, kind: str, labels: list[Any] | None) -> None:
    targets = read(batch)
    assert targets.kind == kind
    assert (None if targets.labels is None else targets.labels.tolist()) == labels


def test_ignored_and_missing_are_no_class() -> None:
    assert read(np.array([0, 1, -100])).ignored == 1
    targets = read(np.array([0.0, 1.0, np.nan, 1.0]))
    assert (targets.kind, targets.ignored, targets.not_finite.ids) == ("classes", 1, (2,))
    assert read(["a", "b", None]).kind == "structured"


def test_a_soft_target_with_nan_is_counted() -> None:
    soft = EYE.copy()
    soft[2, 1] = np.nan
    targets = read(soft)
    assert (targets.kind, targets.not_finite.samples, targets.not_finite.ids) == (
        "classes",
        1,
        (2,),
    )


def test_several_batches_count_on() -> None:
    targets = read(np.array([[1, 0], [0, 0]]), np.array([[1, 1]]))
    assert (targets.kind, targets.positives.tolist()) == ("multilabel", [2, 1])
    masks = read(np.zeros((1, 2, 2), int), np.ones((2, 2, 2), int))
    assert (masks.names, masks.positives.tolist()) == ((0, 1), [4, 8])


def test_one_hot_first_and_several_labels_later_is_multilabel() -> None:
    assert read(np.eye(2), np.array([[1.0, 1.0]])).kind == "multilabel"


def test_small_whole_floats_are_classes_that_may_be_counts() -> None:
    targets = read(np.array([0.0, 1.0, 2.0] * 5))
    assert targets.kind == "classes"
    assert targets.amounts is not None
    assert read(np.array([0, 1, 2] * 5)).amounts is None


def test_distinct_integers_are_amounts() -> None:
    assert read(np.arange(100) ** 2).kind == "regression"
    assert read(np.arange(100)).kind == "classes"
