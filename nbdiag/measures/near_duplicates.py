"""Do val or test hold near-copies of train samples: brighter, noisier, shifted, flipped?

How near is near depends on the data, so nothing is compared with a constant. For a sample with its
nearest train neighbour at d1 and its k-th at dk the ratio d1/dk needs no unit and follows the local
density. In m dimensions a chance neighbour gives d1/dk < t with probability about k t^m; m is
estimated from the further neighbours of train samples (Levina and Bickel, NIPS 2004), and t set so
that chance gives `CHANCE` of such ratios. Pictures of few kinds on a plain background, and tables
of few values, have many equally near neighbours and so no small ratio.

A finding needs more such samples in val than train has within itself (left out one at a time), or a
data set of many dimensions in which both have far more than chance gives: copies made before the
split.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nbdiag.measures.data_split import Field, Split, first_ids, percent
from nbdiag.measures.findings import Finding
from nbdiag.measures.shared_samples import severity_of

NEIGHBOURS, FROM = 20, 10  # k, and the first neighbour that the dimension is estimated from
QUERIES = 1000
PROJECTED = 48
CANDIDATES = 40
CHANCE, LARGEST_RATIO = 1e-3, 0.3
UNLIKELY = 1e-4
FEWEST = 50  # train samples, below which neighbours tell nothing
AT_ONCE = 20_000_000  # distances held together
DISTINCT, CONTINUOUS = 20, 0.5  # a column with more values than this; share of such columns
COPIES, DIMENSIONS = 0.2, 4.0  # the second rule: share in both splits, least dimension


@dataclass(frozen=True)
class Neighbours:
    """Of Q samples: the nearest in train, its distance, and the distance to the k-th."""

    nearest: np.ndarray
    d1: np.ndarray
    dk: np.ndarray
    further: np.ndarray  # (Q, k - FROM + 1) distances of the FROM-th to the k-th

    @property
    def ratio(self) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.dk > 0, self.d1 / self.dk, 1.0)


def judge_near(splits: Sequence[Split]) -> list[Finding]:
    """Findings `data.leakage` for near-copies of train samples in the other splits."""
    train, *others = splits
    field = _comparable(train)
    if field is None:
        return []
    reference = _distinct(field)
    if len(reference) < FEWEST:
        return []
    space = Space.of(field, reference)
    assert field.rows is not None
    points = space.rows(field.rows[reference])
    own = search(points, space.queries(field, reference[:QUERIES]), leave_out=True)
    dimension = dimension_of(own.further)
    limit = min(LARGEST_RATIO, (CHANCE / NEIGHBOURS) ** (1 / dimension))
    usual = int((own.ratio < limit).sum())
    found = []
    for split in others:
        twin = next((other for other in split.fields if other.name == field.name), None)
        if twin is None or twin.rows is None or twin.rows.shape[1] != field.rows.shape[1]:
            continue
        positions = _distinct(twin)
        positions = positions[~np.isin(twin.keys[positions], train.hashes)][:QUERIES]
        if not len(positions):
            continue
        near = search(points, space.queries(twin, positions), leave_out=False)
        hits = np.flatnonzero(near.ratio < limit)
        why = _why(len(hits), len(positions), usual, len(own.d1), dimension, space.continuous)
        if why:
            keys = twin.keys[positions[hits]], field.keys[reference[near.nearest[hits]]]
            found.append(
                _finding(
                    train, split, keys, len(positions), usual / len(own.d1), why,
                    {"ratio_below": limit, "dimension": dimension, "compared_with": len(reference)},
                )
            )  # fmt: skip
    return found


def _why(hits: int, n: int, usual: int, n_own: int, dimension: float, continuous: bool) -> str:
    from scipy.stats import binom

    base = max(2 * CHANCE, (usual + 1) / n_own if usual else 0.0)
    if hits >= 2 and binom.sf(hits - 1, n, min(1.0, base)) < UNLIKELY:
        return "excess"
    both = hits / n >= COPIES and usual / n_own >= COPIES
    if both and hits >= 5 and continuous and dimension >= DIMENSIONS:
        return "copies before the split"
    return ""


def _finding(
    train: Split,
    split: Split,
    keys: tuple[np.ndarray, np.ndarray],
    compared: int,
    usual: float,
    why: str,
    evidence: dict[str, float],
) -> Finding:
    here, there = _positions(split, keys[0]), _positions(train, keys[1])
    share = len(here) / compared
    message = (
        f"{len(here):,} of {compared:,} samples of {split.name} that were compared "
        f"({percent(share)}) are near-copies of train samples (noise, brightness, a shift or a "
        f"flip apart)"
    )
    if why == "excess":
        message += (
            f"; within train, {percent(usual)} have one" if usual else ", within train none is"
        )
    else:
        message += (
            f", and {percent(usual)} of train have a near-copy in train: the copies were made "
            "before the data were split"
        )
    agree = None
    if split.targets.keys is not None and train.targets.keys is not None:
        agree = float((split.targets.keys[here] == train.targets.keys[there]).mean())
    return Finding(
        "data.leakage",
        "critical" if severity_of(share, split) == "critical" and why == "excess" else "warning",
        split.name,
        message + ".",
        {
            "kind": "near-copies",
            "of": split.name,
            "in": "train",
            "samples": len(here),
            "share": share,
            "share_within": usual,
            "same_target": agree,
            "ids": first_ids(split.ids[here]),
            "twins": first_ids(train.ids[there]),
            "samples_sampled": compared,
            "samples_total": len(split),
            "seed": 0,
            **evidence,
        },
        "Look at the pairs in the evidence. Keep all versions of a sample (frames of a video, "
        "pictures of a patient, augmented copies) on one side: split first by origin "
        "(GroupShuffleSplit), augment train afterwards.",
    )


def _positions(split: Split, keys: np.ndarray) -> np.ndarray:
    order = np.argsort(split.hashes, kind="stable")
    return order[np.searchsorted(split.hashes[order], keys)]


def _comparable(split: Split) -> Field | None:
    """The widest input with amounts that distances mean something for."""
    fields = [
        field
        for field in split.fields
        if field.rows is not None and field.kind in ("image", "table", "sequence")
    ]
    return max(fields, key=lambda field: field.rows.shape[1], default=None)  # type: ignore[union-attr]


def _distinct(field: Field) -> np.ndarray:
    """Positions of rows with different keys and finite values, in the order of the keys."""
    assert field.rows is not None
    _, first = np.unique(field.keys, return_index=True)
    return first[np.isfinite(field.rows[first]).all(axis=1)]


@dataclass(frozen=True)
class Space:
    """How rows become points whose distances count: the same for all splits, fitted on train."""

    field: Field
    columns: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    floor: float
    continuous: bool

    @classmethod
    def of(cls, field: Field, reference: np.ndarray) -> Space:
        assert field.rows is not None
        rows = field.rows[reference]
        sd = rows.std(axis=0, dtype=np.float64)
        columns = np.flatnonzero(sd > 0)
        if field.kind == "table" and len(field.coded) == rows.shape[1]:
            columns = columns[~field.coded[columns]]
        some = rows[:500, columns]
        many = np.array([len(np.unique(column)) > DISTINCT for column in some.T])
        continuous = field.kind == "table" and bool(many.size and many.mean() >= CONTINUOUS)
        if field.kind == "image":
            inner = rows.std(axis=1)
            return cls(
                field, columns, np.zeros(0), np.zeros(0), 0.1 * float(np.median(inner)), True
            )
        sd = sd[columns]
        # A column that hardly ever varies must not drown the others.
        floor = 0.1 * float(np.median(sd)) if field.kind == "sequence" else 0.0
        sd = np.maximum(sd, floor)
        return cls(field, columns, rows[:, columns].mean(axis=0), sd, 0.0, continuous)

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """(n, D) points; pictures without their brightness and contrast."""
        if self.field.kind == "image":
            centred = rows - rows.mean(axis=1, keepdims=True)
            inner = np.maximum(rows.std(axis=1, keepdims=True), self.floor)
            return (centred / np.maximum(inner, 1e-12)).astype(np.float32)
        return ((rows[:, self.columns] - self.centre) / self.scale).astype(np.float32)

    def queries(self, field: Field, positions: np.ndarray) -> list[np.ndarray]:
        """Versions of the same samples: as they are, and for pictures flipped and shifted."""
        from nbdiag.measures.data_layout import low_resolution

        assert field.rows is not None
        plain = [self.rows(field.rows[positions])]
        thumbs = field.thumbs
        if thumbs is None or len(thumbs) < positions.max() + 1:
            return plain
        pictures = thumbs[positions]
        moved = [pictures[..., ::-1]]
        for axis, step in ((2, 1), (2, -1), (3, 1), (3, -1)):
            moved.append(_shifted(pictures, axis, step))
        return plain + [self.rows(low_resolution(version)) for version in moved]


def _shifted(pictures: np.ndarray, axis: int, step: int) -> np.ndarray:
    """By one pixel; the edge that opens repeats its neighbour."""
    size = pictures.shape[axis]
    return np.take(pictures, np.clip(np.arange(size) - step, 0, size - 1), axis=axis)


def search(points: np.ndarray, queries: list[np.ndarray], *, leave_out: bool) -> Neighbours:
    """Neighbours of each query: found in a random projection, measured in full.

    `queries` are versions of the same samples, the first as it is: the nearest is the nearest of
    any version. With `leave_out`, query i is point i and does not count as its own neighbour.
    """
    plain = queries[0]
    n, width = points.shape
    k = min(NEIGHBOURS, n - 1)
    candidates = min(CANDIDATES, n - 1)
    if width > PROJECTED:
        random = np.random.default_rng(0)
        matrix = random.normal(size=(width, PROJECTED)).astype(np.float32) / math.sqrt(PROJECTED)
        low = points @ matrix
        low_queries = [version @ matrix for version in queries]
    else:
        low, low_queries = points, queries
    square, twice = np.einsum("nd,nd->n", low, low), -2 * low.T
    step = max(1, AT_ONCE // n)
    nearest, d1, ordered = [], [], []
    for start in range(0, len(plain), step):
        stop = min(len(plain), start + step)
        rows = np.arange(stop - start)
        for index, version in enumerate(low_queries):
            # The square of the query itself does not change an order.
            far = version[start:stop] @ twice
            far += square
            if leave_out:
                far[rows, np.arange(start, stop)] = np.inf
            full = queries[index][start:stop]
            if index == 0:
                near = np.argpartition(far, candidates - 1, axis=1)[:, :candidates]
                exact = np.linalg.norm(points[near] - full[:, None], axis=2)
                order = np.argsort(exact, axis=1)
                exact = np.take_along_axis(exact, order, axis=1)
                ordered.append(exact[:, :k])
                best, at = exact[:, 0].copy(), np.take_along_axis(near, order, axis=1)[:, 0]
            else:
                one = far.argmin(axis=1)
                exact = np.linalg.norm(points[one] - full, axis=1)
                better = exact < best
                best[better], at[better] = exact[better], one[better]
        nearest.append(at)
        d1.append(best)
    all_ordered = np.concatenate(ordered)
    return Neighbours(
        np.concatenate(nearest), np.concatenate(d1), all_ordered[:, -1], all_ordered[:, FROM - 1 :]
    )


def dimension_of(further: np.ndarray) -> float:
    """In how many dimensions the data spread locally, from distances of the FROM-th to the k-th.

    With distances as in m dimensions, log(dk/di) has the mean (1/i + ... + 1/(k-1)) / m.
    """
    width = further.shape[1]
    if width < 2:
        return 1.0
    last = FROM + width - 1
    expected = [sum(1 / j for j in range(i, last)) for i in range(FROM, last)]
    known = further[(further > 0).all(axis=1)]
    if not len(known):
        return 1.0
    # The median over samples: those with many near-copies do not count as low-dimensional data.
    seen = float(np.median(np.log(known[:, -1:] / known[:, :-1]).sum(axis=1)))
    return float(np.clip(sum(expected) / seen, 1.0, 100.0)) if seen > 0 else 100.0
