"""Rankings: areas and curves as scikit-learn has them, by hand, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from nbdiag.measures import curves

NAN = np.nan


def ranked(scores: list[float], positive: list[int], **options: object) -> curves.Ranking:
    return curves.rank(np.array(scores), np.array(positive, bool), **options)  # type: ignore[arg-type]


def test_by_hand() -> None:
    # 0.9+ 0.8- 0.7+ 0.1-: of four pairs three are won; precision 1 at recall 1/2, then 2/3
    ranking = ranked([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0])
    assert ranking.roc_auc == 0.75
    assert ranking.average_precision == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


@pytest.mark.parametrize(
    ("scores", "positive", "auc", "area"),
    [
        ([0.9, 0.1], [1, 0], 1.0, 1.0),  # all right
        ([0.1, 0.9], [1, 0], 0.0, 0.5),  # all wrong
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 0], 0.5, 0.25),  # ties: chance
        ([0.0, 1.0], [0, 1], 1.0, 1.0),  # exactly 0 and 1
        ([0.5], [1], NAN, 1.0),  # one sample
        ([0.5], [0], NAN, NAN),  # the class is absent
        ([NAN, 0.5], [1, 0], 0.0, 0.0),  # a positive without an answer is never found
        ([NAN, 0.5], [0, 1], 0.0, 1.0),  # and a comparison with a lost negative is lost
        ([NAN, NAN], [0, 1], 0.0, 0.0),
        ([np.inf, 0.5], [1, 0], 0.0, 0.0),
    ],
)
def test_edges(scores: list[float], positive: list[int], auc: float, area: float) -> None:
    ranking = ranked(scores, positive)
    assert np.array_equal(ranking.roc_auc, auc, equal_nan=True)
    assert np.array_equal(ranking.average_precision, area, equal_nan=True)


@pytest.mark.parametrize("digits", [1, 2, 8])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_areas_are_those_of_scikit_learn(digits: int, share: float) -> None:
    generator = np.random.default_rng(0)
    positive = generator.random(500) < share
    scores = np.round(generator.normal(size=500) + positive, digits)
    ranking = curves.rank(scores, positive)
    assert ranking.roc_auc == pytest.approx(metrics.roc_auc_score(positive, scores), abs=1e-12)
    area = metrics.average_precision_score(positive, scores)
    assert ranking.average_precision == pytest.approx(area, abs=1e-12)


def test_curve_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    positive = generator.random(300) < 0.3
    scores = np.round(generator.random(300), 2)
    precision, recall, thresholds = curves.rank(scores, positive, every=True).precision_recall()
    p, r, t = metrics.precision_recall_curve(positive, scores)
    assert np.allclose(precision[::-1], p[:-1])
    assert np.allclose(recall[::-1], r[:-1])
    assert np.array_equal(thresholds[::-1], t)


def test_nan_rows_are_the_worst_that_can_be() -> None:
    generator = np.random.default_rng(2)
    positive = generator.random(200) < 0.4
    scores = generator.normal(size=200) + positive
    lost = generator.random(200) < 0.1
    ranking = curves.rank(np.where(lost, NAN, scores), positive)
    worst = np.where(lost, np.where(positive, -9, 9), scores)
    assert ranking.roc_auc == pytest.approx(metrics.roc_auc_score(positive, worst))
    found = metrics.average_precision_score(positive[~lost], scores[~lost])
    share = positive[~lost].sum() / positive.sum()
    assert ranking.average_precision == pytest.approx(found * share)
    assert (ranking.n_positive, ranking.n_negative) == (positive.sum(), (~positive).sum())


def test_thinned_groups_hold_every_sample() -> None:
    generator = np.random.default_rng(3)
    positive = generator.random(20_000) < 0.3
    scores = generator.normal(size=20_000) + positive
    whole, thin = curves.rank(scores, positive), curves.rank(scores, positive, 200)
    assert len(thin.scores) <= 401 < len(whole.scores)
    assert thin.n_positive == whole.n_positive
    assert thin.n_negative == whole.n_negative
    assert thin.roc_auc == pytest.approx(whole.roc_auc, abs=1e-3)
    assert thin.average_precision == pytest.approx(whole.average_precision, abs=3e-3)
    order = np.sort(scores)[::-1]
    ends = np.cumsum(thin.positive + thin.negative)
    assert np.array_equal(thin.scores, order[ends - 1])  # the threshold that takes in the group


def test_groups_of_scores_are_the_groups_that_were_counted() -> None:
    scores = np.array([0.1, 0.5, 0.5, 0.7, 0.9, 0.2])
    edges = np.array([0.2, 0.7])
    at = curves.group_of(scores, edges)
    assert at.tolist() == [0, 2, 2, 3, 4, 1]
    counts = curves.counts_between(np.sort(scores), edges)
    assert np.bincount(at, minlength=5).tolist() == counts.tolist()


def test_best_precision_and_recall_reached() -> None:
    positive, negative = np.array([1, 0, 1, 0]), np.array([0, 1, 0, 1])
    found = curves.best_precision(positive, negative, np.array([0.0, 0.5, 0.6, 1.0]), 0)
    assert np.allclose(found, [1, 1, 2 / 3, 2 / 3])
    lost = curves.best_precision(positive, negative, np.array([0.5, 1.0]), 2)
    assert np.array_equal(lost[0], 2 / 3)  # of four positives two are lost
    assert np.isnan(lost[1])
    for precision, expected in ((1.0, (0.5, 0)), (0.6, (1.0, 2)), (0.9, (0.5, 0))):
        recall, group = curves.recall_reached(positive, negative, precision, 0)
        assert (recall, group) == expected
    recall, group = curves.recall_reached(np.array([0, 1]), np.array([3, 0]), 0.9, 0)
    assert (recall, group) == (0.0, -1)
