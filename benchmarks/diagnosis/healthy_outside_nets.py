"""Sound architectures with odd gradients, of the split "outside"; each beside a plain twin."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.collection_outside import (
    Block,
    Reader,
    Recurrent,
    Skip,
    adam,
    clipped,
    clusters,
    friedman,
    he,
    linears,
    mlp,
    moons,
    outside,
    pixels,
    sgd,
    spelled,
    sums,
)
from benchmarks.diagnosis.data import Data, cancer, digits, split, text, tokens, waves, wine
from benchmarks.diagnosis.training import Nobody, Size, Training, squares, train

# Deep, with skips -------------------------------------------------------------------------------


@outside.healthy()
def twenty_blocks_with_skips(size: Size, cured: bool) -> Training:
    body = [Skip(nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 32), nn.ReLU())) for _ in range(20)]
    deep = nn.Sequential(nn.Linear(20, 32), *body, nn.LayerNorm(32), nn.Linear(32, 5))
    model = mlp(20, 64, 64, 5) if cured else deep
    return Training(model, clusters(), adam(model, 1e-3), steps=200)


@outside.healthy()
def residual_branches_that_start_at_zero(size: Size, cured: bool) -> Training:
    """Zero-initialised last layers: at first their inner weights get no gradient at all."""
    body = [Skip(mlp(48, 48, 48)) for _ in range(6)]
    for block in body:
        nn.init.zeros_(linears(block)[-1].weight)
        nn.init.zeros_(linears(block)[-1].bias)
    deep = nn.Sequential(nn.Linear(64, 48), *body, nn.Linear(48, 10))
    model = mlp(64, 64, 10) if cured else deep
    return Training(model, pixels(), adam(model, 2e-3), steps=300)


class Scaled(nn.Module):
    """x + alpha * f(x), alpha learned from zero on (ReZero)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.alpha = inner, nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.alpha * self.inner(x)


@outside.healthy()
def sixteen_blocks_behind_a_gate_at_zero(size: Size, cured: bool) -> Training:
    body = [Scaled(nn.Sequential(nn.Linear(32, 32), nn.ReLU())) for _ in range(16)]
    deep = nn.Sequential(nn.Linear(10, 32), *body, nn.Linear(32, 1))
    model = mlp(10, 64, 64, 1) if cured else deep
    return Training(model, friedman(), adam(model, 3e-3), squares, steps=300)


class Dense(nn.Module):
    """Every layer reads all before it."""

    def __init__(self, inputs: int, grow: int, depth: int, out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(inputs + i * grow, grow) for i in range(depth))
        self.act, self.head = nn.ReLU(), nn.Linear(inputs + depth * grow, out)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, self.act(layer(x))], 1)
        return self.head(x)


@outside.healthy()
def densely_connected_net(size: Size, cured: bool) -> Training:
    model = mlp(30, 48, 2) if cured else Dense(30, 12, 8, 2)
    return Training(model, cancer(), sgd(model, 0.05, 0.9, 1e-4), steps=200)


