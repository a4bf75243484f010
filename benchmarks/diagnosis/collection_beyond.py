"""The split "beyond": the faults and the scares that people meet most often, in textbook form."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD

from benchmarks.diagnosis.collection_fresh import Fresh
from benchmarks.diagnosis.collection_outside import Skip
from benchmarks.diagnosis.data import Batch, Data

beyond = Fresh("beyond")


class NeverZeroed(SGD):
    """SGD in a loop whose author forgot `zero_grad()`."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        pass


class Lambda(nn.Module):
    """What a `forward` does between two modules."""

    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)  # type: ignore[operator]


def cnn(
    channels: int = 8, classes: int = 10, act: type[nn.Module] = nn.ReLU, *, norm: bool = False
) -> nn.Sequential:
    """Two convolutions with pooling behind each, and a linear head: (N, 1, 8, 8) -> (N, C)."""
    layers: list[nn.Module] = []
    for n, m in ((1, channels), (channels, 2 * channels)):
        layers.append(nn.Conv2d(n, m, 3, padding=1))
        layers += [nn.BatchNorm2d(m)] if norm else []
        layers += [act(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * channels, classes))


def resnet(channels: int = 8, depth: int = 3, classes: int = 10) -> nn.Sequential:
    """A stem, residual blocks with batch norm, mean over the picture, a linear head."""

    def block() -> nn.Module:
        inner = [nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()]
        again = [nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)]
        return nn.Sequential(Skip(nn.Sequential(*inner, *again)), nn.ReLU())

    stem = [nn.Conv2d(1, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()]
    blocks = [block() for _ in range(depth)]
    tail = [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, classes)]
    return nn.Sequential(*stem, nn.MaxPool2d(2), *blocks, *tail)


def few(data: Data, n: int, flip: float = 0.0) -> Data:
    """The first n samples for training; a share of `flip` of the labels is drawn anew."""
    y = data.y[:n].clone()
    if flip:
        wrong = torch.rand(n) < flip
        y[wrong] = torch.randint(0, int(data.y.max()) + 1, (int(wrong.sum()),))
    return Data(data.x[:n], y, data.val_x, data.val_y)


def smooth(model: nn.Module, batch: Batch) -> Tensor:
    return F.cross_entropy(model(batch[0]), batch[1], label_smoothing=0.2)
