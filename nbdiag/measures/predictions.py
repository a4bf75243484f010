"""What did the model say over a data set?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from nbdiag.measures.intervals import Proportion
from nbdiag.measures.metadata import count_rows
from nbdiag.measures.outputs import OutputKind

Inputs = Callable[[Sequence[Any]], list[Any]]


@dataclass(frozen=True, repr=False)
class Predictions:
    """What a classifier said about N samples of C classes, in the order of the data set.

    Attributes
    ----------
    ids : (N,) where each sample lies in the data set that was passed.
    targets : (N,) int64, the true class, 0 to C-1.
    probabilities : (N, C) float32; a row is NaN where the model returned NaN or infinity.
    logits : (N, C), up to a constant in each row, or None where only probabilities are known.
    class_names : C names; ``"0"``, ``"1"``... where none are known.
    metadata : a table with one row for each sample, or None.
    output : how the model's output was read; stated in the repr.
    inputs : ``inputs(ids)`` gives the inputs back as a list, read when asked for; None where they
        cannot be looked up.
    note : what a reader must know besides, in one sentence.

    Arrays are read-only.

    Raises
    ------
    ValueError : for arrays whose shapes do not fit together, targets outside 0 to C-1, the wrong
        number of class names or names that occur twice, and metadata of another length.
    """

    ids: np.ndarray
    targets: np.ndarray
    probabilities: np.ndarray
    logits: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    metadata: Any = None
    output: OutputKind | None = None
    inputs: Inputs | None = field(default=None, compare=False)
    note: str = ""

    def __post_init__(self) -> None:
        probabilities = np.asarray(self.probabilities)
        if probabilities.ndim != 2 or probabilities.shape[1] < 2:
            raise ValueError(
                "probabilities must have the shape (N, C) with at least 2 classes, got "
                f"{probabilities.shape}"
            )
        n, classes = probabilities.shape
        if n == 0:
            raise ValueError("there is no sample: the data set is empty")
        arrays = {"ids": self.ids, "targets": self.targets, "probabilities": probabilities}
        if self.logits is not None:
            arrays["logits"] = self.logits
        for name, given in arrays.items():
            array = np.asarray(given).view()
            expected = (n, classes) if name in ("probabilities", "logits") else (n,)
            if array.shape != expected:
                raise ValueError(
                    f"{name} must have the shape {expected} to match the {n} x {classes} "
                    f"probabilities, got {array.shape}"
                )
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if len(np.unique(self.ids)) < n:
            values, counts = np.unique(self.ids, return_counts=True)
            raise ValueError(
                f"ids must differ, {values[counts.argmax()]} occurs {counts.max()} times"
            )
        targets = whole_targets(self.targets, self.ids)
        check_range(targets, classes, self.ids)
        targets.flags.writeable = False
        object.__setattr__(self, "targets", targets)
        object.__setattr__(self, "class_names", names_of_classes(self.class_names, classes))
        if self.metadata is not None and count_rows(self.metadata) != n:
            raise ValueError(
                f"metadata has {count_rows(self.metadata)} rows for {n} samples; it needs one each"
            )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_classes(self) -> int:
        return self.probabilities.shape[1]

    @cached_property
    def finite(self) -> np.ndarray:
        """(N,) bool: the rows whose probabilities are numbers."""
        finite = np.isfinite(self.probabilities).all(axis=1)
        finite.flags.writeable = False
        return finite

    @cached_property
    def predicted(self) -> np.ndarray:
        """(N,) int64: the most probable class, the first of equals; -1 for NaN or infinity."""
        # Two logits may differ by less than float32 probabilities can show.
        scores = self.probabilities if self.logits is None else self.logits
        predicted = np.where(self.finite, scores.argmax(axis=1), -1)
        predicted.flags.writeable = False
        return predicted

    @cached_property
    def confidence(self) -> np.ndarray:
        """(N,) float32: the probability of the predicted class; NaN where there is none."""
        rows = np.arange(len(self))
        confidence = np.where(self.finite, self.probabilities[rows, self.predicted], np.nan)
        confidence = confidence.astype(self.probabilities.dtype)
        confidence.flags.writeable = False
        return confidence

    @property
    def n_nonfinite(self) -> int:
        """How many samples the model answered with NaN or infinity; they count as wrong."""
        return int(len(self) - self.finite.sum())

    @cached_property
    def correct(self) -> Proportion:
        """The share that is right, with its 95 % Wilson interval."""
        return Proportion.of(int((self.predicted == self.targets).sum()), len(self))

    @property
    def accuracy(self) -> float:
        return self.correct.value

    def __repr__(self) -> str:
        """Only what other machines would print too: the digits of the accuracy that are sure."""
        parts = [f"Predictions: {len(self)} samples", f"{self.n_classes} classes"]
        if self.output is not None:
            parts.append(f"read as {self.output}")
        parts.append(f"accuracy {self.correct}")
        if self.n_nonfinite:
            parts.append(f"{self.n_nonfinite} not finite")
        return ", ".join(parts) + (f" ({self.note})" if self.note else "")


def whole_targets(targets: Any, ids: Any = None) -> np.ndarray:
    """Targets (N,) as int64; ValueError names the first value that is not a whole number."""
    array = np.asarray(targets)
    if array.dtype.kind in "biu":
        return array.astype(np.int64)
    if array.dtype.kind != "f":
        raise ValueError(
            f"targets must be class numbers, got values such as {array.ravel()[:1].tolist()[0]!r}"
        )
    bad = np.flatnonzero(~(np.isfinite(array) & (array == np.floor(array))))
    if bad.size:
        where = bad[0] if ids is None else np.asarray(ids)[bad[0]]
        raise ValueError(
            f"targets must be whole class numbers, got {array[bad[0]]:g} at id {where}: "
            "is this a regression, or are the labels scaled?"
        )
    return array.astype(np.int64)


def check_range(targets: np.ndarray, classes: int, ids: Any) -> None:
    """ValueError for targets outside 0 to ``classes - 1``, with the first id and the range."""
    bad = np.flatnonzero((targets < 0) | (targets >= classes))
    if not bad.size:
        return
    low, high = int(targets.min()), int(targets.max())
    hint = " (labels that start at 1: subtract 1)" if (low, high) == (1, classes) else ""
    raise ValueError(
        f"targets must lie in 0..{classes - 1} for {classes} classes, got "
        f"{int(targets[bad[0]])} at id {np.asarray(ids)[bad[0]]}; they range from {low} to "
        f"{high}{hint}"
    )


def names_of_classes(names: Sequence[Any], classes: int) -> tuple[str, ...]:
    """``classes`` distinct names as text, or their numbers where no names are given."""
    if names is None or len(names) == 0:
        return tuple(str(i) for i in range(classes))
    if isinstance(names, str):
        raise ValueError(f"class_names must be a list of names, got the single text {names!r}")
    if isinstance(names, (Mapping, Set)):
        # A dict would silently give its keys, which of the two it maps; a set has no order.
        raise ValueError(
            f"class_names must be a list of names in the order of the class numbers, got a "
            f"{type(names).__name__}"
        )
    words = tuple(str(name) for name in names)
    if len(words) != classes:
        raise ValueError(f"class_names has {len(words)} names for {classes} classes")
    if len(set(words)) < classes:
        twice = sorted(word for word in words if words.count(word) > 1)
        raise ValueError(
            f"class_names must differ, {twice[0]!r} occurs {words.count(twice[0])} times"
        )
    return words
