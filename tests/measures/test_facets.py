"""Columns to filter by, from any table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nbdiag.measures.facets import facets

NAN = np.nan


def one(column: Any, name: str = "x", **more: Any) -> tuple:
    (made,) = facets({name: column}, **more)
    assert made.codes.dtype == np.int32
    return made.kind, list(made.labels), made.codes.tolist()


def test_words_by_how_often_they_occur() -> None:
    assert one(["b", "a", "b", None, "c"]) == ("category", ["b", "a", "c"], [0, 1, 0, -1, 2])


def test_rare_words_are_other() -> None:
    words = ["a"] * 5 + ["b"] * 4 + ["c"] * 3 + ["d", "e", "d", "other"]
    _, labels, codes = one(words, values=3)
    assert labels == ["a", "b", "other"]
    assert codes == [0] * 5 + [1] * 4 + [2] * 7
    assert one(["other"] * 9 + words, values=2)[1] == ["other", "all other"]


def test_numbers_are_cut_at_round_edges() -> None:
    kind, labels, codes = one(np.arange(1000) / 1000)
    assert kind == "number"
    assert labels == ["below 0.2", "0.2 to 0.4", "0.4 to 0.6", "0.6 to 0.8", "0.8 and above"]
    assert np.bincount(codes).tolist() == [200] * 5
    values = np.array([0.1, NAN, 0.2, 0.3, 0.4, 0.5, 0.6, np.inf] * 5)
    codes = np.array(one(values)[2])
    assert (codes == -1).tolist() == np.isnan(values).tolist()
    assert codes[7] == codes.max()


def test_few_whole_numbers_are_values() -> None:
    assert one([3, 1, 3, 2])[1:] == (["1", "2", "3"], [2, 0, 2, 1])
    assert one([True, False, True]) == ("category", ["True", "False"], [0, 1, 0])


def test_times_are_cut_into_periods() -> None:
    days = np.datetime64("2024-01-01") + np.arange(366).astype("m8[D]")
    kind, labels, _ = one(days)
    assert kind == "time"
    assert labels[0] == "2024-01"
    assert len(labels) == 12
    assert one(np.array(["2024-01-01", "NaT", "2025-06-01"], "M8[s]"))[2][1] == -1


@pytest.mark.parametrize(
    "column",
    [
        [1, 1, 1],
        ["a", "a"],
        [None, None],
        [NAN, NAN],
        [f"text {i}" for i in range(50)],
        [[1, 2, 3, 4]] * 4,
        [None, np.zeros((3, 3))],
        np.zeros((4, 5)),
        [],
    ],
    ids=["one", "one word", "missing", "nan", "texts", "boxes", "masks", "matrix", "empty"],
)
def test_what_groups_nothing_is_left_out(column: Any) -> None:
    assert facets({"x": column}) == ()


def test_ids_are_left_out() -> None:
    n = 100
    table = {"id": np.arange(n), "sample_id": np.arange(n)[::-1] * 7, "half": np.arange(n) % 2}
    assert [f.name for f in facets(table)] == ["half"]
    assert facets(None) == ()


COLUMNS: dict[str, Any] = {
    "word": ["a", "b", "a", None],
    "n": [1.0, 2.0, 2.0, NAN],
    "flag": [True, False] * 2,
}


class ArrowLike:
    """What an Arrow table offers."""

    num_rows, column_names = 4, list(COLUMNS)

    def __getitem__(self, name: str) -> pl.Series:
        return pl.Series(COLUMNS[name], strict=False)


@pytest.mark.parametrize(
    "table",
    [
        COLUMNS,
        pd.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS).astype({"word": "category", "n": "Int64"}),
        pl.DataFrame(COLUMNS, strict=False),
        pl.DataFrame(COLUMNS, strict=False).with_columns(pl.col("word").cast(pl.Categorical)),
        ArrowLike(),
    ],
    ids=["dict", "pandas", "pandas own types", "polars", "polars categories", "arrow"],
)
def test_the_same_of_any_table(table: Any) -> None:
    word, n, flag = facets(table)
    assert (word.labels, word.codes.tolist()) == (("a", "b"), [0, 1, 0, -1])
    assert (n.labels, n.codes.tolist()) == (("1", "2"), [0, 1, 1, -1])
    assert flag.labels == ("False", "True")
    assert flag.codes.tolist() == [1, 0, 1, 0]


def test_structured_array() -> None:
    table = np.array([("a", 1), ("b", 1), ("a", 1)], dtype=[("word", "U1"), ("n", int)])
    assert [(f.name, f.codes.tolist()) for f in facets(table)] == [("word", [0, 1, 0])]
