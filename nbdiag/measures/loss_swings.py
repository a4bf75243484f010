"""A training loss that swings or jumps far outside its own noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from nbdiag.measures.findings import Finding
from nbdiag.measures.loss_history import LossHistory
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.loss_rhythm import WORSE_THAN_NOTHING, beats, repeats
from nbdiag.measures.robust import finite_median, runs, spread
from nbdiag.measures.weight_history import WeightHistory
from nbdiag.measures.wording import confidence, sure

MIN_POINTS = 60
WORSE = 0.2
"""Above its start by a fifth: worse than not having trained at all."""
SWING = 0.8
"""From the lower tenth to the upper fiftieth in units of the median. A mean over 32 squared normal
errors, the noisiest of the common losses, stays at that."""
LEFT, LEFT_THROWN = 0.25, 0.02
"""Of the first value: a loss that comes near zero is not hurt by the steps, unless they threw the
weights away, which inflates the first values."""
OFTEN = 0.15
"""Of the batches cost more than before training: many are right, and the others quite wrong."""
EXCURSIONS = 3
SPIKES = 5
SPIKE = 3.0
"""In units of the start, and at most twice as many reach half of that height alone: heavy tails, as
single samples that a sure network gets wrong give them, thin out upwards."""
LEARNED = 0.3
"""Of its start it must have fallen before a rise throws it back: two players who take turns, as in
adversarial training, swing around where they began."""
RARE = 0.1
"""What comes more often is part of the noise."""
UPSET = 0.05
"""A single step that changes a twentieth of the weights undoes what fifty good ones did. Spikes
that leave the weights alone, as those of outliers under Adam, are part of the data."""


def unstable(history: LossHistory, levels: LossLevels) -> Finding | None:
    values, n = levels.values, len(levels)
    if n < MIN_POINTS:
        return None
    late = values[n // 3 :]
    trend = median_filter(late, max(9, len(late) // 5) | 1, mode="nearest")
    middle = max(abs(float(np.median(late))), 1e-300)
    low, high = np.quantile(late - trend, (0.1, 0.98))
    swing = float(high - low) / middle
    first = max(abs(float(values[0])), 1e-300)
    violent = history.violent
    above = _excursions(levels)
    spikes = _spikes(levels, history.weights)
    spikes = spikes if len(spikes) >= SPIKES else _strangers(levels)
    spikes = spikes if len(spikes) >= SPIKES else beats(levels)[0]
    # What grows a hundredfold takes its noise along.
    quiet = levels.noise_at_start * max(1.0, abs(levels.end) / max(abs(levels.start), 1e-300))
    period = repeats(levels, history.outputs)
    left = levels.end / first
    wide = swing > (SWING if left < 1 else SWING / 2)
    if violent and wide and left > (LEFT_THROWN if history.thrown else LEFT):
        how = f"it swings by {swing:.2g} of its typical value, and {violent}"
    elif (
        violent and history.thrown and (worse := float((late > (1 + WORSE) * first).mean())) > OFTEN
    ):
        how = f"{worse:.0%} of its values are well above where it began, and {violent}"
    elif len(above) >= EXCURSIONS:
        how = f"it rose {len(above)} times from below its start to well above it"
    elif len(spikes) >= SPIKES:
        height = float(values[spikes].max()) / max(abs(levels.start), 1e-300)
        how = f"{len(spikes)} single steps stand out, up to {height:.3g} times the start"
        gaps = np.diff(levels.steps[spikes])
        if bool((gaps % gaps.min() == 0).all()) and gaps.min() > 1:
            how += f", {gaps.min()} steps or a multiple of it apart"
    elif period:
        length = int(levels.steps[period] - levels.steps[0])
        high = float(np.quantile(late, 0.95))
        how = f"every {length} steps it is back at {high:.3g}, as if nothing was learned, and at "
        how += f"{middle:.2g} between"
    elif levels.end > 0.9 * levels.start and spread(late - trend) > 4 * quiet > 0 and swing > 0.5:
        noisier = spread(late - trend) / quiet
        how = f"it swings {noisier:.2g} times as far as at the start, and is no lower than there"
    else:
        return None
    remedy = "Lower the learning rate about 10-fold and warm it up."
    if len(spikes) >= SPIKES and not violent:
        step = int(levels.steps[spikes[0]])
        remedy = (
            f"Look at the batches of these steps, as of step {step}: inputs or targets in other "
        )
        remedy += "units, or wrong; clip the gradients so that one batch cannot undo the others."
    elif period and len(above) < EXCURSIONS and not violent:
        remedy = "Shuffle the samples, so that each batch holds all classes and sources."
    elif not violent:
        remedy = "Lower the learning rate about 10-fold, or clip the gradients if batches start it."
    worst = int(np.argmax(late)) + n // 3
    certain = bool(violent or period) or len(above) > EXCURSIONS or len(spikes) > SPIKES
    return Finding(
        "loss.unstable",
        "warning",
        levels.name,
        f"The loss is unstable: {how}; {sure(certain)}.",
        {
            "swing": swing,
            "excursions": len(above),
            "spikes": len(spikes),
            "step": int(levels.steps[worst]),
            "from_step": int(levels.steps[n // 3]),
            "to_step": int(levels.steps[-1]),
            "confidence": confidence(certain),
        },
        remedy,
    )


def _spikes(levels: LossLevels, weights: WeightHistory | None) -> NDArray[np.intp]:
    """Indices of the rare single values far above noise and start that upset the weights."""
    none = np.empty(0, np.intp)
    values = levels.values[max(5, len(levels) // 20) :]
    far = float(np.median(values)) + 20 * levels.noise
    far = max(far, SPIKE * abs(levels.start))
    high, half = values > far, values > far / 2
    apart = half.sum() < 3 * high.sum() and high.sum() < RARE * len(values)
    if not apart or weights is None or not len(weights.matrices):
        return none
    found = np.array([start for start, _ in runs(high)], np.intp) + len(levels) - len(values)
    # The loss of a step may be logged before it or after it.
    near = [np.isin(weights.steps, levels.steps[found] + shift) for shift in (0, 1)]
    ratios = finite_median(weights.ratios[:, weights.matrices].T)
    sizes = ratios[near[0] | near[1]]
    sizes = np.sort(sizes[np.isfinite(sizes)])[-len(found) :]
    return found if len(sizes) and float(np.median(sizes)) > UPSET else none


def _strangers(levels: LossLevels) -> NDArray[np.intp]:
    """Indices of rare single values that are a population of their own: batches that the network
    gets wrong as a whole, worse than before it knew anything, the more it learns from the others.

    Heavy tails fill the gap between the usual and the odd; a term that is added to the loss now and
    then stands out from the start.
    """
    n, tenth = len(levels), len(levels) // 10
    if not levels.end < 0.5 * levels.start:
        return np.empty(0, np.intp)
    above = levels.values - median_filter(levels.values, 9, mode="nearest")
    high = (above > 20 * levels.noise) & (levels.values > WORSE_THAN_NOTHING * levels.start)
    found = np.flatnonzero(high)
    if not SPIKES <= len(found) < RARE * n or high[:tenth].any() or np.diff(found).min() < 3:
        return np.empty(0, np.intp)
    height = float(np.median(above[found]))
    between = (above[tenth:] > 0.3 * height) & (above[tenth:] < 0.6 * height)
    return found if between.sum() <= len(found) / 4 else np.empty(0, np.intp)


def _excursions(levels: LossLevels) -> list[tuple[int, int]]:
    """Stretches well above the start, each after a stretch well below it.

    Of a running median of five, so that it takes three of five steps: odd batches are left out.
    """
    smooth = median_filter(levels.values, 5, mode="nearest")
    # Single values of small batches say little about the level.
    first = levels.values[: max(10, len(levels) // 8)]
    start, best = max(levels.start, float(levels.blocks[0])), levels.best
    above: list[tuple[int, int]] = []
    if not start - best > LEARNED * abs(start):
        return above
    below = smooth < start - 0.5 * (start - best)
    clear = max(WORSE * abs(start), 4 * levels.noise, 2 * float(first.std()))
    for begin, stop in runs(smooth > start + clear):
        since = above[-1][1] if above else 0
        if below[since:begin].any():
            above.append((begin, stop))
    return above
