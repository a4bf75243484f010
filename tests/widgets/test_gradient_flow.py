from __future__ import annotations

import io
import threading
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import nbdiag as nd
from nbdiag.widgets.notebook import notebook


def make_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def train(model: nn.Module, steps: int, optimizer: torch.optim.Optimizer | None = None) -> None:
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(16, 4)).square().mean().backward()
        optimizer.step()


def array(packed: dict[str, Any], buffers: list[bytes] | None = None) -> np.ndarray:
    data = packed["data"] if buffers is None else buffers[packed["buffer"]]
    return np.frombuffer(data, packed["dtype"]).reshape(packed["shape"])


def test_a_module_is_watched_without_its_optimizer() -> None:
    model = make_model()
    flow = nd.GradientFlow(model)
    train(model, 3)
    assert flow.run.step == 3
    assert [layer["name"] for layer in flow.info["layers"]] == ["0", "2"]
    flow.run.close()


def test_a_watched_module_is_shown_and_not_watched_anew() -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        train(model, 2)
        flow = nd.GradientFlow(model)
        assert flow.run is run
        train(model, 2)
    assert (run.step, len(run.recording)) == (4, 4)


def test_a_run_without_a_step_does_not_claim_health() -> None:
    model = make_model()
    with nd.watch(model) as run:
        assert repr(nd.GradientFlow(run)).endswith("waiting for the first optimizer step")
    assert "no optimizer step was seen" in repr(run)
    assert "run.mark_step()" in repr(run)
    assert "no findings" not in repr(run)


def test_stream_and_snapshot_tell_the_same_norms(connect: Any) -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        flow = nd.GradientFlow(run)
        browser = connect(flow)
        train(model, 30)
        flow.cell_ended()
    rows = []
    for message, buffers in zip(browser.sent, browser.buffers, strict=True):
        if message["kind"] == "append":
            assert message["start"] == len(rows)
            rows.extend(array(message["norms"], buffers))
    expected = run.recording.stat("grad_norm")
    np.testing.assert_array_equal(rows, expected)
    saved = flow.get_state()["snapshot"]
    np.testing.assert_array_equal(array(saved["norms"]), expected)
    assert array(saved["steps"]).tolist() == list(range(1, 31))
    assert (saved["start"], saved["total"]) == (0, 30)
    assert flow.live["state"] == "done"


def test_a_widget_made_after_the_training_shows_it_whole() -> None:
    model = make_model()
    with nd.watch(model) as run:
        train(model, 12)
    flow = nd.GradientFlow(run)
    assert flow.live["state"] == "done"
    assert flow.get_state()["snapshot"]["total"] == 12


def test_a_long_history_travels_as_a_sketch_that_keeps_the_first_nan() -> None:
    model = make_model()
    run = nd.watch(model, every=1)
    recording = run.recording
    width = len(recording.parameters)
    for step in range(1, 5001):
        bad = step == 2222
        norm = np.full(width, np.nan if bad else 1.0, np.float32)
        recording.append(step, norm, np.ones(width, np.float32), np.full(width, 3 * bad, np.uint8))
    saved = nd.GradientFlow(run).get_state()["snapshot"]
    assert saved["total"] == 5000
    assert saved["steps"]["shape"][0] < 2000
    assert 2222 in array(saved["steps"])
    run.close()


def test_a_thinned_recording_is_streamed_as_it_is_held(connect: Any) -> None:
    run = nd.watch(make_model(), every=1)
    recording = run.recording
    recording._lines.max_rows = 16
    width = len(recording.parameters)
    flow = nd.GradientFlow(run)
    browser = connect(flow)
    ones, fine = np.ones(width, np.float32), np.zeros(width, np.uint8)
    for step in range(1, 70):
        recording.append(step, step * ones, ones, fine)
        flow.cell_ended()
    told: list[float] = []
    for message, buffers in zip(browser.sent, browser.buffers, strict=True):
        if message["kind"] == "append":
            told[message["start"] :] = array(message["steps"], buffers)
            if "total" in message:
                told = told[: message["total"]]
    assert recording.steps.tolist() == [1, 9, 17, 25, 33, 41, 49, 57, 65, 69]
    assert told == [1, 9, 17, 25, 33, 41, 49, 57]
    saved = flow.get_state()["snapshot"]
    assert (array(saved["steps"]).tolist(), saved["total"]) == (recording.steps.tolist(), 8)
    run.close()


def test_many_layers_make_a_shorter_sketch() -> None:
    run = nd.watch(nn.Sequential(*[nn.Linear(2, 2) for _ in range(300)]), every=1)
    ones = np.ones(600, np.float32)
    for step in range(1, 701):
        more = {"grad_norm_raw": 2 * ones, "update_norm": ones}
        run.recording.append(step, ones, ones, np.zeros(600, np.uint8), **more)
    saved = nd.GradientFlow(run).get_state()["snapshot"]
    names = ("steps", "norms", "raw", "weights", "updates", "status")
    assert sum(len(saved[name]["data"]) for name in names) <= 1_000_000
    assert saved["clipping"] == {"seen": 700, "clipped": 700}
    run.close()


