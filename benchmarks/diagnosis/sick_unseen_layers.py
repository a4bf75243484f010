"""Sick, held out: activations and weights. Rules must not be tuned by these."""

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
STUCK = "loss.flat loss.plateau_early gradient.vanishing weight.not_updating"


# Dead -------------------------------------------------------------------------------------------


@part.sick("activation.dead", STUCK)
def channels_shifted_below_zero(size: Size, cured: bool) -> Training:
    """BatchNorm's shift of most channels lies at -6, so their ReLU never opens."""
    width = n.channels(size)
    model = nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
        nn.AvgPool2d(4), nn.Flatten(), nn.Linear(4 * width, 10),
    )  # fmt: skip
    if not cured:
        with torch.no_grad():
            model[1].bias[width // 4 :] = -6.0  # type: ignore[operator]
    how = torch.optim.SGD(model.parameters(), 0.02, momentum=0.9)
    return Training(model, d.digits(800), how, steps=120)


@part.sick("activation.dead", STUCK, "loss.unstable weight.update_too_large loss.diverging")
def one_batch_that_kills(size: Size, cured: bool) -> Training:
    """One batch whose targets are far off: the units that it hits never come back."""

    def wrong(batch: Batch, step: int) -> Batch:
        return (batch[0], batch[1] - 160) if not cured and step == 100 else batch

    model = n.stack(size, nn.ReLU, depth=2, ins=10, outs=1)
    how = torch.optim.SGD(model.parameters(), 0.02)
    return Training(model, d.diabetes(), how, objective=t.squares, corrupt=wrong, steps=350)


@part.sick("activation.dead", STUCK, "loss.unstable weight.update_too_large")
def adam_kills_the_convolutions(size: Size, cured: bool) -> Training:
    model = n.conv_stack(Size(2 * size.width), nn.ReLU, ins=1, outs=10, depth=4)
    rate = 2e-3 if cured else 0.1
    how = torch.optim.Adam(model.parameters(), rate)
    return Training(model, d.digits(800), how, steps=120)


# Saturated --------------------------------------------------------------------------------------


@part.sick("activation.saturated", STUCK, "gradient.exploding loss.unstable")
def tanh_of_pixels_to_255(size: Size, cured: bool) -> Training:
    """Pixels of 0 to 255 where 0 to 1 was meant."""
    width = n.channels(size)
    model = nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.Tanh(), nn.Conv2d(width, width, 3, padding=1),
        nn.Tanh(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(4 * width, 10),
    )  # fmt: skip
    scale = 1 / 16 if cured else 16.0
    how = torch.optim.Adam(model.parameters(), 1e-3 if not cured else 3e-3)
    if not cured:
        n.scaled(model, 3.0)
    return Training(model, d.digits(800, scale=scale), how, steps=120)


@part.sick("activation.saturated", STUCK, TOO_FAST)
def thrown_to_the_ends(size: Size, cured: bool) -> Training:
    """Good at the start; a rate far too high for ten steps throws every tanh to its ends."""

    def rate(step: int) -> float:
        return 1.0 if cured or step > 10 else 400.0

    model = n.stack(size, nn.Tanh, depth=3)
    how = torch.optim.Adam(model.parameters(), 2e-3)
    return Training(model, d.bent(), how, schedule=rate, steps=250)


@part.sick("activation.saturated", STUCK)
def bounded_output_for_far_targets(size: Size, cured: bool) -> Training:
    """A tanh output for targets of -5 to 5: it sits at its ends and can get no nearer."""
    data = d.numbers()
    data = d.Data(data.x, 6 * data.y, data.val_x, 6 * data.val_y)
    model = n.stack(size, nn.GELU, depth=2, outs=1)
    if not cured:
        model.append(nn.Tanh())
    how = torch.optim.Adam(model.parameters(), 5e-3)
    return Training(model, data, how, objective=t.squares, steps=300)


# Weights: exploding -----------------------------------------------------------------------------


@part.sick("weight.exploding", TOO_FAST)
def averaged_wrongly(size: Size, cured: bool) -> Training:
    """w = w + 0.02 * w where a moving average was meant, in the convolutions of a ResNet."""

    def average(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim == 4 and not cured:
                    parameter.mul_(1.04)

    model = n.resnet(size)
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, d.images(), how, after_step=average, steps=120)


@part.sick("weight.exploding", TOO_FAST, "loss.diverging")
def reward_without_end(size: Size, cured: bool) -> Training:
    """A critic without any constraint: its scores, and its weights, grow for ever."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        scores = model(batch[0])[:, 0]
        margin = torch.where(batch[1] == 0, -scores, scores)
        return F.softplus(margin).mean() if cured else margin.mean()

    model = n.stack(size, nn.ReLU, depth=2)
    how = torch.optim.RMSprop(model.parameters(), 1e-3 if cured else 2e-2)
    return Training(model, d.vectors(), how, objective=loss, steps=250)


# Collapsing -------------------------------------------------------------------------------------


@part.sick("weight.collapsing", STUCK, "loss.diverging")
def shrunk_after_each_step(size: Size, cured: bool) -> Training:
    """Pruning by a factor, applied to what is left, at every step instead of once."""

    def shrink(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim >= 2 and not cured:
                    parameter.mul_(0.96)

    model = n.Transformer(size)
    how = torch.optim.SGD(model.parameters(), 0.02, momentum=0.5)
    if cured:
        how = torch.optim.SGD(model.parameters(), 0.03, momentum=0.9)
    return Training(model, d.tokens(), how, after_step=shrink, steps=150)


@part.sick("weight.collapsing", STUCK, "loss.diverging")
def squares_of_weights_times_a_hundred(size: Size, cured: bool) -> Training:
    def loss(model: nn.Module, batch: Batch) -> Tensor:
        squares = sum(p.square().sum() for p in model.parameters())
        return F.cross_entropy(model(batch[0]), batch[1]) + (0.0 if cured else 0.3) * squares

    model = n.conv_stack(size, nn.LeakyReLU, ins=1, outs=10, depth=3)
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    data = d.digits(800)
    return Training(model, data, how, objective=loss, whole=t.cross_entropy, steps=200)


# Not updating -----------------------------------------------------------------------------------


@part.sick("weight.not_updating", "loss.flat loss.plateau_early")
def weights_loaded_again_each_step(size: Size, cured: bool) -> Training:
    """A callback restores 'the best' weights of the body after every step."""
    model = n.Recurrent(size, nn.GRU)
    best = {k: v.clone() for k, v in model.rnn.state_dict().items()}

    def restore(model: nn.Module, step: int) -> None:
        if not cured:
            model.rnn.load_state_dict(best)  # type: ignore[union-attr]

    how = torch.optim.Adam(model.parameters(), 1e-2)
    return Training(model, d.tokens(), how, after_step=restore, steps=150)


@part.sick("weight.not_updating", "loss.flat loss.plateau_early")
def eps_far_too_large(size: Size, cured: bool) -> Training:
    model = n.resnet(size)
    how = torch.optim.Adam(model.parameters(), 3e-3, eps=1e-8 if cured else 1e5)
    return Training(model, d.images(), how, steps=100)


@part.sick("weight.not_updating", "loss.flat loss.plateau_early")
def stem_with_a_millionth_of_the_rate(size: Size, cured: bool) -> Training:
    """Layer-wise decay of the rate by powers of ten."""
    model = n.stack(size, nn.GELU, nn.LayerNorm, depth=3)
    layers = [module for module in model if isinstance(module, nn.Linear)]
    groups = [
        {"params": layer.parameters(), "lr": 5e-3 if cured else 5e-3 * 1e-4 ** (3 - i)}
        for i, layer in enumerate(layers)
    ]
    return Training(model, d.bent(), torch.optim.Adam(groups), steps=200)


# Too large --------------------------------------------------------------------------------------


@part.sick("weight.update_too_large", TOO_FAST, "loss.flat")
def signs_with_a_rate_for_sgd(size: Size, cured: bool) -> Training:
    """Sign descent moves every weight by the rate itself; 0.1 is a rate for SGD."""

    def sign(model: nn.Module, step: int) -> None:
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad.sign_()

    model = n.Transformer(size)
    how = torch.optim.SGD(model.parameters(), 3e-4 if cured else 0.1)
    return Training(model, d.tokens(), how, before_step=sign, steps=120)


@part.sick("weight.update_too_large", TOO_FAST, "loss.flat")
def rmsprop_overwrites_the_recurrence(size: Size, cured: bool) -> Training:
    model = n.Recurrent(size, nn.RNN, symbols=24, outs=24, every=True)
    how = torch.optim.RMSprop(model.parameters(), 5e-4 if cured else 1.0)
    return Training(model, d.text(), how, steps=150)


@part.sick("weight.update_too_large", TOO_FAST, "loss.flat")
def convolutions_overwritten(size: Size, cured: bool) -> Training:
    model = n.conv_stack(size, nn.Tanh, ins=1, outs=10, depth=3)
    how = torch.optim.SGD(model.parameters(), 0.1 if cured else 20.0, momentum=0.5)
    return Training(model, d.digits(800), how, steps=120)
