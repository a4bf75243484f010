"""The fitted temperature against torch's LBFGS, a grid, and cases worked out by hand."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from scipy.optimize import minimize_scalar

import nbdiag as nd
from nbdiag.measures.logit_scale import Scaled
from nbdiag.measures.outputs import OutputKind
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.temperature import at_temperature, fit_temperature


def made(n: int, classes: int, too_large: float, seed: int = 0, **more: Any) -> Predictions:
    """A perfectly calibrated model whose logits were multiplied."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) * 2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    targets = (p.cumsum(1) > rng.random((n, 1))).argmax(1)
    return Predictions(targets=targets, logits=logits * too_large, **more)


def nll(told: Predictions, temperature: float) -> float:
    """By torch, in float64."""
    logits = torch.tensor(np.array(told.logits), dtype=torch.float64)
    targets = torch.tensor(np.array(told.targets))
    return float(torch.nn.functional.cross_entropy(logits / temperature, targets))


def by_lbfgs(told: Predictions) -> float:
    logits = torch.tensor(np.array(told.logits), dtype=torch.float64)
    targets = torch.tensor(np.array(told.targets))
    log_t = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [log_t],
        max_iter=300,
        tolerance_grad=1e-13,
        tolerance_change=1e-16,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits / log_t.exp(), targets)
        loss.backward()
        return loss

    optimizer.step(closure)
    return float(log_t.detach().exp())


@pytest.mark.parametrize(
    ("n", "classes", "too_large"),
    [(40, 2, 1.0), (300, 2, 4.0), (500, 3, 0.4), (2000, 10, 3.0), (300, 1000, 1.5), (5000, 4, 30)],
)
def test_against_lbfgs_and_a_grid(n: int, classes: int, too_large: float) -> None:
    told = made(n, classes, too_large)
    fitted = fit_temperature(told)
    assert fitted.value == pytest.approx(by_lbfgs(told), rel=1e-6)
    grid = fitted.value * np.exp(np.linspace(-0.5, 0.5, 101))
    assert nll(told, fitted.value) <= min(nll(told, t) for t in grid) + 1e-12
    assert fitted.nll_before == pytest.approx(nll(told, 1.0), abs=1e-12)
    assert fitted.nll_after == pytest.approx(nll(told, fitted.value), abs=1e-9)
    assert fitted.nll_after <= fitted.nll_before
    assert fitted.low < fitted.value < fitted.high
    assert (fitted.n, fitted.bound, fitted.note) == (n, "", "")


def test_many_samples_start_from_a_part_and_end_at_the_same_place() -> None:
    told = made(200_000, 10, 2.5)
    assert told.probabilities.size > 4 * 400_000
    scaled = Scaled.of(told)
    oracle = minimize_scalar(lambda t: scaled.nll(t), bounds=(1, 5), method="bounded")
    assert fit_temperature(told).value == pytest.approx(oracle.x, rel=1e-4)
    assert abs(scaled.slope(1 / fit_temperature(told).value).first) < 1e-9


def test_two_samples_by_hand() -> None:
    # logits 2 apart, one right and one wrong of four with p = 3/4: sigmoid(2/T) = 3/4, T = 2/ln 3
    logits = np.array([[0.0, 2.0]] * 4)
    told = Predictions(targets=[1, 1, 1, 0], logits=logits)
    fitted = fit_temperature(told)
    assert fitted.value == pytest.approx(2 / math.log(3), rel=1e-9)
    assert fitted.nll_after == pytest.approx(-(3 * math.log(0.75) + math.log(0.25)) / 4)
    # score of a sample by 1/T: 2 (p - y), mean square 4 * 3/16; curvature 4 * 3/16
    assert fitted.standard_error / fitted.value == pytest.approx(
        math.sqrt(0.75 / 4) / (0.75 * math.log(3) / 2), rel=1e-6
    )


def test_the_standard_error_is_what_other_samples_would_give() -> None:
    values = [fit_temperature(made(400, 3, 2.0, seed)).value for seed in range(60)]
    told = fit_temperature(made(400, 3, 2.0, 99))
    assert np.std(values) == pytest.approx(told.standard_error, rel=0.3)
    inside = [
        one.low <= 2.0 <= one.high
        for one in (fit_temperature(made(400, 3, 2.0, s)) for s in range(60))
    ]
    assert sum(inside) >= 53


