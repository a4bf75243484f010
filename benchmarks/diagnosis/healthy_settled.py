"""Healthy, to tune by: long after convergence, and what only looks like the gradient's fault."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import networks as n
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.cases import Collection
from benchmarks.diagnosis.proofs import learns
from benchmarks.diagnosis.training import Size, Training

part = Collection("dev")


@part.healthy(learns(0.2))
def converged_regression(size: Size) -> Training:
    """Linear: done after 60 of 400 steps, and the noise of the batches remains."""
    model = nn.Linear(16, 1)
    how = t.optimizer(model, size, sgd=0.1, adam=0.02)
    return Training(model, d.numbers(), how, objective=t.squares, steps=400)


@part.healthy(learns(0.2))
def converged_deep_linear(size: Size) -> Training:
    layers = [nn.Linear(16, 16, bias=False) for _ in range(size.depth)]
    for layer in layers:
        nn.init.orthogonal_(layer.weight)
    model = nn.Sequential(*layers, nn.Linear(16, 1))
    how = torch.optim.SGD(model.parameters(), 0.02)
    return Training(model, d.numbers(), how, objective=t.squares, steps=400)


@part.healthy()
def deep_gelu_default(size: Size) -> Training:
    model = n.stack(size, nn.GELU, depth=5)
    return Training(model, d.vectors(), torch.optim.Adam(model.parameters(), 2e-3), steps=250)


@part.healthy(learns(0.8))
def narrow_autoencoder(size: Size) -> Training:
    """Sixteen numbers through eight: half of the variance has to stay behind."""
    layers: list[nn.Module] = []
    for a, b in pairwise([16, size.width, 8, size.width, 16]):
        layers += [nn.Linear(a, b), nn.LeakyReLU()]
    model = nn.Sequential(*layers[:-1])
    how = torch.optim.Adam(model.parameters(), 4e-3)
    return Training(model, d.vectors(), how, objective=t.rebuild, steps=250)


@part.healthy(learns(level=0.5))
def warm_restart(size: Size) -> Training:
    """Goes on from a checkpoint with ten times the rate, after a short warm-up."""
    data, model = d.vectors(), n.stack(size, nn.ReLU, nn.LayerNorm, depth=3)
    first = Training(model, data, torch.optim.Adam(model.parameters(), 1e-3), steps=120)
    t.train(first, t.Nobody())
    how = torch.optim.Adam(model.parameters(), 1e-2)
    return Training(model, data, how, schedule=lambda step: min(1.0, step / 10), steps=150)


@part.healthy()
def mild_oscillation(size: Size) -> Training:
    model = n.stack(size, nn.GELU, depth=3)
    how = torch.optim.SGD(model.parameters(), 0.15, momentum=0.8)
    return Training(model, d.vectors(), how, steps=250)
