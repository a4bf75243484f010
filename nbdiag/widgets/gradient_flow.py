"""GradientFlow: do all layers learn?"""

from __future__ import annotations

from typing import Any

from nbdiag.measures.recording import Rows
from nbdiag.widgets.run_view import RunInstrument
from nbdiag.wire.gradient_flow import draw


def _arrays(rows: Rows) -> dict[str, Any]:
    return {
        "steps": rows.steps,
        "norms": rows.grad_norm,
        "weights": rows.weight_norm,
        "status": rows.status,
    }


class GradientFlow(RunInstrument):
    """Do all layers learn? The gradient norm of every layer, live and over the whole training.

    Bars show the norm that the optimizer is about to use, on a log axis; the heat map beside them
    keeps its history, layer by step, with a scrubber and a replay. Pause, resume and "sample
    every" act while the training cell is still running.

    Parameters
    ----------
    source : a `Run` from ``nd.watch(model, optimizer)``, or an ``nn.Module``: its run if it is
        being watched already, else it is watched from now on, through whichever ``torch.optim``
        optimizer steps its parameters.

    Attributes
    ----------
    run : the `Run` that is shown; ``flow.run.findings()`` gives the diagnoses.

    Raises
    ------
    TypeError : when the source is neither.
    ValueError : when the model has no parameters.
    """

    stem = "gradient_flow"
    codes = "gradient."
    title = "Gradient flow"

    def begin(self) -> None:
        self._sent = len(self.run.recording)
        self._thinned = self.run.recording.thinned

    def increment(self) -> dict[str, Any] | None:
        rows = self.run.recording.rows(self._sent)
        if rows.thinned != self._thinned:  # row numbers have changed: send all of them
            rows = self.run.recording.rows()
            self._thinned = rows.thinned
        if not len(rows.steps):
            return None
        self._sent = rows.start + len(rows.steps)
        return {"start": rows.start, **_arrays(rows)}

    def history(self) -> dict[str, Any]:
        rows = self.run.recording.sketch(head=100, middle=1000, tail=400)
        return {"start": 0, "total": len(self.run.recording), **_arrays(rows)}

    def describe(self) -> dict[str, Any]:
        layers = [
            {
                "name": layer.name,
                "kind": layer.kind,
                "size": layer.size,
                "parameters": list(layer.parameters),
            }
            for layer in self.run.recording.layers
        ]
        return {**super().describe(), "layers": layers}

    def picture(self) -> bytes:
        rows = self.run.recording.sketch()
        return draw(
            source=self.run.model_name,
            layers=[layer.name for layer in self.run.recording.layers],
            findings=self.own_findings(),
            **_arrays(rows),
        )
