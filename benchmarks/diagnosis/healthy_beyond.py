"""Frightening and healthy: nets, optimizers and schedules as people use them daily."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from benchmarks.diagnosis.collection_beyond import beyond, cnn, resnet
from benchmarks.diagnosis.collection_outside import (
    Reader,
    Recurrent,
    Skip,
    adam,
    clipped,
    he,
    mlp,
    moons,
    pixels,
    sgd,
    sums,
)
from benchmarks.diagnosis.data import cancer, diabetes, digits, tokens, wine
from benchmarks.diagnosis.training import (
    Nobody,
    Size,
    Training,
    squares,
    train,
)

healthy = beyond.healthy

# Batches and schedules --------------------------------------------------------------------------


@healthy()
def batches_of_eight(s: Size, cured: bool) -> Training:
    model = mlp(64, 48, 48, 10)
    size = 64 if cured else 8
    return Training(model, pixels(), sgd(model, 0.05), steps=600, batch=size)


@healthy(0.2)
def batches_of_four_patients(s: Size, cured: bool) -> Training:
    model = mlp(10, 16, 1)
    return Training(
        model, diabetes(), sgd(model, 0.01), squares, steps=300, batch=64 if cured else 4
    )


@healthy()
def eight_micro_batches_a_step(s: Size, cured: bool) -> Training:
    model = mlp(64, 48, 10)
    return Training(
        model, pixels(), adam(model, 3e-3), steps=150,
        batch=64 if cured else 8, accumulate=1 if cured else 8,
    )  # fmt: skip


@healthy()
def warm_restarts(s: Size, cured: bool) -> Training:
    model = mlp(64, 48, 48, 10)

    def cosine(step: int) -> float:
        return 0.5 * (1 + math.cos(math.pi * (step % 100) / 100))

    return Training(
        model, pixels(), sgd(model, 0.1, 0.9), steps=400, batch=32,
        schedule=None if cured else cosine,
    )  # fmt: skip


@healthy()
def one_cycle_to_a_high_rate(s: Size, cured: bool) -> Training:
    model = cnn(8, norm=True)

    def cycle(step: int) -> float:
        return step / 50 if step < 50 else max(0.01, 1 - (step - 50) / 100)

    return Training(
        model, digits(600), sgd(model, 0.03 if cured else 0.2, 0.9), steps=150, batch=32,
        schedule=None if cured else cycle,
    )  # fmt: skip


@healthy()
def long_linear_warm_up(s: Size, cured: bool) -> Training:
    model = mlp(30, 32, 32, 2)
    return Training(
        model, cancer(), adam(model, 1e-3), steps=400, batch=16,
        schedule=None if cured else lambda k: min(1.0, k / 200),
    )  # fmt: skip


@healthy()
def steps_down_at_two_milestones(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 10)
    return Training(
        model, pixels(), sgd(model, 0.1, 0.9), steps=500, batch=16,
        schedule=None if cured else lambda k: 0.1 ** ((k > 250) + (k > 400)),
    )  # fmt: skip


@healthy()
def cosine_down_to_zero(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10, act=nn.GELU)
    return Training(
        model, pixels(), adam(model, 2e-3), steps=400, batch=32,
        schedule=None if cured else lambda k: 0.5 * (1 + math.cos(math.pi * k / 400)),
    )  # fmt: skip


@healthy()
def solved_in_the_first_fifth(s: Size, cured: bool) -> Training:
    """The loss lies at zero for most of the time, and with it the gradients."""
    model = mlp(13, 32, 32, 3)
    return Training(model, wine(), adam(model, 3e-3), steps=150 if cured else 700, batch=32)


# Nets -------------------------------------------------------------------------------------------


@healthy()
def residual_net_with_batch_norm(s: Size, cured: bool) -> Training:
    model = cnn(8, norm=True) if cured else resnet(8, 3)
    return Training(model, digits(600), adam(model, 5e-3), steps=130, batch=32)


@healthy()
def last_norm_of_each_block_begins_at_zero(s: Size, cured: bool) -> Training:
    """The blocks begin as the identity: their first layers get no gradient in the first step."""
    model = resnet(8, 2)
    for m in model.modules():
        if not cured and isinstance(m, Skip):
            nn.init.zeros_(m.inner[-1].weight)  # type: ignore[index]
    return Training(model, digits(600), sgd(model, 0.1, 0.9), steps=120, batch=32)


@healthy()
def convolutions_with_a_useless_bias(s: Size, cured: bool) -> Training:
    """Batch norm takes the bias in front of it away: its gradient is zero up to rounding."""
    model = cnn(8, norm=True)
    if cured:
        for m in model.modules():
            if isinstance(m, nn.Conv2d):
                m.bias = None
    return Training(model, digits(600), sgd(model, 0.05, 0.9), steps=130, batch=64)


@healthy()
def pre_norm_transformer_with_warm_up(s: Size, cured: bool) -> Training:
    model = Reader(20, 8, 4, width=32, depth=2 if not cured else 1, pre=True)
    return Training(
        model, tokens(400), adam(model, 3e-3), steps=150, batch=32,
        schedule=None if cured else lambda k: min(1.0, k / 40),
    )  # fmt: skip


@healthy()
def twelve_layers_of_relu(s: Size, cured: bool) -> Training:
    model = he(mlp(64, *[64] * (2 if cured else 11), 10))
    return Training(model, pixels(), adam(model, 5e-4), steps=250, batch=32)


@healthy()
def self_normalising_net(s: Size, cured: bool) -> Training:
    model = mlp(64, *[48] * (2 if cured else 6), 10, act=nn.ReLU if cured else nn.SELU)
    for m in model:
        if isinstance(m, nn.Linear):
            nn.init.normal_(m.weight, 0, (2 if cured else 1) ** 0.5 / m.in_features**0.5)
    return Training(model, pixels(), sgd(model, 0.03, 0.9), steps=300, batch=64)


@healthy()
def two_sigmoid_layers(s: Size, cured: bool) -> Training:
    model = mlp(30, 32, 16, 2, act=nn.ReLU if cured else nn.Sigmoid)
    return Training(model, cancer(), adam(model, 2e-3 if cured else 5e-3), steps=200, batch=32)


@healthy()
def tanh_on_two_moons(s: Size, cured: bool) -> Training:
    model = mlp(2, 24, 24, 2, act=nn.ReLU if cured else nn.Tanh)
    return Training(model, moons(), adam(model, 5e-3), steps=400, batch=32)


@healthy()
def wide_and_sparse(s: Size, cured: bool) -> Training:
    """A bias a little below zero: most units are silent for most samples."""
    model = he(mlp(64, 256, 10))
    if not cured:
        nn.init.constant_(model[0].bias, -0.3)  # type: ignore[arg-type]
    return Training(model, pixels(), adam(model, 1e-3), steps=300, batch=32)


@healthy()
def dropout_of_one_half_twice(s: Size, cured: bool) -> Training:
    """The logged loss lies far above that of the validation set."""
    model = mlp(64, 128, 128, 10, drop=0.0 if cured else 0.5)
    return Training(model, pixels(), adam(model, 1e-3), steps=400, batch=32, epoch=40)


@healthy()
def clipped_lstm_waits_and_falls(s: Size, cured: bool) -> Training:
    model = Recurrent((nn.GRU if cured else nn.LSTM)(2, 32, batch_first=True), 1)
    return Training(
        model, sums(length=8), adam(model, 0.01), squares, steps=300, batch=64,
        before_step=None if cured else clipped(0.25),  # type: ignore[arg-type]
    )  # fmt: skip


@healthy()
def small_output_layer(s: Size, cured: bool) -> Training:
    """The head begins at a hundredth of its usual size, so that the first loss is log C."""
    model = mlp(64, 64, 64, 10)
    if not cured:
        with torch.no_grad():
            model[-1].weight.mul_(0.01)  # type: ignore[operator]
    return Training(model, pixels(), adam(model, 1e-3), steps=300, batch=32)


@healthy()
def residual_branches_behind_a_zero(s: Size, cured: bool) -> Training:
    """ReZero: every branch is multiplied by a number that begins at zero."""

    class Branch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.gate = mlp(32, 32, 32), nn.Parameter(torch.full((1,), float(cured)))

        def forward(self, x: Tensor) -> Tensor:
            return x + self.gate * self.inner(x)

    model = nn.Sequential(nn.Linear(30, 32), *(Branch() for _ in range(4)), nn.Linear(32, 2))
    return Training(model, cancer(), adam(model, 2e-3), steps=250, batch=32)


# Fine-tuning ------------------------------------------------------------------------------------


def _tuned(model: nn.Sequential) -> nn.Sequential:
    """Trained on other pictures of the digits; the head is new."""
    d = digits(600)
    train(Training(model, d, adam(model, 5e-3), steps=120, batch=32), Nobody())
    model[-1].reset_parameters()  # type: ignore[operator]
    return model


@healthy(0.25)
def new_head_on_a_frozen_backbone(s: Size, cured: bool) -> Training:
    model = _tuned(cnn(12))
    if not cured:
        for p in model[:-1].parameters():
            p.requires_grad_(False)
    return Training(model, digits(800), adam(model, 3e-3), steps=150, batch=32)


@healthy(0.25)
def backbone_at_a_thirtieth_of_the_heads_rate(s: Size, cured: bool) -> Training:
    model = _tuned(cnn(12))
    groups = [
        {"params": model[:-1].parameters(), "lr": 3e-3 if cured else 1e-4},
        {"params": model[-1].parameters(), "lr": 3e-3},
    ]
    return Training(model, digits(800), torch.optim.Adam(groups), steps=150, batch=32)
