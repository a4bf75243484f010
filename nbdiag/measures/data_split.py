"""What was read of one split of a data set: counts over all of it, values of a seeded part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

FieldKind = Literal["image", "table", "sequence", "tokens", "text"]
TargetKind = Literal[
    "none", "classes", "multilabel", "regression", "mask", "sequence", "structured"
]
FIRST = 20  # so many ids are named in the evidence of a finding


@dataclass(frozen=True)
class NotFinite:
    """Samples with NaN or infinity, by feature; ids are the first `FIRST`."""

    samples: int = 0
    nan: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # (F,) samples
    infinite: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Field:
    """One input of the samples.

    Attributes
    ----------
    name : of the dict's key or dataframe; "" where there is one input without a name.
    kind : image, table, sequence (numbers over time), tokens, or text.
    features : F names: columns, channels, or the features of a time step.
    coded : (F,) bool, columns that hold codes for text or dates, not amounts.
    raw_bytes : whether the values came as 8-bit integers.
    not_finite : what is not a number, counted over all samples.
    mean, sd, low, high : (F,) over all finite values of all samples.
    values : (M, F) float32, values of the part that was kept.
    rows : (K, D) float32, whole samples of that part (pictures at low resolution), or None.
    thumbs : (Q, C, H, W) float32, the first Q of them in full where they are small pictures.
    keys : (K,) fingerprint of the sample of each row.
    """

    name: str
    kind: FieldKind
    features: tuple[str, ...]
    coded: np.ndarray
    raw_bytes: bool
    not_finite: NotFinite
    mean: np.ndarray
    sd: np.ndarray
    low: np.ndarray
    high: np.ndarray
    values: np.ndarray
    rows: np.ndarray | None
    thumbs: np.ndarray | None
    keys: np.ndarray


@dataclass(frozen=True)
class Targets:
    """The targets of a split, as far as they were understood.

    Attributes
    ----------
    kind : what they are; the class codes apply to "classes" only.
    labels : (N,) class number or name of each sample, for "classes".
    amounts : (N,) float, for a regression of one number; beside labels where it may be either.
    names, positives : of a multi-label target, or classes of a mask, and samples or pixels of each.
    keys : (N,) fingerprint of each target.
    ignored : samples without a class: NaN or -100.
    not_finite : targets that are not numbers.
    """

    kind: TargetKind
    labels: np.ndarray | None = None
    amounts: np.ndarray | None = None
    names: tuple[Any, ...] = ()
    positives: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    keys: np.ndarray | None = None
    ignored: int = 0
    not_finite: NotFinite = field(default_factory=NotFinite)


@dataclass(frozen=True)
class Loading:
    """How a loader hands the split to the training loop.

    Attributes
    ----------
    batch_size : samples a batch.
    in_order : whether it goes through the data set from first to last, without shuffling.
    weights : (N,) how often it draws each sample, up to a factor; None for equally often.
    """

    batch_size: int
    in_order: bool
    weights: np.ndarray | None = None


@dataclass(frozen=True)
class Split:
    """One split: ``name`` is "train", "val" or "test".

    Attributes
    ----------
    ids : (N,) position of each sample in the data set that was passed.
    hashes : (N,) fingerprint of each input. simple: (N,) too simple to tell by equality.
    origin : what the samples are entries of, and (N,) which entries; None where unknown.
    loading : None where no loader was given.
    note : what a reader must know besides.
    """

    name: str
    ids: np.ndarray
    hashes: np.ndarray
    simple: np.ndarray
    fields: tuple[Field, ...]
    targets: Targets
    origin: tuple[Any, np.ndarray] | None = None
    loading: Loading | None = None
    note: str = ""

    def __len__(self) -> int:
        return len(self.ids)

    def looked_at(self, field: Field) -> dict[str, Any]:
        """How many of how many samples the statistics rest on, for the evidence."""
        return {"samples_sampled": len(field.keys), "samples": len(self), "seed": 0}


def first_ids(ids: np.ndarray) -> list[int]:
    return [int(i) for i in ids[:FIRST]]


def plural(count: int, word: str) -> str:
    """
    >>> plural(1, "sample"), plural(12_345, "class")
    ('1 sample', '12,345 classes')
    """
    ending = "" if count == 1 else "es" if word.endswith(("s", "x", "sh", "ch")) else "s"
    return f"{count:,} {word}{ending}"


def percent(share: float) -> str:
    """
    >>> percent(0.1234), percent(0.0004), percent(1.0)
    ('12 %', '0.04 %', '100 %')
    """
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.5 else f"{value:.2g} %"
