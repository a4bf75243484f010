"""Driving JupyterLab as a person would: open a notebook, run its cells, look, click."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from setup import find_browser

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE = 60_000  # ms; a loaded two-core machine is slow, and a pass never waits for it
# What JupyterLab itself says on the console, none of it of our making
NOT_OURS = re.compile(
    r"favicon|ResizeObserver loop|/lsp/status|workspaces|debugger state|Canceled future for"
)

# A training that goes on until the browser is done with it (the fixture `stop`), and ends by itself
# if it never is; `train` is of an earlier cell.
UNTIL = """
import pathlib, time
end = time.monotonic() + 240
while not pathlib.Path("stop").exists() and time.monotonic() < end:
    train(1)
"""


class Lab:
    """A JupyterLab server that shares no configuration with the machine."""

    def __init__(self, home: Path) -> None:
        self.home, self.files = home, home / "files"
        self.token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Lab:
        self.files.mkdir(parents=True)
        settings = self.home / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        quiet = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
        own = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        environment = {**os.environ, **{key: str(self.home / name) for key, name in own.items()}}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
        command += ["--ip=127.0.0.1", f"--port={self.port}", "--ServerApp.port_retries=0"]
        command += [f"--IdentityProvider.token={self.token}", "--expose-app-in-browser"]
        command += ["--ServerApp.max_body_size=2000000000"]
        self._log = (self.home / "server.log").open("w")
        self._server = subprocess.Popen(
            [*command, str(self.files)], env=environment, stdout=self._log, stderr=self._log
        )
        wait_for(self._answers, "the JupyterLab server", 120)
        return self

    def _answers(self) -> bool:
        if self._server.poll() is not None:
            log = (self.home / "server.log").read_text()[-3000:]
            raise RuntimeError(f"JupyterLab ended at once:\n{log}")
        try:
            urllib.request.urlopen(f"{self.url}/api?token={self.token}", timeout=5)
        except (urllib.error.URLError, TimeoutError):
            return False
        return True

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait(30)
        self._log.close()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}?token={self.token}", timeout=30) as answer:
            return json.load(answer)


class Browser:
    """Chromium: the one that is installed, else the one that Playwright brings."""

    def __enter__(self) -> Browser:
        self._playwright = sync_playwright().start()
        self.chromium = self._playwright.chromium.launch(
            executable_path=find_browser(), args=FLAGS, headless=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.chromium.close()
        self._playwright.stop()


class Notebook:
    """One notebook in one page."""

    def __init__(self, lab: Lab, browser: Browser, name: str) -> None:
        self.lab = lab
        self.name = re.sub(r"\W+", "_", name)
        self.path = lab.files / f"{self.name}.ipynb"
        self.errors: list[str] = []
        self._context = browser.chromium.new_context(viewport={"width": 1400, "height": 1000})
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_page_error)
        self.page.on("request", self._on_request)

    def _on_console(self, message: Any) -> None:
        if message.type == "error" and not NOT_OURS.search(f"{message.text} {message.location}"):
            self.errors.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_page_error(self, error: Any) -> None:
        if not NOT_OURS.search(str(error)):
            self.errors.append(f"page error: {error}")

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith((self.lab.url, "data:", "blob:", "about:")):
            self.errors.append(f"the page asked for {request.url}")

    def open(self, source: Sequence[str] | Path) -> Notebook:
        """Open code cells, or a copy of a notebook file, with a fresh kernel."""
        path = self.path
        if isinstance(source, Path):
            shutil.copy(source, path)
        else:
            book = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(cell) for cell in source],
                metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            )
            nbformat.write(book, path)
        self.reload()
        return self

    def reload(self) -> None:
        """Load the page (anew); the kernel, if there is one, goes on."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.lab.url}/lab/tree/{self.path.name}?token={self.lab.token}&reset")
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp?.shell?.currentWidget;
                const kernel = panel?.sessionContext?.session?.kernel;
                return panel?.content?.widgets?.length && kernel?.connectionStatus === 'connected'
                    && ['idle', 'busy'].includes(kernel.status);
            }"""
        )
        # The left file browser takes a third of a narrow page
        self.page.evaluate(
            "() => { const s = window.jupyterapp.shell; s.collapseLeft(); s.collapseRight(); }"
        )

    def restart_kernel(self) -> None:
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
        )

    def start(self, index: int) -> None:
        """Run a cell and do not wait for it."""
        self.page.evaluate(
            """(i) => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.deselectAll();
                notebook.activeCellIndex = i;
                window.__cell_before = notebook.widgets[i].model.executionCount;
                void window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            index,
        )

    def busy(self, index: int) -> bool:
        """Whether the cell is running; the kernel's own status is idle in mid-cell at times."""
        return not self.page.evaluate(_CELL_DONE, index)

    def follow(self, index: int, selector: str) -> None:
        """Keep, in the page, how wide the elements of a running cell's output are, and their state,
        as they change.

        A question from outside may come when a short cell is over; `followed` tells what was
        painted while it ran.
        """
        self.page.evaluate(
            """([i, selector]) => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                const cell = notebook.widgets[i];
                const seen = window.__followed = [];
                const look = () => {
                    if (window.__followed !== seen) return;
                    const found = [...cell.node.querySelectorAll(selector)];
                    const now = found.map(
                        e => `${e.dataset.state ?? ''} ${e.getBoundingClientRect().width}`).join();
                    const busy = cell.model.executionState !== 'idle';
                    if (busy && now && seen.at(-1) !== now) seen.push(now);
                    setTimeout(look, 30);
                };
                look();
            }""",
            [index, selector],
        )

    def followed(self) -> list[str]:
        """The different pictures that were painted while the followed cell ran."""
        return self.page.evaluate("() => window.__followed")

    def wait(self, index: int, timeout: float = PATIENCE) -> None:
        """Wait for a cell's end; fails with its traceback if it raised."""
        self.page.wait_for_function(_CELL_DONE, arg=index, timeout=timeout)
        for output in self.outputs(index):
            if output["output_type"] == "error":
                raise AssertionError("\n".join(output["traceback"]))

    def run(self, index: int, timeout: float = PATIENCE) -> None:
        self.start(index)
        self.wait(index, timeout)

    def outputs(self, index: int) -> list[dict[str, Any]]:
        return self.page.evaluate(
            """(i) => {
                const cell = window.jupyterapp.shell.currentWidget.content.widgets[i];
                return cell.model.outputs.toJSON();
            }""",
            index,
        )

    def text(self, index: int) -> str:
        """What a cell printed or returned, as plain text."""
        parts = []
        for output in self.outputs(index):
            parts.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
        return "".join("".join(part) for part in parts)

    def cells(self) -> int:
        """How many cells the notebook has."""
        return self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
        )

    def is_code(self, index: int) -> bool:
        return self.page.evaluate(
            "(i) => window.jupyterapp.shell.currentWidget.content.widgets[i].model.type === 'code'",
            index,
        )

    def clear_outputs(self) -> None:
        """Forget what is stored, so that every output seen is of this run."""
        self.page.evaluate(
            "() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')"
        )

    def append_cell(self, source: str) -> None:
        """Add a code cell at the end."""
        self.page.evaluate(
            """(source) => window.jupyterapp.shell.currentWidget.content.model.sharedModel.addCell(
                {cell_type: 'code', source})""",
            source,
        )

    def widget(self, view: str) -> Any:
        """The (first) painted widget of that view."""
        found = self.page.locator(f'[data-view="{view}"][data-ready="true"]').first
        found.wait_for()
        return found

    def theme(self, name: str) -> None:
        """ "light" or "dark"."""
        self.page.evaluate(
            "(t) => window.jupyterapp.commands.execute('apputils:change-theme', {theme: t})",
            f"JupyterLab {name.capitalize()}",
        )
        self.page.wait_for_function(
            "(light) => document.body.dataset.jpThemeLight === light",
            arg=str(name == "light").lower(),
        )
        # JupyterLab goes on swapping style sheets for a moment, and trips over a second change
        self.page.wait_for_timeout(500)

    def save(self) -> None:
        """Save as a person does, to `path`."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def close(self) -> None:
        self.page.evaluate(
            "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.shutdown?.()"
        )
        self._context.close()


_CELL_DONE = """(i) => {
    const model = window.jupyterapp.shell.currentWidget.content.widgets[i].model;
    return model.executionState === 'idle' && model.executionCount !== null;
}"""


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Poll until it holds; says what was missing when it never did."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.05)
