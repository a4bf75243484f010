"""Are units dead or saturated? The state of each activation, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.activation_log import ActivationTrack
from nbdiag.measures.findings import Finding, by_severity
from nbdiag.measures.head import outputs
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.recording import Recording
from nbdiag.measures.wording import confidence, layers_in_words, sentence, sure

MIN_INPUTS = 300
"""A unit that is off for 300 inputs in a row is on for less than 1 % of them (at 95 %)."""
MANY_INPUTS = 3000
"""0.1 %."""
MIN_LOOKS = 10
DEAD = 0.5
"""Half of a layer: what is left does the work of a network half as wide."""
MIN_DEAD_UNITS = 3
SATURATED = 0.55
SATURATED_HARD = 0.85
"""Hard functions are built to rest at their ends, as gates do."""
SATURATED_OUTPUT = 0.9
OUT_OF_REACH = 0.25
"""Of the loss is left and stays: outputs that are sure and right would have taken it away."""
STUCK = 0.9
"""A unit is stuck when this share of its values lies at an end."""
NEAR_ZERO = 1e-3
"""A thousandth of the scale on which the smooth rectifiers bend, which is 1 for all of them."""
_SMOOTH = ("GELU", "SiLU", "Mish", "gelu", "silu", "Hardswish")
_HARD = ("Hardtanh", "Hardsigmoid", "ReLU6")


@dataclass(frozen=True, eq=False)
class UnitState:
    """One activation as it stands: the shares of its units and of its recent values.

    Parameters
    ----------
    name, kind, unit_word : as in the recording; `units` how many.
    rectifies, bounded : what the function is like.
    seen, looks : inputs and looks so far.
    dead : (U,) never active in the last `MIN_INPUTS` inputs and more, and in the last quarter of
        all inputs or steps or in the last `MANY_INPUTS`.
    unseen : inputs looked at since any of the dead units was active, at least.
    died : step at which the dead units last were active, in the middle; 0 for never.
    never : how many of the dead units were never active at all.
    saturated, saturated_first, saturated_at_start : share of values at an end in the second half
        of the steps,
        in the first tenth and in the first of the looks.
    stuck : (U,) at an end for nearly all inputs of the second half.
    mean, std : in the second half.
    lasting : share of the looks of the second half in which `SATURATED` of the values and more lay
        at an end.
    finite : whether the last look was.
    """

    name: str
    kind: str
    unit_word: str
    units: int
    rectifies: bool
    bounded: bool
    seen: int
    looks: int
    dead: NDArray[np.bool_]
    unseen: int
    died: int
    never: int
    saturated: float
    saturated_first: float
    saturated_at_start: float
    stuck: NDArray[np.bool_]
    mean: float
    std: float
    lasting: float
    finite: bool
    from_step: int
    to_step: int

    @property
    def gate(self) -> bool:
        """A sigmoid that a forward() calls again and again is a gate of a recurrent cell."""
        return self.kind == "sigmoid" and self.name.endswith(")") and " (" in self.name

    @classmethod
    def of(cls, track: ActivationTrack) -> UnitState:
        """Of one track; an empty one has no units that are dead or stuck."""
        series, blocks = track.series(), track.blocks()
        looks = len(series.steps)
        late, first = _late(series.steps), np.s_[: max(1, looks // 10)]
        # And for a quarter of all that it saw, or of the steps where looks have become rare: many
        # units that are off for a while come back.
        since, steps = track.seen_since_active, series.steps
        quarter = (steps[-1] - steps[0]) / 4 if looks else 0.0
        long = since >= min(MANY_INPUTS, track.seen / 4)
        if looks:
            long = long | (steps[-1] - np.fmax(track.last_active, steps[0]) >= max(1.0, quarter))
        dead = (since >= MIN_INPUTS) & long & (looks >= MIN_LOOKS)
        recent = blocks.saturation[len(blocks.first) // 2 :]
        sat = series.saturated[late]
        return cls(
            track.name,
            track.kind,
            track.unit_word,
            track.units,
            track.rectifies,
            track.bounds is not None,
            track.seen,
            looks,
            dead,
            int(track.seen_since_active[dead].min()) if dead.any() else 0,
            int(np.median(track.last_active[dead])) if dead.any() else 0,
            int((track.last_active[dead] == 0).sum()),
            _mean(sat),
            _mean(series.saturated[first]),
            _mean(series.saturated[:1]),
            recent.mean(axis=0) >= STUCK if len(recent) else np.zeros(track.units, bool),
            _mean(np.abs(series.mean[late])),
            _mean(series.std[late]),
            float((sat >= SATURATED).mean()) if len(sat) else 0.0,
            bool(looks and np.isfinite(series.mean[-1])),
            int(series.steps[0]) if looks else 0,
            int(series.steps[-1]) if looks else 0,
        )


def _late(steps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(looks,) those of the second half of the steps, at least five: looks become rare."""
    late = np.zeros(len(steps), np.bool_)
    if len(steps):
        late = np.asarray(steps > (steps[0] + steps[-1]) / 2, np.bool_)
        late[-5:] = True
    return late


