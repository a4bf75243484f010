"""Healthy, held out: tasks, losses and data. Rules must not be tuned by these."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import networks as n
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.cases import Collection
from benchmarks.diagnosis.data import Batch
from benchmarks.diagnosis.proofs import Evidence, learns, sound
from benchmarks.diagnosis.training import Size, Training

part = Collection("held_out")


@part.healthy(learns(0.75))
def triplets_with_a_margin(size: Size) -> Training:
    """A hinge: ever more batches have a loss, and a gradient, of exactly zero."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        z = F.normalize(model(batch[0]), dim=1)
        apart = torch.cdist(z, z)
        same = batch[1][:, None] == batch[1]
        near = torch.where(same, apart, 0.0).max(1).values
        far = torch.where(same, 9.0, apart).min(1).values
        return F.relu(near - far + 0.2).mean()

    model = nn.Sequential(nn.Flatten(), n.stack(size, depth=2, ins=3 * 64, outs=8))
    how = torch.optim.Adam(model.parameters(), 2e-3)
    return Training(model, d.images(noise=0.3), how, objective=loss, steps=200)


@part.healthy(learns(0.7))
def many_labels_few_positive(size: Size) -> Training:
    base = d.vectors(1024)
    x = torch.cat([base.x, base.val_x])
    score = x @ torch.randn(16, 30)
    y = (score > score.quantile(0.93, 0)).float()
    model = n.stack(size, nn.GELU, depth=2, outs=30)
    how = t.optimizer(model, size, sgd=3.0, adam=4e-3)
    return Training(model, d.split(x, y, 1024), how, objective=t.binary, steps=300)


@part.healthy(learns(0.85))
def heavy_tails(size: Size) -> Training:
    """One target in thirty is an outlier; squares of it make single steps jump tenfold."""
    data = d.numbers(2048)
    odd = (torch.rand_like(data.y) < 1 / 400).float()
    y = 3 * data.y + odd * 15 * torch.randn_like(data.y)
    model = n.stack(size, nn.GELU, depth=2, outs=1)
    how = torch.optim.Adam(model.parameters(), 1e-3)
    changed = d.Data(data.x, y, data.val_x, data.val_y)
    return Training(model, changed, how, objective=t.squares, steps=300)


@part.healthy(learns(0.8))
def variational_with_a_warm_up(size: Size) -> Training:
    """The weight of the second term grows, and the sum with it, while both parts are sound."""
    beta = [0.0]

    class Variational(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encode = n.stack(size, nn.GELU, depth=1, ins=64, outs=8)
            self.decode = n.stack(size, nn.GELU, depth=1, ins=4, outs=64)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            mean, log_var = self.encode(x.flatten(1)).chunk(2, 1)
            log_var = log_var.clamp(-6, 4)
            z = mean + torch.randn_like(mean) * (log_var / 2).exp()
            divergence = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1)
            return self.decode(z), divergence

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        beta[0] = min(0.5, beta[0] + 0.5 / 150) if model.training else beta[0]
        out, divergence = model(batch[0])
        rebuilt = (out - batch[0].flatten(1)).square().sum(1)
        return (rebuilt + beta[0] * divergence).mean()

    model = Variational()
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, d.digits(), how, objective=loss, steps=350)


@part.healthy(learns(0.8))
def teacher_and_student(size: Size) -> Training:
    """Distillation at a temperature: losses of a hundredth from the start."""
    teacher = n.stack(Size(64), nn.GELU, depth=2).requires_grad_(False)
    n.scaled(teacher, 2.0)
    base = d.vectors(1024)
    x = torch.cat([base.x, base.val_x])
    with torch.no_grad():
        y = (teacher(x) / 4).softmax(1)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.kl_div((model(batch[0]) / 4).log_softmax(1), batch[1], reduction="batchmean")

    model = n.stack(size, nn.ReLU, depth=2)
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, d.split(x, y, 1024), how, objective=loss, steps=300)


