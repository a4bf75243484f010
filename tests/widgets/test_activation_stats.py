from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import nbdiag as nd
from nbdiag.measures.activation_log import ActivationInfo


def make_model() -> nn.Sequential:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 2))
    with torch.no_grad():
        model[0].bias[:3] = -100.0  # three units that nothing can wake
    return model


def train(model: nn.Module, steps: int) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(16, 4)).square().mean().backward()
        optimizer.step()


def array(packed: dict[str, Any], buffers: list[bytes] | None = None) -> np.ndarray:
    data = packed["data"] if buffers is None else buffers[packed["buffer"]]
    return np.frombuffer(data, packed["dtype"]).reshape(packed["shape"])


def test_stream_and_snapshot_tell_the_same(connect: Any) -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        view = nd.ActivationStats(run)
        browser = connect(view)
        train(model, 30)
        view.cell_ended()
    looks: dict[float, Any] = {}
    parts = []
    for message, buffers in zip(browser.sent, browser.buffers, strict=True):
        if message["kind"] == "append":
            parts.append(message["part"])
            steps, values = array(message["steps"], buffers), array(message["values"], buffers)
            looks.update(zip(steps.tolist(), values, strict=True))
    assert parts == list(range(parts[0], parts[0] + len(parts)))
    tracks = run.recording.activations.tracks
    zeros = np.array([track.series().zeros for track in tracks]).T
    np.testing.assert_array_equal([looks[step][:, 2] for step in sorted(looks)], zeros)
    saved = view.get_state()["snapshot"]
    np.testing.assert_array_equal(array(saved["values"])[:, :, 2], zeros)
    assert array(saved["looked"]).all()
    assert saved["part"] == parts[-1]


def test_dead_units_are_counted_with_the_inputs_they_rest_on() -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        train(model, 30)
    view = nd.ActivationStats(run)
    units = view.get_state()["snapshot"]["units"]
    assert [layer["kind"] for layer in view.info["layers"]] == ["ReLU", "Tanh"]
    assert [layer["bounded"] for layer in view.info["layers"]] == [False, True]
    counts = array(units["counts"])
    assert counts[0, 0] == 3
    assert counts.sum(axis=1).tolist() == [8, 6]
    assert array(units["seen"]).tolist() == [480, 480]
    lengths = array(units["lengths"])
    assert lengths.sum() == len(array(units["off"])) == len(array(units["first"]))


def test_units_come_on_request(connect: Any) -> None:
    model = make_model()
    with nd.watch(model, every=1) as run:
        train(model, 10)
    browser = connect(nd.ActivationStats(run))
    reply = browser.ask("units", track=0)["result"]
    buffers = browser.buffers[-1]
    activity = array(reply["activity"], buffers)
    assert activity[:, :3].max() == 0
    assert activity[:, 3:].max() > 0
    assert array(reply["states"], buffers)[:3].tolist() == [0, 0, 0]
    assert array(reply["since"], buffers)[:3].tolist() == [160, 160, 160]
    assert "saturation" not in reply
    assert "saturation" in browser.ask("units", track=1)["result"]
    for odd in (2, -1, "0", None):
        assert "no activation" in browser.ask("units", track=odd)["error"]


def test_of_very_many_units_those_that_need_a_look_are_sent(connect: Any) -> None:
    run = nd.watch(make_model())
    log = run.recording.activations
    log.open(ActivationInfo("wide", "ReLU", 20_000, rectifies=True))
    active = np.full(20_000, 5.0)
    active[[7, 19_999]] = 0
    log[0].add(1, 10, 10, (0, 1, 0, 0), active, None)
    browser = connect(nd.ActivationStats(run))
    reply = browser.ask("units", track=0)["result"]
    sent = array(reply["units"], browser.buffers[-1])
    assert (reply["total"], len(sent)) == (20_000, 16_384)
    assert {7, 19_999} <= set(sent.tolist())
    run.close()


def test_a_new_activation_makes_the_browser_start_anew(connect: Any) -> None:
    run = nd.watch(make_model())
    view = nd.ActivationStats(run)
    browser = connect(view)
    log = run.recording.activations
    for name in ("first", "second"):
        log.open(ActivationInfo(name, "ReLU", 2, rectifies=True))
        log[-1].add(len(log), 4, 4, (0, 1, 0.5, 0), np.ones(2), None)
        view._publish(run)
    sent = browser.of_kind("append")
    assert [message["start"] for message in sent] == [0, 0]
    assert [layer["name"] for layer in view.info["layers"]] == ["first", "second"]
    looked = array(sent[-1]["looked"], browser.buffers[-1])
    assert looked.tolist() == [[1, 0], [0, 1]]
    run.close()


def test_a_long_training_of_many_activations_stays_small() -> None:
    run = nd.watch(make_model())
    log = run.recording.activations
    for number in range(300):
        log.open(ActivationInfo(f"a.{number}", "ReLU", 4, rectifies=True))
        for step in range(1, 301):
            mean = np.nan if (number, step) == (17, 33) else 0.5
            log[number].add(step, 8, 8, (mean, 1, 0.5, 0), np.ones(4), None)
    saved = nd.ActivationStats(run).get_state()["snapshot"]
    arrays = [saved["steps"], saved["values"], saved["looked"]]
    arrays += [item for item in saved["units"].values() if isinstance(item, dict)]
    assert sum(len(item["data"]) for item in arrays) <= 1_100_000
    steps = array(saved["steps"])
    assert steps[[0, -1]].tolist() == [1, 300]
    assert 33 in steps  # the NaN
    run.close()


def test_what_could_not_be_seen_is_said() -> None:
    run = nd.watch(make_model())
    run.recording.activations.notes.append("act gave no tensor.")
    view = nd.ActivationStats(run)
    assert view.info["notes"] == ["act gave no tensor."]
    assert view.info["layers"] == []
    assert view.get_state()["snapshot"]["values"]["shape"] == [0, 0, 4]
    run.close()


def test_picture_and_text_with_or_without_data() -> None:
    model = make_model()
    run = nd.watch(model, every=1)
    view = nd.ActivationStats(run)
    sizes = [Image.open(io.BytesIO(view.picture())).size]
    assert repr(view).endswith("waiting for the first optimizer step")
    train(model, 3)
    sizes.append(Image.open(io.BytesIO(view.picture())).size)
    assert all(width == 1720 for width, _ in sizes)
    run.close()


@pytest.mark.parametrize("source", [None, 3])
def test_other_sources_are_refused(source: object) -> None:
    with pytest.raises(TypeError, match=f"got {type(source).__name__}"):
        nd.ActivationStats(source)
