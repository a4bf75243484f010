"""Calibration: is it as sure as it should be?"""

from __future__ import annotations

from typing import Any

import traitlets

from nbdiag.measures.calibration import TOP, Reliability
from nbdiag.measures.calibration_study import Study, arrays, axes
from nbdiag.measures.findings import by_severity, text_lines
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.reliability_bins import Strategy
from nbdiag.measures.temperature import Temperature, at_temperature
from nbdiag.sources import as_predictions, model_name
from nbdiag.widgets.base import Handler, Instrument, Reply
from nbdiag.wire.calibration import draw, pack

SWEEP_AT_ONCE = 100_000  # numbers; of more, the curves wait until a browser asks


class Calibration(Instrument):
    """Is it as sure as it should be?

    A reliability diagram with its intervals, its counts and what chance alone would show; a slider
    divides the logits by a temperature, live, with the fitted one marked.

    Parameters
    ----------
    source : `Predictions` from ``nd.predict``, or a model, with its data as second argument.
    temperature : a `Temperature` from ``nd.fit_temperature(validation)``, fitted on another split.
        Without it one is fitted on the predictions shown, and the widget says so: judged on the
        samples of the fit, it looks better than it is.
    bins, strategy, of : as for ``reliability``; all can be changed in the widget.

    Attributes
    ----------
    temperature : float, where the slider stands; assign to move it.
    calibrated : `Predictions` with that temperature applied, for every other tool.
    fitted : the `Temperature` that is marked, or None where none can be fitted.
    reliability : the diagram that is shown; ``figure()`` and ``to_frame()`` are its own.
    selection : ids of the samples in the bin that was clicked.

    Raises
    ------
    TypeError : when the source is neither, or a model comes without data.
    ValueError : for bins, a strategy or a class that do not exist.
    """

    stem = "calibration"

    temperature = traitlets.Float(1.0).tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    diagrams = traitlets.Dict().tag(sync=True)
    curves = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        source: Any,
        data: Any = None,
        *,
        temperature: Temperature | None = None,
        bins: int = 15,
        strategy: Strategy = "equal_width",
        of: str | int = TOP,
    ) -> None:
        if temperature is not None and not isinstance(temperature, Temperature):
            raise TypeError(
                "temperature must come from nd.fit_temperature(validation), got "
                f"{type(temperature).__name__}; to move the slider assign calibration.temperature"
            )
        self.predictions: Predictions = as_predictions(source, data)
        self._name = "" if isinstance(source, Predictions) else model_name(source)
        self._study = Study(self.predictions, temperature, bins, strategy, of)
        self.reliability: Reliability = self._study.at(1.0)
        self.selection: list[Any] = []
        self._judged = self._study.findings()
        super().__init__(
            info=self._info(), findings=[one.to_dict() for one in by_severity(self._judged)]
        )
        self._show()
        if self.predictions.probabilities.size <= SWEEP_AT_ONCE:
            self._sweep()

    @property
    def fitted(self) -> Temperature | None:
        return self._study.fitted

    @property
    def calibrated(self) -> Predictions:
        """The predictions with the slider's temperature applied; they say so in their note."""
        return at_temperature(self.predictions, self.temperature)

    def figure(self, **options: Any) -> Any:
        """What is shown as a Bokeh figure."""
        return self.reliability.figure(**options)

    def to_frame(self) -> Any:
        """What is shown as a dataframe, a row for each bin."""
        return self.reliability.to_frame()

    def show(
        self, *, bins: int = 15, strategy: Strategy = "equal_width", of: str | int = TOP
    ) -> None:
        """Change the diagram as the controls do. Raises ValueError as `reliability`."""
        self._study.choose(bins, strategy, of)
        with self.hold_sync():
            self.curves = {}
            self._show()
        if self.predictions.probabilities.size <= SWEEP_AT_ONCE:
            self._sweep()

    def handlers(self) -> dict[str, Handler]:
        return {
            "temperature": self._on_temperature,
            "settings": self._on_settings,
            "curves": self._on_curves,
            "select": self._on_select,
        }

    def picture(self) -> bytes:
        name = f"{self._name}, " if self._name else ""
        shown = f" Shown at temperature {self.temperature:.3g}." if self.temperature != 1 else ""
        return draw(
            headline=f"{name}{self.reliability.n:,} samples{self._lost()}",
            axes=axes(self.reliability),
            diagram=arrays(self.reliability),
            findings=self.findings,
            note=self._study.advice + shown,
        )

    def summary(self) -> str:
        lines = [f"Calibration of {self.predictions!r}"]
        if self.fitted is not None:
            lines.append(repr(self.fitted))
        if self._study.in_sample:
            lines.append("the temperature was fitted on these same samples (in-sample)")
        return "\n".join([*lines, *text_lines(self._judged)])

    @traitlets.validate("temperature")
    def _possible(self, proposal: Any) -> float:
        try:
            return self._study.check(float(proposal["value"]))
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None

    @traitlets.observe("temperature")
    def _moved(self, _: Any) -> None:
        self._show()

    def _show(self) -> None:
        study = self._study
        self.reliability = study.at(self.temperature)
        x, y = axes(self.reliability)
        with self.hold_sync():
            self.selection = []
            self.settings = {
                "bins": study.bins,
                "strategy": study.strategy,
                "of": -1 if study.number is None else study.number,
                "x": x,
                "y": y,
            }
            self.diagrams = pack([arrays(study.at(1.0)), arrays(self.reliability)])

    def _sweep(self) -> None:
        if not self._study.fixed:
            rows, counted = self._study.rows()
            self.curves = {**pack(rows), "rows": counted}

    def _info(self) -> dict[str, Any]:
        study, fit = self._study, self.fitted
        marked = study.cure
        return {
            "title": "Calibration",
            "source": self._name,
            "samples": len(self.predictions),
            "nonfinite": self.predictions.n_nonfinite,
            "classes": list(self.predictions.class_names),
            "output": "" if self.predictions.output is None else str(self.predictions.output),
            "fixed": study.fixed,
            "advice": study.advice,
            "in_sample": study.in_sample,
            "fitted": None
            if marked is None
            else {
                "value": marked.value,
                "low": marked.low if marked.low == marked.low else None,
                "high": marked.high if marked.high == marked.high else None,
                "n": marked.n,
            },
            "note": "" if fit is None or fit.bound else fit.note,
            "nll": list(study.nll_here()),
        }

    def _lost(self) -> str:
        lost = self.predictions.n_nonfinite
        return f", {lost:,} not finite and left out" if lost else ""

    def _on_temperature(self, args: dict[str, Any], reply: Reply) -> None:
        self.temperature = self._study.check(float(args["value"]))
        reply({"temperature": self.temperature})

    def _on_settings(self, args: dict[str, Any], reply: Reply) -> None:
        of = int(args["of"])
        self._study.choose(int(args["bins"]), args["strategy"], TOP if of < 0 else of)
        with self.hold_sync():
            self.curves = {}
            self._show()
        reply({"bins": len(self.reliability.bins.counts)})

    def _on_curves(self, _: dict[str, Any], reply: Reply) -> None:
        if not self.curves:
            self._sweep()
        reply({"ready": bool(self.curves)})

    def _on_select(self, args: dict[str, Any], reply: Reply) -> None:
        self.selection = []
        if args["bin"] is not None:
            rows = self.reliability.rows(int(args["bin"]))
            self.selection = self.predictions.ids[rows].tolist()
        reply({"selection": len(self.selection)})
