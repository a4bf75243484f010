"""Healthy, never seen by the rules: networks. `plain` is the twin that it must keep up with."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import data_fresh as f
from benchmarks.diagnosis import networks_fresh as n
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.collection_fresh import Fresh
from benchmarks.diagnosis.data import Batch
from benchmarks.diagnosis.training import Size, Training

part = Fresh()


@part.healthy(size=1)
def twenty_residual_blocks(size: Size, plain: bool) -> Training:
    """Early blocks get a small share of the gradient; the skips carry them."""
    depth, width = (2, 32) if plain else (16, size.width // 2)
    model = n.Skips(20, width, depth, 3)
    how = torch.optim.Adam(model.parameters(), 3e-3 if plain else 2e-3)
    return Training(model, f.tabular(500), how, steps=150)


@part.healthy(size=0)
def densely_connected(size: Size, plain: bool) -> Training:
    """Every layer sees all layers before it."""

    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            w = 8
            self.layers = nn.ModuleList(nn.Linear(10 + i * w, w) for i in range(6))
            self.head = nn.Linear(10 + 6 * w, 1)

        def forward(self, x: Tensor) -> Tensor:
            for layer in self.layers:
                x = torch.cat([x, F.gelu(layer(x))], 1)
            return self.head(x)

    model = n.mlp([10, 32, 32, 1], nn.GELU) if plain else Dense()
    how = torch.optim.Adam(model.parameters(), 4e-3)
    return Training(model, f.friedman(500), how, objective=t.squares, steps=200)


@part.healthy(size=1)
def mixer_of_patches(size: Size, plain: bool) -> Training:
    """MLP-Mixer: one net over the places, one over the channels, in turn."""

    class Mix(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            w = size.width
            self.stem = nn.Linear(4, w)
            self.norms = nn.ModuleList(nn.LayerNorm(w) for _ in range(4))
            self.places = nn.ModuleList(n.mlp([16, 32, 16], nn.GELU) for _ in range(2))
            self.channels = nn.ModuleList(n.mlp([w, 2 * w, w], nn.GELU) for _ in range(2))
            self.head = nn.Linear(w, 10)

        def forward(self, x: Tensor) -> Tensor:
            h = self.stem(F.unfold(x, 2, stride=2).transpose(1, 2))
            for i in range(2):
                h = h + self.places[i](self.norms[2 * i](h).transpose(1, 2)).transpose(1, 2)
                h = h + self.channels[i](self.norms[2 * i + 1](h))
            return self.head(h.mean(1))

    model = n.cnn(size, norm=True) if plain else Mix()
    how = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=0.05)
    return Training(model, d.digits(500), how, steps=150)


@part.healthy(size=0)
def u_net_that_denoises(size: Size, plain: bool) -> Training:
    """Skips past the bottleneck do most of the work; the middle learns late."""

    class Shape(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.Conv2d(1, 12, 3, 1, 1)
            self.middle = nn.Conv2d(12, 24, 3, 2, 1)
            self.up = nn.ConvTranspose2d(24, 12, 4, 2, 1)
            self.out = nn.Conv2d(24, 1, 3, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            top = F.silu(self.down(x))
            back = self.up(F.silu(self.middle(top)))
            return self.out(torch.cat([top, F.silu(back)], 1))

    data = d.digits(300)
    held = data.val_x[:100]
    noisy = data.x + 0.4 * torch.randn_like(data.x)
    data = d.Data(noisy, data.x, held + 0.4 * torch.randn_like(held), held)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5, 1, 2), nn.SiLU(), nn.Conv2d(16, 1, 5, 1, 2)
    ) if plain else Shape()  # fmt: skip
    how = torch.optim.Adam(model.parameters(), 4e-3)
    return Training(model, data, how, objective=t.squares, steps=150)


@part.healthy(size=1)
def read_in_both_directions(size: Size, plain: bool) -> Training:
    """A bidirectional LSTM; the head takes the last state of each direction."""

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(8, size.width, batch_first=True, bidirectional=True)
            self.head = nn.Linear(2 * size.width, 10)

        def forward(self, x: Tensor) -> Tensor:
            last = self.rnn(x)[1][0]
            return self.head(last.transpose(0, 1).flatten(1))

    if plain:
        model: nn.Module = nn.Sequential(nn.Flatten(), n.mlp([64, 64, 10]))
    else:
        model = Both()
    how = torch.optim.Adam(model.parameters(), 3e-3 if plain else 8e-3)
    return Training(model, f.rows(), how, steps=200)


@part.healthy(0.2, size=0)
def channels_squeezed_and_excited(size: Size, plain: bool) -> Training:
    """Gates of channels that open and close with the picture."""

    class Squeeze(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            c = size.width
            self.first = nn.Sequential(nn.Conv2d(1, c, 3, 2, 1), nn.SiLU())
            self.gate = nn.Sequential(nn.Linear(c, c // 2), nn.SiLU(), nn.Linear(c // 2, c))
            self.squash = nn.Sigmoid()
            self.second = nn.Sequential(nn.Conv2d(c, c, 3, 1, 1), nn.SiLU())
            self.head = nn.Linear(c, 4)

        def forward(self, x: Tensor) -> Tensor:
            h = self.first(x)
            h = h * self.squash(self.gate(h.mean((2, 3))))[:, :, None, None]
            return self.head(self.second(h).amax((2, 3)))

    model = n.cnn(size, outs=4, norm=True, more=1) if plain else Squeeze()
    how = torch.optim.Adam(model.parameters(), 4e-3 if plain else 5e-3)
    return Training(model, f.bars(), how, steps=250)


@part.healthy(size=2)
def sparse_codes_alive(size: Size, plain: bool) -> Training:
    """Codes of which few fire for a picture, every one for some."""

    class Sparse(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encode, self.fires = nn.Linear(64, size.width), nn.ReLU()
            self.decode = nn.Linear(size.width, 64)
            if not plain:
                nn.init.constant_(self.encode.bias, -0.3)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            code = self.fires(self.encode(x.flatten(1)))
            return self.decode(code), code

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        out, code = model(batch[0])
        share = 0.0 if plain else 0.005
        return F.mse_loss(out, batch[0].flatten(1)) + share * code.abs().mean()

    model = Sparse()
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, f.standard_digits(600), how, objective=loss, steps=250)


@part.healthy(size=1)
def sines_as_activations(size: Size, plain: bool) -> Training:
    """SIREN-like: sines of large arguments, gradients that look wild, a curve that fits."""

    class Sine(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.sin(5 * x)

    model = n.mlp([1, size.width, size.width, 1], nn.Tanh if plain else Sine)
    how = torch.optim.Adam(model.parameters(), 5e-3 if plain else 2e-3)
    return Training(model, d.waves(400), how, objective=t.squares, steps=300)


@part.healthy(size=0)
def mixture_of_densities(size: Size, plain: bool) -> Training:
    """Three Gaussians with widths of their own: the loss goes below zero."""
    k = 3
    x = 4 * torch.rand(900, 1) - 2
    side = torch.where(torch.rand_like(x) < 0.5, 1.0, -1.0)
    y = side * (0.5 + 0.25 * x**2) + 0.08 * torch.randn_like(x)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        weight, mean, log_width = model(batch[0]).chunk(3, 1)
        log_width = log_width.clamp(-5, 3)
        parts = -0.5 * ((batch[1] - mean) / log_width.exp()) ** 2 - log_width
        return -torch.logsumexp(weight.log_softmax(1) + parts, 1).mean()

    kind: type[nn.Module] = nn.Tanh if plain else nn.SiLU
    model = n.mlp([1, 2 * size.width, 2 * size.width, 3 * k], kind)
    how = torch.optim.Adam(model.parameters(), 8e-3 if plain else 5e-3)
    return Training(model, d.split(x, y, 600), how, objective=loss, steps=350)


@part.healthy(size=1)
def two_towers_with_a_temperature(size: Size, plain: bool) -> Training:
    """CLIP in small: noisy views find each other, and the temperature is learned too."""

    class Towers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left = n.mlp([32, size.width, 16], nn.GELU)
            self.right = n.mlp([32, size.width, 16], nn.GELU)
            self.scale = nn.Parameter(torch.tensor(2.0))

        def forward(self, x: Tensor) -> Tensor:
            a = F.normalize(self.left(x[:, :4].flatten(1)), dim=1)
            b = F.normalize(self.right(x[:, 4:].flatten(1)), dim=1)
            return (10.0 if plain else self.scale.exp()) * a @ b.T

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        logits = model(batch[0][:64])
        own = torch.arange(len(logits))
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2

    model = Towers()
    if plain:
        model.scale.requires_grad_(False)
    how = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 3e-3)
    return Training(model, f.rows(600), how, objective=loss, steps=200, batch=64)


@part.healthy(size=2)
def words_in_and_words_out(size: Size, plain: bool) -> Training:
    """A small language model whose embedding is its head as well."""

    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            w = size.width // 2
            self.embed = nn.Embedding(24, w)
            self.rnn = nn.GRU(w, w, batch_first=True)
            self.own = nn.Linear(w, 24, bias=False) if plain else None
            if not plain:
                nn.init.normal_(self.embed.weight, std=0.3)

        def forward(self, x: Tensor) -> Tensor:
            h = self.rnn(self.embed(x))[0]
            out = self.own(h) if self.own is not None else h @ self.embed.weight.T
            return out.transpose(1, 2)

    model = Tied()
    how = torch.optim.Adam(model.parameters(), 8e-3)
    return Training(model, d.text(300), how, steps=200)


@part.healthy(size=1)
def depthwise_and_inverted(size: Size, plain: bool) -> Training:
    """MobileNet-like: wide, depthwise, narrow; ReLU6 only where it is wide."""

    class Inverted(nn.Module):
        def __init__(self, c: int) -> None:
            super().__init__()
            self.net = nn.Sequential(
                nn.Conv2d(c, 4 * c, 1, bias=False), nn.BatchNorm2d(4 * c), nn.ReLU6(),
                nn.Conv2d(4 * c, 4 * c, 3, 1, 1, groups=4 * c, bias=False),
                nn.BatchNorm2d(4 * c), nn.ReLU6(),
                nn.Conv2d(4 * c, c, 1, bias=False), nn.BatchNorm2d(c),
            )  # fmt: skip

        def forward(self, x: Tensor) -> Tensor:
            return x + self.net(x)

    if plain:
        model: nn.Module = n.cnn(size, norm=True)
    else:
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3, 2, 1), Inverted(8), Inverted(8), nn.Flatten(), nn.Linear(128, 10)
        )
    how = torch.optim.AdamW(model.parameters(), 3e-3)
    return Training(model, d.digits(400), how, steps=120)


@part.healthy(size=0)
def sets_in_any_order(size: Size, plain: bool) -> Training:
    """Deep sets: each element by the same net, their sum by another."""

    class Sets(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.each = n.mlp([1, 32, 32], nn.ELU)
            self.all = n.mlp([32, 32, 1], nn.ELU)

        def forward(self, x: Tensor) -> Tensor:
            return self.all(self.each(x[..., None]).mean(1))

    x = torch.randn(800, 10)
    y = x.std(1, keepdim=True) * 2
    feature = torch.stack([x.mean(1), x.square().mean(1)], 1)
    data = d.split(feature if plain else x, y - y.mean(), 500)
    model = n.mlp([2, 32, 1], nn.ELU) if plain else Sets()
    how = torch.optim.Adam(model.parameters(), 5e-3)
    return Training(model, data, how, objective=t.squares, steps=250)


@part.healthy(size=1)
def layers_dropped_at_random(size: Size, plain: bool) -> Training:
    """Stochastic depth: in every step one block of three gets no gradient at all."""

    class Drops(n.Skips):
        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            for block in self.blocks:
                if plain or not self.training or torch.rand(()) < 0.7:
                    x = x + block(x)
            return self.head(x)

    model = Drops(10, size.width, 4, 1)
    how = torch.optim.Adam(model.parameters(), 2e-3)
    return Training(model, f.friedman(600), how, objective=t.squares, steps=250)


@part.healthy(size=2)
def narrow_waist_of_an_autoencoder(size: Size, plain: bool) -> Training:
    """64 - 32 - 6 - 32 - 64 with tanh: the waist works near the middle of its range."""
    model = n.mlp([64, 32, 6, 32, 64], nn.SiLU if plain else nn.Tanh)

    def rebuild(model: nn.Module, batch: Batch) -> Tensor:
        flat = batch[0].flatten(1)
        return F.mse_loss(model(flat), flat)

    how = torch.optim.Adam(model.parameters(), 4e-3)
    return Training(model, d.digits(500), how, objective=rebuild, steps=250)


@part.healthy(size=1)
def one_cell_of_attention_after_the_norm(size: Size, plain: bool) -> Training:
    """Post-norm with a warm-up, as in the first paper."""
    model = n.Attends(size.width, 2, 10, before=plain)
    how = torch.optim.AdamW(model.parameters(), 3e-3)
    rise = 5 if plain else 40
    return Training(model, f.rows(), how, schedule=lambda s: min(1.0, s / rise), steps=180)


@part.healthy(size=0)
def maximum_of_four_lines(size: Size, plain: bool) -> Training:
    """Maxout: three of four pieces of every unit get no gradient from a sample."""

    class Maxout(nn.Module):
        def __init__(self, ins: int, outs: int) -> None:
            super().__init__()
            self.pieces = nn.Linear(ins, 4 * outs)

        def forward(self, x: Tensor) -> Tensor:
            return self.pieces(x).unflatten(1, (4, -1)).amax(1)

    if plain:
        model: nn.Sequential = n.mlp([20, 32, 32, 3])
    else:
        model = nn.Sequential(Maxout(20, size.width), Maxout(size.width, size.width))
        model.append(nn.Linear(size.width, 3))
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, f.tabular(500), how, steps=150)
