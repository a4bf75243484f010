"""Gradients that grow by orders of magnitude from step to step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.findings import Finding
from nbdiag.measures.gradient_history import GradientHistory
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.recording import NAN, OK
from nbdiag.measures.wording import confidence, fold, sentence, sure

EXPLODING = 1e3
EXPLODING_WORSE = 1e2
"""Where the loss ends well above its start."""
ON_THE_WAY_TO_OVERFLOW = 1e4
BURST = 10.0
AT_ONCE, THROWN = 100.0, 4.0
"""In units of the weights: of the gradient, and of what its step left behind."""
LAST_STEPS = 4
"""Before an overflow the last few steps tell: what feeds on itself takes its last hundredfold in
two of them. All of them must have grown, or it was a division by zero."""


def over_steps(history: GradientHistory) -> Finding | None:
    bad = np.flatnonzero((history.status >= NAN).any(axis=1))
    stop = int(bad[0]) if len(bad) else len(history.steps)
    squares = history.norms[:stop].astype(np.float64) ** 2
    counts = (history.status[:stop] == OK) & ~history.idle
    total = np.sqrt(np.where(counts, squares, 0.0).sum(axis=1))
    if burst := _burst(history, total, overflowed=bool(len(bad))):
        return _exploded(history, *burst, overflowed=bool(len(bad)))
    if stop < 8:
        return _at_once(history, total) if len(bad) and stop else None
    head, tail = max(3, min(20, stop // 5)), max(3, min(20, stop // 10))
    start, recent = float(np.median(total[:head])), float(np.median(total[-tail:]))
    if len(bad) and start > 0 and float(total[-LAST_STEPS:].min()) > 5 * start:
        last = float(total[-1])
        if last >= float(total.max()) and last > EXPLODING_WORSE * start:
            return _exploded(history, 0, stop - 1, start, last, overflowed=True)
    before = float(np.median(total[-3 * tail : -tail]))
    worse = _worse(history.levels)
    if not start > 0 or recent < (EXPLODING_WORSE if worse else EXPLODING) * start:
        return None
    rising = recent > 2 * before and recent > float(total[:-tail].max())
    if not (rising or worse):
        return None
    losses = history.losses[:stop]
    # Leaving a plateau, gradients grow a thousandfold too, but the loss falls, and they end near 1.
    if len(losses) == stop and np.isfinite(losses[:head]).any() and np.isfinite(losses[-1]):
        if np.nanmedian(losses[-tail:]) < np.nanmedian(losses[:head]):
            return None
    elif recent < ON_THE_WAY_TO_OVERFLOW and not (len(bad) or worse):
        return None
    return _exploded(history, 0, stop - 1, start, recent, overflowed=bool(len(bad)))


def _at_once(history: GradientHistory, total: NDArray[np.float64]) -> Finding | None:
    """Gradients a hundred times as large as the weights that threw the weights away in one of the
    first few steps, and overflowed with them: too few steps to see them grow.
    """
    weights = np.sqrt((history.weight_norms.astype(np.float64) ** 2).sum(axis=1))
    row = int(np.argmax(total))
    stop = len(total)
    next_one = int(history.steps[stop]) == int(history.steps[stop - 1]) + 1
    loss = history.levels
    rose = loss is not None and len(loss) > 1 and loss.values[-1] > BURST * abs(loss.values[0])
    # What is no number any more was thrown by the step before, if that is known to be the last one,
    # or if the loss shows how it went on.
    lost = bool(np.isnan(weights[stop])) and (next_one or rose)
    thrown = bool(weights[stop] > THROWN * weights[0]) or lost
    if not (weights[0] > 0 and thrown and total[row] > AT_ONCE * weights[0]):
        return None
    step = int(history.steps[row])
    return Finding(
        "gradient.exploding",
        "critical",
        "all layers",
        f"The gradient over all layers, of norm {total[row]:.3g} at step {step}, was "
        f"{total[row] / weights[0]:.2g} times as large as the weights; the steps threw them away, "
        f"and the gradient overflowed at step {int(history.steps[stop])}; {sure(True)}.",
        {
            "growth": float(total[row] / weights[0]),
            "start": float(weights[0]),
            "recent": float(total[row]),
            "step": step,
            "from_step": int(history.steps[0]),
            "to_step": int(history.steps[stop]),
            "confidence": confidence(True),
        },
        "Check that inputs and targets are normalised and that no recurrence amplifies; lower "
        "the learning rate about 10-fold, or clip the gradients with "
        "torch.nn.utils.clip_grad_norm_.",
    )


def _worse(levels: LossLevels | None) -> bool:
    """Whether the loss ends above its start by a fifth and by four times its noise."""
    if levels is None or len(levels) < 8:
        return False
    rise = levels.end - levels.start
    return levels.bad is not None or rise > max(0.2 * abs(levels.start), 4 * levels.noise)


def _burst(
    history: GradientHistory, total: NDArray[np.float64], *, overflowed: bool
) -> tuple[int, int, float, float] | None:
    """(row before, row of the peak, norm before, norm at the peak) of a growth in a few steps.

    To a thousandfold, at least tenfold twice in a row, and no way back: overflow follows, or a loss
    above its start, or gradients of exactly zero, as a network gives whose units were all killed.
    """
    positive = np.where(total > 0, total, np.nan)
    with np.errstate(all="ignore"):
        factors = positive[1:] / positive[:-1]
    steep = factors > BURST
    starts = np.flatnonzero(steep[:-1] & steep[1:])
    if overflowed and not len(starts):
        # One step is enough when the next ones overflow.
        starts = np.flatnonzero(factors[-3:] > EXPLODING) + max(0, len(factors) - 3)
    if not len(starts):
        return None
    row = int(starts[0])
    peak = row + int(np.nanargmax(positive[row : row + 12]))
    if not total[peak] > EXPLODING * total[row]:
        return None
    over = overflowed and len(total) - peak <= 5
    killed = len(total) - peak > 2 and float(np.median(total[peak + 1 :])) < 1e-6 * total[row]
    # Where a loss is known it has the last word: leaving a plateau looks alike.
    levels = history.levels
    if levels is not None and len(levels) >= 8 and not overflowed and levels.fall > 0.2:
        return None
    if over or killed or _worse(history.levels):
        return row, peak, float(total[row]), float(total[peak])
    return None


def _exploded(
    history: GradientHistory,
    row: int,
    peak: int,
    start: float,
    recent: float,
    *,
    overflowed: bool,
) -> Finding:
    step, from_step = int(history.steps[peak]), int(history.steps[row])
    certain = overflowed or recent > ON_THE_WAY_TO_OVERFLOW * start
    how = "and overflowed" if overflowed else "and has not come back"
    parts = ["lower the learning rate about 10-fold or warm it up"]
    if history.clipped:
        parts.append("lower the limit of the clipping: it lets too much through")
    else:
        parts.append("clip the gradients with torch.nn.utils.clip_grad_norm_")
    if step <= 20:
        parts.append("check that inputs and targets are normalised")
    return Finding(
        "gradient.exploding",
        "critical",
        "all layers",
        f"The gradient norm over all layers grew {fold(recent / start)}, from {start:.3g} at "
        f"step {from_step} to {recent:.3g} at step {step}, {how}; {sure(certain)}.",
        {
            "growth": recent / start,
            "start": start,
            "recent": recent,
            "step": step,
            "from_step": from_step,
            "to_step": step,
            "confidence": confidence(certain),
        },
        sentence(parts),
    )
