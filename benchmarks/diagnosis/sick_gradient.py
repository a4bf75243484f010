"""Sick, to tune by: the gradients."""

from __future__ import annotations

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
STUCK = "loss.flat loss.plateau_early weight.not_updating"
"""What may be true where nothing reaches the early layers."""


# Vanishing --------------------------------------------------------------------------------------


@part.sick("gradient.vanishing", STUCK, quick=True)
def deep_sigmoid(size: Size, cured: bool) -> Training:
    kind: type[nn.Module] = nn.ReLU if cured else nn.Sigmoid
    norm = nn.LayerNorm if cured else None
    model = n.stack(size, kind, norm, depth=size.depth + 3)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.1, adam=1e-3), steps=200)


@part.sick("gradient.vanishing", STUCK)
def deep_tanh_too_small(size: Size, cured: bool) -> Training:
    gain = 1.0 if cured else 0.25
    model = n.stack(size, nn.Tanh, depth=size.depth + 4, gain=gain)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.1, adam=1e-4), steps=200)


@part.sick("gradient.vanishing", STUCK)
def deep_relu_too_small(size: Size, cured: bool) -> Training:
    gain = 2**0.5 if cured else 0.35
    model = n.stack(size, nn.ReLU, depth=size.depth + 4, gain=gain)
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.5)
    return Training(model, d.digits_flat(), how, steps=200)


@part.sick("gradient.vanishing", STUCK)
def deep_sigmoid_convolutions(size: Size, cured: bool) -> Training:
    model = n.conv_stack(size, nn.ReLU if cured else nn.Sigmoid, depth=size.depth + 3)
    if cured:
        n.scaled(model, 2**0.5)
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, d.images(), how, steps=100)


# Exploding --------------------------------------------------------------------------------------


@part.sick("gradient.exploding", TOO_FAST, quick=True)
def rate_far_too_high(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.ReLU, depth=1, outs=1)
    how = torch.optim.SGD(model.parameters(), 0.01 if cured else 4.0)
    return Training(model, d.numbers(), how, objective=t.squares, steps=40)


@part.sick("gradient.exploding", TOO_FAST)
def measurements_in_raw_units(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.Tanh, depth=1, outs=1)
    model = model if cured else nn.Sequential(nn.Linear(10, 1))
    if cured:
        model = n.stack(size, nn.Tanh, depth=1, ins=10, outs=1)
    data = d.diabetes(raw=not cured)
    data = data if cured else d.Data(30 * data.x + 9, data.y, 30 * data.val_x + 9, data.val_y)
    how = torch.optim.SGD(model.parameters(), 0.01)
    return Training(model, data, how, objective=t.squares, steps=60)


@part.sick("gradient.exploding", "activation.saturated loss.flat loss.unstable loss.plateau_early")
def deep_tanh_too_large(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.Tanh, depth=size.depth + 12, gain=1.0 if cured else 5.0)
    how = torch.optim.SGD(model.parameters(), 1e-2 if cured else 1e-4)
    return Training(model, d.vectors(), how, steps=150)


# Not finite -------------------------------------------------------------------------------------


class Spread(nn.Module):
    """Adds the root of a spread that is zero; its derivative is infinite there."""

    def __init__(self, width: int, cured: bool) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(16, width), nn.Linear(width, 4)
        self.floor = 1e-6 if cured else 0.0

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.a(x))
        return self.b(h + torch.sqrt((h - h.detach()).square().sum(1, keepdim=True) + self.floor))


@part.sick("gradient.nonfinite", "loss.nonfinite", quick=True)
def root_of_zero(size: Size, cured: bool) -> Training:
    model = Spread(size.width, cured)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.1, adam=1e-3), steps=40)


@part.sick("gradient.nonfinite", "loss.nonfinite")
def where_does_not_protect(size: Size, cured: bool) -> Training:
    """where(h > 0, log h, 0): the branch not taken has a derivative of 0 * infinity."""

    class Logs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(16, size.width), nn.Linear(size.width, 4)
            self.scale = nn.Parameter(torch.ones(size.width))

        def forward(self, x: Tensor) -> Tensor:
            h = self.scale * F.relu(self.a(x))
            if cured:
                return self.b(torch.log1p(h.relu()))
            return self.b(torch.where(h > 0, torch.log(h), h))

    model = Logs()
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.1, adam=1e-3), steps=60)


@part.sick("gradient.nonfinite", "loss.nonfinite gradient.exploding loss.unstable")
def scaled_by_hand(size: Size, cured: bool) -> Training:
    """A loss scale as for half precision that grows and is never undone: the gradient overflows."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        factor = 1.0 if cured else 2.0**126
        return factor * 100 * F.cross_entropy(model(batch[0]), batch[1]) / 100

    def undo(model: nn.Module, step: int) -> None:
        if not cured and step < 50:
            for parameter in model.parameters():
                assert parameter.grad is not None
                parameter.grad *= 2.0**-126
        elif not cured:
            for parameter in model.parameters():
                assert parameter.grad is not None
                parameter.grad *= 16.0

    model = n.stack(size, nn.ReLU, depth=2)
    how = torch.optim.SGD(model.parameters(), 0.1)
    return Training(
        model, d.vectors(), how, objective=loss, before_step=undo, whole=t.cross_entropy, steps=80
    )


# None -------------------------------------------------------------------------------------------


class TwoHeads(nn.Module):
    def __init__(self, width: int, cured: bool, *, detach: bool) -> None:
        super().__init__()
        self.body = nn.Linear(16, width)
        self.head = nn.Linear(width, 4)
        self.other = nn.Linear(width, 4)
        self.cured, self.detach = cured, detach

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.body(x))
        if self.cured:
            return self.head(h) + self.other(h)
        return self.head(h.detach()) + self.other(h.detach()) if self.detach else self.head(h)


@part.sick("gradient.none", quick=True)
def unused_head(size: Size, cured: bool) -> Training:
    model = TwoHeads(size.width, cured, detach=False)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.1, adam=1e-3), steps=60)


@part.sick("gradient.none", "loss.plateau_early")
def detached_body(size: Size, cured: bool) -> Training:
    model = TwoHeads(size.width, cured, detach=True)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.1, adam=1e-3), steps=60)


@part.sick("gradient.none", "loss.flat weight.not_updating")
def zero_grad_in_the_wrong_place(size: Size, cured: bool) -> Training:
    def forget(model: nn.Module, step: int) -> None:
        if not cured:
            model.zero_grad()

    model = n.stack(size, depth=3)
    how = torch.optim.SGD(model.parameters(), 0.1)
    return Training(model, d.vectors(), how, before_step=forget, steps=60)
