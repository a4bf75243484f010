"""Sick, to tune by: the weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import networks as n
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.cases import TOO_FAST, Collection
from benchmarks.diagnosis.data import Batch
from benchmarks.diagnosis.training import Size, Training

part = Collection("dev")
STUCK = "loss.flat loss.plateau_early gradient.vanishing"


# Exploding --------------------------------------------------------------------------------------


@part.sick("weight.exploding", TOO_FAST, quick=True)
def decay_with_the_wrong_sign(size: Size, cured: bool) -> Training:
    def decay(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(0.999 if cured else 1.02)

    model = n.stack(size, nn.ReLU, depth=2)
    how = t.optimizer(model, size, sgd=0.05, adam=1e-3)
    return Training(model, d.vectors(), how, after_step=decay, steps=250)


@part.sick("weight.exploding", TOO_FAST)
def penalty_with_the_wrong_sign(size: Size, cured: bool) -> Training:
    """Normalisation hides it from the loss: the hidden weights grow and grow."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        hidden = sum(p.square().sum() for p in model.parameters() if p.ndim == 2 and len(p) > 4)
        return F.cross_entropy(model(batch[0]), batch[1]) - (0 if cured else 0.15) * hidden

    model = n.stack(size, nn.ReLU, nn.LayerNorm, depth=3)
    how = torch.optim.SGD(model.parameters(), 0.05)
    return Training(model, d.vectors(), how, objective=loss, whole=t.cross_entropy, steps=300)


# Collapsing -------------------------------------------------------------------------------------


@part.sick("weight.collapsing", STUCK, "loss.diverging", quick=True)
def decay_far_too_strong(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.ReLU, depth=3)
    if size.variant == 1:
        how: torch.optim.Optimizer = torch.optim.AdamW(
            model.parameters(), 3e-3, weight_decay=0.01 if cured else 30.0
        )
    else:
        how = torch.optim.SGD(model.parameters(), 0.1, weight_decay=1e-4 if cured else 0.3)
    return Training(model, d.vectors(), how, steps=300)


@part.sick("weight.collapsing", STUCK, "loss.diverging")
def penalty_far_too_strong(size: Size, cured: bool) -> Training:
    def loss(model: nn.Module, batch: Batch) -> Tensor:
        size = sum(p.abs().sum() for p in model.parameters())
        return F.cross_entropy(model(batch[0]), batch[1]) + (0 if cured else 0.02) * size

    model = nn.Sequential(nn.Flatten(), n.stack(size, nn.ReLU, depth=2, ins=64, outs=10))
    how = torch.optim.Adam(model.parameters(), 3e-3)
    data = d.digits()
    return Training(model, data, how, objective=loss, whole=t.cross_entropy, steps=300)


# Not updating -----------------------------------------------------------------------------------


@part.sick("weight.not_updating", "loss.flat loss.plateau_early", quick=True)
def body_left_out_of_the_optimizer(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.Tanh, depth=3, gain=2.0)
    held = model.parameters() if cured else model[-1].parameters()
    return Training(model, d.spirals_16(), torch.optim.Adam(held, 5e-3), steps=400)


@part.sick("weight.not_updating", "loss.flat")
def rate_lost_in_bfloat16(size: Size, cured: bool) -> Training:
    """Updates below the resolution of bfloat16 weights are rounded away."""
    model = n.stack(size, nn.ReLU, nn.LayerNorm, depth=2).bfloat16()
    data = d.vectors()
    data = d.Data(data.x.bfloat16(), data.y, data.val_x.bfloat16(), data.val_y)
    how = torch.optim.SGD(model.parameters(), 0.1 if cured else 1e-7)
    return Training(model, data, how, steps=150)


@part.sick("weight.not_updating", "loss.flat loss.plateau_early activation.dead")
def rate_of_the_body_is_zero(size: Size, cured: bool) -> Training:
    model = n.conv_stack(size, nn.ReLU, ins=1, outs=10, depth=3)
    groups: list[dict[str, Any]] = [
        {"params": model[:-1].parameters(), "lr": 3e-3 if cured else 0.0},
        {"params": model[-1].parameters()},
    ]
    return Training(model, d.digits(), torch.optim.Adam(groups, 3e-3), steps=120)


# Too large --------------------------------------------------------------------------------------


@part.sick("weight.update_too_large", TOO_FAST, "loss.flat", quick=True)
def adam_at_one(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.Tanh, depth=2)
    how = torch.optim.Adam(model.parameters(), 1e-3 if cured else 1.0)
    return Training(model, d.bent(), how, steps=150)


@part.sick("weight.update_too_large", TOO_FAST, "loss.flat gradient.vanishing")
def every_step_a_new_network(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.Tanh, depth=3)
    how = torch.optim.SGD(model.parameters(), 0.1 if cured else 50.0, weight_decay=1e-4)
    return Training(model, d.bent(), how, steps=150)
