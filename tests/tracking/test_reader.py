from __future__ import annotations

import gc
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nbdiag.measures.run import ProbeFailure, Run
from nbdiag.sources import as_run
from nbdiag.tracking.feeds import Journal
from nbdiag.tracking.following import follower
from nbdiag.tracking.read_run import ReadRun
from nbdiag.tracking.reader import open_run, runs
from nbdiag.tracking.writer import attach
from tests.tracking.recordings import differences, empty_run, train

KILLED = ProbeFailure(
    "log_dir", "ended without closing: the process that trained was killed, or is suspended", 9
)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "nothing happened for a minute"
        time.sleep(0.02)


def followers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "nbdiag-follow"]


def recorded(folder: Path, steps: int = 9, *, killed: bool = False) -> Run:
    """A run that was written to `folder`; `killed` without its end, an hour ago."""
    run = empty_run()
    writer = attach(run, folder)
    assert writer.path is not None
    train(run, steps)
    if not killed:
        run.close()
        writer.close()
        return run
    writer._write()
    shutil.copy(writer.path, folder / "copy")
    writer.close()
    (folder / "copy").rename(writer.path)
    age(writer.path, 3600)
    return run


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def event_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


# Following -------------------------------------------------------------------------------------


def test_it_follows_a_training_and_tells_its_listeners(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path):
        back = open_run(tmp_path)
        assert back.state == "waiting"
        assert not followers()
        told: list[tuple[str, int]] = []
        end = back.subscribe(lambda r: told.append((r.state, len(r.recording))))
        assert len(followers()) == 1
        train(run, 5)
        wait_until(lambda: ("live", 5) in told)
        train(run, 2)
        wait_until(lambda: ("live", 7) in told)
        run.pause()
        run.log(accuracy=1.0)
        wait_until(lambda: told[-1][0] == "paused")
        run.close()
    wait_until(lambda: told[-1] == ("done", 7))
    wait_until(lambda: not followers())
    assert differences(run.recording, back.recording) == []
    end()


def test_what_somebody_else_has_read_is_told_as_well(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path):
        back = open_run(tmp_path)
        told: list[int] = []
        end = back.subscribe(lambda r: told.append(len(r._recording)))
        follower.discard(back)  # as if its turn came late
        train(run, 5)
        wait_until(lambda: len(back.recording) == 5)
        assert told == []
        assert back.follow()
        assert told == [5]
        back.follow()
        assert told == [5]
        end()


def test_one_thread_for_all_and_none_without_a_listener(tmp_path: Path) -> None:
    with attach(empty_run(), tmp_path / "a"), attach(empty_run(), tmp_path / "b"):
        for _ in range(30):
            ends = [open_run(tmp_path / name).subscribe(lambda run: None) for name in "aabb"]
            assert len(followers()) == 1
            for end in ends:
                end()
        wait_until(lambda: not followers())
        open_run(tmp_path / "a").subscribe(lambda run: None)
        assert len(followers()) == 1
        open_run(tmp_path / "a").close()
        wait_until(lambda: not followers())


def test_a_listener_that_fails_is_dropped(tmp_path: Path) -> None:
    def broken(run: Run) -> None:
        raise RuntimeError("widget lost")

    run = empty_run()
    with attach(run, tmp_path):
        back = open_run(tmp_path)
        back.subscribe(broken)
        train(run, 4)
        wait_until(lambda: not followers())
        assert [(f.probe, f.reason) for f in back.failures] == [
            ("listener", "RuntimeError: widget lost")
        ]


def test_a_run_that_is_done_is_not_followed(tmp_path: Path) -> None:
    recorded(tmp_path)
    back = open_run(tmp_path)
    assert back.state == "done"
    back.subscribe(lambda run: None)
    assert not followers()


# How it ended ----------------------------------------------------------------------------------


