"""GradientFlow as a person sees it, in a real JupyterLab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lab import UNTIL, Notebook, wait_for

MODEL = """
import time, torch, nbdiag as nd
from torch import nn
torch.set_num_threads(1)
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

def train(steps, pause=0.01):
    for _ in range(steps):
        optimizer.zero_grad()
        x = torch.randn(32, 8)
        nn.functional.cross_entropy(model(x), (x.sum(1) > 0).long()).backward()
        optimizer.step()
        time.sleep(pause)
"""
SHOW = "run = nd.watch(model, optimizer, every=1)\nflow = nd.GradientFlow(run)\ndisplay(flow)"


def samples(widget: Any) -> int:
    return int(widget.get_attribute("data-samples") or 0)


def bars(widget: Any) -> list[float]:
    """Drawn lengths in pixels, one a layer."""
    return widget.locator("[data-bar]").evaluate_all(
        "bars => bars.map(bar => bar.getBoundingClientRect().width)"
    )


def lengths(widget: Any) -> list[float]:
    """The same as shares of their column, which a scroll bar beside the notebook makes narrower."""
    return widget.locator("[data-bar]").evaluate_all(
        """bars => bars.map(
            bar => bar.getBoundingClientRect().width
                / bar.closest('.ly-bar').getBoundingClientRect().width)"""
    )


def resting_lengths(widget: Any) -> list[float]:
    """The same once they have stopped gliding."""
    widget.evaluate(
        """async (root) => {
            const glide = () => root.getAnimations({subtree: true}).map(one => one.finished);
            await Promise.allSettled(glide());
        }"""
    )
    return lengths(widget)


@pytest.mark.parametrize("made", ["in the training cell", "in an earlier cell"])
def test_bars_move_and_pause_answers_while_the_cell_is_busy(
    notebook: Notebook, stop: Path, made: str
) -> None:
    split = made == "in an earlier cell"
    cells = [MODEL, SHOW, UNTIL] if split else [MODEL, SHOW + UNTIL]
    notebook.open([*cells, "print(run.step, len(run.recording), run.every)"])
    for index in range(len(cells) - 1):
        notebook.run(index)
    training = len(cells) - 1
    notebook.start(training)
    flow = notebook.widget("gradient_flow")

    wait_for(lambda: samples(flow) > 5, "the first samples")
    before = bars(flow)
    assert len(before) == 3
    wait_for(lambda: bars(flow) != before, "a bar to move")
    assert notebook.busy(training)

    flow.get_by_role("button", name="Pause").click()
    wait_for(lambda: flow.get_attribute("data-state") == "paused", "the pause")
    held = samples(flow)
    notebook.page.wait_for_timeout(700)
    assert samples(flow) == held
    assert notebook.busy(training)

    flow.get_by_role("button", name="Resume").click()
    wait_for(lambda: samples(flow) > held, "sampling to go on")
    flow.get_by_role("combobox").select_option(label="10 steps")
    wait_for(lambda: "10" in flow.locator("select").input_value(), "the new stride")
    assert notebook.busy(training)

    stop.touch()
    notebook.wait(training)
    notebook.run(training + 1)
    step, recorded, every = notebook.text(training + 1).split()
    assert int(recorded) < int(step)
    assert every == "10"


def test_where_the_kernel_cannot_answer_the_widget_says_so(notebook: Notebook, stop: Path) -> None:
    # without nbdiag's route, ipykernel 7.4 delivers the click to the loop that the cell occupies,
    # as older kernels do
    unroute = "\nflow.comm.__dict__.pop('_reply_subshell_for', None)"
    notebook.open([MODEL, SHOW + unroute + UNTIL])
    notebook.run(0)
    notebook.start(1)
    flow = notebook.widget("gradient_flow")
    wait_for(lambda: samples(flow) > 5, "the first samples")
    flow.get_by_role("button", name="Pause").click()
    wait_for(lambda: "takes effect when the cell ends" in flow.inner_text(), "the word", 10)
    assert flow.get_attribute("data-state") == "live"
    stop.touch()
    notebook.wait(1)
    wait_for(lambda: flow.get_attribute("data-state") == "paused", "the pause")
    wait_for(lambda: "takes effect" not in flow.inner_text(), "the word to go")


def test_a_click_shows_the_gradient_over_time_while_the_cell_is_busy(
    notebook: Notebook, stop: Path
) -> None:
    clip = "nn.utils.clip_grad_norm_(model.parameters(), 0.01)\n        optimizer.step()"
    notebook.open([MODEL.replace("optimizer.step()", clip), SHOW + UNTIL])
    notebook.run(0)
    notebook.start(1)
    flow = notebook.widget("gradient_flow")
    wait_for(lambda: samples(flow) > 5, "the first samples")
    wait_for(lambda: flow.locator("[data-raw]").count() == 3, "the norms before clipping")
    assert "before clipping" in flow.locator("[aria-label=Legend]").inner_text()
    assert "clipping active at" in flow.locator(".nbd-foot").inner_text()
    flow.locator('[data-layer="2"]').click(position={"x": 40, "y": 8})
    curves = flow.locator(".ly-ridge canvas")
    curves.wait_for()
    assert "2.weight" in (curves.get_attribute("aria-label") or "")
    wait_for(lambda: "of the gradient exactly zero" in flow.inner_text(), "the share of zeros")
    assert notebook.busy(1)
    flow.get_by_role("radio", name="Update ratio").click()
    wait_for(lambda: "rule of thumb" in flow.inner_text(), "the band's source")
    stop.touch()
    notebook.wait(1)


def test_a_pause_leaves_a_band_with_a_label(notebook: Notebook) -> None:
    pause = "train(40, pause=0)\nrun.pause()\ntrain(60, pause=0)\nrun.resume()\ntrain(40, pause=0)"
    notebook.open([MODEL, SHOW, pause])
    for index in range(3):
        notebook.run(index)
    flow = notebook.widget("gradient_flow")
    wait_for(lambda: samples(flow) == 80, "all samples")
    heat = flow.locator(".ly-heat")
    box = heat.bounding_box()
    assert box is not None
    heat.hover(position={"x": box["width"] / 2, "y": 8})
    assert "not sampled between step 40 and step 101" in flow.inner_text()


def test_replay_and_scrubber_go_through_the_history(notebook: Notebook) -> None:
    notebook.open([MODEL, SHOW, "train(60, pause=0)\nrun.close()"])
    for index in range(3):
        notebook.run(index)
    flow = notebook.widget("gradient_flow")
    wait_for(lambda: flow.get_attribute("data-state") == "done", "the end")
    assert (samples(flow), flow.get_attribute("data-step")) == (60, "60")
    last = bars(flow)
    slider = flow.get_by_role("slider")
    slider.focus()
    slider.press("Home")
    wait_for(lambda: flow.get_attribute("data-step") == "1", "the first step")
    wait_for(lambda: bars(flow) != last, "the bars of the first step")
    flow.get_by_role("button", name="Replay").click()
    wait_for(lambda: int(flow.get_attribute("data-step")) > 10, "the replay")
    wait_for(lambda: flow.get_attribute("data-step") == "60", "the end of the replay")


def test_findings_and_marks_are_in_words(notebook: Notebook) -> None:
    cells = [
        MODEL,
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.unused, self.fixed = nn.Linear(8, 2), nn.Linear(8, 2), nn.Linear(2, 2)
        self.fixed.requires_grad_(False)
    def forward(self, x):
        return self.fixed(self.used(x))
model = Net()
optimizer = torch.optim.SGD(model.used.parameters(), lr=0.1)
run = nd.watch(model, optimizer, every=1)
train(30, pause=0)
with torch.no_grad():
    model.used.weight[0, 0] = float("nan")
train(3, pause=0)
run.close()
nd.GradientFlow(run)""",
    ]
    notebook.open(cells)
    notebook.run(0)
    notebook.run(1)
    flow = notebook.widget("gradient_flow")
    codes = flow.locator("[data-code]").evaluate_all("all => all.map(one => one.dataset.code)")
    assert codes == ["gradient.nonfinite", "gradient.none"]
    assert "unused" in flow.locator('[data-code="gradient.none"]').inner_text()
    rows = {name: flow.locator(f'[data-layer="{name}"]') for name in ("used", "unused", "fixed")}
    assert rows["used"].get_attribute("data-status") == "NaN"
    assert "NaN" in rows["used"].inner_text()
    assert "no gradient" in rows["unused"].inner_text()
    assert "frozen" in rows["fixed"].inner_text()
    assert "gradient.nonfinite in" in notebook.text(1)


