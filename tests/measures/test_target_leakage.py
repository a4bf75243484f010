"""Columns that give the target away are named; honest, chance and easy ones are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbdiag.measures.data_tally import SplitTally
from nbdiag.measures.findings import Finding
from nbdiag.measures.target_leakage import judge_target_like

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 5))
Y = RNG.integers(0, 3, 400)


def judge(x: np.ndarray, y: Any) -> list[Finding]:
    tally = SplitTally("train")
    tally.add({"": x}, np.asarray(y), np.arange(len(x)))
    return judge_target_like(tally.finish())


def beside(*columns: np.ndarray) -> np.ndarray:
    return np.column_stack([X, *columns])


@pytest.mark.parametrize(
    "column",
    [Y, np.array([7.5, -2, 3])[Y], Y + 0.02 * RNG.normal(size=400), np.sin(Y) * 100],
    ids=["target", "code", "with noise", "function"],
)
def test_found(column: np.ndarray) -> None:
    (finding,) = judge(beside(column), Y)
    assert (finding.code, finding.severity, finding.subject) == (
        "data.leakage", "critical", "column 5",
    )  # fmt: skip
    assert finding.evidence["held_out"] == 200
    assert finding.evidence["accuracy"] >= 0.99


def test_one_hot_target() -> None:
    (finding,) = judge(beside(np.eye(3)[Y]), Y)
    assert finding.evidence["columns"] == ["column 5", "column 6", "column 7"]


def test_integers_and_text_targets() -> None:
    (finding,) = judge(np.column_stack([RNG.integers(0, 9, (400, 4)), Y]), Y)
    assert finding.subject == "column 4"
    tally = SplitTally("train")
    tally.add({"": beside(Y)}, [("ab", "cd", "ef")[k] for k in Y], np.arange(400))
    assert judge_target_like(tally.finish())[0].subject == "column 5"


def test_amounts() -> None:
    y = X @ [1, 2, 0.5, 1, 1] + RNG.normal(size=400)
    (finding,) = judge(beside(np.exp(y / 3)), y)
    assert (finding.subject, finding.evidence["kind"]) == ("column 5", "target-like feature")
    assert judge(X, y) == []
    assert judge(X, X[:, 0] + 0.5 * X[:, 1]) == []
    assert judge(X[:, :2], X[:, 0]) == []  # too few columns for one to be odd


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X, Y),
        (X + 5 * (Y == 1)[:, None] + 10 * (Y == 2)[:, None], Y),  # easy: every column tells
        (beside((Y == 1).astype(float)), Y),  # one class of three
        (beside(Y + 0.6 * RNG.normal(size=400)), Y),
        (beside(np.arange(400)), Y),  # an id: pure, and worthless on held-out samples
        (np.column_stack([RNG.integers(0, 2, (14, 500)), [0, 1] * 7]).astype(float), [0, 1] * 7),
        (X, np.zeros(400, int)),
        (X[:1], [0]),
        (beside(np.full(400, np.nan)), Y),
        (X[:, :1], Y),
    ],
)
def test_not_found(x: np.ndarray, y: Any) -> None:
    assert judge(x, y) == []


def test_a_rare_class_proves_nothing_by_its_majority() -> None:
    y = (np.arange(400) % 100 == 0).astype(int)
    assert judge(X, y) == []
