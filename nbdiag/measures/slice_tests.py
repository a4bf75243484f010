"""Which slices are weak for a reason of their own? Tests, and what explains a slice besides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbdiag.measures.contrast import difference, greater, likelihood_gain
from nbdiag.measures.many_tests import holm
from nbdiag.measures.slices import Family

ALPHA = 0.01  # for all slices together (Holm)
EXCESS_AT_LEAST = 0.03  # error rate above the rest's, and its 95 % interval ends above SURELY
SURELY = 0.02
TIMES_AT_LEAST = 1.5  # the rest's error rate, or
FAR = 0.15  # above it, where the rest errs often too
LOOKED_AT = 200  # candidates, in the order of what they explain
REPORTED_AT_MOST = 10
INFORMATIVE = 0.5  # share of a slice's samples whose class occurs outside it too
CLASS_MIX = "its classes"


@dataclass(frozen=True)
class Judged:
    """What the tests say about each of the S slices of a family.

    Attributes
    ----------
    tested : (S,) bool, enough samples inside and outside.
    p_value : (S,) chance of so many errors by luck, against the rest; of a pair also against what
        its two columns explain. NaN where not tested.
    p_adjusted : (S,) the same after Holm's correction over all that were tested.
    weak : slices with a weakness of their own, the telling ones first.
    explained : slice -> what explains its weakness: the title of a weak slice, or `CLASS_MIX`.
    """

    tested: np.ndarray
    p_value: np.ndarray
    p_adjusted: np.ndarray
    weak: tuple[int, ...]
    explained: dict[int, str]


def judge(family: Family, bad: np.ndarray, classes: np.ndarray | None, min_support: int) -> Judged:
    """Test all slices of a family, and tell the weak ones from those that only overlap with them.

    ``bad`` (N,) bool; ``classes`` (N,) the true classes, or None where they say what is bad.
    """
    rest, rest_errors = family.total - family.n, family.total_errors - family.errors
    tested = (family.n >= min_support) & (rest >= min_support)
    p_value = np.full(len(family), np.nan)
    p_value[tested] = greater(
        family.errors[tested], family.n[tested], family.total_errors, family.total
    )
    far = large(family.errors, family.n, rest_errors, rest)
    pairs = np.flatnonzero(tested & family.is_pair)
    p_pairs, far_pairs = _beyond_columns(family, pairs)
    p_value[pairs] = np.maximum(p_value[pairs], p_pairs)
    far[pairs] &= far_pairs
    p_adjusted = holm(p_value)
    with np.errstate(invalid="ignore"):
        candidates = np.flatnonzero((p_adjusted <= ALPHA) & far)
    gain = likelihood_gain(
        family.errors[candidates], family.n[candidates], family.total_errors, family.total
    )
    order = candidates[np.lexsort((family.is_range[candidates], -gain))][:LOOKED_AT]
    weak, explained = _reasons(family, bad, classes, order.tolist())
    return Judged(tested, p_value, p_adjusted, weak, explained)


def large(
    errors: np.ndarray, n: np.ndarray, rest_errors: np.ndarray, rest: np.ndarray
) -> np.ndarray:
    """Whether a slice is so much worse than the rest that it matters.

    >>> def one(*counts): return bool(large(*(np.array([c]) for c in counts))[0])
    >>> one(300, 1000, 100, 1000), one(120, 1000, 100, 1000), one(8, 1000, 1, 1000)
    (True, False, False)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, other = errors / n, rest_errors / rest
    low, _ = difference(errors, n, rest_errors, rest)
    excess = rate - other
    enough = (rate >= TIMES_AT_LEAST * other) | (excess >= FAR)
    return (excess >= EXCESS_AT_LEAST) & (low >= SURELY) & enough


