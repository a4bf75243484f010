"""Gradient norms by layer over a training."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.recording import Codes, Floats, LayerInfo, Recording, Rows


@dataclass(frozen=True, eq=False)
class GradientHistory:
    """Gradient norms of L layers, in forward order, at T sampled optimizer steps.

    Parameters
    ----------
    layers : (L,)
    steps : (T,) optimizer step numbers.
    norms : (T, L) Euclidean norm of the gradient; NaN where there is none.
    weight_norms : (T, L)
    status : (T, L) 0 ok, 1 no gradient, 2 frozen, 3 NaN, 4 infinite.
    idle : (L,) layers that no step moved while it moved others: nobody uses their gradients, nor
        clears them if they are in no optimizer, so that they pile up.
    without_gradient : trainable parameters that got no gradient in any of the samples.
    losses : (T,) the loss near each step, NaN where it was not logged.
    levels : how the training loss went as a whole, None where it was not logged.
    clipped : whether clipping was seen to take away more than a hundredth of a gradient.
    """

    layers: tuple[LayerInfo, ...]
    steps: NDArray[np.int64]
    norms: Floats
    weight_norms: Floats
    status: Codes
    idle: NDArray[np.bool_]
    without_gradient: tuple[str, ...] = ()
    losses: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    levels: LossLevels | None = None
    clipped: bool = False

    @classmethod
    def from_recording(
        cls, recording: Recording, rows: Rows | None = None, levels: LossLevels | None = None
    ) -> GradientHistory:
        """At most 1,000 rows of it, the first and the last in full."""
        rows = recording.sketch() if rows is None else rows
        levels = LossLevels.from_recording(recording) if levels is None else levels
        losses = np.full(len(rows.steps), np.nan)
        loss = recording.scalars.get("loss")
        if loss is not None and np.all(np.diff(loss.steps) >= 0):
            # The latest loss known at a step: it may be logged a line after the step.
            at = np.searchsorted(loss.steps, rows.steps, side="right") - 1
            losses[at >= 0] = loss.values[at[at >= 0]]
        idle = (rows.update_norm == 0).all(axis=0)
        return cls(
            recording.layers,
            rows.steps,
            rows.grad_norm,
            rows.weight_norm,
            rows.status,
            idle & ~idle.all(),
            recording.without_gradient(),
            losses,
            levels,
            bool((rows.grad_norm < 0.99 * rows.grad_norm_raw).any()),
        )

    @property
    def relative(self) -> Floats:
        """(T, L) norm of the gradient over norm of the weights; NaN where the weights are zero."""
        weights = np.where(self.weight_norms > 0, self.weight_norms, np.nan)
        with np.errstate(over="ignore", invalid="ignore"):
            return (self.norms / weights).astype(np.float32)
