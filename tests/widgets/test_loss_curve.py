from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import nbdiag as nd
from nbdiag.measures.findings import Finding
from nbdiag.widgets.loss_curve import BURST, SKETCH


def make_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def train(run: Any, model: nn.Module, steps: int) -> list[float]:
    """Trains and logs; the losses."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(torch.randn(16, 4)).square().mean()
        loss.backward()
        optimizer.step()
        run.log(loss=loss)
        losses.append(loss.item())
    return losses


def array(packed: dict[str, Any], buffers: list[bytes] | None = None) -> np.ndarray:
    data = packed["data"] if buffers is None else buffers[packed["buffer"]]
    return np.frombuffer(data, packed["dtype"]).reshape(packed["shape"])


def streamed(browser: Any, name: str) -> dict[str, Any]:
    """What a page that saw every message holds of a series: its steps, values, and how many."""
    steps: list[float] = []
    values: list[float] = []
    total = 0
    for message, buffers in zip(browser.sent, browser.buffers, strict=True):
        part = message.get("series", {}).get(name)
        if part is None:
            continue
        if part["start"] == 0:
            steps, values = [], []
        else:
            assert part["start"] == total
        steps.extend(array(part["steps"], buffers))
        values.extend(array(part["values"], buffers))
        total = part["total"]
    return {"steps": steps, "values": values, "total": total}


def test_stream_and_snapshot_tell_the_same_losses(connect: Any) -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        curve = nd.LossCurve(run)
        browser = connect(curve)
        losses = train(run, model, 40)
        run.log(val_loss=0.25, accuracy=0.5)
        curve.cell_ended()
    got = streamed(browser, "loss")
    np.testing.assert_allclose(got["values"], losses, rtol=1e-6)
    assert (got["steps"], got["total"]) == (list(range(1, 41)), 40)
    assert streamed(browser, "val_loss")["values"] == [0.25]
    saved = curve.get_state()["snapshot"]["series"]
    assert list(saved) == ["loss", "val_loss", "accuracy"]
    np.testing.assert_allclose(array(saved["loss"]["values"]), losses, rtol=1e-6)
    assert (saved["loss"]["start"], saved["loss"]["total"]) == (0, 40)
    assert curve.live["state"] == "done"


def test_steps_go_on_being_told_where_no_loss_is_logged(connect: Any) -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        curve = nd.LossCurve(run)
        browser = connect(curve)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        for _ in range(3):
            model(torch.randn(16, 4)).square().mean().backward()
            optimizer.step()
        curve.cell_ended()
    assert browser.of_kind("append")[-1]["live"]["step"] == 3
    assert all(message["series"] == {} for message in browser.of_kind("append"))


def test_nothing_new_sends_nothing(connect: Any) -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        train(run, model, 3)
        curve = nd.LossCurve(run)
        browser = connect(curve)
        curve.cell_ended()
        curve.cell_ended()
        assert browser.of_kind("append") == []


def test_a_long_series_travels_as_a_sketch_that_loses_no_spike_and_no_nan() -> None:
    run = nd.watch(make_model())
    for step in range(1, 20_001):
        run.log_at(step, loss=float("nan") if step == 7777 else 50.0 if step == 1234 else 1.0)
    saved = nd.LossCurve(run).get_state()["snapshot"]["series"]["loss"]
    assert saved["total"] == 20_000
    assert array(saved["steps"]).size <= SKETCH
    assert array(saved["high"])[array(saved["bad"]) == 0].max() == 50.0
    assert array(saved["bad"]).sum() == 1
    run.close()


def test_a_burst_is_sent_at_a_bounded_size(connect: Any) -> None:
    run = nd.watch(make_model())
    curve = nd.LossCurve(run)
    browser = connect(curve)
    run.log(loss=1.0)
    curve.cell_ended()
    for step in range(1, 3 * BURST):
        run.log_at(step, loss=2.0)
    curve.cell_ended()
    part = browser.of_kind("append")[-1]["series"]["loss"]
    assert (part["start"], part["total"]) == (1, 3 * BURST)
    assert part["steps"]["shape"][0] <= BURST
    run.close()


def test_when_points_were_merged_all_of_them_are_sent(connect: Any) -> None:
    run = nd.watch(make_model())
    log = run.recording.scalar_log
    log._max_points = 100
    for step in range(1, 100):
        run.log_at(step, loss=float(step))
    curve = nd.LossCurve(run)
    browser = connect(curve)
    for step in range(100, 152):
        run.log_at(step, loss=float(step))
    curve.cell_ended()
    part = browser.of_kind("append")[-1]["series"]["loss"]
    assert (part["start"], part["total"], part["logged"]) == (0, 75, 151)
    for step in range(152, 160):
        run.log_at(step, loss=float(step))
        curve.cell_ended()
    got = streamed(browser, "loss")
    expected = run.recording.scalars["loss"]
    assert len(expected.steps) == 80  # of which the last stands for one value so far
    np.testing.assert_array_equal(got["steps"], expected.steps[:79])
    np.testing.assert_array_equal(got["values"], expected.values[:79])
    saved = curve.get_state()["snapshot"]["series"]["loss"]
    assert array(saved["steps"])[-1] == 159
    assert (saved["total"], saved["logged"]) == (79, 159)
    run.close()


def test_a_page_that_missed_something_gets_all_of_it(connect: Any) -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        browser = connect(nd.LossCurve(run))
        train(run, model, 5)
        reply = browser.ask("snapshot")
    assert reply["result"]["series"]["loss"]["total"] == 5
    assert reply["result"]["live"]["step"] == 5


def test_it_shows_the_findings_of_the_loss_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    run = nd.watch(make_model())
    found = [
        Finding("loss.diverging", "critical", "loss", "It rises.", {"from_step": 3, "to_step": 9}),
        Finding("gradient.none", "warning", "0", "No gradient."),
    ]
    monkeypatch.setattr(run, "findings", lambda: found)
    curve = nd.LossCurve(run)
    assert [shown["code"] for shown in curve.findings] == ["loss.diverging"]
    assert curve.findings[0]["evidence"] == {"from_step": 3, "to_step": 9}
    run.close()


@pytest.mark.parametrize(
    "evidence",
    [{}, {"step": 3}, {"from_step": 2}, {"from_step": 2, "to_step": 4}, {"step": 3, "ratio": 1.5}],
    ids=str,
)
def test_picture_is_a_png_wherever_a_finding_lies(
    evidence: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model()
    with nd.watch(model) as run:
        train(run, model, 5)
    found = [Finding("loss.nonfinite", "critical", "loss", "NaN.", evidence)]
    monkeypatch.setattr(run, "findings", lambda: found)
    image = Image.open(io.BytesIO(nd.LossCurve(run).picture()))
    assert image.size[0] == 1720


@pytest.mark.parametrize("logged", [{}, {"val_loss": 1.0}, {"accuracy": 0.5}], ids=str)
def test_picture_without_a_loss(logged: dict[str, float]) -> None:
    run = nd.watch(make_model())
    run.log(**logged)
    assert Image.open(io.BytesIO(nd.LossCurve(run).picture())).size[0] == 1720
    run.close()


def test_the_text_states_no_measured_number() -> None:
    model = make_model()
    with nd.watch(model, name="mlp") as run:
        losses = train(run, model, 4)
    text = repr(nd.LossCurve(run))
    assert text.startswith("LossCurve of Run 'mlp': 4 optimizer steps")
    assert not any(f"{loss:.2g}" in text for loss in losses)


@pytest.mark.parametrize("source", [None, 3, [nn.Linear(1, 1)]])
def test_other_sources_are_refused(source: object) -> None:
    with pytest.raises(TypeError, match=f"got {type(source).__name__}"):
        nd.LossCurve(source)
