"""DecisionBoundary as a person sees it, in a real JupyterLab."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Notebook, wait_for

MODEL = """
import numpy as np, nbdiag as nd
from sklearn.neighbors import KNeighborsClassifier
generator = np.random.default_rng(0)
X = generator.random((300, 4))
X[:, 3] = np.arange(300) % 2
y = (X[:, 0] > 0.5) ^ (np.arange(300) % 6 == 0)
nearest = KNeighborsClassifier(1).fit(X[:, :2], y)
def model(rows):
    p = nearest.predict_proba(rows[:, :2])
    p[rows[:, 2] > 0.97] = np.nan
    return p
NAMES = dict(feature_names=["left", "up", "third", "flag"], class_names=["no", "yes"])
"""
SHOW = (
    'boundary = nd.DecisionBoundary(model, X, ("left", "up"), y, output="probabilities", '
    "resolution=41, **NAMES)\nboundary"
)


def shown(notebook: Notebook) -> Any:
    notebook.open([MODEL, SHOW, "print(boundary.result.x.name, boundary.result.held_at)"])
    notebook.run(0)
    notebook.run(1)
    return notebook.widget("decision_boundary")


def choice(widget: Any, label: str) -> Any:
    """The list behind a label of the controls."""
    return (
        widget.locator(".nbd-controls label")
        .filter(has=widget.page.locator(f"span:text-is('{label}')"))
        .locator("select")
    )


def pixel(widget: Any, x: float, y: float) -> list[int]:
    """Colour at a share of the canvas."""
    return widget.locator(".db-plot canvas").evaluate(
        """(canvas, [x, y]) => [...canvas.getContext('2d')
            .getImageData(x * canvas.width, y * canvas.height, 1, 1).data]""",
        [x, y],
    )


def test_the_field_is_drawn_and_the_finding_told(notebook: Notebook) -> None:
    widget = shown(notebook)
    assert widget.get_attribute("data-points") == "300"
    text = widget.inner_text()
    assert "back and forth" in text
    assert "Needless flips a walk" in text
    assert "no samples near" in text
    widget.get_by_role("button", name="Samples").click()
    wait_for(lambda: "sample, by true class" not in widget.inner_text(), "no samples")
    left, right = pixel(widget, 0.05, 0.02), pixel(widget, 0.95, 0.02)
    assert left != right
    widget.get_by_role("button", name="Smooth control").click()
    wait_for(lambda: widget.get_attribute("data-control") == "true", "the control")
    assert "boundary of the smooth control" in widget.inner_text()


def test_features_and_held_sample_are_switched_live(notebook: Notebook) -> None:
    widget = shown(notebook)
    choice(widget, "Across").select_option("2")
    wait_for(lambda: widget.get_attribute("data-x") == "third", "the other feature")
    choice(widget, "Up").select_option("3")
    wait_for(lambda: widget.get_attribute("data-y") == "flag", "the binary one")
    assert "flag has only 2 values" in widget.inner_text()
    choice(widget, "Across").select_option("3")  # the other takes the free place
    wait_for(lambda: widget.get_attribute("data-x") == "flag", "the swap")
    assert widget.get_attribute("data-y") == "third"
    choice(widget, "Across").select_option("0")
    wait_for(lambda: widget.get_attribute("data-x") == "left", "the first again")
    widget.get_by_role("radio", name="A sample").click()
    wait_for(lambda: "Choose a sample first" in widget.inner_text(), "the hint")
    choice(widget, "Up").select_option("1")
    wait_for(lambda: widget.get_attribute("data-y") == "up", "the second again")
    canvas = widget.locator(".db-plot canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for step in range(400):  # a sample somewhere along a zigzag over the picture
        x, y = 20 + (step * 37) % (box["width"] - 40), 20 + (step * 53) % (box["height"] - 40)
        notebook.page.mouse.click(box["x"] + x, box["y"] + y)
        if widget.get_attribute("data-chosen"):
            break
    chosen = widget.get_attribute("data-chosen")
    assert chosen
    widget.get_by_role("button", name="Hold the others as in this sample").click()
    wait_for(lambda: widget.get_attribute("data-hold") == chosen, "the held sample")
    notebook.run(2)
    assert notebook.text(2).split() == ["left", chosen]
    widget.get_by_role("radio", name="Medians").click()
    wait_for(lambda: widget.get_attribute("data-hold") == "typical", "the medians")


def test_keys_read_the_field_and_escape_clears(notebook: Notebook) -> None:
    widget = shown(notebook)
    plot = widget.locator(".db-plot")
    plot.focus()
    plot.press("ArrowRight")
    wait_for(lambda: widget.locator(".nbd-tooltip").count() == 1, "the reading")
    text = widget.locator(".nbd-tooltip").inner_text()
    assert "left 0." in text
    assert "%" in text
    plot.press("ArrowUp")
    assert widget.locator(".nbd-tooltip").inner_text() != text
    plot.press("Escape")
    wait_for(lambda: widget.locator(".nbd-tooltip").count() == 0, "nothing")
    assert notebook.cells() == 3  # no shortcut of the notebook was taken


def test_probability_of_a_class(notebook: Notebook) -> None:
    widget = shown(notebook)
    before = pixel(widget, 0.3, 0.3)
    choice(widget, "Show").select_option("1")
    wait_for(lambda: widget.get_attribute("data-shown") == "1", "the class")
    assert "probability of yes" in widget.locator(".db-legend").inner_text()
    assert pixel(widget, 0.3, 0.3) != before


def test_a_reloaded_page_keeps_the_slice(notebook: Notebook) -> None:
    widget = shown(notebook)
    choice(widget, "Across").select_option("2")
    wait_for(lambda: widget.get_attribute("data-x") == "third", "the other feature")
    notebook.save()
    wait_for(lambda: '"image/png"' in notebook.path.read_text(), "the saved file")
    notebook.reload()
    wait_for(
        lambda: notebook.widget("decision_boundary").get_attribute("data-x") == "third", "it again"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1400])
def test_nothing_is_cut_off(notebook: Notebook, theme: str, width: int) -> None:
    notebook.page.set_viewport_size({"width": width, "height": 900})
    widget = shown(notebook)
    notebook.theme(theme)
    wait_for(lambda: widget.get_attribute("data-theme") == theme, "the theme")
    assert widget.evaluate("root => root.scrollWidth - root.clientWidth") <= 0
    notebook.theme("light")
