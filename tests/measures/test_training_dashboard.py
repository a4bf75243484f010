"""The vital signs of a training: the worst of each pillar, and a key number worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.activation_log import ActivationInfo
from nbdiag.measures.findings import Finding
from nbdiag.measures.recording import LayerInfo, Recording
from nbdiag.measures.training_dashboard import POINTS, vitals

NAN, INF = float("nan"), float("inf")
EMPTY: list[float] = []


def recording() -> Recording:
    layers = [LayerInfo(name, "Linear", (f"{name}.w",), 4, 2) for name in "abc"]
    return Recording(["a.w", "b.w", "c.w"], layers, [0, 1, 2])


def put(
    made: Recording,
    step: int,
    grads: list[float],
    status: tuple[int, ...] = (0, 0, 0),
    updates: tuple[float, ...] = (0.1, 0.2, 0.4),
) -> None:
    made.append(
        step,
        np.array(grads, np.float32),
        np.array([1.0, 2.0, 2.0], np.float32),
        np.array(status, np.uint8),
        update_norm=np.array(updates, np.float32),
    )


def look(made: Recording, track: int, step: int, active: list[int], stuck: list[int]) -> None:
    """One input of one value a unit."""
    numbers = (0.0, 1.0, 0.5, float(np.mean(stuck)))
    made.activations[track].add(step, 1, 1, numbers, np.array(active), np.array(stuck))


def test_a_training_without_data_has_four_empty_vitals() -> None:
    found = dict(vitals(recording(), []))
    assert list(found) == ["loss", "gradients", "activations", "weights"]
    for vital in found.values():
        assert (vital.severity, vital.worst, vital.findings) == (None, "", 0)
        assert vital.steps.tolist() == vital.values.tolist() == EMPTY


def test_each_pillar_has_the_worst_of_its_own_findings() -> None:
    found = [
        Finding("gradient.none", "warning", "a", "m"),
        Finding("loss.flat", "info", "loss", "m"),
        Finding("gradient.vanishing", "critical", "a", "m"),
        Finding("data.leakage", "critical", "val", "m"),
    ]
    signs = vitals(recording(), found)
    assert [(v.severity, v.worst, v.findings) for _, v in signs] == [
        ("info", "loss.flat", 1),
        ("critical", "gradient.vanishing", 2),
        (None, "", 0),
        (None, "", 0),
    ]


def test_gradients_are_one_norm_over_all_layers_and_weights_a_median_ratio() -> None:
    made = recording()
    put(made, 1, [2.0, 3.0, 6.0])  # 2, 3, 6 -> 7; 0.1 / 1, 0.2 / 2, 0.4 / 2 -> 0.1
    put(made, 5, [3.0, NAN, 4.0], status=(0, 1, 0))  # no gradient counts as none
    put(made, 9, [1.0, INF, 1.0], status=(0, 4, 0), updates=(0.1, NAN, 0.4))
    put(made, 10, [NAN] * 3, status=(2, 2, 2), updates=(NAN, NAN, NAN))
    signs = vitals(made, [])
    assert signs.gradients.steps.tolist() == [1, 5, 9, 10]
    np.testing.assert_allclose(signs.gradients.values, [7, 5, NAN, NAN])
    np.testing.assert_allclose(signs.weights.values, [0.1, 0.1, 0.15, NAN], rtol=1e-6)


@pytest.mark.parametrize(
    ("logged", "label", "values"),
    [
        ({"loss": [1.0, 0.5], "val_loss": [9.0]}, "loss", [1.0, 0.5]),
        ({"val_loss": [3.0], "train_loss": [2.0]}, "train loss", [2.0]),
        ({"accuracy": [0.5]}, "loss", []),
        ({"loss": [1.0, NAN, INF]}, "loss", [1.0, NAN, NAN]),
        ({"loss": [NAN, NAN]}, "loss", []),
    ],
    ids=str,
)
def test_the_loss_of_each_step_comes_first(
    logged: dict[str, list[float]], label: str, values: list[float]
) -> None:
    made = recording()
    for name, series in logged.items():
        for step, value in enumerate(series, 1):
            made.scalar_log.add(step, {name: value})
    loss = vitals(made, []).loss
    assert loss.label == label
    np.testing.assert_array_equal(loss.values, values)


def test_a_long_series_is_thinned_to_means_and_keeps_its_end_and_its_nan() -> None:
    made = recording()
    for step in range(1, 10 * POINTS + 1):
        made.scalar_log.add(step, {"loss": NAN if step == 205 else float(step)})
    loss = vitals(made, []).loss
    assert len(loss.values) == POINTS
    assert (loss.steps[0], loss.steps[-1]) == (10, 10 * POINTS)
    assert loss.values[0] == 5.5  # the mean of 1 to 10
    assert np.flatnonzero(np.isnan(loss.values)).tolist() == [20]


def test_activations_are_the_mean_share_of_units_off_over_all_rectifiers() -> None:
    made = recording()
    for name, kind, rectifies in (("r", "ReLU", True), ("s", "ReLU", True), ("t", "Tanh", False)):
        low = None if rectifies else -1.0
        made.activations.open(ActivationInfo(name, kind, 4, low=low, rectifies=rectifies))
    look(made, 0, 1, [1, 1, 1, 0], [0] * 4)  # a quarter is off
    look(made, 1, 2, [1, 0, 0, 0], [0] * 4)  # three quarters; the first one stays as it was
    look(made, 2, 3, [1, 1, 1, 1], [1] * 4)  # no rectifier
    sign = vitals(made, []).activations
    assert sign.steps.tolist() == [1, 2]
    assert sign.values.tolist() == [0.25, 0.5]
    assert sign.label.startswith("units off")


def test_nan_is_no_activity_and_no_update() -> None:
    made = recording()
    for name in ("r", "s"):
        made.activations.open(ActivationInfo(name, "ReLU", 4, rectifies=True))
    look(made, 0, 1, [1, 1, 0, 0], [0] * 4)
    look(made, 1, 1, [1, 1, 1, 1], [0] * 4)
    broken = (NAN, NAN, NAN, 0.0)  # of NaN nothing is above zero, yet nothing is off
    made.activations[0].add(2, 1, 1, broken, np.zeros(4, np.int64), None)
    look(made, 1, 2, [1, 1, 1, 1], [0] * 4)
    ones = np.ones(3, np.float32)
    for step, weights in ((1, [1.0, 2.0, 2.0]), (2, [NAN, 2.0, 2.0])):
        norms = np.array(weights, np.float32)
        made.append(step, ones, norms, np.zeros(3, np.uint8), update_norm=ones)
    signs = vitals(made, [])
    np.testing.assert_array_equal(signs.activations.values, [0.25, NAN])
    np.testing.assert_array_equal(signs.weights.values, [0.5, NAN])


def test_without_a_rectifier_they_are_the_share_of_saturated_values() -> None:
    made = recording()
    made.activations.open(ActivationInfo("t", "Tanh", 4, low=-1.0, high=1.0))
    look(made, 0, 3, [1, 1, 1, 1], [1, 0, 0, 0])
    sign = vitals(made, []).activations
    assert (sign.steps.tolist(), sign.values.tolist()) == ([3], [0.25])
    assert sign.label.startswith("values saturated")
