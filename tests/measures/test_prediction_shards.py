"""Shards of a data set become one, or it is said why not; and the dataframe of predictions."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nbdiag.measures.outputs import OutputKind
from nbdiag.measures.predictions import Predictions

N = 12


def whole(metadata: Any = None, **more: Any) -> Predictions:
    logits = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
    logits[4] = np.nan
    return Predictions(
        ids=np.arange(N) * 3, targets=np.arange(N) % 3, logits=logits, metadata=metadata, **more
    )


def columns() -> dict[str, Any]:
    return {"word": [f"w{i}" for i in range(N)], "n": np.arange(N), "half": [None, 1.5] * 6}


TABLES = {
    "none": lambda: None,
    "dict": columns,
    "pandas": lambda: pd.DataFrame(columns()),
    "polars": lambda: pl.DataFrame(columns()),
    "structured": lambda: np.array([(i, i * 0.5) for i in range(N)], dtype="i4,f8"),
}


def same(one: Any, two: Any) -> bool:
    if one is None:
        return two is None
    if isinstance(one, dict):
        return all(list(one[k]) == list(two[k]) for k in one) and list(one) == list(two)
    return bool(one.equals(two)) if hasattr(one, "equals") else bool((one == two).all())


@pytest.mark.parametrize("table", TABLES)
def test_cut_and_merged_is_the_same(table: str) -> None:
    told = whole(TABLES[table](), note="noted", out_of_sample=True)
    shards = [told.take(np.arange(7, N)), told.take([0, 2, 4, 6]), told.take([5, 3, 1])]
    merged = Predictions.merge(shards)
    for name in ("ids", "targets", "probabilities", "logits"):
        assert np.array_equal(getattr(merged, name), getattr(told, name), equal_nan=True)
    assert same(told.metadata, merged.metadata)
    assert (merged.note, merged.out_of_sample) == ("noted", True)


def test_samples_in_two_shards_count_once() -> None:
    told = whole(columns())
    merged = Predictions.merge([told.take(np.arange(8)), told.take(np.arange(3, N))])
    assert merged.ids.tolist() == told.ids.tolist()
    assert same(told.metadata, merged.metadata)


def test_one_shard_and_words_as_ids() -> None:
    ids = np.array([f"s{i:02}" for i in range(N)])
    told = dataclasses.replace(whole(), ids=ids)
    assert Predictions.merge([told]).ids.tolist() == ids.tolist()


def test_categories_of_shards_are_joined() -> None:
    one = whole(pd.DataFrame({"c": pd.Series(["a", "b"] * 6, dtype="category")}))
    two = dataclasses.replace(
        whole(pd.DataFrame({"c": pd.Series(["c", "b"] * 6, dtype="category")})),
        ids=np.arange(N) * 3 + 1,
    )
    merged = Predictions.merge([one, two]).metadata
    assert list(merged["c"].cat.categories) == ["a", "b", "c"]
    assert merged["c"].tolist()[:4] == ["a", "c", "b", "b"]


def test_inputs_come_from_the_shard_that_has_them() -> None:
    one = whole().with_inputs([(f"one {i}", 0) for i in range(40)])
    two = dataclasses.replace(whole(), ids=np.arange(N) * 3 + 1).with_inputs(
        [(f"two {i}", 0) for i in range(40)]
    )
    merged = Predictions.merge([one, two])
    assert merged.inputs is not None
    assert merged.inputs([3, 4]) == ["one 3", "two 4"]
    with pytest.raises(IndexError, match="no sample 2 in these shards"):
        merged.inputs([2])
    assert Predictions.merge([one.take([0]), one.take([1])]).inputs is one.inputs
    assert Predictions.merge([one, dataclasses.replace(two, inputs=None)]).inputs is None


@pytest.mark.parametrize(
    ("known", "expected"),
    [([True, True], True), ([True, False], False), ([True, None], None), ([None, False], False)],
)
def test_one_shard_of_training_samples_tells(known: list, expected: Any) -> None:
    parts = [dataclasses.replace(whole().take([i]), out_of_sample=k) for i, k in enumerate(known)]
    assert Predictions.merge(parts).out_of_sample is expected


def test_outputs_that_differ_are_not_stated() -> None:
    kinds = [OutputKind("logits", 3, "declared"), OutputKind("probabilities", 3, "declared")]
    parts = [dataclasses.replace(whole().take([i]), output=k) for i, k in enumerate(kinds)]
    assert Predictions.merge(parts).output is None
    assert Predictions.merge([parts[0], parts[0]]).output == kinds[0]


def other(**change: Any) -> Predictions:
    return dataclasses.replace(whole(columns()), **change)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"targets": np.zeros(N, int)}, "8 ids occur in several shards with different targets"),
        (
            {"logits": None, "probabilities": np.full((N, 3), 1 / 3)},
            "different probabilities.*is 0",
        ),
        ({"class_names": ("a", "b", "c")}, "shard 1 has the classes a, b, c and shard 0 0, 1, 2"),
        ({"metadata": None}, "shard 1 has no metadata and others have"),
        ({"metadata": {"word": columns()["word"]}}, r"differ in the columns \['half', 'n'\]"),
        ({"metadata": pd.DataFrame(columns())}, "shard 1 is a DataFrame, that of shard 0 a dict"),
        ({"ids": np.array(list("abcdefghijkl"))}, "words as ids and others numbers"),
    ],
)
def test_what_cannot_be_merged(second: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Predictions.merge([other(), other(**second)])


def test_no_shards() -> None:
    with pytest.raises(TypeError, match="got an empty list"):
        Predictions.merge([])
    with pytest.raises(TypeError, match="got float"):
        Predictions.merge([whole(), 0.5])  # type: ignore[list-item]


@pytest.mark.parametrize("table", TABLES)
def test_frame(table: str) -> None:
    metadata = TABLES[table]()
    frame = whole(metadata, class_names=("a", "b", "c")).to_frame()
    assert isinstance(frame, pl.DataFrame if table == "polars" else pd.DataFrame)
    own = ["id", "target", "predicted", "confidence", "correct"]
    own += ["probability a", "probability b", "probability c"]
    assert list(frame.columns)[:8] == own
    assert list(frame["target"])[:4] == ["a", "b", "c", "a"]
    assert list(frame["predicted"])[4] == ""
    if table in ("dict", "pandas", "polars"):
        assert list(frame["word"]) == columns()["word"]


def test_frame_keeps_types_and_index_and_names_apart() -> None:
    table = pd.DataFrame({"id": pd.Series(["x"] * N, dtype="category")}, index=range(10, 10 + N))
    frame = whole(table).to_frame()
    assert list(frame.index) == list(table.index)
    assert frame["metadata.id"].dtype == "category"
    many = Predictions(targets=np.zeros(2, int), logits=np.zeros((2, 30)))
    assert list(many.to_frame().columns)[-1] == "correct"


def test_figure() -> None:
    figure = whole().figure()
    assert [item.label.value for item in figure.legend.items] == ["right", "wrong"]
