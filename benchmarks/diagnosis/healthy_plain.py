"""Healthy, to tune by: common trainings that look frightening."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import networks as n
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.cases import Collection
from benchmarks.diagnosis.data import Batch
from benchmarks.diagnosis.proofs import learns
from benchmarks.diagnosis.training import Size, Training

part = Collection("dev")


@part.healthy(quick=True)
def plain_relu(size: Size) -> Training:
    model = n.stack(size, depth=3, gain=2**0.5)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.1, adam=1e-3), steps=200)


@part.healthy()
def deep_relu_kaiming(size: Size) -> Training:
    model = n.stack(size, gain=2**0.5)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.05, adam=1e-3), steps=200)


@part.healthy()
def deep_relu_batch_norm(size: Size) -> Training:
    model = n.stack(size, nn.ReLU, nn.BatchNorm1d)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.05, adam=1e-3), steps=200)


@part.healthy()
def two_sigmoids(size: Size) -> Training:
    model = n.stack(size, nn.Sigmoid, depth=2)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=1.5, adam=0.01), steps=300)


@part.healthy()
def deep_tanh_xavier(size: Size) -> Training:
    model = n.stack(size, nn.Tanh, gain=1.0)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.05, adam=1e-3), steps=200)


@part.healthy(quick=True)
def residual(size: Size) -> Training:
    model = n.Residual(size)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.05, adam=1e-3), steps=200)


@part.healthy(quick=True)
def residual_from_zero(size: Size) -> Training:
    model = n.Residual(size, zero=True)
    return Training(model, d.bent(), t.optimizer(model, size, sgd=0.05, adam=1e-3), steps=250)


@part.healthy()
def residual_without_norm_from_zero(size: Size) -> Training:
    model = n.Residual(size, zero=True, norm=False)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.02, adam=1e-3), steps=200)


@part.healthy()
def convolutional_resnet(size: Size) -> Training:
    model = n.resnet(size)
    return Training(model, d.images(), t.optimizer(model, size, sgd=0.1, adam=3e-3), steps=80)


@part.healthy()
def resnet_with_zero_gamma(size: Size) -> Training:
    model = n.resnet(size)
    for module in model.modules():
        if isinstance(module, n.ConvBlock):
            nn.init.zeros_(module.bn2.weight)  # type: ignore[arg-type]
    return Training(model, d.images(), t.optimizer(model, size, sgd=0.3, adam=3e-3), steps=120)


@part.healthy(quick=True)
def pre_norm_transformer_warm_up(size: Size) -> Training:
    model = n.Transformer(size)
    how = torch.optim.AdamW(model.parameters(), 3e-3)
    return Training(model, d.tokens(), how, steps=120, schedule=lambda step: min(1.0, step / 40))


@part.healthy()
def post_norm_transformer(size: Size) -> Training:
    model = n.Transformer(size, pre_norm=False)
    how = torch.optim.AdamW(model.parameters(), 1e-3)
    return Training(model, d.tokens(), how, steps=150, schedule=lambda step: min(1.0, step / 20))


@part.healthy(quick=True)
def frozen_backbone(size: Size) -> Training:
    model = n.Residual(size)
    model.stem.requires_grad_(False)
    model.blocks.requires_grad_(False)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.1, adam=5e-3), steps=200)


@part.healthy(quick=True)
def low_rank_adaptation(size: Size) -> Training:
    model = n.stack(size, depth=4, gain=2**0.5)
    for i, module in enumerate(model):
        if isinstance(module, nn.Linear):
            model[i] = n.LowRank(module)
    how = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-2)
    return Training(model, d.vectors(), how, steps=150)


@part.healthy()
def fine_tuning_with_a_new_head(size: Size) -> Training:
    """A body that knows its task, slow, and a fresh head of tiny weights, fast."""
    data = d.vectors()
    model = n.stack(size, nn.ReLU, nn.LayerNorm, depth=3)
    earlier = Training(model, data, torch.optim.Adam(model.parameters(), 3e-3), steps=250)
    t.train(earlier, t.Nobody())
    model[-1] = nn.Linear(size.width, 4)
    nn.init.normal_(model[-1].weight, std=1e-3)  # type: ignore[arg-type]
    groups: list[dict[str, Any]] = [
        {"params": model[:-1].parameters(), "lr": 1e-5},
        {"params": model[-1].parameters()},
    ]
    return Training(model, data, torch.optim.AdamW(groups, 1e-2), steps=150)


@part.healthy(learns(0.85))
def batches_of_two_with_noise(size: Size) -> Training:
    model = n.stack(size, depth=3)
    how = t.optimizer(model, size, sgd=0.08, adam=2e-3)
    return Training(model, d.vectors(noise=0.15), how, steps=600, batch=2)


@part.healthy(learns(0.85))
def labels_with_noise(size: Size) -> Training:
    """A third of the labels is drawn anew: the loss stops near 0.8 and can do no better."""
    model = n.stack(size, depth=2)
    how = t.optimizer(model, size, sgd=0.1, adam=2e-3)
    return Training(model, d.vectors(4096, noise=0.33), how, steps=500)


@part.healthy(learns(0.8))
def label_smoothing(size: Size) -> Training:
    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1], label_smoothing=0.1)

    model = n.stack(size, depth=3)
    how = t.optimizer(model, size, sgd=0.1, adam=2e-3)
    return Training(model, d.vectors(), how, objective=loss, steps=250)


@part.healthy(quick=True)
def sparse_relu(size: Size) -> Training:
    """Biases below zero: four of five activations are zero, and no unit is dead."""
    model = n.stack(Size(4 * size.width), depth=2, gain=2**0.5)
    for module in model[:-1]:
        if isinstance(module, nn.Linear):
            nn.init.constant_(module.bias, -1.0)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.1, adam=1e-3), steps=200)


@part.healthy()
def gradient_accumulation(size: Size) -> Training:
    model = n.stack(size, depth=3)
    how = t.optimizer(model, size, sgd=0.4, adam=2e-3)
    return Training(model, d.vectors(), how, batch=8, accumulate=4, steps=150)


@part.healthy()
def cosine_restarts(size: Size) -> Training:
    """The rate jumps back every 80 steps, and the loss a little with it."""
    model = n.stack(size, nn.ReLU, nn.LayerNorm, depth=3)
    how = t.optimizer(model, size, sgd=0.3, adam=5e-3)
    return Training(
        model, d.vectors(), how, steps=320,
        schedule=lambda step: 0.01 + 0.99 * (1 + math.cos(math.pi * (step % 80) / 80)) / 2,
    )  # fmt: skip


@part.healthy(learns(level=0.05), quick=True)
def learned_by_heart_on_purpose(size: Size) -> Training:
    """One batch again and again, the first test of any new network; near zero for long."""
    model = n.stack(Size(2 * size.width), depth=3)
    return Training(model, d.vectors(32), torch.optim.Adam(model.parameters(), 3e-3), steps=400)


@part.healthy(learns(0.2))
def regression_in_large_units(size: Size) -> Training:
    """Prices in the tens of thousands: losses of 1e8, gradients of 1e4, and all is well."""
    model = n.stack(size, depth=2, outs=1)
    data = d.numbers(scale=3e4)
    with torch.no_grad():
        model[-1].weight *= 3e4  # type: ignore[assignment, operator]
    scale = 1e-2 / 9e8 * 100 / size.width
    groups: list[dict[str, Any]] = [
        {"params": model[:-1].parameters(), "lr": scale},
        {"params": model[-1].parameters(), "lr": 0.1},
    ]
    return Training(model, data, torch.optim.SGD(groups), objective=t.squares, steps=300)


@part.healthy(learns(0.1))
def starts_far_away(size: Size) -> Training:
    """The mean of the targets is 30 and the head begins at zero."""
    model = n.stack(size, nn.GELU, depth=2, outs=1)
    how = torch.optim.Adam(model.parameters(), 1e-2)
    data = d.numbers(shift=30.0)
    return Training(model, data, how, objective=t.squares, steps=500)


@part.healthy(learns(0.5))
def dropout_one_half(size: Size) -> Training:
    """The training loss lies above the validation loss all the way."""
    wide = Size(4 * size.width)
    model = n.stack(wide, depth=2, ins=64, outs=10)
    model = nn.Sequential(nn.Flatten(), model[0], model[1], nn.Dropout(0.5), *model[2:4],
                          nn.Dropout(0.5), model[4])  # fmt: skip
    how = t.optimizer(model, size, sgd=0.3, adam=2e-3)
    return Training(model, d.digits(), how, steps=259, epoch=37)


@part.healthy(learns(0.6))
def clipped_at_most_steps(size: Size) -> Training:
    def clip(model: nn.Module, step: int) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)

    model = n.Residual(size)
    how = torch.optim.SGD(model.parameters(), 0.5)
    return Training(model, d.vectors(), how, before_step=clip, steps=200)


@part.healthy()
def one_odd_batch(size: Size) -> Training:
    """A single mislabelled batch of large inputs: one spike, and it recovers."""

    def odd(batch: Batch, step: int) -> Batch:
        return (2.5 * batch[0], (batch[1] + 1) % 4) if step == 150 else batch

    model = n.stack(size, depth=2)
    how = t.optimizer(model, size, sgd=0.05, adam=1e-3)
    return Training(model, d.vectors(), how, corrupt=odd, steps=300)
