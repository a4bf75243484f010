"""Reliability by hand, by a naive loop, and by scikit-learn, netcal and torchmetrics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from netcal.metrics import ECE, MCE
from scipy.stats import binom
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss
from statsmodels.stats.proportion import proportion_confint
from torchmetrics.functional.classification import multiclass_calibration_error

from nbdiag.measures.calibration import Reliability, reliability
from nbdiag.measures.calibration_study import Study
from nbdiag.measures.calibration_sweep import grid, sweep
from nbdiag.measures.calibration_words import in_words, stretches
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.reliability_bins import assign, edges_of, noise_floor
from nbdiag.measures.temperature import Temperature, fit_temperature


def made(n: int, classes: int, too_large: float = 1.0, seed: int = 0, **more: Any) -> Predictions:
    """A perfectly calibrated model whose logits were multiplied."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) * 2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    targets = (p.cumsum(1) > rng.random((n, 1))).argmax(1)
    return Predictions(targets=targets, logits=logits * too_large, **more)


def positive(p: list[float], y: list[int], **more: Any) -> Predictions:
    column = np.array(p)
    return Predictions(targets=y, probabilities=np.stack([1 - column, column], 1), **more)


# what the confidence is, whether it is right, bins; then counts, hits and ECE by hand
HAND = [
    pytest.param([0.5, 0.95, 0.95, 0.95], [1, 1, 0, 1], [0, 1, 3], 0.3375, id="plain"),
    pytest.param([1.0, 1.0], [1, 1], [0, 0, 2], 0.0, id="exactly 1, all right"),
    pytest.param([1.0, 1.0], [0, 0], [0, 0, 2], 1.0, id="exactly 1, all wrong"),
    pytest.param([0.7], [1], [0, 0, 1], 0.3, id="one sample"),
    pytest.param([0.75] * 4, [1, 1, 1, 0], [0, 0, 4], 0.0, id="ties"),
]


@pytest.mark.parametrize(("said", "hit", "counts", "ece"), HAND)
def test_top_label_by_hand(said: list, hit: list, counts: list, ece: float) -> None:
    # class 1 is said throughout (0.5 is a tie, which class 0 wins)
    targets = [h if p > 0.5 else 1 - h for p, h in zip(said, hit, strict=True)]
    told = positive(said, targets)
    found = reliability(told, 3)
    width = [int(sum(lo <= p < hi for p in said)) for lo, hi in ((0, 1 / 3), (1 / 3, 2 / 3))]
    assert found.bins.counts.tolist() == [*width, len(said) - sum(width)] == counts
    assert found.bins.hits.sum() == sum(hit)
    assert found.ece == pytest.approx(ece, abs=1e-7)


def test_zero_and_one_lie_in_the_first_and_the_last_bin() -> None:
    # a popular library leaves confidence 1 out and says 0.525
    told = positive([0.0, 1.0, 1.0, 0.05], [0, 1, 0, 1])
    found = reliability(told, 10, of=1)
    assert found.bins.counts.tolist() == [2, *[0] * 8, 2]
    assert found.ece == pytest.approx((2 * abs(0.025 - 0.5) + 2 * abs(1 - 0.5)) / 4)
    assert found.nll == math.inf
    assert found.n == 4


def test_inner_edges_belong_to_the_upper_bin() -> None:
    edges = edges_of(np.array([0.5]), 4, "equal_width")
    assert edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert assign(np.array([0, 0.25, 0.5, 0.75, 1.0]), edges).tolist() == [0, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("said", "bins", "counts"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 3, [2, 2, 2]),
        ([0.1, 0.2, 0.3, 0.4, 0.5], 2, [2, 3]),
        ([0.2, 0.4, 0.4, 0.4, 0.9, 1.0], 3, [1, 3, 2]),
        ([0.3, 1.0, 1.0, 1.0], 4, [1, 3]),
        ([1.0] * 5, 3, [5]),
        ([0.0, 0.0, 0.0, 1.0], 2, [4]),
        ([0.7], 15, [1]),
    ],
)
def test_equal_mass_never_parts_ties(said: list[float], bins: int, counts: list[int]) -> None:
    values = np.array(said)
    edges = edges_of(values, bins, "equal_mass")
    where = assign(values, edges)
    assert np.bincount(where, minlength=len(edges) - 1).tolist() == counts
    assert (edges[0], edges[-1]) == (min(said), max(said))
    for value in set(said):
        assert len(set(where[values == value])) == 1


