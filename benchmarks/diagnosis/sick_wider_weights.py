"""Faults of the weights and their updates that beginners ask about."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD

from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_beyond import cnn
from benchmarks.diagnosis.collection_outside import (
    adam,
    clusters,
    friedman,
    linears,
    mlp,
    pixels,
    sgd,
)
from benchmarks.diagnosis.collection_wider import (
    chances,
    houses,
    logits,
    opinions,
    signals,
    waves_net,
    wider,
    words_net,
)
from benchmarks.diagnosis.data import Batch, digits
from benchmarks.diagnosis.training import Size, Training, cross_entropy, squares

sick = wider.sick

STUCK = "loss.flat loss.plateau_early weight.not_updating"

# Weights ----------------------------------------------------------------------------------------


@sick("weight.exploding", TOO_FAST)
def raw_logits_given_to_the_nll_loss(s: Size, cured: bool) -> Training:
    """Without log_softmax the loss is minus a logit, and has no lower end."""

    def nll(model: nn.Module, batch: Batch) -> Tensor:
        out = model(batch[0])
        return F.nll_loss(out.log_softmax(1) if cured else out, batch[1])

    model = mlp(20, 32, 5, act=nn.LeakyReLU)
    return Training(model, clusters(), adam(model, 0.02), nll, steps=500, batch=32)


@sick("weight.exploding", TOO_FAST)
def rescaled_in_place_at_each_step(s: Size, cured: bool) -> Training:
    """A gain meant for the initialisation is applied in the loop."""

    def gain(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for m in linears(model):
                m.weight.mul_(1.02)

    model = mlp(64, 48, 48, 10, act=nn.Tanh)
    return Training(
        model, pixels(), sgd(model, 0.05), steps=250, after_step=None if cured else gain
    )


@sick("weight.collapsing", STUCK, "gradient.vanishing activation.dead")
def soft_threshold_of_a_hundredth_at_each_step(s: Size, cured: bool) -> Training:
    """Sparse weights by a proximal step that forgets to multiply with the rate."""

    def shrink(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for m in linears(model):
                m.weight.copy_(F.softshrink(m.weight, 1e-5 if cured else 1e-2))

    model = mlp(64, 48, 10)
    return Training(model, pixels(), sgd(model, 0.05), steps=250, batch=32, after_step=shrink)


@sick("weight.collapsing", STUCK, "gradient.vanishing activation.dead")
def nadam_with_a_decay_of_three_halves(s: Size, cured: bool) -> Training:
    model = mlp(5, 32, 32, 1, act=nn.GELU)
    optimizer = torch.optim.NAdam(model.parameters(), 2e-3, weight_decay=1e-4 if cured else 1.5)
    return Training(model, houses(), optimizer, squares, steps=500, batch=32)


@sick("weight.collapsing", STUCK, "gradient.vanishing activation.dead", size=2)
def decay_of_one_in_a_convolutional_net(s: Size, cured: bool) -> Training:
    """weight_decay and momentum were handed over in the wrong order: 0.9 and 5e-4."""
    model = cnn(s.width // 4)
    momentum, decay = (0.9, 5e-4) if cured else (5e-4, 0.9)
    return Training(model, digits(600), sgd(model, 0.05, momentum, decay), steps=150, batch=32)


# Not updating, or overwritten -------------------------------------------------------------------


class _Every(SGD):
    """`if (i + 1) % n == 0: optimizer.step()`, where i begins anew in each epoch of `length`."""

    def __init__(self, parameters: object, rate: float, n: int, length: int) -> None:
        super().__init__(parameters, rate)  # type: ignore[arg-type]
        self.n, self.length, self.seen = n, length, 0

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        i = self.seen % self.length
        self.seen += 1
        if (i + 1) % self.n == 0:
            super().step()


@sick("weight.not_updating", "loss.flat")
def epoch_shorter_than_the_accumulation(s: Size, cured: bool) -> Training:
    """Ten batches an epoch, and a step after every sixteenth."""
    model = mlp(10, 32, 32, 1)
    optimizer = _Every(model.parameters(), 0.05, 1 if cured else 16, 10)
    return Training(model, friedman(320), optimizer, squares, steps=200, batch=32)


@sick("weight.not_updating", "gradient.vanishing")
def pruning_mask_left_on_the_gradient(s: Size, cured: bool) -> Training:
    """A hook of an experiment before multiplies the first layer's gradient by zeros."""
    model = mlp(64, 32, 32, 10)
    if not cured:
        model[0].weight.register_hook(torch.zeros_like)  # type: ignore[operator]
    return Training(model, pixels(), adam(model, 2e-3), steps=250, batch=32)


@sick("weight.update_too_large", TOO_FAST)
def loss_scale_never_taken_back(s: Size, cured: bool) -> Training:
    """Gradients for half precision are scaled by 1024, and the step takes them as they are."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return (1 if cured else 1024) * cross_entropy(model, batch)

    model = mlp(20, 32, 32, 5, act=nn.Tanh)
    return Training(
        model, clusters(), sgd(model, 0.05), loss, steps=200, batch=16, whole=cross_entropy
    )


@sick("weight.update_too_large", TOO_FAST)
def rmsprop_at_three_tenths_for_reviews(s: Size, cured: bool) -> Training:
    model = words_net(16, 32, 32, 2, act=nn.Tanh)
    optimizer = torch.optim.RMSprop(model.parameters(), 1e-3 if cured else 0.3)
    return Training(model, opinions(), optimizer, steps=200, batch=32)


@sick("weight.update_too_large", TOO_FAST)
def adam_at_one_half_for_outcomes_of_chance(s: Size, cured: bool) -> Training:
    model = mlp(8, 32, 32, 1, act=nn.Tanh)
    return Training(
        model, chances(sharp=5.0), adam(model, 2e-3 if cured else 0.5), logits, steps=120, batch=16
    )


@sick("weight.update_too_large", TOO_FAST)
def sgd_at_twenty_for_signals(s: Size, cured: bool) -> Training:
    model, d = waves_net(12, nn.Tanh), signals(noise=0.1)
    return Training(model, d, sgd(model, 0.06 if cured else 20.0), steps=400, batch=16)
