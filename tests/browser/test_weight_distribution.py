"""WeightDistribution as a person sees it, in a real JupyterLab."""

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
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

def train(steps, pause=0.01):
    for _ in range(steps):
        optimizer.zero_grad()
        x = torch.randn(32, 8)
        nn.functional.cross_entropy(model(x), (x.sum(1) > 0).long()).backward()
        optimizer.step()
        time.sleep(pause)
"""
SHOW = "run = nd.watch(model, optimizer, every=1)\nview = nd.WeightDistribution(run)\ndisplay(view)"


def curves(widget: Any) -> str:
    return widget.locator(".ly-ridge canvas").get_attribute("aria-label") or ""


def dots(widget: Any) -> list[str]:
    return widget.locator("[data-ratio]").evaluate_all("all => all.map(one => one.style.left)")


def test_it_is_live_and_answers_while_the_cell_is_busy(notebook: Notebook, stop: Path) -> None:
    notebook.open([MODEL, SHOW + UNTIL])
    notebook.run(0)
    notebook.start(1)
    view = notebook.widget("weight_distribution")
    view.locator(".ly-ridge canvas").wait_for()
    assert "0.weight" in curves(view)
    before, shown = dots(view), curves(view)
    assert len(before) == 3
    wait_for(lambda: dots(view) != before, "a dot to move")
    wait_for(lambda: curves(view) != shown, "another histogram")
    view.locator('[data-layer="4"]').click(position={"x": 40, "y": 8})
    view.get_by_role("radio", name="Gradients").click()
    view.locator(".ly-distribution select").select_option(label="bias")
    wait_for(lambda: "4.bias" in curves(view), "the histograms of the gradient of a bias")
    assert notebook.busy(1)
    stop.touch()
    notebook.wait(1)


def test_nan_is_marked_and_the_curves_are_told_on_hover(notebook: Notebook) -> None:
    cells = [
        MODEL,
        SHOW,
        """
train(30, pause=0)
with torch.no_grad():
    model[2].weight[0, 0] = float("nan")
train(30, pause=0)
run.close()""",
    ]
    notebook.open(cells)
    for index in range(3):
        notebook.run(index)
    view = notebook.widget("weight_distribution")
    wait_for(lambda: view.get_attribute("data-state") == "done", "the end")
    assert view.locator('[data-layer="2"]').get_attribute("data-status") == "NaN"
    assert "NaN" in view.locator('[data-layer="2"]').inner_text()
    assert "rule of thumb" in view.locator("[aria-label=Legend]").inner_text()
    view.locator('[data-layer="2"]').click(position={"x": 40, "y": 8})
    wait_for(lambda: "2.weight" in curves(view), "the histograms of that layer")
    box = view.locator(".ly-ridge canvas").bounding_box()
    view.locator(".ly-ridge canvas").hover(position={"x": 150, "y": box["height"] - 30})
    assert "not drawn: NaN" in view.locator(".ly-ridge .nbd-tooltip").inner_text()


def test_a_saved_and_reloaded_page_shows_the_curves(notebook: Notebook) -> None:
    newest = "int(run.recording.histograms.steps('weight')[-1])"
    notebook.open([MODEL, SHOW, f"train(30, pause=0)\nrun.close()\n{newest}"])
    for index in range(3):
        notebook.run(index)
    view = notebook.widget("weight_distribution")
    wait_for(lambda: view.get_attribute("data-state") == "done", "the end")
    wait_for(lambda: curves(view).endswith(f" to {notebook.text(2)}"), "the newest histogram")
    shown = curves(view)
    notebook.save()
    wait_for(lambda: '"image/png"' in notebook.path.read_text(), "the saved file")
    notebook.reload()
    view = notebook.widget("weight_distribution")
    wait_for(lambda: curves(view) == shown, "the same curves")
    notebook.restart_kernel()
    wait_for(lambda: view.get_attribute("data-state") == "disconnected", "the word")
    assert curves(view) == shown
    view.locator('[data-layer="4"]').click(position={"x": 40, "y": 8})
    wait_for(lambda: "in the kernel" in view.inner_text(), "what is missing, in words")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1400])
def test_nothing_is_cut_off(notebook: Notebook, theme: str, width: int) -> None:
    notebook.open([MODEL, SHOW, "train(20, pause=0)\nrun.close()"])
    notebook.page.set_viewport_size({"width": width, "height": 900})
    notebook.theme(theme)
    for index in range(3):
        notebook.run(index)
    view = notebook.widget("weight_distribution")
    view.locator(".ly-ridge canvas").wait_for()
    assert view.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
    assert view.get_attribute("data-theme") == theme
    notebook.theme("light")
