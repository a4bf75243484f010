"""Which trainings should yield which gradient finding, and which should yield none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import trainings as t
from benchmarks.trainings import Batch, Size, train
from nbdiag.measures.run import Run


@dataclass(frozen=True)
class Case:
    """`expected`: codes of which at least one must be found; empty: no finding may be."""

    name: str
    run: Callable[[Size], Run]
    expected: frozenset[str] = frozenset()
    quick: bool = False


CASES: list[Case] = []


def case(*expected: str, quick: bool = False) -> Callable[[Callable[[Size], Run]], Callable]:
    def add(function: Callable[[Size], Run]) -> Callable[[Size], Run]:
        codes = frozenset(f"gradient.{code}" for code in expected)
        CASES.append(Case(function.__name__, function, codes, quick))
        return function

    return add


# Sick: the early layers hardly learn ------------------------------------------------------------


@case("vanishing", quick=True)
def sigmoid_sgd(size: Size) -> Run:
    return train(t.stack(size, nn.Sigmoid), t.vectors(), lr=0.1)


@case("vanishing")
def sigmoid_adam(size: Size) -> Run:
    return train(t.stack(size, nn.Sigmoid), t.vectors(), adam=True, lr=1e-3, steps=120)


@case("vanishing")
def sigmoid_momentum(size: Size) -> Run:
    return train(t.stack(size, nn.Sigmoid), t.vectors(), lr=0.1, momentum=0.9, steps=150)


@case("vanishing")
def sigmoid_convolutions(size: Size) -> Run:
    return train(t.conv_stack(size, nn.Sigmoid), t.images(), lr=0.1, steps=60)


@case("vanishing", quick=True)
def tanh_too_small(size: Size) -> Run:
    return train(t.scaled(t.stack(size, nn.Tanh), 0.3), t.vectors(), lr=0.1)


@case("vanishing")
def relu_too_small(size: Size) -> Run:
    return train(t.scaled(t.stack(size, nn.ReLU), 0.3), t.vectors(), lr=0.05)


@case("vanishing")
def sigmoid_small_input(size: Size) -> Run:
    return train(t.stack(size, nn.Sigmoid), t.vectors(scale=0.1), lr=0.1)


@case("vanishing")
def sigmoid_regression(size: Size) -> Run:
    model = nn.Sequential(t.stack(size, nn.Sigmoid), nn.Linear(4, 1))
    return train(model, t.numbers(), objective=t.squares, lr=0.05)


# Sick: exploding --------------------------------------------------------------------------------


@case("exploding", "nonfinite", quick=True)
def learning_rate_far_too_high(size: Size) -> Run:
    model = nn.Sequential(nn.Linear(16, size.width), nn.ReLU(), nn.Linear(size.width, 1))
    return train(model, t.numbers(), objective=t.squares, lr=5.0, steps=40)


@case("exploding", "nonfinite")
def inputs_not_normalised(size: Size) -> Run:
    model = nn.Sequential(nn.Linear(16, size.width), nn.ReLU(), nn.Linear(size.width, 1))
    return train(model, t.numbers(scale=300.0), objective=t.squares, lr=0.01, steps=40)


@case("exploding", "nonfinite")
def momentum_far_too_high(size: Size) -> Run:
    model = nn.Sequential(nn.Linear(16, size.width), nn.Tanh(), nn.Linear(size.width, 1))
    return train(model, t.numbers(), objective=t.squares, lr=2.0, momentum=0.99, steps=60)


@case("exploding")
def linear_slowly_diverging(size: Size) -> Run:
    return train(nn.Linear(16, 1), t.numbers(64), objective=t.squares, lr=1.7, steps=60)


@case("exploding", quick=True)
def tanh_too_large(size: Size) -> Run:
    deep = Size(size.width, size.depth + 10)
    return train(t.scaled(t.stack(deep, nn.Tanh), 5.0), t.vectors(), lr=1e-4)


# Sick: NaN and infinity -------------------------------------------------------------------------


def _nan_batch(batches: Iterator[Batch], at: int) -> Iterator[Batch]:
    for i, (x, y) in enumerate(batches, start=1):
        yield (x * float("nan") if i == at else x), y


@case("nonfinite", quick=True)
def nan_in_the_data(size: Size) -> Run:
    return train(t.stack(Size(size.width, 3), nn.ReLU), _nan_batch(t.vectors(), 30), steps=40)


@case("nonfinite", quick=True)
def logarithm_of_zero(size: Size) -> Run:
    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return -torch.log((100_000 * model(batch[0])).softmax(1)[:, 0]).mean()

    return train(t.stack(Size(size.width, 3), nn.ReLU), t.vectors(), objective=loss, steps=20)


@case("nonfinite")
def root_of_zero(size: Size) -> Run:
    class Root(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(16, size.width), nn.Linear(size.width, 4)

        def forward(self, x: Tensor) -> Tensor:
            h = self.a(x)
            spread = ((h - h.detach()) ** 2).sum(1, keepdim=True)
            return self.b(h + torch.sqrt(spread))

    return train(Root(), t.vectors(), steps=20)


# Sick: no gradient ------------------------------------------------------------------------------


class TwoHeads(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.body = nn.Linear(16, size.width)
        self.head = nn.Linear(size.width, 4)
        self.unused = nn.Linear(size.width, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.body(x)))


@case("none", quick=True)
def unused_head(size: Size) -> Run:
    return train(TwoHeads(size), t.vectors(), steps=20)


@case("none", quick=True)
def detached_body(size: Size) -> Run:
    class Detached(TwoHeads):
        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.body(x).detach()) + 0 * self.unused.weight.sum()

    return train(Detached(size), t.vectors(), steps=20)


@case("none")
def zero_grad_in_the_wrong_place(size: Size) -> Run:
    return train(
        t.stack(Size(size.width, 3), nn.ReLU),
        t.vectors(),
        steps=20,
        before_step=lambda model, step: model.zero_grad(),
    )


# Healthy ----------------------------------------------------------------------------------------


@case(quick=True)
def plain_relu(size: Size) -> Run:
    return train(t.stack(Size(size.width, 4), nn.ReLU), t.vectors(), lr=0.1)


@case()
def deep_relu_adam(size: Size) -> Run:
    return train(t.scaled(t.stack(size, nn.ReLU), 2**0.5), t.vectors(), adam=True, lr=1e-3)


@case()
def deep_relu_batch_norm(size: Size) -> Run:
    return train(t.stack(size, nn.ReLU, nn.BatchNorm1d), t.vectors(), lr=0.05)


@case(quick=True)
def shallow_sigmoid(size: Size) -> Run:
    return train(t.stack(Size(size.width, 2), nn.Sigmoid), t.vectors(), lr=1.0, steps=150)


@case()
def three_sigmoids_adam(size: Size) -> Run:
    return train(t.stack(Size(size.width, 3), nn.Sigmoid), t.vectors(), adam=True, lr=0.01)


@case()
def deep_tanh_xavier(size: Size) -> Run:
    return train(t.scaled(t.stack(size, nn.Tanh), 1.0), t.vectors(), lr=0.05)


@case()
def deep_gelu_default(size: Size) -> Run:
    return train(t.stack(Size(size.width, 5), nn.GELU), t.vectors(), adam=True, lr=1e-3)


@case(quick=True)
def residual(size: Size) -> Run:
    return train(t.Residual(size), t.vectors(), lr=0.05)


@case(quick=True)
def residual_starting_at_zero(size: Size) -> Run:
    return train(t.Residual(size, zero=True), t.vectors(), lr=0.05)


@case()
def residual_without_norm(size: Size) -> Run:
    return train(t.Residual(size, zero=True, norm=False), t.vectors(), adam=True, lr=1e-3)


@case()
def convolutional_resnet(size: Size) -> Run:
    return train(t.resnet(size), t.images(), lr=0.1, momentum=0.9, steps=60)


@case()
def resnet_with_zero_gamma(size: Size) -> Run:
    model = t.resnet(size)
    for module in model.modules():
        if isinstance(module, t.ConvBlock):
            nn.init.zeros_(module.bn2.weight)
    return train(model, t.images(), adam=True, lr=3e-3, steps=60)


@case(quick=True)
def pre_norm_transformer_warm_up(size: Size) -> Run:
    return train(t.Transformer(size), t.tokens(), adam=True, lr=3e-3, warm_up=40, steps=80)


@case()
def post_norm_transformer(size: Size) -> Run:
    model = t.Transformer(size, pre_norm=False)
    return train(model, t.tokens(), adam=True, lr=1e-3, warm_up=20, steps=80)


@case()
def lstm(size: Size) -> Run:
    return train(t.LastState(size), t.tokens(), adam=True, lr=3e-3, steps=80)


@case(quick=True)
def frozen_backbone(size: Size) -> Run:
    model = t.Residual(size)
    model.stem.requires_grad_(False)
    model.blocks.requires_grad_(False)
    return train(model, t.vectors(), lr=0.1)


@case()
def fine_tuning_with_a_new_head(size: Size) -> Run:
    model = t.stack(Size(size.width, 5), nn.ReLU, nn.LayerNorm)
    train(model, t.vectors(), lr=0.1, steps=150)
    model[-1] = nn.Linear(size.width, 4)
    nn.init.normal_(model[-1].weight, std=1e-3)
    return train(model, t.vectors(), adam=True, lr=1e-4)


@case(quick=True)
def low_rank_adaptation(size: Size) -> Run:
    model = t.stack(Size(size.width, 5), nn.ReLU)
    for i, module in enumerate(model):
        if isinstance(module, nn.Linear):
            model[i] = t.LowRank(module)
    return train(model, t.vectors(), adam=True, lr=1e-2)


@case()
def tiny_noisy_batches(size: Size) -> Run:
    return train(
        t.stack(Size(size.width, 4), nn.ReLU), t.vectors(n=2, noise=0.3), lr=0.02, steps=150
    )


@case()
def label_smoothing(size: Size) -> Run:
    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1], label_smoothing=0.1)

    return train(t.stack(Size(size.width, 4), nn.ReLU), t.vectors(), objective=loss, lr=0.1)


@case()
def sparse_relu(size: Size) -> Run:
    model = t.scaled(t.stack(Size(4 * size.width, 4), nn.ReLU), 2**0.5)
    for module in model:
        if isinstance(module, nn.Linear):
            nn.init.constant_(module.bias, -0.3)
    return train(model, t.vectors(), lr=0.1)


@case(quick=True)
def learned_by_heart(size: Size) -> Run:
    model = t.stack(Size(2 * size.width, 5), nn.ReLU)
    return train(model, t.fixed(), adam=True, lr=3e-3, steps=300)


@case()
def converged_regression(size: Size) -> Run:
    return train(nn.Linear(16, 1), t.numbers(), objective=t.squares, lr=0.1, steps=400)


@case()
def converged_deep_linear(size: Size) -> Run:
    layers = [nn.Linear(16, 16, bias=False) for _ in range(5)]
    for layer in layers:
        nn.init.orthogonal_(layer.weight)
    model = nn.Sequential(*layers, nn.Linear(16, 1))
    return train(model, t.numbers(), objective=t.squares, lr=0.02, steps=300)


@case()
def leaving_a_plateau(size: Size) -> Run:
    """A deep linear network starting near zero: gradients grow a thousandfold, then fall."""
    layers = [nn.Linear(16, 16, bias=False) for _ in range(3)]
    for layer in layers:
        nn.init.eye_(layer.weight)
        layer.weight.data *= 0.12
    model = nn.Sequential(*layers, nn.Linear(16, 1, bias=False))
    return train(model, t.numbers(), objective=t.squares, adam=True, lr=3e-3, steps=150)


@case()
def leaving_a_plateau_slowly(size: Size) -> Run:
    model = nn.Sequential(*(nn.Linear(16, 16, bias=False) for _ in range(3)), nn.Linear(16, 1))
    for parameter in model.parameters():
        parameter.data *= 0.02
    return train(model, t.numbers(), objective=t.squares, adam=True, lr=1e-3, steps=30)


@case()
def leaving_a_plateau_cut_short(size: Size) -> Run:
    layers = [nn.Linear(16, 16, bias=False) for _ in range(3)]
    for layer in layers:
        nn.init.eye_(layer.weight)
        layer.weight.data *= 0.02
    model = nn.Sequential(*layers, nn.Linear(16, 1, bias=False))
    return train(model, t.numbers(), objective=t.squares, adam=True, lr=3e-3, steps=40)


@case()
def gradient_accumulation(size: Size) -> Run:
    return train(t.stack(Size(size.width, 4), nn.ReLU), t.vectors(8), lr=0.1, accumulate=4)


@case()
def autoencoder(size: Size) -> Run:
    widths = [16, 12, 8, 3, 8, 12, 16]
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.mse_loss(model(batch[0]), batch[0])

    model = nn.Sequential(*layers[:-1])
    return train(model, t.vectors(), objective=loss, adam=True, lr=3e-3, steps=120)


@case()
def clipped(size: Size) -> Run:
    def clip(model: nn.Module, step: int) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)

    return train(t.Residual(size), t.vectors(), lr=0.5, before_step=clip)


@case()
def mild_oscillation(size: Size) -> Run:
    return train(t.stack(Size(size.width, 4), nn.ReLU), t.vectors(), lr=0.3, momentum=0.8)


@case()
def warm_restart(size: Size) -> Run:
    model = t.stack(Size(size.width, 4), nn.ReLU, nn.LayerNorm)
    train(model, t.vectors(), adam=True, lr=1e-3)
    return train(model, t.vectors(), adam=True, lr=1e-2, warm_up=10)


@case()
def squeezed_input(size: Size) -> Run:
    """Pixels of 1/255 scale left as they are: the first layer alone gets little."""
    return train(t.stack(Size(size.width, 4), nn.ReLU), t.vectors(scale=4e-3), adam=True, lr=1e-2)