def test_what_it_says_of_the_model() -> None:
    assert fit_temperature(made(2000, 3, 3.0)).told == "above 1: overconfident before"
    assert fit_temperature(made(2000, 3, 0.3)).told == "below 1: underconfident before"
    sound = fit_temperature(made(500, 3, 1.0))
    assert sound.low < 1 < sound.high
    assert sound.told.startswith("not told apart from 1")
    assert repr(sound).endswith("fitted on 500 samples")


@pytest.mark.parametrize("margin", [0.1, 3.0, 500.0])
def test_all_right_goes_to_zero_and_says_so(margin: float) -> None:
    told = Predictions(targets=[0, 1, 2], logits=np.eye(3) * margin)
    fitted = fit_temperature(told)
    assert (fitted.value, fitted.bound) == (0.01, "low")
    assert "every one of these samples is right" in fitted.note
    assert math.isnan(fitted.low)
    assert math.isnan(fitted.standard_error)
    assert fitted.nll_after <= fitted.nll_before


def test_worse_than_a_guess_goes_to_the_upper_bound() -> None:
    fitted = fit_temperature(Predictions(targets=[1, 2, 0], logits=np.eye(3) * 4))
    assert (fitted.value, fitted.bound) == (100.0, "high")
    assert "no better than a guess" in fitted.note
    many = made(300_000, 8, 1.0)
    wrong = Predictions(targets=np.array((many.predicted + 1) % 8), logits=many.logits)
    assert fit_temperature(wrong).bound == "high"


def test_equal_logits_and_ties() -> None:
    flat = fit_temperature(Predictions(targets=[0, 1, 1], logits=np.full((3, 2), 7.0)))
    assert flat.value == 1.0
    assert "all equal" in flat.note
    tied = Predictions(targets=[0, 1, 2, 0], logits=[[2, 2, 0.0]] * 4)
    assert fit_temperature(tied).value == pytest.approx(by_lbfgs(tied), rel=1e-6)


def test_probabilities_give_their_logarithms() -> None:
    told = made(800, 4, 2.0)
    kind = OutputKind("probabilities", 4, "declared")
    exact = Predictions(
        targets=told.targets, probabilities=told.probabilities.astype(float), output=kind
    )
    fitted = fit_temperature(exact)
    assert fitted.value == pytest.approx(fit_temperature(told).value, rel=1e-4)
    assert "logarithms of the probabilities" in fitted.note
    # fitting the probabilities themselves as if they were logits would give something else
    wrong = fit_temperature(Predictions(targets=told.targets, logits=told.probabilities))
    assert wrong.value < 0.8 < 1.8 < fitted.value
    after = fitted.apply(exact)
    assert after.probabilities == pytest.approx(fitted.apply(told).probabilities, abs=1e-4)


def test_one_logit() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=400) * 3
    y = (rng.random(400) < 1 / (1 + np.exp(-z / 2))).astype(int)
    told = Predictions(targets=y, logits=np.stack([np.zeros(400), z], 1))
    two = Predictions(targets=y, logits=np.stack([-z / 2, z / 2], 1))
    assert fit_temperature(told).value == pytest.approx(fit_temperature(two).value, rel=1e-9)


def test_refusals() -> None:
    with pytest.raises(TypeError, match=r"expected Predictions .* got list"):
        fit_temperature([0.5])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="2 samples with finite outputs or more, got 1"):
        fit_temperature(Predictions(targets=[0], logits=[[1.0, 0]]))
    with pytest.raises(ValueError, match="got 1"):
        fit_temperature(Predictions(targets=[0, 1], logits=[[1.0, 0], [np.nan, 1]]))
    zero = Predictions(targets=[0, 1, 0], probabilities=[[1.0, 0], [0.3, 0.7], [0.5, 0.5]])
    with pytest.raises(ValueError, match="1 of 3 samples have a probability of exactly 0"):
        fit_temperature(zero)
    masked = Predictions(targets=[0, 1, 0], logits=[[-np.inf, 0], [0, 1], [1, 0.0]])
    with pytest.raises(ValueError, match="1 samples have a logit of -infinity"):
        fit_temperature(masked)


