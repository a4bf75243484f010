"""Networks of the split that the rules have never seen, small enough for a second or two."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from benchmarks.diagnosis.training import Size

Kind = type[nn.Module]


def mlp(widths: list[int], activation: Kind = nn.ReLU, norm: Kind | None = None) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths[:-1]):
        layers.append(nn.Linear(a, b))
        if norm is not None:
            layers.append(norm(b))
        layers.append(activation())
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


def cnn(
    size: Size,
    *,
    ins: int = 1,
    outs: int = 10,
    activation: Kind = nn.ReLU,
    norm: bool = False,
    more: int = 0,
) -> nn.Sequential:
    """Two convolutions with strides, `more` between them, a pool and a linear head."""
    c = max(8, size.width // 3)

    def block(a: int, b: int, stride: int) -> list[nn.Module]:
        middle: list[nn.Module] = [nn.BatchNorm2d(b)] if norm else []
        return [nn.Conv2d(a, b, 3, stride, 1), *middle, activation()]

    layers = block(ins, c, 1)
    for _ in range(more):
        layers += block(c, c, 1)
    layers += block(c, 2 * c, 2)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(8 * c, outs))


class Reader(nn.Module):
    """A recurrent net over vectors, and a head on its last state."""

    def __init__(
        self, kind: Kind, ins: int, width: int, outs: int, *, layers: int = 1, **more: object
    ) -> None:
        super().__init__()
        self.rnn = kind(ins, width, num_layers=layers, batch_first=True, **more)
        both = 2 if more.get("bidirectional") else 1
        self.head = nn.Linear(both * width, outs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0][:, -1])


class Teller(nn.Module):
    """The same over symbols."""

    def __init__(self, kind: Kind, symbols: int, width: int, outs: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(symbols, width)
        self.rnn = kind(width, width, batch_first=True)
        self.head = nn.Linear(width, outs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(self.embed(x))[0][:, -1])


class Factors(nn.Module):
    """Ratings: mean + user + item + <user's tastes, item's tastes>."""

    def __init__(self, k: int, users: int = 60, items: int = 40, spread: float = 0.1) -> None:
        super().__init__()
        self.user, self.item = nn.Embedding(users, k), nn.Embedding(items, k)
        self.user_bias, self.item_bias = nn.Embedding(users, 1), nn.Embedding(items, 1)
        self.mean = nn.Parameter(torch.tensor([3.5]))
        for table in (self.user, self.item, self.user_bias, self.item_bias):
            nn.init.normal_(table.weight, std=spread)

    def forward(self, x: Tensor) -> Tensor:
        u, i = x[:, 0], x[:, 1]
        dot = (self.user(u) * self.item(i)).sum(1, keepdim=True)
        return dot + self.user_bias(u) + self.item_bias(i) + self.mean


class Bag(nn.Module):
    """The mean of the words, and a small net on it."""

    def __init__(self, words: int, width: int, outs: int, activation: Kind = nn.ReLU) -> None:
        super().__init__()
        self.embed = nn.EmbeddingBag(words, width, mode="mean")
        self.net = mlp([width, width, outs], activation)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(self.embed(x))


class Block(nn.Module):
    """Attention and a feed-forward part; norms before each of them, or after."""

    def __init__(self, width: int, heads: int = 2, *, before: bool = True) -> None:
        super().__init__()
        self.before = before
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def _look(self, h: Tensor) -> Tensor:
        return self.attention(h, h, h, need_weights=False)[0]

    def forward(self, h: Tensor) -> Tensor:
        if self.before:
            h = h + self._look(self.norm1(h))
            return h + self.feed(self.norm2(h))
        h = self.norm1(h + self._look(h))
        return self.norm2(h + self.feed(h))


class Attends(nn.Module):
    """Symbols or vectors, positions, blocks, the mean of the places, a head."""

    def __init__(
        self,
        width: int,
        blocks: int,
        outs: int,
        *,
        symbols: int = 0,
        ins: int = 8,
        length: int = 8,
        before: bool = True,
    ) -> None:
        super().__init__()
        self.embed: nn.Module = nn.Embedding(symbols, width) if symbols else nn.Linear(ins, width)
        self.place = nn.Parameter(0.1 * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width, before=before) for _ in range(blocks))
        self.norm = nn.LayerNorm(width) if before else nn.Identity()
        self.head = nn.Linear(width, outs)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x) + self.place
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h).mean(1))


class Skips(nn.Module):
    """x + f(x) without norms, or with one before each branch."""

    def __init__(
        self,
        ins: int,
        width: int,
        depth: int,
        outs: int,
        *,
        norm: bool = True,
        activation: Kind = nn.ReLU,
    ) -> None:
        super().__init__()
        self.stem = nn.Linear(ins, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width) if norm else nn.Identity(),
                nn.Linear(width, 2 * width), activation(), nn.Linear(2 * width, width),
            )
            for _ in range(depth)
        )  # fmt: skip
        self.head = nn.Linear(width, outs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)
