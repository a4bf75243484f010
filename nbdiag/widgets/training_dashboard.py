"""TrainingDashboard: is this training healthy, from every side?"""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from typing import Any

import ipywidgets

from nbdiag.measures.run import Run
from nbdiag.measures.training_dashboard import Vital, vitals
from nbdiag.sources import as_run
from nbdiag.widgets.activation_stats import ActivationStats
from nbdiag.widgets.gradient_flow import GradientFlow
from nbdiag.widgets.loss_curve import LossCurve
from nbdiag.widgets.run_view import RunInstrument
from nbdiag.widgets.weight_distribution import WeightDistribution
from nbdiag.wire.training_dashboard import draw

_GAP = "10px"
REFRESH_EVERY = 0.5  # seconds: sparklines are read at a glance, not point by point
_NARROWEST = "max(min(100%, 540px), calc(50% - 6px))"  # two columns from about 1,100 pixels on


class Overview(RunInstrument):
    """The head of a dashboard: one header, all findings, the vital signs, one set of controls."""

    stem = "training_dashboard"
    codes = ""
    title = "Training"

    def begin(self) -> None:
        self._step, self._refreshed_at = self.run.step, float("-inf")

    def increment(self) -> dict[str, Any] | None:
        moved, self._step = self.run.step != self._step, self.run.step
        now = time.perf_counter()
        if not moved and self._refreshed_at > float("-inf"):
            return None
        if now - self._refreshed_at < REFRESH_EVERY:
            return {}
        self._refreshed_at = now
        return self.history()

    def history(self) -> dict[str, Any]:
        found = vitals(self.run.recording, self.run.findings())
        return {"vitals": [_packed(name, vital) for name, vital in found]}

    def picture(self) -> bytes:
        return self.picture_with([])

    def picture_with(self, pictures: Sequence[bytes]) -> bytes:
        """The head, and below it the pictures of the parts."""
        return draw(
            source=self.run.model_name,
            step=self.run.step,
            findings=self.own_findings(),
            vitals=self.history()["vitals"],
            pictures=pictures,
        )


def _packed(name: str, vital: Vital) -> dict[str, Any]:
    return {
        "name": name,
        "code": vital.code,
        "severity": vital.severity,
        "worst": vital.worst,
        "findings": vital.findings,
        "label": vital.label,
        "steps": vital.steps,
        "values": vital.values,
    }


class TrainingDashboard(ipywidgets.VBox):
    """Loss, gradients, activations and weights of one training, side by side.

    At the top the state of the training, everything that was found, four vital signs and the
    controls; below it `LossCurve`, `GradientFlow`, `ActivationStats` and `WeightDistribution`, in
    two columns where the page is wide enough. All of them share one recording.

    Parameters
    ----------
    source : a `Run` from ``nd.watch(model, optimizer, loss_fn)``, an ``nn.Module``, or the
        directory that a run was logged to.

    Attributes
    ----------
    run : the `Run` that is shown.
    overview, loss, gradients, activations, weights : the parts; each is a widget of its own.

    Raises
    ------
    TypeError : when the source is none of these.
    """

    # Also without __init__: ipywidgets closes what is collected, half made or not.
    _within: tuple[ipywidgets.Widget, ...] = ()

    def __init__(self, source: Any) -> None:
        self.run: Run = as_run(source)
        self.overview = Overview(self.run)
        self.loss = LossCurve(self.run)
        self.gradients = GradientFlow(self.run)
        self.activations = ActivationStats(self.run)
        self.weights = WeightDistribution(self.run)
        for part in self.parts:
            part.embedded = True
        # Columns and not rows: the parts differ in height, and a row would leave holes.
        columns = [
            ipywidgets.VBox(children, layout={"grid_gap": _GAP, "width": "100%"})
            for children in ([self.loss, self.activations], [self.gradients, self.weights])
        ]
        grid = ipywidgets.GridBox(
            columns,
            layout={
                "grid_template_columns": f"repeat(auto-fit, minmax({_NARROWEST}, 1fr))",
                "grid_gap": _GAP,
                "width": "100%",
            },
        )
        self._within = (self.overview, *self.parts, *columns, grid)
        super().__init__([self.overview, grid], layout={"grid_gap": _GAP, "width": "100%"})

    @property
    def parts(self) -> tuple[RunInstrument, ...]:
        """The four widgets below the head, in order."""
        return self.loss, self.gradients, self.activations, self.weights

    def close(self) -> None:
        """Remove the view; the run itself goes on being recorded until ``run.close()``."""
        for child in self._within:
            child.close()
        super().close()

    def picture(self) -> bytes:
        """PNG of the head and of all parts below each other."""
        return self.overview.picture_with([part.picture() for part in self.parts])

    def summary(self) -> str:
        """The findings and the numbers that are the same on every machine, as plain text."""
        return f"TrainingDashboard of {self.run!r}"

    def __repr__(self) -> str:
        return self.summary()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        answer = super()._repr_mimebundle_(**kwargs)
        data, metadata = answer if isinstance(answer, tuple) else (answer or {}, {})
        data["text/plain"] = self.summary()
        data["image/png"] = base64.b64encode(self.picture()).decode("ascii")
        return data, metadata
