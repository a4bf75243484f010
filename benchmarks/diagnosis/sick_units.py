"""Sick, to tune by: the activations."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import networks as n
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.cases import Collection
from benchmarks.diagnosis.training import Size, Training

part = Collection("dev")
STUCK = "loss.flat loss.plateau_early gradient.vanishing weight.not_updating"


# Dead -------------------------------------------------------------------------------------------


@part.sick("activation.dead", STUCK, quick=True)
def biases_far_below_zero(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.ReLU, depth=3)
    if not cured:
        nn.init.constant_(model[2].bias, -4.0)  # type: ignore[arg-type]
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.1, adam=1e-3), steps=150)


@part.sick("activation.dead", STUCK, "loss.unstable weight.update_too_large")
def killed_by_the_first_steps(size: Size, cured: bool) -> Training:
    """No warm-up: three steps of a hundredfold rate, then a good one."""

    def start(step: int) -> float:
        return 1.0 if cured or step > 3 else 200.0

    model = n.stack(size, nn.ReLU, depth=3)
    how = torch.optim.SGD(model.parameters(), 0.05)
    return Training(model, d.vectors(scale=2.0), how, schedule=start, steps=200)


@part.sick("activation.dead", STUCK)
def weights_of_one_sign(size: Size, cured: bool) -> Training:
    """Inputs in [0, 1] and most weights of the first layer negative."""
    model = n.stack(size, nn.ReLU, depth=2, ins=64, outs=10)
    if not cured:
        with torch.no_grad():
            weight = model[0].weight
            weight.copy_(-weight.abs())  # type: ignore[operator]
            weight[: size.width // 4] *= -1  # type: ignore[index, operator]
    flat = nn.Sequential(nn.Flatten(), model)
    return Training(flat, d.digits(), t.optimizer(flat, size, sgd=0.1, adam=1e-3), steps=250)


# Saturated --------------------------------------------------------------------------------------


@part.sick("activation.saturated", STUCK, "gradient.exploding loss.unstable", quick=True)
def tanh_of_large_weights(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.Tanh, depth=4, gain=1.0 if cured else 12.0)
    how = torch.optim.Adam(model.parameters(), 1e-3)
    return Training(model, d.bent(), how, steps=250)


@part.sick("activation.saturated", STUCK)
def sigmoid_of_raw_measurements(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.Sigmoid, depth=1, ins=13, outs=3)
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, d.wine(raw=not cured), how, steps=250, batch=16)


@part.sick("activation.saturated", STUCK)
def sigmoid_output_at_its_end(size: Size, cured: bool) -> Training:
    """Targets in [0, 1], but the head starts with a bias of -12: squares give it no gradient."""

    def loss(model: nn.Module, batch: d.Batch) -> torch.Tensor:
        return nn.functional.mse_loss(model(batch[0]), batch[1].float()[:, None] / 3)

    model = n.stack(size, nn.ReLU, depth=2, outs=1)
    if not cured:
        nn.init.constant_(model[-1].bias, -12.0)  # type: ignore[arg-type]
    model.append(nn.Sigmoid())
    how = torch.optim.SGD(model.parameters(), 0.1)
    return Training(model, d.vectors(), how, objective=loss, steps=200)
