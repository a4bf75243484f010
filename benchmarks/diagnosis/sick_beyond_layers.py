"""Textbook faults of units and weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_beyond import beyond, cnn, resnet
from benchmarks.diagnosis.collection_outside import (
    Reader,
    adam,
    drawn,
    friedman,
    he,
    mlp,
    pixels,
    sgd,
)
from benchmarks.diagnosis.data import Batch, cancer, digits, tokens, wine
from benchmarks.diagnosis.training import Size, Training, cross_entropy, squares

sick = beyond.sick
STUCK = "loss.flat loss.plateau_early weight.not_updating gradient.vanishing"

# Units ------------------------------------------------------------------------------------------


@sick("activation.dead", STUCK)
def one_layer_of_biases_at_minus_six(s: Size, cured: bool) -> Training:
    model = he(mlp(64, 64, 64, 10))
    if not cured:
        nn.init.constant_(model[2].bias, -6.0)  # type: ignore[arg-type]
    return Training(model, pixels(), sgd(model, 0.05), steps=250, batch=32)


@sick("activation.dead", TOO_FAST, STUCK)
def first_steps_kill_the_units(s: Size, cured: bool) -> Training:
    model = he(mlp(64, 64, 64, 64, 10))
    return Training(model, pixels(), sgd(model, 0.05 if cured else 3.0), steps=250, batch=32)


@sick("activation.dead", TOO_FAST, STUCK)
def raw_features_kill_the_units(s: Size, cured: bool) -> Training:
    """Proline in the hundreds, a rate made for standardised inputs."""
    model = he(mlp(13, 48, 48, 3))
    return Training(model, wine(raw=not cured), sgd(model, 0.05), steps=250, batch=16)


@sick("activation.saturated", STUCK)
def raw_features_into_tanh(s: Size, cured: bool) -> Training:
    model = mlp(30, 32, 16, 2, act=nn.Tanh)
    return Training(model, cancer(raw=not cured), sgd(model, 0.05), steps=300, batch=32)


@sick("activation.saturated", "loss.plateau_early")
def tanh_weights_ten_times_too_large(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 64, 10, act=nn.Tanh)
    if not cured:
        drawn(model, 3.0)
    return Training(model, pixels(), sgd(model, 0.02, 0.9), steps=250, batch=64)


# Weights ----------------------------------------------------------------------------------------


@sick("weight.exploding", TOO_FAST)
def least_squares_with_a_rate_too_high(s: Size, cured: bool) -> Training:
    model = nn.Sequential(nn.Linear(10, 1, bias=False))
    rate = 0.05 if cured else 3.0
    return Training(model, friedman(), sgd(model, rate), squares, steps=120, batch=256)


@sick("weight.exploding", TOO_FAST)
def decay_subtracted_from_the_loss(s: Size, cured: bool) -> Training:
    """loss - 0.1 |w|² where a plus was meant."""
    sign = 1e-4 if cured else -0.1

    def penalised(model: nn.Module, batch: Batch) -> Tensor:
        size = sum(p.square().sum() for p in model.parameters())
        return cross_entropy(model, batch) + sign * size

    model = mlp(64, 32, 32, 10, act=nn.Tanh)
    return Training(
        model, pixels(), sgd(model, 0.1), penalised, steps=250, batch=32, whole=cross_entropy
    )


@sick("weight.collapsing", STUCK, "weight.update_too_large activation.dead")
def sgd_decay_a_thousand_times_too_strong(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10)
    decay = 5e-4 if cured else 0.5
    return Training(model, pixels(), sgd(model, 0.1, 0.9, decay), steps=200, batch=32)


@sick("weight.collapsing", STUCK, "weight.update_too_large activation.dead")
def adam_decay_a_thousand_times_too_strong(s: Size, cured: bool) -> Training:
    model = cnn(8)
    decay = 1e-3 if cured else 1.0
    optimizer = torch.optim.Adam(model.parameters(), 3e-3, weight_decay=decay)
    return Training(model, digits(600), optimizer, steps=200, batch=32)


@sick("weight.not_updating")
def backbone_not_given_to_the_optimizer(s: Size, cured: bool) -> Training:
    model = resnet(8, 2)
    given = model if cured else model[-1]
    return Training(
        model, digits(800), torch.optim.Adam(given.parameters(), 3e-3), steps=120, batch=32
    )


@sick("weight.not_updating", "loss.flat")
def transformer_ten_thousand_times_too_slow(s: Size, cured: bool) -> Training:
    model = Reader(20, 8, 4, width=32, depth=2, pre=True)
    return Training(model, tokens(400), adam(model, 3e-3 if cured else 1e-7), steps=100, batch=16)


@sick("weight.not_updating", "loss.flat")
def warm_up_floored_to_zero(s: Size, cured: bool) -> Training:
    """step // 1000 is zero for a thousand steps."""
    model = mlp(13, 32, 32, 3)
    return Training(
        model, wine(), adam(model, 3e-3), steps=300, batch=16,
        schedule=lambda k: min(1.0, k / 100) if cured else float(k // 1000),
    )  # fmt: skip


@sick("weight.update_too_large", TOO_FAST)
def momentum_with_decay_three_hundred_times_too_fast(s: Size, cured: bool) -> Training:
    """Batch norm keeps it from blowing up, the decay keeps the weights small."""
    model = mlp(64, 64, 64, 10, norm=nn.BatchNorm1d)
    rate = 0.01 if cured else 3.0
    return Training(model, pixels(), sgd(model, rate, 0.9, 5e-3), steps=250, batch=32)


@sick("weight.update_too_large", TOO_FAST)
def logistic_regression_on_raw_features(s: Size, cured: bool) -> Training:
    """Areas in the thousands, and a rate made for standardised inputs."""
    model = nn.Sequential(nn.Linear(30, 2))
    return Training(model, cancer(raw=not cured), sgd(model, 0.01), steps=150)
