"""Which of other tools' scalars are the losses."""

from __future__ import annotations

import re
from typing import Literal

_TRAIN = {"train", "training"}
_VAL = ("val", "valid", "validation", "eval", "evaluation", "dev", "test")
_FILL = {"loss", "epoch", "step", "batch", "iter", "iteration", "avg", "mean", "total", "running"}


def loss_words(tag: str) -> set[str] | None:
    """The words of a tag that is a loss and nothing else; "loss/discriminator" is not.

    >>> sorted(loss_words("Loss/train")), loss_words("loss/discriminator")
    (['loss', 'train'], None)
    """
    words = set(re.findall(r"[a-z]+", tag.lower()))
    if "loss" not in words or words - _FILL - _TRAIN - set(_VAL):
        return None
    return words


def validation_rank(tag: str) -> int | None:
    """A number for a loss on other than the training data, the smaller the more usual."""
    words = loss_words(tag) or set()
    return min((_VAL.index(word) for word in words & set(_VAL)), default=None)


def epoch_loss(tag: str) -> Literal["train_loss", "val_loss"] | None:
    """The reserved name for a loss of an epoch; None for any other number.

    >>> [epoch_loss(tag) for tag in ("loss", "valid/loss", "val_acc")]
    ['train_loss', 'val_loss', None]
    """
    if loss_words(tag) is None:
        return None
    return "train_loss" if validation_rank(tag) is None else "val_loss"


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
        ranked = [(rank, tag) for tag in fresh if (rank := validation_rank(tag)) is not None]
        val = min(ranked, default=(0, ""))[1]
        for tag in sorted(fresh, key=lambda tag: -fresh[tag]):
            name, words = tag, loss_words(tag)
            if tag == val:
                name = "val_loss"
            elif words is not None and validation_rank(tag) is None:
                # As many points as the validation has: one an epoch.
                epochs = "epoch" in words or (val and fresh[tag] <= 2 * fresh[val])
                name = "train_loss" if epochs and "step" not in words else "loss"
            self._names[tag] = tag if name in self._names.values() else name

    def __getitem__(self, tag: str) -> str:
        return self._names[tag]
