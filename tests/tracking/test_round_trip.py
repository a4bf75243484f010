"""What was recorded, written and read is what was recorded, to the last bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbdiag.measures.recording import LayerInfo
from nbdiag.measures.run import ProbeFailure
from nbdiag.tracking.reader import open_run
from nbdiag.tracking.writer import attach
from tests.tracking.recordings import contents, differences, empty_run, train

ROOT = Path(__file__).resolve().parents[2]


@settings(deadline=None, max_examples=15)
@given(
    steps=st.integers(0, 90),
    cuts=st.lists(st.integers(0, 90), max_size=3),
    max_samples=st.sampled_from([4, 7, 20, None]),
    every=st.integers(1, 3),
    seed=st.integers(0, 5),
)
def test_equal_in_every_array(
    tmp_path_factory: pytest.TempPathFactory,
    steps: int,
    cuts: list[int],
    max_samples: int | None,
    every: int,
    seed: int,
) -> None:
    folder = tmp_path_factory.mktemp("run")
    run = empty_run(max_samples)
    writer = attach(run, folder)
    done = 0
    for cut in sorted({min(cut, steps) for cut in cuts} | {steps}):
        train(run, cut - done, seed + cut, every)
        writer._write()  # a batch ends here
        done = cut
    run.close()
    writer.close()
    assert run.failures == ()
    back = open_run(folder)
    assert differences(run.recording, back.recording) == []
    assert (back.step, back.skipped_steps, back.failures) == (steps, 0, ())
    assert repr(back.findings()) == repr(run.findings())


def test_the_comparison_can_fail() -> None:
    one, other = empty_run(), empty_run()
    train(one, 12)
    train(other, 12)
    assert differences(one.recording, other.recording) == []
    assert len(contents(one.recording)) > 80
    other.recording.scalar_log.put("loss", 12, 0.0)
    other.recording.activations[1]._last_active[0] += 1
    assert set(differences(one.recording, other.recording)) == {
        "scalar loss steps", "scalar loss values", "scalar loss low", "scalar loss high",
        "activation tanh last",
    }  # fmt: skip


def test_what_the_run_says_of_itself(tmp_path: Path) -> None:
    run = empty_run(name="mine", every=3, budget=0.2, config={"lr": np.float32(0.5), "f": max})
    with attach(run, tmp_path):
        train(run, 5)
        run.skipped_steps = 2
        run.note_failure("loss", ValueError("two numbers"))
        run.close()
    back = open_run(tmp_path)
    assert (back.name, back.model_name, back.state, back.closed) == ("mine", "Net", "done", True)
    assert back.config == {"lr": 0.5, "f": "<built-in function max>"}
    assert (back.step, back.every, back.stride, back.budget) == (5, 3, 3, 0.2)
    assert (back.skipped_steps, back.probe_share) == (2, run.probe_share)
    assert back.failures == (ProbeFailure("loss", "ValueError: two numbers", 5),)
    assert repr(back) == repr(run)


def test_a_run_without_a_name_takes_the_folders(tmp_path: Path) -> None:
    run = empty_run(name="Net")
    attach(run, tmp_path / "wide-lr01").close()
    assert run.name == open_run(tmp_path / "wide-lr01").name == "wide-lr01"


def test_columns_that_are_arranged_at_the_first_step(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path) as writer:
        writer._write()
        layers = (LayerInfo("b", "Conv2d", ("b.w",), 3, 4), LayerInfo("a", "ReLU", ("a.w",), 4, 1))
        run.arrange(("a.w", "b.w"), layers, [1, 0], frozenset({"Conv2d", "Sigmoid"}), [4, 3])
        row = np.array([1, 2], np.float32)
        run.append(1, row, row, np.zeros(2, np.uint8))
    back = open_run(tmp_path)
    assert differences(run.recording, back.recording) == []
    assert back.model_kinds == {"Conv2d", "Sigmoid"}
    assert back.recording.layers == layers


def test_tracks_that_were_opened_before(tmp_path: Path) -> None:
    run = empty_run()
    run.recording.apply({"op": "track", "info": {"name": "act", "kind": "Tanh", "units": 3}})
    attach(run, tmp_path).close()
    assert differences(run.recording, open_run(tmp_path).recording) == []


def test_arrays_that_are_used_again_by_whoever_measured(tmp_path: Path) -> None:
    run, row = empty_run(), np.ones(3, np.float32)
    with attach(run, tmp_path):
        run.append(1, row, row, np.zeros(3, np.uint8))
        row[:] = 7
    assert open_run(tmp_path).recording.parameter_stat("grad_norm").tolist() == [[1, 1, 1]]


def test_reading_needs_no_torch(tmp_path: Path) -> None:
    run = empty_run()
    with attach(run, tmp_path):
        train(run, 6)
    code = (
        "import sys, nbdiag; run = nbdiag.runs(sys.argv[1])[0]; "
        "print(run.step, len(run.recording), sorted({'torch', 'tensorboard'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == "6 6 []"