class Highway(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body, self.gate, self.open = nn.Linear(width, width), nn.Linear(width, width), None
        nn.init.constant_(self.gate.bias, -2.0)

    def forward(self, x: Tensor) -> Tensor:
        t = torch.sigmoid(self.gate(x))
        return t * torch.tanh(self.body(x)) + (1 - t) * x


@outside.healthy()
def highway_with_gates_nearly_closed(size: Size, cured: bool) -> Training:
    deep = nn.Sequential(nn.Linear(64, 32), *(Highway(32) for _ in range(10)), nn.Linear(32, 10))
    model = mlp(64, 64, 10) if cured else deep
    return Training(model, pixels(), adam(model, 3e-3), steps=250)


class Depth(nn.Module):
    """Stochastic depth: in training a block is left out half of the time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = mlp(width, width, width)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x + 0.7 * self.inner(x)
        keep = (torch.rand(len(x), 1) < 0.7).float()
        return x + keep * self.inner(x)


@outside.healthy()
def blocks_dropped_at_random(size: Size, cured: bool) -> Training:
    deep = nn.Sequential(nn.Linear(20, 48), *(Depth(48) for _ in range(5)), nn.Linear(48, 5))
    model = mlp(20, 48, 48, 5) if cured else deep
    return Training(model, clusters(), adam(model, 1e-3), steps=400)


# Convolutions and norms -------------------------------------------------------------------------


def _convolutions(norm: bool) -> nn.Module:
    layers: list[nn.Module] = []
    for n, m, stride in ((1, 8, 1), (8, 16, 2), (16, 16, 1), (16, 24, 2)):
        layers.append(nn.Conv2d(n, m, 3, stride, 1))
        layers += [nn.BatchNorm2d(m), nn.ReLU()] if norm else [nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 10))


@outside.healthy(0.25)
def convolutions_under_batch_norm(size: Size, cured: bool) -> Training:
    model = _convolutions(norm=True)
    optimizer = adam(model, 3e-3) if cured else sgd(model, 0.3, 0.9, 5e-4)
    return Training(model, digits(400), optimizer, steps=80)


@outside.healthy(moves=1e-4)
def deep_plain_net_held_by_batch_norm(size: Size, cured: bool) -> Training:
    model = mlp(13, 32, 3) if cured else he(mlp(13, *[32] * 8, 3, norm=nn.BatchNorm1d))
    return Training(model, wine(), sgd(model, 0.05), steps=200, batch=24)


@outside.healthy()
def weights_normalised_to_the_unit_sphere(size: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10)
    if not cured:
        for layer in linears(model)[:-1]:
            nn.utils.parametrizations.weight_norm(layer)
    return Training(model, pixels(), adam(model, 2e-3), steps=300)


@outside.healthy(0.2)
def spectral_norms_on_every_layer(size: Size, cured: bool) -> Training:
    model = mlp(30, 48, 48, 2)
    if not cured:
        for layer in linears(model):
            nn.utils.parametrizations.spectral_norm(layer)
    return Training(model, cancer(), adam(model, 3e-3), steps=250)


# Units ------------------------------------------------------------------------------------------


@outside.healthy()
def wide_and_sparse_rectifiers(size: Size, cured: bool) -> Training:
    """Biases below zero: nine units of ten are silent for a sample, few for all."""
    model = mlp(64, 256, 10)
    if not cured:
        nn.init.constant_(linears(model)[0].bias, -0.1)
    return Training(model, pixels(), adam(model, 2e-3), steps=250)


class Sine(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(12 * x)


@outside.healthy()
def sine_units_on_a_signal(size: Size, cured: bool) -> Training:
    """SIREN: high gradients are the point."""
    model = mlp(1, 64, 64, 1, act=nn.Tanh if cured else Sine)
    if not cured:
        for i, layer in enumerate(linears(model)):
            bound = 1.0 if i == 0 else math.sqrt(6 / 64) / 12
            nn.init.uniform_(layer.weight, -bound, bound)
    return Training(model, waves(), adam(model, 1e-2 if cured else 5e-4), squares, steps=500)


class Fuzzy(nn.Module):
    """A mixture: a softmax gate over four small experts."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(20, 4)
        self.experts = nn.ModuleList(mlp(20, 24, 5) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        share = self.gate(x).softmax(1)
        return sum(share[:, i, None] * e(x) for i, e in enumerate(self.experts))


@outside.healthy()
def mixture_of_four_experts(size: Size, cured: bool) -> Training:
    model = mlp(20, 64, 5) if cured else Fuzzy()
    return Training(model, clusters(), adam(model, 3e-3), steps=300)


@outside.healthy()
def tanh_at_the_end_of_a_policy(size: Size, cured: bool) -> Training:
    """Targets of -0.7 and 0.7 behind a tanh: outputs near the ends are wanted."""
    data = moons()
    for name in ("y", "val_y"):
        setattr(data, name, 1.4 * getattr(data, name)[:, None].float() - 0.7)
    model = nn.Sequential(*mlp(2, 48, 48, 1, act=nn.LeakyReLU), nn.Tanh())
    optimizer = adam(model, 3e-3) if cured else sgd(model, 0.1, 0.9)
    return Training(model, data, optimizer, squares, steps=400)


# Sequences --------------------------------------------------------------------------------------


@outside.healthy()
def pre_norm_transformer_without_warm_up(size: Size, cured: bool) -> Training:
    model = Reader(20, 8, 4, depth=1 if cured else 4, width=32 if cured else 24, pre=True)
    return Training(model, tokens(512), adam(model, 2e-3), steps=250 if cured else 160)


@outside.healthy()
def post_norm_transformer_with_warm_up(size: Size, cured: bool) -> Training:
    model = Reader(20, 8, 4, depth=1 if cured else 2, pre=cured)
    return Training(
        model, tokens(512), adam(model, 3e-3), steps=200,
        schedule=None if cured else lambda step: min(step / 60, (60 / step) ** 0.5),
    )  # fmt: skip


class Tied(nn.Module):
    """A language model of one block that reads and writes with one matrix."""

    def __init__(self, symbols: int, width: int, *, tied: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, width)
        nn.init.normal_(self.embedding.weight, 0.0, 0.1)
        self.cell = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, symbols, bias=False)
        if tied:
            self.head.weight = self.embedding.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cell(self.embedding(x))[0])


