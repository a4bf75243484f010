"""ErrorExplorer as a person sees it, in a real JupyterLab."""

from __future__ import annotations

import time
from typing import Any

import pytest
from lab import Notebook, wait_for

SETUP = """
import numpy as np, torch, nbdiag as nd
from torch import nn
from torch.utils.data import Subset
from nbdiag import demo
torch.set_num_threads(1)
test = demo.digits_on_photos("test", n=200)
torch.manual_seed(0)
model = demo.small_resnet()
"""
EXPLORE = "explorer = nd.ErrorExplorer(nd.predict(model, test), model=model)\nexplorer"
SELECTED = """
subset = Subset(test, explorer.selection)
told = explorer.predictions
print(len(subset), {(int(told.targets[i]), int(told.predicted[i])) for i in explorer.selection})
"""


def synthetic(classes: int, samples: int) -> str:
    """Made-up predictions with one large confusion: class 0 is taken for class 1."""
    return f"""
import numpy as np, nbdiag as nd
rng = np.random.default_rng(0)
C, N = {classes}, {samples}
y = np.arange(N) % C
p = rng.dirichlet(np.full(C, 0.02), N) * 0.2
p[np.arange(N), np.where((y == 0) & (rng.random(N) < 0.6), 1, y)] += 0.8
from nbdiag.measures.predictions import Predictions
told = Predictions(np.arange(N), y, p / p.sum(1, keepdims=True))
explorer = nd.ErrorExplorer(told)
explorer
"""


def open_cell(explorer: Any, true: int, predicted: int) -> None:
    """Click the middle of a cell of the matrix, as the mouse does."""
    grid = explorer.locator("[data-matrix]")
    marks = grid.evaluate("grid => ({...grid.dataset})")
    order = [int(i) for i in marks["order"].split(",")]
    x = float(marks["x0"]) + (order.index(predicted) + 0.5) * float(marks["cellSize"])
    y = float(marks["y0"]) + (order.index(true) + 0.5) * float(marks["cellSize"])
    grid.scroll_into_view_if_needed()
    grid.click(position={"x": x, "y": y})


def cards(explorer: Any) -> Any:
    return explorer.locator("[data-id]")


def largest_error(explorer: Any) -> tuple[int, int, int]:
    """(true, predicted, count) of the largest cell off the diagonal."""
    cells = explorer.locator("[role=gridcell]").evaluate_all(
        "all => all.map(one => [...one.dataset.cell.split(',').map(Number), +one.dataset.count])"
    )
    return tuple(max((cell for cell in cells if cell[0] != cell[1]), key=lambda cell: cell[2]))


def test_click_gallery_overlay_selection(notebook: Notebook) -> None:
    notebook.open([SETUP, EXPLORE, SELECTED])
    notebook.run(0)
    notebook.run(1)
    explorer = notebook.widget("error_explorer")
    true, predicted, count = largest_error(explorer)
    open_cell(explorer, true, predicted)
    wait_for(lambda: cards(explorer).count() > 0, "the gallery")
    assert explorer.locator("[data-total]").first.get_attribute("data-total") == str(count)

    picture = cards(explorer).first.locator("img, canvas").first
    picture.wait_for()
    wait_for(
        lambda: len(set(picture.screenshot())) > 50, "a picture with more than one colour in it"
    )

    plain = picture.screenshot()
    overlay = explorer.locator('[data-overlay="ready"], [data-overlay="none"]')
    toggle = (
        explorer.get_by_role("button", name="Grad-CAM").or_(explorer.get_by_label("Grad-CAM")).first
    )
    if overlay.count() == 0:
        toggle.click()
    wait_for(lambda: overlay.count() > 0, "the overlay")
    wait_for(lambda: cards(explorer).first.screenshot() != plain, "the painted overlay")

    notebook.run(2)
    assert notebook.text(2).split(" ", 1)[0] == str(count)
    assert notebook.text(2).strip().endswith(f"{{({true}, {predicted})}}")


def test_the_keyboard_does_it_too(notebook: Notebook) -> None:
    notebook.open([SETUP, EXPLORE, SELECTED])
    notebook.run(0)
    notebook.run(1)
    explorer = notebook.widget("error_explorer")
    grid = explorer.locator("[data-matrix]")
    grid.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft", "b", "Enter"):
        grid.press(key)
    wait_for(lambda: explorer.locator("[data-total]").count() > 0, "an open cell")
    explorer.get_by_role("radio").first.press("b")
    assert notebook.cells() == 3, "a key leaked to the notebook"


