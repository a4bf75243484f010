"""The split "last": one clear fault in each of many kinds of nets, beside healthy look-alikes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.collection_fresh import Fresh
from benchmarks.diagnosis.collection_outside import mlp
from benchmarks.diagnosis.data import Batch, Data, digits, split

last = Fresh("last")

Kind = type[nn.Module]

# Nets -------------------------------------------------------------------------------------------


class Bag(nn.Module):
    """The mean of word vectors, and a small net on it: (N, L) integers -> (N, C)."""

    def __init__(self, words: int, width: int, out: int, act: Kind = nn.ReLU) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(words, width, mode="mean")
        self.net = mlp(width, 2 * width, out, act=act)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(self.bag(x))


class Siamese(nn.Module):
    """One tower for two pictures; the logit of being alike falls with their distance."""

    def __init__(self, width: int = 32, act: Kind = nn.ReLU, *, same_input: bool = False) -> None:
        super().__init__()
        self.tower, self.same_input = mlp(64, width, 16, act=act), same_input
        self.scale, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.tower(x[:, 0]), self.tower(x[:, 0 if self.same_input else 1])
        return self.bias - self.scale * (a - b).square().sum(1, keepdim=True)


class Mixture(nn.Module):
    """Experts weighted by a softmax gate; `called` of them are asked."""

    def __init__(
        self, ins: int, out: int, *, experts: int = 3, width: int = 24, called: int | None = None
    ) -> None:
        super().__init__()
        self.gate = nn.Linear(ins, experts)
        self.experts = nn.ModuleList(mlp(ins, width, out) for _ in range(experts))
        self.called = called or experts

    def forward(self, x: Tensor) -> Tensor:
        weight = self.gate(x).softmax(1)
        parts = [weight[:, i : i + 1] * self.experts[i](x) for i in range(self.called)]
        return torch.stack(parts).sum(0)


class Ladder(nn.Module):
    """A small U-Net on (N, 1, 8, 8): down twice, up twice, with skips between equal sizes."""

    def __init__(self, c: int = 8, act: Kind = nn.ReLU, *, skips: bool = True) -> None:
        super().__init__()
        self.skips = skips
        self.top = nn.Sequential(nn.Conv2d(1, c, 3, padding=1), act())
        self.down = nn.Sequential(nn.Conv2d(c, 2 * c, 3, padding=1, stride=2), act())
        self.deep = nn.Sequential(
            nn.Conv2d(2 * c, 2 * c, 3, padding=1, stride=2), act(),
            nn.Conv2d(2 * c, 2 * c, 3, padding=1), act(),
        )  # fmt: skip
        self.middle = nn.Sequential(nn.Conv2d(2 * c, 2 * c, 3, padding=1), act())
        self.up = nn.Sequential(nn.Conv2d(2 * c, c, 3, padding=1), act())
        self.out = nn.Conv2d(c, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        top = self.top(x)
        down = self.down(top)
        h = self.middle(F.interpolate(self.deep(down), scale_factor=2.0))
        h = self.up(F.interpolate(h + down if self.skips else h, scale_factor=2.0))
        return self.out(h + top if self.skips else h)


class Speller(nn.Module):
    """Embedding, a recurrent layer, a head at each place (or at the last): (N, L) -> logits."""

    def __init__(
        self, cell: nn.RNNBase, symbols: int, out: int, *, each: bool = True, std: float = 1.0
    ) -> None:
        super().__init__()
        self.table = nn.Embedding(symbols, cell.input_size)
        nn.init.normal_(self.table.weight, 0.0, std)
        self.cell, self.head, self.each = cell, nn.Linear(cell.hidden_size, out), each

    def forward(self, x: Tensor) -> Tensor:
        states = self.cell(self.table(x))[0]
        return self.head(states if self.each else states[:, -1])


class Cosine(nn.Module):
    """Logits that are cosines between features and class vectors, times a scale."""

    def __init__(self, ins: int, out: int, scale: float) -> None:
        super().__init__()
        self.weight, self.scale = nn.Parameter(torch.randn(out, ins)), scale

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * F.linear(F.normalize(x, dim=1), F.normalize(self.weight, dim=1))


class Dot(nn.Module):
    """Attention of one head with a mask on padding (symbol 0), mean, head."""

    def __init__(self, symbols: int, out: int, width: int = 24, *, patched: bool = False) -> None:
        super().__init__()
        self.table, self.patched = nn.Embedding(symbols, width), patched
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
        self.head = nn.Linear(width, out)

    def forward(self, x: Tensor) -> Tensor:
        h = self.table(x)
        score = self.q(h) @ self.k(h).transpose(1, 2) / h.shape[-1] ** 0.5
        mask = torch.zeros_like(x, dtype=h.dtype).masked_fill(x == 0, -torch.inf)
        weight = (score + mask[:, None]).softmax(-1)
        weight = weight.nan_to_num() if self.patched else weight
        return self.head((weight @ self.v(h)).mean(1))


class Crossed(nn.Module):
    """Cross layers, x + x0 * f(x), as for advertisements: each raises the degree by one."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(3))
        self.head = nn.Linear(width, out)

    def forward(self, first: Tensor) -> Tensor:
        x = first
        for layer in self.layers:
            x = x + first * layer(x)
        return self.head(x)


