"""What kinds of error are there? Errors that the model sees as alike, and what they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.facets import Facet, facets
from nbdiag.measures.intervals import wilson
from nbdiag.measures.metadata import take_rows
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.result import Result
from nbdiag.measures.similarity import directions

ERRORS_AT_LEAST = 10
MEMBERS_AT_LEAST = 5
ERRORS_AT_MOST = 2000  # the most confident ones; a person looks at no more, and time grows fast
DIMENSIONS = 20  # of the features that are kept, at most; distances in more tell little
BELONGS = 0.3  # HDBSCAN's strength of membership, from 0 to 1
LEVEL = 0.05  # for all statements of all clusters together
LIFT = 1.5
SHARE = 0.5  # of the members, that must have what they are said to share


@dataclass(frozen=True)
class Shared:
    """Something that the members of a cluster have more often than the other errors.

    Attributes
    ----------
    name, value : the column and its value; ``"true class"`` and ``"predicted class"`` too.
    members, of_members, others, of_others : counts, of how many.
    share, low, high : share of the members, with its 95 % Wilson interval.
    lift : share of the members over that of the other errors, half a sample added to each.
    p_value : one-sided Fisher test, corrected for all comparisons (Holm).
    """

    name: str
    value: str
    members: int
    of_members: int
    others: int
    of_others: int
    share: float
    low: float
    high: float
    lift: float
    p_value: float

    def __str__(self) -> str:
        return (
            f"{self.name} is {self.value} in {self.members} of {self.of_members}, "
            f"in {self.others} of {self.of_others} other errors"
        )


@dataclass(frozen=True, eq=False, repr=False)
class ErrorCluster(Result):
    """Errors that lie together in the model's features.

    Attributes
    ----------
    rows : (K,) row positions in the predictions, the most typical first.
    label : what they share in a few words, or "similar errors" with a number.
    shared : what they share beyond the other errors, the most telling first.
    """

    figure_stem: ClassVar[str] = "error_clusters"

    rows: np.ndarray
    label: str
    shared: tuple[Shared, ...]
    predictions: Predictions

    def columns(self) -> Mapping[str, Any]:
        """A row for each thing that they share."""
        names = [one.name for one in fields(Shared)]
        return {name: [getattr(one, name) for one in self.shared] for name in names}

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"ErrorCluster: {self.label}"


def cluster_errors(
    features: np.ndarray, rows: np.ndarray, predictions: Predictions
) -> tuple[ErrorCluster, ...]:
    """Groups of errors, the largest first; empty where there are none.

    Parameters
    ----------
    features : (M, D), what the model makes of each sample just before it decides.
    rows : (M,) their row positions in ``predictions``; those that are right are left out.

    Directions of the features (cosine distance), reduced by PCA, grouped by HDBSCAN, which finds
    the number of groups by itself and leaves alone what belongs to none (Campello, Moulavi and
    Sander, PAKDD 2013). The same data give the same clusters.

    Raises
    ------
    ValueError : for features and rows that do not fit together.
    """
    rows = np.asarray(rows, np.int64)
    points = np.asarray(features)
    if points.ndim != 2 or rows.shape != points.shape[:1]:
        raise ValueError(
            f"features must be (M, D) and rows (M,), got {points.shape} and {rows.shape}"
        )
    wrong = predictions.predicted[rows] != predictions.targets[rows]
    kept = np.flatnonzero(wrong & np.isfinite(points).all(axis=1))
    if len(kept) > ERRORS_AT_MOST:
        sure = np.nan_to_num(predictions.confidence[rows[kept]], nan=-1)
        kept = np.sort(kept[np.argsort(-sure, kind="stable")[:ERRORS_AT_MOST]])
    if len(kept) < ERRORS_AT_LEAST:
        return ()
    found, places = _groups(points[kept])
    groups = [np.flatnonzero(found == k) for k in range(found.max(initial=-1) + 1)]
    groups = [members for members in groups if len(members) >= MEMBERS_AT_LEAST]
    groups.sort(key=lambda members: (-len(members), int(members[0])))
    if not groups:
        return ()
    told = _what_is_shared(groups, rows[kept], predictions)
    clusters = []
    for number, (members, shared) in enumerate(zip(groups, told, strict=True), 1):
        centre = places[members].mean(axis=0)
        distance = ((places[members] - centre) ** 2).sum(axis=1)
        typical = members[np.argsort(distance, kind="stable")]
        label = ", ".join(_unlike(shared)) or f"similar errors {number}"
        clusters.append(ErrorCluster(rows[kept[typical]], label, shared, predictions))
    return tuple(clusters)


def _groups(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(M,) the group of each point, -1 for none; and (M, d) where the points lie."""
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA

    rows = directions(points)
    none = np.full(len(rows), -1)
    if not np.ptp(rows, axis=0).any():
        return none, rows
    size = min(DIMENSIONS, rows.shape[1], len(rows) - 1)
    places = PCA(size, svd_solver="full").fit_transform(rows)
    # Coordinates that differ by less than rounding are no structure.
    if places.std() < 1e-9:
        return none, places
    smallest = max(MEMBERS_AT_LEAST, round(len(rows) ** 0.5 / 2))
    grouping = HDBSCAN(min_cluster_size=smallest, min_samples=MEMBERS_AT_LEAST, copy=True)
    grouping.fit(places)
    # What hangs on loosely belongs to no group.
    return np.where(grouping.probabilities_ >= BELONGS, grouping.labels_, -1), places


