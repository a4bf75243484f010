from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.activation_log import ActivationInfo, ActivationTrack
from nbdiag.measures.unit_states import (
    ALWAYS,
    DEAD,
    FREE,
    PARTLY,
    SILENT,
    SOMETIMES,
    STUCK,
    is_bounded,
    unit_states,
)

RELU = {"rectifies": True}
TANH = {"low": -1.0, "high": 1.0}


def track(looks: list[list[int]], inputs: int = 100, **kind: object) -> ActivationTrack:
    """One row a look: of so many inputs, how many made each unit active (or found it stuck)."""
    units = len(looks[0]) if looks else 3
    made = ActivationTrack(ActivationInfo("a", "x", units, **kind))  # type: ignore[arg-type]
    for step, look in enumerate(looks, start=1):
        counts = np.array(look, np.float32)
        stuck = counts if made.bounds else None
        active = np.full(units, inputs) if stuck is not None else counts
        made.add(step, inputs, inputs, (0.0, 1.0, 0.0, 0.0), active, stuck)
    return made


def test_units_of_a_rectifier() -> None:
    looks = [[0, 50, 50, 100]] * 4 + [[0, 0, 50, 100]] * 4
    states = unit_states(track(looks, **RELU))
    assert states.states.tolist() == [DEAD, SILENT, SOMETIMES, ALWAYS]
    assert states.counts.tolist() == [1, 1, 1, 1, 0, 0, 0]
    assert states.off.tolist() == [0.25] * 4 + [0.5] * 4
    assert states.inputs.tolist() == [100] * 8
    assert (states.first[0], states.last[-1]) == (1, 8)


def test_one_input_in_all_is_enough_to_be_alive() -> None:
    looks = [[0]] * 4 + [[1]] + [[0]] * 3
    assert unit_states(track(looks, **RELU)).states.tolist() == [SOMETIMES]


def test_silence_over_a_few_inputs_proves_nothing() -> None:
    looks = [[9]] * 4 + [[0]] * 4
    assert unit_states(track(looks, inputs=10, **RELU)).states.tolist() == [SOMETIMES]


def test_units_of_a_bounded_activation_are_judged_by_the_later_half() -> None:
    looks = [[0, 100, 50, 0]] * 4 + [[95, 0, 50, 1]] * 4
    states = unit_states(track(looks, **TANH))
    assert states.states.tolist() == [STUCK, FREE, PARTLY, FREE]
    assert states.off.tolist() == [0.25] * 8


def test_a_rectifier_with_a_ceiling_is_judged_by_firing() -> None:
    assert not is_bounded(track([[1]], high=6.0, rectifies=True))
    assert is_bounded(track([[1]], **TANH))
    assert not is_bounded(track([[1]]))


@pytest.mark.parametrize("kind", [RELU, TANH, {}], ids=["relu", "tanh", "gelu"])
def test_before_the_first_look(kind: dict[str, object]) -> None:
    states = unit_states(track([], **kind))
    assert len(states.states) == 3
    assert len(states.off) == len(states.first) == 0
