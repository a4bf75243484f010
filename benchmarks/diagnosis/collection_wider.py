"""The split "wider": what beginners bring to forums, and what they only take for a fault."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.collection_fresh import Fresh
from benchmarks.diagnosis.data import Batch, Data, split

wider = Fresh("wider")

# Data -------------------------------------------------------------------------------------------


def signals(n: int = 400, noise: float = 0.3, length: int = 32) -> Data:
    """(1, length): a sine, a square wave or a saw tooth with a phase and a period of its own."""
    y = torch.randint(0, 3, (n + 200,))
    period = 8 + 8 * torch.rand(len(y), 1)
    turn = torch.arange(length) / period + torch.rand(len(y), 1)
    wave = torch.sin(2 * math.pi * turn)
    shapes = torch.stack([wave, wave.sign(), 2 * (turn % 1) - 1], 1)
    x = shapes[torch.arange(len(y)), y] + noise * torch.randn(len(y), length)
    return split(x[:, None], y, n)


def checkerboard(n: int = 800, fields: int = 2) -> Data:
    """Two classes on a board of fields x fields: no line parts them."""
    x = torch.rand(n + 400, 2)
    y = (fields * x).long().sum(1) % 2
    return split(2 * x - 1, y, n)


HOUSE = ((110.0, 40.0), (4.0, 1.5), (1975.0, 25.0), (6000.0, 3000.0), (2.0, 0.8))


def houses(n: int = 600, *, raw: bool = False, prices: bool = False) -> Data:
    """Area, rooms, year, metres to the centre, bathrooms; `prices` in thousands, some 300."""
    z = torch.randn(n + 300, 5)
    y = 0.8 * z[:, :1] + 0.2 * z[:, 1:2] + 0.3 * z[:, 2:3].tanh() - 0.4 * z[:, 3:4]
    y = y + 0.1 * torch.randn_like(y)
    mean, std = torch.tensor(HOUSE).T
    return split(mean + std * z if raw else z, 300 + 80 * y if prices else y, n)


def rentals(n: int = 700, busy: float = 2.0) -> Data:
    """Six numbers of an hour; how many bicycles were lent in it: some exp(busy), often none."""
    x = torch.randn(n + 300, 6)
    rate = (busy + 0.8 * x[:, :1] - 0.6 * x[:, 1:2] + 0.4 * torch.sin(2 * x[:, 2:3])).exp()
    return split(x, torch.poisson(rate.clamp_max(500)), n)


def opinions(n: int = 600, words: int = 60, length: int = 10) -> Data:
    """Sentences of numbered words, some kind and some not: kinder than most?"""
    worth = torch.randn(words)
    x = torch.randint(1, words, (n + 300, length))
    kind = worth[x].sum(1)
    return split(x, (kind > kind[:n].median()).long(), n)


def chances(n: int = 1000, sharp: float = 1.5, bias: float = 0.0) -> Data:
    """Outcomes drawn with a probability that eight numbers tell: much of it stays chance."""
    x = torch.randn(n + 500, 8)
    odds = sharp * (x @ F.normalize(torch.randn(8, 1), dim=0)) + bias
    return split(x, torch.bernoulli(odds.sigmoid()), n)


def directions(n: int = 600) -> Data:
    """Six numbers; a direction in space that depends on them."""
    x = torch.randn(n + 300, 6)
    y = torch.tanh(x @ torch.randn(6, 12)) @ torch.randn(12, 3)
    return split(x, F.normalize(y, dim=1), n)


# Nets -------------------------------------------------------------------------------------------


def waves_net(
    width: int = 12, act: type[nn.Module] = nn.ReLU, *, norm: type[nn.Module] | None = None
) -> nn.Sequential:
    """Three strided convolutions over a signal of 32, and a linear head: three classes."""
    layers: list[nn.Module] = []
    for i in range(3):
        layers.append(nn.Conv1d(width if i else 1, width, 5, stride=2, padding=2))
        layers += [norm(width), act()] if norm else [act()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * width, 3))


class Mean(nn.Module):
    """The mean over a sequence, (N, L, D) -> (N, D)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1)


def words_net(*widths: int, words: int = 60, act: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Embedding, the mean over the sentence, a small net."""
    layers: list[nn.Module] = [nn.Embedding(words, widths[0]), Mean()]
    for i, (n, m) in enumerate(itertools.pairwise(widths)):
        layers += [nn.Linear(n, m)] if i == len(widths) - 2 else [nn.Linear(n, m), act()]
    return nn.Sequential(*layers)


def smaller_head(model: nn.Module, factor: float = 0.1) -> nn.Module:
    """The last layer begins smaller, so that the first loss is that of knowing nothing."""
    with torch.no_grad():
        for p in [*model.children()][-1].parameters():
            p.mul_(factor)
    return model


# Losses -----------------------------------------------------------------------------------------


def logits(model: nn.Module, batch: Batch) -> Tensor:
    """Binary cross-entropy of (N, 1) logits and integer labels (N,) or floats (N, 1)."""
    out = model(batch[0])
    return F.binary_cross_entropy_with_logits(out, batch[1].float().reshape(out.shape))


def poisson(model: nn.Module, batch: Batch) -> Tensor:
    return F.poisson_nll_loss(model(batch[0]), batch[1], log_input=True)