def test_killed_long_ago(tmp_path: Path) -> None:
    run = recorded(tmp_path, killed=True)
    back = open_run(tmp_path)
    assert (back.state, back.closed, back.step) == ("done", True, 9)
    assert back.failures == (KILLED,)
    assert "failed: log_dir at step 9, ended without closing" in repr(back)
    assert differences(run.recording, back.recording) == []


def test_a_sign_of_life_and_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, killed=True)
    back = open_run(tmp_path)
    assert back.state == "done"
    now = time.monotonic()
    clock = [now]
    monkeypatch.setattr("nbdiag.tracking.read_run.time.monotonic", lambda: clock[0])
    age(event_file(tmp_path), 1800)  # touched, by a machine whose clock is half an hour late
    clock[0] = now + 1
    assert (back.state, back.failures) == ("live", ())
    clock[0] = now + Journal.silence
    assert back.state == "live"
    clock[0] = now + Journal.silence + 2
    assert (back.state, back.failures) == ("done", (KILLED,))


def test_a_training_whose_probes_failed(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path):
        train(run, 2)
        run.fail("gradient_flow", "odd")
    back = open_run(tmp_path)
    assert (back.state, back.failures) == ("failed", (ProbeFailure("gradient_flow", "odd", 2),))


# Files that are not whole ----------------------------------------------------------------------


def test_every_way_to_cut_off_the_last_record(tmp_path: Path) -> None:
    run = empty_run()
    writer = attach(run, tmp_path / "whole")
    assert writer.path is not None
    train(run, 4)
    writer._write()
    first = writer.path.stat().st_size
    train(run, 4)
    writer._write()
    whole = writer.path.read_bytes()
    writer.close()
    for size in (*range(first, first + 200, 7), *range(len(whole) - 30, len(whole))):
        path = tmp_path / "cut" / f"events.out.tfevents.{size}.nbdiag"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(whole[:size])
        cut = open_run(path)
        assert cut.recording.steps.tolist() == [1, 2, 3, 4]
        assert (cut.state, cut.failures) == ("live", ())
        with path.open("ab") as file:
            file.write(whole[size:])
        cut._looked_at = float("-inf")
        assert cut.recording.steps.tolist() == list(range(1, 9))


def test_a_cut_that_nobody_completes_is_no_damage(tmp_path: Path) -> None:
    recorded(tmp_path / "whole")
    whole = event_file(tmp_path / "whole").read_bytes()
    for missing in (1, 3, 4, 5, 40):
        path = tmp_path / f"events.out.tfevents.{missing}.nbdiag"
        path.write_bytes(whole[:-missing])
        age(path, 3600)
        (failure,) = open_run(path).failures
        assert failure.reason.startswith("ended without closing")


def test_a_damaged_record(tmp_path: Path) -> None:
    run = empty_run()
    writer = attach(run, tmp_path)
    assert writer.path is not None
    train(run, 4)
    writer._write()
    first = writer.path.stat().st_size
    train(run, 4)
    writer.close()
    data = bytearray(writer.path.read_bytes())
    data[-20] ^= 1
    writer.path.write_bytes(data)
    age(writer.path, 60)
    back = open_run(tmp_path)
    assert back.recording.steps.tolist() == [1, 2, 3, 4]
    assert back.state == "done"
    (failure,) = back.failures
    assert f"{writer.path} is damaged at byte " in failure.reason
    place = int(failure.reason.split("byte ")[1].split(":")[0].replace(",", ""))
    assert first < place < len(data) - 20


def test_a_record_that_is_not_filled_yet_is_no_damage(tmp_path: Path) -> None:
    """Over a network a file may be seen longer than it is filled."""
    run = empty_run()
    with attach(run, tmp_path) as writer:
        assert writer.path is not None
        train(run, 4)
        writer._write()
        whole = writer.path.read_bytes()
    writer.path.write_bytes(whole + bytes(500))
    back = open_run(tmp_path)
    assert (len(back.recording), back.failures) == (4, ())


