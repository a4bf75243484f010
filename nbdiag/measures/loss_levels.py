"""Where a training loss began, how low it came, and where it is now, next to its own noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.recording import Recording
from nbdiag.measures.robust import block_medians, noise
from nbdiag.measures.scalar_series import Series

POINTS = 2000
"""A longer series is condensed to this many means, so that judging costs the same for any."""
_BLOCKS = 20
_HUGE = 1e150
"""Values beyond are cut, so that their squares still are finite numbers."""


@dataclass(frozen=True, eq=False)
class LossLevels:
    """The finite part of a training loss, condensed.

    Parameters
    ----------
    name : "loss" (a step) or "train_loss" (an epoch).
    steps : (n,) optimizer step of each value.
    values : (n,) finite values in the order in which they were logged.
    bad : step of the first NaN or infinite value after which none was finite; None when the last
        value is finite.
    """

    name: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    bad: int | None = None

    @classmethod
    def from_recording(cls, recording: Recording) -> LossLevels | None:
        """Of the loss of each step, else of that of each epoch; None when neither was logged."""
        scalars = recording.scalars
        logged = [(name, scalars[name]) for name in ("loss", "train_loss") if name in scalars]
        if not logged:
            return None
        return cls.from_series(*max(logged, key=lambda pair: len(pair[1].steps)))

    @classmethod
    def from_series(cls, name: str, series: Series) -> LossLevels:
        """Condensed, and in the order of its steps."""
        steps, values = series.steps, series.values
        finite = np.isfinite(values)
        last = int(np.flatnonzero(finite)[-1]) if finite.any() else -1
        bad = int(steps[last + 1]) if last + 1 < len(steps) else None
        steps, values = steps[finite], np.clip(values[finite], -_HUGE, _HUGE)
        if len(steps) > POINTS:
            group = -(-len(steps) // POINTS)
            starts = np.arange(0, len(steps), group)
            sizes = np.diff(np.r_[starts, len(steps)])
            steps, values = steps[starts], np.add.reduceat(values, starts) / sizes
        return cls(name, steps, values, bad)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def start(self) -> float:
        """Median of the first values: three, or a fiftieth of them."""
        return float(np.median(self.values[: max(3, len(self) // 50)]))

    @property
    def end(self) -> float:
        """Median of the last tenth, at least five."""
        return float(np.median(self.values[-max(5, len(self) // 10) :]))

    @property
    def blocks(self) -> NDArray[np.float64]:
        """(B,) medians of up to 20 equal parts."""
        return block_medians(self.values, min(_BLOCKS, max(1, len(self) // 4)))

    @property
    def best(self) -> float:
        """The lowest of `blocks`, or `start` where that is lower."""
        return min(self.start, float(self.blocks.min()))

    @property
    def noise(self) -> float:
        """Standard deviation of a single value around the course."""
        return noise(self.values)

    @property
    def noise_at_start(self) -> float:
        """The same over the first eighth: a training that goes wrong swings ever more."""
        return noise(self.values[: max(10, len(self) // 8)])

    @property
    def fall(self) -> float:
        """(start - end) / |start|: 1 from anything down to 0, negative when it rose."""
        return (self.start - self.end) / max(abs(self.start), 1e-300)

    @property
    def solved(self) -> bool:
        """It fell by half and more, and it did not rise from its lowest by a tenth of that fall.

        What the weights and activations of such a training look like can do it no harm.
        """
        if len(self) < 8 or self.bad is not None:
            return False
        fell = self.start - self.best
        # Not where the first steps threw up what they then took down again.
        below = self.end < self.values[0] or self.name != "loss"
        return bool(self.fall > 0.5 and below and self.end - self.best < 0.1 * fell)

    @property
    def bottomless(self) -> bool:
        """It falls below zero and no more slowly than before: a loss without a lower bound.

        On the way to any bound each quarter would take less than the one before it.
        """
        n = len(self)
        if n < 20 or self.bad is not None or not self.end < min(0.0, self.start):
            return False
        parts = block_medians(self.values, 4)
        falls = -np.diff(parts)
        steady = bool((falls > 0).all() and falls[-1] > 0.9 * falls.mean())
        return steady and float(parts[-1]) < -3 * abs(self.start)

    def at_rest_above(self, share: float) -> bool:
        """Whether it stays above `share` of its start, and does not fall any more; a loss that
        goes below zero has no such scale.
        """
        if len(self) < 20 or self.bad is not None or not float(self.values.min()) > 0:
            return False
        third, last = block_medians(self.values, 4)[2:]
        chance = 3 * self.noise * np.sqrt(2 / (len(self) / 4))
        rests = third - last < max(0.05 * (self.start - last), chance)
        return bool(rests) and self.end > share * self.start

    def stuck_at_start(self) -> bool:
        """Whether the last third is no lower than the first tenth, but for a twentieth and chance.

        The chance: two standard errors of the difference of the two medians.
        """
        n = len(self)
        if n < 20:
            return False
        first, last = self.values[: max(3, n // 10)], self.values[-(n // 3) :]
        error = 1.25 * self.noise * np.sqrt(1 / len(first) + 1 / len(last))
        scale = max(abs(float(np.median(first))), 1e-300)
        change = float(np.median(last) - np.median(first))
        return -0.05 * scale - 2 * error < change < 0.2 * scale + 2 * error

    def unmoved(self) -> bool:
        """The same without the chance: only where noise cannot hide a fall, and none is under way.

        Means and not medians, which are surer where no outliers are.
        """
        n = len(self)
        if n < 20 or self.still_falling():
            return False
        first, last = self.values[: n // 5], self.values[-(n // 3) :]
        scale = max(abs(float(first.mean())), 1e-300)
        swing = max(self.noise, float(first.std()), float(last.std()))
        sure = 3 * swing * np.sqrt(1 / len(first) + 1 / len(last)) < 0.05 * scale
        return bool(sure and abs(float(last.mean() - first.mean())) < 0.05 * scale)

    def still_falling(self) -> bool:
        """Whether the second half falls by more than three standard errors of a straight line."""
        half = self.values[len(self) // 2 :]
        if len(half) < 10:
            return False
        x = np.linspace(-0.5, 0.5, len(half))
        slope = float(x @ half / (x @ x))
        left = float(np.std(half - half.mean() - slope * x))
        return slope < -3 * max(left, self.noise, 1e-300) / float(np.sqrt(x @ x))
