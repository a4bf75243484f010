from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import nbdiag as nd


def make_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def train(model: nn.Module, steps: int, lr: float = 0.05) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(16, 4)).square().mean().backward()
        optimizer.step()


def array(packed: dict[str, Any], buffers: list[bytes] | None = None) -> np.ndarray:
    data = packed["data"] if buffers is None else buffers[packed["buffer"]]
    return np.frombuffer(data, packed["dtype"]).reshape(packed["shape"])


def test_stream_and_snapshot_tell_norms_and_updates(connect: Any) -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        view = nd.WeightDistribution(run)
        browser = connect(view)
        train(model, 20)
        view.cell_ended()
    norms: list[Any] = []
    updates: list[Any] = []
    for message, buffers in zip(browser.sent, browser.buffers, strict=True):
        if message["kind"] == "append":
            assert message["start"] == len(norms)
            assert "norms" not in message
            norms.extend(array(message["weights"], buffers))
            updates.extend(array(message["updates"], buffers))
    saved = view.get_state()["snapshot"]
    for name, streamed in (("weight_norm", norms), ("update_norm", updates)):
        np.testing.assert_array_equal(streamed, run.recording.stat(name))
    np.testing.assert_array_equal(array(saved["weights"]), norms)
    # what the ratio rests on: a step of SGD changes the weights by lr times the gradient
    expected = 0.05 * run.recording.stat("grad_norm")
    np.testing.assert_allclose(np.array(updates), expected, rtol=1e-3)


def test_the_snapshot_brings_the_histograms_of_the_first_matrix() -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        train(model, 10)
    first = nd.WeightDistribution(run).get_state()["snapshot"]["first"]
    assert first["parameter"] == "1.weight"  # not the normalisation before it
    steps = array(first["weight"]["steps"])
    assert steps.tolist()[:3] == [1, 2, 3]
    counts = array(first["weight"]["counts"])
    assert (counts.sum(axis=1) == 32).all()


def test_histograms_come_on_request(connect: Any) -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        train(model, 5)
    browser = connect(nd.WeightDistribution(run))
    reply = browser.ask("histograms", parameter="3.bias", kind="gradient")
    buffers = browser.buffers[-1]
    assert array(reply["result"]["counts"], buffers).sum(axis=1).tolist() == [2] * 5
    held = run.recording.histograms.of(run.recording.parameters.index("3.bias"), "gradient")
    np.testing.assert_array_equal(array(reply["result"]["low"], buffers), held.low)
    refused = browser.ask("histograms", parameter="nothing", kind="weight")
    assert "no parameter 'nothing'" in refused["error"]
    assert "'sideways'" in browser.ask("histograms", parameter="3.bias", kind="sideways")["error"]


def test_nan_weights_reach_the_browser() -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        train(model, 12)
        with torch.no_grad():
            model[1].weight[0, 0] = float("nan")
        train(model, 30)
    saved = nd.WeightDistribution(run).get_state()["snapshot"]
    assert np.isnan(array(saved["weights"])[-1, 1])
    assert array(saved["first"]["weight"]["nan"]).max() > 0


def test_a_long_training_of_many_layers_stays_small() -> None:
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(300)])
    run = nd.watch(model, every=1)
    width = len(run.recording.parameters)
    ones = np.ones(width, np.float32)
    for step in range(1, 701):
        run.recording.append(step, ones, ones, np.zeros(width, np.uint8), update_norm=ones)
    saved = nd.WeightDistribution(run).get_state()["snapshot"]
    size = sum(len(saved[name]["data"]) for name in ("steps", "weights", "updates", "status"))
    assert size <= 1_000_000
    assert saved["total"] == 700
    assert array(saved["steps"])[[0, -1]].tolist() == [1, 700]
    run.close()


def test_picture_and_text_with_or_without_data() -> None:
    model = make_model()
    run = nd.watch(model)
    view = nd.WeightDistribution(run)
    sizes = [Image.open(io.BytesIO(view.picture())).size]
    assert repr(view).endswith("waiting for the first optimizer step")
    train(model, 3)
    sizes.append(Image.open(io.BytesIO(view.picture())).size)
    assert all(width == 1720 for width, _ in sizes)
    run.close()


def test_only_findings_on_weights_are_shown() -> None:
    model = make_model()
    model[3].requires_grad_(True)
    with nd.watch(model, every=1) as run:
        train(model, 40, lr=1e-9)
    codes = {found["code"] for found in nd.WeightDistribution(run).findings}
    assert all(code.startswith("weight.") for code in codes)


@pytest.mark.parametrize("source", [None, 3])
def test_other_sources_are_refused(source: object) -> None:
    with pytest.raises(TypeError, match=f"got {type(source).__name__}"):
        nd.WeightDistribution(source)
