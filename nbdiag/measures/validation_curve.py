"""Validation next to training loss: does the network learn what carries over?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from nbdiag.measures.findings import Finding
from nbdiag.measures.robust import noise
from nbdiag.measures.scalar_series import Series
from nbdiag.measures.wording import confidence, sure

MIN_EPOCHS = 6
TURNED = 0.1
"""Validation a tenth above its best; Prechelt's rule for early stopping (1998) has a twentieth."""
WORTH = 0.03
"""And by more than this share of where it began: less makes no difference to anybody."""
FELL_ON = 0.85
STAYED = 0.05
"""Validation gained less than a twentieth of where the training loss began."""
APART = 0.2
"""In units of where the training loss began: less of a gap was never worth closing."""


@dataclass(frozen=True, eq=False)
class ValidationCurve:
    """Validation and training loss at V validations.

    Parameters
    ----------
    steps : (V,) optimizer steps.
    validation : (V,) finite.
    training : (V,) mean training loss since the validation before, NaN where unknown. It is
        averaged while the weights move and with dropout on, so it lies too high, if anything.
    """

    steps: NDArray[np.int64]
    validation: NDArray[np.float64]
    training: NDArray[np.float64]

    @classmethod
    def from_scalars(cls, scalars: Mapping[str, Series]) -> ValidationCurve | None:
        """None when no validation loss was logged."""
        if "val_loss" not in scalars:
            return None
        held = scalars["val_loss"]
        keep = np.isfinite(held.values)
        steps, values = held.steps[keep], held.values[keep]
        training = np.full(len(steps), np.nan)
        name = "train_loss" if "train_loss" in scalars else "loss"
        if name in scalars and len(steps):
            logged = scalars[name]
            finite = np.isfinite(logged.values)
            at = np.searchsorted(steps, logged.steps[finite], side="left")
            if name == "train_loss":
                # Logged at the end of its epoch, perhaps a line after the validation.
                at = np.minimum(at, len(steps) - 1)
            inside = at < len(steps)
            total = np.bincount(at[inside], logged.values[finite][inside], len(steps))
            count = np.bincount(at[inside], minlength=len(steps))
            training = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return cls(steps, values, training)


def overfitting(curve: ValidationCurve, kinds: frozenset[str] = frozenset()) -> Finding | None:
    """``loss.overfitting``, or None.

    Validation turned up (a tenth above its best, a thirtieth of its start, three times its noise,
    in all of the last validations), or it stayed where it was over most of the training; and in
    both cases the training loss went on falling meanwhile.
    """
    count = len(curve.steps)
    if count < MIN_EPOCHS:
        return None
    held, seen = curve.validation, curve.training
    smooth = median_filter(held, 3, mode="nearest")
    # Means over a stretch that is as long as one can afford: validation is noisy.
    last = max(3, count // 8)
    means = np.convolve(smooth, np.full(last, 1 / last), "valid")
    at = int(np.argmin(means))
    best = at + int(np.argmin(smooth[at : at + last]))
    low, end, start = float(means.min()), float(held[-last:].mean()), abs(float(held[0]))
    chance = 3 * noise(held) * np.sqrt(2 / last)
    rise = end - low
    turned = (
        rise > max(TURNED * abs(low), WORTH * start, chance)
        and best < count - last
        and bool((smooth[-last:] > low + rise / 3).all())
        and _mean(seen[-last:]) < _before(seen, best, FELL_ON)
    )
    early = max(1, count // 4)
    now, at_first = _mean(seen[-last:]), _mean(seen[: early + 1])
    gained = float(np.median(held[: early + 1]) - smooth[early:].min())
    began = max(abs(float(seen[np.isfinite(seen)][0])), start) if np.isfinite(seen).any() else start
    stayed = (
        not turned
        and gained < STAYED * began
        and now < began - 0.5 * abs(began)
        and end - now > APART * began
    )
    if not (turned or stayed):
        return None
    train_then, train_now = _mean(seen[max(0, best - 1) : best + 2]), now
    if turned:
        from_step = int(curve.steps[best])
        message = (
            f"The validation loss was best at step {from_step}, {low:.3g}, and is {end:.3g} now, "
            f"while the training loss fell on from {train_then:.3g} to {train_now:.3g}"
        )
        certain = rise > 2 * max(TURNED * abs(low), WORTH * start, chance)
    else:
        from_step = int(curve.steps[0])
        message = (
            f"The validation loss stays at {end:.3g} while the training loss fell from "
            f"{at_first:.3g} to {train_now:.3g}"
        )
        certain = count >= 2 * MIN_EPOCHS
    parts = [f"stop at step {from_step} or keep the weights of that time"] if turned else []
    if not any("Dropout" in kind for kind in kinds):
        parts.append("add dropout or weight decay")
    else:
        parts.append("raise dropout or weight decay")
    parts.append("augment the data or get more; a smaller network would do as well")
    if stayed:
        parts.append("check that training and validation labels mean the same")
    text = "; ".join(parts)
    return Finding(
        "loss.overfitting",
        "warning",
        "val_loss",
        f"{message}; {sure(certain)}.",
        {
            "best": low,
            "end": end,
            "train_end": train_now,
            "from_step": from_step,
            "to_step": int(curve.steps[-1]),
            "confidence": confidence(certain),
        },
        text[0].upper() + text[1:] + ".",
    )


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _before(seen: NDArray[np.float64], best: int, share: float) -> float:
    """What the training loss must have come below: `share` of what it was at the best validation,
    whichever its sign.
    """
    then = _mean(seen[max(0, best - 1) : best + 2])
    return then - (1 - share) * abs(then)
