"""The networks that are trained, small enough for two seconds."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.training import Size

Kind = type[nn.Module]


def stack(
    size: Size,
    activation: Kind = nn.ReLU,
    norm: Kind | None = None,
    *,
    depth: int | None = None,
    ins: int = 16,
    outs: int = 4,
    gain: float | None = None,
) -> nn.Sequential:
    """A plain network; with `gain`, weights of standard deviation gain / sqrt(fan_in)."""
    layers: list[nn.Module] = []
    width = ins
    for _ in range(size.depth if depth is None else depth):
        layers.append(nn.Linear(width, size.width))
        if norm is not None:
            layers.append(norm(size.width))
        layers.append(activation())
        width = size.width
    model = nn.Sequential(*layers, nn.Linear(width, outs))
    return model if gain is None else scaled(model, gain)


def scaled(model: nn.Sequential, gain: float) -> nn.Sequential:
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.normal_(module.weight, std=gain / module.weight[0].numel() ** 0.5)
    return model


class Residual(nn.Module):
    """x + f(norm(x)) blocks between a stem and a head; `zero` starts every branch at zero."""

    def __init__(
        self,
        size: Size,
        *,
        zero: bool = False,
        norm: bool = True,
        activation: Kind = nn.ReLU,
        ins: int = 16,
        outs: int = 4,
    ) -> None:
        super().__init__()
        width = size.width
        self.stem = nn.Linear(ins, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width) if norm else nn.Identity(),
                nn.Linear(width, width),
                activation(),
                nn.Linear(width, width),
            )
            for _ in range(size.depth)
        )
        self.head = nn.Linear(width, outs)
        if zero:
            for block in self.blocks:
                nn.init.zeros_(block[-1].weight)  # type: ignore[index]
                nn.init.zeros_(block[-1].bias)  # type: ignore[index]

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


class ConvBlock(nn.Module):
    def __init__(self, width: int, norm: Kind = nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, width, 3, padding=1, bias=False), norm(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), norm(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


def channels(size: Size) -> int:
    return max(6, size.width // 4)


def resnet(size: Size, *, ins: int = 3, outs: int = 4) -> nn.Sequential:
    width = channels(size)
    blocks = [ConvBlock(width) for _ in range(max(2, size.depth // 2))]
    return nn.Sequential(
        nn.Conv2d(ins, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, outs),
    )  # fmt: skip


def conv_stack(
    size: Size, activation: Kind = nn.ReLU, *, ins: int = 3, outs: int = 4, depth: int | None = None
) -> nn.Sequential:
    """Convolutions on 8x8 pictures without normalisation."""
    width = channels(size)
    layers: list[nn.Module] = [nn.Conv2d(ins, width, 3, padding=1), activation()]
    for _ in range((depth or size.depth) - 2):
        layers += [nn.Conv2d(width, width, 3, padding=1), activation()]
    return nn.Sequential(*layers, nn.AvgPool2d(4), nn.Flatten(), nn.Linear(4 * width, outs))


class Transformer(nn.Module):
    """An encoder that reads the class off the first token, or the next symbol off each."""

    def __init__(
        self,
        size: Size,
        *,
        pre_norm: bool = True,
        symbols: int = 20,
        length: int = 8,
        outs: int = 4,
        causal: bool = False,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.causal = causal
        self.embed = nn.Embedding(symbols, size.width)
        self.position = nn.Parameter(0.02 * torch.randn(length, size.width))
        layer = nn.TransformerEncoderLayer(
            size.width, 4, 2 * size.width, dropout, norm_first=pre_norm, batch_first=True
        )
        self.body = nn.TransformerEncoder(
            layer, max(2, size.depth // 3), enable_nested_tensor=False
        )
        self.head = nn.Linear(size.width, outs)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x) + self.position[: x.shape[1]]
        if not self.causal:
            return self.head(self.body(h)[:, 0])
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        return self.head(self.body(h, mask=mask, is_causal=True)).transpose(1, 2)


class LowRank(nn.Module):
    """A frozen linear layer and a trainable low-rank correction that starts at zero (LoRA)."""

    def __init__(self, base: nn.Linear, rank: int = 4) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.a = nn.Linear(base.in_features, rank, bias=False)
        self.b = nn.Linear(rank, base.out_features, bias=False)
        nn.init.zeros_(self.b.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.b(self.a(x))


class Recurrent(nn.Module):
    """Embedding, an RNN of some kind, and a head on its last state or on all of them."""

    def __init__(
        self,
        size: Size,
        kind: Kind = nn.LSTM,
        *,
        symbols: int = 20,
        outs: int = 4,
        layers: int = 1,
        every: bool = False,
    ) -> None:
        super().__init__()
        self.every = every
        self.embed = nn.Embedding(symbols, size.width)
        self.rnn = kind(size.width, size.width, num_layers=layers, batch_first=True)
        self.head = nn.Linear(size.width, outs)

    def forward(self, x: Tensor) -> Tensor:
        states = self.rnn(self.embed(x))[0]
        return self.head(states).transpose(1, 2) if self.every else self.head(states[:, -1])