def test_three_hundred_layers_stay_readable(notebook: Notebook) -> None:
    cells = [
        MODEL,
        """
blocks = [nn.Sequential(*[nn.Linear(4, 4) for _ in range(10)]) for _ in range(30)]
model = nn.Sequential(*blocks)
model.add_module("<b>head</b>", nn.Linear(4, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
run = nd.watch(model, optimizer, every=1)
for _ in range(5):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).sum().backward()
    optimizer.step()
run.close()
nd.GradientFlow(run)""",
    ]
    notebook.open(cells)
    notebook.run(0)
    notebook.run(1)
    flow = notebook.widget("gradient_flow")
    assert 10 < flow.locator("[data-layer]").count() <= 60
    assert "<b>head</b>" in flow.inner_text()
    first = flow.locator("[data-layer]").first
    before = flow.locator("[data-layer]").count()
    first.get_by_role("button").click()
    wait_for(lambda: flow.locator("[data-layer]").count() > before, "the group to open")


def test_a_reloaded_page_and_a_dead_kernel_keep_the_picture(notebook: Notebook) -> None:
    notebook.open([MODEL, SHOW, "train(40, pause=0)"])
    for index in range(3):
        notebook.run(index)
    flow = notebook.widget("gradient_flow")
    wait_for(lambda: samples(flow) == 40, "all samples")
    wait_for(lambda: flow.get_attribute("data-step") == "40", "the newest step")
    shown = resting_lengths(flow)
    assert len(shown) == 3

    notebook.save()
    wait_for(lambda: '"image/png"' in notebook.path.read_text(), "the saved file")
    notebook.reload()
    flow = notebook.widget("gradient_flow")
    wait_for(lambda: samples(flow) == 40, "the history after a reload")
    wait_for(lambda: lengths(flow) == pytest.approx(shown, abs=0.01), "the same bars")

    notebook.restart_kernel()
    wait_for(lambda: flow.get_attribute("data-state") == "disconnected", "the word")
    assert "disconnected" in flow.inner_text()
    wait_for(lambda: lengths(flow) == pytest.approx(shown, abs=0.01), "the same bars")


def test_a_kernel_that_dies_is_told(notebook: Notebook) -> None:
    notebook.open([MODEL, SHOW, "train(10, pause=0)", "import os; os._exit(1)"])
    for index in range(3):
        notebook.run(index)
    flow = notebook.widget("gradient_flow")
    wait_for(lambda: samples(flow) == 10, "all samples")
    notebook.start(3)
    wait_for(lambda: flow.get_attribute("data-state") == "disconnected", "the word")
    assert len(bars(flow)) == 3


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1400])
def test_nothing_is_cut_off(notebook: Notebook, theme: str, width: int) -> None:
    notebook.open([MODEL, SHOW, "train(20, pause=0)\nrun.close()"])
    notebook.page.set_viewport_size({"width": width, "height": 900})
    notebook.theme(theme)
    for index in range(3):
        notebook.run(index)
    flow = notebook.widget("gradient_flow")
    overflow = flow.evaluate("root => root.scrollWidth - root.clientWidth")
    assert overflow <= 0
    assert flow.get_attribute("data-theme") == theme
    notebook.theme("light")
