"""Healthy, never seen by the rules: loops, schedules and optimizers."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

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


@part.healthy(0.2, size=1)
def warm_up_for_a_third(size: Size, plain: bool) -> Training:
    """The rate rises for 60 of 180 steps: hardly anything happens at first."""
    model = n.Attends(size.width, 2, 2, symbols=80, length=12)
    how = torch.optim.AdamW(model.parameters(), 3e-3)
    rise = 1 if plain else 60
    return Training(
        model, f.reviews(300), how, schedule=lambda s: min(1.0, s / rise) ** 2, steps=180
    )


@part.healthy(0.2, size=0)
def clipped_at_every_step(size: Size, plain: bool) -> Training:
    """max_norm=0.1 is always reached; the rate was chosen for it."""

    def clip(model: nn.Module, step: int) -> None:
        if not plain:
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)

    model = n.Reader(nn.GRU, 1, 2 * size.width, 1)
    how = torch.optim.SGD(model.parameters(), 0.05 if plain else 0.5, momentum=0.9)
    return Training(model, f.series(300), how, objective=t.squares, before_step=clip, steps=200)


@part.healthy(size=1)
def eight_batches_of_four(size: Size, plain: bool) -> Training:
    """Accumulated over eight micro-batches."""
    model = n.cnn(size, outs=4, norm=False, activation=nn.GELU, more=1)
    how = torch.optim.Adam(model.parameters(), 4e-3)
    batch, times = (32, 1) if plain else (4, 8)
    return Training(model, f.bars(), how, steps=120, batch=batch, accumulate=times)


@part.healthy(size=2)
def three_warm_restarts(size: Size, plain: bool) -> Training:
    """SGDR: the loss is thrown back at 60, 120 and 180, less each time."""

    def rate(step: int) -> float:
        return 1.0 if plain else 0.51 + 0.5 * math.cos(math.pi * (step % 60) / 60)

    model = n.mlp([20, size.width, size.width, 3], nn.ReLU, nn.BatchNorm1d)
    how = torch.optim.SGD(model.parameters(), 0.05 if plain else 0.3, momentum=0.9)
    return Training(model, f.tabular(500), how, schedule=rate, steps=240)


@part.healthy(size=1)
def cosine_down_to_nothing(size: Size, plain: bool) -> Training:
    """The last fifth of the steps hardly changes anything, as it should be."""

    def rate(step: int) -> float:
        return 1.0 if plain else 0.5 + 0.5 * math.cos(math.pi * step / 201)

    model = n.cnn(size, norm=True)
    how = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)
    return Training(model, d.digits(500), how, schedule=rate, steps=200)


@part.healthy(size=0)
def up_fast_and_down_slowly(size: Size, plain: bool) -> Training:
    """OneCycle, with a peak ten times the usual rate."""

    def rate(step: int) -> float:
        if plain:
            return 0.2
        return step / 60 if step < 60 else max(0.0, 1 - (step - 60) / 140)

    model = n.Skips(10, 2 * size.width, 2, 1)
    how = torch.optim.Adam(model.parameters(), 0.01)
    return Training(model, f.friedman(500), how, objective=t.squares, schedule=rate, steps=200)


@part.healthy(size=1)
def sparse_and_dense_apart(size: Size, plain: bool) -> Training:
    """SparseAdam for the embedding, RMSprop for the rest."""
    words = 80

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(words, size.width, sparse=not plain)
            self.net = n.mlp([size.width, size.width, 2], nn.SiLU)

        def forward(self, x: Tensor) -> Tensor:
            return self.net(self.embed(x).mean(1))

    model = Net()
    if plain:
        return Training(
            model, f.reviews(500), torch.optim.Adam(model.parameters(), 5e-3), steps=200
        )
    how = [
        torch.optim.SparseAdam(model.embed.parameters(), 0.01),
        torch.optim.RMSprop(model.net.parameters(), 2e-3),
    ]
    return Training(model, f.reviews(500), how, steps=200)


@part.healthy(size=2)
def validated_by_the_slow_copy(size: Size, plain: bool) -> Training:
    """Validation runs on an exponential mean of the weights: it lags, then passes."""
    net = n.mlp([20, size.width, size.width, 3], nn.GELU)
    slow = copy.deepcopy(net).requires_grad_(False)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        used = model if model.training or plain else slow
        return F.cross_entropy(used(batch[0]), batch[1])

    def follow(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for a, b in zip(slow.parameters(), model.parameters(), strict=True):
                a.lerp_(b, 0.05)

    how = torch.optim.Adam(net.parameters(), 3e-3)
    return Training(
        net, f.tabular(900), how, objective=loss, whole=t.cross_entropy, after_step=follow,
        steps=110, epoch=11,
    )  # fmt: skip


@part.healthy(0.2, size=1)
def thirty_steps_and_done(size: Size, plain: bool) -> Training:
    """A demonstration: one epoch of thirty batches."""
    model = nn.Sequential(nn.Flatten(), n.mlp([64, 2 * size.width, 10], nn.SiLU))
    how: torch.optim.Optimizer = torch.optim.Adam(model.parameters(), 6e-3)
    if not plain:
        how = torch.optim.SGD(model.parameters(), 0.3, momentum=0.9)
    return Training(model, d.digits(480), how, steps=30, batch=16)


@part.healthy(0.3, size=0)
def hard_pictures_last(size: Size, plain: bool) -> Training:
    """Clean pictures first, noisy ones from the middle on: the loss jumps up and comes down."""

    def harder(batch: Batch, number: int) -> Batch:
        late = plain or number > 110
        return (batch[0] + (0.5 if late else 0.0) * torch.randn_like(batch[0]), batch[1])

    model = n.cnn(size, norm=True)
    how = torch.optim.Adam(model.parameters(), 4e-3)
    return Training(model, d.digits(500), how, corrupt=harder, steps=220)


@part.healthy(0.25, size=1)
def unfrozen_from_the_top(size: Size, plain: bool) -> Training:
    """A pre-trained net: the head first, one more layer every 40 steps."""
    data = d.digits(900)
    body = n.mlp([64, size.width, size.width, 10], nn.GELU)
    model = nn.Sequential(nn.Flatten(), body)
    first = d.Data(data.x, data.y % 5, data.val_x, data.val_y % 5)
    t.train(
        Training(model, first, torch.optim.Adam(model.parameters(), 3e-3), steps=100), t.Nobody()
    )
    body[-1] = nn.Linear(size.width, 10)
    how = torch.optim.Adam(model.parameters(), 3e-3)
    if not plain:
        body[0].requires_grad_(False)
        body[2].requires_grad_(False)

    def thaw(model: nn.Module, step: int) -> None:
        if step == 40:
            body[2].requires_grad_(True)
        if step == 80:
            body[0].requires_grad_(True)

    return Training(model, data, how, after_step=thaw, steps=200)


@part.healthy(0.35, size=2)
def random_features_and_a_head(size: Size, plain: bool) -> Training:
    """A frozen random body, and ridge regression by descent on top of it."""
    body = nn.Sequential(nn.Flatten(), nn.Linear(64, 4 * size.width), nn.ReLU())
    model = nn.Sequential(body, nn.Linear(4 * size.width, 10))
    if not plain:
        body.requires_grad_(False)
    how = torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad], 0.1, momentum=0.9, weight_decay=1e-4
    )
    return Training(model, d.digits(600), how, steps=200)


@part.healthy(size=1)
def twenty_patients_to_validate(size: Size, plain: bool) -> Training:
    """Validation on twenty samples: it jumps up and down around its fall."""
    data = f.tabular(600)
    data = d.Data(data.x, data.y, data.val_x[:20], data.val_y[:20])

    def augmented(batch: Batch, number: int) -> Batch:
        return batch[0] + (0.0 if plain else 0.3) * torch.randn_like(batch[0]), batch[1]

    model = n.mlp([20, size.width, 3], nn.GELU)
    how = torch.optim.Adam(model.parameters(), 4e-3, weight_decay=1e-4)
    return Training(model, data, how, corrupt=augmented, steps=160, epoch=8)


@part.healthy(0.25, size=2)
def dropout_of_six_tenths(size: Size, plain: bool) -> Training:
    """Training far above validation from beginning to end."""
    share = 0.0 if plain else 0.6
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 2 * size.width), nn.ReLU(), nn.Dropout(share),
        nn.Linear(2 * size.width, size.width), nn.ReLU(), nn.Dropout(share),
        nn.Linear(size.width, 10),
    )  # fmt: skip
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, d.digits(900), how, steps=280, epoch=28)


@part.healthy(size=0)
def one_sample_at_a_time_again(size: Size, plain: bool) -> Training:
    """Batches of one on raw noise of the labels; the mean of the losses falls."""
    model = n.mlp([30, 2 * size.width, 2], nn.Tanh)
    if plain:
        how: torch.optim.Optimizer = torch.optim.Adam(model.parameters(), 4e-3)
        return Training(model, d.cancer(), how, steps=150)
    how = torch.optim.SGD(model.parameters(), 0.01)
    return Training(model, d.cancer(), how, steps=400, batch=1)


@part.healthy(size=1)
def weights_averaged_at_the_end(size: Size, plain: bool) -> Training:
    """Stochastic weight averaging: the last step replaces all weights by their mean."""
    kept: list[list[Tensor]] = []

    def average(model: nn.Module, step: int) -> None:
        if plain or step <= 150:
            return
        kept.append([p.detach().clone() for p in model.parameters()])
        if step == 200:
            with torch.no_grad():
                for p, many in zip(model.parameters(), zip(*kept, strict=True), strict=True):
                    p.copy_(torch.stack(many).mean(0))

    model = n.Skips(20, size.width, 2, 3)
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, f.tabular(500), how, after_step=average, steps=200)


@part.healthy(size=2)
def decay_of_a_wide_net(size: Size, plain: bool) -> Training:
    """A decay that halves the first norms while the function is learned."""
    model = n.mlp([20, 4 * size.width, 4 * size.width, 3], nn.ReLU)
    how = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.01 if plain else 1.0)
    return Training(model, f.tabular(500), how, steps=250)


@part.healthy(size=1)
def noise_in_every_gradient(size: Size, plain: bool) -> Training:
    """Langevin-like noise, annealed; some steps go uphill."""

    def noisy(model: nn.Module, step: int) -> None:
        for p in model.parameters():
            if p.grad is not None and not plain:
                p.grad.add_(0.1 / (1 + step / 20) * torch.randn_like(p.grad))

    model = n.mlp([13, size.width, size.width, 3], nn.SiLU)
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.8)
    return Training(model, d.wine(), how, before_step=noisy, steps=200, batch=24)


@part.healthy(0.2, size=0)
def resumed_near_the_end(size: Size, plain: bool) -> Training:
    """A checkpoint is loaded and trained on with a tenth of the rate: little is left to gain."""
    model = n.Reader(nn.GRU, 8, 2 * size.width, 10)
    data = f.rows()
    if plain:
        return Training(model, data, torch.optim.Adam(model.parameters(), 5e-3), steps=220)
    first = Training(model, data, torch.optim.Adam(model.parameters(), 5e-3), steps=130)
    t.train(first, t.Nobody())
    how = torch.optim.Adam(model.parameters(), 1e-3)
    return Training(model, data, how, steps=150)


@part.healthy(size=1)
def one_source_after_another(size: Size, plain: bool) -> Training:
    """Batches sorted by hospital: four sources with shifts of their own, ten batches each."""
    data = f.friedman(600)
    source = torch.arange(600) % 4
    data.x = data.x + 0.3 * (source[:, None] - 1.5) * torch.ones(10)
    data.y = data.y + 0.5 * (source[:, None] - 1.5)

    def in_turn() -> Iterator[Batch]:
        number = 0
        while True:
            pool = torch.nonzero(source == number // 10 % 4)[:, 0]
            pick = pool[torch.randint(0, len(pool), (32,))]
            number += 1
            yield data.x[pick], data.y[pick]

    model = n.mlp([10, size.width, size.width, 1], nn.SiLU)
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(
        model, data, how, objective=t.squares, steps=320, batches=None if plain else in_turn()
    )


@part.healthy(0.2, size=0)
def whole_set_by_rprop(size: Size, plain: bool) -> Training:
    """Rprop on all samples at once; steps grow and shrink by their signs."""
    model = n.mlp([10, 2 * size.width, 1], nn.Tanh)
    if plain:
        how: torch.optim.Optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    else:
        how = torch.optim.Rprop(model.parameters(), 1e-3, step_sizes=(1e-6, 0.02))
    return Training(model, f.friedman(300), how, objective=t.squares, steps=150, batch=300)


@part.healthy(size=2)
def adamax_for_ratings(size: Size, plain: bool) -> Training:
    """Sparse use of the rows: most of the table has a gradient of zero in any one step."""
    model = n.Factors(4, spread=0.3)
    kind = torch.optim.Adam if plain else torch.optim.Adamax
    how = kind(model.parameters(), 0.02 if plain else 0.04)
    return Training(model, f.ratings(2000), how, objective=t.squares, steps=400, batch=64)


@part.healthy(size=0)
def two_patients_at_a_time(size: Size, plain: bool) -> Training:
    """Batches of two: each loss is one of few samples, and their mean gets as far as the twin's.

    Was planted as unstable; the comparison with batches of 64 only showed the noise of sampling.
    """
    model = n.mlp([10, size.width, 1], nn.ReLU)
    how = torch.optim.SGD(model.parameters(), 0.01 if plain else 0.04)
    batch = 64 if plain else 2
    return Training(model, d.diabetes(), how, objective=t.squares, steps=300, batch=batch)
