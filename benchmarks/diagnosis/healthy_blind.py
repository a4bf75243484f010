"""Everyday notebooks that train well, though something in each of them may frighten."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.collection_beyond import cnn, few, resnet
from benchmarks.diagnosis.collection_last import Bag, grainy, topics
from benchmarks.diagnosis.collection_outside import (
    Reader,
    Recurrent,
    adam,
    clipped,
    clusters,
    flowers,
    mlp,
    pixels,
)
from benchmarks.diagnosis.collection_outside import sgd as descent
from benchmarks.diagnosis.collection_wider import chances, houses, opinions, rentals
from benchmarks.diagnosis.data import Batch, cancer, diabetes, digits
from benchmarks.diagnosis.sick_blind import blind, reader, series, wine_rebuilt
from benchmarks.diagnosis.training import Nobody, Size, Training, rebuild, squares, train

healthy = blind.healthy


@healthy()
def tabular_net_with_norm_and_dropout(s: Size, cured: bool) -> Training:
    model = mlp(20, 64, 64, 5) if cured else mlp(20, 64, 64, 5, norm=nn.BatchNorm1d, drop=0.3)
    return Training(model, clusters(), adam(model, 2e-3), steps=400, batch=32)


@healthy(0.2)
def tabular_net_in_batches_of_six(s: Size, cured: bool) -> Training:
    model = mlp(20, 48, 5)
    size = 64 if cured else 6
    return Training(model, clusters(flip=0.1), adam(model, 1e-3), steps=500, batch=size)


@healthy()
def forecast_by_a_gru_under_clipping(s: Size, cured: bool) -> Training:
    model = Recurrent(nn.GRU(1, 24, batch_first=True), 1)
    return Training(
        model, series(flat=False), adam(model, 5e-3), squares, steps=300,
        before_step=None if cured else clipped(0.5),  # type: ignore[arg-type]
    )  # fmt: skip


@healthy()
def forecast_of_a_very_noisy_load(s: Size, cured: bool) -> Training:
    """Most of what is left is noise, and the loss levels out at it."""
    model = mlp(16, 32, 1)
    rate = 2e-3 if cured else 1e-3
    return Training(model, series(noise=0.6), adam(model, rate), squares, steps=400, batch=32)


@healthy()
def text_net_with_sgd_and_nesterov(s: Size, cured: bool) -> Training:
    model = reader()
    fast = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True)
    return Training(
        model, topics(pure=0.7), adam(model, 5e-3) if cured else fast, steps=350
    )  # fmt: skip


@healthy()
def bag_of_topics_by_adagrad(s: Size, cured: bool) -> Training:
    model = Bag(60, 24, 4)
    slow = torch.optim.Adagrad(model.parameters(), 0.05)
    return Training(model, topics(), adam(model, 5e-3) if cured else slow, steps=350)


@healthy()
def small_transformer_told_topics_by_cosine(s: Size, cured: bool) -> Training:
    model = Reader(60, 12, 4, width=24, depth=1, pre=True)

    def rate(step: int) -> float:
        return min(1.0, step / 30) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / 220)))

    return Training(
        model, topics(), adam(model, 3e-3), steps=220, schedule=None if cured else rate
    )  # fmt: skip


@healthy(0.2)
def digits_under_smoothing_and_decay(s: Size, cured: bool) -> Training:
    model = cnn(8)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=0.05)

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(net(batch[0]), batch[1], label_smoothing=0.1)

    optimizer = adam(model, 3e-3) if cured else optimizer  # type: ignore[assignment]
    return Training(model, digits(600), optimizer, loss, steps=300)


@healthy()
def residual_digits_by_one_cycle(s: Size, cured: bool) -> Training:
    model = resnet(8, 2)

    def cycle(step: int) -> float:
        return step / 60 if step < 60 else max(0.01, 1 - (step - 60) / 140)

    return Training(
        model, digits(600), descent(model, 0.02 if cured else 0.08, 0.9), steps=200,
        schedule=None if cured else cycle,
    )  # fmt: skip


@healthy()
def denoiser_with_a_narrow_waist(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 24, 64, 64, act=nn.GELU if cured else nn.ELU)
    data = grainy()
    data.x, data.y = data.x.flatten(1), data.y.flatten(1)
    data.val_x, data.val_y = data.val_x.flatten(1), data.val_y.flatten(1)
    return Training(model, data, adam(model, 2e-3), squares, steps=400)


@healthy()
def autoencoder_of_wines_with_a_code_of_four(s: Size, cured: bool) -> Training:
    model = mlp(13, 24, 4, 24, 13, act=nn.Tanh)
    size = 60 if cured else 12
    return Training(model, wine_rebuilt(), adam(model, 5e-3), rebuild, steps=500, batch=size)


@healthy()
def prices_around_zero_with_a_huber_loss(s: Size, cured: bool) -> Training:
    model = mlp(5, 32, 32, 1, act=nn.SiLU)

    def huber(net: nn.Module, batch: Batch) -> Tensor:
        return F.huber_loss(net(batch[0]), batch[1], delta=0.5)

    rate = 0.01 if cured else 0.05
    return Training(model, houses(), descent(model, rate, 0.9), huber, steps=300, batch=16)


@healthy()
def bicycles_counted_in_small_batches(s: Size, cured: bool) -> Training:
    model = mlp(6, 32, 1, act=nn.Tanh)

    def poisson(net: nn.Module, batch: Batch) -> Tensor:
        return F.poisson_nll_loss(net(batch[0]), batch[1])

    size = 64 if cured else 12
    return Training(model, rentals(busy=1.5), adam(model, 5e-3), poisson, steps=500, batch=size)


@healthy(0.25)
def nuclei_with_a_moving_rate_and_epochs(s: Size, cured: bool) -> Training:
    model = mlp(30, 16, 2, drop=0.0 if cured else 0.4)
    return Training(
        model, cancer(), adam(model, 1e-3), steps=250, batch=40, epoch=10,
        schedule=None if cured else lambda step: 0.5 ** (step // 100),
    )  # fmt: skip


@healthy(0.25)
def chances_of_a_rare_event(s: Size, cured: bool) -> Training:
    """One in six is positive, and the best forecast is still unsure."""
    model = mlp(8, 24, 1)

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        return F.binary_cross_entropy_with_logits(net(batch[0]), batch[1])

    size = 100 if cured else 20
    return Training(
        model, chances(sharp=3.0, bias=-3.0), adam(model, 3e-3), loss, steps=300, batch=size
    )


@healthy(0.25)
def frozen_stem_and_a_head_for_new_digits(s: Size, cured: bool) -> Training:
    """The convolutions were trained before and are frozen; the last layer is new."""
    model = cnn(8)
    train(Training(model, digits(600), adam(model, 3e-3), steps=150), Nobody())
    model[-1] = nn.Linear(64, 10)
    for p in model[:-1].parameters():
        p.requires_grad_(cured)
    return Training(model, digits(600), adam(model, 3e-3), steps=200)


@healthy()
def opinions_in_four_micro_batches(s: Size, cured: bool) -> Training:
    model = Bag(60, 24, 2)
    size, parts = (32, 1) if cured else (8, 4)
    return Training(
        model, opinions(), adam(model, 5e-3), steps=300, batch=size, accumulate=parts
    )  # fmt: skip


@healthy()
def iris_in_a_hundred_and_twenty_steps(s: Size, cured: bool) -> Training:
    model = mlp(4, 16, 3, act=nn.Tanh)
    size = 50 if cured else 10
    return Training(model, flowers(), descent(model, 0.1), steps=120, batch=size)


@healthy(0.25)
def some_digits_with_one_label_in_seven_wrong(s: Size, cured: bool) -> Training:
    model = mlp(64, 32, 10)
    size = 64 if cured else 16
    return Training(model, few(pixels(), 900, 0.15), descent(model, 0.1), steps=400, batch=size)


@healthy()
def wide_pixel_net_of_sparse_units(s: Size, cured: bool) -> Training:
    """Two hundred rectifiers, each silent for most pictures."""
    model = mlp(64, 200, 10)
    if not cured:
        nn.init.constant_(model[0].bias, -0.1)  # type: ignore[arg-type]
    return Training(model, pixels(), descent(model, 0.1, 0.9), steps=300)


@healthy(0.3)
def progression_of_diabetes_with_strong_decay(s: Size, cured: bool) -> Training:
    model = mlp(10, 24, 1)
    decay = 0.0 if cured else 0.01
    return Training(model, diabetes(), descent(model, 0.01, 0.9, decay), squares, steps=200)
