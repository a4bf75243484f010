"""Findings on gradients: rules on made-up histories. Real trainings: probes/test_diagnosis.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nbdiag.measures.findings import Finding
from nbdiag.measures.gradient_flow import judge
from nbdiag.measures.gradient_history import GradientHistory
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.recording import LayerInfo
from nbdiag.measures.scalar_series import Series

NAN, INF = float("nan"), float("inf")


def history(
    norms: np.ndarray, *, kinds: tuple[str, ...] = (), dims: int = 2, **others: object
) -> GradientHistory:
    """Layers of unit weight; the status follows from the norms."""
    norms = np.asarray(norms, np.float32)
    count = norms.shape[1]
    layers = tuple(
        LayerInfo(f"l{i}", kinds[i] if kinds else "Linear", (f"l{i}.w",), 4, dims)
        for i in range(count)
    )
    status = np.where(np.isnan(norms), 3, np.where(np.isinf(norms), 4, 0)).astype(np.uint8)
    values = {"weight_norms": np.ones_like(norms), "status": status, "idle": np.zeros(count, bool)}
    values |= others
    return GradientHistory(layers, np.arange(1, len(norms) + 1), norms, **values)  # type: ignore[arg-type]


def falling(factor: float, layers: int, rows: int = 30) -> np.ndarray:
    """Each layer gets `factor` of the gradient of the one behind it."""
    return np.tile(factor ** np.arange(layers - 1, -1, -1.0), (rows, 1))


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code.removeprefix("gradient.") for finding in findings]


def test_relative_by_hand() -> None:
    one = history(np.array([[3.0, 0.0, 2.0]]), weight_norms=np.float32([[6.0, 5.0, 0.0]]))
    np.testing.assert_array_equal(one.relative, np.float32([[0.5, 0.0, NAN]]))


@pytest.mark.parametrize(
    ("norms", "expected"),
    [
        # 9 layers: best early .1^6, median of the last three .1^1
        (falling(0.1, 9), ["vanishing"]),
        (falling(0.5, 9), []),
        (falling(10.0, 9), ["exploding"]),
        (falling(2.0, 9), []),
        (falling(0.1, 9, rows=19), []),  # too short
        (falling(0.01, 3), []),  # too few layers
        (falling(0.0, 9) + 0.0, []),  # only the last layer gets any: 0 / 0
        (np.zeros((30, 9)), []),
        (np.ones((30, 1)), []),
        (np.ones((0, 4)), []),
        # It began badly and recovered.
        (np.r_[falling(0.1, 9, 25), falling(0.9, 9, 5)], []),
        (np.r_[falling(0.9, 9, 5), falling(0.1, 9, 60)], ["vanishing"]),
    ],
)
def test_depth(norms: np.ndarray, expected: list[str]) -> None:
    assert codes(judge(history(norms))) == expected


def test_few_samples_are_enough_where_steps_lie_between() -> None:
    sparse = history(falling(0.1, 9, rows=8))
    assert judge(sparse) == []
    assert codes(judge(replace(sparse, steps=np.arange(8) * 10))) == ["vanishing"]
    assert judge(replace(history(falling(0.1, 9, rows=7)), steps=np.arange(7) * 10)) == []


def test_vectors_and_embeddings_have_no_say_in_depth() -> None:
    assert judge(history(falling(0.1, 9), dims=1)) == []
    kinds = ("Embedding",) * 6 + ("Linear",) * 3
    assert judge(history(falling(0.1, 9), kinds=kinds)) == []


def test_frozen_layers_have_no_say_in_depth() -> None:
    norms = falling(0.1, 9)
    status = np.zeros(norms.shape, np.uint8)
    status[:, :6] = 2
    assert judge(history(norms, status=status)) == []


def test_scale_of_the_loss_does_not_matter() -> None:
    for scale in (1e-12, 1.0, 1e12):
        assert codes(judge(history(scale * falling(0.1, 9)))) == ["vanishing"]
        assert judge(history(scale * falling(0.5, 9))) == []


def test_vanishing_in_words() -> None:
    finding = judge(history(falling(0.1, 9)), frozenset({"Sigmoid", "Linear"}))[0]
    assert finding.subject == "l0"
    assert finding.severity == "critical"
    # layers l0 to l4 lie below 1/500 of .1: .1^4 and less
    assert finding.message == (
        "5 of 9 layers, l0 to l4, hardly learn: relative to their weights, the layers nearest the "
        "input get 1e-05 of the gradient of those nearest the output (about x0.1 a layer on the "
        "way back)."
    )
    assert "Replace Sigmoid by ReLU" in finding.remedy
    assert "normalisation" in finding.remedy
    normed = judge(history(falling(0.1, 9)), frozenset({"BatchNorm2d", "ReLU"}))[0]
    assert "normalisation" not in normed.remedy
    assert "Sigmoid" not in normed.remedy


@pytest.mark.parametrize(
    ("total", "losses", "expected"),
    [
        (2.0 ** np.arange(40), None, ["exploding"]),
        (2.0 ** np.arange(7), None, []),  # too short to tell
        (1.01 ** np.arange(40), None, []),
        (2.0 ** -np.arange(40), None, []),
        # Leaving a plateau: a millionfold, up to 1.
        (1e-6 * 2.0 ** np.minimum(np.arange(40), 20), None, []),
        (1e-6 * 1.42 ** np.arange(40), None, []),
        (1e-6 * 1.42 ** np.arange(40), np.linspace(5, 1, 40), []),
        (1e-6 * 1.42 ** np.arange(40), np.linspace(1, 5, 40), ["exploding"]),
        (2.0 ** np.arange(40), np.linspace(5, 1, 40), []),
        # A single spike, and a jump that is over.
        (np.where(np.arange(40) == 20, 1e9, 1.0), None, []),
        (np.where(np.arange(40) < 20, 1.0, 1e9), None, []),
    ],
)
def test_over_steps(total: np.ndarray, losses: np.ndarray | None, expected: list[str]) -> None:
    others = {} if losses is None else {"losses": losses}
    assert codes(judge(history(total[:, None], **others))) == expected


def levels(values: np.ndarray) -> LossLevels:
    steps = np.arange(1, len(values) + 1)
    return LossLevels.from_series("loss", Series(steps, values, values, values))


STUCK = levels(np.full(30, 1.4))
FELL_A_LITTLE = levels(np.linspace(1.4, 1.0, 30))
SOLVED = levels(np.linspace(1.4, 0.1, 30))


@pytest.mark.parametrize(
    ("norms", "loss", "expected"),
    [
        # Median of the last three .5, best early .5^6: 1/32, which is enough to learn.
        (falling(0.5, 9), FELL_A_LITTLE, []),
        (falling(0.5, 9), STUCK, []),
        (falling(0.4, 9), STUCK, ["vanishing"]),  # .4^6 over .4: 1/98
        (falling(0.4, 9), FELL_A_LITTLE, []),
        (falling(0.3, 9), FELL_A_LITTLE, ["vanishing"]),  # .3^5: 1/412
        (falling(0.3, 9), SOLVED, []),
        (falling(0.3, 9), None, []),
        (falling(0.1, 9), SOLVED, ["vanishing"]),  # silently: the late layers do the work
        (falling(0.1, 5), STUCK, ["vanishing"]),  # four sigmoids and a head: .1^3 of the last
        (falling(0.1, 5), SOLVED, []),
    ],
)
def test_what_early_layers_need_shows_in_the_loss(
    norms: np.ndarray, loss: LossLevels | None, expected: list[str]
) -> None:
    assert codes(judge(history(norms, levels=loss))) == expected


def test_a_new_head_of_tiny_weights_is_not_taken_for_all_late_layers() -> None:
    norms = np.tile([1.0, 1.1, 1.2, 1.3, 1.4], (30, 1))
    weights = np.float32(np.tile([1.0, 1.0, 1.0, 1.0, 1e-3], (30, 1)))
    assert judge(history(norms, weight_norms=weights, levels=FELL_A_LITTLE)) == []


@pytest.mark.parametrize(
    ("total", "loss", "expected"),
    [
        # To 1e11 within three steps, then every unit is dead.
        ([5.0, 1e4, 1e8, 1e11, *[0.0] * 30], None, ["exploding"]),
        ([5.0, 1e4, 1e8, 1e11, *[4.0] * 30], None, []),  # and came back
        ([5.0, 1e4, 1e8, 1e11, *[0.0] * 30], SOLVED, []),
        ([5.0, 1e9, *[5.0] * 30], None, []),  # one odd step
        ([5.0, 1e9, NAN], None, ["exploding", "nonfinite"]),
        ([5.0, 40.0, NAN], None, ["nonfinite"]),
        # What feeds on itself takes its last hundredfold in two steps; a division by zero in one.
        ([*[1.0] * 20, 4.0, 6.0, 8.0, 10.0, 30.0, 900.0, NAN], None, ["exploding", "nonfinite"]),
        ([*[1.0] * 25, 900.0, NAN], None, ["nonfinite"]),
        ([1.0] * 20 + [300.0] * 10, levels(np.r_[np.ones(20), np.full(10, 9.0)]), ["exploding"]),
        ([1.0] * 20 + [300.0] * 10, None, []),
    ],
)
def test_bursts(total: list[float], loss: LossLevels | None, expected: list[str]) -> None:
    found = codes(judge(history(np.array(total)[:, None], levels=loss)))
    assert sorted(found) == expected


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        # Its one step made the weights ten times as large, and the next gradient is infinite.
        ([9000.0, INF], [6.0, 60.0], ["exploding", "nonfinite"]),
        ([9000.0, NAN], [6.0, NAN], ["exploding", "nonfinite"]),
        ([9000.0, NAN], [6.0, 7.0], ["nonfinite"]),  # a division by zero
        ([5.0, NAN], [6.0, NAN], ["nonfinite"]),  # calm until then
        ([NAN, NAN], [6.0, NAN], ["nonfinite"]),
        ([9000.0, 9000.0], [6.0, 60.0], []),
        ([9000.0, INF], [0.0, 60.0], ["nonfinite"]),
    ],
)
def test_at_once(total: list[float], weights: list[float], expected: list[str]) -> None:
    norms = np.array(weights, np.float32)[:, None]
    found = judge(history(np.array(total)[:, None], weight_norms=norms))
    assert sorted(codes(found)) == expected
    # Between samples anything may have happened.
    apart = replace(history(np.array(total)[:, None], weight_norms=norms), steps=np.array([1, 11]))
    if np.isnan(weights[-1]):
        assert "exploding" not in codes(judge(apart))
        rose = levels(np.array([9.0, 100.0])) if total[0] > 5 else levels(np.array([9.0, 80.0]))
        assert ("exploding" in codes(judge(replace(apart, levels=rose)))) == (total[0] > 5)
    if "exploding" in expected:
        assert any("was 1.5e+03 times as large as the weights" in f.message for f in found)


def test_exploding_in_words() -> None:
    total = np.array([5.0, 1e4, 1e8, 1e11, *[0.0] * 30])[:, None]
    (finding,) = judge(history(total))
    assert (finding.evidence["from_step"], finding.evidence["step"]) == (1, 4)
    assert "grew more than a million-fold, from 5 at step 1 to 1e+11 at step 4" in finding.message
    assert "clip the gradients" in finding.remedy
    (finding,) = judge(history(total, clipped=True))
    assert "lower the limit of the clipping" in finding.remedy


def test_gradients_that_nobody_uses_pile_up_and_do_no_harm() -> None:
    """An encoder that is in no optimizer: zero_grad() does not clear its gradients."""
    piled = np.ones((200, 5))
    piled[:, 0] = 10 ** np.linspace(0, 5, 200)
    first = np.arange(5) == 0
    assert codes(judge(history(piled))) == ["exploding"]
    assert judge(history(piled, idle=first)) == []
    deep = np.tile(10.0 ** np.arange(5, -1, -1.0), (30, 1))
    assert codes(judge(history(deep))) == ["exploding"]
    assert judge(history(deep, idle=np.arange(6) < 2)) == []
    assert codes(judge(history(deep, idle=np.arange(6) > 3))) == ["exploding"]


def bad_row(row: list[float], before: int = 10, after: int = 0) -> np.ndarray:
    return np.array([[1.0] * len(row)] * before + [row] + [[1.0] * len(row)] * after)


@pytest.mark.parametrize(
    ("norms", "subject", "step", "words", "severity"),
    [
        (bad_row([NAN, NAN, 1.0]), "l1", 11, "the first on the way back; 2 of 3", "critical"),
        (bad_row([INF, 1.0, 1.0]), "l0", 11, "was infinite at step 11", "critical"),
        (bad_row([NAN, NAN, NAN]), "l2", 11, "so the loss itself was", "critical"),
        (bad_row([NAN, INF, 1.0], after=2), "l1", 11, "was infinite", "critical"),
        (bad_row([NAN, 1.0, 1.0], after=9), "l0", 11, "finite again since step 12", "warning"),
        (bad_row([NAN, 1.0, 1.0], before=0), "l0", 1, "was NaN at step 1", "critical"),
    ],
)
def test_nonfinite(norms: np.ndarray, subject: str, step: int, words: str, severity: str) -> None:
    (finding,) = judge(history(norms))
    assert (finding.code, finding.subject) == ("gradient.nonfinite", subject)
    assert (finding.evidence["step"], finding.severity) == (step, severity)
    assert words in finding.message


def test_nonfinite_weights_are_the_cause() -> None:
    norms = bad_row([NAN, NAN])
    weights = np.ones_like(norms, dtype=np.float32)
    weights[-1] = NAN
    (finding,) = judge(history(norms, weight_norms=weights))
    assert "as its weights already were" in finding.message


def test_diverging_until_overflow_is_both() -> None:
    norms = np.r_[10.0 ** np.arange(38), INF][:, None]
    assert codes(judge(history(norms))) == ["exploding", "nonfinite"] or codes(
        judge(history(norms))
    ) == ["nonfinite", "exploding"]


@pytest.mark.parametrize(
    ("names", "rows", "subject", "words"),
    [
        (("l0.w",), 5, "l0.w", "l0.w requires a gradient but never got one in 5 samples."),
        (("l0.w",), 4, None, ""),
        ((), 50, None, ""),
        (("l0.w", "l1.w", "l2.w"), 9, "all layers", "None of the 3 parameters got a gradient"),
        (("body.a.w", "body.b.w"), 9, "body", "require gradients but never got any in 9"),
        (("a.w", "b.w"), 9, "a.w", "a.w, b.w require"),
        (tuple(f"m.{i}" for i in range(9)), 9, "m", "m.0, m.1, m.2 and 6 more require"),
    ],
)
def test_none(names: tuple[str, ...], rows: int, subject: str | None, words: str) -> None:
    findings = judge(history(np.ones((rows, 3)), without_gradient=names))
    assert [finding.subject for finding in findings] == ([] if subject is None else [subject])
    if findings:
        assert words in findings[0].message
