"""TensorBoard folders that others wrote: which files belong together."""

from __future__ import annotations

import re
from pathlib import Path

from nbdiag.tracking import records
from nbdiag.tracking.files import Tail

SUFFIX = ".nbdiag"
"""How the event files of nbdiag end."""
_STAMP = re.compile(r"\d{9,}\.\d+")


def event_files(folder: Path) -> list[Path]:
    """All event files in a folder, by name: the order of time."""
    return sorted(path for path in folder.glob("*tfevents*") if path.is_file())


def parts(folder: Path) -> list[tuple[Path, str]]:
    """Event files of one training, and which part of their tags their folder stands for.

    `SummaryWriter.add_scalars("Loss", {"train": ...})` writes "Loss" into a folder "Loss_train",
    `add_hparams` its metrics into a folder named by the time.
    """
    own = [(path, "") for path in event_files(folder)]
    if not own or _ours(own[0][0]):
        return own
    for child in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = event_files(child)
        if any(map(_ours, files)):
            continue
        member = "" if _STAMP.fullmatch(child.name) else _group_member(child.name, files)
        if member is not None:
            own += [(path, member) for path in files]
    return own


def _ours(path: Path) -> bool:
    return path.name.endswith(SUFFIX)


def _group_member(name: str, files: list[Path]) -> str | None:
    """The part of a folder's name behind the first tag in it; None when it does not fit."""
    for path in files:
        for message in Tail(path).news(at_most=3):
            for tag, _, _ in records.numbers(message):
                head = tag.replace("/", "_") + "_"
                return name.removeprefix(head) if name.startswith(head) else None
    return None
