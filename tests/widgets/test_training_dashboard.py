from __future__ import annotations

import io
from typing import Any

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import nbdiag as nd
from nbdiag.measures.findings import Finding


def make_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def train(run: Any, model: nn.Module, steps: int) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(torch.randn(16, 4)).square().mean()
        loss.backward()
        optimizer.step()
        run.log(loss=loss)


def hooks(model: nn.Module) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()
    )


def everything(widget: Any) -> list[Any]:
    """The widget and all widgets in it."""
    children = getattr(widget, "children", ())
    return [widget, *(one for child in children for one in everything(child))]


def test_its_parts_share_one_run_and_one_set_of_hooks() -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        train(run, model, 1)
        alone = hooks(model)
        board = nd.TrainingDashboard(model)
        train(run, model, 3)
        assert hooks(model) == alone
        assert [part.run for part in (board.overview, *board.parts)] == [run] * 5
    stems = [part.stem for part in board.parts]
    assert stems == ["loss_curve", "gradient_flow", "activation_stats", "weight_distribution"]
    shown = everything(board)
    assert all(part in shown for part in (board.overview, *board.parts))


def test_findings_and_controls_are_shown_once() -> None:
    run = nd.watch(make_model())
    board = nd.TrainingDashboard(run)
    assert [part.embedded for part in (board.overview, *board.parts)] == [False] + [True] * 4
    assert not nd.LossCurve(run).embedded
    run.close()


def test_the_head_shows_the_findings_of_all_pillars(monkeypatch: pytest.MonkeyPatch) -> None:
    run = nd.watch(make_model())
    found = [
        Finding("loss.flat", "warning", "loss", "m"),
        Finding("gradient.none", "info", "0", "m"),
    ]
    monkeypatch.setattr(run, "findings", lambda: found)
    board = nd.TrainingDashboard(run)
    assert [one["code"] for one in board.overview.findings] == ["loss.flat", "gradient.none"]
    assert [one["code"] for one in board.loss.findings] == ["loss.flat"]
    vitals = board.overview.history()["vitals"]
    assert [(one["name"], one["severity"]) for one in vitals] == [
        ("loss", "warning"),
        ("gradients", "info"),
        ("activations", None),
        ("weights", None),
    ]
    run.close()


def test_the_head_streams_vitals_and_keeps_them_for_a_reopened_page(connect: Any) -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        board = nd.TrainingDashboard(run)
        browser = connect(board.overview)
        train(run, model, 20)
        board.overview.cell_ended()
    told = [message for message in browser.of_kind("append") if "vitals" in message]
    assert told
    assert [vital["name"] for vital in told[0]["vitals"]] == [
        "loss",
        "gradients",
        "activations",
        "weights",
    ]
    saved = board.overview.get_state()["snapshot"]["vitals"]
    for vital in saved:
        values = np.frombuffer(vital["values"]["data"], vital["values"]["dtype"])
        assert values.size == 20
        assert np.isfinite(values).all()


def test_closing_it_closes_every_part_and_leaves_the_run_alone(connect: Any) -> None:
    model = make_model()
    run = nd.watch(model, every=1)
    board = nd.TrainingDashboard(run)
    parts = everything(board)
    before = [one for one in parts if one.comm is not None]
    assert len(before) == len(parts)
    board.close()
    assert [one for one in parts if one.comm is not None] == []
    train(run, model, 2)
    assert run.failures == ()
    assert len(run.recording) == 2
    run.close()


def test_what_a_saved_notebook_keeps() -> None:
    model = make_model()
    with nd.watch(model, name="mlp") as run:
        train(run, model, 5)
    board = nd.TrainingDashboard(run)
    data, _ = board._repr_mimebundle_()
    assert data["text/plain"] == f"TrainingDashboard of {run!r}"
    assert data["text/plain"] == repr(board)
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["image/png"]
    whole = Image.open(io.BytesIO(board.picture()))
    heights = [Image.open(io.BytesIO(part.picture())).size[1] for part in board.parts]
    assert whole.size[0] == 1720
    assert whole.size[1] == sum(heights) + Image.open(io.BytesIO(board.overview.picture())).size[1]


def test_it_is_a_box_that_can_stand_in_another() -> None:
    run = nd.watch(make_model())
    assert isinstance(nd.TrainingDashboard(run), ipywidgets.Box)
    run.close()


@pytest.mark.parametrize("source", [None, 3, [nn.Linear(1, 1)]])
def test_other_sources_are_refused(source: object) -> None:
    with pytest.raises(TypeError, match=f"got {type(source).__name__}"):
        nd.TrainingDashboard(source)
