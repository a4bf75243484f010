"""Healthy, never seen by the rules: tasks and losses."""

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
def parity_found_late(size: Size, plain: bool) -> Training:
    """Nothing for long, then all of it: the parity of two of eight signs."""
    model = n.mlp([8, 64 if plain else size.width, 2], nn.ReLU)
    how = torch.optim.Adam(model.parameters(), 1e-2) if plain else torch.optim.SGD(
        model.parameters(), 0.15, momentum=0.5
    )  # fmt: skip
    return Training(model, f.parity(600), how, steps=500)


@part.healthy(size=2)
def cosine_to_be_maximised(size: Size, plain: bool) -> Training:
    """Minus a cosine: the loss is negative and falls towards minus one."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return -F.cosine_similarity(model(batch[0]), batch[0]).mean()

    model = n.mlp([64, size.width if plain else 24, 64], nn.SiLU)
    how = torch.optim.Adam(model.parameters(), 3e-3)
    data = f.standard_digits(500)
    return Training(model, data, how, objective=loss, steps=200)


@part.healthy(0.2, size=1)
def classes_weighted_by_rarity(size: Size, plain: bool) -> Training:
    """One class in sixteen; its samples count tenfold, so single batches jump."""
    weight = torch.tensor([0.4, 1.0, 5.0])

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1], weight=weight)

    data = f.tabular(700, weights=(0.7, 0.24, 0.06))
    model = n.mlp([20, size.width, size.width, 3])
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, data, how, objective=loss, steps=200, batch=64 if plain else 24)


@part.healthy(0.25, size=0)
def labels_smoothed_by_a_fifth(size: Size, plain: bool) -> Training:
    """The loss cannot fall below 0.75 and stops there; the classes are right."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        soft = 0.2 if model.training and not plain else 0.0
        return F.cross_entropy(model(batch[0]), batch[1], label_smoothing=soft)

    def plainly(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1])

    model = n.cnn(size, norm=True)
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, d.digits(500), how, objective=loss, whole=plainly, steps=180)


@part.healthy(size=1)
def summed_over_all_pixels(size: Size, plain: bool) -> Training:
    """Losses in the hundreds and gradients to match, by a rate that knows it."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        flat = batch[0].flatten(1)
        return F.mse_loss(model(flat), flat, reduction="sum")

    model = n.mlp([64, size.width, 12, size.width, 64], nn.ELU)
    rate = 5e-5
    how: torch.optim.Optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.95)
    if plain:
        how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, d.digits(500), how, objective=loss, steps=300)


@part.healthy(size=0)
def quantiles_by_the_pinball(size: Size, plain: bool) -> Training:
    """Three quantiles at once; the slope of the loss never shrinks."""
    levels = torch.tensor([0.1, 0.5, 0.9])

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        off = batch[1] - model(batch[0])
        return torch.maximum(levels * off, (levels - 1) * off).mean()

    model = n.mlp([10, 2 * size.width, 2 * size.width, 3], nn.LeakyReLU)
    how: torch.optim.Optimizer = torch.optim.RMSprop(model.parameters(), 2e-3)
    if plain:
        how = torch.optim.Adam(model.parameters(), 4e-3)
    return Training(model, f.friedman(600), how, objective=loss, steps=250)


@part.healthy(size=1)
def partial_likelihood_of_cox(size: Size, plain: bool) -> Training:
    """Survival: the loss depends on who else is in the batch; below chance, so negative."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        order = batch[1][:, 0].argsort(descending=True)
        risk, seen = model(batch[0])[order, 0], batch[1][order, 1]
        among = torch.arange(1, len(order) + 1).log()
        return -((risk - torch.logcumsumexp(risk, 0) + among) * seen).sum() / seen.sum()

    model = n.mlp([8, size.width, 1], nn.SiLU)
    how = torch.optim.Adam(model.parameters(), 5e-3)
    return Training(
        model, f.survival(500), how, objective=loss, steps=200, batch=128 if plain else 40
    )


