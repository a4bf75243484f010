"""What did the model say over a data set?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.intervals import Proportion
from nbdiag.measures.metadata import count_rows, take_rows
from nbdiag.measures.outputs import OutputKind, softmax_of_rows
from nbdiag.measures.result import Result, table_behind

Inputs = Callable[[Sequence[Any]], list[Any]]
CLASSES_IN_FRAME = 20
SUM_TOLERANCE = 0.02  # of a row of probabilities, as half precision leaves it


@dataclass(frozen=True, repr=False)
class Predictions(Result):
    """What a classifier said about N samples of C classes, in the order of the data set.

    `nd.predict` makes them from a model and data. Made by hand they need targets, and
    probabilities or logits; the rest is optional.

    >>> Predictions(targets=[0, 1, 1], probabilities=[[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    Predictions: 3 samples, 2 classes, accuracy 0.7

    Attributes
    ----------
    ids : (N,) where each sample lies in the data set that was passed; 0 to N-1 where not given.
    targets : (N,) int64, the true class, 0 to C-1. May be given as words of ``class_names``.
    probabilities : (N, C) float32; a row is NaN where the model returned NaN or infinity.
    logits : (N, C), up to a constant in each row, or None where only probabilities are known.
    class_names : C names; ``"0"``, ``"1"``... where none are known.
    metadata : a table with one row for each sample, or None.
    output : how the model's output was read; stated in the repr.
    inputs : ``inputs(ids)`` gives the inputs back as a list, read when asked for; None where they
        cannot be looked up.
    note : what a reader must know besides, in one sentence.
    out_of_sample : False where the model was trained on these samples, True where it was not, None
        where that is not known. Only what a model says about samples that it has not learnt by
        heart tells something about their labels.

    Arrays are read-only.

    Raises
    ------
    TypeError : without targets, or with neither probabilities nor logits.
    ValueError : for arrays whose shapes do not fit together, several labels a sample, targets
        outside 0 to C-1, probabilities that are none, the wrong number of class names or names that
        occur twice, and metadata of another length.
    """

    figure_stem: ClassVar[str] = "predictions"

    ids: np.ndarray = None  # type: ignore[assignment]
    targets: np.ndarray = None  # type: ignore[assignment]
    probabilities: np.ndarray = None  # type: ignore[assignment]
    logits: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    metadata: Any = None
    output: OutputKind | None = None
    inputs: Inputs | None = field(default=None, compare=False)
    note: str = ""
    out_of_sample: bool | None = None

    def __post_init__(self) -> None:
        probabilities = _probabilities(self.targets, self.probabilities, self.logits)
        if probabilities.ndim != 2 or probabilities.shape[1] < 2:
            raise ValueError(
                "probabilities must have the shape (N, C) with at least 2 classes, got "
                f"{probabilities.shape}"
            )
        n, classes = probabilities.shape
        if n == 0:
            raise ValueError("there is no sample: the data set is empty")
        ids = np.arange(n) if self.ids is None else self.ids
        arrays = {"ids": ids, "targets": self.targets, "probabilities": probabilities}
        if self.logits is not None:
            arrays["logits"] = self.logits
        for name, given in arrays.items():
            array = np.asarray(given).view()
            expected = (n, classes) if name in ("probabilities", "logits") else (n,)
            if array.shape != expected:
                several = (
                    ": one class number a sample is needed; of one-hot targets give "
                    "targets.argmax(1), several labels a sample (multi-label) cannot be read"
                    if name == "targets" and array.ndim == 2
                    else ""
                )
                raise ValueError(
                    f"{name} must have the shape {expected} to match the {n} x {classes} "
                    f"probabilities, got {array.shape}{several}"
                )
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        check_distinct(self.ids)
        targets = whole_targets(self.targets, self.ids, self.class_names)
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

    def take(self, rows: Any) -> Predictions:
        """The samples at these row positions (or of this mask, (N,) bool), in this order."""
        chosen = np.asarray(rows)
        at = np.arange(len(self))[chosen] if chosen.size else np.zeros(0, np.int64)
        if at.size == 0:
            raise ValueError("no row is taken: predictions of nothing cannot be made")
        return replace(
            self,
            ids=self.ids[at],
            targets=self.targets[at],
            probabilities=self.probabilities[at],
            logits=None if self.logits is None else self.logits[at],
            metadata=None if self.metadata is None else take_rows(self.metadata, at),
        )

    def with_inputs(self, inputs: Any) -> Predictions:
        """The same, with their inputs: the data set that was predicted, its array, a pair
        ``(X, y)``, or a function from ids to a list of inputs.
        """
        from nbdiag.measures.prediction_files import as_inputs

        return replace(self, inputs=as_inputs(inputs, self.ids))

    def save(self, path: str | Path) -> Path:
        """Write all but the inputs to ``path``, an ``.npz`` without pickle; whole or not at all.

        Returns the path. Raises ValueError for metadata that only pickle could keep.
        """
        from nbdiag.measures.prediction_files import save

        return save(self, path)

    @classmethod
    def open(cls, path: str | Path, *, inputs: Any = None) -> Predictions:
        """What `save` wrote, bit for bit; the model is not needed. ``inputs``: see `with_inputs`.

        Raises FileNotFoundError, or ValueError for a file that is damaged, foreign or newer.
        """
        from nbdiag.measures.prediction_files import read

        return read(path, inputs)

    @classmethod
    def merge(cls, shards: Sequence[Predictions]) -> Predictions:
        """Predictions of parts of a data set as one, in the order of their ids.

        Samples that occur in several shards must have been answered alike, and count once.
        Metadata are put below each other, in the library that they came in.

        Raises ValueError for shards of other classes, other columns, or with answers that differ.
        """
        from nbdiag.measures.prediction_shards import merge

        return merge(shards)

    @cached_property
    def finite(self) -> np.ndarray:
        """(N,) bool: the rows whose probabilities are numbers."""
        finite = np.isfinite(sums_of_rows(self.probabilities))
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

    def columns(self) -> dict[str, Any]:
        """A row for each sample, with the probabilities where there are `CLASSES_IN_FRAME` classes
        at most.
        """
        names = np.array([*self.class_names, ""], object)  # -1, no finite answer, is the last one
        found: dict[str, Any] = {
            "id": self.ids,
            "target": names[self.targets],
            "predicted": names[self.predicted],
            "confidence": self.confidence,
            "correct": self.predicted == self.targets,
        }
        if self.n_classes <= CLASSES_IN_FRAME:
            for i, name in enumerate(self.class_names):
                found[f"probability {name}"] = self.probabilities[:, i]
        return found

    def to_frame(self) -> Any:
        """A row for each sample, with the metadata's columns behind; polars where data came so."""
        from nbdiag.measures.frames import make_frame
        from nbdiag.measures.prediction_shards import beside

        return beside(make_frame(self.columns(), like=table_behind(self)), self.metadata)

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


def _probabilities(targets: Any, probabilities: Any, logits: Any) -> np.ndarray:
    """Probabilities (N, C) of any floating type; ValueError for numbers that are none."""
    if targets is None:
        raise TypeError("targets are missing: (N,), the true class of each sample, 0 to C-1")
    if probabilities is None and logits is None:
        raise TypeError("probabilities are missing: (N, C); or give logits=, (N, C)")
    if probabilities is None:
        array = np.asarray(logits)
        if array.ndim == 2 and array.shape[1] > 1 and array.dtype.kind in "fiu":
            return softmax_of_rows(array)
        raise ValueError(
            "logits must be numbers of the shape (N, C) with at least 2 classes, got "
            f"{array.dtype} {array.shape}"
        )
    array = np.asarray(probabilities)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"probabilities must be numbers, got {array.dtype}")
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float32)
    if array.ndim != 2 or array.shape[1] < 2 or not array.size:
        return array
    sums = sums_of_rows(array)
    with np.errstate(invalid="ignore"):
        off = np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE)
        # NaN among them: numpy's minimum is NaN then, and the row counts as not finite.
        low = float(np.fmin.reduce(array, axis=None))
    if off.size or low < -SUM_TOLERANCE:
        found = f"a row sums to {sums[off[0]]:.6g}" if off.size else f"{low:.6g} is among them"
        raise ValueError(
            f"probabilities must lie in [0, 1] and sum to 1 in each row, but {found}: give logits "
            "as logits=, without probabilities"
        )
    return array