@pytest.mark.parametrize("n", [1, 2, 15, 1000])
@pytest.mark.parametrize("bins", [1, 2, 15, 40])
def test_equal_mass_is_equal_without_ties(n: int, bins: int) -> None:
    values = np.random.default_rng(0).permutation(n) / n
    edges = edges_of(values, bins, "equal_mass")
    counts = np.bincount(assign(values, edges))
    assert len(counts) == min(n, bins)
    assert counts.max() - counts.min() <= 1


def naive(confidence: np.ndarray, hit: np.ndarray, bins: int) -> float:
    total = 0.0
    for b in range(bins):
        inside = [
            i for i, c in enumerate(confidence) if min(int(np.floor(c * bins)), bins - 1) == b
        ]
        if inside:
            gap = abs(np.mean(confidence[inside]) - np.mean(hit[inside]))
            total += len(inside) * gap
    return total / len(confidence)


CASES = [(1, 2), (30, 2), (400, 3), (2000, 10), (500, 1000)]


@pytest.mark.parametrize(("n", "classes"), CASES)
@pytest.mark.parametrize("bins", [1, 7, 15])
def test_top_label_against_naive_netcal_and_torchmetrics(n: int, classes: int, bins: int) -> None:
    told = made(n, classes, 2.0)
    found = reliability(told, bins)
    p = torch.softmax(torch.tensor(np.array(told.logits)), 1)
    confidence, predicted = (one.numpy() for one in p.max(1))
    hit = predicted == told.targets
    assert found.ece == pytest.approx(naive(confidence, hit, bins), abs=1e-9)
    oracle = ECE(bins).measure(confidence.astype(np.float64), hit.astype(int))
    assert found.ece == pytest.approx(float(oracle), abs=1e-9)
    assert found.mce == pytest.approx(
        float(MCE(bins).measure(confidence.astype(np.float64), hit.astype(int))), abs=1e-9
    )
    # torchmetrics leaves confidence of exactly 1 out of the bins; there is none here
    other = multiclass_calibration_error(p, torch.tensor(np.array(told.targets)), classes, bins)
    assert confidence.max() < 1
    assert found.ece == pytest.approx(float(other), abs=1e-5)


@pytest.mark.parametrize("strategy", ["equal_width", "equal_mass"])
@pytest.mark.parametrize("name", ["no", "yes"])
def test_positive_class_against_scikit_learn(strategy: Any, name: str) -> None:
    told = made(1500, 2, 2.0, class_names=("no", "yes"))
    found = reliability(told, 10, strategy, name)
    number = ["no", "yes"].index(name)
    y = told.targets == number
    p = torch.softmax(torch.tensor(np.array(told.logits)), 1).numpy()[:, number]
    kind = {"equal_width": "uniform", "equal_mass": "quantile"}[strategy]
    true, said = calibration_curve(y, p, n_bins=10, strategy=kind)
    full = found.bins.counts > 0
    # scikit-learn's quantiles lie between two samples, ours on one: a sample may change its bin
    near = 1e-9 if strategy == "equal_width" else 0.02
    assert found.bins.confidence[full] == pytest.approx(said, abs=near)
    assert found.bins.observed[full] == pytest.approx(true, abs=near)
    assert found.of == name
    assert found.brier == pytest.approx(brier_score_loss(y, p))


