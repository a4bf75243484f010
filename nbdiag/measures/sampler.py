"""Which optimizer steps to look at, so that looking stays within a share of the training time."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import Literal

Every = int | Literal["auto"]

DENSE = ((32, 1), (64, 2), (128, 4))
"""At the start, where trainings go wrong most often: up to this step, every how many steps."""
DENSE_SECONDS = 1.0
_MEMORY = 32
_REVIEW = 8
_UNHEARD, _UNHEARD_SECONDS = 32, 0.02
"""So many steps, and for so long, nothing can be asked of a training."""
_PASSING_SECONDS = 3e-6
"""What a step that passes by costs between two kernels: two hooks, too short to be timed."""
_AIM = 0.75
"""Of the budget: code that is run once in a while leaves caches cold, which no clock here sees."""


def check_every(every: object) -> Every:
    """`every` itself, when it is "auto" or a whole number of steps from 1 upwards.

    >>> check_every(0)
    Traceback (most recent call last):
    ValueError: every must be "auto" or a whole number of steps >= 1, got 0
    """
    if every == "auto":
        return "auto"
    if isinstance(every, int) and not isinstance(every, bool) and every >= 1:
        return every
    raise ValueError(f'every must be "auto" or a whole number of steps >= 1, got {every!r}')


class Sampler:
    """Counts steps and says which to sample.

    "auto" samples the first 32 steps, then every 2nd to step 64 and every 4th to step 128 (as long
    as that takes less than a second in all, or more where the budget allows it), and from then on
    as seldom as keeps the cost at or below `budget` of the time between steps; what the start cost
    beyond that is saved afterwards. The cost of a sample is the time spent in probes, or by how
    much longer the steps around it took than the others, if that is more: hooks slow down code
    that no probe can time.

    >>> sampler = Sampler(3)
    >>> [sampler.next_step(now=0.0) for _ in range(7)]
    [True, False, False, True, False, False, True]
    """

    def __init__(self, every: Every = "auto", budget: float = 0.03) -> None:
        if not 0 < budget <= 1:
            raise ValueError(f"budget is a share of the training time in (0, 1], got {budget!r}")
        self.every = check_every(every)
        self.budget = budget
        self.stride = 1 if self.every == "auto" else self.every
        self.step = 0
        self.paused = False
        self.last = float("-inf")
        """When the last step began."""
        self.unheard = 0
        """Up to this step, whoever counts the steps need not ask: see `pass_by`."""
        self._wake = float("-inf")
        self._heard = 0  # the step that began at `last`
        self.calm = False
        """The step at hand passed by, and the next one will not be sampled."""
        self.seconds = 0.0
        """Spent in probes so far."""
        self._next = 1
        self._samples = 0
        self._first: float | None = None
        self._plain: deque[float] = deque(maxlen=_MEMORY)  # steps without a sample near them
        self._all: deque[float] = deque(maxlen=_MEMORY)  # all steps, less what probes took
        self._sample_seconds: deque[float] = deque(maxlen=_MEMORY)
        self._felt: deque[float] = deque(maxlen=_MEMORY)  # how much longer two steps took
        self._open: float | None = None  # the first of those two
        self._after_sample = False
        self._spent_since = 0.0
        self._cost = 0.0
        self._other = 0.0  # outside samples: logging, standing by, the widgets
        self._reviewed = (0, 0.0)  # step, and `_other` by then
        self._start: tuple[float, float] | None = None  # when the dense start ended, `_used`

    @property
    def share(self) -> float:
        """Probe time over the training time, 0 to 1; the training time excludes it.

        Since the dense start where that is over, else since the first step.
        """
        return 0.0 if self._first is None else self._share(*(self._start or (self._first, 0.0)))

    @property
    def starting(self) -> bool:
        """In the dense start, which may cost more than the budget."""
        return self.every == "auto" and self._start is None

    @property
    def _used(self) -> float:
        return self.seconds + _PASSING_SECONDS * self.step

    def _share(self, begun: float, spent: float) -> float:
        spent = self._used - spent
        training = self.last - begun - spent
        return min(1.0, spent / training) if training > 0 else 0.0

    @property
    def next_is_due(self) -> bool:
        """Whether the coming step will be sampled, as far as one can tell now."""
        return not self.paused and self.step + 1 >= self._next

    @property
    def wake(self) -> float:
        """From then on `pass_by` lets no step go by: somebody waits for one."""
        return self._wake

    @wake.setter
    def wake(self, when: float) -> None:
        self._wake, self.unheard = when, 0

    def pass_by(self, now: float) -> bool:
        """Count a step of which nothing is wanted; False, and nothing is done, for any other.

        Most steps of a long training need not even that: up to step `unheard` they are counted by
        adding one to `step`, without a look at the clock.
        """
        step = self.step + 1
        if step >= self._next or now >= self._wake or self.paused or self._after_sample:
            return False
        interval = (now - self.last) / (step - self._heard)
        self._plain.append(interval)
        self.step = self._heard = step
        self.last, self._spent_since = now, 0.0
        self.calm = step + 1 < self._next
        # (The step before a sample is heard: how long the next one takes will be compared.)
        soon = min(_UNHEARD_SECONDS, (self._wake - now) / 2)
        ahead = min(_UNHEARD, soon / interval if interval > 0 else 0.0)
        self.unheard = min(step + int(ahead), self._next - 2)
        return True

    def next_step(self, now: float) -> bool:
        """Count one optimizer step that begins at `now` seconds; whether to sample it."""
        if self._first is None:
            self._first = now
        count = max(1, self.step + 1 - self._heard)
        interval = (now - self.last) / count
        due = not self.paused and self.step + 1 >= self._next
        if self.step:
            self._all.append(max(0.0, interval - self._spent_since / count))
            self._feel(interval, due)
        if self._start is None and self.step >= DENSE[-1][0] and self.every == "auto":
            self._start = now, self._used
        self.last, self._spent_since, self.calm = now, 0.0, False
        self.step += 1
        self._heard, self.unheard = self.step, 0
        self._after_sample = due
        if due:
            self._samples += 1
            self._next = self.step + self.stride
        return due

    def _feel(self, interval: float, due: bool) -> None:
        """By how much longer the two steps around a sample took than others.

        The first holds the forward pass that was looked at, the second what the sample did.
        """
        if due:
            self._open = None if self._after_sample else interval
        elif not self._after_sample:
            self._plain.append(interval)
        elif self._open is not None and len(self._plain) >= _REVIEW:
            self._felt.append(self._open + interval - 2 * median(self._plain))

    def spent(self, seconds: float, *, sampling: bool = False) -> None:
        """Account for probe time; `sampling`: it belongs to the sample that is being taken."""
        self.seconds += seconds
        self._spent_since += seconds
        if sampling:
            self._cost += seconds
        else:
            self._other += seconds

    def sampled(self) -> None:
        """A sample is complete: what it cost decides when the next one is due."""
        self._sample_seconds.append(self._cost)
        self._cost = 0.0
        if self.every == "auto" and (self._samples % _REVIEW == 0 or self.step <= DENSE[-1][0]):
            self._review()

    def _review(self) -> None:
        wanted = self._affordable() if self._samples >= _REVIEW else 1
        for until, dense in DENSE:
            if self.step < until and self.seconds < DENSE_SECONDS:
                wanted = min(wanted, dense)
                break
        self._reviewed = self.step, self._other
        # A stride that wobbles by one makes the time axis ragged and saves nothing.
        if not 0.8 <= wanted / self.stride <= 1.25:
            self.set_stride(wanted)

    def _affordable(self) -> int:
        # Medians: an evaluation between two steps, or a first slow sample, says nothing about them.
        step = median(self._plain or self._all or [0.0])
        sample = median(self._sample_seconds)
        if len(self._felt) >= _REVIEW:
            sample = min(max(sample, median(self._felt)), 2 * sample)
        # Logging and standing by cost a little too, which matters for microsecond steps.
        since, other = self._reviewed
        standing = _PASSING_SECONDS + (self._other - other) / max(1, self.step - since)
        allowed = _AIM * self.budget * step
        allowed = max(allowed - standing, allowed / 4)
        # However dear: a step has been looked at since 4/5 of the training, or late faults hide;
        # since 2/3 while more than the budget was used, by the dense start or by microsecond steps.
        rare = self.step // 4
        if self._first is not None and self._share(self._first, 0.0) > _AIM * self.budget:
            allowed, rare = allowed / 4, self.step // 2
        if not allowed > 0:
            return self.stride
        return max(1, min(math.ceil(0.99 * sample / allowed), max(rare, 4)))

    def sample_every(self, every: object) -> None:
        """From now on every n-th step, or "auto"."""
        self.every = check_every(every)
        self.set_stride(1 if self.every == "auto" else self.every)
        if self.every == "auto" and self._sample_seconds:
            self._review()

    def set_stride(self, stride: int) -> None:
        self.stride, self.unheard = max(1, stride), 0
        self._next = self.step + self.stride
