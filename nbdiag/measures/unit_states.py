"""What each unit of an activation did over all the inputs that were looked at."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.activation_log import ActivationTrack

DEAD, SILENT, SOMETIMES, ALWAYS, STUCK, PARTLY, FREE = range(7)
"""Never active; active once, but not in the later half of the inputs; now and then; for every
value. Of a bounded activation, over the later half of the inputs: (almost) always at an end; often
there; hardly ever."""
STATES = 7

STUCK_SHARE = 0.95
FREE_SHARE = 0.05


class UnitStates(NamedTuple):
    """One activation, U units in B blocks of time."""

    states: NDArray[np.uint8]
    """(U,)"""
    first: NDArray[np.int64]
    """(B,) first step of each block."""
    last: NDArray[np.int64]
    """(B,) last step."""
    inputs: NDArray[np.int64]
    """(B,) inputs looked at."""
    off: NDArray[np.float32]
    """(B,) share of units never active in that block; of a bounded activation, of stuck ones."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """(7,) units in each state."""
        return np.bincount(self.states, minlength=STATES)


def is_bounded(track: ActivationTrack) -> bool:
    """Whether its units are judged by how long they stay at an end, and not by whether they fire.

    A rectified activation with a ceiling (ReLU6) is off at zero, so it is judged by firing.
    """
    return track.bounds is not None and not track.rectifies


def unit_states(track: ActivationTrack) -> UnitStates:
    """The state of every unit, and the share of units that were off, by block of time."""
    blocks = track.blocks()
    inputs = blocks.inputs
    if is_bounded(track):
        states = np.full(track.units, PARTLY, np.uint8)
        if len(inputs):
            later = np.cumsum(inputs[::-1])[::-1] <= (inputs.sum() + 1) / 2
            later[-1] = True
            share = _weighted(blocks.saturation[later], inputs[later])
            states[share >= STUCK_SHARE] = STUCK
            states[share < FREE_SHARE] = FREE
        off = (blocks.saturation >= STUCK_SHARE).mean(axis=1)
    else:
        states = np.full(track.units, SOMETIMES, np.uint8)
        if len(inputs):
            states[(blocks.activity >= 1).all(axis=0)] = ALWAYS
        states[2 * track.seen_since_active >= max(1, track.seen)] = SILENT
        states[track.last_active == 0] = DEAD
        off = (blocks.activity <= 0).mean(axis=1)
    return UnitStates(states, blocks.first, blocks.last, inputs, off.astype(np.float32))


def _weighted(shares: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    return (shares * weights[:, None]).sum(axis=0) / max(1, weights.sum())