@pytest.mark.parametrize(("n", "classes"), CASES)
def test_brier_and_nll_against_scikit_learn(n: int, classes: int) -> None:
    told = made(n, classes, 2.0)
    found = reliability(told, temperature=1.7)
    p = torch.softmax(torch.tensor(np.array(told.logits)) / 1.7, 1).numpy()
    labels = list(range(classes))
    assert found.nll == pytest.approx(log_loss(told.targets, p, labels=labels), rel=1e-9)
    one_hot = np.eye(classes)[told.targets]
    brier = ((p - one_hot) ** 2).sum(1).mean() / (2 if classes == 2 else 1)
    assert found.brier == pytest.approx(brier, rel=1e-9)
    if 2 < classes < n:
        assert found.brier == pytest.approx(brier_score_loss(told.targets, p, labels=labels))


def test_nll_of_what_a_float64_cannot_hold() -> None:
    told = Predictions(targets=[1, 0], logits=[[0.0, -5000.0], [0.0, -5000.0]])
    assert reliability(told).nll == 2500.0
    masked = Predictions(targets=[1, 0], logits=[[0.0, -np.inf], [1.0, 0.0]])
    assert reliability(masked).nll == math.inf
    given = Predictions(targets=[1, 0], probabilities=[[1.0, 0.0], [0.6, 0.4]])
    assert reliability(given).nll == math.inf
    assert reliability(given.take([1])).nll == pytest.approx(-math.log(0.6), rel=1e-6)


def test_intervals_against_statsmodels() -> None:
    found = reliability(made(300, 3, 2.0))
    for i in np.flatnonzero(found.bins.counts):
        oracle = proportion_confint(found.bins.hits[i], found.bins.counts[i], method="wilson")
        assert (found.low[i], found.high[i]) == pytest.approx(oracle, abs=1e-12)
    empty = found.bins.counts == 0
    assert empty.any()
    assert (found.low[empty] == 0).all()
    assert (found.high[empty] == 1).all()
    assert np.isnan(found.bins.observed[empty]).all()


@pytest.mark.parametrize("strategy", ["equal_width", "equal_mass"])
def test_floor_against_drawing_each_sample(strategy: Any) -> None:
    told = made(200, 10, 3.0)
    found = reliability(told, 15, strategy)
    rng = np.random.default_rng(5)
    p = torch.softmax(torch.tensor(np.array(told.logits)), 1).numpy().max(1)
    drawn = []
    for _ in range(4000):
        surplus = np.bincount(found.where, (rng.random(200) < p) - p)
        drawn.append(np.abs(surplus).sum() / 200)
    assert found.floor.mean == pytest.approx(np.mean(drawn), rel=0.03)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found.floor.low == pytest.approx(low, rel=0.08)
    assert found.floor.high == pytest.approx(high, rel=0.05)


def test_floor_of_one_bin_is_exact() -> None:
    # E|X - n p| of a binomial, n = 50, p = 0.9, by summing over its outcomes
    k = np.arange(51)
    exact = float(np.abs(k - 45) @ binom.pmf(k, 50, 0.9)) / 50
    floor = noise_floor(np.full(50, 0.9), np.zeros(50, int), draws=40_000)
    assert floor.mean == pytest.approx(exact, rel=0.02)
    sure = noise_floor(np.array([0.0, 1.0, 1.0]), np.array([0, 1, 1]))
    assert (sure.mean, sure.low, sure.high) == (0, 0, 0)
    assert noise_floor(np.full(50, 0.9), np.zeros(50, int)) == noise_floor(
        np.full(50, 0.9), np.zeros(50, int)
    )


def test_a_perfect_model_of_200_samples_shows_an_ece_of_several_percent() -> None:
    eces, floors, beyond = [], [], 0
    for seed in range(40):
        found = reliability(sound(200, seed))
        eces.append(found.ece)
        floors.append(found.floor.mean)
        beyond += found.beyond_chance
    assert np.mean(eces) > 0.06
    assert np.mean(floors) == pytest.approx(np.mean(eces), rel=0.1)
    assert beyond <= 4


