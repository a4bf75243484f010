"""A run that is read from disk while another process may still be writing it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nbdiag.measures.recording import Recording
from nbdiag.measures.run import Done, Listener, ProbeFailure, Run, State
from nbdiag.measures.sampler import Sampler
from nbdiag.tracking.feeds import Feed
from nbdiag.tracking.following import follower
from nbdiag.tracking.layout import columns

_AGAIN = 0.5
_PROBE = "log_dir"


class _Mirror(Sampler):
    """What the training says of its sampler."""

    starting = False


class ReadRun(Run):
    """A run that another process records, or has recorded: `open_run` makes it.

    It is read when somebody asks, and while somebody listens about once a second. It cannot be
    paused or resumed from here.
    """

    controllable = False  # the training is in another process

    sampler: _Mirror

    def __init__(self, path: Path, feed: Feed, head: Mapping[str, Any]) -> None:
        run, layout = head["run"], head["layout"]
        recording = Recording(*columns(layout), max_samples=run["max_samples"])
        super().__init__(
            run["name"],
            recording,
            config=run["config"],
            model_name=run["model_name"],
            model_kinds=frozenset(layout["kinds"]),
            collect=self._collect_news,
        )
        self.sampler = _Mirror()
        self.path = path
        """Of the event file, or of a folder that others wrote."""
        self.written_name: str = run["name"]
        """`name` may say more: which one it is of several in its folder."""
        self.started: float = run["started"]
        """Seconds since 1970."""
        self._feed = feed
        self._notes: list[str] = []
        self._now: dict[str, Any] = {}
        self._update(head["state"])
        self._reading = threading.RLock()
        self._looked_at = float("-inf")
        self._touched, self._seen_at = 0.0, float("-inf")
        self._broken = ""
        self._ended = self._stopped = False
        self._told: tuple[State, int] | None = None

    # What it says about itself -----------------------------------------------------------------

    @property
    def closed(self) -> bool:
        return self.state == "done"

    @property
    def state(self) -> State:
        """As the training's own; "done" also when nobody writes any more, see `failures`."""
        self._read()
        if self._now.get("state") == "failed":
            return "failed"
        if self._ended or self._broken or self._stopped or self._silent():
            return "done"
        if self.sampler.paused:
            return "paused"
        return "live" if self.sampler.step else "waiting"

    @property
    def step(self) -> int:
        """Optimizer steps seen by the training, as far as was read."""
        self._read()
        return self.sampler.step

    @property
    def probe_share(self) -> float:
        return float(self._now.get("probe_share", 0.0))

    @property
    def probe_seconds(self) -> float:
        return float(self._now.get("probe_seconds", 0.0))

    @property
    def failures(self) -> tuple[ProbeFailure, ...]:
        """The training's own, and what could not be read."""
        self._read()
        found = [*(ProbeFailure(_PROBE, note, 0) for note in self._notes), *self._failures]
        found += [ProbeFailure(*failure) for failure in self._now.get("failures", ())]
        if self._broken:
            found.append(ProbeFailure(_PROBE, self._broken, self.sampler.step))
        elif self._feed.ends and not self._ended and not self._stopped and self._silent():
            reason = "ended without closing: the process that trained was killed, or is suspended"
            found.append(ProbeFailure(_PROBE, reason, self.sampler.step))
        return tuple(found)

    def _silent(self) -> bool:
        # Both clocks: the file may lie on another machine, whose time is not ours.
        return (
            time.monotonic() - self._seen_at > self._feed.silence
            and abs(time.time() - self._touched) > self._feed.silence
        )

    def note(self, reason: str) -> None:
        """Say among the failures what is not to be seen here, and why."""
        if reason not in self._notes:
            self._notes.append(reason)

    # What it cannot ----------------------------------------------------------------------------

    def request(self, name: str, args: Mapping[str, Any], done: Done | None = None) -> None:
        """A run that is read obeys nobody here.

        Raises
        ------
        ValueError : always.
        """
        raise ValueError(
            f"{name!r} has to be asked for where the training runs; this run is read from "
            f"{self.path}"
        )

    def log(self, **scalars: Any) -> None:
        """As `log_at`."""
        self.log_at(self.step, **scalars)

    def log_at(self, step: int, **scalars: Any) -> None:
        """A run that is read keeps no more numbers.

        Raises
        ------
        ValueError : always.
        """
        raise ValueError(f"this run is read from {self.path}: nothing can be added to it")

    # Reading -----------------------------------------------------------------------------------

    def _collect_news(self) -> None:
        self._read()

    def _read(self) -> bool:
        """Read on, unless that was done a moment ago; whether anything came."""
        with self._reading:
            now = time.monotonic()
            if self._ended or self._stopped or self._broken or now - self._looked_at < _AGAIN:
                return False
            try:
                came = self._take(now)
            except Exception as error:  # shown among the failures, as what a probe could not do
                self._broken = f"{type(error).__name__}: {error}"
                return True
            finally:
                self._looked_at = time.monotonic()
            return came

    def _take(self, now: float) -> bool:
        touched = self._feed.touched()
        if touched != self._touched:
            # Found for the first time it may be old; later a new time is a sign of life.
            self._seen_at = now if self._touched else float("-inf")
            self._touched = touched
        came = False
        while pieces := self._feed.news():
            came = True
            for meta, ops in pieces:
                if "layout" in meta:
                    self._recording.arrange(*columns(meta["layout"]))
                    self.model_kinds = frozenset(meta["layout"]["kinds"])
                for op in ops:
                    self._recording.apply(op)
                self._update(meta.get("state", {}))
                self._ended = self._ended or bool(meta.get("closed"))
        return came

    def _update(self, state: Mapping[str, Any]) -> None:
        self._now.update(state)
        sampler = self.sampler
        sampler.step = state.get("step", sampler.step)
        sampler.every = state.get("every", sampler.every)
        sampler.stride = state.get("stride", sampler.stride)
        sampler.budget = state.get("budget", sampler.budget)
        sampler.starting = state.get("starting", sampler.starting)
        sampler.paused = state.get("state", "live") == "paused"
        self.skipped_steps = state.get("skipped_steps", self.skipped_steps)

    # Following ---------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(run)` when there is news, about once a second, in a thread of its own."""
        end = super().subscribe(listener)
        self._told = self.state, self._recording.version
        if not self._over():
            follower.add(self)

        def unsubscribe() -> None:
            end()
            if not self._listeners:
                follower.discard(self)

        return unsubscribe

    def follow(self) -> bool:
        """Read on and tell the listeners; whether to come again."""
        self._read()
        # News that somebody else has read meanwhile is news to the listeners all the same.
        now = self.state, self._recording.version
        if now != self._told:
            self._told = now
            self.notify()
        return bool(self._listeners) and not self._over()

    def _over(self) -> bool:
        return self._ended or self._stopped or bool(self._broken)

    def drain(self) -> None:
        """Read on, and tell the listeners when there is news."""
        if self._read():
            self.notify()

    def close(self) -> None:
        """Read no more; what was read stays."""
        with self._reading:
            already, self._stopped = self._stopped, True
        follower.discard(self)
        if not already:
            self.notify()
