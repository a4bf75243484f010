"""One data set's calibration under study: which diagram, at which temperature, fitted on what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nbdiag.measures.calibration import TOP, Reliability, check_settings, reliability
from nbdiag.measures.calibration_sweep import grid, sweep
from nbdiag.measures.calibration_words import in_words
from nbdiag.measures.findings import Finding
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.reliability_bins import Strategy
from nbdiag.measures.temperature import (
    COLDEST,
    HOTTEST,
    SAME_DATA,
    Temperature,
    fit_temperature,
    unscalable,
)

_KEPT = 8  # diagrams


class Study:
    """The diagrams of some `Predictions`, counted when they are asked for.

    Attributes
    ----------
    fitted : the temperature that was given, or one fitted on the predictions themselves; None
        where there is none, and `no_fit` says why.
    in_sample : it was fitted on these very samples.
    fixed : why the temperature cannot be changed; empty where it can.
    """

    def __init__(
        self,
        predictions: Predictions,
        temperature: Temperature | None,
        bins: int,
        strategy: Strategy,
        of: str | int,
    ) -> None:
        self.predictions = predictions
        self._diagrams: dict[float, Reliability] = {}
        self.choose(bins, strategy, of)
        self.fitted, self.in_sample = temperature, False
        self.no_fit = unscalable(predictions)
        finite = len(predictions) - predictions.n_nonfinite
        zeros = bool(self.no_fit) and predictions.logits is None
        self.fixed = self.no_fit if zeros else ("" if finite else "no sample has a finite output")
        if finite < 2:
            self.no_fit = f"a temperature needs 2 samples with finite outputs, there is {finite}"
        if temperature is not None:
            self.in_sample = bool(temperature.share_seen(predictions) >= SAME_DATA)
        elif not self.no_fit:
            self.fitted, self.in_sample = fit_temperature(predictions), True

    def choose(self, bins: int, strategy: Strategy, of: str | int) -> None:
        """Another diagram; raises ValueError as `reliability`."""
        number = check_settings(self.predictions, bins, strategy, of)
        self.bins, self.strategy, self.number = bins, strategy, number
        self._diagrams.clear()

    def at(self, temperature: float) -> Reliability:
        """The diagram with the logits divided by the temperature."""
        if temperature not in self._diagrams:
            while len(self._diagrams) >= _KEPT:
                del self._diagrams[next(iter(self._diagrams))]
            self._diagrams[temperature] = reliability(
                self.predictions, self.bins, self.strategy, self._of, temperature=temperature
            )
        return self._diagrams[temperature]

    def check(self, temperature: float) -> float:
        """The temperature, if it can be applied; ValueError says why not."""
        if not COLDEST <= temperature <= HOTTEST:
            raise ValueError(
                f"temperature must lie between {COLDEST:g} and {HOTTEST:g}, got {temperature:g}"
            )
        if temperature != 1 and self.fixed:
            raise ValueError(self.fixed)
        return temperature

    @property
    def _of(self) -> str | int:
        return TOP if self.number is None else self.number

    @property
    def cure(self) -> Temperature | None:
        """The fitted temperature, if it is one to use."""
        return None if self.fitted is None or self.fitted.bound else self.fitted

    def rows(self) -> tuple[list[dict[str, Any]], int | None]:
        """Diagrams at a grid of temperatures as `arrays`, and how many samples they rest on."""
        temperatures = grid(None if self.cure is None else self.cure.value)
        found, counted = sweep(self.predictions, self.bins, self.strategy, self._of, temperatures)
        return [arrays(one) for one in found], counted

    def findings(self) -> list[Finding]:
        """Findings of the model as it is, their remedy naming the temperature that was fitted."""
        as_usual = (self.bins, self.strategy, self.number) == (15, "equal_width", None)
        diagram = self.at(1.0) if as_usual else reliability(self.predictions)
        return [replace(one, remedy=f"{self.advice} {one.remedy}") for one in diagram.findings()]

    @property
    def advice(self) -> str:
        """What the fitted temperature is worth, in a sentence or two."""
        fit = self.fitted
        if fit is None:
            return f"No temperature can be fitted: {self.no_fit}."
        if fit.bound:
            return f"No temperature fits: {fit.note}."
        before, after = self.nll_here()
        told = (
            f"Temperature {fit.value:.3g} ({fit.low:.3g} to {fit.high:.3g})"
            if fit.low == fit.low
            else f"Temperature {fit.value:.3g}"
        )
        change = f"NLL {before:.3f} to {after:.3f}"
        if self.in_sample:
            return (
                f"{told} brings {change}, in-sample: it was fitted on these very samples, and "
                "looks better on them than it is."
            )
        where = f"fitted on {fit.n:,} other samples" if fit.n else "as given"
        worse = "" if after <= before else " It makes things worse here: do the two splits differ?"
        return f"{told}, {where}, brings {change} on these.{worse}"

    def nll_here(self) -> tuple[float, float]:
        """Mean NLL of these samples as they are, and at the fitted temperature."""
        fit = self.fitted
        before = self.at(1.0).nll
        if fit is None:
            return before, before
        return before, fit.nll_after if self.in_sample else self.at(fit.value).nll


def axes(diagram: Reliability) -> tuple[str, str]:
    """What a diagram's axes measure."""
    if diagram.of == TOP:
        return "confidence of the predicted class", "share that is right"
    return f"probability said for {diagram.of}", f"share that is {diagram.of}"


def arrays(diagram: Reliability) -> dict[str, Any]:
    """A diagram as plain arrays and words, as `nbdiag.wire.calibration` takes them."""
    floor = diagram.floor
    return {
        "edges": diagram.bins.edges,
        "counts": diagram.bins.counts,
        "confidence": diagram.bins.confidence,
        "observed": diagram.bins.observed,
        "low": diagram.low,
        "high": diagram.high,
        "way": diagram.overconfident(),
        "sure": diagram.sure() != 0,
        "words": in_words(diagram),
        "temperature": diagram.temperature,
        "numbers": {
            "ece": diagram.ece,
            "mce": diagram.mce,
            "mce_bin": float(diagram.bins.worst),
            "brier": diagram.brier,
            "nll": diagram.nll,
            "floor": floor.mean,
            "floor_low": floor.low,
            "floor_high": floor.high,
            "said": diagram.said,
            "true": diagram.true,
            "n": float(diagram.n),
        },
    }
