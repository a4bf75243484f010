"""The notebook of errors and cures: what each widget shows, and what a person does with it."""

from __future__ import annotations

from typing import Any

import nbformat
from lab import ROOT, Notebook, wait_for
from test_error_explorer import cards, largest_error, open_cell

ANALYSIS = ROOT / "notebooks" / "error_analysis.ipynb"
MINUTES = 10 * 60_000  # ms; one in truth, but the browser shares the two cores
VIEW = "error_explorer"
SLICE = "camera = south, month = 2025-03"


def index_of(source: str) -> int:
    """The code cell that holds this text."""
    cells = nbformat.read(ANALYSIS, as_version=4).cells
    (found,) = [
        i
        for i, cell in enumerate(cells)
        if cell.cell_type == "code" and source in f"{cell.source}\n"
    ]
    return found


def painted(notebook: Notebook, source: str, view: str) -> Any:
    """The widget in the output of the cell with this text, scrolled into view and painted."""
    cell = notebook.page.locator(".jp-Notebook .jp-Cell").nth(index_of(source))
    cell.scroll_into_view_if_needed()
    widget = cell.locator(f'[data-view="{view}"][data-ready="true"]')
    widget.wait_for()
    wait_for(lambda: bool(widget.inner_text()), "the words of the widget")
    return widget


def says(widget: Any, text: str) -> None:
    """Waits for the text: a cell that scrolls into view is taken out and put in once more."""
    wait_for(lambda: text in widget.inner_text(), repr(text))


def codes(widget: Any) -> list[str]:
    return widget.locator("[data-code]").evaluate_all("all => all.map(one => one.dataset.code)")


def total(explorer: Any) -> int:
    return int(explorer.locator("[data-gallery]").get_attribute("data-total") or -1)


def ask(notebook: Notebook, source: str) -> str:
    """What Python answers in a new cell."""
    notebook.append_cell(source)
    last = notebook.cells() - 1
    notebook.run(last)
    return notebook.text(last).strip()


def test_error_analysis(notebook: Notebook) -> None:
    notebook.open(ANALYSIS)
    notebook.clear_outputs()
    for index in range(notebook.cells()):
        if notebook.is_code(index):
            notebook.run(index, MINUTES)
    assert "data.leakage in train and val, group" in notebook.text(index_of("groups="))
    assert notebook.text(index_of("nd.inspect_data((x_train, y_train), (x_val")) == "[]"

    the_errors(notebook)
    the_slices(notebook)
    the_modes(notebook)
    the_cure(notebook)
    the_confidence(notebook)
    the_rare_class(notebook)
    the_table(notebook)
    memory = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    assert int(ask(notebook, memory)) < 2048, "MiB: more than Binder gives"


def the_errors(notebook: Notebook) -> None:
    """Suspects first; then a click on a cell, its pictures, where the model looked; the filter."""
    first = painted(notebook, "explorer = nd.ErrorExplorer(told, model=model)\nexplorer\n", VIEW)
    assert codes(first) == ["confusion.systematic", "label.suspect"]
    says(first, "Label suspects")  # opened by the next cell
    wait_for(lambda: cards(first).count() > 0, "the suspects")
    says(cards(first).first, "label")
    true, predicted, count = largest_error(first)
    assert predicted == 1
    open_cell(first, true, predicted)
    wait_for(lambda: total(first) == count, "the samples of the cell")

    second = painted(notebook, "explorer.find_clusters()", VIEW)
    assert codes(second) == ["confusion.systematic"], "no suspects once the labels are right"
    wait_for(lambda: cards(second).count() > 0, "the errors that pass the filter")
    says(second, "133 of 1,077 samples")
    south = total(second)
    assert ask(notebook, "len(explorer.selection), explorer.filter") == (
        f"({south}, {{'camera': ['south'], 'month': ['2025-03']}})"
    )
    second.get_by_role("button", name="Grad-CAM").click()
    wait_for(lambda: second.locator('[data-overlay="ready"]').count() > 0, "the overlay")
    cards(second).first.click()
    detail = second.locator("[data-detail]")
    wait_for(lambda: "on the object" in detail.inner_text(), "the share on the box")
    assert "off the objects" in notebook.text(index_of("cam.on_object"))


