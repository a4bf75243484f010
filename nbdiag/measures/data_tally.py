"""Read a split batch by batch: count over everything, keep a seeded part, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nbdiag.measures.data_layout import (
    Layout,
    as_pictures,
    by_feature,
    layout_of,
    low_resolution,
)
from nbdiag.measures.data_split import FIRST, Field, Loading, NotFinite, Split
from nbdiag.measures.fingerprints import Rows, combined, fingerprints
from nbdiag.measures.targets import TargetTally

KEPT_SAMPLES = 65_536
KEPT_VALUES = 16_000_000
KEPT_PICTURES = 1000  # in full, to be shifted and flipped
LARGEST_THUMB = 64
WIDEST = 4096  # columns of a sample; of wider ones a seeded choice
SHORTEST = 256  # sequences, which may vary in length, are padded to so many values at least
AT_ONCE = 4_000_000  # values that are worked on together
POSITIONS = 64  # pixels or time steps of a sample whose values are kept


class Kept:
    """The samples with the smallest fingerprints: a random part that no order of reading changes.

    >>> kept = Kept(2)
    >>> kept.add(np.array([7, 5, 9], np.uint64), [np.array([[70], [50], [90]])])
    >>> kept.add(np.array([1], np.uint64), [np.array([[10]])])
    >>> kept.result()[1][0].ravel().tolist()
    [10, 50]
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._keys: list[np.ndarray] = []
        self._parts: list[list[np.ndarray]] = []
        self._count = 0
        self._below: np.uint64 | None = None

    def add(self, keys: np.ndarray, parts: Sequence[np.ndarray]) -> None:
        if self._below is not None:
            wanted = keys <= self._below
            keys, parts = keys[wanted], [part[wanted] for part in parts]
        self._keys.append(keys)
        self._parts.append(list(parts))
        self._count += len(keys)
        if self._count > 2 * self.limit:
            self._prune()

    def _prune(self) -> None:
        keys = np.concatenate(self._keys)
        order = np.argsort(keys, kind="stable")[: self.limit]
        columns = [np.concatenate(column)[order] for column in zip(*self._parts, strict=True)]
        self._keys, self._parts, self._count = [keys[order]], [columns], len(order)
        if len(order) == self.limit:
            self._below = keys[order[-1]]

    def result(self) -> tuple[np.ndarray, list[np.ndarray]]:
        self._prune()
        return self._keys[0], self._parts[0]


