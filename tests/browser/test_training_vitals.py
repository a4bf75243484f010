"""The notebook of diseases and cures: each widget shows its finding, and none once cured."""

from __future__ import annotations

from typing import Any

import nbformat
from lab import ROOT, Notebook, wait_for

VITALS = ROOT / "notebooks" / "training_vitals.ipynb"
MINUTES = 10 * 60_000  # ms; half a minute in truth, but the browser shares the two cores

SECTIONS: list[tuple[str, str, list[str | None]]] = [
    ("## The loss diverges", "loss_curve", ["loss.diverging", None]),
    ("## Overfitting", "loss_curve", ["loss.overfitting", None]),
    ("## Vanishing gradients", "gradient_flow", ["gradient.vanishing", None]),
    ("## Exploding gradients", "gradient_flow", ["gradient.exploding", None]),
    ("## Dead units", "activation_stats", ["activation.dead", None]),
    ("## Saturated units", "activation_stats", ["activation.saturated", None]),
    (
        "## Weights that do not move",
        "weight_distribution",
        ["weight.not_updating", "weight.update_too_large", None],
    ),
    ("## Keeping a recording", "gradient_flow", [None]),
]
"""Heading, widget, and what each code cell shows: a code, or None where nothing is wrong."""


def code_cells(heading: str) -> list[int]:
    """The code cells of the section that begins with this heading."""
    cells = nbformat.read(VITALS, as_version=4).cells
    found, inside = [], False
    for index, cell in enumerate(cells):
        if cell.source.startswith("## "):
            inside = cell.source.startswith(heading)
        elif inside and cell.cell_type == "code":
            found.append(index)
    return found


def painted(notebook: Notebook, index: int, view: str) -> Any:
    """The widget in the output of one cell, told that its training is over."""
    cell = notebook.page.locator(".jp-Notebook .jp-Cell").nth(index)
    cell.scroll_into_view_if_needed()
    widget = cell.locator(f'[data-view="{view}"][data-ready="true"]')
    widget.wait_for()
    wait_for(lambda: widget.get_attribute("data-state") == "done", "the end of the training")
    return widget


def test_every_section_is_listed() -> None:
    cells = nbformat.read(VITALS, as_version=4).cells
    headings = [cell.source.partition("\n")[0] for cell in cells if cell.source.startswith("## ")]
    assert len(headings) == len(SECTIONS) + 2, "all but the healthy training and the data"
    for heading, _, codes in SECTIONS:
        assert len(code_cells(heading)) == len(codes), heading


def test_training_vitals(notebook: Notebook) -> None:
    notebook.open(VITALS)
    notebook.clear_outputs()
    for index in range(notebook.cells()):
        if notebook.is_code(index):
            notebook.run(index, MINUTES)

    healthy = code_cells("## A healthy training")[-1]
    head = painted(notebook, healthy, "training_dashboard")
    for part in ("loss_curve", "gradient_flow", "activation_stats", "weight_distribution"):
        painted(notebook, healthy, part)
    assert head.locator("[data-code]").count() == 0

    sick, cured = code_cells("## Data not fit")
    assert "data.leakage" in notebook.text(sick)
    assert notebook.text(cured) == "[]"

    for heading, view, codes in SECTIONS:
        for index, code in zip(code_cells(heading), codes, strict=True):
            widget = painted(notebook, index, view)
            if code is None:
                assert "no findings" in notebook.text(index), heading
                assert widget.locator("[data-code]").count() == 0, heading
            else:
                widget.locator(f'[data-code="{code}"]').wait_for()
                assert code in notebook.text(index), heading
