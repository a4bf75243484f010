"""Findings on weights: made-up norms and steps, each with its neighbour that is healthy."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.findings import Finding
from nbdiag.measures.weight_distribution import judge
from nbdiag.measures.weight_history import WeightHistory
from tests.measures.histories import recording, still

NAN, INF = float("nan"), float("inf")
T = np.arange(150.0)
LEARNS = np.linspace(2.0, 0.1, 150)
LOST = np.full(150, 2.0)


def findings(norms: object, **others: object) -> list[Finding]:
    return judge(WeightHistory.from_recording(recording(norms, **others)))  # type: ignore[arg-type]


def codes(norms: object, **others: object) -> list[str]:
    return [f.code.removeprefix("weight.") for f in findings(norms, **others)]


def columns(*courses: object) -> np.ndarray:
    return np.stack([np.broadcast_to(np.asarray(c, float), T.shape) for c in courses], 1)


def test_history_by_hand() -> None:
    made = recording([[2.0, 0.0], [4.0, 1.0], [8.0, 1.0]], ratios=0.5, stride=10)
    history = WeightHistory.from_recording(made)
    np.testing.assert_array_equal(history.ratios[:, 0], [0.5, 0.5, 0.5])
    assert np.isnan(history.ratios[0, 1])  # 0 / 0
    np.testing.assert_array_equal(history.gaps, [10, 10, 1])
    assert history.paths[0] == pytest.approx(10.5)
    # A layer that began at zero is compared with the usual one: 2 for as many entries.
    np.testing.assert_allclose(history.reference, [2.0, 2.0])
    np.testing.assert_allclose(history.growth[-1], [4.0, 0.5])


def test_uprooted() -> None:
    thrown = np.r_[np.ones((2, 3)), np.full((148, 3), 5.0)]
    assert WeightHistory.from_recording(recording(thrown)).uprooted == 5.0
    slowly = 1 + 4 * T[:, None] / 149 * np.ones(3)
    assert WeightHistory.from_recording(recording(slowly)).uprooted < 2.5
    assert np.isnan(WeightHistory.from_recording(recording(still(4))).uprooted)
    # The last layer may take whatever size the answer needs; a linear model is nothing but that.
    head = np.ones((150, 3)) + np.array([0, 0, 9]) * (T[:, None] > 1)
    assert WeightHistory.from_recording(recording(head)).uprooted == 1.0
    assert np.isnan(WeightHistory.from_recording(recording(head[:, 2:])).uprooted)
    # NaN is no growth.
    broken = np.where(T[:, None] > 10, NAN, np.ones((150, 3)))
    assert WeightHistory.from_recording(recording(broken)).uprooted == 1.0
    broken[10] = 7.0
    assert WeightHistory.from_recording(recording(broken)).uprooted == 7.0


def test_growth_that_large_targets_call_for_uproots_nothing() -> None:
    """Squares of 10,000 at first: two layers make an output of 100 by growing tenfold each."""
    fell = 1e4 * np.exp(-np.arange(150) / 20)
    grown = 1 + 9 * np.minimum(T, 40)[:, None] / 40 * np.ones(2)
    assert WeightHistory.from_recording(recording(grown, loss=fell)).uprooted == pytest.approx(1)
    assert WeightHistory.from_recording(recording(grown, loss=fell / 1e4)).uprooted == 10.0
    thrown_up = np.r_[fell[:1], 9e4, 6e4, 4e4, 2e4, fell[5:]]
    assert WeightHistory.from_recording(recording(grown, loss=thrown_up)).uprooted == 10.0
    below_zero = WeightHistory.from_recording(recording(grown, loss=-1e4 - np.arange(150) * 1e3))
    assert below_zero.uprooted == pytest.approx(1)
    assert WeightHistory.from_recording(recording(grown)).uprooted == 10.0


def test_tables_alone_are_judged_by_what_is_surely_wrong() -> None:
    """A step changes the rows of its batch: little is nothing, much is too much."""
    assert codes(still(), kind="Embedding", ratios=1e-9) == []
    assert codes(still(), kind="Embedding", ratios=0.0, loss=LOST) == ["not_updating"]
    assert codes(still(), kind="Embedding", ratios=0.3, loss=LOST) == ["update_too_large"]
    mixed = WeightHistory.from_recording(recording(still(), kind="Embedding", ratios=0.3))
    assert mixed.tables
    assert len(mixed.hidden) == 3
    assert not WeightHistory.from_recording(recording(still())).tables


def test_tables_alone_grow_from_near_zero_while_the_loss_falls_at_once() -> None:
    grown = np.where(T[:, None] > 1, 6.0, 1.0) * np.ones(2)
    falls, waits = np.linspace(2.0, 0.5, 150), np.r_[2.0, np.full(60, 9.0), np.linspace(2, 0.5, 89)]
    for loss, uprooted in ((falls, 1.0), (waits, 6.0)):
        made = recording(grown, loss=loss, kind="Embedding")
        assert WeightHistory.from_recording(made).uprooted == uprooted


def test_a_signal_that_all_layers_lose_together() -> None:
    """To a fifth each, 0.008 in all, while the loss is what guessing among four costs."""
    shrunk = columns(*[np.maximum(0.2, 0.97**T)] * 3)
    penalty = np.log(4) + 4 * 0.95**T
    assert codes(shrunk, loss=penalty) == ["collapsing"]
    assert codes(shrunk, loss=penalty - 0.9) == []  # it knows something
    assert codes(columns(*[np.maximum(0.3, 0.97**T)] * 3), loss=penalty) == []
    made = WeightHistory.from_recording(recording(shrunk, loss=penalty))
    assert judge(made, frozenset({"LayerNorm"})) == []  # which makes up for it


@pytest.mark.parametrize(
    ("ratios", "gradients", "faded"),
    [
        (np.where(T < 75, 1e-2, 1e-5), 1.0, 1e-3),
        (np.where(T < 75, 1e-2, 1e-5), np.where(T < 75, 1.0, 1e-3), 1.0),  # the gradients did
        (np.full(150, 1e-3), 1.0, 1.0),
        (1e-2 * np.cos(T * np.pi / 300) ** 2, 1.0, 1.0),
    ],
)
def test_faded(ratios: np.ndarray, gradients: object, faded: float) -> None:
    wide = np.broadcast_to(np.asarray(gradients, float), T.shape)[:, None] * np.ones(3)
    made = recording(still(), ratios=ratios[:, None], gradients=wide)
    assert WeightHistory.from_recording(made).faded == pytest.approx(faded, rel=0.05)


def test_few_samples_that_span_many_steps_are_enough() -> None:
    """As every=10 gives them in a short training."""
    shrunk = columns(*[0.95 ** (10 * T)] * 3)
    assert codes(shrunk[:8], stride=10) == ["collapsing"]
    assert codes(shrunk[:8]) == []  # eight steps
    assert codes(shrunk[:4], stride=20) == []
    assert codes(still(8), stride=10, ratios=0.3, loss=LOST[:80]) == ["update_too_large"]
    assert codes(still(8), ratios=0.3, loss=LOST[:8]) == []


def test_the_typical_of_two_matrices_lies_between_their_orders() -> None:
    made = WeightHistory.from_recording(recording(still(150, 2), ratios=np.array([0.01, 1.0])))
    assert made.typical_ratio(late=True) == pytest.approx(0.1)
    none = WeightHistory.from_recording(recording(still(150, 2), ratios=0.0))
    assert none.typical_ratio(late=True) == 0.0
    assert not none.warming


def test_shares_of_weights_that_are_small_by_nature() -> None:
    """A step over what is usual, where a layer began at zero, or over the norm if larger."""
    made = recording([[2.0, 0.0], [4.0, 1.0], [8.0, 1.0]], ratios=0.5)
    history = WeightHistory.from_recording(made)
    np.testing.assert_allclose(history.shares, [[0.5, 0.0], [0.5, 0.25], [0.5, 0.25]])


@pytest.mark.parametrize(
    ("course", "stirring"),
    [
        (np.exp(T / 150), True),
        (np.ones(150), False),
        (1 + 0.2 * np.sin(T), False),
        (np.exp(-T / 150), False),
        (np.where(T > 140, 9.0, 1.0), False),  # one jump is no growth
        (1 + 0.5 * np.maximum(0, T - 70) / 80, True),  # only just begun
        (np.sqrt(1 + T), False),  # behind a last layer that began at zero: ever more slowly
        (1e-4 * np.exp(T / 150), True),
        (1e-6 * np.exp(T / 150), False),  # next to nothing grows to next to nothing
    ],
)
def test_stirring(course: np.ndarray, stirring: bool) -> None:
    """By the first matrix alone."""
    gradients = np.stack([course, np.ones(150), np.ones(150)], 1)
    history = WeightHistory.from_recording(recording(still(), gradients=gradients))
    assert history.stirring is stirring
    short = recording(still(19), gradients=gradients[:19])
    assert WeightHistory.from_recording(short).stirring is False


def test_early_and_late_go_by_steps_and_not_by_samples() -> None:
    """As `every="auto"` samples: dense at first, then rare."""
    made = recording(still(40))
    history = WeightHistory.from_recording(made)
    steps = np.r_[np.arange(1, 31), np.arange(100, 1100, 100)]
    history = WeightHistory(
        history.layers, steps, history.norms, history.updates, history.gradients, history.status
    )
    np.testing.assert_array_equal(steps[history.late], [600, 700, 800, 900, 1000])
    np.testing.assert_array_equal(steps[history.early], [*range(3, 31), 100])


@pytest.mark.parametrize("rows", [0, 1, 2, 150])
def test_healthy(rows: int) -> None:
    assert findings(still(rows)) == []
    assert findings(still(rows), kind="LayerNorm", dims=1, ratios=0.5) == []
    assert findings(still(rows), kind="Embedding", ratios=1e-9) == []
    assert findings(still(rows), status=2, ratios=0.0) == []  # frozen


@pytest.mark.parametrize(
    ("norms", "others", "expected"),
    [
        (columns(1.03**T, 1.03**T), {}, ["exploding"]),  # 80-fold
        (columns(1.03**T, 1.0, 1.0), {}, ["exploding"]),
        (columns(1 + T / 10), {}, ["exploding"]),  # 16-fold in a straight line, no loss known
        (columns(1 + T / 10), {"loss": LEARNS}, []),
        (columns(1 + T**0.5), {"loss": LEARNS}, []),  # random steps before a normalisation
        (columns(1 + 8 * np.tanh(T / 20)), {}, []),
        (columns(np.where(T < 5, 1.0, 1e4)), {}, ["exploding"]),
        (columns(np.where(T < 5, 1.0, 100.0)), {}, []),  # a jump that is over
        (columns(1e-3 * (1 + T), 1.0, 1.0), {}, []),  # a head that began next to zero
        (columns(0.02 * T, 1.0, 1.0), {}, []),  # at zero
        (columns(np.where(T < 9, 2.0**T, INF)), {}, ["exploding"]),
        (columns(np.where(T < 9, 1.0, NAN)), {}, []),  # not a number is not growth
    ],
)
def test_exploding(norms: np.ndarray, others: dict[str, object], expected: list[str]) -> None:
    assert codes(norms, **others) == expected


@pytest.mark.parametrize(
    ("norms", "others", "expected"),
    [
        (columns(0.97**T, 0.97**T, 0.97**T), {}, ["collapsing"]),
        (columns(0.97**T, 1.0, 1.0), {}, []),  # one layer, and no loss that suffers
        (columns(0.97**T, 1.0, 1.0), {"loss": LOST}, ["collapsing"]),
        (columns(0.97**T, 1.0, 1.0), {"loss": LEARNS}, []),  # a branch that is not needed
        (columns(0.99**T, 0.99**T), {"loss": LOST}, []),  # to a quarter
    ],
)
def test_collapsing(norms: np.ndarray, others: dict[str, object], expected: list[str]) -> None:
    assert codes(norms, **others) == expected


COSINE = 1e-3 * (1 + np.cos(np.pi * T / 149))[:, None]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"ratios": 1e-8}, ["not_updating"]),
        ({"ratios": 0.0}, ["not_updating"]),
        ({"ratios": 1e-8, "loss": LEARNS}, []),
        ({"ratios": 1e-8, "gradients": 0.0}, []),  # nothing arrives: another disease
        ({"ratios": 1e-8, "gradients": NAN, "status": 1}, []),
        ({"ratios": NAN}, []),
        ({"ratios": 1e-4}, []),
        ({"ratios": COSINE}, []),
        ({"ratios": 1e-8 * (1 + T[:, None])}, []),  # a warm-up
        # Some layers while others move.
        ({"ratios": [1e-3, 0.0, 1e-3]}, ["not_updating"]),
        ({"ratios": [1e-3, 0.0, 1e-3], "loss": LEARNS}, ["not_updating"]),
        ({"ratios": [1e-3, NAN, 1e-3]}, ["not_updating"]),  # in no optimizer
        ({"ratios": [1e-3, 1e-8, 1e-3], "gradients": [1.0, 1e-4, 1.0]}, []),
    ],
)
def test_not_updating(others: dict[str, object], expected: list[str]) -> None:
    assert codes(still(), **others) == expected


def test_a_teacher_that_something_else_moves_is_not_still() -> None:
    assert codes(columns(1.0, 1 + T / 1000, 1.0), ratios=[1e-3, 0.0, 1e-3]) == []
    assert codes(columns(1.0, 1 + T / 1000, 1.0), ratios=[1e-3, NAN, 1e-3]) == []


NOISY = 1 + 0.5 * np.sin(T)[:, None] * np.ones(3)


def test_a_linear_model_lives_with_large_steps_while_its_loss_falls() -> None:
    falls = np.linspace(2.0, 1.2, 150)
    assert codes(still(layers=1), ratios=0.15, loss=falls) == []
    assert codes(still(layers=1), ratios=0.15, loss=LOST) == ["update_too_large"]
    history = WeightHistory.from_recording(recording(still(layers=1), ratios=0.15, loss=falls))
    assert judge(history) == []
    assert [f.code for f in judge(history, hurt=True)] == ["weight.update_too_large"]
    assert codes(still(layers=2), ratios=0.15, loss=falls) == ["update_too_large"]


def test_growth_that_a_loss_without_a_bound_drives() -> None:
    grown = 1 + T[:, None] / 8 * np.ones(3)  # steadily, to 19-fold
    assert codes(grown, loss=1 - T) == ["exploding"]
    assert codes(grown, loss=np.exp(-T / 20)) == []
    # Ever more slowly below zero, as a likelihood of which a term was forgotten.
    assert codes(grown, loss=-20 * np.log1p(T)) == ["exploding"]
    assert codes(1 + T[:, None] / 12 * np.ones(3), loss=-20 * np.log1p(T)) == []  # 13-fold
    assert codes(columns(1.0, 1 + T / 8, 1.0, 1.0), loss=-20 * np.log1p(T)) == []  # one of four


def test_one_layer_thrown_away() -> None:
    """A layer of its own rate is twelve times as large after the first steps."""
    one = columns(1.0, np.where(T > 20, 12.0, 1.0), 1.0, 1.0)
    (finding,) = findings(one, loss=LOST)
    assert (finding.code, finding.subject) == ("weight.update_too_large", "l1")
    assert "l1 grew 12-fold" in finding.message
    assert codes(one, loss=LEARNS) == []
    assert codes(columns(1.0, 1.0, 1.0, np.where(T > 20, 12.0, 1.0)), loss=LOST) == []  # the last


def test_a_fall_that_the_steps_themselves_made_is_no_excuse() -> None:
    """The loss of thrown weights comes down again, and stays above where it began."""
    thrown = np.where(T[:, None] > 1, 9.0, 1.0) * np.ones(3)
    back = 5 + 60 * np.exp(-T / 10)
    assert codes(thrown, loss=np.r_[3.0, back[1:]]) == ["update_too_large"]
    assert codes(thrown, loss=np.r_[65.0, back[1:]]) == []


def test_no_excuse_where_the_loss_is_known_to_suffer() -> None:
    """Three times as large after the first steps: enough where the loss swings for it."""
    thrown = recording(np.where(T[:, None] > 1, 3.0, 1.0) * np.ones(3), loss=LEARNS)
    history = WeightHistory.from_recording(thrown)
    assert judge(history) == []
    assert [f.code for f in judge(history, hurt=True)] == ["weight.update_too_large"]
    large = WeightHistory.from_recording(recording(still(), ratios=0.2, loss=LEARNS))
    assert judge(large) == []
    assert [f.code for f in judge(large, hurt=True)] == ["weight.update_too_large"]


def test_left_and_silent_by_hand() -> None:
    quiet = np.where(T[:, None] < 70, 1.0, 0.0)
    history = WeightHistory.from_recording(recording(columns(1 - T / 298, 1.0, 0.0)))
    assert history.left == pytest.approx((1 - 147 / 298 + 1) / 2)
    assert not history.silent
    assert WeightHistory.from_recording(recording(still(), gradients=quiet)).silent
    nothing = WeightHistory.from_recording(recording(np.ones((0, 3))))
    assert not nothing.silent
    assert nothing.swollen == 1
    grow = np.linspace(1, 16, 150)[:, None]
    course = WeightHistory.from_recording(recording(still(), gradients=grow)).swollen
    assert course == pytest.approx(grow[135:].mean() / grow[:15].mean())
    assert np.isnan(nothing.left)


def test_put_back_after_each_step() -> None:
    (finding,) = findings(still(), ratios=1e-2, gradients=NOISY)
    assert (finding.code, finding.subject) == ("weight.not_updating", "all layers")
    assert "each step changes 0.01 of the norm, and something puts them back" in finding.message
    assert finding.remedy.startswith("Look for what writes to these weights")
    assert finding.evidence["put_back"] is True
    # One layer of three, the others learn; and the same where each step leaves a trace.
    (finding,) = findings(columns(1 + T / 99, 1.0, 1 + T / 99), ratios=1e-2, gradients=NOISY)
    assert finding.subject == "l1"
    brought = np.float32(1) + np.float32(1.2e-7) * (np.arange(150) % 2)[:, None] * np.ones(3)
    assert findings(brought, ratios=1e-2, gradients=NOISY) == []  # to a length, as by max-norm
    assert findings(still(), ratios=0.0, gradients=NOISY)[0].evidence["put_back"] is False
    assert findings(still(), ratios=1e-2, gradients=NAN, status=1) == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_numbers_that_overflow_are_judged_without_a_warning(value: float) -> None:
    over = np.where(T[:, None] > 100, value, NOISY)
    findings(still(), ratios=1e-2, gradients=over)
    findings(over, ratios=over, gradients=over)


def test_not_updating_in_words() -> None:
    (finding,) = findings(still(), ratios=1e-8)
    assert (finding.subject, finding.severity) == ("all layers", "critical")
    assert "None of the 3 layers moves, although gradients arrive" in finding.message
    assert "a step changes 1e-08 of the norm" in finding.message
    assert finding.remedy.startswith("Raise the learning rate, up to 1e+05-fold")
    (finding,) = findings(still(), ratios=[1e-3, 0.0, 1e-3])
    assert (finding.subject, finding.severity) == ("l1", "warning")
    assert "no step changed anything" in finding.message
    assert finding.remedy.startswith("Give their parameters to the optimizer")


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"ratios": 0.5}, ["update_too_large"]),
        ({"ratios": [1e-3, 1e-3, 0.5], "loss": LOST}, ["update_too_large"]),
        ({"ratios": 0.5, "loss": LEARNS}, []),
        ({"ratios": [1e-3, 1e-3, 0.5]}, []),  # one layer, and nobody knows the loss
        ({"ratios": [1e-3, 0.5, 0.5]}, ["update_too_large"]),
        ({"ratios": 0.05}, []),
        ({"ratios": np.where(T < 20, 1.0, 0.01)[:, None]}, []),  # Adam's first steps
    ],
)
def test_too_large(others: dict[str, object], expected: list[str]) -> None:
    assert codes(still(), **others) == expected


def test_thrown_away_by_the_first_steps() -> None:
    thrown = np.r_[np.ones((2, 3)), np.full((148, 3), 6.0)]
    (finding,) = findings(thrown, loss=LOST)
    assert finding.code == "weight.update_too_large"
    assert "Within the first 50 steps the typical layer grew 6-fold" in finding.message
    assert findings(thrown, loss=LEARNS) == []
    assert findings(thrown) == []  # no loss that could suffer


def test_steps_of_weights_that_shrink_to_nothing_are_not_too_large() -> None:
    assert codes(columns(0.97**T, 0.97**T), ratios=0.5) == ["collapsing"]


def test_remedy_goes_by_the_size_of_the_steps() -> None:
    (finding,) = findings(still(), ratios=0.5)
    assert "Lower the learning rate about 100-fold" in finding.remedy
    assert finding.evidence["update_ratio"] == pytest.approx(0.5)
