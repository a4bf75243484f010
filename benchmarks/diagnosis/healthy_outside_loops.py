"""Sound loops that look alarming, of the split "outside"; each beside a plain twin."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import LBFGS, SGD, Adam, AdamW

from benchmarks.diagnosis import proofs
from benchmarks.diagnosis.collection_outside import (
    adam,
    circles,
    clipped,
    clusters,
    flowers,
    friedman,
    mlp,
    moons,
    outside,
    pixels,
    sgd,
)
from benchmarks.diagnosis.data import Batch, Data, cancer, diabetes, wine
from benchmarks.diagnosis.training import Size, Training, squares

# Schedules --------------------------------------------------------------------------------------


@outside.healthy()
def one_cycle_with_a_high_peak(size: Size, cured: bool) -> Training:
    def cycle(step: int) -> float:
        rise = min(step / 90, 1.0)
        fall = max(0.0, (step - 90) / 210)
        return 0.04 + 0.96 * rise if step <= 90 else 0.5 * (1 + math.cos(math.pi * fall)) + 1e-3

    model = mlp(64, 64, 64, 10, act=nn.GELU)
    optimizer = adam(model, 2e-3) if cured else sgd(model, 0.2, 0.9)
    return Training(model, pixels(), optimizer, steps=300, schedule=None if cured else cycle)


@outside.healthy()
def cosine_with_three_restarts(size: Size, cured: bool) -> Training:
    model = mlp(10, 48, 48, 1)
    return Training(
        model, friedman(), adam(model, 5e-3), squares, steps=450,
        schedule=None if cured else lambda s: 0.51 + 0.5 * math.cos(math.pi * (s % 150) / 150),
    )  # fmt: skip


@outside.healthy()
def long_warm_up_from_almost_nothing(size: Size, cured: bool) -> Training:
    """For a fifth of the training hardly anything moves, as planned."""
    model = mlp(20, 48, 48, 48, 5)
    return Training(
        model, clusters(), adam(model, 2e-3), steps=400,
        schedule=None if cured else lambda step: min(1.0, (step / 160) ** 3),
    )  # fmt: skip


@outside.healthy()
def rate_cut_tenfold_twice(size: Size, cured: bool) -> Training:
    """The loss falls as down a staircase, and rests at the end."""
    model = mlp(64, 48, 10)
    return Training(
        model, pixels(), sgd(model, 0.2, 0.9), steps=450,
        schedule=None if cured else lambda step: 0.1 ** (step // 150),
    )  # fmt: skip


@outside.healthy()
def linear_decay_to_zero(size: Size, cured: bool) -> Training:
    model = mlp(13, 32, 3)
    return Training(
        model, wine(), AdamW(model.parameters(), 5e-3), steps=200, batch=16,
        schedule=None if cured else lambda step: 1.0 - step / 200,
    )  # fmt: skip


@outside.healthy()
def triangles_of_the_rate(size: Size, cured: bool) -> Training:
    model = mlp(30, 40, 40, 2)
    return Training(
        model, cancer(), sgd(model, 0.1, 0.9), steps=320,
        schedule=None if cured else lambda step: 0.05 + 0.95 * (1 - abs((step % 80) / 40 - 1)),
    )  # fmt: skip


# Batches ----------------------------------------------------------------------------------------


@outside.healthy(0.25)
def batches_of_four(size: Size, cured: bool) -> Training:
    model = mlp(20, 40, 40, 5)
    return Training(
        model, clusters(flip=0.1), adam(model, 1e-3), steps=800, batch=32 if cured else 4
    )


@outside.healthy()
def eight_batches_for_a_step(size: Size, cured: bool) -> Training:
    model = mlp(10, 40, 40, 1)
    pieces, batch = (1, 64) if cured else (8, 8)
    return Training(
        model, friedman(), adam(model, 5e-3), squares, steps=200, accumulate=pieces, batch=batch
    )


@outside.healthy()
def batches_that_grow(size: Size, cured: bool) -> Training:
    data = pixels()

    def grow() -> Iterator[Batch]:
        for n in (8, 32, 128):
            stream = data.batches(n)
            for _ in range(130):
                yield next(stream)

    model = mlp(64, 64, 10)
    return Training(model, data, sgd(model, 0.1, 0.5), steps=390, batches=None if cured else grow())


@outside.healthy()
def easy_samples_first(size: Size, cured: bool) -> Training:
    """A curriculum: the loss rises when the hard ones join."""
    data = moons(noise=0.25)
    edge = (data.x[:, 1] - 0.25).abs()
    order = edge.argsort(descending=True)

    def staged() -> Iterator[Batch]:
        for share in (0.4, 0.7, 1.0, 1.0):
            part = order[: int(share * len(order))]
            stream = Data(data.x[part], data.y[part], data.val_x, data.val_y).batches(32)
            for _ in range(120):
                yield next(stream)

    model = mlp(2, 48, 48, 2, act=nn.Tanh)
    return Training(model, data, adam(model, 5e-3), steps=480, batches=None if cured else staged())


@outside.healthy()
def second_source_joins_halfway(size: Size, cured: bool) -> Training:
    """The loss jumps when digits upside down come in, and falls again."""
    data = pixels()
    turned = Data(data.x.flip(1), data.y, data.val_x.flip(1), data.val_y)
    both = Data(torch.cat([data.x, turned.x]), torch.cat([data.y] * 2), data.val_x, data.val_y)

    def joined() -> Iterator[Batch]:
        stream = data.batches(48)
        for _ in range(180):
            yield next(stream)
        yield from both.batches(48)

    model = mlp(64, 96, 10)
    return Training(
        model, both, adam(model, 4e-3), steps=500, batch=48, batches=None if cured else joined()
    )


@outside.healthy()
def two_data_sets_in_turn(size: Size, cured: bool) -> Training:
    """Every other batch is of noisy labels: the loss zigzags between two levels."""
    data = clusters(800)
    hard = torch.where(torch.rand(400) < 0.4, torch.randint(0, 5, (400,)), data.y[400:])
    mixed = Data(data.x, torch.cat([data.y[:400], hard]), data.val_x, data.val_y)

    def turns() -> Iterator[Batch]:
        halves = [Data(mixed.x[i], mixed.y[i], data.val_x, data.val_y).batches(32)
                  for i in (slice(400), slice(400, 800))]  # fmt: skip
        while True:
            yield next(halves[0])
            yield next(halves[1])

    model = mlp(20, 32, 5)
    return Training(model, mixed, adam(model, 2e-3), steps=350, batches=None if cured else turns())


# Steps ------------------------------------------------------------------------------------------


@outside.healthy()
def clipping_that_never_rests(size: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10)
    optimizer = sgd(model, 0.1, 0.5) if cured else sgd(model, 0.5)
    clip = None if cured else clipped(0.2)
    return Training(model, pixels(), optimizer, steps=400, before_step=clip)


@outside.healthy()
def noise_added_to_gradients(size: Size, cured: bool) -> Training:
    def noise(model: nn.Module, step: int) -> None:
        for p in model.parameters():
            assert p.grad is not None
            p.grad.add_(torch.randn_like(p), alpha=0.03 / (1 + step) ** 0.25)

    model = mlp(30, 32, 32, 2)
    return Training(
        model, cancer(), sgd(model, 0.1), steps=300, before_step=None if cured else noise
    )


@outside.healthy()
def momentum_wobbles_on_whole_batches(size: Size, cured: bool) -> Training:
    """At the edge of stability the loss goes down in ripples."""
    model = mlp(2, 32, 32, 2, act=nn.Tanh)
    optimizer = adam(model, 5e-3) if cured else sgd(model, 0.25, 0.9)
    return Training(model, moons(300), optimizer, steps=400, batch=300)


@outside.healthy()
def adam_at_three_hundredths_and_fine(size: Size, cured: bool) -> Training:
    model = mlp(2, 16, 16, 2, act=nn.Tanh)
    return Training(model, circles(), adam(model, 5e-3 if cured else 0.03), steps=400)


@outside.healthy()
def mean_of_the_last_hundred_weights(size: Size, cured: bool) -> Training:
    """SWA: for the last quarter a constant high rate; the mean replaces the weights at last."""
    model = mlp(10, 48, 48, 1)
    total = [torch.zeros_like(p) for p in model.parameters()]

    def average(model: nn.Module, step: int) -> None:
        for s, p in zip(total, model.parameters(), strict=True):
            if step > 300:
                s += p.detach() / 100
            if step == 400:
                p.data.copy_(s)

    return Training(
        model, friedman(), adam(model, 5e-3), squares, steps=400,
        after_step=None if cured else average,
    )  # fmt: skip


@outside.healthy()
def looks_ahead_and_steps_back(size: Size, cured: bool) -> Training:
    """Lookahead: every fifth step goes halfway back to the slow weights."""
    model = mlp(64, 48, 48, 10)
    slow = [p.detach().clone() for p in model.parameters()]

    def back(model: nn.Module, step: int) -> None:
        if step % 5 == 0:
            for s, p in zip(slow, model.parameters(), strict=True):
                s.lerp_(p.detach(), 0.5)
                p.data.copy_(s)

    return Training(
        model, pixels(), adam(model, 4e-3), steps=350, after_step=None if cured else back
    )


@outside.healthy(proof=proofs.learns(0.3))
def lbfgs_in_a_closure(size: Size, cured: bool) -> Training:
    model = mlp(4, 12, 3, act=nn.LeakyReLU)
    if cured:
        return Training(model, flowers(), adam(model, 0.01), steps=200, batch=100)
    optimizer = LBFGS(model.parameters(), 0.3, max_iter=3)
    return Training(model, flowers(), optimizer, steps=80, batch=100, closure=True)


@outside.healthy()
def two_optimizers_for_two_halves(size: Size, cured: bool) -> Training:
    model = mlp(13, 32, 32, 3)
    halves: list[torch.optim.Optimizer] = [
        SGD(model[0].parameters(), 0.05, momentum=0.9),
        Adam(list(model[2].parameters()) + list(model[4].parameters()), 2e-3),
    ]
    return Training(model, wine(), adam(model, 3e-3) if cured else halves, steps=150, batch=24)


@outside.healthy()
def strong_decay_and_still_learning(size: Size, cured: bool) -> Training:
    model = mlp(64, 96, 96, 10)
    optimizer = AdamW(model.parameters(), 2e-3, weight_decay=1e-4 if cured else 0.3)
    return Training(model, pixels(), optimizer, steps=400)


@outside.healthy()
def stopped_after_eighty_steps(size: Size, cured: bool) -> Training:
    """Interrupted: it was still falling fast, and that is all."""
    model = mlp(64, 96, 96, 10)
    return Training(model, pixels(), adam(model, 1.2e-3 if cured else 1e-3), steps=80, batch=64)


@outside.healthy(moves=1e-3)
def long_after_it_has_converged(size: Size, cured: bool) -> Training:
    """Most of 1500 steps lie at the noise floor of a linear fit."""
    model = nn.Linear(10, 1)
    return Training(
        model, diabetes(), sgd(model, 0.03), squares, steps=300 if cured else 1500, batch=64,
        schedule=None if cured else lambda step: min(1.0, 100 / step),
    )  # fmt: skip


@outside.healthy()
def weights_perturbed_for_sharpness(size: Size, cured: bool) -> Training:
    """SAM by hand: the gradient is taken uphill of the weights."""

    def uphill(model: nn.Module, batch: Batch) -> Tensor:
        loss = F.cross_entropy(model(batch[0]), batch[1])
        names = dict(model.named_parameters())
        grads = torch.autograd.grad(loss, list(names.values()))
        scale = 0.05 / torch.cat([g.flatten() for g in grads]).norm()
        moved = {n: p + scale * g for (n, p), g in zip(names.items(), grads, strict=True)}
        return F.cross_entropy(torch.func.functional_call(model, moved, batch[:1]), batch[1])

    def plain(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1])

    model = mlp(20, 40, 40, 5)
    return Training(
        model, clusters(), sgd(model, 0.05, 0.9), plain if cured else uphill, steps=250, whole=plain
    )


@outside.healthy()
def hinge_loss_reaches_zero(size: Size, cured: bool) -> Training:
    """More and more batches have no gradient at all: everything is classified with a margin."""

    def hinge(model: nn.Module, batch: Batch) -> Tensor:
        return F.multi_margin_loss(model(batch[0]), batch[1])

    model = mlp(13, 32, 3)
    optimizer = adam(model, 3e-3) if cured else sgd(model, 0.1, 0.9)
    return Training(model, wine(), optimizer, hinge, steps=250, batch=24)
