"""Data sets of the split that the rules have never seen."""

from __future__ import annotations

import math

import torch
from sklearn import datasets
from torch import Tensor

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis.data import Data, split


def _state() -> int:
    return int(torch.randint(0, 100_000, ()))


def _float(x: object) -> Tensor:
    return torch.as_tensor(x).float()


def friedman(n: int = 800, noise: float = 0.5) -> Data:
    """Friedman's first regression: five of ten inputs count, one of them by a sine."""
    x, y = datasets.make_friedman1(n + 400, n_features=10, noise=noise, random_state=_state())
    y = (y - y.mean()) / y.std()
    return split(2 * _float(x) - 1, _float(y)[:, None], n)


def moons(n: int = 512, noise: float = 0.15) -> Data:
    x, y = datasets.make_moons(n + 256, noise=noise, random_state=_state())
    return split(_float(x), torch.as_tensor(y), n)


def tabular(n: int = 900, flipped: float = 0.0, weights: tuple[float, ...] = ()) -> Data:
    """Twenty columns, three classes in six clusters, some columns that say nothing."""
    x, y = datasets.make_classification(
        n + 450, 20, n_informative=8, n_redundant=4, n_classes=3, n_clusters_per_class=2,
        flip_y=flipped, weights=list(weights) or None, class_sep=1.5, random_state=_state(),
    )  # fmt: skip
    x = _float(x)
    return split((x - x.mean(0)) / x.std(0), torch.as_tensor(y), n)


def rows(n: int = 300) -> Data:
    """Digits read row by row: sequences of 8 vectors of 8 pixels."""
    whole = few(d.digits(n), n)
    return Data(whole.x[:, 0], whole.y, whole.val_x[:, 0], whole.val_y)


def series(n: int = 700, length: int = 20, noise: float = 0.1) -> Data:
    """Windows of two noisy sines with a phase of their own; the target is the next value."""
    t = torch.arange(length + 1.0)
    m = n + 300
    phase = 2 * math.pi * torch.rand(m, 2, 1)
    period = torch.tensor([[[7.0], [12.0]]])
    x = torch.sin(2 * math.pi * t / period + phase).sum(1) + noise * torch.randn(m, length + 1)
    return split(x[:, :-1, None], x[:, -1:], n)


def ratings(n: int = 3000, users: int = 60, items: int = 40, noise: float = 0.3) -> Data:
    """(user, item) -> how much it is liked: three tastes, and a mean of 3.5."""
    m = n + 1000
    who, what = torch.randint(0, users, (m,)), torch.randint(0, items, (m,))
    likes = (torch.randn(users, 3)[who] * torch.randn(items, 3)[what]).sum(1) / 3**0.5
    y = 3.5 + likes + noise * torch.randn(m)
    return split(torch.stack([who, what], 1), y[:, None], n)


def reviews(n: int = 500, words: int = 80, length: int = 12) -> Data:
    """Bags of words, each with a mood; good or bad on the whole."""
    mood = torch.randn(words)
    x = torch.randint(0, words, (n + 450, length))
    return split(x, (mood[x].sum(1) > 0).long(), n)


def bars(n: int = 300, noise: float = 0.4) -> Data:
    """12x12 pictures of a horizontal bar, a vertical bar, a diagonal or nothing."""
    m = n + 150
    y = torch.randint(0, 4, (m,))
    x = noise * torch.randn(m, 1, 12, 12)
    place = torch.randint(1, 11, (m,)).tolist()
    for i, (kind, at) in enumerate(zip(y.tolist(), place, strict=True)):
        if kind == 0:
            x[i, 0, at] += 1
        elif kind == 1:
            x[i, 0, :, at] += 1
        elif kind == 2:
            x[i, 0] += torch.eye(12)
    return split(x, y, n)


def parity(n: int = 1024, bits: int = 8, of: int = 2) -> Data:
    """Signs; the class is the parity of the first few of them."""
    x = (torch.rand(n + 400, bits) < 0.5).float() * 2 - 1
    return split(x, (x[:, :of].prod(1) > 0).long(), n)


def recall(n: int = 900, length: int = 8, symbols: int = 6) -> Data:
    """Sequences of symbols; the class is the one at the third place."""
    x = torch.randint(1, symbols + 1, (n + 400, length))
    return split(x, x[:, 2] - 1, n)


def survival(n: int = 800) -> Data:
    """Times to an event and whether it was seen (or the patient left before)."""
    x = torch.randn(n + 400, 8)
    risk = x[:, 0] + 0.7 * x[:, 1] - 0.5 * x[:, 2] * x[:, 3]
    time = -torch.log(torch.rand(len(x))) * torch.exp(-risk)
    left = -torch.log(torch.rand(len(x))) * 3
    return split(x, torch.stack([torch.minimum(time, left), (time < left).float()], 1), n)


def standard_digits(n: int = 900) -> Data:
    """Flat digits of mean 0 and variance 1, pixels that never change left at 0."""
    whole = d.digits(n)
    x = torch.cat([whole.x, whole.val_x]).flatten(1)
    x = (x - x.mean(0)) / x.std(0).clamp_min(1e-3)
    return split(x, torch.cat([whole.y, whole.val_y]), n)


def few(data: Data, n: int, held: int = 300) -> Data:
    """The first n samples to train by, and not too many to validate."""
    return Data(data.x[:n], data.y[:n], data.val_x[:held], data.val_y[:held])
