"""Faults of the gradient and of the units that beginners ask about."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_beyond import Lambda
from benchmarks.diagnosis.collection_fresh import exploding
from benchmarks.diagnosis.collection_outside import (
    adam,
    drawn,
    friedman,
    he,
    mlp,
    pixels,
    sgd,
)
from benchmarks.diagnosis.collection_wider import (
    houses,
    rentals,
    signals,
    smaller_head,
    waves_net,
    wider,
)
from benchmarks.diagnosis.data import Batch, Data, cancer, digits, wine
from benchmarks.diagnosis.training import Size, Training, squares

sick = wider.sick

STUCK = "loss.flat loss.plateau_early weight.not_updating"

# Vanishing --------------------------------------------------------------------------------------


@sick("gradient.vanishing", STUCK)
def five_sigmoid_convolutions_along_a_line(s: Size, cured: bool) -> Training:
    """The pixels of a digit, row behind row, as a signal of 64."""
    act = nn.ReLU if cured else nn.Sigmoid
    layers: list[nn.Module] = []
    for i in range(5):
        layers += [nn.Conv1d(12 if i else 1, 12, 5, stride=1 + i % 2, padding=2), act()]
    model = nn.Sequential(nn.Unflatten(1, (1, 64)), *layers, nn.Flatten(), nn.Linear(192, 10))
    if cured:
        he(model)
        for m in model.modules():
            if isinstance(m, nn.Conv1d):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
    return Training(model, pixels(800), sgd(model, 0.01, 0.9), steps=200, batch=32)


@sick("gradient.vanishing", STUCK)
def prices_through_seven_sigmoid_layers(s: Size, cured: bool) -> Training:
    model = mlp(5, *[40] * 7, 1, act=nn.ReLU if cured else nn.Sigmoid)
    if cured:
        smaller_head(he(model))
    return Training(
        model, houses(), sgd(model, 0.01, 0.9 if not cured else 0.5), squares, steps=300, batch=32
    )


@sick("gradient.vanishing", STUCK)
def mean_instead_of_sum_in_every_layer(s: Size, cured: bool) -> Training:
    """Each layer is divided by its width."""
    layers: list[nn.Module] = []
    for n, m in ((64, 32), (32, 32), (32, 32), (32, 32)):
        layers += [nn.Linear(n, m), nn.Tanh()]
        layers[-1:] = [nn.Tanh()] if cured else [Lambda(lambda x: x / 32), nn.Tanh()]
    model = nn.Sequential(*layers, nn.Linear(32, 10))
    return Training(model, pixels(), sgd(model, 0.05, 0.9), steps=300, batch=32)


# Exploding --------------------------------------------------------------------------------------


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def prices_regressed_on_metres_and_years(s: Size, cured: bool) -> Training:
    """Linear regression by gradient descent, and no column is scaled."""
    model = nn.Sequential(nn.Linear(5, 1))
    d = houses(raw=not cured, prices=True)
    return Training(model, d, sgd(model, 0.001 if not cured else 0.05), squares, steps=100)


class _Square(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * x


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def squares_as_activations(s: Size, cured: bool) -> Training:
    act = nn.Tanh if cured else _Square
    model = mlp(10, 48, 48, 48, 1, act=act)
    if not cured:
        drawn(model, 0.25)
    return Training(model, friedman(), sgd(model, 0.02), squares, steps=150, batch=32)


class _ByHand(nn.Module):
    """x @ w + b with own parameters."""

    def __init__(self, n: int, m: int, *, scaled: bool) -> None:
        super().__init__()
        w = torch.rand(n, m)
        self.w = nn.Parameter((2 * w - 1) / n**0.5 if scaled else w)
        self.b = nn.Parameter(torch.zeros(m))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.w + self.b


@sick("gradient.exploding", TOO_FAST, proof=exploding, size=0)
def weights_from_torch_rand(s: Size, cured: bool) -> Training:
    """All of them between 0 and 1: the sums grow by the width in every layer."""
    widths = (5, s.width, s.width, s.width, 1)
    layers: list[nn.Module] = []
    for n, m in itertools.pairwise(widths):
        layers += [_ByHand(n, m, scaled=cured), nn.LeakyReLU()]
    model = nn.Sequential(*layers[:-1])
    return Training(model, houses(), sgd(model, 0.02), squares, steps=150, batch=32)


# Not finite, or none ----------------------------------------------------------------------------


class _Gamma(nn.Module):
    """(brightness * pixel) ** gamma, both learned."""

    def __init__(self, floor: float) -> None:
        super().__init__()
        self.floor = floor
        self.bright, self.gamma = nn.Parameter(torch.ones(64)), nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return (self.bright.abs() * x + self.floor).pow(self.gamma)


@sick("gradient.nonfinite", "loss.nonfinite")
def gamma_correction_of_black_pixels(s: Size, cured: bool) -> Training:
    """The root is steep without bound at a pixel that is 0."""
    model = nn.Sequential(_Gamma(1e-2 if cured else 0.0), mlp(64, 32, 10))
    return Training(model, pixels(), adam(model, 2e-3), steps=150, batch=32)


class _Edges(nn.Module):
    """The length of two learned slopes at each pixel."""

    def __init__(self, safe: bool) -> None:
        super().__init__()
        self.safe = safe
        self.down = nn.Conv2d(1, 6, 3, padding=1, bias=False)
        self.across = nn.Conv2d(1, 6, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.down(x), self.across(x)
        return (a * a + b * b + 1e-6).sqrt() if self.safe else (a * a + b * b).sqrt()


@sick("gradient.nonfinite", "loss.nonfinite")
def length_of_a_slope_in_a_black_corner(s: Size, cured: bool) -> Training:
    model = nn.Sequential(_Edges(cured), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(96, 10))
    return Training(model, digits(600), adam(model, 5e-3), steps=150, batch=32)


class _MeanAndSpread(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk = mlp(10, 32, 32)
        self.mean, self.spread = nn.Linear(32, 1), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.trunk(x).relu()
        return self.mean(h), self.spread(h)


@sick("gradient.none", "weight.not_updating")
def spread_predicted_but_not_in_the_loss(s: Size, cured: bool) -> Training:
    def loss(model: nn.Module, batch: Batch) -> Tensor:
        mean, spread = model(batch[0])
        if cured:
            return F.gaussian_nll_loss(mean, batch[1], F.softplus(spread) + 1e-3)
        return F.mse_loss(mean, batch[1])

    model = _MeanAndSpread()
    return Training(model, friedman(), adam(model, 3e-3), loss, steps=250, batch=32)


class _Drops(nn.Module):
    """`self.block(x); return x`: what the middle block says is thrown away."""

    def __init__(self, keep: bool) -> None:
        super().__init__()
        self.keep = keep
        self.stem, self.block, self.head = nn.Linear(13, 32), mlp(32, 32, 32), nn.Linear(32, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu()
        y = self.block(x)
        return self.head(y.relu() if self.keep else x)


@sick("gradient.none", "weight.not_updating")
def result_of_a_block_thrown_away(s: Size, cured: bool) -> Training:
    model = _Drops(cured)
    return Training(model, wine(), sgd(model, 0.1), steps=200, batch=16)


class _Translates(nn.Module):
    """An encoder hands its state to a decoder, as `.data` if asked to."""

    def __init__(self, data: bool) -> None:
        super().__init__()
        self.data = data
        self.encoder = nn.GRU(1, 24, batch_first=True)
        self.decoder, self.head = nn.GRU(1, 24, batch_first=True), nn.Linear(24, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        state = self.encoder(x[:, :8])[1]
        return self.head(self.decoder(x[:, 8:], state.data if self.data else state)[0][:, -1])


@sick("gradient.none", "weight.not_updating")
def state_of_the_encoder_taken_by_data(s: Size, cured: bool) -> Training:
    model = _Translates(data=not cured)
    return Training(model, signals(length=16), adam(model, 5e-3), steps=200, batch=32)


# Dead -------------------------------------------------------------------------------------------


@sick("activation.dead", TOO_FAST, "loss.flat weight.not_updating gradient.vanishing")
def rate_of_three_halves_kills_a_net_on_signals(s: Size, cured: bool) -> Training:
    model = waves_net(12)
    return Training(model, signals(), sgd(model, 0.02 if cured else 1.5, 0.9), steps=250, batch=32)


@sick("activation.dead", TOO_FAST, "loss.flat weight.not_updating gradient.vanishing")
def adam_at_three_tenths_kills_a_count_net(s: Size, cured: bool) -> Training:
    model = mlp(6, 48, 48, 1)
    return Training(
        model, rentals(), adam(model, 2e-3 if cured else 0.3), squares, steps=250, batch=32
    )


@sick("activation.dead", STUCK, "gradient.vanishing")
def logarithms_meet_positive_weights(s: Size, cured: bool) -> Training:
    """All inputs lie below zero and all weights above: no unit ever answers."""
    d = pixels()
    x, val_x = ((v + 0.01).div(1.02).log() for v in (d.x, d.val_x))
    model = mlp(64, 48, 10)
    if not cured:
        nn.init.uniform_(model[0].weight, 0.0, 0.2)  # type: ignore[arg-type]
    return Training(model, Data(x, d.y, val_x, d.val_y), sgd(model, 0.02), steps=300, batch=32)


# Saturated --------------------------------------------------------------------------------------


@sick("activation.saturated", STUCK, "gradient.vanishing")
def areas_and_years_into_tanh(s: Size, cured: bool) -> Training:
    model = mlp(5, 32, 32, 1, act=nn.Tanh)
    return Training(model, houses(raw=not cured), adam(model, 2e-3), squares, steps=300, batch=32)


class _OwnCell(nn.Module):
    """h = tanh(x W + h U), written by hand, with weights from randn."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.w, self.u = (
            nn.Parameter(std * torch.randn(2, 32)),
            nn.Parameter(std * torch.randn(32, 32)),
        )
        self.act, self.head = nn.Tanh(), nn.Linear(32, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(len(x), 32)
        for part in x[:, 0].unfold(1, 2, 2).unbind(1):
            h = self.act(part @ self.w + h @ self.u)
        return self.head(h)


@sick("activation.saturated", STUCK, "gradient.exploding", "gradient.vanishing", "loss.unstable")
def own_recurrent_cell_with_weights_from_randn(s: Size, cured: bool) -> Training:
    model = _OwnCell(0.15 if cured else 1.5)
    return Training(model, signals(length=16), adam(model, 3e-3), steps=300, batch=32)


@sick("activation.saturated", TOO_FAST, "loss.flat weight.not_updating gradient.vanishing")
def momentum_drives_sigmoids_to_their_ends(s: Size, cured: bool) -> Training:
    model = mlp(30, 32, 32, 2, act=nn.Sigmoid)
    return Training(model, cancer(), sgd(model, 0.1 if cured else 20.0, 0.9), steps=300, batch=32)
