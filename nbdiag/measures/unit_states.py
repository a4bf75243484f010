"""What each unit of an activation did over all the inputs that were looked at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.activation_log import ActivationTrack
from nbdiag.measures.activation_stats import MIN_INPUTS
from nbdiag.measures.activation_stats import STUCK as STUCK_SHARE

DEAD, SILENT, SOMETIMES, ALWAYS, STUCK, PARTLY, FREE = range(7)
"""Never active; active once, but not in the later half of the inputs, which are `MIN_INPUTS` or
more; now and then; for every value. Of a bounded activation, in the later half of the blocks:
nearly always at an end; often there; hardly ever."""
STATES = 7
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
            share = blocks.saturation[len(inputs) // 2 :].mean(axis=0)
            states[share >= STUCK_SHARE] = STUCK
            states[share < FREE_SHARE] = FREE
        off = (blocks.saturation >= STUCK_SHARE).mean(axis=1)
    else:
        states = np.full(track.units, SOMETIMES, np.uint8)
        if len(inputs):
            states[(blocks.activity >= 1).all(axis=0)] = ALWAYS
        states[track.seen_since_active >= max(MIN_INPUTS, track.seen / 2)] = SILENT
        states[track.last_active == 0] = DEAD
        off = (blocks.activity <= 0).mean(axis=1)
    return UnitStates(states, blocks.first, blocks.last, inputs, off.astype(np.float32))
