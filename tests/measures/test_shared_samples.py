"""Samples of one split in another: found where they are no coincidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbdiag.measures.data_split import Split
from nbdiag.measures.data_tally import SplitTally
from nbdiag.measures.findings import Finding
from nbdiag.measures.shared_samples import judge_shared


def split(name: str, x: Any, y: Any = None, origin: Any = None) -> Split:
    tally = SplitTally(name)
    tally.add({"": x}, y, np.arange(len(x)))
    return tally.finish(origin)


def judge(train: Any, val: Any, y: Any = (None, None)) -> list[Finding]:
    return judge_shared([split("train", train, y[0]), split("val", val, y[1])])


def normal(n: int, d: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(2, 60), st.integers(1, 30), st.integers(1, 6), st.integers(0, 999), st.integers(0)
)
def test_one_copied_row_is_always_found(n: int, m: int, d: int, seed: int, at: int) -> None:
    train, val = normal(n, d, seed), normal(m, d, seed + 1000)
    assert judge(train, val) == []
    val[at % m] = train[at % n]
    (finding,) = judge(train, val)
    assert finding.code == "data.leakage"
    assert (finding.evidence["ids"], finding.evidence["twins"]) == ([at % m], [at % n])
    assert finding.evidence["share"] == 1 / m


@settings(deadline=None, max_examples=20)
@given(st.randoms(use_true_random=False), st.integers(0, 20))
def test_the_order_of_samples_does_not_matter(random: Any, copies: int) -> None:
    train, val = normal(80), normal(40, seed=1)
    val[:copies] = train[:copies]
    order, other = list(range(80)), list(range(40))
    random.shuffle(order)
    random.shuffle(other)
    plain, mixed = judge(train, val), judge(train[order], val[other])
    assert [f.message for f in plain] == [f.message for f in mixed]
    for finding in mixed:
        assert {other[i] for i in finding.evidence["ids"]} == set(range(copies))


@pytest.mark.parametrize("columns", [1, 2, 3, 5])
def test_tables_of_few_values_are_no_leak(columns: int) -> None:
    rng = np.random.default_rng(columns)
    x = rng.integers(0, 4, (900, columns)).astype(float)
    assert judge(x[:600], x[600:]) == []


def test_more_copies_than_a_table_of_few_values_has_are_a_leak() -> None:
    x = np.random.default_rng(0).integers(0, 8, (900, 5)).astype(float)
    x[600:750] = x[:150]
    (finding,) = judge(x[:600], x[600:])
    assert finding.severity == "critical"
    assert finding.evidence["share"] > 0.45 > 5 * finding.evidence["share_within"]


def test_rounded_measurements_that_coincide_are_no_leak() -> None:
    x = np.round(np.random.default_rng(0).normal(5, 1, (150, 2)), 1)
    assert judge(x[:100], x[100:]) == []


def test_pictures_of_one_value_are_no_leak() -> None:
    pictures = np.random.default_rng(0).random((60, 1, 8, 8)).astype(np.float32)
    pictures[::10] = 0.0
    assert judge(pictures[:40], pictures[40:]) == []
    pictures[45] = pictures[3]
    (finding,) = judge(pictures[:40], pictures[40:])
    assert finding.evidence["ids"] == [5]


def test_equal_inputs_with_other_targets_are_told_apart() -> None:
    train, val = normal(50), normal(20, seed=1)
    val[:3] = train[:3]
    y = np.arange(50) % 2, np.array([0, 1, 1] + [0] * 17)
    (finding,) = judge(train, val, y)
    assert (finding.evidence["other_target"], finding.evidence["other_target_ids"]) == (1, [2])
    assert "1 of them with another target" in finding.message
    assert "label errors" in finding.remedy


@pytest.mark.parametrize(("copies", "severity"), [(1, "info"), (9, "warning"), (150, "critical")])
def test_severity_follows_the_share(copies: int, severity: str) -> None:
    train, val = normal(300), normal(1500, seed=1)
    val[:copies] = train[:copies]
    (finding,) = judge(train, val)
    assert finding.severity == severity
    assert finding.evidence["ids"] == list(range(min(copies, 20)))


def test_val_and_test_are_compared_as_well() -> None:
    val = normal(20, seed=1)
    splits = [split("train", normal(50)), split("val", val), split("test", val[5:])]
    (finding,) = judge_shared(splits)
    assert (finding.subject, finding.evidence["in"], finding.evidence["samples"]) == (
        "test", "val", 15,
    )  # fmt: skip


def test_the_same_entries_although_every_look_differs() -> None:
    train = split("train", normal(5), None, ("data", np.array([4, 5, 6, 7, 8])))
    val = split("val", normal(3, seed=1), None, ("data", np.array([8, 9, 4])))
    (finding,) = judge_shared([train, val])
    assert finding.evidence["kind"] == "same entries"
    assert (finding.evidence["ids"], finding.evidence["entries"]) == ([0, 2], [8, 4])
    other = split("val", normal(3, seed=1), None, ("other data", np.array([8, 9, 4])))
    assert judge_shared([train, other]) == []


def test_texts() -> None:
    long = [f"a sentence of some words, number {i}" for i in range(30)]
    short = ["yes", "no", "thank you"] * 10
    assert judge(long[:20] + short, long[20:] + short) == []
    (finding,) = judge(long, [long[4].upper()])
    assert finding.evidence["twins"] == [4]