class FieldTally:
    """One input of the samples."""

    def __init__(self, name: str, columns: Sequence[str], coded: Sequence[bool]) -> None:
        self.name, self.columns, self.coded = name, tuple(columns), tuple(coded)
        self._layout: Layout | None = None
        self._shape: tuple[int, ...] | None = None
        self._raw_bytes = False
        self._ids: list[int] = []
        self._bad = 0
        self._kept: Kept | None = None
        self._thumbs: Kept | None = None
        self._shape_varies = False
        self._shift: np.ndarray | None = None

    def add(self, rows: Rows, keys: np.ndarray, ids: np.ndarray) -> None:
        if self._layout is None:
            first = rows[0]
            self._layout = layout_of(first)
            if not isinstance(rows, np.ndarray) and len({np.shape(row) for row in rows}) > 1:
                self._layout = _of_ragged(self._layout)
            self._shape = None if isinstance(first, str) else np.shape(first)
            self._raw_bytes = np.asarray(first).dtype.kind in "iu"
        if self._layout.kind == "text":
            return
        if isinstance(rows, np.ndarray):
            step = max(1, AT_ONCE // max(1, rows[0].size))
            for start in range(0, len(rows), step):
                part = slice(start, start + step)
                self._add_array(rows[part], keys[part], ids[part])
        else:
            for i, row in enumerate(rows):
                self._add_array(np.asarray(row)[None], keys[i : i + 1], ids[i : i + 1])

    def _add_array(self, array: np.ndarray, keys: np.ndarray, ids: np.ndarray) -> None:
        assert self._layout is not None
        if array.ndim - 1 != len(self._shape or ()):
            raise ValueError(
                f"the inputs{self._called()} differ in their number of axes: "
                f"{self._shape} and {array.shape[1:]}"
            )
        if array.dtype.kind not in "biuf":
            raise TypeError(f"inputs{self._called()} must be numbers or text, got {array.dtype}")
        features = by_feature(array, self._layout.axis)
        self._count(features, ids)
        if array.shape[1:] != self._shape:
            self._shape_varies = True
        if self._kept is None:
            self._start(features, array)
        assert self._kept is not None
        parts = [_spread(features)]
        row = self._row(array)
        if row is not None:
            parts.append(row)
        self._kept.add(keys, parts)
        if self._thumbs is not None:
            self._thumbs.add(keys, [as_pictures(array, self._layout.axis)])

    def _start(self, features: np.ndarray, array: np.ndarray) -> None:
        assert self._layout is not None
        row = self._row(array)
        width = features.shape[2] * POSITIONS + (0 if row is None else row.shape[1])
        limit = max(64, min(KEPT_SAMPLES, KEPT_VALUES // max(1, width)))
        self._kept = Kept(limit)
        if self._layout.kind == "image" and array.ndim >= 3:
            sides = as_pictures(array[:1], self._layout.axis).shape[2:]
            if max(sides) <= LARGEST_THUMB:
                self._thumbs = Kept(min(limit, KEPT_PICTURES))

    def _row(self, array: np.ndarray) -> np.ndarray | None:
        """A sample as one row: pictures at low resolution, sequences of any length padded."""
        assert self._layout is not None
        if self._layout.kind == "image":
            return low_resolution(as_pictures(array, self._layout.axis))
        with np.errstate(over="ignore", invalid="ignore"):
            flat = array.reshape(len(array), -1).astype(np.float32)
        width = int(np.prod(self._shape or (1,)))
        if self._layout.kind != "table" and flat.shape[1] != max(width, SHORTEST):
            padded = np.zeros((len(flat), max(width, SHORTEST)), np.float32)
            padded[:, : flat.shape[1]] = flat[:, : padded.shape[1]]
            flat = padded
        if flat.shape[1] > WIDEST:
            chosen = np.random.default_rng(0).choice(flat.shape[1], WIDEST, replace=False)
            flat = flat[:, np.sort(chosen)]
        return flat

    def _count(self, features: np.ndarray, ids: np.ndarray) -> None:
        n, _, width = features.shape
        if self._kept is None:
            self._sum, self._square, self._n = np.zeros((3, width))
            self._low, self._high = np.full(width, np.inf), np.full(width, -np.inf)
            self._nan, self._infinite = np.zeros((2, width), np.int64)
        if width != len(self._sum):
            raise ValueError(
                f"the inputs{self._called()} differ in their number of features: "
                f"{len(self._sum)} and {width}"
            )
        if not features.size:
            return
        finite = np.isfinite(features) if features.dtype.kind == "f" else None
        if finite is not None and not finite.all():
            self._nan += np.isnan(features).any(axis=1).sum(axis=0)
            self._infinite += np.isinf(features).any(axis=1).sum(axis=0)
            bad = ~finite.reshape(n, -1).all(axis=1)
            self._bad += int(bad.sum())
            self._ids.extend(ids[bad][: FIRST - len(self._ids)].tolist())
            count = finite.sum(axis=(0, 1))
            low = np.where(finite, features, np.inf).min(axis=(0, 1))
            high = np.where(finite, features, -np.inf).max(axis=(0, 1))
            features = np.where(finite, features, 0.0)
        else:
            count = np.full(width, features.shape[0] * features.shape[1])
            low, high = features.min(axis=(0, 1)), features.max(axis=(0, 1))
        # Sums around the first values' mean lose no digits to a large offset.
        precise = np.dtype(np.float32) if features.dtype.itemsize < 4 else features.dtype
        if self._shift is None:
            shift = features.mean(axis=(0, 1), dtype=np.float64)
            self._shift = shift.astype(precise if precise.kind == "f" else np.float64)
        centred = features - self._shift
        if finite is not None and not finite.all():
            centred = np.where(finite, centred, 0.0)
        self._sum += centred.sum(axis=(0, 1), dtype=np.float64)
        with np.errstate(over="ignore"):
            self._square += np.square(centred).sum(axis=(0, 1), dtype=np.float64)
        self._n += count
        self._low, self._high = np.minimum(self._low, low), np.maximum(self._high, high)

    def _called(self) -> str:
        return f" {self.name!r}" if self.name else ""

    def _feature_names(self, width: int) -> tuple[str, ...]:
        if len(self.columns) == width:
            return self.columns
        assert self._layout is not None
        word = {"image": "channel", "table": "column"}.get(self._layout.kind, "feature")
        return tuple(f"{word} {i}" for i in range(width))

    def finish(self) -> Field:
        assert self._layout is not None
        if self._kept is None:
            none, empty = np.zeros(0), np.zeros((0, 0), np.float32)
            coded = np.zeros(0, bool)
            return Field(
                self.name, "text", (), coded, False, NotFinite(), none, none, none, none, empty,
                None, None, np.zeros(0, np.uint64),
            )  # fmt: skip
        keys, parts = self._kept.result()
        width = len(self._sum)
        names = self._feature_names(width)
        counted = np.maximum(self._n, 1)
        with np.errstate(invalid="ignore", over="ignore"):
            offset = self._sum / counted
            sd = np.sqrt(np.maximum(self._square / counted - offset**2, 0))
        thumbs = None
        if self._thumbs is not None and not self._shape_varies:
            thumbs = self._thumbs.result()[1][0]
        comparable = self._layout.kind in ("image", "tokens") or not self._shape_varies
        return Field(
            name=self.name,
            kind=self._layout.kind,
            features=names,
            coded=np.array(self.coded if len(self.coded) == width else [False] * width, bool),
            raw_bytes=self._raw_bytes,
            not_finite=NotFinite(self._bad, self._nan, self._infinite, tuple(self._ids)),
            mean=np.where(self._n > 0, offset + (0 if self._shift is None else self._shift), 0.0),
            sd=sd,
            low=self._low,
            high=self._high,
            values=parts[0].reshape(-1, width),
            rows=parts[1] if comparable and len(parts) > 1 else None,
            thumbs=thumbs,
            keys=keys,
        )


def _of_ragged(layout: Layout) -> Layout:
    """Rows of numbers of different lengths are recordings, not rows of a table."""
    return Layout("sequence") if layout.kind == "table" else layout


def _spread(features: np.ndarray) -> np.ndarray:
    """(n, POSITIONS * F): values at seeded positions of each sample, NaN where it has fewer."""
    n, positions, width = features.shape
    if positions == 1:
        return features.reshape(n, -1).astype(np.float32)
    if positions <= POSITIONS:
        chosen = np.arange(positions)
    else:
        chosen = np.sort(np.random.default_rng(0).choice(positions, POSITIONS, replace=False))
    taken = np.full((n, POSITIONS, width), np.nan, np.float32)
    taken[:, : len(chosen)] = features[:, chosen]
    return taken.reshape(n, -1)


class SplitTally:
    """Counts one split while its batches arrive: `add`, then `finish`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._fields: dict[str, FieldTally] = {}
        self._targets = TargetTally()
        self._ids: list[np.ndarray] = []
        self._hashes: list[np.ndarray] = []
        self._simple: list[np.ndarray] = []

    def add(
        self,
        inputs: Mapping[str, Rows],
        targets: Any,
        ids: np.ndarray,
        columns: Sequence[str] = (),
        coded: Sequence[bool] = (),
    ) -> None:
        """A batch: each input's rows by name, the targets or None, the ids.

        `columns` and `coded` describe the columns of an input that came from a dataframe.
        """
        if not self._fields:
            self._fields = {name: FieldTally(name, columns, coded) for name in inputs}
        if set(inputs) != set(self._fields):
            raise ValueError(
                f"the samples of {self.name} differ in their inputs: {sorted(self._fields)} and "
                f"{sorted(inputs)}"
            )
        prints = {name: fingerprints(rows) for name, rows in inputs.items()}
        hashes = combined([prints[name][0] for name in sorted(prints)])
        simple = np.logical_and.reduce([alone for _, alone in prints.values()])
        for name, rows in inputs.items():
            self._fields[name].add(rows, hashes, ids)
        self._targets.add(targets, ids)
        self._ids.append(ids)
        self._hashes.append(hashes)
        self._simple.append(simple)

    def __len__(self) -> int:
        return sum(map(len, self._ids))

    def finish(
        self,
        origin: tuple[Any, np.ndarray] | None = None,
        loading: Loading | None = None,
        note: str = "",
    ) -> Split:
        if not len(self):
            raise ValueError(f"{self.name} is empty: there is no sample to look at")
        return Split(
            self.name,
            np.concatenate(self._ids),
            np.concatenate(self._hashes),
            np.concatenate(self._simple),
            tuple(tally.finish() for tally in self._fields.values()),
            self._targets.finish(),
            origin,
            loading,
            note,
        )
