"""SliceExplorer as a person sees it, in a real JupyterLab."""

from __future__ import annotations

import pytest
from lab import Notebook, wait_for

SETUP = """
import numpy as np, nbdiag as nd
rng = np.random.default_rng(0)
N, C = 4000, 5
sensor = rng.choice(["cam1", "cam2", "<b>cam3</b>"], N)
night = rng.random(N) < 0.3
when = np.datetime64("2024-01-01", "s") + (rng.random(N) * 31e6).astype("timedelta64[s]")
late = when >= np.datetime64("2024-08-01")
y = rng.integers(0, C, N)
wrong = rng.random(N) < 0.05 + 0.3 * ((sensor == "<b>cam3</b>") & night) + 0.12 * late
p = np.full((N, C), 0.05)
p[np.arange(N), np.where(wrong, (y + 1) % C, y)] = 0.8
told = nd.Predictions(targets=y, probabilities=p, class_names=("ant", "bee", "cat", "dog", "eel"),
                      metadata={"sensor": sensor, "night": night, "when": when,
                                "light": rng.random(N)})
"""
EXPLORE = "explorer = nd.SliceExplorer(told)\nexplorer"
SELECTED = """
rows = explorer.selection
print(len(rows), set(sensor[rows].tolist()), set(night[rows].tolist()), wrong[rows][0])
"""
PAIR = "sensor = <b>cam3</b>, night = True"


def open_explorer(notebook: Notebook, *more: str) -> object:
    notebook.open([SETUP, EXPLORE, *more])
    notebook.run(0)
    notebook.run(1)
    return notebook.widget("slice_explorer")


def test_the_weak_slices_are_named_and_a_click_selects(notebook: Notebook) -> None:
    explorer = open_explorer(notebook, SELECTED)
    rows = explorer.locator("[data-slice]")
    weak = [rows.nth(i).get_attribute("data-title") for i in range(2)]
    assert weak == [PAIR, "when from 2024-08 on"]
    assert explorer.locator('[data-weak="true"]').count() == 2
    assert PAIR in explorer.locator(".nbd-findings").inner_text()
    rows.first.click()
    explorer.locator('[data-loaded="true"]').wait_for()
    assert explorer.locator(".se-matrix tbody tr").count() == 5
    notebook.run(2)
    count, rest = notebook.text(2).split(" ", 1)
    assert rest.strip() == "{'<b>cam3</b>'} {True} True"
    assert explorer.get_attribute("data-selected") == count
    assert explorer.locator("b:text-is('cam3')").count() == 0  # names are text


def test_columns_pairs_time_and_metric(notebook: Notebook) -> None:
    explorer = open_explorer(notebook)
    explorer.get_by_role("combobox", name="Column").select_option("light")
    wait_for(
        lambda: (
            "light" in (explorer.locator("[data-slice]").first.get_attribute("data-title") or "")
        ),
        "the slices of one column",
    )
    explorer.get_by_role("radio", name="Pairs").click()
    explorer.locator('[data-cell="0,1"]').wait_for()
    cell = explorer.locator("[data-pair]", has_text="◆")
    assert cell.count() == 1
    cell.click()
    wait_for(lambda: explorer.locator(".se-detail h3").inner_text().startswith(PAIR), "the pair")
    explorer.get_by_role("radio", name="Over time").click()
    assert "is higher from 2024-08 on" in explorer.locator(".se-words").inner_text()
    explorer.locator('[data-period="2024-03"]').click(force=True)
    wait_for(
        lambda: explorer.locator(".se-detail h3").inner_text().startswith("when 2024-03"),
        "the month",
    )
    explorer.get_by_role("combobox", name="Rate").select_option("recall:cat")
    wait_for(lambda: "share missed of cat" in explorer.inner_text(), "the other metric")


def test_the_keyboard_does_it_too(notebook: Notebook) -> None:
    explorer = open_explorer(notebook)
    explorer.locator("[data-slice]").first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "b", "Enter"):
        notebook.page.keyboard.press(key)
    wait_for(lambda: explorer.locator(".se-detail").count() == 1, "the second slice")
    assert "when from 2024-08 on" in explorer.locator(".se-detail h3").inner_text()
    notebook.page.keyboard.press("Escape")
    wait_for(lambda: explorer.locator(".se-detail").count() == 0, "nothing chosen")
    assert notebook.cells() == 2, "a key leaked to the notebook"


@pytest.mark.parametrize("width", [600, 1400])
def test_nothing_is_cut_off(notebook: Notebook, width: int) -> None:
    notebook.page.set_viewport_size({"width": width, "height": 900})
    explorer = open_explorer(notebook)
    explorer.locator("[data-slice]").first.click()
    explorer.locator('[data-loaded="true"]').wait_for()
    for theme in ("dark", "light"):
        notebook.theme(theme)
        for tab in ("Pairs", "Over time", "Slices"):
            explorer.get_by_role("radio", name=tab).click()
            assert explorer.evaluate("root => root.scrollWidth - root.clientWidth") <= 0


def test_a_choice_in_python_shows(notebook: Notebook) -> None:
    explorer = open_explorer(notebook, "print(len(explorer.choose('night = True')))")
    notebook.run(2)
    explorer.locator('[data-loaded="true"]').wait_for()
    assert "night = True" in explorer.locator(".se-detail h3").inner_text()
    assert explorer.get_attribute("data-selected") == notebook.text(2).strip()


def test_a_dead_kernel_keeps_the_picture(notebook: Notebook) -> None:
    explorer = open_explorer(notebook)
    notebook.restart_kernel()
    wait_for(lambda: explorer.get_attribute("data-state") == "disconnected", "the word")
    explorer.locator("[data-slice]").first.click()
    wait_for(lambda: "run the cell again" in explorer.locator("[role=alert]").inner_text(), "why")
    assert explorer.locator("[data-slice]").count() > 5
