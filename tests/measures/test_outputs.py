"""The one adapter of model outputs: what is decided on which evidence, and how it is read."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nbdiag.measures.outputs import OutputKind, decide, read, softmax

LOGITS = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]], np.float32)
PROBABILITIES = np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]], np.float32)
COLUMN = np.array([[0.2], [0.9]], np.float32)


@pytest.mark.parametrize(
    ("raw", "known", "reading"),
    [
        (LOGITS, {}, "logits"),
        (PROBABILITIES, {"ending": "softmax"}, "probabilities"),
        (np.log(PROBABILITIES), {"ending": "log_softmax"}, "log_probabilities"),
        (PROBABILITIES, {"network": False}, "probabilities"),
        (PROBABILITIES, {"network": True}, "probabilities"),  # two rows that sum to 1: no accident
        (PROBABILITIES[:1], {"network": True}, "logits"),  # one row may be one
        (PROBABILITIES, {"declared": "logits"}, "logits"),  # what is declared goes first
        (COLUMN, {}, "logit"),
        (COLUMN, {"ending": "sigmoid"}, "probability"),
        (COLUMN, {"declared": "probability"}, "probability"),
        (COLUMN, {"declared": "logit", "ending": "sigmoid"}, "logit"),
        # TRAP: logits that happen to lie in [0, 1] are still logits.
        (np.array([[0.1, 0.2, 0.3], [0.9, 0.8, 0.1]]), {}, "logits"),
        (np.array([[0.1, 0.2], [0.9, 0.8]]), {}, "logits"),
        # NaN rows say nothing about the others
        (np.vstack([PROBABILITIES, [[np.nan] * 3]]), {"network": False}, "probabilities"),
    ],
)
def test_decide(raw: np.ndarray, known: dict, reading: str) -> None:
    kind = decide(raw, **known)
    assert kind.reading == reading
    assert kind.columns == raw.shape[1]


@pytest.mark.parametrize(
    ("raw", "known", "message"),
    [
        (PROBABILITIES, {"ending": "sigmoid"}, r"3 sigmoid .*multi-label"),
        (COLUMN, {"ending": "softmax"}, "returns one column"),
        (COLUMN, {"ending": "log_sigmoid"}, "return the logit"),
        (COLUMN, {"network": False}, 'output="probability" or output="logit"'),
        (LOGITS, {"network": False}, 'output="logits"'),
        (LOGITS, {"declared": "softmax"}, "got 'softmax'"),
        (LOGITS, {"declared": "logit"}, "needs one column, the model returns 3"),
        (COLUMN, {"declared": "logits"}, "needs two columns or more"),
        (LOGITS, {"declared": "probabilities"}, "-2 is no probability"),
        (COLUMN * 3, {"declared": "probability"}, "2.7 is no probability"),
        (LOGITS * 0 + 0.5, {"declared": "probabilities"}, "sums to 1.5 and not to 1"),
        (LOGITS * 0, {"ending": "log_softmax"}, "sum to 3 and not to 1"),
    ],
)
def test_decide_refuses(raw: np.ndarray, known: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decide(raw, **known)


def test_softmax_over_the_wrong_axis_is_named() -> None:
    wrong = np.full((4, 3), 0.25)  # softmax(dim=0) over 4 equal rows
    with pytest.raises(ValueError, match=r"sums to 0.75 .*dim=1"):
        decide(wrong, ending="softmax")


def test_half_precision_sums_are_rounded() -> None:
    rough = np.full((2, 100), 0.01, np.float16)
    rough[:, :50] *= np.float16(1.01)  # each row sums to 1.005
    assert decide(rough, ending="softmax").reading == "probabilities"
    with pytest.raises(ValueError, match="sums to"):
        decide(rough.astype(np.float32), ending="softmax")


def hand(reading: str, raw: list) -> tuple[list, list | None]:
    p, z = read(np.array(raw, np.float32), OutputKind(reading, len(raw[0]), "declared"))
    assert p.dtype == np.float32
    return p.tolist(), None if z is None else z.tolist()


def test_read_logits_by_hand() -> None:
    p, z = hand("logits", [[0.0, math.log(3)], [5.0, 5.0]])
    assert np.allclose(p, [[0.25, 0.75], [0.5, 0.5]], atol=1e-7)
    assert np.allclose(z, [[0.0, math.log(3)], [5.0, 5.0]])


def test_read_one_logit_by_hand() -> None:
    p, z = hand("logit", [[math.log(4)], [-math.log(4)]])
    assert np.allclose(p, [[0.2, 0.8], [0.8, 0.2]], atol=1e-7)
    assert np.allclose(z, [[0, math.log(4)], [0, -math.log(4)]])


def test_read_probability_and_probabilities() -> None:
    assert np.allclose(hand("probability", [[0.25]])[0], [[0.75, 0.25]])
    assert hand("probability", [[0.25]])[1] is None
    assert hand("probabilities", [[0.25, 0.75]]) == ([[0.25, 0.75]], None)


def test_read_log_probabilities() -> None:
    p, z = hand("log_probabilities", [[math.log(0.25), math.log(0.75)], [0.0, -math.inf]])
    assert np.allclose(p, [[0.25, 0.75], [1, 0]], atol=1e-7)
    assert z is not None


def test_softmax_is_stable_and_agrees_with_scipy() -> None:
    from scipy.special import softmax as oracle

    rng = np.random.default_rng(0)
    logits = rng.normal(size=(50, 7)) * 300
    assert np.allclose(softmax(logits), oracle(logits, axis=1), atol=1e-15)
    assert softmax(np.array([[1e308, 1e308]])).tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("row", "finite"),
    [
        ([0.0, 1.0], True),
        ([np.nan, 1.0], False),
        ([np.inf, 1.0], False),
        ([-np.inf, 1.0], True),  # a class that was masked out
        ([-np.inf, -np.inf], False),
    ],
)
def test_rows_that_are_not_finite(row: list[float], finite: bool) -> None:
    p, z = read(np.array([row]), OutputKind("logits", 2, "declared"))
    assert np.isfinite(p).all() == finite
    assert np.isnan(p).all() == (not finite)
    assert np.array_equal(z, [row], equal_nan=True)  # the raw numbers are kept


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_column_that_is_not_finite(value: float) -> None:
    for reading in ("logit", "probability"):
        p, _ = read(np.array([[value]]), OutputKind(reading, 1, "declared"))
        assert np.isnan(p).all()


def test_integer_and_half_outputs_are_read() -> None:
    kind = OutputKind("logits", 2, "declared")
    assert np.allclose(read(np.array([[0, 0]]), kind)[0], 0.5)
    half, logits = read(np.array([[0, 0]], np.float16), kind)
    assert half.dtype == logits.dtype == np.float32


def test_words() -> None:
    words = {
        "logits": "softmax of 10 logits",
        "log_probabilities": "exp of 10 log-probabilities",
        "probabilities": "10 probabilities",
    }
    for reading, text in words.items():
        assert str(OutputKind(reading, 10, "")) == text
    assert str(OutputKind("logit", 1, "")) == "sigmoid of one logit"
    assert str(OutputKind("probability", 1, "")) == "one probability"
    assert OutputKind("probability", 1, "").classes == 2
