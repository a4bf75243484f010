"""Single parameters that never move, each with its neighbour that is healthy."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.recording import FROZEN, OK, LayerInfo, Recording
from nbdiag.measures.verdict import judge_training
from nbdiag.measures.weight_distribution import judge
from nbdiag.measures.weight_history import WeightHistory
from nbdiag.measures.weight_parameters import kept, masked, unmoved

NAMES = ["a.weight", "a.bias", "b.weight", "b.bias"]
MOVES = [1e-3, 1e-3, 1e-3, 1e-3]


def made(
    updates: object = MOVES,
    *,
    gradients: object = 1.0,
    status: object = OK,
    drift: object = 0.0,
    rows: int = 100,
    sizes: tuple[int, ...] = (40, 4, 20, 5),
    kind: str = "Linear",
) -> Recording:
    """Two layers; `drift` is what norms gain a step, whoever moves them."""
    layers = [LayerInfo(name, kind, (f"{name}.weight", f"{name}.bias"), 44, 2) for name in "ab"]
    recording = Recording(NAMES, layers, [0, 0, 1, 1], list(sizes))
    for t in range(rows):
        recording.append(
            t + 1,
            np.broadcast_to(np.asarray(gradients, np.float32), 4),
            (1 + t * np.broadcast_to(np.asarray(drift, np.float32), 4)).astype(np.float32),
            np.broadcast_to(np.asarray(status, np.uint8), 4),
            update_norm=np.broadcast_to(np.asarray(updates, np.float32), 4),
        )
    return recording


NAN = float("nan")


@pytest.mark.parametrize(
    ("recording", "names"),
    [
        (made(), ()),
        (made([NAN, 1e-3, NAN, 1e-3]), ("a.weight", "b.weight")),  # in no optimizer
        (made([0.0, 1e-3, 1e-3, 1e-3]), ("a.weight",)),
        (made([1e-3, 0.0, 1e-3, 1e-3]), ()),  # a bias
        (made([1e-9, 1e-3, 1e-3, 1e-3]), ()),  # it does move
        (made([NAN, 1e-3, 1e-3, 1e-3], drift=[1e-4, 0, 0, 0]), ()),  # something else moves it
        # Frozen on purpose, so that the biases alone are tuned.
        (made([NAN, 1e-3, NAN, 1e-3], status=[FROZEN, OK, FROZEN, OK]), ()),
        # Too little arrives: than of the others, and than of the bias.
        (made([0.0, 1e-3, 1e-3, 1e-3], gradients=[1e-3, 1e-3, 1, 1]), ()),
        (made([0.0, 1e-3, 0.0, 1e-3], gradients=[1e-3, 1, 1e-3, 1]), ()),
        (made([0.0, 1e-3, 0.0, 1e-3], gradients=[0.0, 1, 0.0, 1]), ()),
        (made([NAN] * 4), ()),  # no step was seen
        (made([0.0] * 4), ()),
        (made([0.0, 1e-3, 1e-3, 1e-3], rows=4), ()),
        (made(rows=0), ()),
    ],
)
def test_unmoved(recording: Recording, names: tuple[str, ...]) -> None:
    assert unmoved(recording) == names


def test_in_words() -> None:
    (finding,) = judge(WeightHistory.from_recording(made([NAN, 1e-3, NAN, 1e-3])))
    assert (finding.code, finding.severity) == ("weight.not_updating", "warning")
    assert finding.subject == "a.weight"
    assert finding.message == (
        "a.weight, b.weight do not move while other parameters do, although gradients arrive: "
        "none of 100 steps changed anything; this is quite sure."
    )
    assert finding.evidence["count"] == 2
    short = made([NAN, 1e-3, NAN, 1e-3], rows=50)
    assert judge(WeightHistory.from_recording(short)) == []


def test_it_is_said_by_all_judges_together() -> None:
    found = judge_training(made([0.0, 1e-3, 1e-3, 1e-3]), frozenset())
    assert [f.code for f in found] == ["weight.not_updating"]


@pytest.mark.parametrize(
    ("recording", "names"),
    [
        (made(gradients=[0.0, 1, 1, 1]), ("a.weight",)),
        (made([1e-3] * 4, gradients=[0.0, 1, 0.0, 1]), ("a.weight", "b.weight")),
        (made(gradients=[0.0, 0.0, 1, 1]), ()),  # nothing gets to the layer
        (made(gradients=[1, 0.0, 1, 1]), ()),  # a bias
        (made(gradients=[1e-30, 1, 1, 1]), ()),
        (made(gradients=[0.0, 1, 1, 1], status=[FROZEN, OK, OK, OK]), ()),
        (made(gradients=[0.0, 1, 1, 1], rows=4), ()),
        (made(gradients=[0.0, 1, 1, 1], kind="LSTM"), ()),  # sequences of one
        (made(gradients=NAN), ()),
        (made(rows=0), ()),
    ],
)
def test_masked(recording: Recording, names: tuple[str, ...]) -> None:
    assert masked(recording) == names


@pytest.mark.parametrize(
    ("gradients", "names"),
    [
        ([0.0, 1.0, 1.0], ("a.w",)),  # as of an embedding, whose output the next layer takes in
        ([1.0, 0.0, 1.0], ("b.w",)),
        ([1.0, 1.0, 0.0], ()),  # nothing behind it tells
        ([0.0, 0.0, 1.0], ("b.w",)),  # and nothing gets to the one before
        ([0.0, 0.0, 0.0], ()),
        ([1.0, 1.0, 1.0], ()),
    ],
)
def test_masked_without_a_bias(gradients: list[float], names: tuple[str, ...]) -> None:
    layers = [LayerInfo(name, "Linear", (f"{name}.w",), 4, 2) for name in "abc"]
    recording = Recording(["a.w", "b.w", "c.w"], layers, [0, 1, 2], [4, 4, 4])
    for t in range(20):
        ones = np.ones(3, np.float32)
        recording.append(t + 1, np.array(gradients, np.float32), ones, np.zeros(3, np.uint8))
    assert masked(recording) == names


def test_masked_in_words() -> None:
    recording = made(gradients=[0.0, 1, 1, 1])
    (finding,) = judge(WeightHistory.from_recording(recording))
    assert (finding.code, finding.subject) == ("weight.not_updating", "a.weight")
    assert finding.message == (
        "a.weight is not trained: at each of 100 steps its gradient was zero in every entry, "
        "while signals pass; this is quite sure."
    )


def test_what_is_left_of_matrices_without_their_biases() -> None:
    assert kept(made(rows=1)).tolist() == [1.0, 1.0]
    # Norms 1 - 0.01 t: after 96 to 100 rows 0.03 is left in the middle; the biases stay.
    left = kept(made(drift=[-0.01, 0, 0, 0]))
    assert left == pytest.approx([0.03, 1.0], abs=1e-6)
    (finding,) = judge(WeightHistory.from_recording(made(drift=[-0.01, 0, -0.01, 0])))
    assert finding.code == "weight.collapsing"
    assert finding.evidence["left"] == pytest.approx(0.03, abs=1e-6)
    assert np.isnan(kept(made(rows=0))).all()
