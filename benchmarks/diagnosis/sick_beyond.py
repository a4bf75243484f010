"""Textbook faults of the loss and of the gradient."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_beyond import Lambda, NeverZeroed, beyond, cnn, few
from benchmarks.diagnosis.collection_fresh import exploding
from benchmarks.diagnosis.collection_outside import (
    Recurrent,
    adam,
    clipped,
    drawn,
    friedman,
    he,
    mlp,
    pixels,
    sgd,
    spelled,
    sums,
)
from benchmarks.diagnosis.data import Batch, Data, cancer, diabetes, digits, split, text, wine
from benchmarks.diagnosis.training import Size, Training, rebuild, squares

sick = beyond.sick

# Flat -------------------------------------------------------------------------------------------


@sick("loss.flat", "activation.dead")
def labels_drawn_apart_from_inputs(s: Size, cured: bool) -> Training:
    """Inputs and labels are shuffled each for itself, anew in every batch."""

    def mix(batch: Batch, number: int) -> Batch:
        return batch[0], batch[1][torch.randperm(len(batch[1]))]

    model, data = mlp(64, 64, 32, 10), pixels()
    return Training(model, data, adam(model, 1e-3), steps=300, corrupt=None if cured else mix)


@sick("loss.flat", "gradient.vanishing activation.dead weight.not_updating")
def every_weight_begins_at_zero(s: Size, cured: bool) -> Training:
    model = mlp(13, 32, 32, 3)
    if not cured:
        drawn(model, 0.0)
    return Training(model, wine(), sgd(model, 0.1), steps=250, batch=16)


@sick("loss.flat", "weight.not_updating")
def sgd_ten_thousand_times_too_slow(s: Size, cured: bool) -> Training:
    model = cnn(8)
    return Training(model, digits(600), sgd(model, 0.2 if cured else 1e-5), steps=150, batch=32)


# Diverging --------------------------------------------------------------------------------------


@sick("loss.diverging", TOO_FAST)
def regression_beyond_the_stable_rate(s: Size, cured: bool) -> Training:
    model = nn.Sequential(nn.Linear(10, 1))
    return Training(
        model, diabetes(), sgd(model, 0.02 if cured else 0.26), squares, steps=150, batch=320
    )


@sick("loss.diverging", TOO_FAST)
def gradient_ascent(s: Size, cured: bool) -> Training:
    """The sign of the update is wrong."""
    model = mlp(30, 32, 16, 2, act=nn.Tanh)
    optimizer = torch.optim.SGD(model.parameters(), 0.05, maximize=not cured)
    return Training(model, cancer(), optimizer, steps=300, batch=32)


@sick("loss.diverging", "gradient.vanishing", TOO_FAST)
def rate_that_grows_instead_of_decaying(s: Size, cured: bool) -> Training:
    """ExponentialLR with gamma above one."""
    model = mlp(64, 48, 48, 10, act=nn.Tanh)
    gamma = 0.999 if cured else 1.02
    return Training(model, pixels(), sgd(model, 0.1), steps=400, schedule=lambda k: gamma**k)


# Unstable ---------------------------------------------------------------------------------------


@sick("loss.unstable", TOO_FAST)
def tanh_net_with_adam_at_a_tenth(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10, act=nn.Tanh)
    return Training(model, pixels(), adam(model, 1e-3 if cured else 0.1), steps=400, batch=64)


@sick("loss.unstable", TOO_FAST)
def zero_grad_forgotten(s: Size, cured: bool) -> Training:
    model = mlp(64, 32, 10)
    kind = torch.optim.SGD if cured else NeverZeroed
    return Training(model, pixels(), kind(model.parameters(), 0.05), steps=400, batch=32)


@sick("loss.unstable", "weight.update_too_large")
def batches_sorted_by_class(s: Size, cured: bool) -> Training:
    """The file is sorted by label and the loader does not shuffle."""
    model, data = mlp(64, 64, 10), pixels()
    order = data.y.argsort()

    def ordered() -> object:
        while True:
            for rows in order.split(32):
                yield data.x[rows], data.y[rows]

    return Training(
        model, data, sgd(model, 0.1), steps=400, batch=32,
        batches=None if cured else ordered(),  # type: ignore[arg-type]
    )  # fmt: skip


# Plateau ----------------------------------------------------------------------------------------


@sick("loss.plateau_early", "weight.not_updating")
def rate_decayed_to_nothing(s: Size, cured: bool) -> Training:
    """A decay meant for epochs is applied at each step."""
    model = mlp(64, 64, 64, 10)
    return Training(
        model, pixels(), adam(model, 3e-3), steps=300, batch=32,
        schedule=None if cured else lambda step: 0.95**step,
    )  # fmt: skip


@sick("loss.plateau_early", "weight.not_updating")
def rate_halved_at_every_fourth_batch(s: Size, cured: bool) -> Training:
    """A scheduler with a patience in epochs is asked after each batch."""
    model = cnn(8, norm=True)
    return Training(
        model, digits(600), sgd(model, 0.02, 0.9), steps=150, batch=32,
        schedule=None if cured else lambda step: 0.5 ** (step // 4),
    )  # fmt: skip


@sick("loss.plateau_early", "activation.saturated activation.dead gradient.vanishing")
def sigmoid_output_for_wide_targets(s: Size, cured: bool) -> Training:
    """The last layer cannot leave [0, 1], the targets lie around 3."""
    model = mlp(10, 32, 32, 1)
    if not cured:
        model.append(nn.Sigmoid())
    return Training(model, friedman(shift=3.0), adam(model, 3e-3), squares, steps=500)


# Not finite -------------------------------------------------------------------------------------


@sick("loss.nonfinite", TOO_FAST)
def hand_written_log_of_softmax(s: Size, cured: bool) -> Training:
    """log(softmax) of a net on raw features: a probability underflows to zero."""

    def naive(model: nn.Module, batch: Batch) -> Tensor:
        return F.nll_loss(model(batch[0]).softmax(1).log(), batch[1])

    model = he(mlp(13, 32, 3))
    return Training(
        model, wine(raw=not cured), sgd(model, 0.01), naive, steps=150, batch=16
    )  # fmt: skip


@sick("loss.nonfinite", "gradient.nonfinite")
def constant_pixels_standardised(s: Size, cured: bool) -> Training:
    """(x - mean) / std, and some pixels are white in every picture."""
    model, d = mlp(64, 32, 10), pixels()
    std = d.x.std(0) + (1e-3 if cured else 0.0)
    mean = d.x.mean(0)
    data = Data((d.x - mean) / std, d.y, (d.val_x - mean) / std, d.val_y)
    return Training(model, data, adam(model, 1e-3), steps=150, batch=32)


@sick("loss.nonfinite")
def squares_beyond_half_precision(s: Size, cured: bool) -> Training:
    """Squared errors of targets up to 346 in float16, which ends at 65504."""

    def half(model: nn.Module, batch: Batch) -> Tensor:
        error = model(batch[0]) - batch[1]
        return error.square().mean() if cured else error.half().square().float().mean()

    model = mlp(10, 32, 1)
    return Training(model, diabetes(raw=True), adam(model, 0.003), half, steps=200, batch=16)


@sick("loss.nonfinite", TOO_FAST)
def targets_in_the_hundreds_with_a_usual_rate(s: Size, cured: bool) -> Training:
    model, data = mlp(10, 32, 32, 1, act=nn.LeakyReLU), diabetes(raw=not cured)
    return Training(model, data, sgd(model, 0.02, 0.9), squares, steps=150, batch=32)


# Overfitting ------------------------------------------------------------------------------------


@sick("loss.overfitting")
def eighty_digits_a_third_mislabelled(s: Size, cured: bool) -> Training:
    model = mlp(64, 128, 128, 10)
    return Training(
        model, few(pixels(), 80, 0.3), adam(model, 1e-3), steps=400, batch=20, epoch=8
    )  # fmt: skip


@sick("loss.overfitting")
def wide_net_on_a_hundred_patients(s: Size, cured: bool) -> Training:
    model = mlp(10, 128, 128, 1)
    return Training(
        model, few(diabetes(), 100), adam(model, 1e-3), squares, steps=600, batch=25, epoch=12
    )  # fmt: skip


@sick("loss.overfitting")
def language_model_on_forty_sentences(s: Size, cured: bool) -> Training:
    model = nn.Sequential(nn.Embedding(24, 32), Recurrent(nn.GRU(32, 48, batch_first=True), 24))
    model[1].each = True  # type: ignore[assignment]
    return Training(
        model, few(text(120), 40), adam(model, 0.01), spelled, steps=200, batch=20, epoch=8
    )  # fmt: skip


# Vanishing --------------------------------------------------------------------------------------

STUCK = "loss.flat loss.plateau_early weight.not_updating"


@sick("gradient.vanishing", STUCK)
def eight_sigmoid_layers(s: Size, cured: bool) -> Training:
    act = nn.ReLU if cured else nn.Sigmoid
    model = mlp(64, *[48] * 7, 10, act=act)
    if cured:
        he(model)
    return Training(model, pixels(), sgd(model, 0.03, 0.9), steps=250, batch=32)


@sick("gradient.vanishing", STUCK)
def deep_autoencoder_of_sigmoids(s: Size, cured: bool) -> Training:
    act = nn.Tanh if cured else nn.Sigmoid
    model = mlp(64, 48, 32, 24, 16, 24, 32, 48, 64, act=act)
    d = pixels()
    data = Data(d.x - d.x.mean(0), d.y, d.val_x - d.x.mean(0), d.val_y)
    return Training(model, data, sgd(model, 2.0, 0.9), rebuild, steps=300, batch=32)


@sick("gradient.vanishing", STUCK)
def six_sigmoid_convolutions(s: Size, cured: bool) -> Training:
    act = nn.ReLU if cured else nn.Sigmoid
    layers: list[nn.Module] = []
    for i in range(6):
        layers += [nn.Conv2d(8 if i else 1, 8, 3, padding=1, stride=2 if i == 2 else 1), act()]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128, 10))
    if cured:
        he(model)
    return Training(model, digits(800), sgd(model, 0.03, 0.9), steps=150, batch=32)


# Exploding --------------------------------------------------------------------------------------


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def recurrent_net_without_clipping(s: Size, cured: bool) -> Training:
    """A plain recurrent net over 40 steps; the control clips, and begins at the identity."""
    cell = nn.RNN(2, 32, nonlinearity="relu", batch_first=True)
    nn.init.eye_(cell.weight_hh_l0)
    with torch.no_grad():
        cell.weight_hh_l0.mul_(0.9 if cured else 1.05)
    model = Recurrent(cell, 1)
    return Training(
        model, sums(length=40), sgd(model, 0.02), squares, steps=150, batch=32,
        before_step=clipped(1.0) if cured else None,  # type: ignore[arg-type]
    )  # fmt: skip


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def ten_layers_drawn_from_a_standard_normal(s: Size, cured: bool) -> Training:
    model = mlp(64, *[64] * 9, 10)
    he(model) if cured else drawn(model, 1.0)
    return Training(model, pixels(), sgd(model, 0.05), steps=150, batch=32)


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def momentum_a_hundred_times_too_fast(s: Size, cured: bool) -> Training:
    model = mlp(30, 24, 1, act=nn.Identity)
    d = cancer()
    data = Data(d.x, d.y.float()[:, None], d.val_x, d.val_y.float()[:, None])
    return Training(
        model, data, sgd(model, 0.002 if cured else 0.2, 0.9), squares, steps=120, batch=64
    )


# Not finite, or none ----------------------------------------------------------------------------


@sick("gradient.nonfinite", "loss.nonfinite")
def distance_of_a_picture_to_itself(s: Size, cured: bool) -> Training:
    """sqrt(0) is 0, and its slope is infinite: a metric net sees a pair of the same picture."""

    def contrast(model: nn.Module, batch: Batch) -> Tensor:
        a, b = model(batch[0]), model(batch[0].roll(1, 0))
        same = (batch[1] == batch[1].roll(1)).float()
        d = ((a - b).square().sum(1) + (1e-6 if cured else 0.0)).sqrt()
        return (same * d.square() + (1 - same) * (1 - d).clamp_min(0).square()).mean()

    model, data = mlp(64, 32, 8), pixels()
    x, y = data.x.clone(), data.y.clone()
    x[1::2][:150], y[1::2][:150] = x[::2][:150], y[::2][:150]
    return Training(
        model, split(x, y, len(x)), adam(model, 1e-3), contrast, steps=300, batch=64
    )  # fmt: skip


class _LogOfScaled(nn.Module):
    """log(gain * x) where x is above zero, and 0 elsewhere."""

    def __init__(self, safe: bool) -> None:
        super().__init__()
        self.safe, self.gain = safe, nn.Parameter(torch.ones(64))

    def forward(self, x: Tensor) -> Tensor:
        scaled, seen = self.gain * x, x > 0
        inner = torch.where(seen, scaled, torch.ones_like(x)) if self.safe else scaled
        return torch.where(seen, inner.log(), torch.zeros_like(x))


@sick("gradient.nonfinite", "loss.nonfinite")
def log_masked_by_where(s: Size, cured: bool) -> Training:
    """The branch that `where` does not take has a slope too."""
    model = nn.Sequential(_LogOfScaled(cured), mlp(64, 32, 10))
    return Training(model, pixels(), adam(model, 1e-3), steps=200, batch=32)


@sick("gradient.none", "weight.not_updating")
def detached_in_the_middle(s: Size, cured: bool) -> Training:
    model = nn.Sequential(
        nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(),
        nn.Identity() if cured else Lambda(torch.detach), nn.Linear(32, 3),
    )  # fmt: skip
    return Training(model, wine(), sgd(model, 0.1), steps=200, batch=16)


class _TwoHeads(nn.Module):
    """A trunk with two heads; `forward` may forget the second."""

    def __init__(self, both: bool) -> None:
        super().__init__()
        self.both, self.trunk = both, mlp(64, 48, 48)
        self.one, self.two = nn.Linear(48, 10), nn.Linear(48, 10)

    def forward(self, x: Tensor) -> Tensor:
        h = self.trunk(x).relu()
        return self.one(h) + self.two(h) if self.both else self.one(h)


@sick("gradient.none", "weight.not_updating")
def layer_that_forward_forgets(s: Size, cured: bool) -> Training:
    model = _TwoHeads(cured)
    return Training(model, pixels(), adam(model, 1e-3), steps=250, batch=32)


@sick("gradient.none", "weight.not_updating")
def encoder_run_under_no_grad(s: Size, cured: bool) -> Training:
    encoder, head = nn.LSTM(2, 32, batch_first=True), nn.Linear(32, 1)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.head = encoder, head

        def forward(self, x: Tensor) -> Tensor:
            with torch.set_grad_enabled(cured and torch.is_grad_enabled()):
                h = self.encoder(x)[0][:, -1]
            return self.head(h)

    model = Net()
    return Training(model, sums(length=8), adam(model, 3e-3), squares, steps=200, batch=64)
