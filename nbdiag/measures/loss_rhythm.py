"""A loss that follows the order of the data: in each pass it stands out at the same place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from nbdiag.measures.loss_levels import LossLevels

BEATS = 5
BEAT = 8.0
"""In units of the noise: on one beat out of many it takes no more to rule out chance."""
ON_BEAT, KEPT = 0.9, 0.6
"""Share of what stands out that falls on the beat, and of the beats at which something does."""
WORSE_THAN_NOTHING = 1.2
"""In units of the start: whoever knows nothing does better on such a batch."""
STEADY = 0.1
"""A term that is added now and then is as large each time: no batch that the network gets wrong."""
SHORTEST, REPEATS = 4, 0.6
FORGOTTEN, AGAIN = 1.0, 4.0
"""Of the start, and of the typical value: the worst of each pass are as if nothing was learned."""
ALIKE, NEIGHBOURS, CLEARLY, APART = 0.8, 0.15, 0.1, 1.3
"""Of classifiers, whose loss is the same for any batch as long as they know nothing: how alike
passes are, how alike neighbours are at least and how much less than passes, and how many times the
least of each pass its worst is."""


def beats(levels: LossLevels) -> tuple[NDArray[np.intp], int]:
    """(indices of values that stand out at every p-th step or a multiple of it, p).

    Nothing and 0 where they keep no time, or where what stands out is a term of the loss itself.
    """
    nothing = np.empty(0, np.intp), 0
    above = levels.values - median_filter(levels.values, 9, mode="nearest")
    found = np.flatnonzero(above > BEAT * levels.noise)
    if len(found) < BEATS or not levels.noise > 0:
        return nothing
    gap = int(np.median(np.diff(found)))
    if gap < 3:
        return nothing
    phase = int(np.argmax(np.bincount(found % gap)))
    on = found[found % gap == phase]
    worse = levels.values[on] > WORSE_THAN_NOTHING * levels.start
    kept = len(on) * gap / (len(levels) - on[0])
    if len(on) < ON_BEAT * len(found) or kept < KEPT or worse.sum() < BEATS:
        return nothing
    height = above[on]
    return (on, gap) if float(height.std()) > STEADY * float(height.mean()) else nothing


def repeats(levels: LossLevels, outputs: int = 0) -> int:
    """After how many values the loss repeats itself, each time back up to where it began, although
    it is far below between; 0 where it does not.

    Batches that hold one class each are unlearned while the others have their turn. Two tasks in
    turn repeat too, but never get back up to the start; nor do batches of all classes in a fixed
    order, of which neighbours are strangers; and what swings by itself, as two players do, is most
    like itself a step before.

    Parameters
    ----------
    outputs : classes that a classifier tells apart, 0 where not known.
    """
    late = levels.values[len(levels) // 3 :]
    n = len(late)
    if n < 10 * SHORTEST or not float(late.min()) > 0:
        return 0
    high, middle = float(np.quantile(late, 0.95)), float(np.median(late))
    deep = high > AGAIN * middle
    apart = outputs >= 3 and high > APART * float(np.quantile(late, 0.05))
    if not (high > FORGOTTEN * levels.start and (deep or apart)):
        return 0
    peaks = late[late > np.sqrt(high * max(middle, 1e-300))]
    if deep and not float(peaks.std()) > STEADY * float(peaks.mean()):
        return 0
    course, time = np.log(late), np.arange(n)
    course -= np.polyval(np.polyfit(time, course, 1), time)
    course /= max(float(course.std()), 1e-12)
    alike = np.array([course[:-lag] @ course[lag:] / (n - lag) for lag in range(1, n // 3)])
    # A course that wanders slowly is alike at all short lags: it has to have parted in between.
    parted = np.minimum.accumulate(alike) < REPEATS / 2
    lags = np.flatnonzero(parted & (alike > REPEATS)) + 1
    lags = lags[lags >= SHORTEST]
    if not len(lags):
        return 0
    best = int(lags[np.argmax(alike[lags - 1])])
    sorts = alike[best - 1] > ALIKE and NEIGHBOURS < alike[0] < alike[best - 1] - CLEARLY
    return best if deep or sorts else 0
