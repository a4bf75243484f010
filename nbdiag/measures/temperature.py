"""By which temperature should the logits be divided, so that confidence means something?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.logit_scale import MASKED, Scaled, Slope, blocks
from nbdiag.measures.outputs import softmax
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.result import Result, table_behind
from nbdiag.measures.same_samples import SAME_FROM, Fingerprint

COLDEST, HOTTEST = 0.01, 100.0
"""Temperatures between which a fit looks."""
_FIRST_LOOK = 400_000  # numbers; where there are many more, some rows say where to start
_STEPS, _POLISH = 200, 6
_POINTS = 61  # of the curve that a figure shows
_CLOSE = 1e-5  # relative, of 1/T: the next step would be its square
_Z = 1.959963984540054
SAME_DATA = SAME_FROM
"""From this share of samples that the fit has seen, an evaluation is in-sample."""


@dataclass(frozen=True, repr=False)
class Temperature(Result):
    """The temperature that the logits are divided by; one number for all classes and samples.

    Attributes
    ----------
    value : T. Above 1 the model was overconfident and gets softer, below 1 it gets surer.
    nll_before, nll_after : mean negative log-likelihood of the ``n`` samples at 1 and at ``value``.
    n : samples with finite logits that it was fitted on.
    low, high : 95 % interval, NaN where the fit ended at a bound.
    standard_error : of ``value``, by the sandwich formula, which does not take the model for true.
    bound : ``"low"`` or ``"high"`` where NLL goes on falling to the end of the range searched.
    note : what a reader must know besides, in one sentence.

    The prediction does not change, only the confidence. Guo et al., On Calibration of Modern
    Neural Networks (2017).

    >>> Temperature(2.0)
    Temperature above 1: overconfident before
    """

    figure_stem: ClassVar[str] = "temperature"

    value: float
    nll_before: float = math.nan
    nll_after: float = math.nan
    n: int = 0
    low: float = math.nan
    high: float = math.nan
    standard_error: float = math.nan
    bound: str = ""
    note: str = ""
    n_nonfinite: int = 0
    _seen: Fingerprint | None = field(default=None, compare=False)
    _some: Scaled | None = field(default=None, compare=False)
    _given: Any = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value > 0):
            raise ValueError(f"a temperature must be a number above 0, got {self.value!r}")

    def apply(self, predictions: Predictions) -> Predictions:
        """The same predictions with their logits divided by `value`; the predicted classes stay."""
        return at_temperature(predictions, self.value)

    def share_seen(self, predictions: Predictions) -> float:
        """Share of these samples that it was fitted on: same target, same output.

        Whatever their order and ids. NaN where the samples of the fit are not known.
        """
        return math.nan if self._seen is None else self._seen.share(predictions)

    @cached_property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Temperatures around `value` and 1, and the mean NLL at each, both (K,).

        Of many samples some are asked, so that the values differ a little from `nll_before` and
        `nll_after`. Raises ValueError where the samples of the fit are not known.
        """
        if self._some is None:
            raise ValueError(
                "this temperature was not fitted, so there is no curve of its NLL: "
                "nd.fit_temperature(validation) fits one"
            )
        first, last = min(self.value, 1.0) / 4, max(self.value, 1.0) * 4
        grid = np.union1d(np.geomspace(first, last, _POINTS), [1.0, self.value])
        return grid, np.array([self._some.nll(float(one)) for one in grid])

    def columns(self) -> Mapping[str, Any]:
        """One row."""
        names = ("low", "high", "standard_error", "nll_before", "nll_after", "n", "bound")
        return {"temperature": [self.value], **{name: [getattr(self, name)] for name in names}}

    def metadata_given(self) -> Any:
        return self._given

    @property
    def told(self) -> str:
        """Which way the model erred, where the interval leaves no doubt."""
        if self.bound == "low":
            return "at its lower bound"
        if self.bound == "high":
            return "at its upper bound"
        if self.value == 1 and math.isnan(self.low):
            return "1"
        if self.low <= 1 <= self.high or self.value == 1:
            return "not told apart from 1: confidence was about right before"
        if self.value > 1:
            return "above 1: overconfident before"
        return "below 1: underconfident before"

    def __repr__(self) -> str:
        """Only what other machines would print too."""
        fitted = f", fitted on {self.n} samples" if self.n else ""
        note = f" ({self.note})" if self.note else ""
        return f"Temperature {self.told}{fitted}{note}"


