"""Sick, held out: the gradients. Rules must not be tuned by these."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import networks as n
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.cases import TOO_FAST, Collection
from benchmarks.diagnosis.data import Batch
from benchmarks.diagnosis.training import Size, Training

part = Collection("held_out")
STUCK = "loss.flat loss.plateau_early weight.not_updating"


# Vanishing --------------------------------------------------------------------------------------


@part.sick("gradient.vanishing", STUCK)
def deep_sigmoid_autoencoder(size: Size, cured: bool) -> Training:
    kind: type[nn.Module] = nn.GELU if cured else nn.Sigmoid
    model = n.stack(size, kind, nn.LayerNorm if cured else None, depth=size.depth + 4, outs=16)
    how = t.optimizer(model, size, sgd=0.5, adam=1e-3)
    return Training(model, d.vectors(), how, objective=t.rebuild, steps=200)


@part.sick("gradient.vanishing", STUCK)
def deep_softsign_regression(size: Size, cured: bool) -> Training:
    gain = 1.6 if cured else 0.25
    model = n.stack(size, nn.Softsign, depth=size.depth + 6, outs=1, gain=gain)
    how = torch.optim.SGD(model.parameters(), 0.02)
    return Training(model, d.numbers(), how, objective=t.squares, steps=200)


@part.sick("loss.flat", "gradient.vanishing weight.not_updating")
def branches_scaled_away(size: Size, cured: bool) -> Training:
    """Each block multiplies its output by a tenth, as layer scale does, but without a skip."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(size.width, size.width) for _ in range(6))
            self.stem, self.head = nn.Linear(16, size.width), nn.Linear(size.width, 4)

        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            for layer in self.layers:
                x = 0.1 * F.silu(layer(x)) + (x if cured else 0)
            return self.head(x)

    model = Scaled()
    return Training(model, d.vectors(), torch.optim.SGD(model.parameters(), 0.2), steps=200)


@part.sick("gradient.vanishing", STUCK)
def deep_tanh_convolutions_too_small(size: Size, cured: bool) -> Training:
    model = n.conv_stack(size, nn.Tanh, ins=1, outs=10, depth=size.depth + 4)
    n.scaled(model, 1.0 if cured else 0.25)
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, d.digits(600), how, steps=100)


# Exploding --------------------------------------------------------------------------------------


@part.sick("gradient.exploding", TOO_FAST)
def heavy_ball_regression(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.SiLU, depth=2, outs=1)
    how = torch.optim.SGD(model.parameters(), 0.005 if cured else 0.6, momentum=0.99)
    return Training(model, d.numbers(), how, objective=t.squares, steps=60)


@part.sick("gradient.exploding", TOO_FAST, "loss.flat")
def autoencoder_of_unscaled_pixels(size: Size, cured: bool) -> Training:
    """Pixels of 0 to 4, a rate made for 0 to 1."""

    def rebuild(model: nn.Module, batch: Batch) -> Tensor:
        return F.mse_loss(model(batch[0]), batch[0].flatten(1))

    model = nn.Sequential(nn.Flatten(), n.stack(size, nn.SiLU, depth=3, ins=64, outs=64))
    rate = 0.05 if cured else (1.2, 1.0, 0.6)[size.variant]
    how = torch.optim.SGD(model.parameters(), rate)
    return Training(model, d.digits(scale=1 / 4), how, objective=rebuild, steps=60)


@part.sick(
    "gradient.exploding",
    "activation.saturated loss.flat loss.unstable loss.plateau_early weight.not_updating",
)
def deep_regression_too_large(size: Size, cured: bool) -> Training:
    """Over depth: each layer of tanh with large weights multiplies what comes back."""
    depth = size.depth + 14
    model = n.stack(size, nn.Tanh, depth=depth, outs=1, gain=1.0 if cured else 5.0)
    how = torch.optim.Adam(model.parameters(), 1e-3 if cured else 1e-5)
    return Training(model, d.numbers(), how, objective=t.squares, steps=150)


# Not finite -------------------------------------------------------------------------------------


@part.sick("gradient.nonfinite", "loss.nonfinite")
def angle_of_equal_vectors(size: Size, cured: bool) -> Training:
    """acos of a cosine that is one: the derivative is infinite."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        z = F.normalize(model(batch[0]), dim=1)
        same = (z * z.detach()).sum(1)
        same = same / same.detach()
        return F.cross_entropy(4 * z, batch[1]) + torch.acos(0.99 * same if cured else same).mean()

    model = n.stack(size, nn.GELU, depth=2)
    how = torch.optim.Adam(model.parameters(), 1e-3)
    return Training(model, d.vectors(), how, objective=loss, steps=40)


@part.sick("gradient.nonfinite", "loss.nonfinite")
def spread_of_constant_pictures(size: Size, cured: bool) -> Training:
    """Standardised picture by picture; one of them is all black: the root of a variance of 0."""

    class Standard(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, padding=1, bias=False)
            self.head = nn.Linear(8 * 64, 4)

        def forward(self, x: Tensor) -> Tensor:
            h = self.conv(x).flatten(1)
            spread = h.var(1, keepdim=True).sqrt()
            return self.head(F.relu(h / (spread + 1e-3)))

    def black(batch: Batch, step: int) -> Batch:
        if not cured and step == 50:
            batch[0][3] = 0.0
        return batch

    model = Standard()
    how = torch.optim.Adam(model.parameters(), 2e-3)
    return Training(model, d.images(), how, corrupt=black, steps=80)


# None -------------------------------------------------------------------------------------------


@part.sick("gradient.none", "loss.plateau_early loss.flat weight.not_updating")
def encoder_under_no_grad(size: Size, cured: bool) -> Training:
    class Encoded(n.Transformer):
        def forward(self, x: Tensor) -> Tensor:
            with torch.set_grad_enabled(cured and torch.is_grad_enabled()):
                h = self.body(self.embed(x) + self.position)
            return self.head(h[:, 0])

    model = Encoded(size)
    how = torch.optim.AdamW(model.parameters(), 2e-3)
    return Training(model, d.tokens(), how, steps=60)


@part.sick("gradient.none", "loss.flat loss.plateau_early weight.not_updating")
def hard_choice_on_the_way(size: Size, cured: bool) -> Training:
    """An argmax between encoder and decoder passes no gradient."""

    class Choice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(
                nn.Linear(16, size.width), nn.ReLU(), nn.Linear(size.width, 8)
            )
            self.decoder = nn.Linear(8, 4)

        def forward(self, x: Tensor) -> Tensor:
            h = self.encoder(x)
            code = h.softmax(1) if cured else F.one_hot(h.argmax(1), 8).float()
            return self.decoder(code)

    model = Choice()
    how = t.optimizer(model, size, sgd=0.2, adam=3e-3)
    return Training(model, d.vectors(), how, steps=80)


@part.sick("gradient.none", "loss.plateau_early")
def convolution_replaced_but_kept(size: Size, cured: bool) -> Training:
    """A block is still in the module and no longer in forward()."""

    class Kept(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Conv2d(3, 8, 3, padding=1)
            self.old = n.ConvBlock(8)
            self.head = nn.Linear(8 * 64, 4)

        def forward(self, x: Tensor) -> Tensor:
            h = F.relu(self.one(x))
            return self.head((self.old(h) if cured else h).flatten(1))

    model = Kept()
    return Training(model, d.images(), torch.optim.SGD(model.parameters(), 0.05), steps=50)