def sound(n: int, seed: int, classes: int = 10) -> Predictions:
    """Confidences all over the scale, each right as often as it says."""
    rng = np.random.default_rng(seed)
    top = rng.uniform(0.3, 1.0, n)
    p = np.repeat(((1 - top) / (classes - 1))[:, None], classes, 1)
    said = rng.integers(0, classes, n)
    p[np.arange(n), said] = top
    targets = np.where(rng.random(n) < top, said, (said + 1) % classes)
    return Predictions(targets=targets, probabilities=p)


def test_nan_rows_are_left_out_and_counted() -> None:
    told = made(50, 3, 2.0)
    logits = np.array(told.logits)
    logits[[3, 40]] = np.nan
    given = Predictions(targets=told.targets, logits=logits)
    found = reliability(given)
    rest = reliability(told.take(np.delete(np.arange(50), [3, 40])))
    assert (found.n, found.n_nonfinite) == (48, 2)
    assert found.ece == rest.ece
    assert found.where[[3, 40]].tolist() == [-1, -1]
    assert "2 not finite, left out" in repr(found)
    nothing = reliability(Predictions(targets=[0], probabilities=[[np.nan, np.nan]]))
    assert nothing.n == 0
    assert math.isnan(nothing.ece)
    assert math.isnan(nothing.mce)
    assert nothing.findings() == []
    assert in_words(nothing) == ["No sample has a finite output."]


def test_a_class_that_never_occurs() -> None:
    told = Predictions(
        targets=[0, 0, 1],
        probabilities=np.full((3, 3), 1 / 3),
        class_names=("a", "b", "c"),
    )
    found = reliability(told, of="c")
    assert found.bins.hits.sum() == 0
    assert found.ece == pytest.approx(1 / 3, abs=1e-6)


def test_all_right_and_all_wrong() -> None:
    probabilities = np.tile([0.9, 0.1], (200, 1))
    right = reliability(Predictions(targets=np.zeros(200, int), probabilities=probabilities))
    wrong = reliability(Predictions(targets=np.ones(200, int), probabilities=probabilities))
    assert right.ece == pytest.approx(0.1)
    assert wrong.ece == pytest.approx(0.9)
    assert [f.code for f in right.findings()] == ["calibration.underconfident"]
    (finding,) = wrong.findings()
    assert (finding.code, finding.severity) == ("calibration.overconfident", "critical")
    assert "it says 90 % on average there and is right in 0 % of 200 samples" in finding.message


def test_rows_and_frame() -> None:
    told = positive([0.1, 0.9, 0.95, 0.2], [0, 1, 0, 0])
    found = reliability(told, 2, of=1)
    assert found.rows(0).tolist() == [0, 3]
    assert found.rows(1).tolist() == [1, 2]
    with pytest.raises(IndexError, match="no bin 2: there are 2"):
        found.rows(2)
    frame = found.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame["n"].tolist() == [2, 2]
    assert frame["gap"].tolist() == pytest.approx([0.15, 0.425])
    assert frame["direction"].tolist() == ["underconfident", "overconfident"]
    polars = positive([0.1, 0.9], [0, 1], metadata=pl.DataFrame({"a": [1, 2]}))
    assert isinstance(reliability(polars).to_frame(), pl.DataFrame)


def test_bad_settings() -> None:
    told = made(10, 3)
    for bins in (0, 1001, -3):
        with pytest.raises(ValueError, match=f"between 1 and 1000, got {bins}"):
            reliability(told, bins)
    with pytest.raises(ValueError, match="whole number, got 2.5"):
        reliability(told, 2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="strategy must be one of"):
        reliability(told, strategy="quantile")  # type: ignore[arg-type]
    for of in ("cat", 3, -1):
        with pytest.raises(ValueError, match=f"got {of!r}; classes: 0, 1, 2"):
            reliability(told, of=of)
    with pytest.raises(TypeError, match="expected Predictions"):
        reliability([0.5])  # type: ignore[arg-type]


# --- what is concluded


@pytest.mark.parametrize("n", [20, 200, 5000])
@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("seed", range(6))
def test_sound_models_give_no_finding(n: int, classes: int, seed: int) -> None:
    assert reliability(made(n, classes, 1.0, seed)).findings() == []
    assert reliability(sound(n, seed, classes)).findings() == []


