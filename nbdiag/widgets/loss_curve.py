"""LossCurve: is training healthy?"""

from __future__ import annotations

from typing import Any

from nbdiag.widgets.run_view import RunInstrument
from nbdiag.wire.loss_curve import Curve, curve, draw, sketch

SKETCH = 1200
"""Points of a series in a snapshot, however long the training is."""
BURST = 4000
"""Points of a series in one message; a faster loop than that is sent as a sketch."""
LOSSES = ("loss", "train_loss", "val_loss")
WORDS = {"nonfinite": "NaN or infinite", "plateau_early": "early plateau"}


class LossCurve(RunInstrument):
    """Is training healthy? Training and validation loss, live, raw and smoothed.

    The raw loss of each step keeps its full range, so that smoothing hides no spike; NaN and
    infinity are marked. Findings are drawn where they happen. Every other metric that
    ``run.log(accuracy=...)`` records can be selected.

    Parameters
    ----------
    source : a `Run` from ``nd.watch(model, optimizer, loss_fn)``, an ``nn.Module``, or the
        directory that a run was logged to.

    Attributes
    ----------
    run : the `Run` that is shown; ``curve.run.findings()`` gives the diagnoses.

    Raises
    ------
    TypeError : when the source is none of these.
    """

    stem = "loss_curve"
    codes = "loss."
    title = "Loss curve"

    def begin(self) -> None:
        self._step = self.run.step
        self._sent = {name: _mark(one) for name, one in self._series().items()}

    def increment(self) -> dict[str, Any] | None:
        news: dict[str, Any] = {}
        for name, one in self._series().items():
            mark = _mark(one)
            count, last = sent = self._sent.get(name, (0, None))
            if mark == sent:
                continue
            start = count
            if count and (mark[0] < count or float(one[0][count - 1]) != last):
                start = 0  # older points were merged: send all of them
            news[name] = _packed(one, start, SKETCH if start < count else BURST)
            self._sent[name] = mark
        moved, self._step = self.run.step != self._step, self.run.step
        return {"series": news} if news or moved else None

    def history(self) -> dict[str, Any]:
        return {"series": {name: _packed(one, 0, SKETCH) for name, one in self._series().items()}}

    def picture(self) -> bytes:
        findings = self.own_findings()
        series = self._series()
        # Without a loss, the first metric that was logged is better than an empty sheet.
        names = [name for name in LOSSES if name in series] or list(series)[:1]
        return draw(
            source=self.run.model_name,
            step=self.run.step,
            curves={name: curve(*series[name]) for name in names},
            findings=findings,
            marks=[mark for found in findings if (mark := _place(found, self.run.step))],
        )

    def _series(self) -> dict[str, Any]:
        return self.run.recording.scalars


def _mark(one: Any) -> tuple[int, float | None]:
    """How much of a series there is: its length, and the step of its last point."""
    steps = one[0]
    return len(steps), float(steps[-1]) if len(steps) else None


def _packed(one: Any, start: int, at_most: int) -> dict[str, Any]:
    rows: Curve = sketch(curve(*(column[start:] for column in one)), at_most)
    return {"start": start, "total": len(one[0]), **rows._asdict()}


def _place(found: dict[str, Any], last: int) -> tuple[float, float, str, str] | None:
    """Where a finding lies on the step axis, and its word; None when it does not say."""
    evidence = found["evidence"]
    start = evidence.get("from_step", evidence.get("step"))
    if start is None:
        return None
    stop = evidence.get("to_step", last if "from_step" in evidence else start)
    word = found["code"].split(".")[-1]
    return float(start), float(stop), found["severity"], WORDS.get(word, word.replace("_", " "))
