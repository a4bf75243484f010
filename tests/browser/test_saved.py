"""A saved notebook still shows something where there is neither kernel nor network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from lab import ROOT, Browser, Notebook, wait_for

sys.path.insert(0, str(ROOT / "tools"))
from store_notebook import execute

CELLS = [
    """
import torch, nbdiag as nd
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
images, labels = torch.rand(40, 3, 8, 8), torch.arange(40) % 2
with nd.watch(model) as run:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(12):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
""",
    "nd.GradientFlow(run)",
    "nd.ErrorExplorer(model, (images, labels))",
]
TEXTS = ["GradientFlow of Run 'Sequential': 12 optimizer steps", "ErrorExplorer of Predictions: 40"]


def as_html(path: Path) -> Path:
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path.with_suffix(".html")


def pictures(browser: Browser, page_file: Path) -> list[dict[str, int]]:
    """Sizes of the pictures that a person sees in that file, with the network cut."""
    context = browser.chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(page_file.as_uri(), wait_until="domcontentloaded")
    shown = page.locator("img").evaluate_all(
        """all => all.filter(one => one.checkVisibility()).map(
            one => ({width: one.naturalWidth, height: one.naturalHeight}))"""
    )
    context.close()
    return shown


def check(browser: Browser, path: Path) -> None:
    bundles = [
        output.data
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.outputs
        if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ]
    assert len(bundles) == len(TEXTS)
    for data, text in zip(bundles, TEXTS, strict=True):
        assert text in data["text/plain"]
        assert data["text/plain"].splitlines()[-1] == "no findings"
    shown = pictures(browser, as_html(path))
    assert len(shown) == 2
    assert all(size["width"] == 1720 and size["height"] > 200 for size in shown), shown


def test_a_notebook_executed_without_a_browser(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "saved.ipynb"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbformat.write(book, path)
    nbformat.write(execute(path), path)
    check(browser, path)


def test_a_notebook_saved_in_jupyterlab(notebook: Notebook, browser: Browser) -> None:
    notebook.open(CELLS)
    for index in range(len(CELLS)):
        notebook.run(index)
    notebook.save()
    wait_for(lambda: notebook.path.read_text().count('"image/png"') == 2, "the saved file")
    check(browser, notebook.path)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb")))
def test_the_notebooks_of_the_repository_hold_their_pictures(browser: Browser, name: str) -> None:
    book = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    widgets = [
        output.data
        for output in outputs
        if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ]
    assert widgets
    assert all("image/png" in data and "text/plain" in data for data in widgets)
