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
    assert marks.get("view", f"0,0,{len(order)}") == f"0,0,{len(order)}"
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


DESCRIBED = """
import numpy as np, nbdiag as nd
rng = np.random.default_rng(0)
N, C = 2000, 5
y = np.arange(N) % C
def said(right):
    p = rng.random((N, C)) * 0.3
    p[np.arange(N), np.where(rng.random(N) < right, y, (y + 1) % C)] += 1
    return p / p.sum(1, keepdims=True)
meta = {"light": np.where(np.arange(N) % 3 == 0, "night", "day")}
before = nd.Predictions(targets=y, probabilities=said(0.7), metadata=meta)
after = nd.Predictions(targets=y, probabilities=said(0.9), metadata=meta)
explorer = nd.ErrorExplorer(after, baseline=before)
explorer
"""


def test_a_baseline_its_lists_the_filter_and_a_note(notebook: Notebook) -> None:
    notebook.open([DESCRIBED, "print(explorer.filter, explorer.notes, len(explorer.to_frame()))"])
    notebook.run(0)
    explorer = notebook.widget("error_explorer")
    assert "Better than the baseline, by more than noise." in explorer.inner_text()
    explorer.locator('[data-list="fixed"]').click()
    wait_for(lambda: cards(explorer).count() > 0, "the fixed samples")
    fixed = int(explorer.locator("[data-gallery]").get_attribute("data-total"))
    explorer.get_by_role("button", name="Filter", exact=True).click()
    explorer.locator('[data-value="night"] input').click()
    total = explorer.locator("[data-gallery]")
    wait_for(lambda: int(total.get_attribute("data-total") or fixed) < fixed, "the filtered list")
    assert "667 of 2,000 samples" in explorer.inner_text()
    night = int(total.get_attribute("data-total"))

    wait_for(lambda: cards(explorer).count() > 0, "the filtered samples")
    first = cards(explorer).first
    name = first.get_attribute("data-id")
    first.click()
    field = explorer.locator("textarea")
    field.fill("glare")
    explorer.locator("[data-detail]").focus()
    wait_for(lambda: "✎ glare" in first.inner_text(), "the note on the card")
    notebook.run(1)
    assert notebook.text(1).strip() == f"{{'light': ['night']}} {{{name}: 'glare'}} {night}"


@pytest.mark.parametrize("width", [600, 1400])
def test_a_thousand_classes_are_looked_at_in_part(notebook: Notebook, width: int) -> None:
    notebook.open([synthetic(1000, 20_000), "print(explorer.cell)"])
    notebook.page.set_viewport_size({"width": width, "height": 900})
    notebook.run(0)
    explorer = notebook.widget("error_explorer")
    grid = explorer.locator("[data-matrix]")
    assert grid.get_attribute("data-view") == "0,0,1000"
    for _ in range(5):
        explorer.get_by_role("button", name="Look nearer").click()
    wait_for(lambda: grid.get_attribute("data-view").endswith(",32"), "the part")
    before = grid.get_attribute("data-view")
    box = grid.bounding_box()
    notebook.page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.7)
    notebook.page.mouse.down()
    notebook.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=4)
    notebook.page.mouse.up()
    wait_for(lambda: grid.get_attribute("data-view") != before, "the moved part")
    assert explorer.locator("[data-gallery]").count() == 0, "a drag opened a cell"
    explorer.get_by_role("button", name="All classes").click()
    explorer.locator("[data-ranked]").first.click()
    wait_for(lambda: cards(explorer).count() > 0, "the gallery")
    notebook.run(1)
    assert notebook.text(1).strip() == "[0, 1]"


TABLE = """
import numpy as np, nbdiag as nd
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
data = load_iris(as_frame=True)
model = LogisticRegression(C=0.01).fit(data.data, data.target)
explorer = nd.ErrorExplorer(model, (data.data, data.target))
explorer
"""


def test_rows_of_a_table_and_what_is_similar(notebook: Notebook) -> None:
    notebook.open([TABLE])
    notebook.run(0)
    explorer = notebook.widget("error_explorer")
    explorer.locator('[data-list="errors"]').click()
    wait_for(lambda: cards(explorer).count() > 1, "the errors")
    assert "petal" in cards(explorer).first.inner_text()
    cards(explorer).nth(1).click()
    detail = explorer.locator("[data-detail]")
    name = detail.get_attribute("data-detail")
    wait_for(lambda: detail.locator("tbody tr").count() == 4, "all four features")
    explorer.get_by_role("button", name="Similar samples").click()
    wait_for(lambda: f"Most similar to {name}" in explorer.inner_text(), "the list")
    wait_for(lambda: cards(explorer).count() > 1, "its samples")
    assert cards(explorer).first.get_attribute("data-id") == name
