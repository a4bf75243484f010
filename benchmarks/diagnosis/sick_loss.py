"""Sick, to tune by: the loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import networks as n
from benchmarks.diagnosis import proofs
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.cases import TOO_FAST, Collection
from benchmarks.diagnosis.data import Batch
from benchmarks.diagnosis.training import Size, Training

part = Collection("dev")


# Flat -------------------------------------------------------------------------------------------


@part.sick("loss.flat", "weight.not_updating", quick=True)
def rate_far_too_low(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.ReLU, nn.LayerNorm)
    slow = 1.0 if cured else 1e-6
    how = t.optimizer(model, size, sgd=0.1 * slow, adam=1e-3 * slow)
    return Training(model, d.vectors(), how)


@part.sick("loss.flat")
def labels_of_other_samples(size: Size, cured: bool) -> Training:
    """Inputs are shuffled and labels are not: in the data there is much to learn."""

    def mixed(batch: Batch, step: int) -> Batch:
        return batch if cured else (batch[0], batch[1][torch.randperm(len(batch[1]))])

    model = n.stack(size, nn.ReLU, depth=3)
    how = t.optimizer(model, size, sgd=0.3, adam=1e-3)
    return Training(model, d.vectors(2048), how, corrupt=mixed, batch=64, steps=250)


@part.sick("loss.flat", "gradient.vanishing weight.not_updating activation.dead gradient.none")
def all_weights_zero(size: Size, cured: bool) -> Training:
    model = n.stack(size, depth=3)
    if not cured:
        for parameter in model.parameters():
            nn.init.zeros_(parameter)
    how = t.optimizer(model, size, sgd=0.3, adam=1e-3)
    return Training(model, d.vectors(), how, steps=250)


@part.sick("loss.flat", "gradient.vanishing weight.not_updating gradient.exploding")
def loss_divided_away(size: Size, cured: bool) -> Training:
    """A mean over a mean over a mean: the loss is so small that plain SGD does not move."""
    scale = 1.0 if cured else 1e-6

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return scale * F.mse_loss(model(batch[0]), batch[1])

    model = n.stack(size, nn.GELU, depth=2, outs=1)
    how = torch.optim.SGD(model.parameters(), 0.1)
    whole = t.squares
    return Training(model, d.numbers(), how, objective=loss, whole=whole, steps=200)


# Diverging --------------------------------------------------------------------------------------


@part.sick("loss.diverging", TOO_FAST, quick=True)
def maximised(size: Size, cured: bool) -> Training:
    """The sign of the loss is wrong."""
    model = n.stack(size, nn.ReLU, depth=2)
    how = torch.optim.SGD(model.parameters(), 0.02, maximize=not cured)
    return Training(model, d.vectors(), how, steps=200)


@part.sick("loss.diverging", TOO_FAST)
def linear_slowly_diverging(size: Size, cured: bool) -> Training:
    model = nn.Linear(16, 1)
    how = torch.optim.SGD(model.parameters(), 0.1 if cured else 1.0 + 0.02 * size.depth)
    return Training(model, d.numbers(), how, objective=t.squares, batch=64, steps=80)


@part.sick("loss.diverging", TOO_FAST)
def rate_that_keeps_rising(size: Size, cured: bool) -> Training:
    """A warm-up that was never told to stop: it learns, then loses it all."""

    def grow(step: int) -> float:
        return min(1.0, step / 20) if cured else 1.04**step / 4

    model = n.stack(size, nn.Tanh, depth=2, outs=1)
    how = torch.optim.SGD(model.parameters(), 0.02)
    return Training(model, d.numbers(), how, objective=t.squares, schedule=grow, steps=240)


# Unstable ---------------------------------------------------------------------------------------


@part.sick("loss.unstable", TOO_FAST, quick=True)
def adam_a_hundred_times_too_fast(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.Tanh, depth=2, outs=1)
    how = torch.optim.Adam(model.parameters(), 3e-3 if cured else 0.3)
    return Training(model, d.numbers(), how, objective=t.squares, steps=300)


@part.sick("loss.unstable", TOO_FAST)
def momentum_at_the_edge(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.Tanh, depth=2)
    rate = 0.02 if cured else 1.5
    how = torch.optim.SGD(model.parameters(), rate, momentum=0.9)
    return Training(model, d.vectors(), how, steps=250)


@part.sick("loss.unstable", TOO_FAST, "loss.plateau_early")
def one_shard_in_other_units(size: Size, cured: bool) -> Training:
    """Every thirtieth batch is fifty times too large: spike upon spike."""

    def other(batch: Batch, step: int) -> Batch:
        return batch if cured or step % 30 else (50 * batch[0], batch[1])

    model = n.stack(size, nn.ReLU, depth=2, gain=2**0.5)
    how = torch.optim.SGD(model.parameters(), 0.02)
    return Training(model, d.bent(), how, corrupt=other, steps=300)


# Plateau ----------------------------------------------------------------------------------------


@part.sick("loss.plateau_early", TOO_FAST, quick=True)
def stuck_above_the_digits(size: Size, cured: bool) -> Training:
    model = nn.Sequential(nn.Flatten(), n.stack(size, nn.Tanh, depth=2, ins=64, outs=10))
    how = torch.optim.Adam(model.parameters(), 3e-3 if cured else (0.2, 0.11, 0.075)[size.variant])
    return Training(model, d.digits(), how, steps=400)


@part.sick("loss.plateau_early", TOO_FAST)
def dancing_around_the_minimum(size: Size, cured: bool) -> Training:
    """Least squares on four samples a step: with a rate this high it never comes closer."""
    model = nn.Linear(16, 1)
    rate = 0.01 if cured else 0.13 - 0.005 * size.variant
    data = d.numbers(2048, scale=5, noise=0.2)
    how = torch.optim.SGD(model.parameters(), rate)
    return Training(model, data, how, objective=t.squares, steps=400, batch=4)


@part.sick("loss.plateau_early", TOO_FAST, "weight.not_updating")
def kicked_to_a_constant(size: Size, cured: bool) -> Training:
    """Targets far from zero: the first steps kill the units, and only the mean is learned."""
    model = n.stack(size, nn.ReLU, depth=2, outs=1)
    how = torch.optim.SGD(model.parameters(), 0.003 if cured else 0.05, momentum=0.9)
    data = d.numbers(shift=0.0 if cured else 10.0)
    return Training(model, data, how, objective=t.squares, steps=300)


@part.sick("loss.plateau_early", "weight.not_updating")
def decayed_too_early(size: Size, cured: bool) -> Training:
    """The rate falls tenfold every 60 steps, where epochs were meant."""

    def decay(step: int) -> float:
        return 1.0 if cured else 0.1 ** (step // 60)

    model = n.stack(size, nn.ReLU, depth=3, ins=64, outs=10)
    flat = nn.Sequential(nn.Flatten(), model)
    how = t.optimizer(flat, size, sgd=0.5, adam=3e-3)
    return Training(flat, d.digits(), how, schedule=decay, steps=500)


# Not finite -------------------------------------------------------------------------------------


@part.sick("loss.nonfinite", "gradient.nonfinite", quick=True)
def logarithm_of_zero(size: Size, cured: bool) -> Training:
    def loss(model: nn.Module, batch: Batch) -> Tensor:
        logits = (1.0 if cured else 3000.0) * model(batch[0])
        if cured:
            return F.cross_entropy(logits, batch[1])
        return -torch.log(logits.softmax(1)[torch.arange(len(logits)), batch[1]]).mean()

    model = n.stack(size, nn.ReLU, depth=2)
    how = t.optimizer(model, size, sgd=0.1, adam=1e-3)
    return Training(model, d.vectors(), how, objective=loss, steps=60)


@part.sick("loss.nonfinite", "gradient.nonfinite")
def one_nan_in_the_data(size: Size, cured: bool) -> Training:
    def spoil(batch: Batch, step: int) -> Batch:
        return batch if cured or step != 70 else (batch[0] * float("nan"), batch[1])

    model = n.stack(size, nn.ReLU, depth=3)
    how = t.optimizer(model, size, sgd=0.1, adam=1e-3)
    return Training(model, d.vectors(), how, corrupt=spoil, steps=120)


@part.sick("loss.nonfinite", TOO_FAST, "gradient.nonfinite")
def overflowing_regression(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.ReLU, depth=2, outs=1)
    how = torch.optim.SGD(model.parameters(), 0.01 if cured else 2.0)
    return Training(model, d.numbers(scale=1 if cured else 10), how, objective=t.squares, steps=80)


# Overfitting ------------------------------------------------------------------------------------


@part.sick("loss.overfitting", quick=True)
def few_samples_with_wrong_labels(size: Size, cured: bool) -> Training:
    wide = Size(4 * size.width, size.depth)
    model = n.stack(wide, nn.ReLU, depth=2)
    how = t.optimizer(model, size, sgd=0.2, adam=3e-3)
    return Training(model, d.vectors(96, noise=0.3), how, steps=450, epoch=6, batch=16)


@part.sick("loss.overfitting")
def transformer_on_a_few_sentences(size: Size, cured: bool) -> Training:
    small = Size(max(32, size.width), 4)
    model = n.Transformer(small, symbols=24, outs=24, length=16, causal=True, dropout=0.0)
    how = torch.optim.AdamW(model.parameters(), 5e-3)
    return Training(model, d.text(24), how, steps=200, epoch=4, batch=8)


@part.sick("loss.overfitting", proof=proofs.not_generalising)
def labels_at_random(size: Size, cured: bool) -> Training:
    """Training falls to nothing, validation never falls."""
    model = n.stack(Size(4 * size.width), nn.GELU, depth=2)
    how = torch.optim.Adam(model.parameters(), 2e-3)
    return Training(model, d.vectors(160, noise=1.0), how, steps=400, epoch=10, batch=16)