def sums_of_rows(array: np.ndarray) -> np.ndarray:
    """(N,), NaN or infinite where a value of the row is; no copy of the array is made."""
    with np.errstate(invalid="ignore", over="ignore"):
        return array @ np.ones(array.shape[1], array.dtype)


def check_distinct(ids: np.ndarray) -> None:
    """ValueError where an id occurs twice."""
    if ids.dtype.kind in "iu" and bool((ids[1:] > ids[:-1]).all()):
        return
    if ids.dtype.kind in "USO":
        # Sorting a million words takes seconds, putting them into a set does not.
        twice = len(set(ids.tolist())) < len(ids)
    else:
        ordered = np.sort(ids)
        twice = bool((ordered[1:] == ordered[:-1]).any())
    if twice:
        key, times = Counter(ids.tolist()).most_common(1)[0]
        raise ValueError(f"ids must differ, {key} occurs {times} times")


def whole_targets(targets: Any, ids: Any = None, names: Sequence[Any] = ()) -> np.ndarray:
    """Targets (N,) as int64, words looked up in the class names; ValueError for other values."""
    array = np.asarray(targets)
    if array.dtype.kind in "biu":
        return array.astype(np.int64)
    if array.dtype.kind in "US" or (array.dtype == object and len(names)):
        return _numbers_of_words(array, ids, names)
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


def _numbers_of_words(words: np.ndarray, ids: Any, names: Sequence[Any]) -> np.ndarray:
    if not len(names):
        raise ValueError(
            f"targets must be class numbers, got values such as {words.ravel()[:1].tolist()[0]!r}: "
            "give class_names= in the order of the model's outputs, and words are looked up there"
        )
    numbers = {str(name): number for number, name in enumerate(names)}
    found = [numbers.get(str(word), -1) for word in words.tolist()]
    if -1 in found:
        at = found.index(-1)
        raise ValueError(
            f"the target {words[at]!s} at id {at if ids is None else np.asarray(ids)[at]} is none "
            f"of the class names: {', '.join(list(numbers)[:20])}"
        )
    return np.array(found, np.int64)


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
