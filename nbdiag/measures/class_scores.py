"""Each class against the rest: every score of every class, and the same over resamples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbdiag.measures import curves
from nbdiag.measures.bootstrap import weights
from nbdiag.measures.predictions import Predictions

METRICS = (
    "precision", "recall", "f1", "roc_auc", "average_precision", "brier", "log_loss", "ece",
)  # fmt: skip
OVERALL = ("accuracy", "balanced_accuracy", "brier", "log_loss", "ece")
BINS = 15  # of equal width, for the expected calibration error; the last is closed
SMALLEST = float(np.finfo(np.float32).eps)  # a probability of 0 counts as this in the log loss
GROUPS = 800  # of equal score that a resampled ranking keeps for a class
SHARED_UP_TO = 2.0e7  # samples x classes: beyond that the rankings of classes are resampled apart
BLOCK = 8.0e6  # samples x classes held at a time


@dataclass(frozen=True)
class Scores:
    """Scores of C classes; with resamples each array has an axis of B behind it.

    Attributes
    ----------
    by_class : name of `METRICS` -> (C,) or (C, B).
    overall : name of `OVERALL` -> () or (B,).
    support, told : (C,) or (C, B) samples of each class, and samples told to be of it.
    """

    by_class: dict[str, np.ndarray]
    overall: dict[str, np.ndarray]
    support: np.ndarray
    told: np.ndarray


def exact(predictions: Predictions) -> tuple[Scores, np.ndarray]:
    """The scores, and what coarse rankings (as resampled) say of AUC and average precision (2, C).

    Precision, recall and F1 are those of the most probable class. A row without a finite answer is
    told to be of no class: its class's recall loses it. In AUC each comparison with it counts as
    lost, in average precision it is never found; Brier score, log loss and ECE, which judge
    probabilities, are taken over the rows that have some.
    """
    table = _Table(predictions, np.float64)
    one = np.ones((1, len(predictions)))
    counted = _counted(table, one)
    judged = _Judge(table, keep=False).of(one)
    classes = predictions.n_classes
    auc, area = np.empty(classes), np.empty(classes)
    coarse = np.empty((2, classes))
    for c, column in table.columns():
        ranking = curves.rank(column, table.targets == c)
        auc[c], area[c] = ranking.roc_auc, ranking.average_precision
        coarse[:, c] = auc[c], area[c]
        if len(ranking.scores) > 2 * GROUPS + 1:
            thin = curves.rank(column, table.targets == c, GROUPS)
            coarse[:, c] = thin.roc_auc, thin.average_precision
    scores = _together(counted, judged, auc[:, None], area[:, None])
    flat = Scores(
        {name: values[:, 0] for name, values in scores.by_class.items()},
        {name: values[0] for name, values in scores.overall.items()},
        scores.support[:, 0],
        scores.told[:, 0],
    )
    return flat, coarse


def resampled(
    predictions: Predictions, resamples: int, seed: int, stratified: bool = False
) -> Scores:
    """The scores of each of B resamples of the samples.

    All scores of all classes come from the same resamples, so that averages have the right
    interval; only beyond `SHARED_UP_TO` numbers the rankings (AUC, average precision) of different
    classes are resampled apart.
    """
    table = _Table(predictions, np.float32)
    n, classes = predictions.probabilities.shape
    shared = n * classes <= SHARED_UP_TO
    rankings = _SharedRankings(table) if shared else None
    judge = _Judge(table, keep=shared)
    parts = []
    strata = predictions.targets if stratified else None
    chunk = None if shared else resamples
    for block in weights(n, resamples, seed, strata, chunk):
        auc, area = rankings.of(block) if rankings is not None else _apart(table, len(block), seed)
        parts.append(_together(_counted(table, block), judge.of(block), auc, area))

    def joined(arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(arrays, axis=-1)

    return Scores(
        {name: joined([part.by_class[name] for part in parts]) for name in METRICS},
        {name: joined([part.overall[name] for part in parts]) for name in OVERALL},
        joined([part.support for part in parts]),
        joined([part.told for part in parts]),
    )


def chance_errors(predictions: Predictions, confidence: float, seed: int = 0) -> np.ndarray:
    """(C + 1,) ECE that a calibrated model with these probabilities stays below, but for chance.

    Of each class and, last, of whole predictions. ECE is a sum of absolute values, so that it is
    above 0 however well a model is calibrated; what comes out below this says nothing. In each bin
    the gap of a calibrated model is about normal, with the variance of its Bernoulli draws.
    """
    table = _Table(predictions, np.float64)
    rows = np.flatnonzero(table.finite)
    spread = np.zeros((table.classes + 1, BINS))
    names = np.arange(table.classes)
    for chosen, part in table.blocks():
        p = part[:, rows]
        code = bins_of(p) + BINS * np.arange(len(p))[:, None]
        sums = np.bincount(code.ravel(), (p * (1 - p)).ravel(), minlength=len(p) * BINS)
        spread[names[chosen]] = sums.reshape(len(p), BINS)
    sure = table.probabilities[rows].max(1).astype(float)
    spread[-1] = np.bincount(bins_of(sure), sure * (1 - sure), minlength=BINS)
    noise = np.abs(np.random.Generator(np.random.PCG64(seed)).normal(size=(BINS, 2000)))
    drawn = np.sqrt(np.maximum(spread, 0)) @ noise / max(1, len(rows))
    return np.quantile(drawn, 0.5 + confidence / 2, axis=1)


class _Table:
    """Predictions by column, read in blocks of classes."""

    def __init__(self, predictions: Predictions, kind: Any) -> None:
        self.kind = kind
        self.probabilities = predictions.probabilities
        self.targets, self.predicted = predictions.targets, predictions.predicted
        self.finite = predictions.finite
        self.classes = predictions.n_classes

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """(k classes, their probabilities (k, N)); NaN throughout in rows without an answer."""
        step = max(1, int(BLOCK / len(self.targets)))
        for start in range(0, self.classes, step):
            part = np.array(self.probabilities[:, start : start + step].T, self.kind, order="C")
            part[:, ~self.finite] = np.nan
            yield slice(start, start + len(part)), part

    def columns(self) -> Iterator[tuple[int, np.ndarray]]:
        for block, part in self.blocks():
            yield from zip(range(block.start, block.stop), part, strict=True)


def _counted(table: _Table, block: np.ndarray) -> tuple[np.ndarray, ...]:
    """Right, told and true samples of each class (C, B)."""
    across = np.ascontiguousarray(block.T)
    right = np.where(table.predicted == table.targets, table.targets, -1)
    counts = []
    for rows in (right, table.predicted, table.targets):
        at = np.flatnonzero(rows >= 0)
        shape = (table.classes, len(rows))
        counts.append(_sums(_sparse(rows[at], at, np.ones(len(at)), shape), across))
    return tuple(counts)


@dataclass(frozen=True)
class _Marks:
    """What is summed up over samples for a block of k classes, rows without an answer left out."""

    classes: slice
    squares: np.ndarray  # (k, n)
    losses: np.ndarray  # (k, n)
    first_gaps: np.ndarray  # (k, n) probability minus truth in the first bin: nearly all of them
    gaps: Any  # sparse (k * BINS, n), of the other bins


class _Judge:
    """Brier score, log loss and ECE of all classes, as sums of weights."""

    def __init__(self, table: _Table, keep: bool) -> None:
        self.table = table
        self.rows = np.flatnonzero(table.finite)
        self.kept = list(self._marks()) if keep else None
        told = table.probabilities[self.rows]
        targets = table.targets[self.rows]
        sure, at = told.max(1).astype(float), np.arange(len(self.rows))
        miss = sure - (table.predicted[self.rows] == targets)
        self.top = _sparse(bins_of(sure), at, miss, (BINS, len(at)), table.kind)
        self.total = log_loss(told[at, targets].astype(float))

    def _marks(self) -> Iterator[_Marks]:
        targets = self.table.targets[self.rows]
        for chosen, part in self.table.blocks():
            p = part[:, self.rows]
            true = targets[None, :] == np.arange(chosen.start, chosen.stop)[:, None]
            gap, bins = p - true, bins_of(p)
            k, i = np.nonzero(bins)
            rows, shape = k * BINS + bins[k, i], (len(p) * BINS, p.shape[1])
            yield _Marks(
                chosen,
                gap * gap,
                log_loss(np.where(true, p, 1 - p)),
                np.where(bins == 0, gap, 0),
                _sparse(rows, i, gap[k, i], shape, self.table.kind),
            )

    def of(self, block: np.ndarray) -> tuple[np.ndarray, ...]:
        """Of each class (C, B), then of all classes together (B,)."""
        held = np.ascontiguousarray(block[:, self.rows].T)
        answered = held.sum(0, dtype=float)
        divisor = np.where(answered > 0, answered, np.nan)
        brier, loss, ece = (np.empty((self.table.classes, len(block))) for _ in range(3))
        for marks in self.kept if self.kept is not None else self._marks():
            brier[marks.classes] = marks.squares @ held
            loss[marks.classes] = marks.losses @ held
            others = _sums(marks.gaps, held).reshape(len(marks.squares), BINS, -1)
            ece[marks.classes] = np.abs(others).sum(1) + np.abs(marks.first_gaps @ held)
        total = self.total @ held
        top = np.abs(_sums(self.top, held)).sum(0)
        each = (brier / divisor, loss / divisor, ece / divisor)
        return (*each, brier.sum(0) / divisor, total / divisor, top / divisor)


def log_loss(told: np.ndarray) -> np.ndarray:
    """-log of the probabilities of what came true; 0 counts as `SMALLEST`, as scikit-learn has it.

    >>> log_loss(np.array([1.0, 0.0])).round(2).tolist()
    [-0.0, 15.94]
    """
    return -np.log(np.clip(told, SMALLEST, 1))


def _sparse(
    rows: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    shape: tuple[int, int],
    kind: Any = np.float32,
) -> Any:
    from scipy.sparse import csr_array

    return csr_array((values.astype(kind), (rows, columns)), shape=shape)


def _sums(matrix: Any, across: np.ndarray) -> np.ndarray:
    return np.asarray(matrix @ across, float)


def bins_of(probabilities: np.ndarray) -> np.ndarray:
    """The bin of each probability: `BINS` of equal width, lower ends in, the last one closed.

    >>> bins_of(np.array([0.0, 0.5, 1.0])).tolist()
    [0, 7, 14]
    """
    return np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)


class _SharedRankings:
    """Rankings of all classes as sums of weights: exact up to `GROUPS` samples of a class."""

    def __init__(self, table: _Table) -> None:
        self.table, self.sizes = table, []
        rows, columns = [], []
        start, answered = 0, np.flatnonzero(table.finite)
        for c, column in table.columns():
            true = table.targets[answered] == c
            scores = column[answered]
            edges = curves.edges_among(np.sort(scores[true]), GROUPS)
            groups = 2 * len(edges) - curves.group_of(scores, edges)  # highest first
            size = 2 * len(edges) + 1
            rows.append(start + groups + size * ~true)
            columns.append(answered)
            lost = np.flatnonzero(~table.finite)
            rows.append(start + 2 * size + (table.targets[lost] != c))
            columns.append(lost)
            self.sizes.append(size)
            start += 2 * size + 2
        at, of = np.concatenate(rows), np.concatenate(columns)
        self.matrix = _sparse(at, of, np.ones(len(at)), (start, len(table.targets)))

    def of(self, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """ROC-AUC and average precision (C, B)."""
        counts = _sums(self.matrix, np.ascontiguousarray(block.T)).T
        auc = np.empty((len(self.sizes), len(block)))
        area, start = np.empty_like(auc), 0
        for c, size in enumerate(self.sizes):
            positive = counts[:, start : start + size]
            negative = counts[:, start + size : start + 2 * size]
            lost = counts[:, start + 2 * size], counts[:, start + 2 * size + 1]
            auc[c] = curves.roc_auc(positive, negative, *lost)
            area[c] = curves.average_precision(positive, negative, lost[0])
            start += 2 * size + 2
        return auc, area


def _apart(table: _Table, resamples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """ROC-AUC and average precision (C, B), each class with resamples of its own."""
    auc = np.empty((table.classes, resamples))
    area = np.empty_like(auc)
    for c, column in table.columns():
        ranking = curves.rank(column, table.targets == c, GROUPS)
        positive, negative, lost = resampled_ranking(ranking, resamples, seed + c)
        auc[c] = curves.roc_auc(positive, negative, lost[:, 0], lost[:, 1])
        area[c] = curves.average_precision(positive, negative, lost[:, 0])
    return auc, area


def resampled_ranking(
    ranking: curves.Ranking, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positive and negative counts (B, G), and lost ones (B, 2), of B plain resamples."""
    lost = np.array([ranking.lost_positive, ranking.lost_negative])
    counts = np.concatenate([ranking.positive, ranking.negative, lost])
    n, size = int(counts.sum()), len(ranking.scores)
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = generator.multinomial(n, counts / n, size=resamples).astype(np.float64)
    return drawn[:, :size], drawn[:, size : 2 * size], drawn[:, 2 * size :]


def _together(
    counted: tuple[np.ndarray, ...],
    judged: tuple[np.ndarray, ...],
    auc: np.ndarray,
    area: np.ndarray,
) -> Scores:
    right, told, support = counted
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = right / told, right / support
        f1 = np.where(support > 0, 2 * right / (support + told), np.nan)
        accuracy = right.sum(0) / support.sum(0)
    by_class = (precision, recall, f1, auc, area, *judged[:3])
    balanced = mean_of_known(recall)
    return Scores(
        dict(zip(METRICS, by_class, strict=True)),
        dict(zip(OVERALL, (accuracy, balanced, *judged[3:]), strict=True)),
        support,
        told,
    )


def mean_of_known(values: np.ndarray, by: np.ndarray | None = None) -> np.ndarray:
    """Mean over the classes (C, ...) that have a value, weighted where ``by`` (C, ...) is given."""
    known = ~np.isnan(values)
    share = known.astype(float) if by is None else np.where(known, by, 0.0)
    total = share.sum(0)
    summed = (np.where(known, values, 0.0) * share).sum(0)
    return np.divide(summed, total, out=np.full(np.shape(total), np.nan), where=total > 0)
