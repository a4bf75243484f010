"""Predictions: what is derived from them, and what they refuse."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from nbdiag.measures.metadata import count_rows, take_rows
from nbdiag.measures.outputs import OutputKind
from nbdiag.measures.predictions import Predictions

NAN = np.nan
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.4, 0.4, 0.2], [NAN, NAN, NAN], [0.0, 0.1, 0.9]])


def made(**changes: object) -> Predictions:
    given = {"ids": np.arange(4), "targets": np.array([0, 1, 2, 2]), "probabilities": PROBABILITIES}
    return Predictions(**{**given, **changes})  # type: ignore[arg-type]


def test_derived_by_hand() -> None:
    told = made()
    assert told.predicted.tolist() == [0, 0, -1, 2]  # the first of equals; -1 for NaN
    assert np.array_equal(told.confidence, [0.7, 0.4, NAN, 0.9], equal_nan=True)
    assert told.n_nonfinite == 1
    assert told.accuracy == 0.5  # the sample without an answer counts as wrong
    assert (len(told), told.n_classes) == (4, 3)
    assert told.class_names == ("0", "1", "2")


def test_logits_decide_where_probabilities_are_equal_to_the_last_bit() -> None:
    logits = np.array([[40.0, 41.0]])
    told = Predictions(np.array([0]), np.array([1]), np.array([[0.5, 0.5]]), logits)
    assert told.predicted.tolist() == [1]


def test_one_nan_among_logits() -> None:
    logits = np.array([[0.0, NAN, 9.0]])
    told = Predictions(np.array([0]), np.array([2]), np.full((1, 3), NAN), logits)
    assert told.predicted.tolist() == [-1]
    assert told.logits is not None
    assert np.isnan(told.logits[0, 1])


def test_frozen_and_read_only() -> None:
    probabilities = PROBABILITIES.copy()
    told = made(probabilities=probabilities)
    with pytest.raises(dataclasses.FrozenInstanceError):
        told.ids = np.arange(4)  # type: ignore[misc]
    for name in ("ids", "targets", "probabilities", "predicted", "confidence", "finite"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(told, name)[0] = 0
    probabilities[0, 0] = 0.7  # the caller's own array stays writeable


def test_repr_states_what_other_machines_state_too() -> None:
    n = 1000
    targets = np.zeros(n, int)
    wrong = np.arange(n) < 100
    logits = np.where(wrong[:, None], [0.0, 1.0], [1.0, 0.0])
    kind = OutputKind("logits", 2, "declared")
    told = Predictions(np.arange(n), targets, np.abs(logits), logits, output=kind)
    text = "Predictions: 1000 samples, 2 classes, read as softmax of 2 logits, accuracy 0.9"
    assert repr(told) == text
    # three samples more or less, as on another machine, read the same
    wrong[100:103] = True
    again = dataclasses.replace(told, logits=np.where(wrong[:, None], [0.0, 1.0], [1.0, 0.0]))
    assert repr(again) == text
    assert repr(made()).endswith("accuracy 0.5, 1 not finite")
    assert repr(made(note="ids are the order of arrival")).endswith(
        "(ids are the order of arrival)"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probabilities": np.zeros((0, 3)), "ids": [], "targets": []}, "data set is empty"),
        ({"probabilities": np.ones(4)}, r"\(N, C\).*got \(4,\)"),
        ({"probabilities": np.ones((4, 1))}, "at least 2 classes"),
        ({"ids": np.arange(3)}, r"ids must have the shape \(4,\).*got \(3,\)"),
        ({"ids": np.array([5, 7, 5, 5])}, "ids must differ, 5 occurs 3 times"),
        ({"targets": np.zeros((4, 3))}, "targets must have the shape"),
        ({"logits": np.ones((4, 2))}, "logits must have the shape"),
        ({"targets": [0, 1, 3, 2]}, r"0\.\.2 for 3 classes, got 3 at id 2; they range from 0 to 3"),
        ({"targets": [0, -1, 1, 2]}, "got -1 at id 1"),
        ({"targets": [1, 2, 3, 1]}, "labels that start at 1: subtract 1"),
        ({"targets": [0, 1, 0.5, 2]}, "whole class numbers, got 0.5 at id 2"),
        ({"targets": [0, 1, NAN, 2]}, "whole class numbers, got nan at id 2"),
        ({"targets": ["a", "b", "c", "d"]}, "class numbers, got values such as 'a'"),
        ({"class_names": ["a", "b"]}, "2 names for 3 classes"),
        ({"class_names": ["a", "b", "a"]}, "'a' occurs 2 times"),
        ({"class_names": "abc"}, "single text 'abc'"),
        (
            {"class_names": {0: "a", 1: "b", 2: "c"}},
            "in the order of the class numbers, got a dict",
        ),
        ({"class_names": {"a", "b", "c"}}, "in the order of the class numbers, got a set"),
        ({"metadata": {"x": [1, 2, 3]}}, "metadata has 3 rows for 4 samples"),
        ({"metadata": {"x": [1, 2, 3], "y": [1]}}, "differ in length"),
    ],
)
def test_bad_input(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(**changes)


def test_whole_floats_and_booleans_are_class_numbers() -> None:
    assert made(targets=np.array([0.0, 1.0, 2.0, 2.0])).targets.dtype == np.int64
    assert made(targets=np.array([False, True, True, False])).targets.tolist() == [0, 1, 1, 0]


def test_ids_may_be_words() -> None:
    told = made(ids=np.array(["a", "b", "c", "d"]))
    assert told.ids[2] == "c"


def test_names_with_markup_are_kept_as_they_are() -> None:
    assert made(class_names=["<b>", "1", 2]).class_names == ("<b>", "1", "2")


@pytest.mark.parametrize(
    "table",
    [
        {"x": np.array([10, 20, 30])},
        {"x": [10, 20, 30]},
        pd.DataFrame({"x": [10, 20, 30]}, index=[7, 8, 9]),
        np.array([(10,), (20,), (30,)], dtype=[("x", int)]),
    ],
    ids=["dict of arrays", "dict of lists", "pandas", "structured"],
)
def test_rows_of_any_table(table: object) -> None:
    assert count_rows(table) == 3
    assert list(take_rows(table, np.array([2, 0]))["x"]) == [30, 10]


def test_rows_of_polars_and_arrow_like_tables() -> None:
    class ArrowLike:
        num_rows = 3

        def take(self, positions: np.ndarray) -> list[int]:
            return [[10, 20, 30][i] for i in positions]

    assert count_rows(ArrowLike()) == 3
    assert take_rows(ArrowLike(), np.array([2, 0])) == [30, 10]


def test_no_table() -> None:
    with pytest.raises(TypeError, match="got int"):
        count_rows(3)
    with pytest.raises(ValueError, match="several columns 'x': rename or drop"):
        count_rows(pd.DataFrame([[1, 2, 3]], columns=["x", "y", "x"]))
    for column in ([1, 2, 3], np.arange(3), pd.Series([1, 2, 3]), "abc"):
        with pytest.raises(TypeError, match=r'of one column give {"name": column}'):
            count_rows(column)


def test_targets_may_be_words_of_the_class_names() -> None:
    p = np.eye(3)
    for words in (["b", "c", "a"], np.array(["b", "c", "a"], object)):
        told = Predictions(targets=words, probabilities=p, class_names="a b c".split())
        assert told.targets.tolist() == [1, 2, 0]
    with pytest.raises(ValueError, match="target d at id 8 is none of the class names: a, b, c"):
        Predictions([7, 8, 9], ["a", "d", "b"], p, class_names="a b c".split())
    with pytest.raises(ValueError, match="such as 'b': give class_names="):
        Predictions(targets=["b", "c", "a"], probabilities=p)


def test_made_by_hand() -> None:
    """Lists, ids that count by themselves, and logits alone."""
    told = Predictions(targets=[0, 1, 1], probabilities=[[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])  # type: ignore[arg-type]
    assert told.ids.tolist() == [0, 1, 2]
    assert told.predicted.tolist() == [0, 1, 0]
    logits = np.array([[1.0, 0.0], [NAN, 2.0]])
    of_logits = Predictions(targets=np.array([0, 1]), logits=logits)
    assert np.allclose(of_logits.probabilities[0], [0.731059, 0.268941])
    assert np.isnan(of_logits.probabilities[1]).all()
    assert of_logits.predicted.tolist() == [0, -1]
    whole = Predictions(targets=np.array([0, 1]), probabilities=np.array([[1, 0], [1, 0]]))
    assert whole.probabilities.dtype == np.float32


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"targets": None}, TypeError, "targets are missing"),
        ({"probabilities": None}, TypeError, "probabilities are missing"),
        ({"probabilities": np.eye(4, 3) * 3}, ValueError, "a row sums to 3: give logits as logits"),
        ({"probabilities": np.tile([1.5, -0.5, 0], (4, 1))}, ValueError, "but -0.5 is among them"),
        ({"probabilities": np.full((4, 3), "a")}, ValueError, "must be numbers, got <U1"),
        ({"targets": np.eye(4, 3)}, ValueError, r"targets.argmax\(1\).*multi-label"),
        (
            {"probabilities": None, "logits": np.ones(4)},
            ValueError,
            r"\(N, C\).*got float64 \(4,\)",
        ),
        ({"ids": np.array(["a", "b", "a", "c"])}, ValueError, "a occurs 2 times"),
    ],
)
def test_bad_by_hand(given: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        made(**given)


def test_some_rows_taken() -> None:
    told = made(metadata={"x": [1, 2, 3, 4]}, class_names=("a", "b", "c"), note="noted")
    part = told.take([3, 0])
    assert part.ids.tolist() == [3, 0]
    assert part.metadata == {"x": [4, 1]}
    assert (part.class_names, part.note) == (told.class_names, "noted")
    assert told.take(np.array([False, True, False, True])).ids.tolist() == [1, 3]
    with pytest.raises(ValueError, match="no row is taken"):
        told.take([])
    with pytest.raises(IndexError):
        told.take([4])
