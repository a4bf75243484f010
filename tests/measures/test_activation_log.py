"""What units did over a training: literal answers on tiny tracks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbdiag.measures.activation_log import BLOCKS, ActivationInfo, ActivationLog, ActivationTrack


def look(track: ActivationTrack, step: int, active: list[int], stuck: list[int] | None) -> None:
    marks = None if stuck is None else np.array(stuck)
    track.add(step, 4, 8, (0.5, 1.0, 0.25, 0.125), np.array(active), marks)


def test_nothing_seen_yet() -> None:
    track = ActivationTrack(ActivationInfo("a", "ReLU", 3, rectifies=True))
    assert track.series().steps.shape == (0,)
    assert track.blocks().activity.shape == (0, 3)
    assert (track.seen, track.last_active.tolist()) == (0, [0, 0, 0])
    assert track.bounds is None


def test_units_by_hand() -> None:
    track = ActivationTrack(ActivationInfo("a", "Tanh", 3, "channel", -1.0, 1.0))
    look(track, 1, [8, 1, 0], [0, 4, 8])
    look(track, 3, [4, 0, 0], [8, 8, 8])
    assert track.bounds == (-1.0, 1.0)
    assert track.seen == 8
    assert track.last_active.tolist() == [3, 1, 0]
    assert track.seen_since_active.tolist() == [0, 4, 8]
    series = track.series()
    assert series.steps.tolist() == [1, 3]
    assert series.active.tolist() == [np.float32(2 / 3), np.float32(1 / 3)]
    assert [series.mean[0], series.std[0], series.zeros[0]] == [0.5, 1.0, 0.25]
    assert series.saturated[0] == 0.125
    blocks = track.blocks()
    assert (blocks.first.tolist(), blocks.last.tolist()) == ([1, 3], [1, 3])
    assert blocks.activity.tolist() == [[1, 0.125, 0], [0.5, 0, 0]]
    assert blocks.saturation.tolist() == [[0, 0.5, 1], [1, 1, 1]]


def test_an_open_end_is_a_bound() -> None:
    assert ActivationTrack(ActivationInfo("a", "ReLU6", 1, high=6.0)).bounds == (None, 6.0)


def test_a_long_history_is_merged_in_pairs() -> None:
    track = ActivationTrack(ActivationInfo("a", "ReLU", 1, rectifies=True))
    for step in range(1, BLOCKS + 2):
        look(track, step, [8 if step <= 2 else 0], None)
    blocks = track.blocks()
    assert len(blocks.first) == BLOCKS // 2 + 1
    assert (blocks.first[0], blocks.last[0], blocks.inputs[0]) == (1, 2, 8)
    assert (blocks.first[-1], blocks.last[-1]) == (BLOCKS + 1, BLOCKS + 1)
    assert blocks.activity[:2, 0].tolist() == [1.0, 0.0]
    for step in range(BLOCKS + 2, 5000):
        look(track, step, [0], None)
    blocks = track.blocks()
    assert len(blocks.first) <= BLOCKS
    assert blocks.inputs.sum() == track.seen == 4 * 4999
    assert (blocks.first[1:] == blocks.last[:-1] + 1).all()


@pytest.mark.parametrize("bounds", [(None, None), (-1.0, 1.0)])
@pytest.mark.parametrize("read_every", [1, 7, 31, 33])
def test_it_does_not_matter_when_somebody_reads(read_every: int, bounds: tuple[Any, Any]) -> None:
    """Looks are taken in many at a time; counts as large as those of a long training."""
    random = np.random.default_rng(0)
    info = ActivationInfo("a", "f", 5, "unit", *bounds)
    read, unread = ActivationTrack(info), ActivationTrack(info)
    for step in range(1, 700):
        active = random.integers(0, 2**24, 5) * (random.random(5) < 0.1)
        stuck = None if bounds == (None, None) else random.integers(0, 2**24, 5)
        numbers = random.random(4)
        for track in (read, unread):
            track.add(step, 4, 2**24, numbers, active.astype(np.float32), stuck)
        if step % read_every == 0:
            assert read.series().steps[-1] == step
    for one, other in zip(read.series(), unread.series(), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(read.blocks(), unread.blocks(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(read.last_active, unread.last_active)
    np.testing.assert_array_equal(read.seen_since_active, unread.seen_since_active)


def test_an_activation_without_units() -> None:
    track = ActivationTrack(ActivationInfo("a", "ReLU", 0, rectifies=True))
    look(track, 1, [], None)
    assert np.isnan(track.series().active).all()
    assert track.blocks().activity.shape == (1, 0)
    assert track.last_active.shape == (0,)


def test_the_log_keeps_the_order_of_opening() -> None:
    log = ActivationLog()
    assert [log.open(ActivationInfo(name, "ReLU", 1)) for name in "ab"] == [0, 1]
    assert [track.name for track in log.tracks] == ["a", "b"]
    assert (len(log), log[1].name) == (2, "b")


def test_a_long_series_is_thinned_evenly_and_keeps_what_was_not_finite() -> None:
    track = ActivationTrack(ActivationInfo("a", "ReLU", 1, rectifies=True))
    for step in range(1, 50_001):
        mean = float("nan") if step == 4 else 0.5
        track.add(step, 4, 8, (mean, 1.0, 0.25, 0.0), np.array([8]), None)
    steps = track.series().steps
    assert track.thinned == 2
    assert set(np.diff(steps[1:-1])) == {4}
    assert steps[:3].tolist() == [4, 5, 9]  # 4 stands for 1 to 4
    assert (steps[-1], len(steps), track.settled) == (50_000, 12_501, 12_500)
    assert track.series(1, 3).steps.tolist() == [5, 9]
