"""A widget shows a run from disk as it shows the run itself."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

import nbdiag as nd

WIDGETS = ["GradientFlow", "LossCurve", "ActivationStats", "WeightDistribution"]


def trained(folder: Path, every: Any = 1, steps: int = 60) -> nd.Run:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with nd.watch(model, optimizer, every=every, log_dir=folder) as run:
        for step in range(steps):
            optimizer.zero_grad()
            loss = model(torch.randn(16, 4)).square().mean()
            loss.backward()
            optimizer.step()
            run.log(loss=loss if step != 40 else float("nan"))
        run.log(val_loss=0.5)
    return run


@pytest.mark.parametrize("name", [name for name in WIDGETS if name in nd.__all__])
def test_the_same_picture_and_the_same_words(name: str, tmp_path: Path) -> None:
    run = trained(tmp_path / "a")
    widget = getattr(nd, name)
    here, there = widget(run), widget(str(tmp_path / "a"))
    assert there.summary() == here.summary()
    assert there.picture() == here.picture()
    assert there.findings == here.findings
    assert (there.info, there.live) == (here.info, here.live)
    assert there.run is widget(tmp_path / "a").run


@pytest.mark.parametrize(("every", "steps", "starting"), [("auto", 60, True), (1, 60, False)])
def test_what_the_share_of_the_time_is_of(
    every: Any, steps: int, starting: bool, tmp_path: Path
) -> None:
    run = trained(tmp_path / "a", every, steps)
    here, there = nd.LossCurve(run), nd.LossCurve(tmp_path / "a")
    assert (here.live["starting"], there.live["starting"]) == (starting, starting)
    assert there.live == here.live


def test_a_dashboard_of_a_folder_shows_what_that_of_the_run_shows(tmp_path: Path) -> None:
    run = trained(tmp_path / "a")
    here, there = nd.TrainingDashboard(run), nd.TrainingDashboard(tmp_path / "a")
    assert there.summary() == here.summary()
    assert there.picture() == here.picture()
    assert there.overview.live == here.overview.live


def test_a_folder_that_others_wrote_has_a_loss_curve(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(1, 40):
            writer.add_scalar("Loss/train", 1 / step, step)
            writer.add_scalar("Loss/val", 2 / step, step)
    curve, flow = nd.LossCurve(tmp_path), nd.GradientFlow(tmp_path)
    assert curve.run is flow.run
    assert set(curve.run.recording.scalars) == {"train_loss", "val_loss"}
    assert curve.failures == flow.failures
    assert "no gradients, no weights and no activations" in curve.failures[0]["reason"]
    assert curve.picture().startswith(b"\x89PNG")
    assert flow.picture().startswith(b"\x89PNG")


def test_a_cell_that_is_run_again(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    first = nd.watch(model, log_dir=tmp_path)
    with pytest.warns(UserWarning, match="holds a run already") as said:
        second = nd.watch(model, log_dir=tmp_path)
    assert said[0].filename == __file__
    second.close()
    assert first.closed
    assert [run.state for run in nd.runs(tmp_path)] == ["done", "done"]
    assert not [thread for thread in threading.enumerate() if thread.name == "nbdiag-log"]


def test_a_path_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no run in .*: no event files there"):
        nd.GradientFlow(str(tmp_path))
    with pytest.raises(TypeError, match="or the path of its log_dir; got int"):
        nd.GradientFlow(3)
