"""ActivationStats as a person sees it, in a real JupyterLab."""

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
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 12), nn.Tanh(), nn.Linear(12, 2))
with torch.no_grad():
    model[0].bias[:5] = -100.0
    model[2].weight.mul_(100)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

def train(steps, pause=0.01):
    for _ in range(steps):
        optimizer.zero_grad()
        x = torch.randn(32, 8)
        nn.functional.cross_entropy(model(x), (x.sum(1) > 0).long()).backward()
        optimizer.step()
        time.sleep(pause)
"""
SHOW = "run = nd.watch(model, optimizer, every=1)\nview = nd.ActivationStats(run)\ndisplay(view)"


def looks(widget: Any) -> int:
    return int(widget.get_attribute("data-samples") or 0)


def test_it_is_live_and_answers_while_the_cell_is_busy(notebook: Notebook, stop: Path) -> None:
    notebook.open([MODEL, SHOW + UNTIL])
    notebook.run(0)
    notebook.start(1)
    view = notebook.widget("activation_stats")
    wait_for(lambda: looks(view) > 20, "the first looks")
    wait_for(lambda: "5 dead" in view.locator('[data-layer="1"]').inner_text(), "the dead units")
    assert "stuck" in view.locator('[data-layer="3"]').inner_text()
    view.locator('[data-layer="1"]').click(position={"x": 40, "y": 8})
    view.locator(".as-map canvas").wait_for()
    assert notebook.busy(1)
    assert view.locator(".as-map").get_attribute("data-units") == "16"
    seen = looks(view)
    wait_for(lambda: looks(view) > seen, "more looks")
    assert notebook.busy(1)
    stop.touch()
    notebook.wait(1)


def test_units_in_words_and_on_hover(notebook: Notebook) -> None:
    notebook.open([MODEL, SHOW, "train(40, pause=0)\nrun.close()"])
    for index in range(3):
        notebook.run(index)
    view = notebook.widget("activation_stats")
    wait_for(lambda: view.get_attribute("data-state") == "done", "the end")
    assert looks(view) == 40
    view.locator('[data-layer="1"]').click(position={"x": 40, "y": 8})
    view.locator(".as-map canvas").wait_for()
    assert "dead: 5 of 16 units never active in 1,280 inputs" in view.inner_text()
    view.get_by_role("radio", name="By unit number").click()
    canvas = view.locator(".as-map canvas")
    canvas.hover(position={"x": 200, "y": 3})  # the first line: unit 0, which is dead
    tip = view.locator(".as-map .nbd-tooltip").inner_text()
    assert "unit 0" in tip
    assert "never active in 1,280 inputs" in tip
    # what is dead is white under its hatching; what is alive is coloured
    coloured = canvas.evaluate(
        """(canvas) => {
            const context = canvas.getContext('2d');
            return [1, 12].map((unit) => {
                const y = Math.round((unit + 0.5) / 16 * canvas.height);
                const row = context.getImageData(40, y, canvas.width - 60, 1).data;
                let colour = 0;
                for (let i = 0; i < row.length; i += 4) {
                    colour = Math.max(colour, Math.abs(row[i] - row[i + 2]));
                }
                return colour;
            });
        }"""
    )
    assert coloured[0] < 40 < coloured[1]
    view.locator(".ly-scroll").focus()
    notebook.page.keyboard.press("Escape")
    wait_for(lambda: view.locator(".as-map").count() == 0, "the map to close")


def test_a_model_without_activations_is_told_why(notebook: Notebook) -> None:
    cells = [
        MODEL,
        """
plain = nn.Linear(8, 2)
optimizer = torch.optim.SGD(plain.parameters(), lr=0.1)
model = plain
run = nd.watch(plain, optimizer, every=1)
train(5, pause=0)
run.close()
nd.ActivationStats(run)""",
    ]
    notebook.open(cells)
    notebook.run(0)
    notebook.run(1)
    assert "No activation was seen" in notebook.widget("activation_stats").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1400])
def test_nothing_is_cut_off(notebook: Notebook, theme: str, width: int) -> None:
    notebook.open([MODEL, SHOW, "train(20, pause=0)\nrun.close()"])
    notebook.page.set_viewport_size({"width": width, "height": 900})
    notebook.theme(theme)
    for index in range(3):
        notebook.run(index)
    view = notebook.widget("activation_stats")
    view.locator('[data-layer="1"]').click(position={"x": 40, "y": 8})
    view.locator(".as-map canvas").wait_for()
    assert view.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
    assert view.get_attribute("data-theme") == theme
    notebook.theme("light")
