"""LossCurve as a person sees it, in a real JupyterLab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lab import UNTIL, Notebook, wait_for

MODEL = """
import time, torch, nbdiag as nd
from torch import nn
torch.set_num_threads(1)
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 2))
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

def train(steps, pause=0.01, scale=1.0):
    for _ in range(steps):
        optimizer.zero_grad()
        x = torch.randn(32, 8)
        loss = loss_fn(model(x), (x.sum(1) > 0).long())
        loss.backward()
        optimizer.step()
        run.log(loss=loss.detach() * scale)
        time.sleep(pause)
"""
SHOW = "run = nd.watch(model, optimizer, every=1)\ncurve = nd.LossCurve(run)\ndisplay(curve)\n"


def points(widget: Any) -> int:
    return int(widget.get_attribute("data-points") or 0)


def inked(widget: Any) -> int:
    """Pixels of the picture that are not empty."""
    return widget.locator(".lc-plot canvas").evaluate(
        """canvas => {
            const { width, height } = canvas;
            const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
            let inked = 0;
            for (let i = 3; i < data.length; i += 4) inked += data[i] > 0;
            return inked;
        }"""
    )


def test_the_curve_grows_and_pause_answers_while_the_cell_is_busy(
    notebook: Notebook, stop: Path
) -> None:
    notebook.open([MODEL, SHOW + UNTIL])
    notebook.run(0)
    notebook.start(1)
    curve = notebook.widget("loss_curve")
    wait_for(lambda: points(curve) > 5, "the first losses")
    before = points(curve)
    wait_for(lambda: points(curve) > before, "more of them")
    assert notebook.busy(1)
    curve.get_by_role("button", name="Pause").click()
    wait_for(lambda: curve.get_attribute("data-state") == "paused", "the pause")
    assert notebook.busy(1)
    stop.touch()
    notebook.wait(1)


def test_a_sick_training_is_told_and_drawn(notebook: Notebook) -> None:
    sick = "train(60, 0)\ntrain(1, 0, 1e3)\ntrain(60, 0)\ntrain(5, 0, float('nan'))\nrun.close()"
    notebook.open([MODEL, SHOW, sick])
    for index in range(3):
        notebook.run(index)
    curve = notebook.widget("loss_curve")
    wait_for(lambda: points(curve) == 126, "all losses")
    assert curve.get_attribute("data-spikes") == "1"
    legend = curve.locator("[aria-label=Legend]").inner_text()
    assert "spike" in legend
    assert "NaN or infinite" in legend
    assert "loss NaN" in curve.locator(".nbd-status").inner_text()
    assert inked(curve) > 1000
    plot = curve.locator(".lc-plot")
    plot.focus()
    plot.press("End")
    assert "step 126" in curve.locator(".lc-detail").inner_text()


def test_validation_metrics_and_the_gap(notebook: Notebook) -> None:
    epochs = """
for epoch in range(5):
    train(30, 0)
    run.log(train_loss=1 / (epoch + 1), val_loss=0.5 + 1 / (epoch + 1), accuracy=epoch / 5)
run.close()"""
    notebook.open([MODEL, SHOW, epochs])
    for index in range(3):
        notebook.run(index)
    curve = notebook.widget("loss_curve")
    wait_for(lambda: points(curve) == 160, "all values")
    assert curve.get_attribute("data-series") == "loss train_loss val_loss"
    assert "no sign of underfitting" in curve.inner_text()
    box = curve.locator(".lc-plot").bounding_box()
    notebook.page.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    tip = curve.locator(".nbd-tooltip")
    assert "val_loss" in tip.inner_text()
    assert "+0.500 (val_loss − train_loss)" in tip.inner_text()
    curve.get_by_label("Show").select_option("accuracy")
    wait_for(lambda: curve.get_attribute("data-metric") == "accuracy", "the metric")
    curve.get_by_role("radio", name="Log").click()
    wait_for(lambda: curve.get_attribute("data-scale") == "log", "the axis")


def test_without_a_loss_it_tells_how_to_log_one(notebook: Notebook) -> None:
    notebook.open([MODEL, SHOW, "run.close()"])
    notebook.run(0)
    notebook.run(1)
    curve = notebook.widget("loss_curve")
    assert "run.log(loss=loss)" in curve.inner_text()
    notebook.run(2)
    wait_for(lambda: "No loss was logged" in curve.inner_text(), "the word")


def test_a_reloaded_page_keeps_the_curve(notebook: Notebook) -> None:
    notebook.open([MODEL, SHOW, "train(50, 0)"])
    for index in range(3):
        notebook.run(index)
    wait_for(lambda: points(notebook.widget("loss_curve")) == 50, "all losses")
    notebook.save()
    wait_for(lambda: '"image/png"' in notebook.path.read_text(), "the saved file")
    notebook.reload()
    curve = notebook.widget("loss_curve")
    wait_for(lambda: points(curve) == 50, "the history after a reload")
    wait_for(lambda: inked(curve) > 500, "the curve")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1400])
def test_nothing_is_cut_off(notebook: Notebook, theme: str, width: int) -> None:
    notebook.open([MODEL, SHOW, "train(60, 0)\nrun.log(val_loss=1.0)\nrun.close()"])
    notebook.page.set_viewport_size({"width": width, "height": 900})
    notebook.theme(theme)
    for index in range(3):
        notebook.run(index)
    curve = notebook.widget("loss_curve")
    assert curve.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
    assert curve.get_attribute("data-theme") == theme
    notebook.theme("light")
