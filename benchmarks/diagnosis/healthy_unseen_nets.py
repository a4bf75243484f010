"""Healthy, held out: networks and optimizers. Rules must not be tuned by these."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import networks as n
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.cases import Collection
from benchmarks.diagnosis.proofs import learns
from benchmarks.diagnosis.training import Size, Training

part = Collection("held_out")


@part.healthy()
def plain_convolutions(size: Size) -> Training:
    model = n.scaled(n.conv_stack(size, nn.LeakyReLU, ins=1, outs=10, depth=4), 2**0.5)
    how = t.optimizer(model, size, sgd=0.1, adam=2e-3)
    return Training(model, d.digits(), how, steps=150)


@part.healthy()
def deep_silu_with_group_norm(size: Size) -> Training:
    width = n.channels(size)
    layers: list[nn.Module] = [nn.Conv2d(1, width, 3, padding=1)]
    for _ in range(4):
        layers += [nn.Conv2d(width, width, 3, padding=1), nn.GroupNorm(2, width), nn.SiLU()]
    model = nn.Sequential(*layers, nn.AvgPool2d(4), nn.Flatten(), nn.Linear(4 * width, 10))
    how = t.optimizer(model, size, sgd=0.1, adam=2e-3)
    return Training(model, d.digits(800), how, steps=100)


@part.healthy()
def layer_scale_of_a_ten_thousandth(size: Size) -> Training:
    """Every branch is multiplied by 1e-4 at the start, as in very deep transformers."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.LayerNorm(size.width), nn.Linear(size.width, size.width),
                                       nn.GELU(), nn.Linear(size.width, size.width))  # fmt: skip
            self.scale = nn.Parameter(1e-4 * torch.ones(size.width))

        def forward(self, x: Tensor) -> Tensor:
            return x + self.scale * self.inner(x)

    blocks = [Block() for _ in range(size.depth)]
    model = nn.Sequential(nn.Linear(16, size.width), *blocks, nn.Linear(size.width, 4))
    how = torch.optim.AdamW(model.parameters(), 2e-3)
    return Training(model, d.vectors(), how, steps=200)


@part.healthy()
def self_normalising(size: Size) -> Training:
    model = n.stack(size, nn.SELU, gain=1.0)
    how = t.optimizer(model, size, sgd=0.03, adam=1e-3)
    return Training(model, d.vectors(), how, steps=200)


@part.healthy()
def gated_units(size: Size) -> Training:
    """A highway network, whose gates begin nearly closed."""

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Linear(16, size.width)
            self.value = nn.ModuleList(nn.Linear(size.width, size.width) for _ in range(3))
            self.gate = nn.ModuleList(nn.Linear(size.width, size.width) for _ in range(3))
            self.open = nn.Sigmoid()
            self.head = nn.Linear(size.width, 4)
            for gate in self.gate:
                nn.init.constant_(gate.bias, -2.0)  # type: ignore[arg-type]

        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            for value, gate in zip(self.value, self.gate, strict=True):
                share = self.open(gate(x))
                x = share * torch.tanh(value(x)) + (1 - share) * x
            return self.head(x)

    model = Gated()
    how = t.optimizer(model, size, sgd=0.1, adam=2e-3)
    return Training(model, d.bent(), how, steps=250)


@part.healthy(learns(0.8))
def two_layers_of_gru(size: Size) -> Training:
    model = n.Recurrent(size, nn.GRU, layers=2)
    how = torch.optim.Adam(model.parameters(), 5e-3)
    return Training(model, d.tokens(length=5), how, steps=250)


@part.healthy(learns(0.5))
def attention_that_becomes_sharp(size: Size) -> Training:
    """The task is to look at one place: weights of attention go to 0 and 1."""

    class Pointer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(20, size.width)
            self.place = nn.Parameter(0.1 * torch.randn(8, size.width))
            self.attention = nn.MultiheadAttention(size.width, 2, batch_first=True)
            self.head = nn.Linear(size.width, 4)

        def forward(self, x: Tensor) -> Tensor:
            h = self.embed(x) + self.place
            return self.head(self.attention(h[:, :1], h, h)[0][:, 0])

    model = Pointer()
    how = torch.optim.Adam(model.parameters(), 5e-3)
    return Training(model, d.tokens(), how, steps=200)


@part.healthy()
def experts_of_which_one_is_asked(size: Size) -> Training:
    """A router picks among four experts; some see few samples, and none is lost."""

    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.router = nn.Linear(16, 4)
            self.experts = nn.ModuleList(
                nn.Sequential(nn.Linear(16, size.width), nn.GELU(), nn.Linear(size.width, 4))
                for _ in range(4)
            )

        def forward(self, x: Tensor) -> Tensor:
            share = self.router(x).softmax(1)
            top = share.argmax(1)
            out = torch.stack([expert(x) for expert in self.experts], 1)
            rows = torch.arange(len(x))
            return out[rows, top] * share[rows, top][:, None]

    model = Experts()
    return Training(model, d.bent(), torch.optim.Adam(model.parameters(), 4e-3), steps=300)


