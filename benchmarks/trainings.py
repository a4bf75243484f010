"""Small trainings with a known diagnosis: sick ones, and healthy ones that look frightening.

Each is a function of a seed and a size (width, depth) and returns the finished `Run`. They serve
the unit tests (the quick ones, one seed) and `diagnosis_gradient.py` (all, several seeds).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nbdiag.measures.run import Run
from nbdiag.probes.watch import watch

Batch = tuple[Tensor, Tensor]
Objective = Callable[[nn.Module, Batch], Tensor]


@dataclass(frozen=True)
class Size:
    width: int = 32
    depth: int = 10


# Data -------------------------------------------------------------------------------------------


def vectors(
    n: int = 32, classes: int = 4, noise: float = 0.0, scale: float = 1.0
) -> Iterator[Batch]:
    """Classes of a random linear teacher in 16 dimensions."""
    teacher = torch.randn(16, classes)
    while True:
        x = torch.randn(n, 16)
        y = (x @ teacher).argmax(1)
        flip = torch.rand(n) < noise
        yield scale * x, torch.where(flip, torch.randint(0, classes, (n,)), y)


def fixed(n: int = 64, classes: int = 4) -> Iterator[Batch]:
    """One batch again and again, which a network learns by heart."""
    batch = next(vectors(n, classes))
    while True:
        yield batch


def images(n: int = 16) -> Iterator[Batch]:
    """8x8 pictures, four classes: which quadrant is bright."""
    while True:
        y = torch.randint(0, 4, (n,))
        x = 0.5 * torch.randn(n, 3, 8, 8)
        for i, quadrant in enumerate(y.tolist()):
            row, column = 4 * (quadrant // 2), 4 * (quadrant % 2)
            x[i, :, row : row + 4, column : column + 4] += 1.0
        yield x, y


def tokens(n: int = 16, length: int = 8) -> Iterator[Batch]:
    """Sequences of 20 symbols; the class is the first of them, modulo 4."""
    while True:
        x = torch.randint(0, 20, (n, length))
        yield x, x[:, 0] % 4


def numbers(n: int = 32, scale: float = 1.0) -> Iterator[Batch]:
    """A linear function of 16 inputs, to be regressed."""
    teacher = torch.randn(16, 1) / 4
    while True:
        x = scale * torch.randn(n, 16)
        yield x, x @ teacher


# Networks ---------------------------------------------------------------------------------------


def stack(
    size: Size, activation: type[nn.Module], norm: type[nn.Module] | None = None
) -> nn.Sequential:
    """A plain network of `depth` hidden layers."""
    layers: list[nn.Module] = []
    width = 16
    for _ in range(size.depth):
        layers.append(nn.Linear(width, size.width))
        if norm is not None:
            layers.append(norm(size.width))
        layers.append(activation())
        width = size.width
    return nn.Sequential(*layers, nn.Linear(width, 4))


def scaled(model: nn.Module, gain: float) -> nn.Module:
    """Weights redrawn with a standard deviation of gain / sqrt(fan_in)."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=gain / module.in_features**0.5)
    return model


class Residual(nn.Module):
    """x + f(norm(x)) blocks between a stem and a head; `zero` starts every branch at zero."""

    def __init__(self, size: Size, *, zero: bool = False, norm: bool = True) -> None:
        super().__init__()
        self.stem = nn.Linear(16, size.width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(size.width) if norm else nn.Identity(),
                nn.Linear(size.width, size.width),
                nn.ReLU(),
                nn.Linear(size.width, size.width),
            )
            for _ in range(size.depth)
        )
        self.head = nn.Linear(size.width, 4)
        if zero:
            for block in self.blocks:
                nn.init.zeros_(block[-1].weight)
                nn.init.zeros_(block[-1].bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


class ConvBlock(nn.Module):
    def __init__(self, width: int, norm: type[nn.Module] = nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, width, 3, padding=1, bias=False), norm(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), norm(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


def resnet(size: Size) -> nn.Sequential:
    width = max(4, size.width // 4)
    blocks = [ConvBlock(width) for _ in range(max(2, size.depth // 2))]
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 4),
    )  # fmt: skip


def conv_stack(size: Size, activation: type[nn.Module]) -> nn.Sequential:
    width = max(4, size.width // 4)
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), activation()]
    for _ in range(size.depth - 2):
        layers += [nn.Conv2d(width, width, 3, padding=1), activation()]
    return nn.Sequential(*layers, nn.AvgPool2d(4), nn.Flatten(), nn.Linear(4 * width, 4))


class Transformer(nn.Module):
    def __init__(self, size: Size, *, pre_norm: bool = True) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, size.width)
        self.position = nn.Parameter(0.02 * torch.randn(8, size.width))
        layer = nn.TransformerEncoderLayer(
            size.width, 4, 2 * size.width, dropout=0.1, norm_first=pre_norm, batch_first=True
        )
        self.body = nn.TransformerEncoder(
            layer, max(2, size.depth // 3), enable_nested_tensor=False
        )
        self.head = nn.Linear(size.width, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(self.embed(x) + self.position)[:, 0])


class LowRank(nn.Module):
    """A frozen linear layer and a trainable low-rank correction that starts at zero (LoRA)."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.a = nn.Linear(base.in_features, 4, bias=False)
        self.b = nn.Linear(4, base.out_features, bias=False)
        nn.init.zeros_(self.b.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.b(self.a(x))


class LastState(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, size.width)
        self.lstm = nn.LSTM(size.width, size.width, num_layers=2, batch_first=True)
        self.head = nn.Linear(size.width, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(self.embed(x))[0][:, -1])


# The loop ---------------------------------------------------------------------------------------


def cross_entropy(model: nn.Module, batch: Batch) -> Tensor:
    return F.cross_entropy(model(batch[0]), batch[1])


def squares(model: nn.Module, batch: Batch) -> Tensor:
    return F.mse_loss(model(batch[0]), batch[1])


def train(
    model: nn.Module,
    batches: Iterator[Batch],
    *,
    objective: Objective = cross_entropy,
    steps: int = 80,
    lr: float = 0.05,
    momentum: float = 0.0,
    adam: bool = False,
    warm_up: int = 0,
    accumulate: int = 1,
    log_loss: bool = False,
    before_step: Callable[[nn.Module, int], None] = lambda model, step: None,
) -> Run:
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer: torch.optim.Optimizer
    if adam:
        optimizer = torch.optim.Adam(trainable, lr=lr)
    else:
        optimizer = torch.optim.SGD(trainable, lr=lr, momentum=momentum)
    with watch(model, optimizer) as run:
        for step in range(1, steps + 1):
            for group in optimizer.param_groups:
                group["lr"] = lr * min(1.0, step / warm_up) if warm_up else lr
            optimizer.zero_grad()
            for _ in range(accumulate):
                loss = objective(model, next(batches)) / accumulate
                if loss.requires_grad:
                    loss.backward()
            before_step(model, step)
            optimizer.step()
            if log_loss:
                run.log(loss=loss)
    return run
