"""Makes the picture of the README from the real widgets, in a real JupyterLab.

`.venv/bin/python tools/picture.py` runs the tutorial as far as the error explorer and puts the two
widgets, as they look then, one above the other.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))
from lab import Browser, Lab, Notebook, wait_for
from test_debug_session import TUTORIAL, index_of, widget_in
from test_error_explorer import cards, open_cell

TARGET = ROOT / "notebooks" / "pictures" / "debug_session.png"
PAPER, GAP = "#ffffff", 16


def shots() -> list[Image.Image]:
    """The sick network at the end of its training, and the explorer with a cell open."""
    with Lab(Path(tempfile.mkdtemp())) as lab, Browser() as browser:
        notebook = Notebook(lab, browser, "picture").open(TUTORIAL)
        notebook.page.set_viewport_size({"width": 1300, "height": 1400})
        notebook.clear_outputs()
        sick, explore = index_of("run = train(deep"), index_of("explorer = nd.ErrorExplorer")
        for index in range(explore + 1):
            if notebook.is_code(index):
                notebook.run(index, 600_000)
        flow = widget_in(notebook, sick, "gradient_flow")
        explorer = widget_in(notebook, explore, "error_explorer")
        open_cell(explorer, 4, 7)
        wait_for(lambda: cards(explorer).count() > 0, "the gallery")
        explorer.get_by_role("button", name="Grad-CAM").click()
        wait_for(lambda: explorer.locator('[data-overlay="ready"]').count() > 5, "the overlay")
        notebook.page.mouse.move(5, 5)
        notebook.page.wait_for_timeout(1000)
        pictures = []
        for widget in (flow, explorer):
            widget.scroll_into_view_if_needed()
            notebook.page.wait_for_timeout(500)
            pictures.append(Image.open(io.BytesIO(widget.screenshot())).convert("RGB"))
        notebook.close()
    return pictures


if __name__ == "__main__":
    pictures = shots()
    width = max(picture.width for picture in pictures)
    height = sum(picture.height for picture in pictures) + GAP * (len(pictures) - 1)
    sheet = Image.new("RGB", (width, height), PAPER)
    y = 0
    for picture in pictures:
        sheet.paste(picture, (0, y))
        y += picture.height + GAP
    TARGET.parent.mkdir(exist_ok=True)
    sheet.save(TARGET, optimize=True)
    print(f"wrote {TARGET.relative_to(ROOT)}, {width}x{height}")
