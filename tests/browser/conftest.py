"""A real JupyterLab server and a real Chromium for the browser tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from lab import Browser, Lab, Notebook


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with Browser() as chromium:
        yield chromium


@pytest.fixture
def notebook(lab: Lab, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """A notebook to fill: `notebook.open(cells)` or `notebook.open(path)`.

    The test fails when the page showed an error or asked for anything beyond the server.
    """
    page = Notebook(lab, browser, request.node.name)
    yield page
    page.close()
    assert not page.errors, "\n".join(page.errors)


@pytest.fixture
def stop(notebook: Notebook) -> Iterator[Path]:
    """`stop.touch()` lets the training of `UNTIL` end."""
    path = notebook.lab.files / "stop"
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)
