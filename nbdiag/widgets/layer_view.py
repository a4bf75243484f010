"""What the widgets share that show every layer over time: rows, and histograms of a parameter."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.recording import Rows
from nbdiag.widgets.base import Handler, Reply
from nbdiag.widgets.run_view import RunInstrument

SNAPSHOT_BYTES = 1_000_000
"""Of rows in the snapshot, at most: it is saved with the notebook."""
_ROWS = (120, 1500)
_CLIPPED = 1e-4


class LayerInstrument(RunInstrument):
    """A view of statistics by layer. A subclass says in `columns` which of them it sends."""

    columns: ClassVar[dict[str, str]] = {}
    """Name on the wire -> field of `Rows`. A column without a single number is left out."""

    def begin(self) -> None:
        recording = self.run.recording
        self._thinned = recording.thinned
        self._sent = self._settled()
        self._clipping = np.zeros(2, np.int64)
        for start in range(0, self._sent, 1000):
            self._clipping += clipping(recording.rows(start, min(start + 1000, self._sent)))

    def increment(self) -> dict[str, Any] | None:
        rows = self.run.recording.rows(self._sent, self._settled())
        if rows.thinned != self._thinned:  # row numbers have changed
            self.begin()
            return self.history()
        if not len(rows.steps):
            return None
        self._clipping += clipping(rows)
        self._sent = rows.start + len(rows.steps)
        return {"start": rows.start, **self._arrays(rows), **self._facts()}

    def history(self) -> dict[str, Any]:
        recording, total = self.run.recording, self._settled()
        a_row = 9 + len(recording.layers) * (4 * len(self.columns) + 1)
        fit = int(np.clip(SNAPSHOT_BYTES // a_row, *_ROWS))
        head, tail = fit // 15, fit * 4 // 15
        rows = recording.sketch(head=head, middle=fit - head - tail, tail=tail)
        return {"start": 0, "total": total, **self._arrays(rows), **self._facts()}

    def _settled(self) -> int:
        """How many rows there are that stay: the last two of a thinned recording may not."""
        recording = self.run.recording
        return max(0, len(recording) - 2) if recording.thinned else len(recording)

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

    def handlers(self) -> dict[str, Handler]:
        return {**super().handlers(), "histograms": self._reply_histograms}

    def histograms(self, parameter: str, kind: Any) -> dict[str, Any]:
        """All histograms of one parameter, by its name.

        Raises
        ------
        ValueError : for a name or a kind that does not exist.
        """
        recording = self.run.recording
        if parameter not in recording.parameters:
            raise ValueError(f"{self.run.model_name} has no parameter {parameter!r}")
        index = recording.parameters.index(parameter)
        return recording.histograms.of(index, kind)._asdict()

    def _reply_histograms(self, args: dict[str, Any], reply: Reply) -> None:
        reply(self.histograms(args.get("parameter", ""), args.get("kind")))

    def _facts(self) -> dict[str, Any]:
        log = self.run.recording.histograms
        newest = {"weight": log.steps("weight")[-1:], "gradient": log.steps("gradient")[-1:]}
        seen, active = self._clipping.tolist()
        return {
            "histograms": {kind: int(steps.sum()) for kind, steps in newest.items()},
            "clipping": {"seen": seen, "clipped": active},
        }

    def _arrays(self, rows: Rows) -> dict[str, Any]:
        arrays: dict[str, Any] = {"steps": rows.steps, "status": rows.status}
        for name, field in self.columns.items():
            values = getattr(rows, field)
            if name == "raw" and not clipped(rows).any():
                continue
            if not np.isnan(values).all():
                arrays[name] = values
        return arrays


def clipped(rows: Rows) -> np.ndarray:
    """(T,) whether clipping made the gradient of any layer smaller at that sample."""
    with np.errstate(invalid="ignore"):
        smaller = rows.grad_norm < rows.grad_norm_raw * (1 - _CLIPPED)
    return np.asarray(smaller.any(axis=1))


def clipping(rows: Rows) -> np.ndarray:
    """(2,) samples at which the norms before clipping were seen, and those that were clipped."""
    seen = ~np.isnan(rows.grad_norm_raw).all(axis=1)
    return np.array([seen.sum(), clipped(rows).sum()])
