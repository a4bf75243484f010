"""A reliability diagram in words: over- or underconfident, where, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nbdiag.measures.calibration import Reliability


@dataclass(frozen=True)
class Stretch:
    """Neighbouring bins that depart from the diagonal the same way, and not by chance.

    Attributes
    ----------
    over : overconfident, else underconfident.
    too_high : the probability that is said lies above what is true.
    start, stop : confidence where it begins and ends.
    said, true : mean confidence, and share observed, over its ``n`` samples.
    """

    over: bool
    too_high: bool
    start: float
    stop: float
    n: int
    said: float
    true: float

    @property
    def weight(self) -> float:
        return self.n * abs(self.said - self.true)


def stretches(diagram: Reliability, alpha: float = 0.05) -> list[Stretch]:
    """Where a diagram departs from the diagonal for certain, the weightiest first.

    Bins between two that depart the same way are counted in, unless one departs the other way.
    """
    sure, way = diagram.sure(alpha), diagram.overconfident()
    kind = sure * 2 + np.sign(way)  # which side of the diagonal, and what that means
    found = []
    group: list[int] = []
    for number in [*np.flatnonzero(sure).tolist(), -1]:
        if group and (number < 0 or kind[number] != kind[group[0]]):
            found.append(_stretch(diagram, range(group[0], group[-1] + 1), way[group[0]]))
            group = []
        group.append(number)
    return sorted(found, key=lambda one: -one.weight)


def _stretch(diagram: Reliability, numbers: range, way: int) -> Stretch:
    bins, part = diagram.bins, slice(numbers.start, numbers.stop)
    n = int(bins.counts[part].sum())
    said = float(np.nansum((bins.confidence * bins.counts)[part])) / n
    true = int(bins.hits[part].sum()) / n
    start, stop = float(bins.edges[part.start]), float(bins.edges[part.stop])
    return Stretch(way > 0, said > true, start, stop, n, said, true)


def sentence(stretch: Stretch, of: str) -> str:
    """One stretch in words."""
    word = "overconfident" if stretch.over else "underconfident"
    where = f"{_bare(stretch.start)} to {_bare(stretch.stop)} %"
    many = f"{stretch.n:,} sample{'' if stretch.n == 1 else 's'}"
    if of == "top":
        return (
            f"{word.capitalize()} from {where}: it says {percent(stretch.said)} on average there "
            f"and is right in {percent(stretch.true)} of {many}."
        )
    side = "high" if stretch.too_high else "low"
    return (
        f"Too {side} from {where} ({word}): it says {percent(stretch.said)} for {of} on average "
        f"there, and {percent(stretch.true)} of {many} are {of}."
    )


def in_words(diagram: Reliability) -> list[str]:
    """What a diagram shows, in sentences: against chance first, then the stretches."""
    if not diagram.n:
        return ["No sample has a finite output."]
    floor = diagram.floor
    expected = f"{plain(floor.low)} to {plain(floor.high)} at {diagram.n:,} samples"
    against = f"ECE {plain(diagram.ece)}; a perfectly calibrated model shows {expected}."
    found = [sentence(one, diagram.of) for one in stretches(diagram)]
    if found:
        return [*found, against]
    if diagram.beyond_chance:
        return ["More than chance in all, though no single range stands out.", against]
    return ["As well calibrated as these samples can tell.", against]


def plain(number: float) -> str:
    """A small number: three decimals, or two significant digits where that is more.

    >>> plain(0.1234), plain(0.00123), plain(0.0)
    ('0.123', '0.0012', '0')
    """
    return f"{number:.3f}" if number >= 0.01 else f"{number:.2g}"


def percent(share: float) -> str:
    """Three significant digits, and never 100 % or 0 % for what is not all or nothing.

    >>> percent(0.7843), percent(0.99996), percent(1.0), percent(0.0004)
    ('78.4 %', 'above 99.9 %', '100 %', 'below 0.1 %')
    """
    if 0.9995 <= share < 1:
        return "above 99.9 %"
    if 0 < share < 0.0005:
        return "below 0.1 %"
    return f"{_bare(share)} %"


def _bare(share: float) -> str:
    text = f"{100 * share:.1f}"
    return text.removesuffix(".0")