def test_certain_but_small_is_no_finding() -> None:
    told = made(100_000, 3, 1.12)
    found = reliability(told)
    assert found.beyond_chance
    assert abs(found.said - found.true) < 0.05
    assert found.findings() == []


@pytest.mark.parametrize("n", [1, 9, 49])
def test_few_samples_give_no_finding(n: int) -> None:
    probabilities = np.tile([1.0, 0.0], (n, 1))
    assert reliability(Predictions(targets=[1] * n, probabilities=probabilities)).findings() == []
    tied = Predictions(targets=[0] * n, probabilities=np.full((n, 2), 0.5))
    assert reliability(tied).findings() == []


def test_large_but_uncertain_is_no_finding() -> None:
    probabilities = np.tile([0.9, 0.1], (60, 1))
    told = Predictions(targets=[0] * 48 + [1] * 12, probabilities=probabilities)
    found = reliability(told)
    assert found.ece == pytest.approx(0.1)
    assert found.findings() == []


@pytest.mark.parametrize(
    ("too_large", "code"),
    [(3.0, "calibration.overconfident"), (0.3, "calibration.underconfident")],
)
@pytest.mark.parametrize("classes", [2, 10])
def test_planted_faults_are_found_and_cured(too_large: float, code: str, classes: int) -> None:
    told = made(3000, classes, too_large)
    (finding,) = reliability(told).findings()
    assert finding.code == code
    assert finding.evidence["effect"] >= 0.05
    assert finding.evidence["ece"] > finding.evidence["floor_high"]
    other = made(3000, classes, too_large, seed=1)
    assert reliability(fit_temperature(other).apply(told)).findings() == []


def test_errs_twice_as_often_as_it_says() -> None:
    # 98.5 % sure and 94.5 % right: few points, and nearly four times the errors
    probabilities = np.tile([0.985, 0.015], (4000, 1))
    told = Predictions(targets=[0] * 3780 + [1] * 220, probabilities=probabilities)
    (finding,) = reliability(told).findings()
    assert (finding.code, finding.severity) == ("calibration.overconfident", "warning")


def test_over_in_one_range_and_under_in_another() -> None:
    said = np.repeat([0.65, 0.95], 2000)
    right = np.concatenate([np.arange(2000) < 1600, np.arange(2000) < 1500])
    told = Predictions(targets=np.where(right, 0, 1), probabilities=np.stack([said, 1 - said], 1))
    found = reliability(told, 10)
    assert sorted(f.code for f in found.findings()) == [
        "calibration.overconfident",
        "calibration.underconfident",
    ]
    over, under = stretches(found)
    assert (over.over, over.n, round(over.true, 3)) == (True, 2000, 0.75)
    assert (under.over, under.n, round(under.true, 3)) == (False, 2000, 0.8)
    assert in_words(found)[0] == (
        "Overconfident from 90 to 100 %: it says 95 % on average there and is right in 75 % of "
        "2,000 samples."
    )


def test_above_the_diagonal_is_underconfident_for_the_top_label() -> None:
    under = reliability(made(4000, 2, 0.3))
    full = under.bins.counts > 50
    assert (under.bins.observed > under.bins.confidence)[full].all()
    assert (under.overconfident()[full] == -1).all()


def test_positive_class_in_words_for_each_half() -> None:
    told = made(20_000, 2, 3.0, class_names=("healthy", "ill"))
    found = reliability(told, 10, of="ill")
    bins, sure = found.bins, found.sure()
    low = (bins.confidence < 0.4) & (sure != 0)
    high = (bins.confidence > 0.6) & (sure != 0)
    # an overconfident model lies above in the low half, and below in the high half
    assert (sure[low] == -1).all()
    assert (sure[high] == 1).all()
    assert (found.overconfident()[low | high] == 1).all()
    words = " ".join(in_words(found))
    assert "Too low from 0 to" in words
    assert "Too high from" in words
    assert "underconfident" not in words
    assert "% for ill on average there" in words
    assert found.findings() == []  # judged on the top label
    (finding,) = reliability(told).findings()
    assert finding.code == "calibration.overconfident"


