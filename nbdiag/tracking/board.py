"""What TensorBoard itself shows of a recording: scalars and histograms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.recording import NAN, Op, Recording
from nbdiag.tracking import records

DENSE_ROWS = 1000
"""So many rows are shown one by one; TensorBoard draws no more points than that. Then every
second of the next thousand, every fourth of the next two thousand, and so on."""

_LAYER_TAGS = {"grad_norm": "gradient_norm", "update_ratio": "update_ratio"}
_HISTOGRAM_TAGS = {"weight": "weights", "gradient": "gradients"}

Timed = tuple[float, Op]


class Board:
    """Turns ops, each with the time at which it came, into records.

    Tags: what was logged by its own name; ``gradient_norm/<layer>`` and ``update_ratio/<layer>``;
    histograms ``weights/<parameter>`` and ``gradients/<parameter>``, and as soon as one of them
    holds entries that are not finite, their numbers as scalars ``weights_nan/<parameter>``,
    ``gradients_infinite/<parameter>`` and so on.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._nonfinite: set[str] = set()

    def records(self, recording: Recording, ops: Sequence[Timed]) -> bytes:
        """Everything that these ops of `recording` show."""
        parts = [self._logged(ops), self._layers(recording, ops)]
        for time, op in ops:
            if op["op"] == "histogram":
                parts.append(self._histograms(recording, time, op))
        return b"".join(parts)

    def _logged(self, ops: Sequence[Timed]) -> bytes:
        series: dict[str, list[tuple[float, int, float]]] = {}
        for time, op in ops:
            if op["op"] == "scalar":
                series.setdefault(op["name"], []).append((time, op["step"], op["value"]))
        parts = []
        for name, points in series.items():
            times, steps, values = zip(*points, strict=True)
            parts.append(
                records.scalars([name], np.array(times), np.array(steps), np.array(values))
            )
        return b"".join(parts)

    def _layers(self, recording: Recording, ops: Sequence[Timed]) -> bytes:
        chosen = []
        for time, op in ops:
            if op["op"] == "row":
                stride = 1 << (self._rows // DENSE_ROWS).bit_length()
                if self._rows % stride == 0:
                    chosen.append((time, op))
                self._rows += 1
        if not chosen:
            return b""
        # By layer as everywhere else: a small recording of these rows knows how.
        some = Recording(
            recording.parameters,
            recording.layers,
            recording.layer_of.tolist(),
            recording.sizes.tolist(),
            max_samples=max(4, len(chosen)),
        )
        for _, op in chosen:
            some.apply(op)
        rows = some.rows()
        names = [layer.name for layer in recording.layers]
        tags = [f"{tag}/{name}" for tag in _LAYER_TAGS.values() for name in names]
        values = np.concatenate([getattr(rows, stat) for stat in _LAYER_TAGS], axis=1)
        # What is NaN for want of a gradient, or unknown, is no point; a gradient of NaN is one.
        known = ~np.isnan(values) | np.tile(rows.status == NAN, len(_LAYER_TAGS))
        times = np.array([time for time, _ in chosen])
        return self._present(tags, times, rows.steps, values, known)

    @staticmethod
    def _present(
        tags: Sequence[str],
        times: NDArray[np.float64],
        steps: NDArray[np.int64],
        values: NDArray[np.float32],
        known: NDArray[np.bool_],
    ) -> bytes:
        """The known entries of each row, in order; neighbours that know the same ones in one go."""
        parts = []
        changes = np.flatnonzero((known[1:] != known[:-1]).any(axis=1)) + 1
        for at in np.split(np.arange(len(steps)), changes):
            pattern = known[at[0]]
            some = [tag for tag, there in zip(tags, pattern, strict=True) if there]
            if some:
                shown = values[at][:, pattern]
                parts.append(records.scalars(some, times[at], steps[at], shown))
        return b"".join(parts)

    def _histograms(self, recording: Recording, time: float, op: Op) -> bytes:
        tag = _HISTOGRAM_TAGS[op["kind"]]
        width = len(recording.parameters)
        nan, infinite = (np.broadcast_to(op[key], width) for key in ("nan", "infinite"))
        counts = np.asarray(op["counts"])
        there = (counts.sum(axis=1) + nan + infinite) > 0
        names = [name for name, some in zip(recording.parameters, there, strict=True) if some]
        tags = [f"{tag}/{name}" for name in names]
        low, high = np.asarray(op["low"])[there], np.asarray(op["high"])[there]
        parts = [records.histograms(time, op["step"], tags, low, high, counts[there])]
        for kind, numbers in (("nan", nan), ("infinite", infinite)):
            found = {f"{tag}_{kind}/{n}": v for n, v in zip(names, numbers[there], strict=True)}
            self._nonfinite.update(name for name, value in found.items() if value > 0)
            shown = {name: value for name, value in found.items() if name in self._nonfinite}
            if shown:
                values = np.array([list(shown.values())])
                at = np.array([time]), np.array([op["step"]])
                parts.append(records.scalars(list(shown), *at, values))
        return b"".join(parts)
