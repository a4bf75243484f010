from __future__ import annotations

import gc
import os
import shutil
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from nbdiag.measures.run import Run
from nbdiag.tracking import writer as writing
from nbdiag.tracking.reader import open_run, runs
from nbdiag.tracking.writer import attach
from tests.tracking.recordings import empty_run, train


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "nothing happened for a minute"
        time.sleep(0.01)


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "nbdiag-log"]


def test_it_grows_on_disk_while_nobody_does_anything(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path / "new" / "folder"):
        train(run, 3)
        back = open_run(tmp_path / "new" / "folder")
        wait_until(lambda: back.step == 3)
        run.log(loss=torch.tensor(0.125))  # is fetched by the writer
        wait_until(lambda: 0.125 in back.recording.scalars["loss"].values)


def test_a_long_step_is_told_from_an_end_without_a_byte(tmp_path: Path) -> None:
    with attach(empty_run(), tmp_path) as writer:
        assert writer.path is not None
        before = os.stat(writer.path)
        wait_until(lambda: os.stat(writer.path).st_mtime_ns > before.st_mtime_ns)
        assert os.stat(writer.path).st_size == before.st_size


def test_nothing_is_left_of_two_hundred(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    attach(empty_run(), tmp_path / "first").close()
    gc.collect()
    known = len(writing._writing)  # of other tests, whose watchers are not swept yet
    threads, files = threading.active_count(), open_files()
    for i in range(200):
        run = empty_run()
        writer = attach(run, tmp_path / str(i))
        run.close()
        writer.close()
        writer.close()
    assert (threading.active_count(), open_files()) == (threads, files)
    assert not writers()
    del run, writer
    gc.collect()
    assert len(writing._writing) <= known


def test_a_run_that_is_over_needs_no_close(tmp_path: Path) -> None:
    for end in (Run.close, Run.abandon):
        run = empty_run()
        folder = tmp_path / end.__name__
        attach(run, folder)
        train(run, 4)
        end(run)
        wait_until(lambda: not writers())
        assert (open_run(folder).step, open_run(folder).state) == (4, "done")


def test_the_training_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, disk = empty_run(), threading.Event()
    writer = attach(run, tmp_path)
    put = writer._put
    monkeypatch.setattr(writer, "_put", lambda data: (disk.wait(60), put(data)))
    train(run, 10)
    wait_until(lambda: not writer._ops)  # it has taken them, and waits for the disk
    train(run, 200)
    assert len(writer._ops) > 200
    disk.set()
    run.close()
    writer.close()
    assert len(open_run(tmp_path).recording) == 210


def test_a_disk_that_never_answers_costs_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, disk = empty_run(), threading.Event()
    monkeypatch.setattr(writing, "WAITING_AT_MOST", 100_000)
    writer = attach(run, tmp_path)
    put = writer._put
    monkeypatch.setattr(writer, "_put", lambda data: (disk.wait(60), put(data)))
    train(run, 1000)
    assert writer._waiting < 110_000
    disk.set()
    wait_until(lambda: bool(run.failures))
    assert "the disk is too slow" in run.failures[0].reason
    assert run.recording.journal is None
    writer.close()


def test_a_folder_that_vanishes(tmp_path: Path) -> None:
    run = empty_run()
    writer = attach(run, tmp_path / "a")
    train(run, 3)
    shutil.rmtree(tmp_path / "a")
    wait_until(lambda: bool(run.failures))
    (failure,) = run.failures
    assert failure.probe == "log_dir"
    assert f"{writer.path} was deleted" in failure.reason
    train(run, 3)
    run.close()
    writer.close()
    assert (len(run.recording), len(run.failures)) == (6, 1)


def test_a_folder_that_cannot_be_made() -> None:
    run = empty_run()
    with pytest.warns(UserWarning, match="'/proc/nbdiag' cannot be written, this run is not kept"):
        writer = attach(run, "/proc/nbdiag")
    train(run, 3)
    run.close()
    writer.close()
    assert [failure.probe for failure in run.failures] == ["log_dir"]
    assert writer.path is None


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("notes")
    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(NotADirectoryError, match="/a' is a file; give a folder, new or not"):
            attach(empty_run(), path)


def test_what_came_before_would_be_missing(tmp_path: Path) -> None:
    run = empty_run()
    run.log(loss=1.0)
    with pytest.raises(ValueError, match="before the first step"):
        attach(run, tmp_path)


def test_a_second_run_does_not_mix_with_the_first(tmp_path: Path) -> None:
    kept = []
    for count in (3, 5, 4):
        run = empty_run(name="again")
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            writer = attach(run, tmp_path)
        kept.append([str(warning.message) for warning in said])
        train(run, count)
        writer.close()
    assert kept[0] == []
    assert (
        f"{str(tmp_path)!r} holds a run already; this one goes to a file of its own" in kept[1][0]
    )
    assert "holds 2 runs already" in kept[2][0]
    assert open_run(tmp_path).step == 4
    found = runs(tmp_path)
    assert [run.name for run in found] == ["again", "again (1 of 3)", "again (2 of 3)"]
    assert [run.step for run in found] == [4, 3, 5]


class Talkative(Dataset[int]):
    """Logs from wherever it is read."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> int:
        self.run.log(from_worker=index)
        _ = self.run.recording.scalars  # has it recorded at once
        return os.getpid()


def test_a_forked_worker_writes_nothing(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path) as writer:
        train(run, 3)
        loader: Any = DataLoader(Talkative(run), num_workers=2, multiprocessing_context="fork")
        pids = {int(pid) for pid in loader}
        assert os.getpid() not in pids
        train(run, 3)
    assert writer.path is not None
    back = open_run(tmp_path).recording
    assert "from_worker" not in back.scalars
    assert len(back) == 6
    assert open_run(tmp_path).failures == ()


def test_a_forked_copy_of_the_writer_closes_nothing(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path):
        train(run, 3)
        child = os.fork()
        if child == 0:
            writing._at_exit()
            run.close()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        train(run, 3)
    assert len(open_run(tmp_path).recording) == 6
