"""LossCurve: is training healthy?"""

from __future__ import annotations

from typing import Any

from nbdiag.measures.scalar_series import Mark, Series
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
        self._marks = self.run.recording.scalar_log.marks()

    def increment(self) -> dict[str, Any] | None:
        news: dict[str, Any] = {}
        for name, (start, points, mark) in self.run.recording.scalar_log.tail(self._marks).items():
            news[name] = _packed(points, start, mark, BURST if start else SKETCH)
            self._marks[name] = mark
        moved, self._step = self.run.step != self._step, self.run.step
        return {"series": news} if news or moved else None

    def history(self) -> dict[str, Any]:
        log = self.run.recording.scalar_log
        marks = log.marks()  # first: what comes in between is sent twice, and not never
        series = log.series()
        return {"series": {name: _packed(series[name], 0, marks[name], SKETCH) for name in marks}}

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


def _packed(points: Series, start: int, mark: Mark, at_most: int) -> dict[str, Any]:
    """`total`: how many points are complete; `logged`: how many values they were made from."""
    rows: Curve = sketch(curve(*points), at_most)
    return {"start": start, "total": mark.points, "logged": mark.logged, **rows._asdict()}


def _place(found: dict[str, Any], last: int) -> tuple[float, float, str, str] | None:
    """Where a finding lies on the step axis, and its word; None when it does not say."""
    evidence = found["evidence"]
    start = evidence.get("from_step", evidence.get("step"))
    if start is None:
        return None
    stop = evidence.get("to_step", last if "from_step" in evidence else start)
    word = found["code"].split(".")[-1]
    return float(start), float(stop), found["severity"], WORDS.get(word, word.replace("_", " "))
