"""Loops, optimizers and data that beginners take for broken, and that are not."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.collection_beyond import cnn, few
from benchmarks.diagnosis.collection_outside import (
    Reader,
    Recurrent,
    adam,
    clusters,
    flowers,
    linears,
    mlp,
    moons,
    pixels,
    sgd,
    sums,
)
from benchmarks.diagnosis.collection_wider import (
    chances,
    directions,
    houses,
    logits,
    opinions,
    signals,
    waves_net,
    wider,
    words_net,
)
from benchmarks.diagnosis.data import Batch, Data, cancer, diabetes, digits, waves, wine
from benchmarks.diagnosis.proofs import learns
from benchmarks.diagnosis.training import Nobody, Size, Training, cross_entropy, squares, train

healthy = wider.healthy

# Optimizers -------------------------------------------------------------------------------------


@healthy()
def rate_of_one_for_a_linear_classifier(s: Size, cured: bool) -> Training:
    """No rate is too high as such: the inputs are small."""
    model = nn.Sequential(nn.Linear(64, 10))
    return Training(model, pixels(), sgd(model, 0.3 if cured else 1.0), steps=300, batch=64)


@healthy(0.25)
def twelve_hundred_small_steps(s: Size, cured: bool) -> Training:
    """Plain SGD at a rate of a hundredth: slow, steady, and on its way."""
    model = mlp(20, 48, 48, 5)
    return Training(
        model, clusters(), sgd(model, 0.1 if cured else 0.01), batch=32,
        steps=200 if cured else 1200,
    )  # fmt: skip


@healthy()
def adadelta_at_its_own_rate_of_one(s: Size, cured: bool) -> Training:
    model = mlp(64, 48, 10)
    other = torch.optim.Adadelta(model.parameters(), 1.0)
    return Training(model, pixels(), adam(model, 2e-3) if cured else other, steps=400, batch=32)


@healthy()
def radam_needs_no_warm_up(s: Size, cured: bool) -> Training:
    model = words_net(32, 32, 2)
    other = torch.optim.RAdam(model.parameters(), 8e-3)
    return Training(model, opinions(), adam(model, 4e-3) if cured else other, steps=300, batch=32)


@healthy(0.2, size=2)
def adagrad_that_slows_itself_down(s: Size, cured: bool) -> Training:
    model = mlp(20, s.width, 5)
    other = torch.optim.Adagrad(model.parameters(), 0.05)
    return Training(model, clusters(), adam(model, 3e-3) if cured else other, steps=400, batch=32)


@healthy()
def rmsprop_with_momentum(s: Size, cured: bool) -> Training:
    model = cnn(8)
    other = torch.optim.RMSprop(model.parameters(), 5e-4, momentum=0.9)
    return Training(model, digits(600), adam(model, 4e-3) if cured else other, steps=180, batch=32)


@healthy()
def averaged_sgd(s: Size, cured: bool) -> Training:
    model = mlp(13, 24, 3, act=nn.Tanh)
    other = torch.optim.ASGD(model.parameters(), 0.1, t0=100)
    return Training(model, wine(), sgd(model, 0.1) if cured else other, steps=250, batch=16)


@healthy()
def nesterov_on_raw_logits(s: Size, cured: bool) -> Training:
    model = mlp(30, 32, 1)
    other = torch.optim.SGD(model.parameters(), 0.02, momentum=0.95, nesterov=True)
    return Training(model, cancer(), sgd(model, 0.2) if cured else other, logits, steps=300)


@healthy(proof=learns(0.02))
def lbfgs_fits_a_curve(s: Size, cured: bool) -> Training:
    """Each step is twenty of another optimizer: nearly all of the fall is in the first ten."""
    model, d = mlp(1, 20, 20, 1, act=nn.Tanh), waves(300)
    if cured:
        return Training(model, d, adam(model, 0.01), squares, steps=600, batch=64)
    other = torch.optim.LBFGS(model.parameters(), 0.5, max_iter=5, line_search_fn="strong_wolfe")
    return Training(model, d, other, squares, steps=80, batch=300, closure=True)


@healthy()
def no_decay_for_biases_and_norms(s: Size, cured: bool) -> Training:
    model = mlp(30, 48, 48, 2, norm=nn.LayerNorm)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": 0.0 if cured else 0.1},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return Training(model, cancer(), torch.optim.AdamW(groups, 2e-3), steps=300, batch=32)


@healthy()
def noam_schedule(s: Size, cured: bool) -> Training:
    """Up over sixty steps, then down with the root of the step."""
    model: nn.Module = words_net(32, 32, 2)
    if not cured:
        model = Reader(60, 10, 2, width=24, depth=2, pre=True)
    return Training(
        model, opinions(), adam(model, 4e-3), steps=220, batch=32,
        schedule=None if cured else lambda k: min(k / 60, (60 / k) ** 0.5),
    )  # fmt: skip


@healthy()
def three_rates_by_depth(s: Size, cured: bool) -> Training:
    """Each layer has a third of the rate of the one above."""
    model = mlp(64, 64, 64, 10)
    rates = [3e-3] * 3 if cured else [1e-3, 3e-3, 9e-3]
    pairs = zip(linears(model), rates, strict=True)
    groups = [{"params": m.parameters(), "lr": rate} for m, rate in pairs]
    return Training(model, pixels(), torch.optim.Adam(groups), steps=300, batch=32)


@healthy()
def every_gradient_clipped_by_value(s: Size, cured: bool) -> Training:
    def clip(model: nn.Module, step: int) -> None:
        nn.utils.clip_grad_value_(model.parameters(), 0.02)

    model = Recurrent(nn.GRU(2, 24, batch_first=True), 1)
    return Training(
        model, sums(length=8), adam(model, 0.01), squares, steps=300, batch=64,
        before_step=None if cured else clip,
    )  # fmt: skip


@healthy()
def polynomial_decay_to_the_end(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 10, act=nn.Mish)
    return Training(
        model, pixels(), sgd(model, 0.1, 0.9), steps=350, batch=32,
        schedule=None if cured else lambda k: (1 - k / 351) ** 2,
    )  # fmt: skip


# Batches and losses -----------------------------------------------------------------------------


def _epochs(d: Data, n: int, *, shuffled: bool = True) -> Iterator[Batch]:
    """All samples in each epoch, so that the last batch is a small one."""
    while True:
        order = torch.randperm(len(d.x)) if shuffled else torch.arange(len(d.x))
        for rows in order.split(n):
            yield d.x[rows], d.y[rows]


@healthy()
def last_batch_of_three_samples(s: Size, cured: bool) -> Training:
    """Once an epoch the loss is that of three samples, and sticks out."""
    model, d = mlp(64, 48, 10), pixels(643)
    return Training(
        model, d, adam(model, 2e-3), steps=400, batch=64,
        batches=None if cured else _epochs(d, 64),
    )  # fmt: skip


@healthy()
def same_order_in_every_epoch(s: Size, cured: bool) -> Training:
    """Not shuffled, but the file has no order either: the loss repeats its pattern."""
    model, d = mlp(30, 32, 2), cancer()
    return Training(
        model, d, sgd(model, 0.05), steps=400, batch=16,
        batches=None if cured else _epochs(d, 16, shuffled=False),
    )  # fmt: skip


@healthy()
def loss_summed_with_a_rate_to_match(s: Size, cured: bool) -> Training:
    """The number printed is 32 times as large."""

    def total(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1], reduction="sum")

    model = mlp(64, 48, 48, 10, act=nn.Tanh)
    return Training(
        model, pixels(), sgd(model, 0.1 if cured else 0.1 / 32), cross_entropy if cured else total,
        steps=400, batch=32, whole=cross_entropy,
    )  # fmt: skip


@healthy()
def prices_in_thousands_around_their_mean(s: Size, cured: bool) -> Training:
    """The loss begins at six thousand: the head's bias begins at the mean price."""
    model, d = mlp(5, 32, 32, 1), houses(prices=True)
    nn.init.constant_(model[-1].bias, 300.0)  # type: ignore[arg-type]
    rate = 0.02 if cured else 0.01
    return Training(model, d, adam(model, rate), squares, steps=400, batch=32, epoch=40)


