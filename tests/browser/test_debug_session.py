"""The tutorial as a person goes through it: cell by cell, looking and clicking."""

from __future__ import annotations

from typing import Any

import nbformat
from lab import ROOT, Notebook, wait_for
from test_error_explorer import cards, open_cell
from test_gradient_flow import samples

TUTORIAL = ROOT / "notebooks" / "debug_session.ipynb"
MINUTES = 10 * 60_000  # ms; two in truth, but the browser shares the two cores


def index_of(source: str) -> int:
    """The code cell that holds this text."""
    cells = nbformat.read(TUTORIAL, as_version=4).cells
    return next(
        i for i, cell in enumerate(cells) if cell.cell_type == "code" and source in cell.source
    )


def widget_in(notebook: Notebook, index: int, view: str) -> Any:
    """The painted widget in the output of one cell."""
    cell = notebook.page.locator(".jp-Notebook .jp-Cell").nth(index)
    found = cell.locator(f'[data-view="{view}"][data-ready="true"]')
    found.wait_for()
    return found


def test_debug_session(notebook: Notebook) -> None:
    notebook.open(TUTORIAL)
    notebook.clear_outputs()
    code = [i for i in range(notebook.cells()) if notebook.is_code(i)]
    sick, healthy = index_of("run = train(deep"), index_of("run = train(model")
    explore, selected = index_of("explorer = nd.ErrorExplorer"), index_of("explorer.selection]")

    for index in [i for i in code if i < sick]:
        notebook.run(index, MINUTES)

    # 1. the sick network: bars move while the cell is busy
    notebook.start(sick)
    notebook.follow(sick, "[data-bar]")
    notebook.wait(sick, MINUTES)
    assert len(notebook.followed()) > 2, "pictures painted while the cell ran"
    flow = widget_in(notebook, sick, "gradient_flow")
    assert flow.locator('[data-code="gradient.vanishing"]').count() == 1
    for index in [i for i in code if sick < i < healthy]:
        notebook.run(index, MINUTES)

    # the network that learns: pausing in the middle of its training stops the sampling
    notebook.start(healthy)
    notebook.follow(healthy, '[data-view="gradient_flow"]')
    flow = widget_in(notebook, healthy, "gradient_flow")
    wait_for(lambda: samples(flow) > 2, "the first samples")
    flow.get_by_role("button", name="Pause").click()
    wait_for(lambda: flow.get_attribute("data-state") == "paused", "the pause")
    held = samples(flow)
    notebook.page.wait_for_timeout(1000)
    assert samples(flow) == held
    assert any(picture.startswith("paused") for picture in notebook.followed()), "while it ran"
    flow.get_by_role("button", name="Resume").click()
    wait_for(lambda: samples(flow) > held, "sampling to go on")
    notebook.wait(healthy, MINUTES)
    assert flow.locator("[data-code]").count() == 0

    # 2. and 3. the confusion matrix, a cell, its gallery, where the network looked
    for index in [i for i in code if healthy < i <= explore]:
        notebook.run(index, MINUTES)
    explorer = widget_in(notebook, explore, "error_explorer")
    assert explorer.locator('[data-code="confusion.systematic"]').count() == 1
    open_cell(explorer, 3, 7)
    wait_for(lambda: cards(explorer).count() > 0, "the gallery")
    count = int(explorer.locator("[data-total]").first.get_attribute("data-total"))
    assert count > 5
    explorer.get_by_role("button", name="Grad-CAM").click()
    wait_for(lambda: explorer.locator('[data-overlay="ready"]').count() > 0, "the overlay")

    # the selection is in Python: all of these lie on the flower
    notebook.run(selected)
    assert notebook.text(selected) == "{'flower'}"
    for index in [i for i in code if i > selected]:
        notebook.run(index, MINUTES)
    last = widget_in(notebook, code[-1], "error_explorer")
    assert last.locator("[data-code]").count() == 0

    notebook.append_cell("len(sevens), {int(field_set.targets[i]) for i in explorer.selection}")
    notebook.run(notebook.cells() - 1)
    assert notebook.text(notebook.cells() - 1) == f"({count}, {{3}})"
    notebook.append_cell(
        "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    notebook.run(notebook.cells() - 1)
    assert int(notebook.text(notebook.cells() - 1)) < 2048, "MiB: more than Binder gives"