@part.healthy()
def adapters_in_a_frozen_transformer(size: Size) -> Training:
    """Nine tenths of the parameters are frozen; norms, biases and the head learn (BitFit)."""
    data, model = d.tokens(), n.Transformer(size, dropout=0.0)
    first = Training(model, data, torch.optim.AdamW(model.parameters(), 3e-3), steps=60)
    t.train(first, t.Nobody())
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("bias" in name or "norm" in name or "head" in name)
    model.head.reset_parameters()
    held = [p for p in model.parameters() if p.requires_grad]
    return Training(model, data, torch.optim.AdamW(held, 1e-2), steps=100)


@part.healthy()
def sign_descent_with_momentum(size: Size) -> Training:
    """Lion-like: each step has the same length, whatever the gradient."""

    class Lion(torch.optim.Optimizer):
        def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
            super().__init__(parameters, {"lr": lr})

        @torch.no_grad()
        def step(self, closure: object = None) -> None:  # type: ignore[override]
            for group in self.param_groups:
                for p in group["params"]:
                    m = self.state[p].setdefault("m", torch.zeros_like(p))
                    p.add_(torch.sign(0.9 * m + 0.1 * p.grad), alpha=-group["lr"])
                    m.lerp_(p.grad, 0.01)

    model = n.Residual(size, activation=nn.GELU)
    how = Lion(list(model.parameters()), (1e-3, 5e-4, 3e-4)[size.variant])
    return Training(model, d.vectors(), how, steps=200)


@part.healthy()
def large_rate_that_works(size: Size) -> Training:
    """Plain SGD at 0.5 to 1: steps of a twentieth of the weights, noisy, and good."""
    model = n.stack(size, nn.GELU, depth=2)
    how = torch.optim.SGD(model.parameters(), (0.7, 0.5, 0.3)[size.variant])
    return Training(model, d.bent(2048), how, steps=300, batch=64)


@part.healthy()
def nadam_and_friends(size: Size) -> Training:
    model = n.resnet(size, ins=1, outs=10)
    p = list(model.parameters())
    how = [torch.optim.NAdam(p, 3e-3), torch.optim.RAdam(p, 5e-3), torch.optim.Adamax(p, 5e-3)]
    return Training(model, d.digits(800), how[size.variant], steps=140)


@part.healthy()
def body_and_head_by_two_optimizers(size: Size) -> Training:
    model = n.Residual(size, ins=64, outs=10)
    whole = nn.Sequential(nn.Flatten(), model)
    how = [
        torch.optim.SGD([*model.stem.parameters(), *model.blocks.parameters()], 0.02, momentum=0.9),
        torch.optim.Adam(model.head.parameters(), 1e-2),
    ]
    return Training(whole, d.digits(), how, steps=200)


@part.healthy()
def clipped_to_a_tiny_norm_by_adam(size: Size) -> Training:
    """Adam does not care about the scale of gradients, so a small clip does no harm."""

    def clip(model: nn.Module, step: int) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), 1e-3)

    model = n.Transformer(size)
    how = torch.optim.AdamW(model.parameters(), 3e-3)
    return Training(model, d.tokens(), how, before_step=clip, steps=120)


@part.healthy()
def step_decay_after_most_is_learned(size: Size) -> Training:
    """The rate falls to a hundredth for the last third; little moves then, and little should."""
    model = n.stack(size, nn.GELU, nn.LayerNorm, depth=3)
    how = t.optimizer(model, size, sgd=0.2, adam=3e-3)
    return Training(
        model, d.vectors(2048), how, steps=400, schedule=lambda s: 0.1 ** (s // 200 + s // 300)
    )


@part.healthy(learns(0.4))
def linear_probe(size: Size) -> Training:
    """Logistic regression on whitened digits: one layer, convex."""
    model = nn.Linear(16, 4)
    how = t.optimizer(model, size, sgd=0.5, adam=0.02)
    return Training(model, d.vectors(), how, steps=250)


@part.healthy()
def dead_by_design_in_part(size: Size) -> Training:
    """Top-k sparsity: nine of ten activations of each sample are set to zero, never the same."""

    class TopK(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            kept = x.shape[1] // 10
            floor = x.topk(kept, 1).values[:, -1:]
            return F.relu(torch.where(x >= floor, x, torch.zeros_like(x)))

    wide = 8 * size.width
    model = nn.Sequential(nn.Linear(16, wide), TopK(), nn.Linear(wide, 4))
    how = t.optimizer(model, size, sgd=0.2, adam=1e-3)
    return Training(model, d.bent(2048), how, steps=350)


@part.healthy(learns(0.8))
def residual_without_norm_deep(size: Size) -> Training:
    """Fixup-like: no normalisation, branches at zero, small head, a cosine to zero."""
    model = n.Residual(Size(size.width, 2 * size.depth), zero=True, norm=False)
    nn.init.normal_(model.head.weight, std=1e-3)
    how = torch.optim.Adam(model.parameters(), 1e-3)
    return Training(
        model, d.vectors(), how, steps=200,
        schedule=lambda step: 0.5 * (1 + math.cos(math.pi * step / 200)),
    )  # fmt: skip
