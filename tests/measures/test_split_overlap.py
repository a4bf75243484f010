"""Groups and times that splits share, by hand; sound splits stay silent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nbdiag.measures.split_overlap import judge_groups, judge_times


def test_groups_by_hand() -> None:
    (found,) = judge_groups({"train": ["a", "a", "b", None], "val": ["b", "c", "c", "b", None]})
    assert (found.code, found.severity) == ("data.leakage", "critical")
    assert found.subject == "train and val, group"
    told = found.evidence
    assert (told["groups_shared"], told["groups_of_split"]) == (1, 2)
    assert (told["samples_in_shared"], told["samples"], told["share"]) == (2, 4, 0.5)


def test_a_random_split_of_groups_is_called_so() -> None:
    random = np.random.default_rng(0)
    patients = np.repeat(np.arange(50), 8)
    order = random.permutation(400)
    (found,) = judge_groups(
        {"train": patients[order[:300]], "val": patients[order[300:]]}, "patient"
    )
    assert "as after a random split" in found.message
    assert found.severity == "critical"
    some = np.concatenate([np.arange(300, 395), [0, 1, 2]])
    (found,) = judge_groups({"train": np.repeat(np.arange(50), 6), "val": some}, "patient")
    assert found.severity == "warning"
    assert "random" not in found.message


@pytest.mark.parametrize(
    "groups",
    [
        {"train": [1, 1, 2], "val": [3, 3], "test": [4]},
        {"train": [1, 2], "val": [None, None]},
        {"train": [None], "val": [1]},
        {"train": ["a"], "val": ["A"]},
        {"train": [1, 2]},
    ],
)
def test_apart_groups_are_silent(groups: dict) -> None:
    assert judge_groups(groups) == []


def test_the_same_group_in_other_types() -> None:
    groups = {"train": pd.Series([1, 2, None]), "val": pl.Series(["2", "3"]), "test": [1.0, 9.0]}
    found = judge_groups(groups)
    assert [one.evidence["samples_in_shared"] for one in found] == [1, 1]


def test_a_name_alone_is_only_supposed() -> None:
    repeated = np.repeat(np.arange(10), 4)
    (found,) = judge_groups({"train": repeated, "val": repeated}, "user", asked=False)
    assert found.severity == "info"
    assert "supposed from its name" in found.message
    assert judge_groups({"train": np.arange(9), "val": np.arange(9)}, "user", asked=False) == []


DAYS = np.datetime64("2024-01-01") + np.arange(300).astype("m8[D]")


@pytest.mark.parametrize(
    ("train", "val"),
    [
        (DAYS[:200], DAYS[200:]),
        (DAYS[100:], DAYS[:100]),
        (DAYS[:200], DAYS[199:]),
        (DAYS[:205], DAYS[200:]),  # a few days of overlap
        (DAYS[:1], DAYS),
        (DAYS[:100], np.full(5, np.datetime64("NaT"))),
        (np.arange(10.0), [11, 12.5, None]),
    ],
)
def test_splits_in_time_are_silent(train: Any, val: Any) -> None:
    assert judge_times({"train": train, "val": val}) == []


def test_random_split_in_time() -> None:
    order = np.random.default_rng(0).permutation(300)
    for given in (DAYS, DAYS.astype(str).astype(object), np.arange(300)):
        (found,) = judge_times({"train": given[order[:200]], "val": given[order[200:]]}, "day")
        assert found.evidence["share_within"] > 0.95
        assert "spread over it as after a random split" in found.message
        assert found.subject == "train and val, day"


def test_block_in_the_middle_is_told_but_not_called_random() -> None:
    (found,) = judge_times({"train": np.r_[DAYS[:100], DAYS[200:]], "val": DAYS[100:200]})
    assert found.evidence["share_within"] == 1.0
    assert "random" not in found.message


def test_words_that_are_no_dates() -> None:
    with pytest.raises(ValueError, match="time must hold dates or numbers"):
        judge_times({"train": ["a", "b"], "val": ["c"]})
