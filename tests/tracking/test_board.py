"""TensorBoard's own reader sees what was measured."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nbdiag.measures.histograms import histogram
from nbdiag.tracking.board import DENSE_ROWS, Board
from nbdiag.tracking.writer import attach
from tests.tracking.recordings import empty_run, train

EVERYTHING = {"scalars": 0, "histograms": 0, "tensors": 0}


def read(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance=EVERYTHING)
    accumulator.Reload()
    return accumulator


def points(accumulator: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in accumulator.Scalars(tag)]


def test_logged_scalars(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path):
        for step in range(1, 301):
            run.next_step()
            run.log(loss=1 / step if step != 9 else float("nan"))
        run.log(val_loss=0.5, train_loss=0.25, accuracy=1)
    seen = read(tmp_path)
    assert set(seen.Tags()["scalars"]) == {"loss", "val_loss", "train_loss", "accuracy"}
    steps, values = zip(*points(seen, "loss"), strict=True)
    assert steps == tuple(range(1, 301))
    expected = np.float32(1 / np.arange(1, 301))
    expected[8] = np.nan
    np.testing.assert_array_equal(values, expected)
    assert points(seen, "val_loss") == [(300, 0.5)]


def test_layers_at_each_sampled_step(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path):
        ok, none, nan = (np.full(3, status, np.uint8) for status in (0, 1, 3))
        three = np.array([3, 4, 2], np.float32)
        unknown = np.full(3, np.nan, np.float32)
        run.append(1, three, three * 2, ok, update_norm=three)
        run.append(2, unknown, three, none, update_norm=unknown)
        run.append(3, unknown, three, nan, update_norm=unknown)
        run.append(4, three, three, ok)
    seen = read(tmp_path)
    # 5 = root of 3² + 4²: the two parameters of the first layer together.
    assert repr(points(seen, "gradient_norm/fc")) == "[(1, 5.0), (3, nan), (4, 5.0)]"
    assert repr(points(seen, "gradient_norm/head")) == "[(1, 2.0), (3, nan), (4, 2.0)]"
    assert repr(points(seen, "update_ratio/fc")) == "[(1, 0.5), (3, nan)]"


def test_histograms_and_what_is_not_finite(tmp_path: Path) -> None:
    run = empty_run()
    weights = np.array([0.0, 1.0, 1.0, 2.0, np.nan, -np.inf])
    with attach(run, tmp_path):
        for step in (4, 8):
            tensors = [weights if step == 4 else weights[:4], np.full(4, np.nan), np.empty(0)]
            columns = zip(*map(histogram, tensors), strict=True)
            names = ("low", "high", "counts", "nan", "infinite")
            row = {name: np.array(c) for name, c in zip(names, columns, strict=True)}
            run.recording.apply({"op": "histogram", "kind": "weight", "step": step, **row})
    seen = read(tmp_path)
    assert seen.Tags()["histograms"] == ["weights/fc.weight", "weights/fc.bias"]
    first = seen.Histograms("weights/fc.weight")[0]
    value = first.histogram_value
    assert (first.step, value.min, value.max, value.num) == (4, 0, 2, 4)
    filled = {
        round(edge, 9): n for edge, n in zip(value.bucket_limit, value.bucket, strict=True) if n
    }
    assert filled == {0.05: 1, 1.05: 2, 2.0: 1}
    assert seen.Histograms("weights/fc.bias")[0].histogram_value.num == 0
    assert points(seen, "weights_nan/fc.weight") == [(4, 1), (8, 0)]
    assert points(seen, "weights_infinite/fc.weight") == [(4, 1), (8, 0)]
    assert points(seen, "weights_nan/fc.bias") == [(4, 4), (8, 4)]
    assert "weights_infinite/fc.bias" not in seen.Tags()["scalars"]


def test_rows_grow_sparser_and_none_is_out_of_order() -> None:
    board, run = Board(), empty_run()
    ops = []
    run.recording.journal = lambda op: ops.append((0.0, op))
    row, ok = np.ones(3, np.float32), np.zeros(3, np.uint8)
    shown: list[int] = []
    board._present = lambda *args: shown.extend(args[2].tolist()) or b""  # type: ignore[method-assign]
    for step in range(1, 4 * DENSE_ROWS + 1):
        run.append(step, row, row, ok)
        if step % 700 == 0 or step == 4 * DENSE_ROWS:
            board.records(run.recording, ops)
            ops.clear()
    dense = list(range(1, DENSE_ROWS + 1))
    halves = list(range(DENSE_ROWS + 1, 2 * DENSE_ROWS + 1, 2))
    quarters = list(range(2 * DENSE_ROWS + 1, 4 * DENSE_ROWS + 1, 4))
    assert shown == dense + halves + quarters


def test_a_second_run_in_a_folder_replaces_the_first_on_the_board(tmp_path: Path) -> None:
    for scale in (1, 10):
        run = empty_run()
        expected = pytest.warns(UserWarning, match="a run already") if scale > 1 else nullcontext()
        with expected:
            writer = attach(run, tmp_path)
        with writer:
            for step in range(1, 4):
                run.next_step()
                run.log(loss=scale * step)
    assert points(read(tmp_path), "loss") == [(1, 10), (2, 20), (3, 30)]
    served = plugin_event_accumulator.EventAccumulator(str(tmp_path))  # what the server reads with
    served.Reload()
    assert [event.step for event in served.Tensors("loss")] == [1, 2, 3]


def test_the_bytes_of_nbdiag_do_not_disturb(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path):
        train(run, 30)
    seen = read(tmp_path)
    assert seen.Tags()["tensors"] == ["nbdiag/recording"]
    assert seen.Tags()["scalars"][:3] == ["loss", "val_loss", "accuracy"]
    assert len(points(seen, "loss")) == 30