def _beyond_columns(family: Family, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(p, large) of pairs against what both their columns explain.

    The cell must be worse than the rest of its first column's group, than the rest of its second
    one's, and than the two effects together would make it (an interaction of the log odds). Each
    is tested; the largest p of the three counts.
    """
    if not len(pairs):
        return np.empty(0), np.empty(0, bool)
    where = {
        (int(c), int(g)): s
        for s, (c, g) in enumerate(zip(family.column, family.first, strict=True))
        if family.other[s] < 0 and family.first[s] == family.last[s]
    }
    one = np.array([where[int(family.column[s]), int(family.first[s])] for s in pairs])
    two = np.array([where[int(family.other[s]), int(family.cell[s])] for s in pairs])
    n, k = family.n[pairs], family.errors[pairs]
    n_a, k_a = family.n[one] - n, family.errors[one] - k
    n_b, k_b = family.n[two] - n, family.errors[two] - k
    n_0, k_0 = family.total - n - n_a - n_b, family.total_errors - k - k_a - k_b
    p = np.maximum(greater(k, n, k + k_a, n + n_a), greater(k, n, k + k_b, n + n_b))
    p = np.maximum(p, _interaction((k, k_a, k_b, k_0), (n, n_a, n_b, n_0)))
    return p, large(k, n, k_a, n_a) & large(k, n, k_b, n_b)


def _interaction(errors: tuple[np.ndarray, ...], sizes: tuple[np.ndarray, ...]) -> np.ndarray:
    """One-sided p of log odds above the sum of both columns' effects (Wald, Haldane's half)."""
    from scipy.special import ndtr

    log_odds, variance = 0.0, 0.0
    for sign, k, n in zip((1, -1, -1, 1), errors, sizes, strict=True):
        right, wrong = n - k + 0.5, k + 0.5
        log_odds = log_odds + sign * np.log(wrong / right)
        variance = variance + 1 / wrong + 1 / right
    return ndtr(-log_odds / np.sqrt(variance))


def stratified(
    n: np.ndarray, errors: np.ndarray, all_n: np.ndarray, all_errors: np.ndarray
) -> tuple[float, float, float]:
    """Is a slice worse than other samples of the same stratum? ``(p, excess, informative)``.

    (K,) counts of the slice and of all samples in each of K strata. The test is Mantel and
    Haenszel's (J. Natl. Cancer Inst. 22 (1959)), one-sided; ``excess`` is their weighted
    difference of the error rates; ``informative`` the share of the slice's samples in strata that
    have samples outside it too. Without such a stratum: (1, 0, 0).

    A slice of the worse one of two strata, no worse than the others there:

    >>> p, excess, _ = stratified(*(np.array(v) for v in ([5, 50], [0, 25], [100, 100], [5, 50])))
    >>> round(p, 2) >= 0.5, round(excess, 3) <= 0
    (True, True)
    """
    from scipy.special import ndtr

    of_slice, out, out_errors = n.sum(), all_n - n, all_errors - errors
    used = (n > 0) & (out > 0)
    if not used.any():
        return 1.0, 0.0, 0.0
    n, errors, out, out_errors = (part[used].astype(float) for part in (n, errors, out, out_errors))
    total, wrong = n + out, errors + out_errors
    informative = float(n.sum() / of_slice)
    surplus = (errors - n * wrong / total).sum()
    variance = (n * out * wrong * (total - wrong) / (total**2 * np.maximum(total - 1, 1))).sum()
    weight = (n * out / total).sum()
    excess = float(((errors * out - out_errors * n) / total).sum() / weight)
    p = float(ndtr(-surplus / np.sqrt(variance))) if variance > 0 else 1.0
    return p, excess, informative


def _reasons(
    family: Family, bad: np.ndarray, classes: np.ndarray | None, order: list[int]
) -> tuple[tuple[int, ...], dict[int, str]]:
    """Go through the candidates; keep those that are worse for a reason not yet named.

    A candidate must be worse than other samples that lie in the same of the slices named so far
    (what overlaps with, lies in or holds one of them is not named again), and then also worse than
    other samples of the same class, where its classes occur elsewhere.
    """
    weak: list[int] = []
    explained: dict[int, str] = {}
    alpha = ALPHA / max(1, len(order))
    known = _Strata(family, bad, np.zeros(len(bad), np.int64))
    by_class = None if classes is None else _Strata(family, bad, classes)
    for at in order:
        same = next((w for w in weak if _same_column(family, w, at)), None)
        if same is not None:
            explained[at] = family.title(same)
            continue
        p, excess, _ = known.test(at)
        if p > alpha or excess < EXCESS_AT_LEAST:
            explained[at] = _nearest(family, at, weak)
            continue
        if by_class is not None:
            p, excess, informative = by_class.test(at)
            if informative >= INFORMATIVE and (p > alpha or excess < EXCESS_AT_LEAST):
                explained[at] = CLASS_MIX
                continue
        weak.append(at)
        if len(weak) == REPORTED_AT_MOST:
            break
        inside = family.inside(at)
        known = known.split(inside)
        by_class = by_class and by_class.split(inside)
    return tuple(weak), explained


def _same_column(family: Family, weak: int, at: int) -> bool:
    """Whether two ranges of one column overlap: a slope over time is one weakness, not several."""
    if family.other[weak] >= 0 or family.other[at] >= 0:
        return False
    overlap = family.first[at] <= family.last[weak] and family.last[at] >= family.first[weak]
    return bool(family.column[weak] == family.column[at] and overlap)


def _nearest(family: Family, at: int, weak: list[int]) -> str:
    """The weak slice that most of this slice's samples lie in."""
    inside = family.inside(at)
    shared = [np.count_nonzero(inside & family.inside(other)) for other in weak]
    return family.title(weak[int(np.argmax(shared))])


class _Strata:
    """Counts of slices by stratum, kept for each column: a hundred ranges cost as much as one."""

    def __init__(self, family: Family, bad: np.ndarray, strata: np.ndarray) -> None:
        self._family, self._bad, self._strata = family, bad, strata
        self._size = int(strata.max(initial=0)) + 1
        self._all = self._count(strata, self._size)
        self._tables: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def _count(self, codes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        wrong = np.bincount(codes[self._bad], minlength=size)
        return np.bincount(codes, minlength=size), wrong

    def split(self, inside: np.ndarray) -> _Strata:
        """Each stratum in two: inside and outside a slice; empty ones go."""
        codes = self._strata * 2 + inside
        used = np.flatnonzero(np.bincount(codes, minlength=2 * self._size))
        number = np.zeros(2 * self._size, np.int64)
        number[used] = np.arange(len(used))
        return _Strata(self._family, self._bad, number[codes])

    def test(self, at: int) -> tuple[float, float, float]:
        """`stratified` of one slice."""
        family = self._family
        if family.other[at] >= 0:
            inside = np.flatnonzero(family.inside(at))
            codes, wrong = self._strata[inside], self._bad[inside]
            n = np.bincount(codes, minlength=self._size)
            errors = np.bincount(codes[wrong], minlength=self._size)
        else:
            n, errors = self._of_column(int(family.column[at]))
            part = slice(family.first[at], family.last[at] + 1)
            n, errors = n[:, part].sum(axis=1), errors[:, part].sum(axis=1)
        return stratified(n, errors, *self._all)

    def _of_column(self, column: int) -> tuple[np.ndarray, np.ndarray]:
        if column not in self._tables:
            grouping = self._family.groupings[column]
            groups = len(grouping.labels)
            n, errors = self._count(self._strata * groups + grouping.codes, self._size * groups)
            self._tables[column] = n.reshape(-1, groups), errors.reshape(-1, groups)
        return self._tables[column]
