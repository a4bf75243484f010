"""A recording gives back what was put in, by layer and by parameter, however long it gets."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.recording import LayerInfo, Op, Recording

NAN, INF = float("nan"), float("inf")


def two_layers(**options: int) -> Recording:
    """Layer a owns a.w and a.b, layer b owns b.w; registered b first, run a first."""
    layers = [
        LayerInfo("a", "Linear", ("a.w", "a.b"), 6, 2),
        LayerInfo("b", "Conv2d", ("b.w",), 9, 4),
    ]
    return Recording(["b.w", "a.w", "a.b"], layers, [1, 0, 0], **options)


def put(recording: Recording, step: int, grads: list[float], status: list[int]) -> None:
    arrays = (np.array(grads, np.float32), np.array([2.0, 6.0, 8.0], np.float32))
    recording.append(step, *arrays, np.array(status, np.uint8))


def test_empty() -> None:
    recording = two_layers()
    assert len(recording) == 0
    assert recording.steps.shape == (0,)
    assert recording.stat("grad_norm").shape == (0, 2)
    assert recording.parameter_stat("grad_norm").shape == (0, 3)
    assert recording.status().shape == (0, 2)
    assert recording.without_gradient() == ()
    assert recording.scalars == {}


@pytest.mark.parametrize(
    ("grads", "status", "layer_norm", "layer_status"),
    [
        # b.w, a.w, a.b                      a    b
        ([1.0, 3.0, 4.0], [0, 0, 0], [5.0, 1.0], [0, 0]),
        ([1.0, 3.0, NAN], [0, 0, 1], [3.0, 1.0], [0, 0]),  # one of two is enough
        ([1.0, NAN, NAN], [0, 1, 1], [NAN, 1.0], [1, 0]),
        ([1.0, NAN, NAN], [0, 1, 2], [NAN, 1.0], [1, 0]),  # none of its trainable ones
        ([NAN, NAN, 4.0], [2, 2, 0], [4.0, NAN], [0, 2]),
        ([NAN, NAN, NAN], [2, 2, 2], [NAN, NAN], [2, 2]),
        ([INF, 3.0, INF], [4, 0, 4], [INF, INF], [4, 4]),
        ([1.0, NAN, INF], [0, 3, 4], [NAN, 1.0], [3, 0]),  # NaN is worse than infinite
        ([1.0, NAN, NAN], [0, 3, 1], [NAN, 1.0], [3, 0]),
        (
            [3e38, 3e38, 3e38],
            [0, 0, 0],
            [INF, 3e38],
            [0, 0],
        ),  # beyond float32, yet no such gradient
        ([0.0, 0.0, 0.0], [0, 0, 0], [0.0, 0.0], [0, 0]),
    ],
)
def test_layers_from_parameters(
    grads: list[float], status: list[int], layer_norm: list[float], layer_status: list[int]
) -> None:
    recording = two_layers()
    put(recording, 1, grads, status)
    np.testing.assert_array_equal(recording.stat("grad_norm"), np.float32([layer_norm]))
    assert recording.status().tolist() == [layer_status]
    np.testing.assert_array_equal(recording.parameter_stat("grad_norm"), np.float32([grads]))
    assert recording.parameter_status().tolist() == [status]
    assert recording.stat("weight_norm").tolist() == [[10.0, 2.0]]


def test_grows_and_slices() -> None:
    recording = two_layers()
    for step in range(1, 201):
        put(recording, 2 * step, [step, 0.0, 0.0], [0, 0, 0])
    assert recording.steps.tolist() == list(range(2, 402, 2))
    rows = recording.rows(197)
    assert (rows.start, rows.steps.tolist(), rows.thinned) == (197, [396, 398, 400], 0)
    assert rows.grad_norm[:, 1].tolist() == [198.0, 199.0, 200.0]
    assert len(recording.rows(5, 8).steps) == 3
    assert len(recording.rows(500).steps) == 0
    assert recording.rows(-3).start == 0


def test_rows_are_copies() -> None:
    recording = two_layers()
    put(recording, 1, [1.0, 3.0, 4.0], [0, 0, 0])
    for array in (recording.steps, recording.parameter_status(), recording.rows().steps):
        array[:] = 9
    assert recording.steps.tolist() == [1]
    assert recording.parameter_status().tolist() == [[0, 0, 0]]


def test_a_long_training_is_thinned_evenly() -> None:
    recording = two_layers(max_samples=8)
    for step in range(1, 10):
        put(recording, step, [float(step), 0.0, 0.0], [0, 0, 0])
    # Full after 8: every second goes, then 9 comes.
    assert recording.steps.tolist() == [1, 3, 5, 7, 9]
    assert recording.stat("grad_norm")[:, 1].tolist() == [1, 3, 5, 7, 9]
    assert recording.thinned == 1
    for step in range(10, 1000):
        put(recording, step, [float(step), 0.0, 0.0], [0, 0, 0])
    assert recording.steps.tolist() == [1, 129, 257, 385, 513, 641, 769, 897, 999]


def test_memory_is_bounded() -> None:
    names = [f"p{i}" for i in range(5000)]
    wide = Recording(names, [LayerInfo("m", "M", tuple(names), 5000)], [0] * 5000)
    assert two_layers().max_samples == 20_000
    assert wide.max_samples == 64 * 2**20 // (25 * 5000)


def test_sketch_keeps_ends_and_the_first_bad_row() -> None:
    recording = two_layers()
    for step in range(1, 101):
        put(recording, step, [NAN if step == 34 else 1.0, 1.0, 1.0], [3 * (step == 34), 0, 0])
    sketch = recording.sketch(head=3, middle=2, tail=3)
    assert sketch.steps.tolist() == [1, 2, 3, 4, 34, 51, 98, 99, 100]
    assert len(recording.sketch().steps) == 100


def test_without_gradient() -> None:
    recording = two_layers()
    put(recording, 1, [NAN, NAN, NAN], [1, 1, 2])
    put(recording, 2, [NAN, 1.0, NAN], [1, 0, 2])
    put(recording, 3, [NAN, NAN, NAN], [2, 1, 2])
    assert recording.without_gradient() == ("b.w",)


def test_columns_may_change_before_the_first_row_only() -> None:
    recording = two_layers()
    recording.arrange(["x"], [LayerInfo("x", "Linear", ("x",), 1, 1)], [0])
    recording.append(1, np.ones(1, np.float32), np.ones(1, np.float32), np.zeros(1, np.uint8))
    with pytest.raises(RuntimeError, match="once it has rows"):
        recording.arrange(["x"], [LayerInfo("x", "Linear", ("x",), 1, 1)], [0])


@pytest.mark.parametrize(
    ("layer_of", "options", "message"),
    [
        ([0], {}, "3 parameters but 1 layer indices"),
        ([0, 0, 0], {}, "every layer at least once"),
        ([0, 1, 2], {}, "every layer at least once"),
        ([1, 0, 0], {"max_samples": 3}, "at least 4, got 3"),
    ],
)
def test_bad_layouts(layer_of: list[int], options: dict[str, int], message: str) -> None:
    layers = two_layers().layers
    with pytest.raises(ValueError, match=message):
        Recording(["b.w", "a.w", "a.b"], layers, layer_of, **options)


def test_unknown_statistic_names_those_there_are() -> None:
    with pytest.raises(
        ValueError, match="no statistic 'mean'; recorded are grad_norm, grad_norm_raw"
    ):
        two_layers().stat("mean")


def test_all_statistics_by_layer() -> None:
    recording = two_layers()
    recording.arrange(recording.parameters, recording.layers, recording.layer_of, [9, 4, 2])
    one = np.ones(3, np.float32)
    recording.append(
        1,
        np.float32([1, 3, 4]),
        np.float32([2, 6, 8]),
        np.uint8([0, 0, 0]),
        grad_norm_raw=np.float32([2, 6, 8]),
        update_norm=np.float32([1, 3, 4]),
        grad_zeros=np.float32([0.5, 0.25, 1.0]),
        grad_nonfinite=np.float32([0, 1, 2]),
    )
    recording.append(2, one, 0 * one, np.uint8([2, 0, 1]))  # nothing else was seen
    nan = pytest.approx(NAN, nan_ok=True)
    assert recording.stat("grad_norm_raw").tolist() == [[10, 2], [nan, nan]]
    assert recording.stat("update_norm").tolist() == [[5, 1], [nan, nan]]
    assert recording.stat("update_ratio").tolist() == [[0.5, 0.5], [nan, nan]]
    assert recording.stat("grad_zeros").tolist() == [[0.5, 0.5], [nan, nan]]  # (4*.25 + 2*1) / 6
    assert recording.stat("grad_nonfinite").tolist() == [[3, 0], [nan, nan]]
    np.testing.assert_allclose(recording.stat("grad_rms")[0], [5 / np.sqrt(6), 1 / 3], rtol=1e-6)
    np.testing.assert_allclose(
        recording.parameter_stat("grad_rms")[0], [1 / 3, 3 / 2, 4 / np.sqrt(2)], rtol=1e-6
    )
    assert recording.parameter_stat("update_ratio").tolist() == [[0.5, 0.5, 0.5], [nan] * 3]


def test_what_the_journal_heard_gives_the_same_recording() -> None:
    heard: list[Op] = []
    first, second = two_layers(max_samples=8), two_layers(max_samples=8)
    first.journal = heard.append
    first.apply({"op": "track", "info": {"name": "act", "kind": "ReLU", "units": 2}})
    rng = np.random.default_rng(0)
    for step in range(1, 40):
        put(first, step, rng.random(3).tolist(), [0, 0, 0])
        first.scalar_log.add(step, {"loss": rng.random()})
        first.apply(
            {
                "op": "activation",
                "track": 0,
                "step": step,
                "inputs": 4,
                "values": 4,
                "numbers": rng.random(4),
                "active": np.array([step % 2, 0]),
                "stuck": None,
            }
        )
    first.scalar_log.settle()
    for op in heard:
        second.apply(op)
    assert first.thinned > 0
    for name, value in first.rows()._asdict().items():
        np.testing.assert_array_equal(value, getattr(second.rows(), name), name)
    np.testing.assert_array_equal(first.scalars["loss"], second.scalars["loss"])
    one, two = first.activations[0], second.activations[0]
    np.testing.assert_array_equal(one.blocks().activity, two.blocks().activity)
    assert (one.last_active.tolist(), one.seen_since_active.tolist()) == ([39, 0], [0, 156])
    with pytest.raises(ValueError, match="knows no op 'other'"):
        second.apply({"op": "other"})


def test_version_goes_up_with_everything_that_comes() -> None:
    recording = two_layers()
    versions = [recording.version]
    put(recording, 1, [1, 1, 1], [0, 0, 0])
    versions.append(recording.version)
    recording.scalar_log.add(1, {"loss": 1.0})
    versions.append(recording.version)
    assert versions == sorted(set(versions))


def test_a_nan_outlives_the_thinning_around_it() -> None:
    recording = two_layers(max_samples=8)
    for step in range(1, 101):
        bad = step == 42
        put(recording, step, [np.nan if bad else 1.0, 1.0, 1.0], [3 if bad else 0, 0, 0])
    assert recording.thinned == 4
    assert 42 in recording.steps