@healthy(0.2)
def outcomes_that_are_mostly_chance(s: Size, cured: bool) -> Training:
    """From 0.69 to where the coin leaves it."""
    model = mlp(8, 16, 1) if not cured else nn.Sequential(nn.Linear(8, 1))
    rate = 0.3 if cured else 2e-3
    optimizer = sgd(model, rate) if cured else adam(model, rate)
    return Training(model, chances(), optimizer, logits, steps=300, batch=32, epoch=30)


@healthy(0.2)
def bias_that_begins_at_the_share_of_the_rare(s: Size, cured: bool) -> Training:
    """The loss begins low, and little is left to fall."""
    d = chances(1500, sharp=2.5, bias=-4.0)
    model = mlp(8, 24, 1)
    if not cured:
        share = float(d.y.mean().clamp_min(1e-3))
        nn.init.constant_(model[-1].bias, math.log(share / (1 - share)))  # type: ignore[arg-type]
    return Training(model, d, adam(model, 3e-3), logits, steps=300, batch=64)


@healthy()
def rare_class_drawn_more_often(s: Size, cured: bool) -> Training:
    """The batches are balanced, the data are not."""
    d = clusters(900, classes=2)
    keep = torch.cat([(d.y == 0).nonzero()[:, 0], (d.y == 1).nonzero()[:40, 0]])
    d = Data(d.x[keep], d.y[keep], d.val_x, d.val_y)
    share = torch.bincount(d.y).float()

    def sampled() -> Iterator[Batch]:
        while True:
            rows = torch.multinomial(1 / share[d.y], 32, replacement=True)
            yield d.x[rows], d.y[rows]

    model = mlp(20, 24, 2)
    return Training(
        model, d, sgd(model, 0.1), steps=400, batch=32, batches=None if cured else sampled()
    )


