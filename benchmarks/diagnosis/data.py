"""Small data sets, whole in memory, so that a proof can look at every sample."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from sklearn import datasets
from torch import Tensor

Batch = tuple[Tensor, Tensor]


@dataclass
class Data:
    x: Tensor
    y: Tensor
    val_x: Tensor
    val_y: Tensor

    @property
    def whole(self) -> Batch:
        return self.x, self.y

    @property
    def validation(self) -> Batch:
        return self.val_x, self.val_y

    def batches(self, n: int) -> Iterator[Batch]:
        """Shuffled epochs without end; the last, smaller batch is left out."""
        n = min(n, len(self.x))
        while True:
            order = torch.randperm(len(self.x))
            for i in range(0, len(order) - n + 1, n):
                yield self.x[order[i : i + n]], self.y[order[i : i + n]]


def split(x: Tensor, y: Tensor, train: int) -> Data:
    return Data(x[:train], y[:train], x[train:], y[train:])


# Made up ----------------------------------------------------------------------------------------


def vectors(
    n: int = 1024, classes: int = 4, noise: float = 0.0, scale: float = 1.0, dims: int = 16
) -> Data:
    """Classes of a random linear teacher; a share of `noise` of the labels is drawn anew."""
    x = torch.randn(n + 512, dims)
    y = (x @ torch.randn(dims, classes)).argmax(1)
    flip = torch.rand(len(x)) < noise
    y = torch.where(flip, torch.randint(0, classes, (len(x),)), y)
    return split(scale * x, y, n)


def bent(n: int = 1024, classes: int = 4, dims: int = 16) -> Data:
    """Classes of a random two-layer teacher: no linear model gets them all."""
    x = torch.randn(n + 512, dims)
    hidden = torch.tanh(x @ torch.randn(dims, 24))
    return split(x, (hidden @ torch.randn(24, classes)).argmax(1), n)


def numbers(n: int = 1024, scale: float = 1.0, shift: float = 0.0, noise: float = 0.0) -> Data:
    """A linear function of 16 inputs with a little bend, to be regressed."""
    x = torch.randn(n + 512, 16)
    y = x @ torch.randn(16, 1) / 4 + 0.3 * torch.sin(2 * x[:, :1])
    y = y + noise * torch.randn_like(y)
    return split(x, scale * y + shift, n)


def waves(n: int = 512) -> Data:
    """y = sin of one number, over two periods."""
    x = 4 * torch.rand(n + 256, 1) - 2
    return split(x, torch.sin(math.pi * x), n)


def rings(n: int = 768) -> Data:
    """Three noisy rings in the plane."""
    y = torch.randint(0, 3, (n + 384,))
    angle = 2 * math.pi * torch.rand(len(y))
    radius = y + 1 + 0.15 * torch.randn(len(y))
    return split(torch.stack([radius * angle.cos(), radius * angle.sin()], 1), y, n)


def spirals(n: int = 768) -> Data:
    """Two arms that wind around each other once and a half."""
    y = torch.randint(0, 2, (n + 384,))
    t = torch.rand(len(y)).sqrt()
    angle = 3 * math.pi * t + math.pi * y
    x = torch.stack([t * angle.cos(), t * angle.sin()], 1) * 2
    return split(x + 0.03 * torch.randn_like(x), y, n)


def images(n: int = 512, noise: float = 0.5) -> Data:
    """8x8 pictures, four classes: which quadrant is bright."""
    y = torch.randint(0, 4, (n + 256,))
    x = noise * torch.randn(len(y), 3, 8, 8)
    for i, quadrant in enumerate(y.tolist()):
        row, column = 4 * (quadrant // 2), 4 * (quadrant % 2)
        x[i, :, row : row + 4, column : column + 4] += 1.0
    return split(x, y, n)


def tokens(n: int = 1024, length: int = 8) -> Data:
    """Sequences of 20 symbols; the class is the first of them, modulo 4."""
    x = torch.randint(0, 20, (n + 256, length))
    return split(x, x[:, 0] % 4, n)


def text(n: int = 512, length: int = 16, symbols: int = 24) -> Data:
    """Sentences of a random Markov chain; the targets are the next symbols. A few are rare."""
    table = torch.softmax(2.5 * torch.randn(symbols, symbols) - 0.15 * torch.arange(symbols), 1)
    walk = torch.randint(0, symbols, (n + 256, 1))
    columns = [walk]
    for _ in range(length):
        columns.append(torch.multinomial(table[columns[-1][:, 0]], 1))
    whole = torch.cat(columns, 1)
    return split(whole[:, :-1], whole[:, 1:], n)


def clock(p: int = 13) -> Data:
    """(a, b) -> a + b modulo p: every pair once, a third of them held back."""
    pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
    pairs = pairs[torch.randperm(len(pairs))]
    return split(pairs, pairs.sum(1) % p, int(0.7 * len(pairs)))


# Real, and shipped with scikit-learn --------------------------------------------------------------


def _shuffled(x: Tensor, y: Tensor, train: int) -> Data:
    order = torch.randperm(len(x))
    return split(x[order], y[order], train)


def digits(n: int = 1200, scale: float = 1 / 16) -> Data:
    """8x8 handwritten digits as (1, 8, 8)."""
    x, y = datasets.load_digits(return_X_y=True)
    return _shuffled(scale * torch.tensor(x).float().reshape(-1, 1, 8, 8), torch.tensor(y), n)


def cancer(*, raw: bool = False) -> Data:
    """30 measurements of cell nuclei, benign or malignant; `raw` keeps their units."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    x = torch.tensor(x).float()
    x = x if raw else (x - x.mean(0)) / x.std(0)
    return _shuffled(x, torch.tensor(y), 400)


def diabetes(*, raw: bool = False) -> Data:
    """10 measurements; how far the disease has gone a year later. `raw`: 25 to 346."""
    x, y = datasets.load_diabetes(return_X_y=True)
    x, y = torch.tensor(x).float(), torch.tensor(y).float()[:, None]
    return _shuffled(x / x.std(0), y if raw else (y - y.mean()) / y.std(), 320)


def wine(*, raw: bool = False) -> Data:
    """13 chemical measurements of three wines; `raw` keeps proline in the hundreds."""
    x, y = datasets.load_wine(return_X_y=True)
    x = torch.tensor(x).float()
    return _shuffled(x if raw else (x - x.mean(0)) / x.std(0), torch.tensor(y), 120)


def digits_flat(n: int = 1200) -> Data:
    """The first 16 principal directions of the digits, whitened; four classes, digit modulo 4."""
    whole = digits(len(datasets.load_digits().target) - 1)
    x = torch.cat([whole.x, whole.val_x]).flatten(1)
    y = torch.cat([whole.y, whole.val_y]) % 4
    u, _, _ = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    x = u[:, :16] * len(x) ** 0.5
    return split(x, y, n)


def spirals_16() -> Data:
    """The spirals, seen through 16 random directions; two of the four classes occur."""
    flat = spirals()
    view = torch.randn(2, 16) / 2**0.5
    return Data(flat.x @ view, flat.y, flat.val_x @ view, flat.val_y)