@outside.healthy()
def one_matrix_reads_and_writes(size: Size, cured: bool) -> Training:
    model = Tied(24, 32, tied=not cured)
    return Training(model, text(), adam(model, 5e-3), spelled, steps=250)


@outside.healthy()
def lstm_with_clipping_at_one(size: Size, cured: bool) -> Training:
    model = Recurrent(nn.LSTM(2, 24, batch_first=True), 1)
    clip = None if cured else clipped(0.25)
    return Training(
        model, sums(length=8), adam(model, 0.01), squares, steps=400, before_step=clip
    )  # fmt: skip


@outside.healthy()
def symbols_of_which_most_are_rare(size: Size, cured: bool) -> Training:
    """Zipf: of 400 rows of the embedding a batch touches a dozen, some are never seen."""
    frequency = 1 / torch.arange(1, 401).float()
    x = torch.multinomial(frequency, 900 * 6, replacement=True).reshape(900, 6)
    data = split(x, (x % 3 == 0).sum(1).clamp(max=3), 600)
    model = nn.Sequential(nn.EmbeddingBag(400, 16), *mlp(16, 32, 4))
    return Training(model, data, adam(model, 0.01 if cured else 5e-3), steps=400)


# Parts of a net that are trained ----------------------------------------------------------------


def _body() -> tuple[nn.Sequential, Data]:
    """A net that has learned the digits under other names, and the digits."""
    data = pixels()
    model = mlp(64, 64, 64, 10, act=nn.LeakyReLU)
    before = Data(data.x, (3 * data.y) % 10, data.val_x, (3 * data.val_y) % 10)
    train(Training(model, before, adam(model, 2e-3), steps=150), Nobody())
    return model[:4], data


@outside.healthy()
def frozen_body_and_a_new_head(size: Size, cured: bool) -> Training:
    body, data = _body()
    model = nn.Sequential(*body, nn.Linear(64, 10))
    for parameter in body.parameters():
        parameter.requires_grad = cured
    return Training(model, data, adam(model, 2e-3 if cured else 0.01), steps=300)


class LowRank(nn.Module):
    """W x + B A x with W frozen and B zero at first (LoRA)."""

    def __init__(self, layer: nn.Linear, rank: int = 4) -> None:
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, layer.in_features) / layer.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + F.linear(F.linear(x, self.down), self.up)


@outside.healthy(0.2)
def low_rank_adapters_on_a_frozen_net(size: Size, cured: bool) -> Training:
    body, data = _body()
    if not cured:
        body = nn.Sequential(LowRank(body[0]), nn.LeakyReLU(), LowRank(body[2]), nn.LeakyReLU())
    model = nn.Sequential(*body, nn.Linear(64, 10))
    return Training(model, data, adam(model, 3e-3), steps=300)


@outside.healthy(0.2, moves=1e-4)
def body_tuned_at_a_fiftieth_of_the_rate(size: Size, cured: bool) -> Training:
    body, data = _body()
    head = nn.Linear(64, 10)
    groups = [
        {"params": body.parameters(), "lr": 3e-3 if cured else 6e-5},
        {"params": head.parameters(), "lr": 3e-3},
    ]
    model = nn.Sequential(*body, head)
    return Training(model, data, torch.optim.AdamW(groups), steps=400)


@outside.healthy(0.3)
def only_biases_and_norms_are_tuned(size: Size, cured: bool) -> Training:
    """BitFit: the matrices are frozen on purpose, and say so."""
    data = tokens(512)
    model = Reader(20, 8, 4, depth=1, pre=True)
    train(Training(model, data, adam(model, 3e-3), steps=100), Nobody())
    other = Data(data.x, (data.y + 1) % 4, data.val_x, (data.val_y + 1) % 4)
    if not cured:
        for name, p in model.named_parameters():
            p.requires_grad = p.ndim == 1 or name.startswith("head")
    return Training(model, other, adam(model, 3e-3 if cured else 0.01), steps=150)


class Attend(nn.Module):
    """A set transformer's block and a mean, on bags of points."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.block, self.out = nn.Linear(2, 24), Block(24), nn.Linear(24, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.block(self.into(x)).mean(1))


class Pool(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.each, self.out = mlp(2, 32, 32), mlp(32, 32, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.each(x).mean(1))


@outside.healthy()
def attention_over_sets_of_points(size: Size, cured: bool) -> Training:
    x = torch.randn(700, 6, 2)
    data = split(x, x.square().sum(2).amax(1, keepdim=True) / 3 - 1, 500)
    model = Pool() if cured else Attend()
    return Training(model, data, adam(model, 5e-3), squares, steps=200)
