"""Calibration as a person sees it, in a real JupyterLab."""

from __future__ import annotations

import os
from typing import Any

import pytest
from lab import Notebook, wait_for

READ = """
print(f"{widget.temperature:.4f}", widget.calibrated.note, len(widget.selection),
      f"{widget.reliability.ece:.4f}", widget.reliability.of)
"""


def setup(samples: int, classes: int, held_out: bool = False) -> str:
    """Made-up predictions whose logits are three times too large."""
    return f"""
import numpy as np, nbdiag as nd
def made(n, c, seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, c)).astype(np.float32) * 2
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    y = (p.cumsum(1) > rng.random((n, 1))).argmax(1).clip(max=c - 1)
    names = ["<img src=x onerror='window.hacked=1'>", *map(str, range(1, c))]
    return nd.Predictions(targets=y, logits=z * 3, class_names=names)
told = made({samples}, {classes}, 0)
fit = nd.fit_temperature(made({samples}, {classes}, 1)) if {held_out} else None
widget = nd.Calibration(told, temperature=fit)
widget
"""


def ece(widget: Any) -> float:
    return float(widget.locator("[data-number=ece]").get_attribute("data-value"))


def points(widget: Any) -> str:
    return widget.locator(".cal-line").get_attribute("points")


def rested(widget: Any) -> None:
    wait_for(lambda: widget.get_attribute("data-exact") == "true", "the exact diagram")


def shot(widget: Any, name: str) -> None:
    """Keep a picture, where somebody wants to look."""
    folder = os.environ.get("NBDIAG_SHOTS")
    if folder:
        widget.screenshot(path=f"{folder}/{name}.png")


def test_the_slider_moves_the_curve_and_python_reads_it(notebook: Notebook) -> None:
    notebook.open([setup(4000, 3), READ])
    notebook.run(0)
    widget = notebook.widget("calibration")
    assert "Overconfident" in widget.locator(".nbd-findings").inner_text()
    assert "in-sample" in widget.locator(".cal-advice").inner_text()
    shot(widget, "lab_as_it_is")
    before, first = points(widget), ece(widget)
    slider = widget.get_by_role("slider")
    slider.focus()
    for _ in range(6):
        slider.press("ArrowRight")
    wait_for(lambda: points(widget) != before, "the moved curve")
    assert widget.locator(".cal-ghost").count() == 1
    rested(widget)
    assert ece(widget) < first
    shot(widget, "lab_moved")
    notebook.run(1)
    temperature, *note = notebook.text(1).split()
    assert float(temperature) > 1.3
    assert "softened by temperature scaling" in " ".join(note)

    widget.get_by_role("button", name="Fitted").click()
    rested(widget)
    wait_for(lambda: ece(widget) < first / 4, "the fitted temperature")
    shot(widget, "lab_fitted")
    notebook.run(1)
    assert float(notebook.text(1).split()[0]) == pytest.approx(3, rel=0.15)
    slider.press("b")
    assert notebook.cells() == 2, "a key leaked to the notebook"


def test_python_moves_the_slider(notebook: Notebook) -> None:
    notebook.open([setup(500, 2), "widget.temperature = 2.0", "widget.show(of=1, bins=7)"])
    notebook.run(0)
    widget = notebook.widget("calibration")
    before = points(widget)
    notebook.run(1)
    wait_for(lambda: widget.get_attribute("data-temperature") == "2.00000", "the temperature")
    wait_for(lambda: points(widget) != before, "the moved curve")
    notebook.run(2)
    wait_for(lambda: "probability too high" in widget.inner_text(), "the diagram of a class")
    assert "share that is 1" in widget.inner_text()


def test_bins_classes_and_a_click(notebook: Notebook) -> None:
    notebook.open([setup(3000, 3), READ])
    notebook.run(0)
    widget = notebook.widget("calibration")
    count = widget.get_attribute("data-bins")
    widget.get_by_label("Bins").last.select_option("5")
    wait_for(lambda: widget.get_attribute("data-bins") == "5" != count, "five bins")
    widget.get_by_role("radio", name="Equal mass").click()
    wait_for(lambda: widget.locator("[data-bin]").count() == 5, "five full bins")
    widget.get_by_label("Diagram of").select_option("2")
    wait_for(lambda: "share that is 2" in widget.inner_text(), "the other class")
    shot(widget, "lab_class")
    widget.locator("[data-bin] circle").last.click()
    wait_for(lambda: "of this bin in .selection" in widget.inner_text(), "the selection")
    notebook.run(1)
    assert int(notebook.text(1).split()[-3]) == 600
    assert notebook.text(1).split()[-1] == "2"
    diagram = widget.locator(".cal-diagram")
    diagram.focus()
    diagram.press("ArrowLeft")
    assert widget.get_by_role("tooltip").count() == 1
    diagram.press("Escape")
    wait_for(lambda: widget.get_by_role("tooltip").count() == 0, "the tooltip to go")
    assert notebook.page.evaluate("() => window.hacked") is None


def test_a_temperature_from_another_split(notebook: Notebook) -> None:
    notebook.open([setup(900, 2, held_out=True)])
    notebook.run(0)
    widget = notebook.widget("calibration")
    advice = widget.locator(".cal-advice").inner_text()
    assert "fitted on 900 other samples" in advice
    assert "in-sample" not in advice


def test_a_million_move_at_once(notebook: Notebook) -> None:
    notebook.open([setup(1_000_000, 10)])
    notebook.run(0, timeout=180_000)
    widget = notebook.widget("calibration")
    slider = widget.get_by_role("slider")
    slider.wait_for()
    assert "from 20,000 samples; all of them once it rests" in widget.inner_text()
    before = points(widget)
    slider.focus()
    slider.press("ArrowRight")
    # drawn in the page, before the kernel has heard of it
    notebook.page.wait_for_function(
        "([was]) => document.querySelector('.cal-line').getAttribute('points') !== was",
        arg=[before],
        timeout=1000,
    )
    rested(widget)


@pytest.mark.parametrize("width", [600, 1400])
def test_it_fits_in_light_and_dark(notebook: Notebook, width: int) -> None:
    notebook.open([setup(2000, 2)])
    notebook.page.set_viewport_size({"width": width, "height": 1100})
    notebook.run(0)
    widget = notebook.widget("calibration")
    widget.get_by_role("button", name="Fitted").click()
    rested(widget)
    for theme in ("dark", "light"):
        notebook.theme(theme)
        assert widget.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
        shot(widget, f"lab_{width}_{theme}")