def test_other_masked_classes_and_nan_rows_are_left_alone() -> None:
    told = made(300, 3, 2.0)
    logits = np.column_stack([told.logits, np.full(300, -np.inf)])
    logits[:5] = np.nan
    given = Predictions(targets=told.targets, logits=logits)
    fitted = fit_temperature(given)
    assert fitted.value == pytest.approx(fit_temperature(told.take(np.arange(5, 300))).value)
    assert (fitted.n, fitted.n_nonfinite) == (295, 5)
    assert "5 samples that are not finite are left out" in fitted.note
    after = fitted.apply(given)
    assert after.n_nonfinite == 5
    assert np.isneginf(after.logits[5:, 3]).all()
    assert np.isnan(after.probabilities[:5]).all()
    assert (after.probabilities[5:, 3] == 0).all()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [0.02, 0.5, 3.0, 90.0])
def test_applying_changes_confidence_and_nothing_else(kind: Any, temperature: float) -> None:
    told = made(3000, 5, 4.0)
    table = pl.DataFrame({"row": range(3000)})
    told = Predictions(
        ids=np.arange(3000) + 7,
        targets=told.targets,
        logits=told.logits.astype(kind),
        class_names=tuple("abcde"),
        metadata=table,
        inputs=lambda ids: list(ids),
        note="as it came",
    )
    after = nd.Temperature(temperature).apply(told)
    assert after.logits.dtype == kind
    assert (after.predicted == told.predicted).all()
    assert after.accuracy == told.accuracy
    assert (after.ids == told.ids).all()
    assert (after.class_names, after.metadata is table) == (told.class_names, True)
    assert after.inputs is told.inputs
    expected = torch.softmax(torch.tensor(np.array(told.logits, float)) / temperature, 1).numpy()
    assert after.probabilities == pytest.approx(expected, abs=1e-6)
    word = "softened" if temperature > 1 else "sharpened"
    assert after.note == f"as it came; {word} by temperature scaling"
    assert after.note in repr(after)


@pytest.mark.parametrize("second", [np.nextafter(np.float32(1), np.float32(2)), np.float32(1e-44)])
def test_the_closest_logits_stay_apart(second: np.float32) -> None:
    first = np.float32(0 if second < 0.5 else 1)  # 1e-44 / 50 is 0 in float32: a tie, but for care
    told = Predictions(targets=[1, 1], logits=np.array([[first, second]] * 2, np.float32))
    assert told.predicted.tolist() == [1, 1]
    for temperature in (3.0, 7.0, 50.0):
        assert at_temperature(told, temperature).predicted.tolist() == [1, 1]


def test_ties_keep_the_first() -> None:
    told = Predictions(targets=[0, 1], probabilities=[[0.5, 0.5], [0.4, 0.6]])
    assert at_temperature(told, 4.0).predicted.tolist() == [0, 1]
    assert at_temperature(told, 1.0) is told


def test_it_flows_into_other_tools() -> None:
    told = made(500, 3, 3.0)
    after = fit_temperature(told).apply(told)
    assert nd.reliability(after).ece < nd.reliability(told).ece
    assert fit_temperature(after).value == pytest.approx(1.0, abs=1e-6)
    assert nd.ErrorExplorer(after).table.accuracy == told.accuracy


def test_whether_samples_were_seen() -> None:
    fit, other = made(900, 3, 2.0, 0), made(900, 3, 2.0, 1)
    fitted = fit_temperature(fit)
    assert fitted.share_seen(fit) == 1.0
    assert fitted.share_seen(fit.take(np.arange(0, 900, 3))) == 1.0
    assert fitted.share_seen(other) == 0.0  # the same ids, other data
    named = Predictions(
        ids=np.array([f"a{i}" for i in range(900)]), targets=fit.targets, logits=fit.logits
    )
    assert fitted.share_seen(named) == 1.0  # other ids, the same data
    assert fitted.share_seen(fit.take(np.arange(900)[::-1])) == 1.0
    assert math.isnan(nd.Temperature(2.0).share_seen(fit))
    many = made(60_000, 2, 2.0)
    assert fit_temperature(many).share_seen(many.take(np.arange(50_000, 60_000))) > 0.999


def test_frozen_and_checked() -> None:
    with pytest.raises(FrozenInstanceError):
        nd.Temperature(2.0).value = 3.0  # type: ignore[misc]
    for bad in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="must be a number above 0"):
            nd.Temperature(bad)