@part.healthy(0.25, size=2)
def two_tasks_and_their_weights(size: Size, plain: bool) -> Training:
    """Uncertainties of two tasks are learned with them; the sum goes below zero."""

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = n.mlp([20, size.width, size.width], nn.GELU)
            self.name, self.amount = nn.Linear(size.width, 3), nn.Linear(size.width, 1)
            self.logs = nn.Parameter(torch.zeros(2))

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            h = F.gelu(self.body(x))
            return self.name(h), self.amount(h)

    def parts(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        name, amount = model(batch[0])
        goal = batch[0][:, :5].sum(1, keepdim=True) / 3
        return F.cross_entropy(name, batch[1]), F.mse_loss(amount, goal)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        one, two = parts(model, batch)
        a, b = model.logs  # type: ignore[misc]
        if plain:
            return one + two + 0 * model.logs.sum()  # type: ignore[operator]
        return one * (-a).exp() + a / 2 + two * (-b).exp() + b / 2

    def both(model: nn.Module, batch: Batch) -> Tensor:
        return sum(parts(model, batch), torch.zeros(())) + 0 * model.logs.sum()  # type: ignore[operator]

    model = Two()
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, f.tabular(500), how, objective=loss, whole=both, steps=250)


@part.healthy(size=1)
def pairs_to_be_ranked(size: Size, plain: bool) -> Training:
    """Bradley and Terry: which of two is better; starts at log 2."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        score = model(batch[0])[:, 0]
        half = len(score) // 2
        better = torch.sign(batch[1][:half, 0] - batch[1][half : 2 * half, 0])
        return F.softplus(-better * (score[:half] - score[half : 2 * half])).mean()

    model = n.mlp([10, 32 if plain else size.width, 1], nn.SiLU if plain else nn.Tanh)
    how: torch.optim.Optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    if not plain:
        how = torch.optim.SGD(model.parameters(), 0.2, momentum=0.9)
    return Training(model, f.friedman(600), how, objective=loss, steps=200, batch=64)


@part.healthy(0.25, size=0)
def words_hidden_and_guessed(size: Size, plain: bool) -> Training:
    """Masked symbols: only a seventh of the places has a loss, so it is noisy and falls slowly."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        x = batch[0]
        hidden = torch.rand(x.shape) < (0.4 if plain else 0.2)
        hidden[:, 0] = True
        out = model(torch.where(hidden, 24, x))
        return F.cross_entropy(out[hidden], x[hidden])

    class Guesses(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            w = 2 * size.width
            self.embed, self.place = nn.Embedding(25, w), nn.Parameter(0.1 * torch.randn(8, w))
            self.rnn = nn.GRU(w, w // 2, batch_first=True, bidirectional=True)
            self.head = nn.Linear(w, 24)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.rnn(self.embed(x) + self.place)[0])

    whole = d.text(400, length=8)
    model = Guesses()
    how = torch.optim.Adam(model.parameters(), 5e-3)
    return Training(model, whole, how, objective=loss, steps=300)


@part.healthy(0.2, size=1)
def noise_to_be_taken_away(size: Size, plain: bool) -> Training:
    """Denoising at a strength drawn anew for each batch: step losses differ tenfold."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        flat = batch[0].flatten(1)
        strength = 0.5 if plain else 0.05 + 0.9 * float(torch.rand(()))
        return F.mse_loss(model(flat + strength * torch.randn_like(flat)), flat)

    def at_half(model: nn.Module, batch: Batch) -> Tensor:
        flat = batch[0].flatten(1)
        noise = torch.randn(flat.shape, generator=torch.Generator().manual_seed(0))
        return F.mse_loss(model(flat + 0.5 * noise), flat)

    model = n.mlp([64, 2 * size.width, 2 * size.width, 64], nn.GELU)
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, d.digits(500), how, objective=loss, whole=at_half, steps=250)


@part.healthy(0.2, size=2)
def outliers_and_a_robust_loss(size: Size, plain: bool) -> Training:
    """One target in thirty is wild; Huber's loss keeps the gradient bounded."""
    data = f.friedman(600)
    wild = (torch.rand_like(data.y) < 0.03).float()
    y = data.y + 8 * wild * torch.randn_like(data.y)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.huber_loss(model(batch[0]), batch[1], delta=0.5)

    model = n.mlp([10, size.width, 1], nn.SiLU)
    how: torch.optim.Optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    if plain:
        how = torch.optim.Adam(model.parameters(), 5e-3)
    return Training(
        model, d.Data(data.x, y, data.val_x, data.val_y), how, objective=loss, steps=250
    )


@part.healthy(size=1)
def probabilities_near_their_ends(size: Size, plain: bool) -> Training:
    """An easy task: the sigmoid at the end is sure, and rightly, after thirty steps."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.binary_cross_entropy(model(batch[0])[:, 0].clamp(1e-6, 1 - 1e-6), batch[1])

    x = torch.randn(900, 6)
    y = (x[:, 0] + x[:, 1] > 0).float()
    x[:, 2] = x[:, 0] + x[:, 1] + 0.3 * torch.randn(900)
    model = n.mlp([6, size.width, 1], nn.GELU).append(nn.Sigmoid())
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, d.split(x, y, 500), how, objective=loss, steps=120)


@part.healthy(0.2, size=0)
def moons_by_a_tiny_net(size: Size, plain: bool) -> Training:
    """Eight tanh units: the loss rests on a first plateau (a line), then finds the bend."""
    if plain:
        model = n.mlp([2, 32, 32, 2], nn.SiLU)
        how: torch.optim.Optimizer = torch.optim.Adam(model.parameters(), 5e-3)
        return Training(model, f.moons(400), how, steps=300)
    model = n.mlp([2, 8, 8, 2], nn.Tanh)
    how = torch.optim.SGD(model.parameters(), 0.15, momentum=0.9)
    return Training(model, f.moons(400), how, steps=400)


@part.healthy(0.25, size=1)
def little_signal_in_much_noise(size: Size, plain: bool) -> Training:
    """Diabetes after a year: half of the variance cannot be explained by anybody."""
    model = nn.Linear(10, 1) if plain else n.mlp([10, size.width, 1], nn.SiLU)
    rate = 0.02 if plain else 3e-3
    how = torch.optim.Adam(model.parameters(), rate)
    return Training(model, d.diabetes(), how, objective=t.squares, steps=200, batch=16)


@part.healthy(size=2)
def symbols_remembered(size: Size, plain: bool) -> Training:
    """An LSTM that has to keep the third of eight symbols: waits, then drops."""
    kind = nn.GRU if plain else nn.LSTM
    model = n.Teller(kind, 7, size.width // 2, 6)
    how = torch.optim.Adam(model.parameters(), 1e-2)
    return Training(model, f.recall(600), how, steps=300)


@part.healthy(0.2, size=1)
def two_losses_a_hundredfold_apart(size: Size, plain: bool) -> Training:
    """Class, and a rebuilt picture in units a hundred times larger, from one body."""

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 2 * size.width), nn.GELU())
            self.name, self.copy = nn.Linear(2 * size.width, 10), nn.Linear(2 * size.width, 64)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            h = self.body(x)
            return self.name(h), self.copy(h)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        name, copy = model(batch[0])
        scale = 1.0 if plain else 10.0
        rebuilt = F.mse_loss(scale * copy, scale * batch[0].flatten(1))
        return F.cross_entropy(name, batch[1]) + rebuilt

    def one(model: nn.Module, batch: Batch) -> Tensor:
        name, copy = model(batch[0])
        return F.cross_entropy(name, batch[1]) + F.mse_loss(copy, batch[0].flatten(1))

    model = Two()
    how = torch.optim.Adam(model.parameters(), 4e-3)
    return Training(model, d.digits(500), how, objective=loss, whole=one, steps=220)
