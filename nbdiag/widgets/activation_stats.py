"""ActivationStats: are units dead or saturated?"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from nbdiag.measures.activation_log import ActivationTrack
from nbdiag.measures.unit_states import STATES, UnitStates, is_bounded, unit_states
from nbdiag.widgets.base import Handler, Reply
from nbdiag.widgets.run_view import RunInstrument
from nbdiag.wire.activation_stats import draw, pack_shares

FIELDS = ("mean", "std", "zeros", "saturated")
UNITS_AT_MOST = 16_384
_SNAPSHOT_BYTES = 700_000
_LOOKS = (100, 1000)
_UNITS_EVERY = 1.0
_UNITS_SHARE = 0.01


class ActivationStats(RunInstrument):
    """Are units dead or saturated? Every activation of a model, by layer and by unit, over time.

    For each activation in the order in which they run: how many of its units (or channels) were
    never active over all the inputs looked at, how many only now and then, the share of zeros, of
    values at the end of a bounded function, mean and standard deviation, and their history. A
    click opens the history unit by unit. A unit counts as dead when no input of all those seen
    made it active, and the number of inputs is stated; many zeros as such are healthy.

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

    stem = "activation_stats"
    codes = "activation."
    title = "Activations"

    def begin(self) -> None:
        self._part = 0
        self._units_at = float("-inf")
        self._mark()

    def _mark(self) -> None:
        """Everything up to now counts as sent."""
        self._ends: list[tuple[int, int, int]] = []
        for track in self._tracks():
            thinned = track.thinned
            steps = track.series(0, track.settled).steps
            self._ends.append((thinned, len(steps), int(steps[-1]) if len(steps) else 0))

    def increment(self) -> dict[str, Any] | None:
        tracks = self._tracks()
        if len(tracks) != len(self._ends):  # a row for each: the browser starts anew
            self._mark()
            self._part += 1
            return self.history()
        fresh = [self._fresh(number, track) for number, track in enumerate(tracks)]
        steps = np.unique(np.concatenate([np.zeros(0, np.int64), *(new.steps for new in fresh)]))
        if not len(steps):
            return None
        self._part += 1
        news = {"part": self._part, **_table(fresh, steps)}
        started = time.perf_counter()
        if started >= self._units_at:
            news["units"] = self._units()
            spent = time.perf_counter() - started
            self._units_at = started + max(_UNITS_EVERY, spent / _UNITS_SHARE)
        return news

    def _fresh(self, number: int, track: ActivationTrack) -> Any:
        thinned, count, last = self._ends[number]
        if track.thinned != thinned:  # row numbers have changed
            thinned = track.thinned
            count = int(np.searchsorted(track.series().steps, last, side="right"))
        new = track.series(count, track.settled)
        if len(new.steps):
            last = int(new.steps[-1])
        self._ends[number] = (thinned, count + len(new.steps), last)
        return new

    def history(self) -> dict[str, Any]:
        part, tracks = self._part, self._tracks()
        series = [track.series() for track in tracks]
        steps = np.unique(np.concatenate([np.zeros(0, np.int64), *(one.steps for one in series)]))
        a_look = 8 + len(tracks) * (4 * len(FIELDS) + 1)
        fit = int(np.clip(_SNAPSHOT_BYTES // a_look, *_LOOKS))
        if len(steps) > fit:
            tail = fit // 4
            early = np.linspace(0, len(steps) - tail, fit - tail, endpoint=False).astype(int)
            broken = [one.steps[~np.isfinite(one.mean)][:1] for one in series]
            kept = np.concatenate([steps[early], steps[len(steps) - tail :], *broken])
            steps = np.unique(kept)
        return {"start": 0, "part": part, **_table(series, steps), "units": self._units()}

    def _units(self) -> dict[str, Any]:
        """Units by state, and the share of units that were off in each block of time."""
        tracks = self._tracks()
        states = [unit_states(track) for track in tracks]

        def flat(name: str, dtype: Any) -> np.ndarray:
            return np.concatenate([np.zeros(0), *(getattr(s, name) for s in states)]).astype(dtype)

        return {
            "seen": np.array([track.seen for track in tracks], np.float64),
            "counts": np.array([one.counts for one in states], np.int32).reshape(-1, STATES),
            "lengths": np.array([len(one.first) for one in states], np.int32),
            "first": flat("first", np.int32),
            "last": flat("last", np.int32),
            "inputs": flat("inputs", np.float64),
            "off": flat("off", np.float32),
        }

    def outline(self) -> Any:
        log = self.run.recording.activations
        return tuple(track.info for track in log.tracks), tuple(log.notes)

    def describe(self) -> dict[str, Any]:
        notes = list(self.run.recording.activations.notes)
        layers = [
            {
                "name": track.name,
                "kind": track.kind,
                "units": track.units,
                "word": track.unit_word,
                "bounds": None if track.bounds is None else list(track.bounds),
                "rectifies": track.rectifies,
                "bounded": is_bounded(track),
            }
            for track in self._tracks()
        ]
        return {**super().describe(), "layers": layers, "notes": notes}

    def handlers(self) -> dict[str, Handler]:
        return {**super().handlers(), "units": self._reply_units}

    def _reply_units(self, args: dict[str, Any], reply: Reply) -> None:
        number, tracks = args.get("track"), self._tracks()
        if not isinstance(number, int) or not 0 <= number < len(tracks):
            raise ValueError(f"no activation {number!r} of {len(tracks)}")
        track = tracks[number]
        blocks, states = track.blocks(), unit_states(track)
        which = np.arange(track.units)
        if track.units > UNITS_AT_MOST:  # the least active, or the most stuck
            rank = -blocks.saturation if is_bounded(track) else blocks.activity
            which = np.sort(np.argsort(rank.mean(axis=0), kind="stable")[:UNITS_AT_MOST])
        shares = {"activity": blocks.activity, "saturation": blocks.saturation}
        if track.bounds is None:
            del shares["saturation"]
        reply(
            {
                "seen": track.seen,
                "total": track.units,
                "units": which.astype(np.int32),
                "states": states.states[which],
                "last_active": track.last_active[which],
                "since": track.seen_since_active[which],
                **_spans(states),
                **{name: pack_shares(values[:, which]) for name, values in shares.items()},
            }
        )

    def picture(self) -> bytes:
        tracks = self._tracks()
        states = [unit_states(track) for track in tracks]
        return draw(
            source=self.run.model_name,
            step=self.run.step,
            names=[track.name for track in tracks],
            findings=self.own_findings(),
            counts=np.array([one.counts for one in states], np.int64).reshape(-1, STATES),
            seen=[track.seen for track in tracks],
            series=[_off(track, one) for track, one in zip(tracks, states, strict=True)],
        )

    def _tracks(self) -> tuple[ActivationTrack, ...]:
        return self.run.recording.activations.tracks


def _off(track: ActivationTrack, states: UnitStates) -> tuple[np.ndarray, np.ndarray]:
    """(T,) steps, and the share of units that were off around them; not finite where a look was."""
    series = track.series()
    block = np.searchsorted(states.first, series.steps, side="right") - 1
    off = states.off[np.maximum(0, block)] if len(states.off) else np.zeros(len(series.steps))
    return series.steps, np.where(np.isfinite(series.mean), off, np.nan)


def _spans(states: UnitStates) -> dict[str, np.ndarray]:
    return {"first": states.first, "last": states.last, "inputs": states.inputs}


def _table(series: list[Any], steps: np.ndarray) -> dict[str, Any]:
    """(T, A, F) numbers at `steps`, and (T, A) whether there was a look."""
    values = np.full((len(steps), len(series), len(FIELDS)), np.nan, np.float32)
    looked = np.zeros((len(steps), len(series)), np.uint8)
    for number, one in enumerate(series):
        rows: Any = slice(None)
        at: Any = slice(None)
        if len(one.steps) != len(steps) or (one.steps != steps).any():  # not at every step
            rows = np.flatnonzero(np.isin(one.steps, steps))
            at = np.searchsorted(steps, one.steps[rows])
        looked[at, number] = 1
        values[at, number] = np.stack([getattr(one, name)[rows] for name in FIELDS], axis=-1)
    return {"steps": steps, "values": values, "looked": looked}