class Projected(nn.Module):
    """A block whose shortcut has a convolution of its own; `called` or not."""

    def __init__(self, called: bool) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8),
        )  # fmt: skip
        self.short, self.called = nn.Conv2d(8, 8, 1), called

    def forward(self, x: Tensor) -> Tensor:
        return (self.main(x) + (self.short(x) if self.called else x)).relu()


# Losses -----------------------------------------------------------------------------------------


def alike(model: nn.Module, batch: Batch) -> Tensor:
    return F.binary_cross_entropy_with_logits(model(batch[0]), batch[1])


def each_parameter(change: Callable[[Tensor], object]) -> Callable[[nn.Module, int], None]:
    """Applies `change` to every matrix behind each step."""

    def after(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for p in model.parameters():
                if p.ndim > 1:
                    change(p)

    return after


# Data -------------------------------------------------------------------------------------------


def topics(
    n: int = 800, words: int = 60, length: int = 12, classes: int = 4, pure: float = 0.5
) -> Data:
    """Texts as (N, L) words from 1 on; a share `pure` of each is drawn from its topic's words."""
    y = torch.randint(0, classes, (n + 400,))
    own = words // classes
    x = torch.randint(1, words, (len(y), length))
    of_topic = 1 + (y[:, None] * own + torch.randint(0, own - 1, x.shape)) % (words - 1)
    return split(torch.where(torch.rand(x.shape) < pure, of_topic, x), y, n)


def twins(n: int = 900) -> Data:
    """Pairs of digits as (2, 64); the target is 1.0 where both show the same one."""
    d = digits(1700)
    x, y = d.x.flatten(1), d.y
    first = torch.randint(0, len(x), (n + 400,))
    second = torch.randint(0, len(x), first.shape)
    for i in range(0, len(first), 2):
        same = (y == y[first[i]]).nonzero()[:, 0]
        second[i] = same[torch.randint(0, len(same), ())]
    alike = (y[first] == y[second]).float()[:, None]
    order = torch.randperm(len(first))
    return split(torch.stack([x[first], x[second]], 1)[order], alike[order], n)


def grainy(n: int = 500, noise: float = 0.4) -> Data:
    """Standardised digits under noise; the target is the clean picture."""
    d = digits(n)
    clean = (torch.cat([d.x, d.val_x]) - d.x.mean()) / d.x.std()
    clean = clean[: n + 250]
    return split(clean + noise * torch.randn_like(clean), clean, n)


def centred(n: int = 1000) -> Data:
    """Digits as (64,), less their mean, to be rebuilt."""
    d = digits(n)
    x = torch.cat([d.x, d.val_x]).flatten(1)
    x = (x - x.mean(0)) / x.std()
    return split(x, x, n)
