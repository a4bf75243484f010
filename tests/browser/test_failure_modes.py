"""FailureModes as a person sees it, in a real JupyterLab."""

from __future__ import annotations

import pytest
from lab import Notebook, wait_for

SETUP = """
import numpy as np, nbdiag as nd
rng = np.random.default_rng(0)
N = 3000
X = rng.normal(size=(N, 4))
y = rng.integers(0, 2, N)
extreme = (abs(X) > 2.5).any(axis=1)
wrong = rng.random(N) < 0.06 + 0.5 * extreme
p = np.full((N, 2), 0.1)
p[np.arange(N), np.where(wrong, 1 - y, y)] = 0.9
told = nd.Predictions(targets=y, probabilities=p, inputs=lambda ids: [X[i] for i in ids],
                      metadata={"night": rng.random(N) < 0.3})
"""
MODES = """
modes = nd.FailureModes(told, {
    "extreme values": lambda x: (abs(x) > 2.5).any(),
    "<b>night</b>": lambda s: s.metadata["night"],
    "near zero": lambda x: -0.1 <= x.sum() <= 0.1,
})
modes
"""
SELECTED = "rows = modes.selection\nprint(len(rows), wrong[rows].all(), extreme[rows].all())"


def test_click_selects_and_the_overlap_shows(notebook: Notebook) -> None:
    notebook.open([SETUP, MODES, SELECTED])
    notebook.run(0)
    notebook.run(1)
    modes = notebook.widget("failure_modes")
    names = modes.locator("[data-mode]").evaluate_all("all => all.map(one => one.dataset.mode)")
    assert names == ["extreme values", "<b>night</b>", "near zero", "uncategorised"]
    hot = modes.locator('[data-concentrated="true"]')
    assert hot.get_attribute("data-mode") == "extreme values"
    hot.click()
    modes.locator('[data-loaded="true"]').wait_for()
    errors = hot.get_attribute("data-errors")
    assert modes.locator('[data-overlap="0,0"]').get_attribute("data-count") == errors
    assert modes.get_attribute("data-selected") == errors
    notebook.run(2)
    assert notebook.text(2).strip() == f"{errors} True True"
    hot.focus()
    notebook.page.keyboard.press("Escape")
    wait_for(lambda: modes.locator(".fm-detail").count() == 0, "nothing chosen")
    assert modes.locator("b:text-is('night')").count() == 0  # names are text


def test_open_gives_an_explorer(notebook: Notebook) -> None:
    notebook.open([SETUP, MODES, "modes.open('extreme values')"])
    for cell in range(3):
        notebook.run(cell)
    explorer = notebook.widget("error_explorer")
    assert "Error explorer" in explorer.inner_text()


@pytest.mark.parametrize("width", [600, 1400])
def test_nothing_is_cut_off(notebook: Notebook, width: int) -> None:
    notebook.page.set_viewport_size({"width": width, "height": 900})
    notebook.open([SETUP, MODES])
    notebook.run(0)
    notebook.run(1)
    modes = notebook.widget("failure_modes")
    modes.locator("[data-mode]").first.click()
    modes.locator('[data-loaded="true"]').wait_for()
    for theme in ("dark", "light"):
        notebook.theme(theme)
        assert modes.evaluate("root => root.scrollWidth - root.clientWidth") <= 0


def test_an_error_in_a_predicate_is_said(notebook: Notebook) -> None:
    bad = "try:\n    nd.FailureModes(told, {'odd': lambda s: s.colour})\n"
    notebook.open([SETUP, bad + "except ValueError as error:\n    print(error)"])
    notebook.run(0)
    notebook.run(1)
    assert notebook.text(1).startswith("'odd' failed on the sample with id 0")