def test_a_click_while_a_cell_is_busy_says_so_and_acts_when_it_ends(notebook: Notebook) -> None:
    notebook.open([SETUP, EXPLORE, "import time\ntime.sleep(6)"])
    notebook.run(0)
    notebook.run(1)
    explorer = notebook.widget("error_explorer")
    true, predicted, _ = largest_error(explorer)
    notebook.start(2)
    time.sleep(0.5)
    open_cell(explorer, true, predicted)
    wait_for(lambda: "takes effect when the cell ends" in explorer.inner_text(), "the word", 5)
    assert notebook.busy(2)
    notebook.wait(2)
    wait_for(lambda: cards(explorer).count() > 0, "the gallery")
    wait_for(lambda: "takes effect" not in explorer.inner_text(), "the word to go")


@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("width", [600, 1400])
def test_any_number_of_classes_fits(notebook: Notebook, classes: int, width: int) -> None:
    notebook.open([synthetic(classes, 3000)])
    notebook.page.set_viewport_size({"width": width, "height": 900})
    notebook.run(0)
    explorer = notebook.widget("error_explorer")
    assert explorer.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
    open_cell(explorer, 0, 1)
    wait_for(lambda: cards(explorer).count() > 0, "the gallery")
    notebook.theme("dark")
    assert explorer.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
    notebook.theme("light")


def test_a_large_cell_keeps_few_cards_in_the_page(notebook: Notebook) -> None:
    notebook.open([synthetic(2, 100_000)])
    notebook.run(0)
    explorer = notebook.widget("error_explorer")
    open_cell(explorer, 1, 1)
    wait_for(lambda: cards(explorer).count() > 0, "the gallery")
    assert int(explorer.locator("[data-total]").first.get_attribute("data-total")) > 40_000
    assert cards(explorer).count() < 200


def test_html_in_class_names_is_text(notebook: Notebook) -> None:
    name = "<img src=x onerror='window.hacked=1'>"
    notebook.open(
        [
            f"""
import numpy as np, nbdiag as nd
from nbdiag.measures.predictions import Predictions
told = Predictions(np.arange(3), np.array([0, 1, 1]), np.array([[.9, .1], [.8, .2], [.3, .7]]),
                   class_names=({name!r}, "other"))
nd.ErrorExplorer(told)"""
        ]
    )
    notebook.run(0)
    explorer = notebook.widget("error_explorer")
    open_cell(explorer, 1, 0)
    wait_for(lambda: cards(explorer).count() == 1, "the gallery")
    assert notebook.page.evaluate("() => window.hacked") is None
    assert explorer.locator("img[src=x]").count() == 0


def test_nan_rows_have_a_column(notebook: Notebook) -> None:
    notebook.open(
        [
            """
import numpy as np, nbdiag as nd
from nbdiag.measures.predictions import Predictions
p = np.array([[.9, .1], [.8, .2], [.3, .7], [np.nan, np.nan]])
nd.ErrorExplorer(Predictions(np.arange(4), np.array([0, 1, 1, 0]), p))"""
        ]
    )
    notebook.run(0)
    explorer = notebook.widget("error_explorer")
    assert "not finite" in explorer.inner_text()
    explorer.locator('[data-cell="0,-1"]').click()
    wait_for(lambda: cards(explorer).count() == 1, "the sample")
    assert cards(explorer).first.get_attribute("data-id") == "3"


def test_a_dead_kernel_keeps_the_picture(notebook: Notebook) -> None:
    notebook.open([SETUP, EXPLORE])
    notebook.run(0)
    notebook.run(1)
    explorer = notebook.widget("error_explorer")
    true, predicted, _ = largest_error(explorer)
    open_cell(explorer, true, predicted)
    wait_for(lambda: cards(explorer).count() > 0, "the gallery")
    notebook.restart_kernel()
    wait_for(lambda: explorer.get_attribute("data-state") == "disconnected", "the word")
    assert cards(explorer).count() > 0
    assert "disconnected" in explorer.inner_text()
