"""What a training leaves on disk however it ends: real processes, really killed."""

from __future__ import annotations

import time
from pathlib import Path

from nbdiag.tracking.reader import open_run
from tests.tracking.scripts import finish, start

LONG_AGO = 1_000_000_000


def test_kill_9_loses_at_most_the_last_second(tmp_path: Path) -> None:
    process = start("while True:\n    step(); time.sleep(0.005)\n", tmp_path)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(250)]
    process.kill()
    killed = time.time()
    lines += process.stdout.read().splitlines()
    process.communicate()
    # The kill may have come amid a line.
    printed = [line.split() for line in lines if len(line.split()) == 3]
    safe = [int(step) for step, _, at in printed if float(at) < killed - 1]
    assert len(safe) > 10, "the training was too short to show anything"

    run = open_run(tmp_path)
    kept = len(run.recording)
    assert kept >= safe[-1]
    assert run.step >= safe[-1]
    assert run.recording.steps.tolist() == list(range(1, kept + 1))
    losses = run.recording.scalars["loss"]
    assert losses.values.tolist() == [float(loss) for _, loss, _ in printed[: len(losses.steps)]]
    assert len(losses.steps) >= safe[-1]


def test_kill_9_amid_a_long_step_loses_nothing_before_it(tmp_path: Path) -> None:
    process = start("for _ in range(30): step()\ntime.sleep(1)\nprint('here', flush=True)\n"
                    "time.sleep(300)", tmp_path)  # fmt: skip
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(31)]
    assert lines[-1] == "here\n"
    process.kill()
    process.communicate()
    run = open_run(tmp_path)
    assert (run.step, len(run.recording), run.state) == (30, 30, "live")
    assert run.recording.scalars["loss"].values[-1] == float(lines[-2].split()[1])


def test_a_script_that_forgets_to_close(tmp_path: Path) -> None:
    _, err, code = finish("for _ in range(7): step()", tmp_path)
    assert (err, code) == ("", 0)
    run = open_run(tmp_path)
    assert (run.step, len(run.recording), run.state, run.failures) == (7, 7, "done", ())
    assert len(run.recording.scalars["loss"].steps) == 7


def test_a_script_that_fails(tmp_path: Path) -> None:
    _, err, code = finish("for _ in range(7): step()\n1 / 0", tmp_path)
    assert "ZeroDivisionError" in err
    assert code == 1
    assert (open_run(tmp_path).step, open_run(tmp_path).state) == (7, "done")


def test_a_full_disk_ends_the_writing_and_not_the_training(tmp_path: Path) -> None:
    lines, err, code = finish(
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))\n"
        "while not run.failures: step()\n"
        "for _ in range(20): step()\n"
        "print(run.state, run.failures[0].probe, run.failures[0].reason, run.recording.journal)\n"
        "run.close()\n"
        "import threading; print(len(run.failures), threading.active_count(), flush=True)\n",
        tmp_path,
    )
    assert (err, code) == ("", 0)
    assert lines[-2:] == ["live log_dir OSError: [Errno 27] File too large None", "1 1"]
    run = open_run(tmp_path)
    assert run.recording.steps.tolist() == list(range(1, len(run.recording) + 1))