def _what_is_shared(
    groups: list[np.ndarray], rows: np.ndarray, predictions: Predictions
) -> list[tuple[Shared, ...]]:
    from scipy.stats import hypergeom

    from nbdiag.measures.many_tests import holm

    columns = list(_columns(rows, predictions))
    total = len(rows)
    tests: list[tuple[int, str, str, int, int, int]] = []
    for at, members in enumerate(groups):
        for column in columns:
            n = len(column.labels)
            everyone = np.bincount(column.codes + 1, minlength=n + 1)[1:]
            inside = np.bincount(column.codes[members] + 1, minlength=n + 1)[1:]
            tests += [
                (at, column.name, column.labels[i], int(inside[i]), len(members), int(everyone[i]))
                for i in np.flatnonzero(inside)
            ]
    if not tests:
        return [() for _ in groups]
    with_it, sizes, overall = np.array([test[3:] for test in tests]).T
    p = holm(hypergeom.sf(with_it - 1, total, overall, sizes))
    low, high = wilson(with_it, sizes)
    found: list[list[Shared]] = [[] for _ in groups]
    for i, (at, name, value, has, size, every) in enumerate(tests):
        others, of_others = every - has, total - size
        lift = ((has + 0.5) / (size + 1)) / ((others + 0.5) / (of_others + 1))
        _, top = wilson(others, of_others)
        if p[i] < LEVEL and has >= SHARE * size and lift >= LIFT and low[i] > top:
            found[at].append(
                Shared(
                    name, value, has, size, others, of_others,
                    has / size, float(low[i]), float(high[i]), float(lift), float(p[i]),
                )
            )  # fmt: skip
    for some in found:
        some.sort(key=lambda shared: (shared.p_value, -shared.lift, shared.name))
    return [tuple(some) for some in found]


def _columns(rows: np.ndarray, predictions: Predictions) -> Iterable[Facet]:
    """What members may share: both classes, and the metadata of these errors."""
    names = (*predictions.class_names, "no finite answer")
    yield Facet("true class", "category", names, predictions.targets[rows].astype(np.int32))
    predicted = predictions.predicted[rows] % len(names)
    yield Facet("predicted class", "category", names, predicted.astype(np.int32))
    if predictions.metadata is not None:
        yield from facets(take_rows(predictions.metadata, rows))


def _unlike(shared: tuple[Shared, ...]) -> list[str]:
    """The first statements as words, the pair of classes as one."""
    values = {one.name: one.value for one in shared}
    words = [f"{one.name} {one.value}" for one in shared if not one.name.endswith(" class")]
    true, told = values.get("true class"), values.get("predicted class")
    if true and told:
        words.insert(0, f"{true} taken for {told}")
    elif true or told:
        words.insert(0, f"true class {true}" if true else f"taken for {told}")
    return words[:3]