def _mean(values: NDArray[np.float32]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


@dataclass(frozen=True, eq=False)
class ActivationHistory:
    """The state of every activation of a training, in forward order.

    Parameters
    ----------
    loss : how the training loss went, None where it was not logged.
    outputs : how many the network has, 0 where that is not known.
    """

    states: tuple[UnitState, ...]
    loss: LossLevels | None = None
    outputs: int = 0

    @classmethod
    def from_recording(
        cls, recording: Recording, loss: LossLevels | None = None
    ) -> ActivationHistory:
        """Of at most 64 blocks of time a unit, and 20,000 looks."""
        loss = LossLevels.from_recording(recording) if loss is None else loss
        states = tuple(UnitState.of(track) for track in recording.activations.tracks)
        return cls(states, loss, outputs(recording))

    @property
    def answer(self) -> UnitState | None:
        """The activation that gives the output: the last one, if it is as wide as the output."""
        last = self.states[-1] if self.states else None
        return last if last and self.outputs in (0, last.units) else None


def judge(history: ActivationHistory, kinds: frozenset[str] = frozenset()) -> list[Finding]:
    """What is wrong with the activations, most severe first; empty when nothing is.

    - ``activation.dead``: half of the units of a rectifier, at least three, were zero for each of
      the last 300 inputs and more. Sparse units, which are on now and then, are not dead. A smooth
      rectifier counts as dead where all it gives is next to zero.
    - ``activation.saturated``: 55 % of the values of a bounded activation lie at an end, all
      through the second half of the training. Not the output while the loss goes down, since to be
      sure is what it should; and not one that got there as the loss was solved.

    Parameters
    ----------
    kinds : class names of all modules of the model, so that the remedy fits it.
    """
    states = [s for s in history.states if s.finite and s.looks >= MIN_LOOKS]
    found = [_dead(history, [s for s in states if _is_dead(s)], kinds)]
    ends = [s for s in states if _is_saturated(s, history.loss, output=s is history.answer)]
    found.append(_saturated(ends, kinds))
    return by_severity(finding for finding in found if finding is not None)


# Dead ---------------------------------------------------------------------------------------------


def _is_dead(state: UnitState) -> bool:
    if state.rectifies:
        count = int(state.dead.sum())
        enough = count >= MIN_DEAD_UNITS or count == state.units
        return bool(enough and count >= DEAD * state.units)
    smooth = state.kind in _SMOOTH and state.seen >= MIN_INPUTS
    return smooth and state.std < NEAR_ZERO and state.mean < NEAR_ZERO and bool(state.dead.all())


def _dead(
    history: ActivationHistory, hit: Sequence[UnitState], kinds: frozenset[str]
) -> Finding | None:
    if not hit:
        return None
    worst = max(hit, key=lambda state: float(state.dead.mean()))
    count, share = int(worst.dead.sum()), float(worst.dead.mean())
    whole = count == worst.units
    certain = worst.unseen >= MANY_INPUTS or whole
    words = worst.unit_word if worst.units == 1 else worst.unit_word + "s"
    message = (
        f"{count} of {worst.units} {words} of {worst.name} ({worst.kind}) are dead: not active for "
        f"any of the last {worst.unseen:,} inputs and more"
    )
    never = not worst.died
    if worst.never == count:
        message += ", and never before"
    elif never:
        message += f", {worst.never} of them never before"
    else:
        message += f", most since about step {worst.died}"
    if len(hit) > 1:
        names = layers_in_words([state.name for state in hit])
        message += f"; {len(hit)} activations have lost half of their units and more ({names})"
    parts = []
    if never:
        parts.append(
            "initialise the layer before it anew (Kaiming, biases at 0): "
            + ("" if worst.never == count else "most of ")
            + "its units were off from the start"
        )
        parts.append("check that its inputs are normalised")
    else:
        parts.append("lower the learning rate about 10-fold or warm it up: large steps killed them")
    if worst.rectifies and not any("Leaky" in kind or kind in _SMOOTH for kind in kinds):
        parts.append(f"LeakyReLU or GELU in place of {worst.kind} lets dead units come back")
    elif not any("Norm" in kind for kind in kinds):
        parts.append("add normalisation layers")
    return Finding(
        "activation.dead",
        "critical" if whole else "warning",
        worst.name,
        f"{message}; {sure(certain)}.",
        {
            "dead": count,
            "units": worst.units,
            "share": share,
            "inputs": worst.unseen,
            "seen": worst.seen,
            "layers": [state.name for state in hit],
            "died": worst.died,
            "never": worst.never,
            "from_step": worst.died or worst.from_step,
            "to_step": worst.to_step,
            "confidence": confidence(certain),
        },
        sentence(parts),
    )


# Saturated ----------------------------------------------------------------------------------------


def _is_saturated(state: UnitState, loss: LossLevels | None, *, output: bool) -> bool:
    if not state.bounded or state.gate or state.seen < MIN_INPUTS // 3 or not state.lasting >= 0.9:
        return False
    least = SATURATED_HARD if state.kind in _HARD else SATURATED
    if output:
        # The answer itself: sure of it is right, stuck at one value from start to end is not.
        constant = state.std < NEAR_ZERO
        learns = loss is not None and loss.fall > 0.1 and not loss.stuck_at_start()
        # Driven there by targets beyond the range: at the ends, and yet at rest far above zero.
        driven = state.saturated >= least > 2 * state.saturated_at_start
        if driven and loss is not None and loss.at_rest_above(OUT_OF_REACH):
            return True
        return (
            state.saturated >= SATURATED_OUTPUT
            and not learns
            and (constant or (loss is not None and loss.stuck_at_start()))
        )
    grew_sure = loss is not None and loss.solved and state.saturated_first < least
    return state.saturated >= least and not grew_sure


def _saturated(hit: Sequence[UnitState], kinds: frozenset[str]) -> Finding | None:
    if not hit:
        return None
    worst = max(hit, key=lambda state: state.saturated)
    stuck = int(worst.stuck.sum())
    certain = worst.saturated >= 0.8
    message = (
        f"{worst.saturated:.0%} of the values of {worst.name} ({worst.kind}) lie at an end of its "
        f"range, where next to no gradient passes"
    )
    if stuck:
        words = worst.unit_word if worst.units == 1 else worst.unit_word + "s"
        message += f"; {stuck} of {worst.units} {words} for nearly all of {worst.seen:,} inputs"
    if len(hit) > 1:
        names = layers_in_words([state.name for state in hit])
        message += f"; {len(hit)} activations are so ({names})"
    parts = []
    if worst.saturated_first >= SATURATED:
        first = hit[0] is worst or hit[0].saturated_first >= SATURATED
        parts.append(
            "normalise the inputs, and initialise with smaller weights (Xavier)"
            if first
            else "initialise the layer before it with smaller weights (Xavier)"
        )
    else:
        parts.append("lower the learning rate about 10-fold: the steps drove it there")
    if not any("Norm" in kind for kind in kinds):
        parts.append("put a normalisation layer before it")
    return Finding(
        "activation.saturated",
        "warning",
        worst.name,
        f"{message}; {sure(certain)}.",
        {
            "saturated": worst.saturated,
            "at_start": worst.saturated_first,
            "stuck": stuck,
            "units": worst.units,
            "seen": worst.seen,
            "layers": [state.name for state in hit],
            "from_step": worst.from_step,
            "to_step": worst.to_step,
            "confidence": confidence(certain),
        },
        sentence(parts),
    )