def the_slices(notebook: Notebook) -> None:
    slices = painted(notebook, "slices = nd.SliceExplorer", "slice_explorer")
    assert codes(slices) == ["slice.weak"]
    weak = slices.locator('[data-weak="true"]')
    assert weak.get_attribute("data-title") == SLICE
    slices.locator('[data-loaded="true"]').wait_for()  # chosen by a later cell
    says(slices.locator(".se-detail h3"), SLICE)
    slices.get_by_role("radio", name="Over time").click()
    slices.locator("[data-period]").first.wait_for()
    slices.get_by_role("radio", name="Pairs").click()
    slices.locator("[data-pair]", has_text="◆").first.wait_for()
    size = notebook.text(index_of("len(slices.choose"))
    assert ask(notebook, "len(slices.selection)") == size
    says(slices.locator(".se-detail"), f"{size} samples selected")


def the_modes(notebook: Notebook) -> None:
    modes = painted(notebook, "nd.FailureModes", "failure_modes")
    assert codes(modes) == ["failure.concentrated"]
    names = modes.locator("[data-mode]").evaluate_all("all => all.map(one => one.dataset.mode)")
    assert names[0] == "out of focus"
    assert set(names[1:]) >= {"small digit", "on the flower", "label corrected", "uncategorised"}
    modes.locator("[data-mode]").first.click()
    modes.locator('[data-loaded="true"]').wait_for()
    says(modes.locator(".fm-detail"), "→ 1")
    errors = int(ask(notebook, "len(modes.selection)"))
    says(modes.locator(".fm-detail"), f"{errors:,}")


def the_cure(notebook: Notebook) -> None:
    after = painted(notebook, "baseline=told", VIEW)
    assert codes(after) == []
    says(after, "Better than the baseline, by more than noise.")
    after.locator('[data-list="fixed"]').click()
    wait_for(lambda: total(after) > 50, "what was fixed")
    assert "no weak slice" in notebook.text(index_of("nd.SliceExplorer(after"))


def the_confidence(notebook: Notebook) -> None:
    """The slider moves the curve; the fitted temperature is marked, and ECE falls there."""
    widget = painted(notebook, "nd.Calibration(after", "calibration")
    says(widget.locator(".cal-advice"), "fitted on 1,080 other samples")
    line = widget.locator(".cal-line")
    ece = widget.locator("[data-number=ece]")
    before, first = line.get_attribute("points"), float(ece.get_attribute("data-value"))
    slider = widget.get_by_role("slider")
    slider.focus()
    for _ in range(4):
        slider.press("ArrowLeft")
    wait_for(lambda: line.get_attribute("points") != before, "the moved curve")
    assert widget.locator(".cal-ghost").count() == 1, "the model as it is stays in sight"
    widget.get_by_role("button", name="Fitted").click()
    wait_for(lambda: widget.get_attribute("data-exact") == "true", "the exact diagram")
    wait_for(lambda: float(ece.get_attribute("data-value")) < first / 2, "a smaller error")
    assert "less than before: True" in notebook.text(index_of("honest = temperature"))


def the_rare_class(notebook: Notebook) -> None:
    cell = notebook.page.locator(".jp-Notebook .jp-Cell").nth(index_of("evaluation = nd.evaluate"))
    cell.scroll_into_view_if_needed()
    table = cell.locator(".jp-OutputArea table")
    assert table.locator("tbody tr th").all_inner_texts()[:2] == ["other", "8"]
    says(cell.locator(".jp-OutputArea"), "metric.misleading")
    assert "chosen on these data" in notebook.text(index_of("except ValueError"))


def the_table(notebook: Notebook) -> None:
    rows = painted(notebook, "(rows_test, kind_test), class_names=names", VIEW)
    rows.locator('[data-list="errors"]').click()
    wait_for(lambda: cards(rows).count() > 0, "the rows that are wrong")
    cards(rows).first.click()
    features = rows.locator("[data-detail] tbody tr")
    wait_for(lambda: features.count() == 6, "all features of a row")

    boundary = painted(notebook, "nd.DecisionBoundary", "decision_boundary")
    says(boundary, "malignant")
    says(boundary, "benign")
    plot = boundary.locator(".db-plot")
    plot.focus()
    plot.press("ArrowRight")
    wait_for(lambda: boundary.locator(".nbd-tooltip").count() == 1, "the reading")
