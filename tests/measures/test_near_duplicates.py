"""Near-copies across splits are found, natural likeness is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nbdiag.measures.data_split import Split
from nbdiag.measures.data_tally import SplitTally
from nbdiag.measures.findings import Finding
from nbdiag.measures.near_duplicates import dimension_of, judge_near, search


def split(name: str, x: np.ndarray, y: Any = None) -> Split:
    tally = SplitTally(name)
    tally.add({"": x}, y, np.arange(len(x)))
    return tally.finish()


def judge(train: np.ndarray, val: np.ndarray) -> list[Finding]:
    return judge_near([split("train", train), split("val", val)])


def smooth_pictures(n: int, seed: int, channels: int = 1) -> np.ndarray:
    coarse = np.random.default_rng(seed).random((n, channels, 7, 7))
    fine = coarse.repeat(4, axis=2).repeat(4, axis=3)
    for axis in (2, 3):
        fine = (np.roll(fine, 1, axis) + fine + np.roll(fine, -1, axis)) / 3
    return fine.astype(np.float32)


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "brighter": lambda x: x * 0.9 + 0.08,
    "noise": lambda x: x + 0.02 * np.random.default_rng(5).normal(size=x.shape),
    "coarser grey levels": lambda x: np.round(x * 16) / 16,
    "down one pixel": lambda x: np.roll(x, 1, axis=2),
    "left one pixel": lambda x: np.roll(x, -1, axis=3),
    "flipped": lambda x: x[..., ::-1],
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CHANGES)
def test_changed_pictures(name: str, channels: int) -> None:
    train, val = smooth_pictures(200, 0, channels), smooth_pictures(80, 1, channels)
    assert judge(train, val) == []
    val[:6] = CHANGES[name](train[10:16])
    (finding,) = judge(train, val)
    assert (finding.code, finding.subject) == ("data.leakage", "val")
    pairs = dict(zip(finding.evidence["ids"], finding.evidence["twins"], strict=True))
    assert pairs == {i: 10 + i for i in range(6)}
    assert finding.evidence["samples_sampled"] == 80


def normal(n: int, seed: int, d: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def test_rows_with_noise_whatever_the_units() -> None:
    units = 10.0 ** np.arange(-3, 5)
    train, val = normal(300, 0), normal(100, 1)
    val[:8] = train[:8] + 1e-3 * normal(8, 2)
    (finding,) = judge(train * units, val * units)
    assert sorted(finding.evidence["ids"]) == list(range(8))
    assert finding.severity == "critical"


@pytest.mark.parametrize("d", [1, 2, 3, 8, 40])
def test_no_alarm_by_chance(d: int) -> None:
    for seed in range(8):
        assert judge(normal(300, 2 * seed, d), normal(150, 2 * seed + 1, d)) == []


def test_equal_samples_are_left_to_the_other_check() -> None:
    train, val = normal(300, 0), normal(100, 1)
    val[:50] = train[:50]
    assert judge(train, val) == []


def test_groups_that_train_has_within_itself_are_no_excess() -> None:
    random = np.random.default_rng(0)
    rows = np.repeat(normal(600, 0, 2), 2, axis=0) + 1e-3 * random.normal(size=(1200, 2))
    order = random.permutation(1200)
    assert judge(rows[order[:800]], rows[order[800:]]) == []


def test_copies_made_before_the_split() -> None:
    random = np.random.default_rng(0)
    rows = np.repeat(normal(300, 0, 10), 3, axis=0) + 0.01 * random.normal(size=(900, 10))
    order = random.permutation(900)
    (finding,) = judge(rows[order[:600]], rows[order[600:]])
    assert "copies were made before the data were split" in finding.message


def test_too_few_samples_and_other_inputs_say_nothing() -> None:
    assert judge(normal(20, 0), normal(20, 0) + 1e-4) == []
    assert judge(np.full((60, 3), np.nan), np.full((60, 3), np.nan)) == []
    assert judge(normal(60, 0), np.full((9, 8), np.nan, np.float32)) == []
    assert judge(np.ones((60, 3)), np.ones((60, 3))) == []
    tokens = np.random.default_rng(0).integers(0, 9, (200, 12))
    assert judge(tokens[:100], tokens[100:] + 1) == []


def test_search_agrees_with_all_distances() -> None:
    points, queries = normal(300, 0, 60), normal(40, 1, 60)
    queries[:5] = points[:5] + 0.01
    far = np.linalg.norm(points[None] - queries[:, None], axis=2)
    found = search(points, [queries], leave_out=False)
    assert found.nearest[:5].tolist() == far[:5].argmin(1).tolist()
    assert np.allclose(found.d1[:5], far[:5].min(1), atol=1e-4)
    own = search(points, [points[:20]], leave_out=True)
    assert (own.nearest != np.arange(20)).all()
    assert (own.d1 > 1).all()


@pytest.mark.parametrize("d", [2, 5, 9])
def test_dimension(d: int) -> None:
    points = np.random.default_rng(0).random((3000, d)).astype(np.float32)
    near = search(points, [points[:500]], leave_out=True)
    assert d * 0.75 < dimension_of(near.further) < d * 1.25
    assert dimension_of(np.zeros((4, 9))) == 1.0
