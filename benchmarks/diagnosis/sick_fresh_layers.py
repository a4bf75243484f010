"""Sick, never seen by the rules: activations and weights."""

from __future__ import annotations

import copy
from collections.abc import Callable

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


# Dead -------------------------------------------------------------------------------------------


@part.sick(
    "activation.dead",
    "loss.unstable loss.plateau_early gradient.vanishing gradient.exploding",
    "weight.exploding weight.not_updating",
    size=1,
)
def bytes_into_a_relu(size: Size, cured: bool) -> Training:
    """Pixels of 0 to 255: the first steps throw most units where they never fire again."""
    model = nn.Sequential(nn.Flatten(), n.mlp([64, 2 * size.width, size.width, 10]))
    how = torch.optim.SGD(model.parameters(), 0.1)
    data = d.digits(600, scale=1 / 16 if cured else 255 / 16)
    return Training(model, data, how, steps=200)


@part.sick(
    "activation.dead", "loss.flat loss.unstable weight.exploding weight.update_too_large", size=0
)
def adagrad_at_one(size: Size, cured: bool) -> Training:
    """Adagrad's first step is the rate itself in every weight."""
    model = n.cnn(size, ins=1, outs=4, more=1)
    how = torch.optim.Adagrad(model.parameters(), 0.02 if cured else 1.0)
    return Training(model, f.bars(), how, steps=150)


@part.sick("activation.dead", "loss.plateau_early gradient.vanishing weight.not_updating", size=1)
def mean_of_the_other_scale(size: Size, cured: bool) -> Training:
    """Pixels of 0 to 1, from which a mean of 127 is taken."""
    data = d.digits(600)
    shift = 0.3 if cured else 127.0
    data = d.Data(data.x - shift, data.y, data.val_x - shift, data.val_y)
    model = nn.Sequential(nn.Flatten(), n.mlp([64, 2 * size.width, size.width, 10]))
    how = torch.optim.Adam(model.parameters(), 1e-3)
    return Training(model, data, how, steps=250)


# Saturated --------------------------------------------------------------------------------------


