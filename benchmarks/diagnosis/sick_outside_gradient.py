"""What gradients show, of the split "outside"."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_fresh import exploding
from benchmarks.diagnosis.collection_outside import (
    Apply,
    Recurrent,
    adam,
    clusters,
    flowers,
    friedman,
    he,
    mlp,
    outside,
    pixels,
    sgd,
    sums,
)
from benchmarks.diagnosis.data import Batch, cancer, digits, tokens, wine
from benchmarks.diagnosis.training import Size, Training, rebuild, squares

STUCK = "loss.flat weight.not_updating"

# Vanishing --------------------------------------------------------------------------------------


@outside.sick("gradient.vanishing", STUCK)
def twelve_layers_of_sigmoids(size: Size, cured: bool) -> Training:
    widths = (64, *[48] * 11, 10)
    model = he(mlp(*widths)) if cured else mlp(*widths, act=nn.Sigmoid)
    return Training(model, pixels(), sgd(model, 0.05), steps=300)


@outside.sick("gradient.vanishing", STUCK, "activation.dead")
def twenty_plain_layers_as_torch_draws_them(size: Size, cured: bool) -> Training:
    model = mlp(20, *[32] * 20, 5)
    if cured:
        he(model)
    return Training(model, clusters(400), sgd(model, 0.01, 0.5), steps=200)


@outside.sick("gradient.vanishing", STUCK, "loss.plateau_early")
def autoencoder_of_sigmoids(size: Size, cured: bool) -> Training:
    model = mlp(64, 48, 40, 32, 24, 32, 40, 48, 64, act=nn.Tanh if cured else nn.Sigmoid)
    data = pixels()
    data.x = data.x - data.x.mean(0)
    optimizer = sgd(model, 1.0, 0.9)
    return Training(model, data, optimizer, rebuild, steps=300, batch=64)


@outside.sick("gradient.vanishing", STUCK)
def convolutions_with_sigmoids(size: Size, cured: bool) -> Training:
    layers: list[nn.Module] = []
    for i in range(6):
        layers += [
            nn.Conv2d(1 if i == 0 else 8, 8, 3, padding=1),
            nn.ReLU() if cured else nn.Sigmoid(),
        ]
    model = nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten(), nn.Linear(128, 10))
    model = he(model) if cured else model
    return Training(model, digits(240), sgd(model, 0.02, 0.9), steps=100)


# Exploding --------------------------------------------------------------------------------------


@outside.sick("gradient.exploding", TOO_FAST, "gradient.nonfinite", proof=exploding)
def house_prices_in_dollars(size: Size, cured: bool) -> Training:
    data = friedman(scale=1.0 if cured else 80_000.0, shift=0.0 if cured else 200_000.0)
    model = mlp(10, 32, 32, 1)
    return Training(model, data, sgd(model, 0.01), squares, steps=120)


@outside.sick("gradient.exploding", TOO_FAST, "gradient.nonfinite", proof=exploding)
def errors_summed_over_the_batch(size: Size, cured: bool) -> Training:
    def error(model: nn.Module, batch: Batch) -> Tensor:
        total = (model(batch[0]) - batch[1]).square().sum()
        return total / len(batch[0]) if cured else total

    model = mlp(10, 32, 32, 32, 1, act=nn.Tanh)
    return Training(model, friedman(), sgd(model, 0.03), error, steps=150, batch=64, whole=squares)


@outside.sick("gradient.exploding", TOO_FAST, "gradient.nonfinite", proof=exploding)
def least_squares_on_raw_columns(size: Size, cured: bool) -> Training:
    """Areas up to 4254 beside smoothness of a tenth; each step multiplies the error."""

    def error(model: nn.Module, batch: Batch) -> Tensor:
        return F.mse_loss(model(batch[0])[:, 0], batch[1].float())

    model = nn.Linear(30, 1)
    rate = 0.01 if cured else 3e-6
    return Training(model, cancer(raw=not cured), sgd(model, rate), error, steps=120)


@outside.sick("gradient.exploding", TOO_FAST, "gradient.nonfinite", proof=exploding)
def relu_recurrence_above_one(size: Size, cured: bool) -> Training:
    cell = nn.RNN(2, 24, nonlinearity="relu", batch_first=True)
    nn.init.eye_(cell.weight_hh_l0)
    cell.weight_hh_l0.data *= 0.95 if cured else 1.15
    model = Recurrent(cell, 1)
    optimizer = sgd(model, 3e-3 if cured else 1e-2)
    return Training(model, sums(length=24), optimizer, squares, steps=100, batch=64)


# Not finite -------------------------------------------------------------------------------------


@outside.sick("gradient.nonfinite", "loss.nonfinite loss.flat")
def logarithm_inside_a_where(size: Size, cured: bool) -> Training:
    """The branch that is not taken still has a gradient: 0 times infinity."""

    def entropy(model: nn.Module, batch: Batch) -> Tensor:
        p = F.relu(model(batch[0]))
        p = p / (p.sum(1, keepdim=True) + 1e-3)
        inside = p.clamp_min(1e-6) if cured else p
        logs = torch.where(p > 0, inside.log(), torch.full_like(p, -14.0))
        return F.nll_loss(logs, batch[1])

    model = mlp(4, 24, 3)
    return Training(model, flowers(), adam(model, 5e-3), entropy, steps=150, batch=20)


@outside.sick("gradient.nonfinite", "loss.nonfinite")
def distance_of_a_sample_to_itself(size: Size, cured: bool) -> Training:
    """A contrastive loss over all pairs of a batch, the diagonal too."""

    def contrast(model: nn.Module, batch: Batch) -> Tensor:
        out, same = model(batch[0]), batch[1][:, None] == batch[1]
        squared = (out[:, None] - out).square().sum(2)
        distance = (squared + (1e-8 if cured else 0.0)).sqrt()
        return torch.where(same, distance, F.relu(1.0 - distance)).mean()

    model = mlp(13, 24, 4)
    return Training(model, wine(), adam(model, 2e-3), contrast, steps=150, batch=24)


class Lengths(nn.Module):
    """Vectors of symbols, each divided by its length; that of the padding is zero."""

    def __init__(self, *, safe: bool) -> None:
        super().__init__()
        self.embedding, self.safe = nn.Embedding(20, 16), safe
        nn.init.zeros_(self.embedding.weight.data[0])
        self.head = mlp(16 * 8, 32, 4)

    def forward(self, x: Tensor) -> Tensor:
        e = self.embedding(x)
        squares = e.square().sum(2, keepdim=True)
        length = (squares + 1e-6).sqrt() if self.safe else squares.sqrt().clamp_min(1e-3)
        return self.head((e / length).flatten(1))


@outside.sick("gradient.nonfinite", "loss.nonfinite")
def padding_divided_by_its_length(size: Size, cured: bool) -> Training:
    model = Lengths(safe=cured)
    return Training(model, tokens(), adam(model, 3e-3), steps=200)


@outside.sick("gradient.nonfinite", "loss.nonfinite")
def root_of_an_error_masked_to_zero(size: Size, cured: bool) -> Training:
    """Every third target is missing; multiplied by its mask, and then the root."""

    def error(model: nn.Module, batch: Batch) -> Tensor:
        there = (batch[0][:, :1] > -0.4).float()
        off = (model(batch[0]) - batch[1]) * there
        return (off.square() + (1e-6 if cured else 0.0)).sqrt().mean()

    model = mlp(10, 32, 32, 1)
    return Training(model, friedman(), adam(model, 3e-3), error, steps=150)


# None -------------------------------------------------------------------------------------------


class Loop(nn.Module):
    """`for layer in layers: y = layer(x)`: each layer reads the input, the last alone counts."""

    def __init__(self, width: int, *, right: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(4))
        self.head, self.right = nn.Linear(width, 10), right

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in self.layers:
            y = F.relu(layer(y if self.right else x))
        return self.head(y)


@outside.sick("gradient.none", "weight.not_updating")
def loop_that_reads_its_input_again(size: Size, cured: bool) -> Training:
    model = Loop(64, right=cured)
    return Training(model, pixels(), adam(model, 1e-3), steps=250)


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.kind, self.grade = mlp(30, 48, 48), nn.Linear(48, 2), nn.Linear(48, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = F.relu(self.body(x))
        return self.kind(h), self.grade(h)


@outside.sick("gradient.none", "weight.not_updating")
def second_head_left_out_of_the_loss(size: Size, cured: bool) -> Training:
    def joint(model: nn.Module, batch: Batch) -> Tensor:
        kind, grade = model(batch[0])
        loss = F.cross_entropy(kind, batch[1])
        return loss + 0.3 * F.mse_loss(grade, batch[0][:, :1]) if cured else loss

    model = TwoHeads()
    return Training(model, cancer(), sgd(model, 0.05, 0.9), joint, steps=200)


@outside.sick("gradient.none", STUCK)
def loss_wrapped_into_a_new_tensor(size: Size, cured: bool) -> Training:
    """torch.tensor(loss.item(), requires_grad=True) silences the error, and all learning."""

    def wrapped(model: nn.Module, batch: Batch) -> Tensor:
        loss = F.cross_entropy(model(batch[0]), batch[1])
        return loss if cured else torch.tensor(loss.item(), requires_grad=True)

    def plain(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1])

    model = mlp(20, 32, 32, 5)
    return Training(model, clusters(), adam(model, 2e-3), wrapped, steps=200, whole=plain)


class Coded(nn.Module):
    """The nearest of a few codes stands for what the encoder said."""

    def __init__(self, *, straight: bool) -> None:
        super().__init__()
        self.encoder, self.codes = mlp(64, 32, 8), nn.Embedding(32, 8)
        self.decoder, self.straight = mlp(8, 32, 64), straight

    def forward(self, x: Tensor) -> Tensor:
        z = self.encoder(x)
        code = self.codes(torch.cdist(z, self.codes.weight).argmin(1))
        return self.decoder(z + code - z.detach() if self.straight else code)


@outside.sick("gradient.none", "weight.not_updating loss.plateau_early activation.dead")
def nearest_code_without_straight_through(size: Size, cured: bool) -> Training:
    model = Coded(straight=cured)
    return Training(model, pixels(), adam(model, 3e-3), rebuild, steps=250, batch=64)


@outside.sick("gradient.none", STUCK)
def features_detached_by_mistake(size: Size, cured: bool) -> Training:
    parts = mlp(64, 48, 48, 48, 10)
    model = parts if cured else nn.Sequential(*parts[:4], Apply("detach"), *parts[4:])
    return Training(model, pixels(), sgd(model, 0.1), steps=300)