@part.healthy(learns(0.85))
def mixed_up_samples(size: Size) -> Training:
    """Mixup: the loss of training can never go near zero, that of validation goes below it."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        if not model.training:
            return F.cross_entropy(model(batch[0]), batch[1])
        share = torch.distributions.Beta(1.0, 1.0).sample().item()
        other = torch.randperm(len(batch[0]))
        logits = model(share * batch[0] + (1 - share) * batch[0][other])
        one, two = F.cross_entropy(logits, batch[1]), F.cross_entropy(logits, batch[1][other])
        return share * one + (1 - share) * two

    model = nn.Sequential(nn.Flatten(), n.stack(size, nn.ReLU, depth=2, ins=64, outs=10))
    how = t.optimizer(model, size, sgd=0.2, adam=1.5e-3)
    return Training(model, d.digits(), how, objective=loss, steps=370, epoch=37)


@part.healthy(learns(0.8))
def counts_by_poisson(size: Size) -> Training:
    data = d.vectors(1024)
    x = torch.cat([data.x, data.val_x])
    y = torch.poisson(torch.exp(1.2 + x @ torch.randn(16, 1) / 6))
    model = n.stack(size, nn.SiLU, depth=1, outs=1)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.poisson_nll_loss(model(batch[0]), batch[1], full=True)

    how = torch.optim.Adam(model.parameters(), 5e-3)
    return Training(model, d.split(x, y, 1024), how, objective=loss, steps=250)


@part.healthy(learns(0.97, level=None))
def little_to_be_learned(size: Size) -> Training:
    """Weak signals as in finance: 3 % of the variance can be explained, and are."""
    data = d.numbers(8192)
    y = data.y / data.y.std() * 0.3 + torch.randn_like(data.y)
    model = nn.Linear(16, 1)
    nn.init.zeros_(model.weight)
    how = t.optimizer(model, size, sgd=0.02, adam=2e-3)
    val = data.val_y / data.y.std() * 0.3 + torch.randn_like(data.val_y)
    changed = d.Data(data.x, y, data.val_x, val)
    return Training(model, changed, how, objective=t.squares, steps=500, batch=64)


def _policy_improves(e: Evidence) -> Iterator[str]:
    """The reward, not the loss, shows what a policy gradient has learned."""
    w = e.sick
    if not w.end < 0.6 * w.start:
        yield f"the regret goes from {w.start:.3g} to {w.end:.3g} only"
    yield from sound(e)


@part.healthy(_policy_improves)
def policy_gradient(size: Size) -> Training:
    """A contextual bandit by REINFORCE with a baseline: the loss says nothing, regret falls."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        choices = torch.distributions.Categorical(logits=model(batch[0]))
        action = choices.sample()
        reward = (action == batch[1]).float()
        return -((reward - reward.mean()) * choices.log_prob(action)).mean() - (
            0.01 * choices.entropy().mean()
        )

    def regret(model: nn.Module, batch: Batch) -> Tensor:
        chance = model(batch[0]).softmax(1).gather(1, batch[1][:, None])
        return 1 - chance.mean()

    model = n.stack(size, nn.Tanh, depth=1)
    how = torch.optim.Adam(model.parameters(), 1e-2)
    return Training(model, d.vectors(2048), how, objective=loss, whole=regret, steps=400, batch=64)