@part.sick(
    "activation.saturated",
    "loss.flat gradient.vanishing activation.dead weight.not_updating",
    size=0,
)
def squeeze_gates_shut(size: Size, cured: bool) -> Training:
    """Squeeze-and-excitation whose gates begin at a bias of -9: every channel is shut off."""

    class Squeeze(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            c = size.width
            self.first = nn.Sequential(nn.Conv2d(1, c, 3, 2, 1), nn.ReLU())
            self.gate = nn.Sequential(nn.Linear(c, c // 2), nn.ReLU(), nn.Linear(c // 2, c))
            self.squash = nn.Sigmoid()
            self.second = nn.Sequential(nn.Conv2d(c, c, 3, 1, 1), nn.ReLU())
            self.head = nn.Linear(c, 4)
            if not cured:
                nn.init.constant_(self.gate[2].bias, -9.0)  # type: ignore[arg-type]

        def forward(self, x: Tensor) -> Tensor:
            h = self.first(x)
            h = h * self.squash(self.gate(h.mean((2, 3))))[:, :, None, None]
            return self.head(self.second(h).amax((2, 3)))

    model = Squeeze()
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, f.bars(), how, steps=200)


@part.sick("activation.saturated", "loss.plateau_early", size=1)
def sigmoid_for_standardised_pixels(size: Size, cured: bool) -> Training:
    """An autoencoder of pixels of mean 0 and variance 1 that can only say 0 to 1."""
    model = n.mlp([64, size.width, size.width // 2, size.width, 64], nn.LeakyReLU)
    if not cured:
        model.append(nn.Sigmoid())
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, f.standard_digits(600), how, objective=t.rebuild, steps=350)


@part.sick("activation.saturated", "loss.flat gradient.vanishing weight.not_updating", size=2)
def hard_tanh_of_raw_wine(size: Size, cured: bool) -> Training:
    """Proline comes in hundreds; every unit of the first layer is at one of its ends."""
    model = n.mlp([13, size.width, size.width // 2, 3], nn.Hardtanh)
    how = torch.optim.SGD(model.parameters(), 0.02)
    return Training(model, d.wine(raw=not cured), how, steps=200, batch=24)


@part.sick(
    "activation.saturated",
    "loss.unstable gradient.vanishing gradient.exploding weight.exploding",
    "weight.update_too_large",
    size=1,
)
def tanh_pushed_by_rmsprop(size: Size, cured: bool) -> Training:
    """A rate of 0.3 pushes every tanh to its ends within a few steps."""
    model = n.mlp([10, size.width, size.width, 1], nn.Tanh)
    how = torch.optim.RMSprop(model.parameters(), 2e-3 if cured else 0.3)
    return Training(model, f.friedman(), how, objective=t.squares, steps=200)


# Weights: exploding -----------------------------------------------------------------------------

After = Callable[[nn.Module, int], None]


@part.sick(
    "weight.exploding",
    "loss.diverging loss.unstable loss.nonfinite gradient.exploding",
    "gradient.nonfinite weight.update_too_large",
    size=1,
)
def averages_added_up(size: Size, cured: bool) -> Training:
    """Every 25 steps the mean of the weights is added to them, where it should replace them."""
    kept: dict[str, Tensor] = {}

    def add(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for name, p in model.named_parameters():
                kept[name] = p.detach().clone() if name not in kept else (kept[name] + p) / 2
                if step % 25 == 0 and p.ndim > 1 and not cured:
                    p.add_(kept[name])

    model = n.Skips(20, size.width, 2, 3)
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, f.tabular(), how, after_step=add, steps=200)


@part.sick(
    "weight.exploding",
    "loss.diverging loss.unstable gradient.exploding weight.update_too_large",
    size=0,
)
def replicas_summed(size: Size, cured: bool) -> Training:
    """Two workers, synchronised by a sum that is divided by 1.95 instead of 2: 2.5 % a step."""

    def sync(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(2 / (2 if cured else 1.95))

    model = n.Reader(nn.LSTM, 8, 2 * size.width, 10)
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, f.rows(400), how, after_step=sync, steps=200)


@part.sick("weight.exploding", "loss.unstable gradient.exploding", size=2)
def ascent_by_hand(size: Size, cured: bool) -> Training:
    """The margin of a ranking has no bound above: scores and weights grow for ever."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        score = model(batch[0])[:, 0]
        better = batch[1] == 0
        gap = score[better].mean() - score[~better].mean()
        return F.softplus(-gap) if cured else -gap

    model = n.mlp([20, size.width, size.width, 1], nn.LeakyReLU)
    how = torch.optim.Adam(model.parameters(), 1e-3 if cured else 0.02)
    return Training(model, f.tabular(), how, objective=loss, steps=250)


# Collapsing -------------------------------------------------------------------------------------


@part.sick("weight.collapsing", "loss.flat loss.plateau_early weight.update_too_large", size=1)
def decay_of_thirty(size: Size, cured: bool) -> Training:
    """AdamW(weight_decay=30), from a table in percent."""
    model = n.Attends(size.width, 2, 10)
    how = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.03 if cured else 30.0)
    return Training(model, f.rows(), how, steps=90)


@part.sick(
    "weight.collapsing",
    "loss.flat loss.plateau_early gradient.vanishing weight.update_too_large",
    size=0,
)
def absolute_values_penalised(size: Size, cured: bool) -> Training:
    """An L1 penalty of 0.1 on every weight of a convolutional net."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        size_of = sum(p.abs().sum() for p in model.parameters() if p.ndim > 1)
        return F.cross_entropy(model(batch[0]), batch[1]) + (1e-5 if cured else 0.05) * size_of

    model = n.cnn(size, outs=4, activation=nn.GELU)
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, f.bars(), how, objective=loss, whole=t.cross_entropy, steps=120)


@part.sick("weight.collapsing", "loss.flat weight.update_too_large", size=2)
def average_without_the_new(size: Size, cured: bool) -> Training:
    """w = 0.95 w + 0.05 w_new was meant, and the second half is missing, in the recurrence."""

    def average(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for p in model.rnn.parameters():  # type: ignore[union-attr]
                p.mul_(1.0 if cured else 0.95)

    model = n.Reader(nn.GRU, 8, size.width // 2, 10)
    how = torch.optim.RMSprop(model.parameters(), 1e-3 if not cured else 3e-3)
    return Training(model, f.rows(400), how, after_step=average, steps=200)


# Not updating -----------------------------------------------------------------------------------


@part.sick("weight.not_updating", size=0)
def second_optimizer_never_stepped(size: Size, cured: bool) -> Training:
    """One optimizer for the body and one for the head; only the head's step() is called."""
    model = n.cnn(size, outs=4, norm=True)
    head = list(model[-1].parameters())
    body = [p for p in model.parameters() if all(p is not q for q in head)]
    how = [torch.optim.Adam(head, 3e-3)]
    if cured:
        how.append(torch.optim.Adam(body, 3e-3))

    def clear(model: nn.Module, step: int) -> None:
        model.zero_grad()

    return Training(model, f.bars(), how, after_step=clear, steps=100)


@part.sick("weight.not_updating", size=0)
def head_replaced_too_late(size: Size, cured: bool) -> Training:
    """The head for the new classes is put in behind the optimizer's back."""
    model = n.Bag(80, 2 * size.width, 5)
    how = torch.optim.AdamW(model.parameters(), 4e-3)
    model.net[-1] = nn.Linear(2 * size.width, 2)
    model.net[-1].weight.data.mul_(0.2)
    if cured:
        how = torch.optim.AdamW(model.parameters(), 4e-3)

    def clear(model: nn.Module, step: int) -> None:
        model.zero_grad()

    return Training(model, f.reviews(), how, after_step=clear, steps=200)


@part.sick("weight.not_updating", size=2)
def body_copied_behind_the_optimizer(size: Size, cured: bool) -> Training:
    """The body was deep-copied for a second try, and the optimizer still holds the first."""
    model = n.Reader(nn.GRU, 8, size.width // 2, 10)
    how = torch.optim.Adam(model.parameters(), 4e-3)
    if not cured:
        model.rnn = copy.deepcopy(model.rnn)

    def clear(model: nn.Module, step: int) -> None:
        model.zero_grad()

    return Training(model, f.rows(), how, after_step=clear, steps=120)


@part.sick("weight.not_updating", "loss.flat", size=1)
def integer_division_in_the_schedule(size: Size, cured: bool) -> Training:
    """LambdaLR(lambda e: 1 // (1 + e)): from the first step on the rate is zero."""
    model = n.Skips(10, size.width, 2, 1)
    how = torch.optim.SGD(model.parameters(), 0.02, momentum=0.9)
    return Training(
        model, f.friedman(), how, objective=t.squares,
        schedule=lambda s: 1.0 if cured else float(1 // (1 + s)), steps=150,
    )  # fmt: skip


# Too large --------------------------------------------------------------------------------------


@part.sick(
    "weight.update_too_large",
    "loss.diverging loss.unstable gradient.exploding weight.exploding",
    size=0,
)
def layerwise_trust_of_one(size: Size, cured: bool) -> Training:
    """LARS with a trust coefficient of 0.3 where 0.001 to 0.02 is meant."""

    def trust(model: nn.Module, step: int) -> None:
        for p in model.parameters():
            if p.grad is not None:
                p.grad.mul_((0.01 if cured else 0.3) * p.norm() / p.grad.norm().clamp_min(1e-9))

    model = n.cnn(size, outs=4, norm=True)
    how = torch.optim.SGD(model.parameters(), 1.0)
    return Training(model, f.bars(), how, before_step=trust, steps=120)


@part.sick(
    "weight.update_too_large",
    "loss.diverging loss.unstable gradient.exploding weight.exploding",
    size=1,
)
def tables_overwritten(size: Size, cured: bool) -> Training:
    """Embeddings of users and items by RMSprop at 1.0, two hundred times too fast."""
    model = n.Factors(6, spread=0.5)
    how = torch.optim.RMSprop(model.parameters(), 4e-3 if cured else 1.0)
    return Training(model, f.ratings(1500), how, objective=t.squares, steps=350, batch=64)


@part.sick(
    "weight.update_too_large",
    "loss.flat loss.unstable gradient.exploding weight.collapsing",
    size=2,
)
def attention_by_adamw_at_one(size: Size, cured: bool) -> Training:
    """A rate of 1 and a decay of 0.1: a step is a good part of what the decay leaves."""
    model = n.Attends(size.width // 2, 2, 2, symbols=80, length=12, before=False)
    how = torch.optim.AdamW(model.parameters(), 1e-3 if cured else 1.0, weight_decay=0.1)
    return Training(model, f.reviews(300), how, steps=80)
