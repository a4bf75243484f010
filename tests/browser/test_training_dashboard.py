"""TrainingDashboard as a person sees it, in a real JupyterLab."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import UNTIL, Notebook, wait_for

MODEL = """
import time, torch, nbdiag as nd
from torch import nn
torch.set_num_threads(1)
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

def train(steps, pause=0.01, scale=1.0):
    for _ in range(steps):
        optimizer.zero_grad()
        x = torch.randn(32, 8)
        loss = loss_fn(model(x), (x.sum(1) > 0).long()) * scale
        loss.backward()
        optimizer.step()
        time.sleep(pause)
"""
SHOW = """
run = nd.watch(model, optimizer, loss_fn, every=1)
board = nd.TrainingDashboard(run)
display(board)
"""
PARTS = ("loss_curve", "gradient_flow", "activation_stats", "weight_distribution")


def boxes(notebook: Notebook) -> dict[str, dict[str, float]]:
    """Where each part is on the page."""
    return {name: notebook.widget(name).bounding_box() for name in PARTS}


def test_all_parts_move_and_one_pause_holds_them_while_the_cell_is_busy(
    notebook: Notebook, stop: Path
) -> None:
    notebook.open([MODEL, SHOW + UNTIL])
    notebook.run(0)
    notebook.start(1)
    head = notebook.widget("training_dashboard")
    flow, curve = notebook.widget("gradient_flow"), notebook.widget("loss_curve")

    def numbers() -> tuple[int, int, int]:
        return (
            int(head.get_attribute("data-step") or 0),
            int(flow.get_attribute("data-samples") or 0),
            int(curve.get_attribute("data-points") or 0),
        )

    wait_for(lambda: min(numbers()) > 5, "the first steps in every part")
    before = numbers()
    wait_for(lambda: all(a < b for a, b in zip(before, numbers(), strict=True)), "all to move")
    assert notebook.busy(1)
    pauses = notebook.page.get_by_role("button", name="Pause sampling")
    assert [pauses.nth(i).is_visible() for i in range(pauses.count())].count(True) == 1
    head.get_by_role("button", name="Pause").click()
    for widget in (head, flow, curve):
        wait_for(lambda w=widget: w.get_attribute("data-state") == "paused", "the pause")
    assert notebook.busy(1)
    stop.touch()
    notebook.wait(1)


def test_findings_are_told_once_and_a_tile_leads_to_its_part(notebook: Notebook) -> None:
    sick = "train(40, 0)\ntrain(8, 0, float('nan'))\nrun.close()"
    notebook.open([MODEL, SHOW, sick])
    for index in range(3):
        notebook.run(index)
    head = notebook.widget("training_dashboard")
    wait_for(lambda: head.get_attribute("data-state") == "done", "the end")
    told = head.locator('[data-code="gradient.nonfinite"]')
    assert told.is_visible()
    told = notebook.widget("gradient_flow").locator('[data-code="gradient.nonfinite"]')
    assert not told.is_visible()
    tile = head.locator('[data-vital="gradients"]')
    assert tile.get_attribute("data-severity") == "critical"
    assert "NaN or infinite" in tile.inner_text()
    notebook.page.set_viewport_size({"width": 600, "height": 500})
    weights = notebook.widget("weight_distribution")
    head.locator('[data-vital="weights"]').click()
    notebook.page.wait_for_timeout(600)
    wait_for(lambda: 0 <= weights.bounding_box()["y"] < 500, "the part to come into view")


def test_two_columns_on_a_wide_page_and_one_on_a_narrow_one(notebook: Notebook) -> None:
    notebook.open([MODEL, SHOW, "train(20, 0)\nrun.close()"])
    for index in range(3):
        notebook.run(index)
    wide = boxes(notebook)
    assert wide["gradient_flow"]["x"] > wide["loss_curve"]["x"] + wide["loss_curve"]["width"]
    assert wide["gradient_flow"]["y"] == pytest.approx(wide["loss_curve"]["y"], abs=2)
    notebook.page.set_viewport_size({"width": 600, "height": 900})
    wait_for(lambda: len({box["x"] for box in boxes(notebook).values()}) == 1, "one column")
    narrow = boxes(notebook)
    assert narrow["gradient_flow"]["y"] > narrow["loss_curve"]["y"]


def test_a_saved_notebook_keeps_a_picture_and_the_findings(notebook: Notebook) -> None:
    notebook.open([MODEL, SHOW.replace("display(board)", ""), "train(20, 0)\nrun.close()", "board"])
    for index in range(4):
        notebook.run(index)
    notebook.save()
    wait_for(lambda: '"image/png"' in notebook.path.read_text(), "the saved file")
    assert notebook.text(3).startswith("TrainingDashboard of Run 'Sequential': 20 optimizer steps")
    notebook.reload()
    head = notebook.widget("training_dashboard")
    wait_for(lambda: head.get_attribute("data-step") == "20", "the head after a reload")
    for name in PARTS:
        assert notebook.widget(name).get_attribute("data-embedded") == "true"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1400])
def test_nothing_is_cut_off(notebook: Notebook, theme: str, width: int) -> None:
    notebook.open([MODEL, SHOW, "train(20, 0)\nrun.close()"])
    notebook.page.set_viewport_size({"width": width, "height": 900})
    notebook.theme(theme)
    for index in range(3):
        notebook.run(index)
    for name in ("training_dashboard", *PARTS):
        part = notebook.widget(name)
        assert part.evaluate("root => root.scrollWidth - root.clientWidth") <= 0, name
        assert part.get_attribute("data-theme") == theme
    notebook.theme("light")
