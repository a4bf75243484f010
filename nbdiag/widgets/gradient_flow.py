"""GradientFlow: do all layers learn?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import traitlets

from nbdiag.measures.recording import Rows
from nbdiag.measures.run import Run
from nbdiag.sources import as_run
from nbdiag.widgets.base import Handler, Instrument, Reply
from nbdiag.widgets.notebook import notebook
from nbdiag.wire.arrays import to_wire
from nbdiag.wire.gradient_flow import draw

FINDINGS_EVERY = 1.0  # seconds: judging costs more than drawing, and words should not flicker


def _arrays(rows: Rows) -> dict[str, Any]:
    return {
        "steps": rows.steps,
        "norms": rows.grad_norm,
        "weights": rows.weight_norm,
        "status": rows.status,
    }


class GradientFlow(Instrument):
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

    _unsubscribe: Callable[[], None] = staticmethod(lambda: None)

    live = traitlets.Dict().tag(sync=True)
    snapshot = traitlets.Any(None).tag(sync=True, to_json=lambda _, widget: widget._pack_snapshot())

    def __init__(self, source: Any) -> None:
        self.run: Run = as_run(source)
        self._publishing = threading.Lock()
        self._sent = 0
        self._thinned = self.run.recording.thinned
        self._judged_at = float("-inf")
        self._state = ""
        self._layers = self.run.recording.layers
        super().__init__(info=self._info(), live=self._live())
        self._judge()
        self._sent = len(self.run.recording)
        self._unsubscribe = self.run.subscribe(self._publish)

    def handlers(self) -> dict[str, Handler]:
        commands = {name: partial(self._command, name) for name in ("pause", "resume", "every")}
        return {**commands, "snapshot": lambda _, reply: reply(self._history())}

    def cell_ended(self) -> None:
        self.run.drain()
        self._publish(self.run, settle=True)

    def close(self) -> None:
        """Remove the view; the run itself goes on being recorded until ``run.close()``."""
        self._unsubscribe()
        super().close()

    def picture(self) -> bytes:
        rows = self.run.recording.sketch()
        return draw(
            source=self.run.model_name,
            layers=[layer.name for layer in self.run.recording.layers],
            findings=[finding.to_dict() for finding in self.run.findings()],
            **_arrays(rows),
        )

    def summary(self) -> str:
        return f"GradientFlow of {self.run!r}"

    def _command(self, name: str, args: dict[str, Any], reply: Reply) -> None:
        self.run.request(name, args, lambda _: reply({"live": self._live()}))
        if not notebook.running:
            self.run.drain()  # no cell is running, so no training step will come to do it

    def _live(self) -> dict[str, Any]:
        run = self.run
        return {
            "state": run.state,
            "step": run.step,
            "samples": len(run.recording),
            "every": run.every,
            "stride": run.stride,
            "probe_share": run.probe_share,
            "thinned": run.recording.thinned,
            "controllable": run.state not in ("done", "failed"),
        }

    def _info(self) -> dict[str, Any]:
        return {
            "title": "Gradient flow",
            "source": self.run.model_name,
            "layers": [
                {
                    "name": layer.name,
                    "kind": layer.kind,
                    "size": layer.size,
                    "parameters": list(layer.parameters),
                }
                for layer in self._layers
            ],
        }

    def _judge(self) -> None:
        self.findings = [finding.to_dict() for finding in self.run.findings()]
        self.failures = [
            {"probe": failure.probe, "reason": failure.reason} for failure in self.run.failures
        ]

    def _publish(self, run: Run, settle: bool = False) -> None:
        """Send what is new; called from the training thread, and when a cell has ended."""
        with self._publishing:
            if run.recording.layers is not self._layers:  # the first step tells their order
                self._layers = run.recording.layers
                self.info = self._info()
            rows = run.recording.rows(self._sent)
            if rows.thinned != self._thinned:  # row numbers have changed: send all of them
                rows = run.recording.rows()
                self._thinned = rows.thinned
            live = self._live()
            settled = settle or live["state"] != self._state
            if not settled and not len(rows.steps):
                return
            self._sent = rows.start + len(rows.steps)
            now = time.perf_counter()
            if settled or now - self._judged_at > FINDINGS_EVERY:
                self._judged_at = now
                self._judge()
            if len(rows.steps):
                self.post(kind="append", start=rows.start, live=live, **_arrays(rows))
            if settled:
                self._state = live["state"]
                self.live = live
                # what a reopened page or a saved notebook gets to see
                self.snapshot = self._sent

    def _history(self) -> dict[str, Any]:
        rows = self.run.recording.sketch(head=100, middle=1000, tail=400)
        total = len(self.run.recording)
        return {"start": 0, "total": total, "live": self._live(), **_arrays(rows)}

    def _pack_snapshot(self) -> dict[str, Any]:
        return {
            key: to_wire(value) if key in ("steps", "norms", "weights", "status") else value
            for key, value in self._history().items()
        }
