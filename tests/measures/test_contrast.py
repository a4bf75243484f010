"""Exact tests and intervals of a part against the rest, against scipy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from nbdiag.measures.contrast import difference, greater, lift, likelihood_gain, ratio


@pytest.mark.parametrize("total", [1, 2, 7, 40, 3000, 200_000])
def test_greater_is_the_hypergeometric_tail(total: int) -> None:
    rng = np.random.default_rng(total)
    marked = rng.integers(0, total + 1, 60)
    n = rng.integers(0, total + 1, 60)
    k = np.array([rng.hypergeometric(m, total - m, s) for m, s in zip(marked, n, strict=True)])
    k = np.clip(
        k + rng.integers(-3, 4, 60), np.maximum(0, n + marked - total), np.minimum(n, marked)
    )
    expected = stats.hypergeom.sf(k - 1, total, marked, n)
    # scipy sums logs of factorials, which of 200,000 hold nine digits
    np.testing.assert_allclose(greater(k, n, marked, total), expected, rtol=1e-8, atol=1e-300)


def test_greater_is_fishers_one_sided_test() -> None:
    # slice: 8 of 10 wrong; rest: 2 of 20
    p = stats.fisher_exact([[8, 2], [2, 18]], alternative="greater").pvalue
    assert float(greater(8, 10, 10, 30)) == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize(
    ("errors", "n", "marked", "total", "p"),
    [
        (0, 5, 3, 10, 1.0),  # no error: as many or more is certain
        (0, 0, 3, 10, 1.0),  # an empty part
        (3, 10, 3, 10, 1.0),  # all samples
        (0, 4, 0, 10, 1.0),  # all right
        (4, 4, 10, 10, 1.0),  # all wrong
        (1, 1, 1, 2, 0.5),
        (0, 0, 0, 0, 1.0),
    ],
)
def test_edges_of_greater(errors: int, n: int, marked: int, total: int, p: float) -> None:
    assert float(greater(errors, n, marked, total)) == pytest.approx(p)


def test_greater_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="errors of a part"):
        greater(4, 5, 3, 10)


CASES = [(5, 20, 30, 400), (50, 100, 100, 1000), (20, 20, 5, 100), (1, 20, 900, 1000), (2, 9, 1, 8)]


@pytest.mark.parametrize(("a", "n", "b", "m"), [*CASES, (0, 20, 5, 100), (5, 20, 0, 100)])
def test_difference_is_newcombs(a: int, n: int, b: int, m: int) -> None:
    expected = confint_proportions_2indep(a, n, b, m, compare="diff", method="newcomb")
    np.testing.assert_allclose(difference(a, n, b, m), expected, rtol=1e-9)


@pytest.mark.parametrize(("a", "n", "b", "m"), CASES)
def test_ratio_is_near_the_score_interval(a: int, n: int, b: int, m: int) -> None:
    expected = confint_proportions_2indep(a, n, b, m, compare="ratio", method="score")
    if (a, n) == (2, 9):
        assert ratio(a, n, b, m)[0] < 1 < ratio(a, n, b, m)[1]
    else:
        np.testing.assert_allclose(ratio(a, n, b, m), expected, rtol=0.03)


@pytest.mark.parametrize(
    "rates", [(0.3, 0.05, 50, 1000), (0.9, 0.5, 30, 300), (0.02, 0.02, 100, 1000)]
)
def test_ratio_covers_the_truth(rates: tuple[float, float, int, int]) -> None:
    p, q, n, m = rates
    rng = np.random.default_rng(0)
    low, high = ratio(rng.binomial(n, p, 4000), n, rng.binomial(m, q, 4000), m)
    assert np.mean((low <= p / q) & (p / q <= high)) > 0.935


def test_no_samples_tell_nothing() -> None:
    assert [float(end) for end in difference(0, 0, 3, 10)] == [-1, 1]
    assert [float(end) for end in ratio(0, 0, 3, 10)] == [0, np.inf]
    assert [float(end) for end in ratio(3, 10, 0, 0)] == [0, np.inf]


@pytest.mark.parametrize(
    ("k", "n", "marked", "total", "value"),
    [(30, 100, 50, 1000, 6.0), (0, 10, 5, 100, 0.0), (5, 100, 5, 100, 1.0), (4, 4, 4, 8, 2.0)],
)
def test_lift_by_hand(k: int, n: int, marked: int, total: int, value: float) -> None:
    found, low, high = lift(k, n, marked, total)
    assert float(found) == pytest.approx(value)
    assert low <= value + 1e-12
    assert high >= value - 1e-12


def test_lift_of_nothing_is_unknown() -> None:
    assert np.isnan(lift(0, 0, 5, 100)).all()
    assert np.isnan(lift(0, 10, 0, 100)).all()


def test_lift_covers_the_truth() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.binomial(200, 0.3, 4000), rng.binomial(800, 0.1, 4000)
    truth = 0.3 / (0.2 * 0.3 + 0.8 * 0.1)
    ends = [lift(x, 200, x + y, 1000)[1:] for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    low, high = np.array(ends).T
    assert 0.935 < np.mean((low <= truth) & (truth <= high)) < 0.985


def test_the_gain_is_the_g_statistic() -> None:
    table = np.array([[30, 70], [50, 850]])
    expected = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    assert float(likelihood_gain(30, 100, 80, 1000)) == pytest.approx(expected)
    assert float(likelihood_gain(0, 0, 80, 1000)) == 0