def test_a_damaged_beginning(tmp_path: Path) -> None:
    recorded(tmp_path)
    path = event_file(tmp_path)
    data = bytearray(path.read_bytes())
    data[0] ^= 255
    path.write_bytes(data)
    age(path, 60)
    with pytest.raises(ValueError, match=f"{path} is damaged at byte 0"):
        open_run(tmp_path)


def test_one_of_several_that_cannot_be_read(tmp_path: Path) -> None:
    recorded(tmp_path)
    (tmp_path / "events.out.tfevents.1.nbdiag").write_bytes(b"")
    back = open_run(tmp_path)
    assert back is open_run(tmp_path)
    assert back.step == 9
    (failure,) = back.failures
    assert failure.reason.endswith("tfevents.1.nbdiag holds no run of nbdiag (yet); "
                                   "of what others wrote give the folder")  # fmt: skip


def test_a_file_that_is_taken_away(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path):
        train(run, 4)
        back = open_run(tmp_path)
        wait_until(lambda: back.step == 4)
        shutil.rmtree(tmp_path)
        wait_until(lambda: back.state == "done")
        assert "FileNotFoundError" in back.failures[0].reason


# Paths -----------------------------------------------------------------------------------------


def test_paths_that_hold_no_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder 'nowhere': expected the log_dir"):
        open_run("nowhere")
    with pytest.raises(FileNotFoundError, match="no run in .* no event files there; nd.watch"):
        open_run(tmp_path)
    with pytest.raises(FileNotFoundError, match="no run in or below"):
        runs(tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder 'nowhere'"):
        runs(["nowhere"])
    (tmp_path / "notes.txt").write_text("a text that is long enough for a record")
    with pytest.raises(ValueError, match=r"notes.txt holds no run of nbdiag"):
        open_run(tmp_path / "notes.txt")


def test_runs_below_are_named(tmp_path: Path) -> None:
    for i in range(10):
        recorded(tmp_path / "sweep" / f"lr{i}", 1)
    with pytest.raises(FileNotFoundError, match="below it: '.*/sweep/lr0', .* and 2 more; name"):
        open_run(tmp_path)
    assert [run.name for run in runs(tmp_path)] == [f"lr{i}" for i in range(10)]
    two = [str(tmp_path / "sweep" / "lr3"), tmp_path / "sweep" / "lr1", tmp_path / "sweep/lr1"]
    assert [run.name for run in runs(two)] == ["lr1", "lr3"]


def test_what_is_listed_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    recorded(tmp_path / "a")
    (run,) = runs(tmp_path)
    assert isinstance(run, ReadRun)
    assert len(run._recording) == 0
    assert len(run.recording) == 9


def test_one_path_one_run_as_long_as_somebody_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    run = open_run("a")
    assert open_run(tmp_path / "a") is as_run("a") is as_run(Path("a")) is runs("a")[0] is run
    assert open_run(event_file(tmp_path / "a")) is run
    key = id(run)
    del run
    gc.collect()
    again = open_run("a")
    assert len(again._recording) == 0 or id(again) != key


def test_no_control_over_a_training_elsewhere(tmp_path: Path) -> None:
    recorded(tmp_path)
    back = open_run(tmp_path)
    assert not back.controllable
    for ask in (back.pause, back.resume, lambda: back.sample_every(3)):
        with pytest.raises(ValueError, match="has to be asked for where the training runs"):
            ask()
    with pytest.raises(ValueError, match="nothing can be added"):
        back.log(loss=1.0)
    with pytest.raises(RuntimeError, match="mark_step"):
        back.mark_step()


def test_closing_a_reading_leaves_what_was_read(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path) as writer:
        train(run, 4)
        writer._write()
        back = open_run(tmp_path)
        assert len(back.recording) == 4
        back.close()
        back.close()
        train(run, 4)
    assert (len(back.recording), back.state) == (4, "done")
