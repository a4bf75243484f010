"""TensorBoard folders that others wrote: which scalars are losses, which files belong together."""

from __future__ import annotations

import re
from pathlib import Path

from nbdiag.tracking import records
from nbdiag.tracking.files import Tail

_TRAIN = {"train", "training"}
_VAL = ("val", "valid", "validation", "eval", "evaluation", "dev", "test")
_FILL = {"loss", "epoch", "step", "batch", "iter", "iteration", "avg", "mean", "total", "running"}
SUFFIX = ".nbdiag"
"""How the event files of nbdiag end."""
_STAMP = re.compile(r"\d{9,}\.\d+")


class Names:
    """Tag -> name in the recording: losses get their reserved names, all else its tag.

    >>> names = Names()
    >>> names.learn({"Loss/train": 90, "Loss/val": 9, "Accuracy/val": 9})
    >>> names["Loss/train"], names["Loss/val"], names["Accuracy/val"]
    ('loss', 'val_loss', 'Accuracy/val')
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def learn(self, counts: dict[str, int]) -> None:
        """Decide on tags that were not seen before, by their words and numbers of points."""
        fresh = {tag: n for tag, n in counts.items() if tag not in self._names}
        vals = [(rank, tag) for tag in fresh if (rank := _validation(tag)) is not None]
        val = min(vals, default=(0, ""))[1]
        for tag in sorted(fresh, key=lambda tag: -fresh[tag]):
            name = tag
            if tag == val:
                name = "val_loss"
            elif (words := _loss_words(tag)) is not None and not words & set(_VAL):
                # As many points as the validation has: one an epoch.
                epochs = "epoch" in words or (val and fresh[tag] <= 2 * fresh[val])
                name = "train_loss" if epochs and "step" not in words else "loss"
            taken = name in self._names.values()
            self._names[tag] = tag if taken else name

    def __getitem__(self, tag: str) -> str:
        return self._names[tag]


def _loss_words(tag: str) -> set[str] | None:
    """The words of a tag that is a loss and nothing else; "loss/discriminator" is not."""
    words = set(re.findall(r"[a-z]+", tag.lower()))
    if "loss" not in words or words - _FILL - _TRAIN - set(_VAL):
        return None
    return words


def _validation(tag: str) -> int | None:
    words = _loss_words(tag)
    return min((_VAL.index(w) for w in words & set(_VAL)), default=None) if words else None


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