def fit_temperature(predictions: Predictions) -> Temperature:
    """Fit the temperature that makes the true classes of held-out samples most likely.

    Fit it on a split that the model was not trained on, and judge it on a third one:
    ``nd.Calibration(test, temperature=nd.fit_temperature(validation))``.

    The mean NLL is convex in 1/T; its only minimum is found by Newton's method in float64, kept
    within a shrinking bracket (0.01 to 100). Logits are used as they are. Where only probabilities
    are known, their logarithms are: a softmax turns them back exactly.

    Raises
    ------
    TypeError : for anything but `Predictions`.
    ValueError : for fewer than 2 samples with finite outputs, and where a probability or a true
        class's is 0 for good.
    """
    if not isinstance(predictions, Predictions):
        raise TypeError(
            f"expected Predictions from nd.predict(model, data), got {type(predictions).__name__}"
        )
    scaled = Scaled.of(predictions)
    if len(scaled) < 2:
        raise ValueError(
            f"a temperature needs 2 samples with finite outputs or more, got {len(scaled)}"
        )
    reason = unscalable(predictions)
    if reason:
        raise ValueError(reason)
    before = scaled.slope(1.0)
    inverse, slope, bound = _minimum(scaled, before)
    # Newton's last step is not evaluated: what it brings is known to second order.
    gain = 0.0 if bound or slope.second == 0 else slope.first**2 / (2 * slope.second)
    value, after = 1 / inverse, slope.nll - gain
    if after > before.nll:  # at 1 to the last bit
        value, after = 1.0, before.nll
    if bound or slope.second == 0:
        error, low, high = math.nan, math.nan, math.nan
    else:
        relative = math.sqrt(slope.square / len(scaled)) / (slope.second * inverse)
        error, factor = value * relative, math.exp(min(_Z * relative, 700))
        low, high = value / factor, value * factor
    return Temperature(
        value,
        before.nll,
        after,
        len(scaled),
        low,
        high,
        error,
        bound,
        _remark(predictions, slope, bound),
        predictions.n_nonfinite,
        Fingerprint(predictions),
        _part(scaled),
        table_behind(predictions),
    )