def test_norms_before_clipping_are_sent_and_counted(connect: Any) -> None:
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with nd.watch(model, optimizer, every=1) as run:
        flow = nd.GradientFlow(run)
        browser = connect(flow)
        for step in range(12):
            optimizer.zero_grad()
            model(torch.randn(16, 4)).square().mean().backward()
            if step >= 4:
                nn.utils.clip_grad_norm_(model.parameters(), 0.01)
            optimizer.step()
        flow.cell_ended()
    saved = flow.get_state()["snapshot"]
    assert saved["clipping"] == {"seen": 12, "clipped": 8}
    assert browser.of_kind("append")[-1]["clipping"] == saved["clipping"]
    norms, raw = array(saved["norms"]), array(saved["raw"])
    np.testing.assert_allclose(raw[:4], norms[:4], rtol=1e-5)
    assert (np.linalg.norm(raw[4:], axis=1) > 0.02).all()
    np.testing.assert_allclose(np.linalg.norm(norms[4:], axis=1), 0.01, rtol=1e-3)


def test_a_layer_tells_zeros_and_broken_entries_on_request(connect: Any) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    with torch.no_grad():
        model[0].bias.fill_(-100.0)  # every unit is off, so nothing comes back through them
    with nd.watch(model, every=1) as run:
        train(model, 5)
    browser = connect(nd.GradientFlow(run))
    reply = browser.ask("layer", layer=0)["result"]
    buffers = browser.buffers[-1]
    assert array(reply["steps"], buffers).tolist() == [1, 2, 3, 4, 5]
    assert array(reply["zeros"], buffers).tolist() == [1, 1, 1, 1, 1]
    assert array(reply["nonfinite"], buffers).tolist() == [0, 0, 0, 0, 0]
    for odd in (2, -1, "0", None):
        assert "no layer" in browser.ask("layer", layer=odd)["error"]
    histograms = browser.ask("histograms", parameter="2.weight", kind="gradient")
    assert array(histograms["result"]["counts"], browser.buffers[-1]).sum() == 16 * 5


def test_commands_take_effect_and_answer_once(connect: Any) -> None:
    model = make_model()
    run = nd.watch(model, every=1)
    browser = connect(nd.GradientFlow(run))
    train(model, 2)
    reply = browser.ask("pause")  # main thread, no training under way: at once
    assert reply["result"]["live"]["state"] == "paused"
    train(model, 5)
    assert (run.step, len(run.recording)) == (7, 2)
    assert browser.ask("resume")["result"]["live"]["state"] == "live"
    assert browser.ask("every", every=3)["result"]["live"]["every"] == 3
    assert browser.ask("every", every="auto")["result"]["live"]["every"] == "auto"
    refused = browser.ask("every", every=0)
    assert not refused["ok"]
    assert "got 0" in refused["error"]
    run.close()


def test_pause_during_a_cell_waits_for_the_next_step(
    connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook, "running", True)
    model = make_model()
    run = nd.watch(model, every=1)
    browser = connect(nd.GradientFlow(run))
    train(model, 2)
    request = {"kind": "request", "id": "a", "name": "pause", "args": {}}
    thread = threading.Thread(target=lambda: browser.widget._handle_custom_msg(request, []))
    thread.start()
    thread.join()
    assert run.state == "live"
    train(model, 3)
    assert run.state == "paused"
    assert len(run.recording) == 2
    assert len([message for message in browser.sent if message.get("id") == "a"]) == 1
    run.close()


def test_layers_are_named_in_the_order_in_which_they_run(connect: Any) -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.first = nn.Linear(8, 2), nn.Linear(4, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.first(x))

    flow = nd.GradientFlow(model := Backwards())
    train(model, 2)
    assert [layer["name"] for layer in flow.info["layers"]] == ["first", "last"]
    assert flow.get_state()["info"] == flow.info
    flow.run.close()


def test_findings_reach_the_widget(connect: Any) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Linear(4, 2), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.used(x)

    model = Net()
    with nd.watch(model, every=1) as run:
        flow = nd.GradientFlow(run)
        train(model, 30)
    assert [(found["code"], found["subject"]) for found in flow.findings] == [
        ("gradient.none", "unused")
    ]
    assert "gradient.none in unused" in repr(flow)


def test_picture_is_a_png_with_or_without_data() -> None:
    model = make_model()
    run = nd.watch(model)
    flow = nd.GradientFlow(run)
    sizes = [Image.open(io.BytesIO(flow.picture())).size]
    train(model, 3)
    sizes.append(Image.open(io.BytesIO(flow.picture())).size)
    assert all(width == 1720 for width, _ in sizes)
    run.close()


def test_closing_the_view_leaves_the_run_alone(connect: Any) -> None:
    model = make_model()
    run = nd.watch(model, every=1)
    flow = nd.GradientFlow(run)
    browser = connect(flow)
    flow.close()
    train(model, 3)
    assert browser.sent == []
    assert len(run.recording) == 3
    run.close()


@pytest.mark.parametrize("source", [None, 3, [nn.Linear(1, 1)]])
def test_other_sources_are_refused(source: object) -> None:
    with pytest.raises(TypeError, match=f"got {type(source).__name__}"):
        nd.GradientFlow(source)


def test_a_model_without_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="no parameters"):
        nd.GradientFlow(nn.ReLU())
