"""What are the targets: classes, amounts, several labels at once, or something else?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nbdiag.measures.data_split import FIRST, NotFinite, Targets
from nbdiag.measures.fingerprints import fingerprints

IGNORED = -100  # what cross-entropy leaves out
WIDEST_SOFT = 100_000
FEW_AMOUNTS = 20  # whole floats with more distinct values are amounts, not classes


class TargetTally:
    """Collects the targets of a split while its batches arrive: `add`, then `finish`."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._keys: list[np.ndarray] = []
        self._structured = False
        self._missing = 0
        self._seen = 0
        self._shape: tuple[int, ...] | None = None
        self._kind = ""
        self._binary = self._one = True
        self._positives: np.ndarray | None = None
        self._pixels: dict[int, int] = {}
        self._nan = self._infinite = self._bad = 0
        self._ids: list[int] = []

    def add(self, targets: Any, ids: np.ndarray) -> None:
        """Targets of a batch: an array with a row for each sample, a list, or None."""
        self._seen += len(ids)
        if targets is None:
            self._missing += len(ids)
            return
        if isinstance(targets, list) and all(target is None for target in targets):
            self._missing += len(ids)
            return
        array = _as_array(targets)
        if array is None:
            self._structured = True
            return
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if self._shape is None:
            self._shape, self._kind = array.shape[1:], array.dtype.kind
        elif array.ndim - 1 != len(self._shape):
            self._structured = True
            return
        if array.dtype.kind == "f":
            array = self._finite(array, ids)
            self._kind = "f" if self._kind in "iub" else self._kind
        self._keys.append(_keys(array))
        self._collect(array)

    def _finite(self, array: np.ndarray, ids: np.ndarray) -> np.ndarray:
        flat = array.reshape(len(array), -1)
        nan, infinite = np.isnan(flat).any(axis=1), np.isinf(flat).any(axis=1)
        bad = nan | infinite
        self._nan, self._infinite = self._nan + int(nan.sum()), self._infinite + int(infinite.sum())
        self._bad += int(bad.sum())
        self._ids.extend(ids[bad][: FIRST - len(self._ids)].tolist())
        return array

    def _collect(self, array: np.ndarray) -> None:
        if array.ndim == 1:
            self._parts.append(array)
            return
        if array.ndim > 2 or array.shape[1] > WIDEST_SOFT:
            if array.dtype.kind in "iub":
                self._count_pixels(array)
            return
        binary = np.isin(array, (0, 1)).all()
        total = array.sum(axis=1, dtype=np.float64)
        self._binary &= bool(binary)
        known = ~np.isnan(total)
        self._one &= bool((array[known] >= 0).all() and np.allclose(total[known], 1, atol=1e-3))
        if self._one:
            self._parts.append(np.where(known, array.argmax(axis=1), IGNORED))
        if self._binary:
            counts = (array > 0).sum(axis=0)
            old = self._positives
            fits = old is not None and len(old) == len(counts)
            self._positives = counts + old if fits and old is not None else counts

    def _count_pixels(self, array: np.ndarray) -> None:
        values, counts = np.unique(array, return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            self._pixels[value] = self._pixels.get(value, 0) + count

    def finish(self) -> Targets:
        if self._structured:
            return Targets("structured")
        if self._missing == self._seen:
            return Targets("none")
        if self._missing:
            return Targets("structured")
        keys = np.concatenate(self._keys)
        bad = NotFinite(
            self._bad, np.array([self._nan]), np.array([self._infinite]), tuple(self._ids)
        )
        if len(self._shape or ()) == 0:
            return self._single(np.concatenate(self._parts), keys, bad)
        if len(self._shape or ()) == 1:
            if self._one and len(self._keys) == len(self._parts):
                labels = np.concatenate(self._parts)
                return _classes(labels, keys, bad, 0)
            if self._binary and self._positives is not None:
                names = tuple(range(len(self._positives)))
                return Targets("multilabel", None, None, names, self._positives, keys, 0, bad)
            return Targets(
                "sequence" if self._kind in "iub" else "regression", keys=keys, not_finite=bad
            )
        if self._pixels:
            names, counts = zip(*sorted(self._pixels.items()), strict=True)
            return Targets("mask", None, None, names, np.array(counts), keys, 0, bad)
        return Targets("regression", keys=keys, not_finite=bad)

    def _single(self, values: np.ndarray, keys: np.ndarray, bad: NotFinite) -> Targets:
        if values.dtype.kind in "OUS":
            texts = values.astype(str)
            missing = np.array([v is None or v != v for v in values.tolist()])
            return Targets(
                "classes", np.where(missing, "", texts), None, (), np.zeros(0), keys,
                int(missing.sum()), bad,
            )  # fmt: skip
        known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        if are_classes(known):
            labels = np.full(len(values), IGNORED, np.int64)
            finite = np.isfinite(values)
            labels[finite] = values[finite].astype(np.int64)
            # 0.0, 1.0, 2.0 ... may be counts as well: class numbers that are not sure.
            unsure = values.dtype.kind == "f" and len(np.unique(known)) > 2
            found = _classes(labels, keys, bad, 0)
            return replace(found, amounts=values.astype(np.float64)) if unsure else found
        return Targets("regression", None, values.astype(np.float64), keys=keys, not_finite=bad)


def _classes(labels: np.ndarray, keys: np.ndarray, bad: NotFinite, ignored: int) -> Targets:
    ignored += int((labels == IGNORED).sum())
    return Targets("classes", labels, None, (), np.zeros(0, np.int64), keys, ignored, bad)


def are_classes(values: np.ndarray) -> bool:
    """Whether numbers are class numbers and not amounts.

    Integers are, unless hardly one repeats; floats are where they are few whole numbers without a
    gap, which is how 0.0 and 1.0 come for binary cross-entropy.

    >>> are_classes(np.array([0, 1, 2] * 9)), are_classes(np.array([0.0, 1.0] * 9))
    (True, True)
    >>> are_classes(np.array([25.0, 346.0, 151.0])), are_classes(np.arange(300) * 7)
    (False, False)
    """
    if not len(values) or values.dtype.kind == "b":
        return bool(len(values))
    distinct = np.unique(values)
    if values.dtype.kind in "iu":
        spread = float(distinct[-1]) - float(distinct[0]) + 1
        sparse = len(distinct) < 0.8 * spread and len(distinct) > FEW_AMOUNTS
        return not (len(distinct) > FEW_AMOUNTS and len(values) < 3 * len(distinct) and sparse)
    whole = bool((distinct == np.floor(distinct)).all())
    if not whole or len(distinct) > FEW_AMOUNTS or distinct[0] not in (0, 1, -1):
        return False
    pair = len(distinct) <= 2
    return pair or (len(values) >= 5 * len(distinct) and bool((np.diff(distinct) == 1).all()))


def _as_array(targets: Any) -> np.ndarray | None:
    """An array with a row for each sample, or None for what has no common shape."""
    if isinstance(targets, np.ndarray):
        return targets if targets.dtype.kind in "biufOUS" else None
    if all(isinstance(target, str) for target in targets):
        return np.array(targets, dtype=object)
    if any(isinstance(target, (dict, str)) or target is None for target in targets):
        return None
    try:
        array = np.stack([np.asarray(target) for target in targets])
    except ValueError:
        return None
    return array if array.dtype.kind in "biuf" else None


def _keys(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "OUS":
        known: dict[str, int] = {}
        texts = [str(value) for value in array.ravel().tolist()]
        return np.array([fingerprint_of_word(text, known) for text in texts], np.uint64)
    return fingerprints(array.reshape(len(array), -1))[0]


def fingerprint_of_word(text: str, known: dict[str, int]) -> int:
    """Of a short text, exact; repeated ones are looked up."""
    if text not in known:
        raw = np.frombuffer(text.encode().ljust(1, b" "), np.uint8)[None]
        known[text] = int(fingerprints(raw)[0][0])
    return known[text]
