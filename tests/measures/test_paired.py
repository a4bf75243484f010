"""McNemar's test and Tango's interval against scipy, statsmodels and the definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from scipy.stats import binom, binomtest
from statsmodels.stats.contingency_tables import mcnemar as oracle

from nbdiag.measures.many_tests import holm
from nbdiag.measures.paired import difference_interval, mcnemar

PAIRS = [(0, 0), (0, 1), (1, 0), (1, 1), (7, 1), (3, 3), (12, 2), (0, 9), (200, 150), (2000, 1900)]


@pytest.mark.parametrize(("fixed", "broken"), PAIRS)
def test_exact_p_value(fixed: int, broken: int) -> None:
    theirs = 1.0
    if fixed + broken:
        theirs = oracle([[5, fixed], [broken, 5]], exact=True).pvalue
        assert theirs == pytest.approx(binomtest(fixed, fixed + broken).pvalue)
    assert float(mcnemar(fixed, broken, exact=True)) == pytest.approx(theirs)


@pytest.mark.parametrize(("fixed", "broken"), PAIRS)
def test_mid_p_counts_what_was_seen_by_half(fixed: int, broken: int) -> None:
    n = fixed + broken
    masses = [binom.pmf(k, n, 0.5) for k in range(n + 1)]
    seen = binom.pmf(fixed, n, 0.5)
    rarer = sum(m for m in masses if m < seen * (1 - 1e-9))
    same = sum(m for m in masses if abs(m - seen) <= seen * 1e-9)
    expected = 1.0 if n == 0 else rarer + same / 2
    assert float(mcnemar(fixed, broken)) == pytest.approx(expected)


def test_levels_under_chance() -> None:
    n, share = 200, 0.1  # samples, and how many of them the two models disagree on
    averaged = 0.0
    for differ in range(1, 80):
        k = np.arange(differ + 1)
        masses = binom.pmf(k, differ, 0.5)
        assert masses[mcnemar(k, differ - k, exact=True) < 0.05].sum() <= 0.05
        level = masses[mcnemar(k, differ - k) < 0.05].sum()
        averaged += level * binom.pmf(differ, n, share)
    assert 0.04 < averaged <= 0.05


def likeliest(fixed: int, broken: int, n: int, delta: float) -> float:
    """Score statistic, with the likeliest share of broken found by search and not by formula."""

    def loss(broken_share: float) -> float:
        shares = np.array([broken_share + delta, broken_share])
        rest = 1 - shares.sum()
        counts = np.array([fixed, broken, n - fixed - broken])
        logs = np.log(np.maximum([*shares, rest], 1e-300))
        return -float((counts * logs)[counts > 0].sum())

    low, high = max(0.0, -delta), (1 - delta) / 2
    share = optimize.minimize_scalar(loss, bounds=(low, high), options={"xatol": 1e-12}).x
    variance = n * (2 * share + delta - delta**2)
    return (fixed - broken - n * delta) / np.sqrt(variance)


@pytest.mark.parametrize(
    ("fixed", "broken", "n"), [(7, 1, 21), (1, 7, 21), (12, 9, 60), (3, 3, 10), (40, 25, 1000)]
)
def test_ends_of_the_interval_are_where_the_score_test_turns(
    fixed: int, broken: int, n: int
) -> None:
    low, high = (float(x) for x in difference_interval(fixed, broken, n))
    assert likeliest(fixed, broken, n, low) == pytest.approx(1.959964, abs=1e-3)
    assert likeliest(fixed, broken, n, high) == pytest.approx(-1.959964, abs=1e-3)


@pytest.mark.parametrize(
    ("fixed", "broken", "n", "low", "high"),
    [
        (1, 7, 21, -0.5173, -0.0261),  # as printed by Fagerland, Lydersen and Laake (2014)
        (0, 0, 0, -1, 1),
        (1, 0, 1, -0.5869, 1),
        (0, 0, 100, -0.0370, 0.0370),  # z^2 / (n + z^2): Wilson's for none of n
        (10, 0, 10, 0.4450, 1),
        (0, 10, 10, -1, -0.4450),
    ],
)
def test_literal_intervals(fixed: int, broken: int, n: int, low: float, high: float) -> None:
    assert np.allclose(difference_interval(fixed, broken, n), (low, high), atol=5e-4)


def test_interval_covers() -> None:
    random = np.random.default_rng(0)
    for n, shares in ((30, (0.2, 0.1)), (200, (0.03, 0.05)), (50, (0.02, 0.02))):
        counts = random.multinomial(n, [*shares, 1 - sum(shares)], size=4000)
        low, high = difference_interval(counts[:, 0], counts[:, 1], n)
        true = shares[0] - shares[1]
        assert 0.935 < np.mean((low <= true) & (true <= high)) <= 1


def test_counts_beyond_n_are_refused() -> None:
    with pytest.raises(ValueError, match="do not exceed n"):
        difference_interval(3, 3, 5)


def test_holm_against_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    for p in ([0.01], [0.04, 0.01, 0.03, 0.5], [0.2, 0.2, 0.2], [1.0, 0.0]):
        assert np.allclose(holm(p), multipletests(p, method="holm")[1])
    assert np.allclose(holm([0.02, np.nan, 0.03]), [0.04, np.nan, 0.04], equal_nan=True)
    assert holm([]).tolist() == []
