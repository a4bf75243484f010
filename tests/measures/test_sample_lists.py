"""Places of the explorer: cells, classes and lists, with and without a filter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbdiag.measures.error_explorer import ErrorTable
from nbdiag.measures.label_suspects import label_suspects
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.sample_columns import sample_columns
from nbdiag.measures.sample_lists import (
    SampleList,
    SampleLists,
    suggested_for,
    suspect_list,
    suspects_of,
)


def told(n: int = 60, classes: int = 3) -> Predictions:
    rng = np.random.default_rng(n)
    return Predictions(
        targets=rng.integers(0, classes, n), probabilities=rng.dirichlet(np.ones(classes), n)
    )


@pytest.fixture
def places() -> SampleLists:
    made = SampleLists(ErrorTable.from_predictions(told()))
    made.put(SampleList("odd", "Odd", "", np.array([9, 3, 7]), "as given", "mine"))
    return made


@pytest.mark.parametrize("kept", [None, "even"])
def test_rows_of_places_against_a_loop(places: SampleLists, kept: str | None) -> None:
    some = told()
    let_through = np.arange(60) % 2 == 0 if kept else np.ones(60, bool)
    if kept:
        places.filter_to(places.table.within(let_through))
    wrong = [i for i in range(60) if let_through[i] and some.predicted[i] != some.targets[i]]
    assert places.rows("errors").tolist() == wrong
    assert places.rows("true:1").tolist() == [i for i in wrong if some.targets[i] == 1]
    assert places.rows("odd").tolist() == [i for i in (9, 3, 7) if let_through[i]]
    for t in range(3):
        for p in range(3):
            rows = [
                i
                for i in range(60)
                if let_through[i] and (some.targets[i], some.predicted[i]) == (t, p)
            ]
            assert places.rows((t, p)).tolist() == rows
            assert places.count((t, p)) == places.table.matrix[t, p] == len(rows)


def test_a_list_keeps_its_own_order_until_another_is_asked_for(places: SampleLists) -> None:
    assert places.default_order("odd") == "own"
    assert places.default_order("errors") == places.default_order((0, 1)) == "confidence"
    assert places.in_order("odd", "own").tolist() == [9, 3, 7]
    assert places.in_order("odd", "data").tolist() == [3, 7, 9]
    assert places.in_order("odd", "own", 2).tolist() == [9, 3]


def test_the_order_that_is_kept_forgets_when_the_filter_changes(places: SampleLists) -> None:
    every = places.in_order("errors", "confidence")
    assert places.in_order("errors", "confidence", 3).tolist() == every[:3].tolist()
    places.filter_to(places.table.within(np.arange(60) < 30))
    assert (places.in_order("errors", "confidence") < 30).all()
    places.drop("mine")
    with pytest.raises(ValueError, match="no list 'odd'; lists: errors"):
        places.known("odd")


@pytest.mark.parametrize(
    "place", [(3, 0), [0, 3], (-1, 0), [0], "true:3", "true:", "true:x", "all", 7, None, (0, -2)]
)
def test_places_that_do_not_exist(places: SampleLists, place: Any) -> None:
    with pytest.raises(ValueError, match="no (cell|list)"):
        places.known(place)


@pytest.mark.parametrize("place", [(2, 0), [0, -1], "errors", "true:2", "odd"])
def test_places_that_exist(places: SampleLists, place: Any) -> None:
    assert places.known(place) == (tuple(place) if isinstance(place, list) else place)


def test_suspects_are_offered_with_their_condition() -> None:
    some = told(400)
    listed = suspect_list(label_suspects(some))
    assert listed.group == "suspects"  # a poor model: nothing points to its labels
    assert listed.text.endswith("if the model was not trained on these samples.")
    assert suspects_of(Predictions(
        targets=some.targets, probabilities=some.probabilities, out_of_sample=False
    )) is None  # fmt: skip


def test_the_class_suggested_for_some_rows() -> None:
    some = told(400)
    suspects = label_suspects(some)
    rows = np.arange(400)
    by_row = dict(zip(suspects.rows.tolist(), suspects.suggested.tolist(), strict=True))
    assert suggested_for(suspects, rows).tolist() == [by_row.get(row, -1) for row in range(400)]
    sure = Predictions(targets=[0, 1], probabilities=np.eye(2))
    assert suggested_for(label_suspects(sure), np.array([1, 0])).tolist() == [-1, -1]


def test_samples_as_columns() -> None:
    some = Predictions(
        ids=np.array(["a", "b"]),
        targets=[0, 1],
        probabilities=[[0.2, 0.8], [np.nan, np.nan]],
        class_names=("cat", "dog"),
        metadata={"note": ["x", "y"], "age": [1, 2]},
    )
    columns = sample_columns(some, np.array([1, 0]), {0: "blurred"})
    assert columns["id"].tolist() == ["b", "a"]
    assert columns["true"].tolist() == ["dog", "cat"]
    assert columns["predicted"].tolist() == [None, "dog"]
    assert columns["note"] == ["", "blurred"]
    assert columns["loss"][1] == pytest.approx(-np.log(0.2), rel=1e-6)
    assert columns["note (metadata)"].tolist() == ["y", "x"]
    assert columns["age"].tolist() == [2, 1]