def test_repr_holds_no_measured_number() -> None:
    found = reliability(made(300, 3, 4.0))
    assert repr(found) == (
        "Reliability of the top label: 300 samples, 15 bins of equal width\n"
        "  critical: calibration.overconfident"
    )


# --- at many temperatures


def test_grid_holds_one_and_the_fit() -> None:
    for fitted in (None, 0.05, 1.0, 1.01, 2.345, 40.0):
        values = grid(fitted)
        assert (np.diff(values) > 0).all()
        assert 1.0 in values
        assert fitted is None or fitted in values
        assert values[0] <= min(0.2001, fitted or 1)
        assert values[-1] >= max(4.999, fitted or 1)


def test_small_sweeps_are_exact() -> None:
    told = made(400, 3, 2.0)
    values = np.array([0.5, 1.0, 2.0])
    found, rows = sweep(told, 15, "equal_mass", 2, values)
    assert rows is None
    for diagram, value in zip(found, values, strict=True):
        exact = reliability(told, 15, "equal_mass", 2, temperature=value)
        assert (diagram.bins.counts == exact.bins.counts).all()
        assert (diagram.ece, diagram.nll) == (exact.ece, exact.nll)
        assert diagram.floor.mean == pytest.approx(exact.floor.mean, rel=0.15)


def test_large_sweeps_are_close_and_say_so() -> None:
    told = made(300_000, 4, 2.0)
    values = np.array([1.0, 2.0])
    found, rows = sweep(told, 10, "equal_width", "top", values)
    assert rows == 50_000
    for diagram, value in zip(found, values, strict=True):
        exact = reliability(told, 10, temperature=value)
        assert diagram.n == pytest.approx(300_000, abs=10)
        assert diagram.ece == pytest.approx(exact.ece, abs=0.01)
        assert diagram.floor.mean == pytest.approx(exact.floor.mean, rel=0.25)


# --- one data set under study


def study(told: Predictions, temperature: Temperature | None = None) -> Study:
    return Study(told, temperature, 15, "equal_width", "top")


def test_fitted_on_the_samples_it_is_judged_on() -> None:
    told, other = made(2000, 3, 3.0), made(2000, 3, 3.0, seed=1)
    own, held = study(told), study(told, fit_temperature(other))
    assert own.in_sample
    assert "in-sample: it was fitted on these very samples" in own.advice
    assert "in-sample" in own.findings()[0].remedy
    assert not held.in_sample
    assert "fitted on 2,000 other samples" in held.advice
    assert study(told, fit_temperature(told)).in_sample
    # what is gained in-sample is no less than what is gained by another split's temperature
    assert own.nll_here()[1] <= held.nll_here()[1]
    assert held.nll_here()[0] == own.nll_here()[0]


def test_a_temperature_that_makes_it_worse() -> None:
    assert "makes things worse here" in study(made(900, 3, 1.0), Temperature(5.0)).advice


def test_no_temperature() -> None:
    zero = study(positive([0.0, 1.0, 0.4], [0, 1, 1]))
    assert zero.fitted is None
    assert "probability of exactly 0" in zero.fixed
    with pytest.raises(ValueError, match="probability of exactly 0"):
        zero.check(2.0)
    assert zero.check(1.0) == 1.0
    one = study(positive([0.3], [0]))
    assert one.fitted is None
    assert one.fixed == ""
    assert "needs 2 samples" in one.advice
    right = study(Predictions(targets=[0, 1], logits=np.eye(2) * 3))
    assert right.fitted is not None
    assert right.cure is None
    assert "every one of these samples is right" in right.advice
    nothing = study(Predictions(targets=[0], probabilities=[[np.nan, np.nan]]))
    assert nothing.fixed == "no sample has a finite output"
    for bad in (0.001, 200.0, math.nan):
        with pytest.raises(ValueError, match="must lie between"):
            right.check(bad)


def test_result_type() -> None:
    assert isinstance(reliability(made(10, 2)), Reliability)