def _part(scaled: Scaled) -> Scaled:
    """So many of the samples as are looked at first."""
    count = max(2, _FIRST_LOOK // scaled.n_classes)
    if count >= len(scaled):
        return scaled
    return scaled.take(np.random.default_rng(0).choice(len(scaled), count, replace=False))


def unscalable(predictions: Predictions) -> str:
    """Why no temperature can be fitted to these outputs; empty where one can."""
    if predictions.logits is None:
        told = predictions.probabilities
        finite = predictions.finite
        # fmin passes over NaN, so that a million rows need not be copied
        if float(np.fmin.reduce(told, axis=None)) > 0:
            return ""
        zero = int(((told <= 0).any(axis=1) & finite).sum())
        if zero:
            return (
                f"{zero:,} of {int(finite.sum()):,} samples have a probability of exactly 0, whose "
                "logit is lost: 0 stays 0 at every temperature. Predict with logits "
                '(output="logits"), or with probabilities that are not rounded to 0'
            )
        return ""
    rows = np.arange(len(predictions))
    own = predictions.logits[rows, predictions.targets]
    never = int((np.isneginf(own) & predictions.finite).sum())
    if never:
        return (
            f"{never:,} samples have a logit of -infinity for their true class: the class was "
            "masked out, and no temperature makes it likely. Leave them out: "
            "predictions.take(rows)"
        )
    return ""


def _minimum(scaled: Scaled, before: Slope) -> tuple[float, Slope, str]:
    """1/T where the mean NLL is least, the slope there, and the bound it ended at, if any."""
    if scaled.scores.size > 4 * _FIRST_LOOK:
        some = _part(scaled)
        at, _, bound = _search(some, some.slope(1.0))
        if bound:
            slope = scaled.slope(at)
            if (slope.first <= 0) == (bound == "low") and slope.first != 0:
                return at, slope, bound
        for _ in range(0 if bound else _POLISH):
            slope = scaled.slope(at)
            step = slope.first / slope.second
            if abs(step) > at / 2:
                break
            at -= step
            if abs(step) < _CLOSE * at:
                return at, slope, ""
    return _search(scaled, before)


def _search(scaled: Scaled, before: Slope) -> tuple[float, Slope, str]:
    """As `_minimum`: Newton's method in a bracket that is halved, in log T, where it strays."""
    low, high = 1 / HOTTEST, 1 / COLDEST
    at_low, at_high = scaled.slope(low), scaled.slope(high)
    if at_low.first == at_low.second == 0:  # every temperature gives the same
        return 1.0, before, ""
    if at_high.first <= 0:
        return high, at_high, "low"
    if at_low.first >= 0:
        return low, at_low, "high"
    at, slope, width = 1.0, before, math.inf
    for _ in range(_STEPS):
        low, high = (low, at) if slope.first > 0 else (at, high)
        step = slope.first / slope.second if slope.second > 0 else math.inf
        if abs(step) < _CLOSE * at:
            return at - step, slope, ""
        moved = at - step
        if not low < moved < high or abs(step) > width / 2:
            moved = math.sqrt(low * high)
        at, width = moved, abs(moved - at)
        slope = scaled.slope(at)
    return at, slope, ""


def _remark(predictions: Predictions, slope: Slope, bound: str) -> str:
    parts = []
    if predictions.logits is None:
        parts.append("fitted on the logarithms of the probabilities, as no logits are known")
    if predictions.n_nonfinite:
        parts.append(f"{predictions.n_nonfinite:,} samples that are not finite are left out")
    if bound == "low":
        parts.append(
            "NLL goes on falling towards T = 0: every one of these samples is right, so they do "
            "not tell how sure is too sure"
        )
    elif bound == "high":
        parts.append(
            "NLL goes on falling as T grows: on these samples the logits are no better than a guess"
        )
    elif slope.second == 0:
        parts.append("the logits of each sample are all equal: no temperature changes anything")
    return "; ".join(parts)


def at_temperature(predictions: Predictions, temperature: float) -> Predictions:
    """`Predictions` with the logits divided by the temperature; everything else is kept.

    Predicted classes and accuracy stay as they are, to the last sample. Without logits, the
    logarithms of the probabilities are divided.
    """
    if temperature == 1:
        return predictions
    scaled = Scaled.of(predictions, np.arange(len(predictions)))
    given = predictions.logits
    kind = np.float64 if given is None or given.dtype != np.float32 else np.float32
    logits = np.full(predictions.probabilities.shape, np.nan, kind)
    probabilities = np.full(logits.shape, np.nan, predictions.probabilities.dtype)
    places = np.flatnonzero(predictions.finite)
    for part in blocks(len(scaled), scaled.n_classes):
        below = scaled.below_best(part).T
        masked = below <= MASKED
        below /= temperature
        best = scaled.predicted[part]
        rows = np.arange(len(best))
        divided = below.astype(kind)
        # Rounding may bring a close second level with the best, and the first of equals wins.
        level = divided.argmax(axis=1) != best
        divided[rows[level], best[level]] = np.nextafter(kind(0), kind(1))
        divided[masked] = -np.inf
        logits[places[part]] = divided
        probabilities[places[part]] = softmax(below)
    note = (
        "softened by temperature scaling" if temperature > 1 else "sharpened by temperature scaling"
    )
    return replace(
        predictions,
        probabilities=probabilities,
        logits=logits,
        note="; ".join(part for part in (predictions.note, note) if part),
    )
