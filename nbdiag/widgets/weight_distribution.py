"""WeightDistribution: do weights drift, explode, collapse, or not move?"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.histograms import KINDS
from nbdiag.widgets.layer_view import LayerInstrument
from nbdiag.wire.weight_distribution import draw


class WeightDistribution(LayerInstrument):
    """Do weights drift, explode, collapse, or not move? Norms, updates and histograms by layer.

    For each layer: the norm of its weights since the first sample, and how much a step changes
    them, as the norm of the update over the norm of the weights, beside the range in which it
    usually lies (1e-4 to 1e-2, a rule of thumb: being outside is no fault by itself). Beside them
    the histograms of one parameter over time, of its weights or of its gradients; a click on a
    layer chooses it. NaN and infinite entries are counted and marked.

    Parameters
    ----------
    source : a `Run` from ``nd.watch(model, optimizer)``, or an ``nn.Module``: its run if it is
        being watched already, else it is watched from now on; or the folder that a run was
        logged to.

    Attributes
    ----------
    run : the `Run` that is shown.

    Raises
    ------
    TypeError : when the source is none of these.
    ValueError : when the model has no parameters.
    """

    stem = "weight_distribution"
    codes = "weight."
    title = "Weight distribution"
    columns: ClassVar = {"weights": "weight_norm", "updates": "update_norm"}

    def history(self) -> dict[str, Any]:
        name = self._first_parameter()
        first: dict[str, Any] = {"parameter": name}
        if name:
            first |= {kind: self.histograms(name, kind) for kind in KINDS}
        return {**super().history(), "first": first}

    def _first_parameter(self) -> str:
        """What a fresh view shows: a layer that a finding names, else the first with a matrix."""
        layers = self.run.recording.layers
        named = {found["subject"] for found in self.own_findings()}
        for layer in layers:
            if layer.name in named:
                return layer.parameters[0]
        matrices = [layer for layer in layers if layer.dims >= 2]
        chosen = (matrices or layers)[:1]
        return chosen[0].parameters[0] if chosen else ""

    def picture(self) -> bytes:
        recording = self.run.recording
        rows = recording.sketch()
        name = self._first_parameter()
        return draw(
            source=self.run.model_name,
            layers=[layer.name for layer in recording.layers],
            findings=self.own_findings(),
            steps=rows.steps,
            weights=rows.weight_norm,
            ratios=_last_known(rows.update_ratio),
            parameter=name,
            histograms=self.histograms(name, "weight") if name else {},
        )


def _last_known(values: np.ndarray) -> np.ndarray:
    """(L,) the newest number of each column of (T, L); NaN for one without any.

    >>> _last_known(np.array([[1.0, np.nan], [np.nan, np.nan]]))
    array([ 1., nan])
    """
    if not len(values):
        return np.full(values.shape[1], np.nan)
    there = ~np.isnan(values)
    last = len(values) - 1 - np.argmax(there[::-1], axis=0)
    return np.where(there.any(axis=0), values[last, np.arange(values.shape[1])], np.nan)