@healthy()
def similarity_that_is_to_grow(s: Size, cured: bool) -> Training:
    """The loss is minus a cosine: from about 0 to -1."""

    def minus(model: nn.Module, batch: Batch) -> Tensor:
        return -F.cosine_similarity(model(batch[0]), batch[1]).mean()

    model = mlp(6, 48, 48, 3, act=nn.ReLU if cured else nn.SiLU)
    return Training(model, directions(), adam(model, 3e-3), minus, steps=300, batch=32)


@healthy(0.25)
def hardest_quarter_of_each_batch(s: Size, cured: bool) -> Training:
    """Only the worst samples count, so the loss that is printed stays high."""

    def worst(model: nn.Module, batch: Batch) -> Tensor:
        each = F.cross_entropy(model(batch[0]), batch[1], reduction="none")
        return each.topk(max(1, len(each) // 4)).values.mean()

    model = mlp(64, 64, 10)
    return Training(
        model, pixels(), sgd(model, 0.05), cross_entropy if cured else worst, steps=400, batch=32,
        whole=cross_entropy,
    )  # fmt: skip


@healthy()
def each_picture_twice_through_dropout(s: Size, cured: bool) -> Training:
    """R-Drop: two passes are to agree; the loss is a sum of three."""

    def twice(model: nn.Module, batch: Batch) -> Tensor:
        a, b = model(batch[0]), model(batch[0])
        p, q = a.log_softmax(1), b.log_softmax(1)
        apart = F.kl_div(p, q, log_target=True, reduction="batchmean")
        return F.nll_loss(p, batch[1]) + F.nll_loss(q, batch[1]) + apart

    model = mlp(64, 64, 64, 10, drop=0.0 if cured else 0.3)
    loss = cross_entropy if cured else twice
    return Training(
        model, pixels(), adam(model, 2e-3), loss, steps=300, batch=32, whole=cross_entropy, epoch=30
    )


# Data -------------------------------------------------------------------------------------------


@healthy()
def one_batch_learned_by_heart(s: Size, cured: bool) -> Training:
    """The check that everyone recommends: sixteen samples, down to zero, and on."""
    model, d = cnn(8), few(digits(600), 16)
    return Training(model, d, adam(model, 3e-3), steps=100 if cured else 250, batch=16)


@healthy()
def flowers_in_eighty_steps(s: Size, cured: bool) -> Training:
    model = mlp(4, 16, 3)
    steps, rate = (200, 0.01) if cured else (80, 0.03)
    return Training(model, flowers(), adam(model, rate), steps=steps, batch=20)


@healthy(0.2)
def pictures_shifted_by_a_pixel(s: Size, cured: bool) -> Training:
    """Augmented on the way: the printed loss lies above that of validation."""

    def shift(batch: Batch, number: int) -> Batch:
        down, right = torch.randint(-1, 2, (2,)).tolist()
        return batch[0].roll((down, right), (2, 3)), batch[1]

    model = cnn(12)
    return Training(
        model, digits(800), adam(model, 5e-3), steps=220, batch=32,
        corrupt=None if cured else shift, epoch=25,
    )  # fmt: skip


@healthy(0.2)
def noise_added_to_signals_on_the_way(s: Size, cured: bool) -> Training:
    def shake(batch: Batch, number: int) -> Batch:
        return batch[0] + 0.3 * torch.randn_like(batch[0]), batch[1]

    model = waves_net(16)
    return Training(
        model, signals(600), adam(model, 4e-3), steps=300, batch=32,
        corrupt=None if cured else shake,
    )  # fmt: skip


@healthy()
def two_moons_with_a_few_neighbours_in_doubt(s: Size, cured: bool) -> Training:
    """Loss and validation come to rest at the overlap and stay there."""
    model = mlp(2, 16, 2, act=nn.Tanh)
    steps = 400 if cured else 1000
    return Training(model, moons(800, 0.3), sgd(model, 0.3), steps=steps, batch=32, epoch=50)


@healthy(0.2)
def diabetes_hardly_better_than_the_line(s: Size, cured: bool) -> Training:
    """Half of the spread remains, whatever one does."""
    model = nn.Sequential(nn.Linear(10, 1)) if cured else mlp(10, 8, 1)
    return Training(model, diabetes(), sgd(model, 0.02), squares, steps=350, batch=32, epoch=20)


@healthy(0.25)
def head_on_features_of_a_net_in_eval_mode(s: Size, cured: bool) -> Training:
    """The body is frozen, its dropout off, and its pass under no_grad, all on purpose."""
    body = mlp(64, 64, 48, drop=0.1)
    d = pixels(600)
    old = nn.Sequential(body, nn.ReLU(), nn.Linear(48, 10))
    train(Training(old, d, adam(old, 2e-3), steps=200, batch=32), Nobody())

    class Probe(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = body, nn.Linear(48, 5)

        def forward(self, x: Tensor) -> Tensor:
            with torch.set_grad_enabled(cured and torch.is_grad_enabled()):
                h = self.body(x)
            return self.head(h.relu())

        def train(self, mode: bool = True) -> Probe:
            super().train(mode)
            self.body.train(mode and cured)
            return self

    model = Probe()
    body.requires_grad_(cured)
    model.train()
    d = Data(d.x, d.y // 2, d.val_x, d.val_y // 2)
    return Training(model, d, adam(model, 3e-3), steps=250, batch=32)
