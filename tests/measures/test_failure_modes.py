"""Categories of errors, and how predicates are asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from statsmodels.stats.multitest import multipletests

from nbdiag.measures.contrast import greater
from nbdiag.measures.failure_modes import REST, FailureTable
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.sample_view import ask
from tests.measures.made import scene, told

# Ten samples, wrong are 0 to 3; "low" holds 0 to 4, "odd" the odd ones
TEN = np.arange(10)


def ten(**options: Any) -> Predictions:
    return told(TEN < 4, classes=2, **options)


def table(categories: Any, predictions: Predictions | None = None) -> FailureTable:
    return FailureTable.from_predictions(predictions or ten(), categories)


def test_counts_by_hand() -> None:
    made = table({"low": TEN < 5, "odd": TEN % 2 == 1})
    assert made.names == ("low", "odd", REST)
    assert made.n.tolist() == [5, 5, 2]  # in none: 6 and 8
    assert made.errors.tolist() == [4, 2, 0]
    assert made.overlap.tolist() == [[4, 2], [2, 2]]
    frame = made.to_frame()
    assert frame["share_of_errors"].tolist() == [1.0, 0.5, 0.0]
    assert frame["share_of_samples"].tolist() == [0.5, 0.5, 0.2]
    assert frame["rate"].tolist() == [0.8, 0.4, 0.0]
    assert frame["lift"].tolist() == [2.0, 1.0, 0.0]
    assert frame["errors_in_others_too"].tolist() == [2, 2, 0]
    assert frame["category"].tolist() == ["low", "odd", REST]
    assert made.findings() == []  # too few


def naive(predictions: Predictions, fits: np.ndarray) -> tuple[int, int]:
    errors = 0
    for row in range(len(predictions)):
        if fits[row] and predictions.predicted[row] != predictions.targets[row]:
            errors += 1
    return int(fits.sum()), errors


def test_counts_like_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    masks = {f"m{i}": rng.random(500) < 0.2 * (i + 1) for i in range(4)}
    predictions = told(np.full(500, 0.3))
    made = table(masks, predictions)
    for i, mask in enumerate([*masks.values(), ~np.any(list(masks.values()), axis=0)]):
        assert (made.n[i], made.errors[i]) == naive(predictions, mask)


PREDICATES: dict[str, tuple[Any, list[int]]] = {
    "columns": (lambda s: s.confidence > 2, []),
    "true class": (lambda s: s.true == s.true, list(range(10))),
    "names": (lambda s: s.true_name == s.predicted_name, [4, 5, 6, 7, 8, 9]),
    "wrong": (lambda s: s.wrong, [0, 1, 2, 3]),
    "right": (lambda s: s.right, [4, 5, 6, 7, 8, 9]),
    "probabilities": (lambda s: s.probabilities.max(axis=-1) == s.confidence, list(range(10))),
    "ids": (lambda s: s.id >= 8, [8, 9]),
    "metadata": (lambda s: s.metadata["x"] < 3, [0, 1, 2]),
    "one sample": (lambda s: s.wrong and s.id > 1, [2, 3]),
    "one sample's metadata": (lambda s: 1 < s.metadata["x"] < 4, [2, 3]),
    "a word of metadata": (lambda s: s.metadata["w"].startswith("a"), [0, 2, 4, 6, 8]),
    "its input": (lambda s: s.input.sum() > 16, [9]),
    "only the input": (lambda x: (abs(x) > 8).any(), [9]),
    "the article's": (lambda x: -0.1 <= x.sum() <= 2.1, [0, 1]),
    "length of the input": (lambda x: len(x) == 2, list(range(10))),
    "item of the input": (lambda x: x[0] == 3, [3]),
    "an array": (TEN == 3, [3]),
    "a list": ((TEN == 3).tolist(), [3]),
    "a series": (pd.Series(TEN == 3), [3]),
    "polars": (pl.Series(TEN == 3), [3]),
    "no answer for some": (pd.Series([True, None] * 5, dtype="boolean"), [0, 2, 4, 6, 8]),
    "constant": (lambda s: True, list(range(10))),
    "a frame's mask": (lambda s: pd.Series(s.id) == 4, [4]),
}


class Rows:
    """Inputs by id: (id, id) as floats; counts how often they are read."""

    def __init__(self) -> None:
        self.read = 0

    def __call__(self, ids: Any) -> list[np.ndarray]:
        self.read += len(ids)
        return [np.full(2, float(key)) for key in ids]


METADATA = {"x": TEN, "w": ["ab", "cd"] * 5}


@pytest.mark.parametrize("predicate", PREDICATES)
def test_ways_to_ask(predicate: str) -> None:
    given, expected = PREDICATES[predicate]
    predictions = ten(metadata=METADATA, inputs=Rows())
    mask, _ = ask({"it": given}, predictions)["it"]
    assert mask.dtype == bool
    assert np.flatnonzero(mask).tolist() == expected


def test_inputs_are_read_once_for_all_predicates() -> None:
    inputs = Rows()
    both = {"a": lambda x: x.sum() > 3, "b": lambda s: s.input.sum() > 5, "c": lambda s: s.wrong}
    ask(both, ten(inputs=inputs))
    assert inputs.read == 10


def test_which_predicates_know_the_errors() -> None:
    asked = {
        "wrong": lambda s: s.wrong,
        "compared": lambda s: s.predicted != s.true,
        "one by one": lambda s: s.right and s.id > 3,
        "answer": lambda s: s.predicted == 1,
        "confidence": lambda s: s.confidence < 0.7,
        "array": TEN < 4,
    }
    known = {name: knows for name, (_, knows) in ask(asked, ten()).items()}
    assert known == {
        "wrong": True, "compared": True, "one by one": True,
        "answer": False, "confidence": False, "array": False,
    }  # fmt: skip


def fails_at(row: int) -> Any:
    def predicate(s: Any) -> bool:
        if bool(s.id == row):
            raise KeyError("no such thing")
        return False

    return predicate


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (fails_at(7), "'it' failed on the sample with id 7: KeyError: 'no such thing'"),
        (lambda s: s.metadata["z"] > 1, "'it' failed on the sample with id 0: .*no column 'z'"),
        (lambda s: s.colour > 1, "'it' failed .* samples have no 'colour'; they have: id, true"),
        (lambda s: "yes", "'it' must give True or False for a sample.*it gave 'yes'"),
        (lambda s: None, "it gave None"),
        (lambda x: x[5] > 1, "'it' failed on the sample with id 0: as a sample: .*IndexError"),
        (np.ones(3, bool), "'it' must be a function of samples or one bool for each of the 10"),
        (TEN, "'it' must be a function of samples"),
        ("dark", "'it' must be a function of samples"),
    ],
)
def test_a_predicate_that_fails_is_named_with_the_sample(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ask({"it": given}, ten(metadata=METADATA, inputs=Rows()))


def test_without_inputs_a_predicate_of_inputs_fails_in_words() -> None:
    with pytest.raises(ValueError, match="cannot look up their inputs"):
        ask({"it": lambda s: s.input.sum() > 3}, ten())
    with pytest.raises(ValueError, match="there is no column 'x': these predictions have no meta"):
        ask({"it": lambda s: s.metadata["x"] > 3}, ten())


@pytest.mark.parametrize(
    ("categories", "error", "said"),
    [
        ([("a", TEN < 3)], TypeError, "must be a mapping of names to predicates"),
        ({}, ValueError, "there is no category"),
        ({REST: TEN < 3}, ValueError, "none of them 'uncategorised'"),
        ({1: TEN < 3, "1": TEN < 2}, ValueError, "different names"),
    ],
)
def test_bad_categories(categories: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        table(categories)


def test_a_concentration_is_found_and_what_overlaps_is_explained() -> None:
    scenes = scene(6000, 1)
    predictions = told(0.06 + 0.3 * (scenes["light"] < 0.2), metadata=scenes)
    made = table(
        {
            "dark": lambda s: s.metadata["light"] < 0.2,
            "dim": lambda s: s.metadata["light"] < 0.25,
            "night": lambda s: s.metadata["night"],
            "mistakes": lambda s: s.wrong,
        },
        predictions,
    )
    (finding,) = made.findings()
    assert (finding.code, finding.subject) == ("failure.concentrated", "dark")
    assert made.explained == {1: "dark"}
    kept, judged = made.judged
    assert kept.tolist() == [0, 1, 2]  # "mistakes" knows the answer
    assert judged is not None
    p = greater(made.errors[kept], made.n[kept], made.total_errors, made.total)
    np.testing.assert_allclose(judged.p_adjusted, multipletests(p, method="holm")[1])
    assert repr(made).splitlines()[1:] == [
        "  dark, dim, night, mistakes",
        "  warning: failure.concentrated in dark",
    ]


@pytest.mark.parametrize("seed", range(6))
def test_luck_is_no_concentration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = {f"m{i}": rng.random(3000) < 0.1 for i in range(12)}
    assert table(masks, told(np.full(3000, 0.15), seed=seed + 100)).findings() == []


def test_a_little_more_is_no_concentration() -> None:
    # surely more often than the rest, and yet few of the errors
    small = np.arange(20_000) < 400
    assert table({"small": small}, told(0.1 + 0.1 * small)).findings() == []


EDGES = {
    "all right": np.zeros(100, bool),
    "all wrong": np.ones(100, bool),
    "one sample": np.array([True]),
}


@pytest.mark.parametrize("edge", EDGES)
def test_edges(edge: str) -> None:
    wrong = EDGES[edge]
    n = len(wrong)
    masks = {"none": np.zeros(n, bool), "all": np.ones(n, bool), "first": np.arange(n) < 50}
    made = table(masks, told(wrong, classes=2))
    assert made.findings() == []
    frame = made.to_frame()
    assert frame["errors"].tolist()[1] == wrong.sum()
    assert np.isnan(frame["lift"][0])
    assert made.samples("none").size == 0
    assert made.samples("all").size == wrong.sum()
    assert made.samples("all", errors_only=False).size == n
    assert made.confusions("none") == []


def test_answers_that_are_not_finite_are_errors() -> None:
    p = np.array([[0.9, 0.1], [np.nan, np.nan], [0.2, 0.8]])
    made = table(
        {"first": np.array([True, True, False])}, Predictions(targets=[0, 1, 1], probabilities=p)
    )
    assert made.errors.tolist() == [1, 0]
    assert made.confusions("first") == [(1, -1, 1)]


def test_samples_are_the_most_confidently_wrong_first() -> None:
    p = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7]])
    made = table({"all": np.ones(4, bool)}, Predictions(targets=[0, 1, 1, 1], probabilities=p))
    assert made.samples("all").tolist() == [2, 1]
    assert made.samples("all", errors_only=False).tolist() == [2, 1, 3, 0]
    assert made.confusions("all") == [(1, 0, 2)]
    with pytest.raises(ValueError, match="no category 'dark'; there are all, uncategorised"):
        made.samples("dark")


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_the_frame_is_of_the_library_that_was_given(library: Any) -> None:
    made = table({"low": TEN < 5}, ten(metadata=library(METADATA)))
    assert type(made.to_frame()) is library


def test_a_million_samples() -> None:
    n = 1_000_000
    predictions = told(np.full(n, 0.1), metadata={"x": np.arange(n) % 100})
    made = table({f"m{i}": lambda s, i=i: s.metadata["x"] < 10 * i for i in range(8)}, predictions)
    assert made.n.tolist() == [
        0,
        100_000,
        200_000,
        300_000,
        400_000,
        500_000,
        600_000,
        700_000,
        300_000,
    ]
    assert made.findings() == []
