"""What the activations of a training were: by module over time, and by unit."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.timeline import Columns, Timeline

BLOCKS = 64
"""Blocks of time in the history by unit, at most; an even number."""
_MAX_ROWS = 20_000
_NUMBERS = ("mean", "std", "zeros", "saturated", "active")
_PENDING_AT_MOST = 32


@dataclass(frozen=True)
class ActivationInfo:
    """An activation: a module, one of the calls of a module, or a function in a forward().

    >>> ActivationInfo("fc.1", "ReLU", 64, rectifies=True).unit_word
    'unit'
    """

    name: str
    """Dotted module name; "relu(fc1)" for a function on what fc1 gave; "act (2)" for the second
    call of one module."""
    kind: str
    units: int
    unit_word: str = "unit"
    """"unit" or "channel"."""
    low: float | None = None
    """The end below which it cannot go, where it saturates; None when there is none."""
    high: float | None = None
    rectifies: bool = False
    """An exact zero means that the unit is off, as in ReLU."""


class ActivationSeries(NamedTuple):
    """One activation over time, (T,) each; NaN in a look where something was not finite."""

    steps: NDArray[np.int64]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    zeros: NDArray[np.float32]
    """Share of values that are exactly zero."""
    saturated: NDArray[np.float32]
    """Share of values within 1 % of a bounded end; 0 where the function has none."""
    active: NDArray[np.float32]
    """Share of units that were active for at least one input of that look."""


class UnitBlocks(NamedTuple):
    """The history of one activation by unit, in B blocks of time."""

    first: NDArray[np.int64]
    """(B,) first step of each block."""
    last: NDArray[np.int64]
    """(B,) last step."""
    inputs: NDArray[np.int64]
    """(B,) inputs looked at."""
    activity: NDArray[np.float32]
    """(B, U) share of values for which the unit was active."""
    saturation: NDArray[np.float32]
    """(B, U) share of values at a bounded end."""


_Look = tuple[int, int, int, int, Any, NDArray[Any], NDArray[Any] | None]
"""Step, inputs, values, inputs seen by then; and as given to `ActivationTrack.add`."""


class ActivationTrack:
    """One activation: its numbers at each look, and which units were ever active.

    A unit is active for an input when its value is above zero (for a bounded function without a
    zero end: always). *Dead* means never active over all inputs seen, and `seen` says how many
    they were: a single batch proves nothing.
    """

    def __init__(self, info: ActivationInfo) -> None:
        self.info = info
        self.name, self.kind, self.units = info.name, info.kind, info.units
        self.unit_word, self.rectifies = info.unit_word, info.rectifies
        ends = (info.low, info.high)
        self.bounds = None if ends == (None, None) else ends
        self.seen = 0
        """Inputs looked at so far."""
        self._last_active = np.zeros(info.units, np.int64)
        self._seen_when_active = np.zeros(info.units, np.int64)
        self._lock = threading.Lock()
        self._pending: list[_Look] = []
        columns = {"step": (np.int64, ()), "numbers": (np.float32, (len(_NUMBERS),))}
        self._line = Timeline(columns, max_rows=_MAX_ROWS, marked=_broken)
        # Sums a block: first step, last step, inputs, values a unit; and by unit, in float64, so
        # that they do not depend on how many looks are added up at a time.
        self._span: NDArray[np.int64] = np.zeros((0, 4), np.int64)
        self._active = np.zeros((0, info.units))
        self._stuck = np.zeros((0, info.units if self.bounds else 0))
        self._looks_a_block = 1
        self._looks_in_last = 0

    def add(
        self,
        step: int,
        inputs: int,
        values: int,
        numbers: Any,
        active: NDArray[Any],
        stuck: NDArray[Any] | None,
    ) -> None:
        """One look; the arrays are kept for a while.

        Parameters
        ----------
        inputs : rows of the batch that were looked at.
        values : values a unit: `inputs` times positions.
        numbers : mean, std, share of zeros, share saturated.
        active : (U,) how many of those values were active.
        stuck : (U,) how many lay at a bounded end; None for none.
        """
        with self._lock:
            self.seen += inputs
            self._pending.append((step, inputs, values, self.seen, numbers, active, stuck))
            if len(self._pending) >= _PENDING_AT_MOST:
                self._settle()

    def _settle(self) -> None:
        """Take the pending looks into the columns, all at once: one by one costs several times as
        much, in a loop that may take no longer than that itself.
        """
        if not self._pending:
            return
        looks, self._pending = self._pending, []
        count = len(looks)
        at, inputs, values, seen, numbers, actives, ends = zip(*looks, strict=True)
        steps, sizes = np.array(at), np.column_stack([inputs, values])
        active = np.array(actives, np.float64).reshape(count, self.units)
        fired = active > 0
        rows = np.empty((count, len(_NUMBERS)), np.float32)
        rows[:, :-1] = numbers
        rows[:, -1] = fired.mean(axis=1) if self.units else np.nan
        self._line.extend({"step": steps, "numbers": rows})
        if self.units:
            ever, last = fired.any(axis=0), count - 1 - fired[::-1].argmax(axis=0)
            np.putmask(self._seen_when_active, ever, np.array(seen)[last])
            np.putmask(self._last_active, ever, steps[last])
        stuck = np.zeros((count, self._stuck.shape[1]))
        if self.bounds:
            for row, end in zip(stuck, ends, strict=True):
                row[:] = 0 if end is None else end
        start = 0
        while start < count:
            self._open_block(steps[start])
            stop = min(count, start + self._looks_a_block - self._looks_in_last)
            part = np.s_[start:stop]
            self._span[-1, 1] = steps[stop - 1]
            self._span[-1, 2:] += sizes[part].sum(axis=0)
            self._active[-1] += active[part].sum(axis=0)
            self._stuck[-1] += stuck[part].sum(axis=0)
            self._looks_in_last += stop - start
            start = stop

    def _open_block(self, step: int) -> None:
        """A new block, unless the last one takes more looks."""
        if len(self._span) and self._looks_in_last < self._looks_a_block:
            return
        if len(self._span) == BLOCKS:
            self._merge()
        self._span = np.concatenate([self._span, [[step, step, 0, 0]]])
        self._active = np.concatenate([self._active, np.zeros((1, self.units))])
        self._stuck = np.concatenate([self._stuck, np.zeros((1, self._stuck.shape[1]))])
        self._looks_in_last = 0

    @property
    def last_active(self) -> NDArray[np.int64]:
        """(U,) step at which each unit was last active; 0 for never."""
        with self._lock:
            self._settle()
            return self._last_active.copy()

    @property
    def seen_since_active(self) -> NDArray[np.int64]:
        """(U,) inputs looked at since each unit was last active."""
        with self._lock:
            self._settle()
            return self.seen - self._seen_when_active

    def _merge(self) -> None:
        """Two neighbouring blocks become one; blocks are twice as long from now on."""
        first, second = self._span[0::2], self._span[1::2]
        self._span = np.column_stack([first[:, 0], second[:, 1], first[:, 2:] + second[:, 2:]])
        self._active = self._active[0::2] + self._active[1::2]
        self._stuck = self._stuck[0::2] + self._stuck[1::2]
        self._looks_a_block *= 2

    def series(self, start: int = 0, stop: int | None = None) -> ActivationSeries:
        """The numbers of the whole activation at each look; of those held, `start` to `stop`."""
        with self._lock:
            self._settle()
            rows = slice(start, stop)
            numbers = self._line.column("numbers", rows)
            return ActivationSeries(self._line.column("step", rows), *numbers.T.copy())

    def blocks(self) -> UnitBlocks:
        """The history by unit."""
        with self._lock:
            self._settle()
            span = self._span.copy()
            values = np.maximum(1, span[:, 3:])
            active = (self._active / values).astype(np.float32)
            stuck = np.zeros_like(active)
            if self.bounds:
                stuck[:] = self._stuck / values
            return UnitBlocks(span[:, 0], span[:, 1], span[:, 2], active, stuck)

    @property
    def settled(self) -> int:
        """How many of the looks held stay as they are until `thinned` changes."""
        with self._lock:
            self._settle()
            return self._line.settled

    @property
    def thinned(self) -> int:
        """How often every second look was dropped from `series`."""
        with self._lock:
            self._settle()
            return self._line.thinned


def _broken(looks: Columns) -> NDArray[np.bool_]:
    """(n,) looks at which something was not finite."""
    return ~np.isfinite(looks["numbers"][:, _NUMBERS.index("mean")])


class ActivationLog:
    """The activations of a training, in the order in which they ran."""

    def __init__(self) -> None:
        self._tracks: list[ActivationTrack] = []
        self.notes: list[str] = []
        """What could not be seen, and why: a sentence each."""

    @property
    def tracks(self) -> tuple[ActivationTrack, ...]:
        return tuple(self._tracks)

    def __len__(self) -> int:
        return len(self._tracks)

    def open(self, info: ActivationInfo) -> int:
        """A new track; its number."""
        self._tracks.append(ActivationTrack(info))
        return len(self._tracks) - 1

    def __getitem__(self, number: int) -> ActivationTrack:
        return self._tracks[number]
