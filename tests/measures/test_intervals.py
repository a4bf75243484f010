"""Wilson intervals against scipy, and the digits that they support."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from nbdiag.measures.intervals import Proportion, supported, wilson


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 50), (50, 50), (3, 7), (900, 1000)])
def test_wilson_is_scipys(k: int, n: int, confidence: float) -> None:
    oracle = binomtest(k, n).proportion_ci(confidence, method="wilson")
    low, high = wilson(k, n, confidence)
    assert float(low) == pytest.approx(oracle.low, abs=1e-12)
    assert float(high) == pytest.approx(oracle.high, abs=1e-12)


def test_wilson_by_hand() -> None:
    # 5 of 10, z = 1.96: half = z / (1 + z^2/10) * sqrt(0.5 * 0.5 / 10 + z^2/400)
    #                         = 1.96 / 1.38416 * 0.186022 = 0.26341
    low, high = wilson(5, 10)
    assert (float(low), float(high)) == pytest.approx((0.23659, 0.76341), abs=1e-5)


def test_wilson_takes_arrays_and_nothing_counted() -> None:
    low, high = wilson(np.array([0, 3]), np.array([0, 4]))
    assert low.shape == (2,)
    assert (low[0], high[0]) == (0, 1)


def test_all_right_and_all_wrong_end_exactly_at_the_scale() -> None:
    for n in (1, 3, 7, 9, 12, 97, 12345):
        assert float(wilson(n, n)[1]) == 1.0
        assert float(wilson(0, n)[0]) == 0.0


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5)])
def test_impossible_counts(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson(k, n)


def test_impossible_confidence() -> None:
    with pytest.raises(ValueError, match=r"confidence .* got 95"):
        wilson(1, 2, 95)


@pytest.mark.parametrize(
    ("k", "n", "text"),
    [
        (1, 1, "1.0"),  # interval 0.21 to 1: not even one digit, and one is printed
        (0, 3, "0.0"),
        (50, 100, "0.5"),  # half width 0.096
        (900, 1000, "0.9"),  # half width 0.0186
        (9000, 10000, "0.90"),  # half width 0.0059
        (900_000, 1_000_000, "0.900"),  # half width 0.00059
        (1_000_000, 1_000_000, "1.00000"),  # half width 0.0000019
        (0, 0, "unknown"),
    ],
)
def test_digits_that_the_interval_supports(k: int, n: int, text: str) -> None:
    assert supported(k, n) == text
    assert str(Proportion.of(k, n)) == text
