"""From a path to runs: what `nd.GradientFlow("runs/a")` and `nd.runs("runs")` open."""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbdiag.tracking.feeds import Journal, Scalars
from nbdiag.tracking.plain import parts
from nbdiag.tracking.read_run import ReadRun
from nbdiag.tracking.writer import journals

_open: weakref.WeakValueDictionary[Path, ReadRun] = weakref.WeakValueDictionary()
_opening = threading.RLock()


def open_run(path: str | Path) -> ReadRun:
    """The run in a folder, or in an event file of nbdiag; the newest, where a folder holds several.

    It follows a training that is still writing. The same path twice gives the same run. Of a folder
    that was not written by nbdiag, the scalars are read.

    Raises
    ------
    FileNotFoundError : when there is no such path, or no run in it; runs below it are listed.
    ValueError : for a file that is damaged or something else.
    """
    place = Path(path).expanduser()
    if not place.exists():
        raise FileNotFoundError(
            f"no folder {str(path)!r}: expected the log_dir of nd.watch(), or of a TensorBoard run"
        )
    found = [_journal(place)] if place.is_file() else _in_folder(place)
    if found:
        return found[-1]
    below = _folders(place)
    if below:
        names = ", ".join(repr(str(folder)) for folder in below[:8])
        more = f" and {len(below) - 8} more" if len(below) > 8 else ""
        raise FileNotFoundError(
            f"no run in {str(path)!r} itself, but below it: {names}{more}; "
            "name one of them, or take nd.runs() for all"
        )
    raise FileNotFoundError(
        f"no run in {str(path)!r}: no event files there; nd.watch(model, log_dir=...) writes them"
    )


def runs(path_or_paths: str | Path | Sequence[str | Path]) -> list[ReadRun]:
    """All runs in a folder and below it, or in several, sorted by name.

    What they recorded is read when it is asked for. Where one folder holds several, each of them is
    there, the earlier ones named "a (1 of 3)".

    Raises
    ------
    FileNotFoundError : when there is no such path, or no run in or below it.
    """
    one = isinstance(path_or_paths, str | os.PathLike)
    given: Any = [path_or_paths] if one else path_or_paths
    found: dict[Path, ReadRun] = {}
    for path in given:
        place = Path(path).expanduser()
        if not place.exists():
            raise FileNotFoundError(f"no folder {str(path)!r}")
        here = [_journal(place)] if place.is_file() else []
        for folder in _folders(place):
            here += _in_folder(folder)
        if not here:
            raise FileNotFoundError(f"no run in or below {str(path)!r}: no event files there")
        found.update((run.path, run) for run in here)
    return sorted(found.values(), key=lambda run: (run.name, str(run.path)))


def _folders(place: Path) -> list[Path]:
    """Folders with event files in or below a path; one that belongs to another's run is none."""
    if not place.is_dir():
        return []
    found = [Path(root) for root, _, names in os.walk(place) if "tfevents" in "".join(names)]
    inner = {path.parent for folder in found for path, _ in parts(folder) if path.parent != folder}
    return sorted(folder for folder in found if folder not in inner)


def _in_folder(folder: Path) -> list[ReadRun]:
    """The runs that a folder itself holds, oldest first."""
    found: list[ReadRun] = []
    unread: list[ValueError] = []
    for path in journals(folder):
        try:
            found.append(_journal(path))
        except ValueError as error:
            unread.append(error)
    if unread and not found:
        raise unread[-1]
    if not found:
        files = parts(folder)
        return [_plain(folder, files)] if files else []
    found.sort(key=lambda run: run.started)
    for i, run in enumerate(found[:-1]):
        run.name = f"{run.written_name} ({i + 1} of {len(found)})"
    for reason in unread:
        found[-1].note(str(reason))
    return found


def _journal(path: Path) -> ReadRun:
    """The run of one event file of nbdiag."""
    with _opening:
        path = path.resolve()
        run = _open.get(path)
        if run is None:
            feed = Journal(path)
            run = _open[path] = ReadRun(path, feed, feed.head)
        return run


def _plain(folder: Path, files: list[tuple[Path, str]]) -> ReadRun:
    """The run of a folder that others wrote."""
    with _opening:
        folder = folder.resolve()
        run = _open.get(folder)
        if run is None:
            run = _open[folder] = ReadRun(folder, Scalars(files), _head(folder, files[0][0]))
            run.note(
                "nbdiag did not write this folder: its scalars are here, but no gradients, no "
                "weights and no activations"
            )
        return run


def _head(folder: Path, first: Path) -> dict[str, Any]:
    """What a run of nbdiag says about itself, for one of others."""
    stamp = re.search(r"tfevents\.(\d+)", first.name)
    name = {"name": folder.name, "model_name": folder.name, "config": {}}
    layout = dict.fromkeys(("parameters", "layers", "layer_of", "sizes", "kinds"), ())
    started = float(stamp[1]) if stamp else first.stat().st_mtime
    return {"run": {**name, "max_samples": 4, "started": started}, "layout": layout, "state": {}}
