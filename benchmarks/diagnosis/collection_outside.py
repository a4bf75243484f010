"""The split "outside": trainings as strangers meet them, and the few parts they are built of."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Adam

from benchmarks.diagnosis.collection_fresh import Fresh
from benchmarks.diagnosis.data import Batch, Data, digits, split

outside = Fresh("outside")

# Nets and optimizers ----------------------------------------------------------------------------


def mlp(
    *widths: int,
    act: type[nn.Module] = nn.ReLU,
    norm: type[nn.Module] | None = None,
    drop: float = 0.0,
) -> nn.Sequential:
    """Linear layers from widths[0] to widths[-1]; the last stays linear."""
    layers: list[nn.Module] = []
    for i, (n, m) in enumerate(itertools.pairwise(widths)):
        layers.append(nn.Linear(n, m))
        if i < len(widths) - 2:
            layers += [norm(m)] if norm else []
            layers += [act(), nn.Dropout(drop)] if drop else [act()]
    return nn.Sequential(*layers)


def linears(model: nn.Module) -> list[nn.Linear]:
    return [m for m in model.modules() if isinstance(m, nn.Linear)]


def drawn(model: nn.Module, std: float, bias: float = 0.0) -> nn.Module:
    """The same net with weights from N(0, std²)."""
    for m in model.modules():
        if isinstance(m, nn.Linear | nn.Conv2d):
            nn.init.normal_(m.weight, 0.0, std)
            if m.bias is not None:
                nn.init.constant_(m.bias, bias)
    return model


def he(model: nn.Module) -> nn.Module:
    for m in model.modules():
        if isinstance(m, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
            if m.bias is not None:
                nn.init.zeros_(m.bias)
    return model


def sgd(model: nn.Module, lr: float, momentum: float = 0.0, decay: float = 0.0) -> SGD:
    return SGD(_trained(model), lr, momentum=momentum, weight_decay=decay)


def adam(model: nn.Module, lr: float, **options: bool) -> Adam:
    return Adam(_trained(model), lr, **options)  # type: ignore[arg-type]


def _trained(model: nn.Module) -> list[nn.Parameter]:
    return [p for p in model.parameters() if p.requires_grad]


class Apply(nn.Module):
    """A function as a layer: what a `forward` does between two modules."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, x: Tensor) -> Tensor:
        if self.name == "integers":
            return x.long().float()
        if self.name == "mean over time":
            return x.mean(1)
        return x.detach()


class Skip(nn.Module):
    """x + f(x)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


class Recurrent(nn.Module):
    """A recurrent layer and a linear head on its last output, or on each."""

    def __init__(self, cell: nn.RNNBase, out: int, *, each: bool = False) -> None:
        super().__init__()
        self.cell, self.head, self.each = cell, nn.Linear(cell.hidden_size, out), each

    def forward(self, x: Tensor) -> Tensor:
        states = self.cell(x)[0]
        return self.head(states if self.each else states[:, -1])


class Block(nn.Module):
    """One transformer layer, with the norm in front or behind."""

    def __init__(self, width: int, heads: int = 2, *, pre: bool = True) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.forth = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.one, self.two, self.pre = nn.LayerNorm(width), nn.LayerNorm(width), pre

    def forward(self, x: Tensor) -> Tensor:
        if not self.pre:
            x = self.one(x + self.attention(x, x, x, need_weights=False)[0])
            return self.two(x + self.forth(x))
        y = self.one(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.forth(self.two(x))


class Reader(nn.Module):
    """Embedding, positions, blocks, mean over the sequence, head: (N, L) integers -> (N, C)."""

    def __init__(
        self, symbols: int, length: int, out: int, *, width: int = 32, depth: int = 2, pre: bool
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, width)
        self.place = nn.Parameter(0.1 * torch.randn(length, width))
        self.blocks = nn.Sequential(*(Block(width, pre=pre) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.blocks(self.embedding(x) + self.place)).mean(1))


# Losses -----------------------------------------------------------------------------------------


def spelled(model: nn.Module, batch: Batch) -> Tensor:
    """Cross-entropy of every next symbol: logits (N, L, C), targets (N, L)."""
    return F.cross_entropy(model(batch[0]).flatten(0, 1), batch[1].flatten())


def clipped(limit: float) -> object:
    """Clips the gradient's norm between backward() and the update."""

    def clip(model: nn.Module, step: int) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), limit)

    return clip


def forever(batches: Iterable[Batch]) -> Iterator[Batch]:
    kept = list(batches)
    while True:
        yield from kept


# Data -------------------------------------------------------------------------------------------


def _state() -> int:
    return int(torch.randint(0, 2**31 - 1, ()))


def _data(x: np.ndarray, y: np.ndarray, train: int) -> Data:
    target = torch.tensor(y)
    target = target.float()[:, None] if target.is_floating_point() else target.long()
    order = torch.randperm(len(x))
    return split(torch.tensor(x).float()[order], target[order], train)


def pixels(n: int = 1200, scale: float = 1 / 16) -> Data:
    """The handwritten digits as (64,)."""
    d = digits(n, scale)
    return Data(d.x.flatten(1), d.y, d.val_x.flatten(1), d.val_y)


def moons(n: int = 600, noise: float = 0.15) -> Data:
    return _data(*datasets.make_moons(n + 300, noise=noise, random_state=_state()), n)


def circles(n: int = 600) -> Data:
    made = datasets.make_circles(n + 300, noise=0.08, factor=0.5, random_state=_state())
    return _data(*made, n)


def friedman(n: int = 800, noise: float = 0.5, scale: float = 1.0, shift: float = 0.0) -> Data:
    """Friedman's first function of ten numbers, standardised, then scaled and shifted."""
    x, y = datasets.make_friedman1(n + 400, noise=noise, random_state=_state())
    return _data(2 * x - 1, scale * (y - y.mean()) / y.std() + shift, n)


def clusters(n: int = 600, classes: int = 5, dims: int = 20, flip: float = 0.0) -> Data:
    made = datasets.make_classification(
        n + 300, dims, n_informative=8, n_redundant=2, n_classes=classes, n_clusters_per_class=1,
        flip_y=flip, class_sep=1.5, random_state=_state(),
    )  # fmt: skip
    return _data(*made, n)


def flowers() -> Data:
    x, y = datasets.load_iris(return_X_y=True)
    return _data((x - x.mean(0)) / x.std(0), y, 100)


def sums(n: int = 512, length: int = 12) -> Data:
    """The adding problem: (N, L, 2) numbers and two marks; the sum of the marked ones."""
    x = torch.zeros(n + 256, length, 2)
    x[..., 0] = torch.rand(n + 256, length)
    half = length // 2
    rows = torch.arange(n + 256)
    x[rows, torch.randint(0, half, (n + 256,)), 1] = 1.0
    x[rows, torch.randint(half, length, (n + 256,)), 1] = 1.0
    return split(x, (x[..., 0] * x[..., 1]).sum(1, keepdim=True) - 1.0, n)
