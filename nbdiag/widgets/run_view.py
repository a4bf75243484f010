"""What all widgets of one training share: its state, its controls, its findings, live."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np
import traitlets

from nbdiag.measures.findings import Finding
from nbdiag.measures.run import Run
from nbdiag.sources import as_run
from nbdiag.widgets.base import Handler, Instrument, Reply
from nbdiag.widgets.notebook import notebook
from nbdiag.wire.arrays import to_wire


def _packed(value: Any) -> Any:
    """Arrays as a trait carries them, however deep they lie in dicts and lists."""
    if isinstance(value, np.ndarray):
        return to_wire(value)
    if isinstance(value, dict):
        return {key: _packed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(item) for item in value]
    return value


class RunInstrument(Instrument):
    """A view of one `Run`: follows it while it trains and shows it whole when it is done.

    A subclass names the findings that it shows in `codes` and says what it sends: `history()` is
    the whole recording in a bounded sketch, for a fresh page and for a saved notebook;
    `increment()` is what came since the last one, for the stream; `begin()` sets the mark from
    which increments count. It may override `describe()` and `outline()` for a longer header.
    """

    codes: ClassVar[str] = ""
    """Prefix of the findings that are shown, such as ``"gradient."``; empty for all."""
    title: ClassVar[str] = ""
    judge_every: ClassVar[float] = 1.0
    """Seconds between two looks at the findings: judging costs more than drawing, and words
    should not flicker."""

    _unsubscribe: Callable[[], None] = staticmethod(lambda: None)

    live = traitlets.Dict().tag(sync=True)
    snapshot = traitlets.Any(None).tag(
        sync=True, to_json=lambda _, widget: _packed({**widget.history(), "live": widget.status()})
    )
    embedded = traitlets.Bool(False).tag(sync=True)
    """Part of a dashboard, which shows the findings and the controls once for all."""

    def __init__(self, source: Any) -> None:
        self.run: Run = as_run(source)
        self._publishing = threading.Lock()
        self._posts = 0
        self._judged_at = float("-inf")
        self._state = ""
        self._outline = self.outline()
        self.begin()
        super().__init__(info=self.describe(), live=self.status())
        self._judge()
        self._unsubscribe = self.run.subscribe(self._publish)

    # For subclasses ----------------------------------------------------------------------------

    def begin(self) -> None:
        """Set the mark: the next `increment()` starts from what is there now."""
        raise NotImplementedError

    def increment(self) -> dict[str, Any] | None:
        """What came since the last call, arrays included; None when nothing did."""
        raise NotImplementedError

    def history(self) -> dict[str, Any]:
        """Everything so far, at a size that does not grow with the training."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """The `info` trait: what this is and of what."""
        return {"title": self.title, "source": self.run.model_name}

    def outline(self) -> Any:
        """What `describe()` depends on: `info` is sent again when this is no longer equal."""
        return self.run.recording.layers

    def own_findings(self) -> list[dict[str, Any]]:
        """The run's findings that this widget shows, most severe first."""
        return [found.to_dict() for found in self.run.findings() if self._shows(found)]

    def _shows(self, found: Finding) -> bool:
        return found.code.startswith(self.codes)

    def status(self) -> dict[str, Any]:
        """The `live` trait: where the training stands and how it is sampled."""
        run = self.run
        return {
            "state": run.state,
            "step": run.step,
            "samples": len(run.recording),
            "every": run.every,
            "stride": run.stride,
            "budget": run.budget,
            "probe_share": run.probe_share,
            "starting": run.sampler.starting,
            "thinned": run.recording.thinned,
            # a run that is read back belongs to another process
            "controllable": run.controllable and run.state not in ("done", "failed"),
        }

    # What is the same for all ------------------------------------------------------------------

    def handlers(self) -> dict[str, Handler]:
        commands = {name: partial(self._command, name) for name in ("pause", "resume", "every")}
        return {**commands, "snapshot": self._reply_history}

    def cell_ended(self) -> None:
        self.run.drain()
        self._publish(self.run, settle=True)

    def close(self) -> None:
        """Remove the view; the run itself goes on being recorded until ``run.close()``."""
        self._unsubscribe()
        super().close()

    def summary(self) -> str:
        return f"{type(self).__name__} of {self.run!r}"

    def _reply_history(self, _: dict[str, Any], reply: Reply) -> None:
        reply({**self.history(), "live": self.status()})

    def _command(self, name: str, args: dict[str, Any], reply: Reply) -> None:
        self.run.request(name, args, lambda _: reply({"live": self.status()}))
        if not notebook.running:
            self.run.drain()  # no cell is running, so no training step will come to do it

    def _judge(self) -> None:
        self.findings = self.own_findings()
        self.failures = [
            {"probe": failure.probe, "reason": failure.reason} for failure in self.run.failures
        ]

    def _publish(self, run: Run, settle: bool = False) -> None:
        """Send what is new; called from the training thread, and when a cell has ended."""
        with self._publishing:
            outline = self.outline()
            if outline != self._outline:  # the first step tells the order of the layers
                self._outline = outline
                self.info = self.describe()
            news = self.increment()
            live = self.status()
            settled = settle or live["state"] != self._state
            if not settled and news is None:
                return
            now = time.perf_counter()
            if settled or now - self._judged_at > self.judge_every:
                self._judged_at = now
                self._judge()
            if news is not None:
                self._posts += 1
                self.post(kind="append", live=live, **news)
            if settled:
                self._state = live["state"]
                self.live = live
                # what a reopened page or a saved notebook gets to see
                self.snapshot = self._posts
