"""GradientFlow: do all layers learn?"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from nbdiag.widgets.base import Handler, Reply
from nbdiag.widgets.layer_view import LayerInstrument
from nbdiag.wire.gradient_flow import draw


class GradientFlow(LayerInstrument):
    """Do all layers learn? The gradient norm of every layer, live and over the whole training.

    Bars show the norm that the optimizer is about to use, on a log axis; the heat map beside them
    keeps its history, layer by step, with a scrubber and a replay. Where the loop clips, a tick
    shows the norm before clipping. A click on a layer opens the histograms of its gradient over
    time. Pause, resume and "sample every" act while the training cell is still running.

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

    columns: ClassVar = {
        "norms": "grad_norm",
        "raw": "grad_norm_raw",
        "weights": "weight_norm",
        "updates": "update_norm",
    }

    def handlers(self) -> dict[str, Handler]:
        return {**super().handlers(), "layer": self._reply_layer}

    def _reply_layer(self, args: dict[str, Any], reply: Reply) -> None:
        layer, layers = args.get("layer"), len(self.run.recording.layers)
        if not isinstance(layer, int) or not 0 <= layer < layers:
            raise ValueError(f"no layer {layer!r} of {layers}")
        rows = self.run.recording.sketch()
        there = ~np.isnan(rows.grad_zeros[:, layer])
        reply(
            {
                "steps": rows.steps[there],
                "zeros": rows.grad_zeros[there, layer],
                "nonfinite": rows.grad_nonfinite[there, layer],
            }
        )

    def picture(self) -> bytes:
        rows = self.run.recording.sketch()
        return draw(
            source=self.run.model_name,
            layers=[layer.name for layer in self.run.recording.layers],
            findings=self.own_findings(),
            steps=rows.steps,
            norms=rows.grad_norm,
            raw=rows.grad_norm_raw,
            status=rows.status,
        )
