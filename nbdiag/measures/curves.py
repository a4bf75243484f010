"""How well does a score rank the samples of a class before all others? Curves and their areas.

Samples are put into groups of equal score, highest first; everything else is counting in groups, so
that ties are handled exactly and thousands of resamples cost no sorting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranking:
    """Samples of one class against the rest, in groups of equal score, highest score first.

    Attributes
    ----------
    scores : (G,) the least score of each group: the threshold that takes in all of it.
    positive, negative : (G,) samples of the class, and others, in each group.
    lost_positive, lost_negative : samples without a finite score. They are in no group: such a
        sample is never found, whatever the threshold, and every comparison with it counts as lost.
    """

    scores: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    lost_positive: int = 0
    lost_negative: int = 0

    @property
    def n_positive(self) -> int:
        return int(self.positive.sum()) + self.lost_positive

    @property
    def n_negative(self) -> int:
        return int(self.negative.sum()) + self.lost_negative

    @property
    def roc_auc(self) -> float:
        return float(roc_auc(self.positive, self.negative, self.lost_positive, self.lost_negative))

    @property
    def average_precision(self) -> float:
        return float(average_precision(self.positive, self.negative, self.lost_positive))

    def precision_recall(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Precision, recall and threshold (G,) as the threshold falls from group to group."""
        precision, recall = precision_recall(self.positive, self.negative, self.lost_positive)
        return precision, recall, self.scores


def rank(
    scores: np.ndarray, positive: np.ndarray, most: int | None = None, *, every: bool = False
) -> Ranking:
    """The ranking of (N,) scores, of which ``positive`` (N,) bool are of the class.

    Groups end at the scores of positives, as only there precision at a new recall is reached: that
    is exact for the area under the curve, for average precision, and for the best precision at
    any recall. With ``most``, at most that many positives make groups, spread evenly over them;
    with ``every`` each distinct score is a group. NaN and infinite scores are lost.

    >>> r = rank(np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, False, True, False]))
    >>> print(r.scores.tolist(), r.positive.tolist(), r.negative.tolist())
    [0.9, 0.8, 0.1] [1, 1, 0] [0, 1, 1]
    """
    finite = np.isfinite(scores)
    ordered = np.sort(scores[finite])
    found = np.sort(scores[finite & positive])
    edges = np.unique(ordered) if every else edges_among(found, most)
    total, of_class = counts_between(ordered, edges), counts_between(found, edges)
    lowest = np.full(len(total), ordered[0] if len(ordered) else np.nan)
    lowest[1::2] = edges
    lowest[2::2] = [
        ordered[min(at, len(ordered) - 1)] for at in np.searchsorted(ordered, edges, "right")
    ]
    kept = np.flatnonzero(total)[::-1]
    n_positive = int(np.count_nonzero(positive))
    return Ranking(
        lowest[kept],
        of_class[kept],
        (total - of_class)[kept],
        n_positive - len(found),
        len(scores) - n_positive - (len(ordered) - len(found)),
    )


def edges_among(found: np.ndarray, most: int | None) -> np.ndarray:
    """Distinct values of the ascending ``found``; about ``most`` of them, spread evenly."""
    if most is not None and len(found) > most:
        found = found[np.linspace(0, len(found) - 1, most).round().astype(int)]
    return np.unique(found)


def counts_between(ordered: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(2E + 1,) how many ascending values lie below the first edge, at it, between it and the
    next...

    >>> counts_between(np.array([1, 2, 2, 3, 5]), np.array([2, 4])).tolist()
    [1, 2, 1, 0, 1]
    """
    ends = np.empty(2 * len(edges) + 2, np.int64)
    ends[0], ends[-1] = 0, len(ordered)
    ends[1:-1:2] = np.searchsorted(ordered, edges, "left")
    ends[2:-1:2] = np.searchsorted(ordered, edges, "right")
    return np.diff(ends)


def group_of(scores: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(N,) where each score lies in the order of `counts_between`."""
    return np.searchsorted(edges, scores, "left") + np.searchsorted(edges, scores, "right")


def roc_auc(
    positive: np.ndarray,
    negative: np.ndarray,
    lost_positive: np.ndarray | int = 0,
    lost_negative: np.ndarray | int = 0,
) -> np.ndarray:
    """Area under the ROC curve (...) of counts (..., G), highest scores first.

    The share of pairs of a positive and a negative in which the positive scores higher; equal
    scores count half, a pair with a lost sample counts as lost. NaN without pairs. Hanley and
    McNeil, Radiology 143 (1982).
    """
    negatives = negative.sum(-1)
    below = negatives[..., None] - np.cumsum(negative, -1)
    won = (positive * (below + 0.5 * negative)).sum(-1)
    return _share(won, (positive.sum(-1) + lost_positive) * (negatives + lost_negative))


def average_precision(
    positive: np.ndarray, negative: np.ndarray, lost_positive: np.ndarray | int = 0
) -> np.ndarray:
    """Average precision (...) of counts (..., G): the sum of (R_g - R_{g-1}) P_g, no interpolation.

    Lost positives stay in the recall's denominator. NaN without positives.
    """
    precision, _ = precision_recall(positive, negative, lost_positive)
    found = (positive * np.nan_to_num(precision)).sum(-1)
    return _share(found, positive.sum(-1) + lost_positive)


def precision_recall(
    positive: np.ndarray, negative: np.ndarray, lost_positive: np.ndarray | int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall (..., G) when everything down to each group is flagged."""
    found = np.cumsum(positive, -1)
    flagged = found + np.cumsum(negative, -1)
    total = positive.sum(-1) + lost_positive
    return _share(found, flagged), _share(found, np.asarray(total)[..., None])


def best_precision(
    positive: np.ndarray, negative: np.ndarray, recalls: np.ndarray, lost_positive: np.ndarray | int
) -> np.ndarray:
    """(..., R) precision where the curve first reaches each recall; NaN where it never does."""
    precision, recall = precision_recall(positive, negative, lost_positive)
    if not precision.shape[-1]:
        return np.full((*precision.shape[:-1], len(recalls)), np.nan)
    flat_p, flat_r = (
        precision.reshape(-1, precision.shape[-1]),
        recall.reshape(-1, recall.shape[-1]),
    )
    out = np.full((len(flat_p), len(recalls)), np.nan)
    for row, (p, r) in enumerate(zip(flat_p, flat_r, strict=True)):
        at = np.searchsorted(r, recalls - 1e-12)
        reached = at < len(r)
        out[row, reached] = p[at[reached]]
    return out.reshape(*precision.shape[:-1], len(recalls))


def recall_reached(
    positive: np.ndarray, negative: np.ndarray, precision: float, lost_positive: np.ndarray | int
) -> tuple[np.ndarray, np.ndarray]:
    """The greatest recall (...) at which precision is at least ``precision``, and its group.

    Of groups of equal recall the first. (0, -1) where no threshold reaches that precision.
    """
    p, r = precision_recall(positive, negative, lost_positive)
    if not p.shape[-1]:
        return np.zeros(p.shape[:-1]), np.full(p.shape[:-1], -1)
    fits = np.where((p >= precision - 1e-12) & (r > 0), r, -1.0)
    group = fits.argmax(-1)
    best = np.take_along_axis(fits, group[..., None], -1)[..., 0]
    return np.maximum(best, 0.0), np.where(best >= 0, group, -1)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
