"""Runs notebooks top to bottom and stores their outputs, as JupyterLab's own save would.

`.venv/bin/python tools/store_notebook.py notebooks/*.ipynb`
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NO_METADATA = ("execution", "ExecuteTime")  # timestamps: a new one at each run, of use to nobody


def execute(path: Path) -> nbformat.NotebookNode:
    """The executed notebook. Widget state is left out: JupyterLab stores none by default."""
    book = nbformat.read(path, as_version=4)
    client = NotebookClient(
        book,
        timeout=600,
        store_widget_state=False,
        coalesce_streams=True,  # a progress line is one output, as its last state
        resources={"metadata": {"path": path.parent}},
    )
    client.execute()
    for cell in book.cells:
        for key in NO_METADATA:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            # stderr holds progress bars and warnings of other packages
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
    book.metadata["language_info"] = {"name": "python"}
    return book


if __name__ == "__main__":
    for name in sys.argv[1:]:
        nbformat.write(execute(Path(name)), name)
        print(f"stored {name}")