@part.healthy(learns(0.6))
def masked_pictures(size: Size) -> Training:
    """Half of the pixels are hidden at random and to be filled in."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        x = batch[0]
        shown = (torch.rand_like(x) < 0.5).float()
        out = model(torch.cat([x * shown, shown], 1))
        return ((out - x) ** 2 * (1 - shown)).sum() / (1 - shown).sum()

    width = n.channels(size)
    model = nn.Sequential(
        nn.Conv2d(2, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1),
        nn.ReLU(), nn.Conv2d(width, 1, 3, padding=1),
    )  # fmt: skip
    how = torch.optim.Adam(model.parameters(), 4e-3)
    return Training(model, d.digits(800), how, objective=loss, steps=200)


@part.healthy(learns(0.5))
def several_losses_at_once(size: Size) -> Training:
    """Class and size are learned by two heads whose losses differ a hundredfold."""

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = n.stack(size, nn.GELU, depth=2, outs=16)
            self.kind, self.amount = nn.Linear(16, 4), nn.Linear(16, 1)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            h = F.gelu(self.body(x))
            return self.kind(h), self.amount(h)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        kind, amount = model(batch[0])
        return 10 * F.cross_entropy(kind, batch[1]) + F.mse_loss(
            amount, batch[0].square().sum(1, keepdim=True) / 16
        )

    model = Both()
    how = torch.optim.AdamW(model.parameters(), 3e-3)
    return Training(model, d.vectors(), how, objective=loss, steps=250)


@part.healthy(learns(level=0.02))
def one_hundred_samples_by_heart(size: Size) -> Training:
    """Interpolation: no validation, a loss that falls by orders of magnitude, gradients too."""
    model = n.Residual(size, ins=64, outs=10)
    whole = nn.Sequential(nn.Flatten(), model)
    how = torch.optim.AdamW(whole.parameters(), 3e-3)
    return Training(whole, d.digits(100), how, steps=300, batch=50)


@part.healthy(learns(0.7))
def stopped_just_after_the_best(size: Size) -> Training:
    """Patience of two epochs: validation is a hair above its best at the end."""
    model = n.stack(size, nn.ReLU, depth=2, ins=30, outs=2)
    how = t.optimizer(model, size, sgd=0.1, adam=2e-3)
    return Training(model, d.cancer(), how, steps=84, epoch=12)


@part.healthy(learns(0.8))
def validation_on_another_scale(size: Size) -> Training:
    """Validation pictures are noisier: far above training from the start, and falling too."""
    data = d.images()
    data = d.Data(data.x, data.y, data.val_x + 0.5 * torch.randn_like(data.val_x), data.val_y)
    model = n.resnet(size)
    how = t.optimizer(model, size, sgd=0.05, adam=1e-3)
    return Training(model, data, how, steps=96, epoch=16)


@part.healthy(learns(0.8))
def unlike_classes(size: Size) -> Training:
    """Batches come from one source after another: the loss goes in waves around its fall."""
    data = d.bent(2048)
    order = torch.argsort(data.x[:, 0] + 0.5 * torch.randn(2048))

    def waves() -> Iterator[Batch]:
        step = 0
        while True:
            middle = (step * 16) % 2048
            rows = order[(torch.randint(-500, 500, (32,)) + middle) % 2048]
            step += 1
            yield data.x[rows], data.y[rows]

    model = n.stack(size, nn.GELU, depth=2)
    how = t.optimizer(model, size, sgd=0.2, adam=3e-3)
    return Training(model, data, how, batches=waves(), steps=512)


def _masks_are_found(e: Evidence) -> Iterator[str]:
    if not e.sick.end < 0.3 * e.sick.start:
        yield f"goes from {e.sick.start:.3g} to {e.sick.end:.3g} only"
    if max(e.sick.dead().values()) > 0.25:
        yield f"dead: {e.sick.dead()}"


@part.healthy(_masks_are_found)
def saturation_where_it_belongs(size: Size) -> Training:
    """Targets are mask pixels of 0 and 1: a sigmoid output that goes to its ends is right."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.binary_cross_entropy(model(batch[0]), (batch[0] > 0.5).float())

    width = n.channels(size)
    model = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(),
                          nn.Conv2d(width, 1, 3, padding=1), nn.Sigmoid())  # fmt: skip
    how = torch.optim.Adam(model.parameters(), 1e-2)
    return Training(model, d.digits(800), how, objective=loss, steps=250)
