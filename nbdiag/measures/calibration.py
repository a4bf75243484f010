"""Is a classifier as sure as it should be?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.calibration_words import percent, plain, sentence, stretches
from nbdiag.measures.confidence_scores import Scores, score
from nbdiag.measures.findings import Finding
from nbdiag.measures.intervals import wilson
from nbdiag.measures.logit_scale import Scaled
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.reliability_bins import (
    BINS_AT_MOST,
    STRATEGIES,
    Bins,
    NoiseFloor,
    Strategy,
    assign,
    edges_of,
    noise_floor,
)
from nbdiag.measures.result import Result

TOP = "top"
ALPHA = 0.01  # for all bins together, of a finding
ENOUGH = 50  # samples
LARGE = 0.05  # points of confidence above or below what is true, mean over all samples
DOUBTS = 2.0, 0.02  # or errs so many times as often as it says, and at least so many points
CRITICAL = 0.15


@dataclass(frozen=True, repr=False)
class Reliability(Result):
    """A reliability diagram: what a model says of itself, and what is true, in bins of confidence.

    Attributes
    ----------
    of : ``"top"``: the confidence of the predicted class against accuracy. A class name: the
        probability of that class against its share of the samples.
    bins : edges, counts, hits and mean confidence of B bins.
    low, high : (B,) 95 % Wilson interval of what is observed; 0 and 1 in an empty bin.
    floor : the ECE that a perfectly calibrated model of these confidences would show.
    nll, brier : of all classes, whatever ``of`` is. Brier: 0 to 2, of two classes 0 to 1.
    n, n_nonfinite : samples in the bins, and those without a finite output, which are left out.
    temperature : the logits were divided by it; 1 is the model as it is.
    where : (N,) int32, the bin of each sample, -1 for none.

    Above the diagonal is underconfident, below it overconfident, for ``of="top"``. For a class it
    says that its probability is too low, or too high; an overconfident model lies above in the
    lower half and below in the upper half.

    Guo et al., On Calibration of Modern Neural Networks (2017).
    """

    predictions: Predictions = field(compare=False)
    of: str
    strategy: Strategy
    temperature: float
    bins: Bins = field(compare=False)
    low: np.ndarray = field(compare=False)
    high: np.ndarray = field(compare=False)
    floor: NoiseFloor
    nll: float
    brier: float
    n: int
    n_nonfinite: int
    where: np.ndarray = field(compare=False)

    figure_stem: ClassVar[str] = "calibration"

    @property
    def ece(self) -> float:
        """Expected calibration error: mean absolute gap, bins weighted by their samples."""
        return self.bins.ece

    @property
    def mce(self) -> float:
        """Maximum calibration error: the largest gap of a bin, however few samples it holds."""
        return self.bins.mce

    @property
    def said(self) -> float:
        """Mean confidence over all samples."""
        return _ratio(np.nansum(self.bins.confidence * self.bins.counts), self.n)

    @property
    def true(self) -> float:
        """Share of all samples that is right, or of the class."""
        return _ratio(int(self.bins.hits.sum()), self.n)

    @property
    def beyond_chance(self) -> bool:
        """Whether the ECE lies above what 97.5 % of perfectly calibrated models would show."""
        return bool(self.ece > self.floor.high)

    def sure(self, alpha: float = 0.05) -> np.ndarray:
        """(B,) int: 1 where a bin says more than is true, -1 where less, 0 where chance may be it.

        Exact binomial tails, shared out over the bins (Bonferroni). Samples of a bin differ in
        confidence, which makes their count scatter less than a binomial one: the test is careful.
        """
        full = self.bins.counts > 0
        level = alpha / (2 * max(1, int(full.sum())))
        below, above = _tails(self.bins.hits, self.bins.counts, self.bins.confidence)
        return np.where(full & (below < level), 1, np.where(full & (above < level), -1, 0))

    def overconfident(self) -> np.ndarray:
        """(B,) int: 1 where the gap of a bin means overconfidence, -1 underconfidence, 0 neither.

        For a class, probabilities too low are overconfident in the lower half: surer of "no" than
        is true.
        """
        gap = np.nan_to_num(self.bins.gap)
        if self.of == TOP:
            return np.sign(gap).astype(int)
        return (np.sign(gap) * np.where(self.bins.confidence < 0.5, -1, 1)).astype(int)

    def rows(self, number: int) -> np.ndarray:
        """Row positions of the samples in a bin. Raises IndexError for a bin that is not there."""
        if not 0 <= number < len(self.bins.counts):
            raise IndexError(f"no bin {number}: there are {len(self.bins.counts)}")
        return np.flatnonzero(self.where == number)

    def findings(self) -> list[Finding]:
        """Over- and underconfidence of the top label, where it is no chance and large."""
        return judged(self) if self.of == TOP else []

    def columns(self) -> Mapping[str, Any]:
        """A row for each bin; ``beyond_chance`` says where a single bin departs for certain."""
        bins, sure, way = self.bins, self.sure(), self.overconfident()
        words = {1: "overconfident", -1: "underconfident", 0: ""}
        return {
            "from": bins.edges[:-1],
            "to": bins.edges[1:],
            "n": bins.counts,
            "confidence": bins.confidence,
            "observed": bins.observed,
            "low": self.low,
            "high": self.high,
            "gap": bins.gap,
            "direction": [words[int(one)] for one in way],
            "beyond_chance": sure != 0,
        }

    def __repr__(self) -> str:
        """Only what other machines would print too."""
        what = "the top label" if self.of == TOP else f"class {self.of}"
        shape = "of equal width" if self.strategy == "equal_width" else "of equal mass"
        parts = [f"Reliability of {what}: {self.n} samples"]
        parts.append(f"{len(self.bins.counts)} bins {shape}")
        if self.n_nonfinite:
            parts.append(f"{self.n_nonfinite} not finite, left out")
        lines = [", ".join(parts), *(f"  {one.severity}: {one.code}" for one in self.findings())]
        return "\n".join(lines)


def reliability(
    predictions: Predictions,
    bins: int = 15,
    strategy: Strategy = "equal_width",
    of: str | int = TOP,
    *,
    temperature: float = 1.0,
) -> Reliability:
    """Count a reliability diagram.

    Parameters
    ----------
    bins : how many; of ``"equal_mass"`` there are fewer where confidences are tied.
    strategy : ``"equal_width"`` over 0 to 1, or ``"equal_mass"``, as many samples in each.
    of : ``"top"`` for the predicted class, or a class by name or number.
    temperature : divide the logits by it first.

    >>> told = Predictions(targets=[0, 0, 1, 1], probabilities=[[0.9, 0.1]] * 4)
    >>> diagram = reliability(told, bins=10)
    >>> print(f"{diagram.ece:.2f} {diagram.bins.counts[9]} {diagram.bins.observed[9]}")
    0.40 4 0.5

    Raises
    ------
    TypeError : for anything but `Predictions`.
    ValueError : for no bins or too many, a strategy or a class that does not exist.
    """
    number = check_settings(predictions, bins, strategy, of)
    scores = score(Scaled.of(predictions), temperature, number)
    return diagram_of(predictions, scores, bins, strategy, number, temperature)


def check_settings(predictions: Any, bins: int, strategy: str, of: str | int) -> int | None:
    """The number of the class asked about, None for the top label; raises as `reliability`."""
    if not isinstance(predictions, Predictions):
        raise TypeError(
            f"expected Predictions from nd.predict(model, data), got {type(predictions).__name__}"
        )
    if isinstance(bins, bool) or not isinstance(bins, int | np.integer):
        raise ValueError(f"bins must be a whole number, got {bins!r}")
    if not 1 <= bins <= BINS_AT_MOST:
        raise ValueError(f"bins must lie between 1 and {BINS_AT_MOST}, got {bins}")
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy must be one of {STRATEGIES}, got {strategy!r}")
    if isinstance(of, str):
        if of == TOP:
            return None
        if of in predictions.class_names:
            return predictions.class_names.index(of)
    elif isinstance(of, int | np.integer) and 0 <= of < predictions.n_classes:
        return int(of)
    known = ", ".join(predictions.class_names[:20])
    raise ValueError(f'of must be "top" or a class, got {of!r}; classes: {known}')


def diagram_of(
    predictions: Predictions,
    scores: Scores,
    bins: int,
    strategy: Strategy,
    number: int | None,
    temperature: float,
    *,
    share: float = 1.0,
    **floor: int,
) -> Reliability:
    """A diagram of scores that are there already.

    Where they are only a ``share`` of all samples, counts are scaled up, and ``where`` is empty.
    """
    edges = edges_of(scores.confidence, bins, strategy)
    where = assign(scores.confidence, edges)
    found = Bins.count(scores.confidence, scores.hit, edges, where)
    chance = noise_floor(scores.confidence, where, share=share, **floor)
    if share < 1:
        found = found.scaled(1 / share)
    low, high = wilson(found.hits, found.counts)
    every = np.full(0 if share < 1 else len(predictions), -1, np.int32)
    if share == 1:
        every[predictions.finite] = where
    every.flags.writeable = False
    return Reliability(
        predictions,
        TOP if number is None else predictions.class_names[number],
        strategy,
        temperature,
        found,
        low,
        high,
        chance,
        scores.nll,
        scores.brier,
        int(found.counts.sum()),
        predictions.n_nonfinite,
        every,
    )


def judged(diagram: Reliability) -> list[Finding]:
    """``calibration.overconfident`` and ``calibration.underconfident`` of a top-label diagram.

    Of fewer than `ENOUGH` samples nothing is concluded. Three things must hold: the ECE lies above
    the noise floor; the bins that depart for certain (exact tails, shared out over the bins), or
    all samples as one bin, say so; and the effect is large: `LARGE` points of confidence, or erring
    twice as often as it says.
    """
    if diagram.n < ENOUGH or not diagram.beyond_chance:
        return []
    bins, weight = diagram.bins, diagram.bins.counts / diagram.n
    sure, gap = diagram.sure(ALPHA), np.nan_to_num(diagram.bins.gap)
    below, above = _tails(bins.hits.sum(), diagram.n, diagram.said)
    found = []
    for way, tail in ((1, below), (-1, above)):
        overall = way * (diagram.said - diagram.true) if tail < ALPHA / 2 else 0.0
        effect = max(float((weight * way * gap)[sure == way].sum()), overall)
        times, points = DOUBTS
        errs, says = 1 - diagram.true, 1 - diagram.said
        doubtful = way == 1 and overall >= points and errs >= times * says
        if effect >= LARGE or doubtful:
            found.append(_finding(diagram, way, effect))
    return found


def _finding(diagram: Reliability, way: int, effect: float) -> Finding:
    over = way == 1
    word = "overconfident" if over else "underconfident"
    floor = diagram.floor
    where = [one for one in stretches(diagram, ALPHA) if one.over == over]
    said = sentence(where[0], TOP) if where else (
        f"{word.capitalize()}: it says {percent(diagram.said)} on average and is right in "
        f"{percent(diagram.true)} of {diagram.n:,} samples."
    )  # fmt: skip
    return Finding(
        f"calibration.{word}",
        "critical" if effect >= CRITICAL and over else "warning",
        "top label",
        f"{said} ECE {plain(diagram.ece)}; a perfectly calibrated model shows "
        f"{plain(floor.low)} to {plain(floor.high)}.",
        {
            "effect": effect,
            "confidence": diagram.said,
            "accuracy": diagram.true,
            "ece": diagram.ece,
            "floor_low": floor.low,
            "floor_high": floor.high,
            "samples": diagram.n,
        },
        "Fit a temperature on a held-out split and apply it to the others: "
        "nd.fit_temperature(validation).apply(test). "
        + (
            "Label smoothing, dropout, more data and earlier stopping keep a model from getting so "
            "sure in training."
            if over
            else "Label smoothing, mixup and strong regularisation make a model less sure than it "
            "could be; with them this is to be expected."
        ),
    )


def _tails(hits: Any, counts: Any, chance: Any) -> tuple[Any, Any]:
    """P(X <= hits) and P(X >= hits) of a binomial; NaN where nothing was counted."""
    from scipy.special import bdtr, bdtrc

    chance = np.clip(chance, 0, 1)
    counts = np.asarray(counts)
    hits = np.asarray(hits)
    above = np.where(hits > 0, bdtrc(np.maximum(hits, 1) - 1, counts, chance), 1.0)
    return bdtr(hits, counts, chance), above


def _ratio(part: float, whole: int) -> float:
    return float(part) / whole if whole else float("nan")
