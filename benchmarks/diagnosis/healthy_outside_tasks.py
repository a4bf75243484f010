"""Sound tasks with odd losses, of the split "outside"; each beside a plain twin."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from benchmarks.diagnosis import proofs
from benchmarks.diagnosis.collection_outside import (
    adam,
    clusters,
    flowers,
    friedman,
    mlp,
    moons,
    outside,
    pixels,
    sgd,
)
from benchmarks.diagnosis.data import Batch, diabetes, split, waves
from benchmarks.diagnosis.proofs import Evidence
from benchmarks.diagnosis.training import Size, Training, cross_entropy, rebuild, squares

# Classification ---------------------------------------------------------------------------------


@outside.healthy()
def four_fifths_of_a_label(size: Size, cured: bool) -> Training:
    """The loss cannot fall below 0.84, and need not."""

    def smooth(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1], label_smoothing=0.2)

    model = mlp(64, 64, 64, 10)
    optimizer = adam(model, 2e-3) if cured else sgd(model, 0.2, 0.9)
    return Training(model, pixels(), optimizer, smooth, steps=400)


@outside.healthy(0.2)
def images_mixed_in_pairs(size: Size, cured: bool) -> Training:
    """Mixup: the training loss stays high, that of whole images does not."""

    def mixed(model: nn.Module, batch: Batch) -> Tensor:
        x, y = batch
        share, order = float(torch.distributions.Beta(0.4, 0.4).sample()), torch.randperm(len(x))
        out = model(share * x + (1 - share) * x[order])
        return share * F.cross_entropy(out, y) + (1 - share) * F.cross_entropy(out, y[order])

    model = mlp(64, 96, 10)
    objective = cross_entropy if cured else mixed
    return Training(model, pixels(), adam(model, 3e-3), objective, steps=400, whole=cross_entropy)


@outside.healthy()
def half_of_all_units_dropped(size: Size, cured: bool) -> Training:
    model = mlp(64, 128, 128, 10, drop=0.0 if cured else 0.5)
    return Training(model, pixels(), adam(model, 2e-3), steps=400)


@outside.healthy()
def a_third_of_the_labels_wrong(size: Size, cured: bool) -> Training:
    """The floor is far above zero: entropy of the noise."""
    model = mlp(20, 24, 5)
    optimizer = adam(model, 2e-3) if cured else sgd(model, 0.05, 0.9)
    return Training(model, clusters(1500, flip=0.35), optimizer, steps=400)


@outside.healthy()
def one_in_thirty_is_positive(size: Size, cured: bool) -> Training:
    """Many batches hold not one of them."""
    x = torch.randn(2000, 8)
    y = (x[:, 0] + x[:, 1] + 0.3 * torch.randn(2000) > 2.6).long()
    model = mlp(8, 32, 2)
    optimizer = adam(model, 5e-3) if cured else adam(model, 2e-3)
    batch = 64 if cured else 16
    return Training(model, split(x, y, 1400), optimizer, steps=500, batch=batch)


@outside.healthy()
def focal_loss_fades_the_easy(size: Size, cured: bool) -> Training:
    def focal(model: nn.Module, batch: Batch) -> Tensor:
        p = model(batch[0]).softmax(1)[torch.arange(len(batch[1])), batch[1]]
        return ((1 - p).square() * -p.clamp_min(1e-8).log()).mean()

    model = mlp(64, 64, 10)
    objective = cross_entropy if cured else focal
    return Training(model, pixels(), adam(model, 3e-3), objective, steps=350, whole=cross_entropy)


@outside.healthy()
def pupil_of_a_soft_teacher(size: Size, cured: bool) -> Training:
    """Distillation at temperature four; the loss has a high floor, the teacher's entropy."""
    data = pixels()
    teacher = mlp(64, 128, 10)
    taught = adam(teacher, 3e-3)
    for x, y in (data.batches(64).__next__() for _ in range(200)):
        taught.zero_grad()
        F.cross_entropy(teacher(x), y).backward()
        taught.step()

    def soft(model: nn.Module, batch: Batch) -> Tensor:
        with torch.no_grad():
            target = (teacher(batch[0]) / 4).softmax(1)
        return 4 * F.cross_entropy(model(batch[0]) / 4, target)

    model = mlp(64, 32, 10, act=nn.LeakyReLU)
    objective = cross_entropy if cured else soft
    return Training(model, data, adam(model, 5e-3), objective, steps=400, whole=cross_entropy)


# Regression -------------------------------------------------------------------------------------


class Priced(nn.Module):
    """The net works in units of its own; its answer is in dollars."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return 200_000 + 80_000 * self.inner(x)


@outside.healthy()
def prices_in_dollars(size: Size, cured: bool) -> Training:
    """A loss of 1e10 and gradients of 1e9, which Adam does not mind."""
    data = friedman(scale=80_000.0, shift=200_000.0)
    model = Priced(mlp(10, 48, 48, 1))
    return Training(model, data, adam(model, 5e-3 if cured else 2e-3), squares, steps=350)


@outside.healthy()
def log_cosh_with_wild_outliers(size: Size, cured: bool) -> Training:
    """One target in fifty is off by forty deviations: single batches stick out."""

    def log_cosh(model: nn.Module, batch: Batch) -> Tensor:
        off = model(batch[0]) - batch[1]
        return (off.abs() + F.softplus(-2 * off.abs()) - 0.6931).mean()

    data = friedman()
    far = torch.rand(len(data.y), 1) < 0.02
    data.y = data.y + 10 * far * torch.randn_like(data.y)
    model = mlp(10, 48, 48, 1)
    optimizer = adam(model, 5e-3) if cured else adam(model, 3e-3)
    return Training(model, data, optimizer, log_cosh, steps=350, batch=64 if cured else 16)


@outside.healthy()
def huber_loss_and_momentum(size: Size, cured: bool) -> Training:
    def huber(model: nn.Module, batch: Batch) -> Tensor:
        return F.huber_loss(model(batch[0]), batch[1], delta=0.3)

    model = mlp(10, 48, 48, 1)
    optimizer = adam(model, 3e-3) if cured else sgd(model, 0.1, 0.9)
    return Training(model, friedman(), optimizer, huber, steps=350)


@outside.healthy()
def ninth_decile_by_the_pinball(size: Size, cured: bool) -> Training:
    def pinball(model: nn.Module, batch: Batch) -> Tensor:
        off = batch[1] - model(batch[0])
        return torch.maximum(0.9 * off, -0.1 * off).mean()

    model = mlp(10, 32, 1)
    optimizer = adam(model, 5e-3) if cured else sgd(model, 0.1, 0.9)
    return Training(model, diabetes(), optimizer, pinball, steps=400)


@outside.healthy()
def likelihood_below_zero(size: Size, cured: bool) -> Training:
    """Mean and variance are learned: the loss crosses zero and goes on falling."""

    def gauss(model: nn.Module, batch: Batch) -> Tensor:
        mean, log = model(batch[0]).chunk(2, 1)
        return F.gaussian_nll_loss(mean, batch[1], log.clamp(-6, 6).exp())

    model = mlp(1, 48, 48, 2, act=nn.Tanh)
    optimizer = adam(model, 5e-3) if cured else adam(model, 0.01)
    return Training(model, waves(), optimizer, gauss, steps=500)


@outside.healthy(0.25)
def differential_equation_as_a_loss(size: Size, cured: bool) -> Training:
    """u'' = -pi^2 u, with u given at a few points: gradients of gradients."""

    def physics(model: nn.Module, batch: Batch) -> Tensor:
        x = batch[0].detach().requires_grad_()
        with torch.enable_grad():
            u = model(x)
            (first,) = torch.autograd.grad(u.sum(), x, create_graph=True)
            (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
        law = (second / 9.87 + u).square().mean()
        return law + F.mse_loss(u[:8], batch[1][:8])

    data = waves()
    model = mlp(1, 48, 48, 1, act=nn.Tanh)
    optimizer = adam(model, 1e-2 if cured else 3e-3)
    objective = squares if cured else physics
    return Training(model, data, optimizer, objective, steps=500, batch=64, whole=squares)


# Representations --------------------------------------------------------------------------------


@outside.healthy()
def two_views_of_each_sample(size: Size, cured: bool) -> Training:
    """InfoNCE: starts at the logarithm of the batch size and falls slowly."""

    def contrast(model: nn.Module, batch: Batch) -> Tensor:
        x = batch[0][:64]
        one, two = (F.normalize(model(x + 0.15 * torch.randn_like(x)), dim=1) for _ in range(2))
        return F.cross_entropy(one @ two.T / 0.2, torch.arange(len(x)))

    model = mlp(64, 64, 16)
    rate = 3e-3 if cured else 1e-3
    return Training(model, pixels(), adam(model, rate), contrast, steps=300, batch=64)


@outside.healthy()
def hardest_triplets_of_a_batch(size: Size, cured: bool) -> Training:
    """The loss touches zero in many batches, and jumps where a hard triplet comes."""

    def triplet(model: nn.Module, batch: Batch) -> Tensor:
        z = F.normalize(model(batch[0]), dim=1)
        far = 2 - 2 * z @ z.T
        same = batch[1][:, None] == batch[1]
        worst = (far * same).amax(1)
        nearest = (far + 9 * same).amin(1)
        return F.relu(worst - nearest + 0.3).mean()

    def some(model: nn.Module, batch: Batch) -> Tensor:
        return triplet(model, (batch[0][:96], batch[1][:96]))

    model = mlp(64, 64, 16, act=nn.LeakyReLU)
    rate = 3e-3 if cured else 2e-3
    return Training(model, pixels(), adam(model, rate), triplet, steps=350, batch=48, whole=some)


@outside.healthy()
def autoencoder_that_first_learns_the_mean(size: Size, cured: bool) -> Training:
    """A shelf at the mean picture for long, then it goes on."""
    model = mlp(64, 32, 8, 32, 64, act=nn.Tanh)
    optimizer = adam(model, 3e-3) if cured else sgd(model, 1.5, 0.9)
    steps = 400 if cured else 700
    return Training(model, pixels(), optimizer, rebuild, steps=steps, batch=64)


class Variational(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = mlp(64, 48, 16), mlp(8, 48, 64)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log = self.encoder(x).chunk(2, 1)
        noise = torch.randn_like(mean) if self.training else torch.zeros_like(mean)
        return self.decoder(mean + noise * (log / 2).exp()), mean, log


@outside.healthy()
def variational_autoencoder(size: Size, cured: bool) -> Training:
    """A noisy sum of two terms that pull against each other."""

    def bound(model: nn.Module, batch: Batch) -> Tensor:
        out, mean, log = model(batch[0])
        apart = 0.5 * (mean.square() + log.exp() - log - 1).sum(1)
        return (out - batch[0]).square().sum(1).mean() + 0.05 * apart.mean()

    model = Variational()
    optimizer = adam(model, 3e-3 if cured else 1.5e-3)
    return Training(model, pixels(), optimizer, bound, steps=400, batch=64 if cured else 32)


@outside.healthy(0.2)
def code_kept_sparse_by_a_penalty(size: Size, cured: bool) -> Training:
    def sparse(model: nn.Module, batch: Batch) -> Tensor:
        code = model[:2](batch[0])  # type: ignore[index]
        return F.mse_loss(model[2](code), batch[0]) + 1e-3 * code.abs().mean()  # type: ignore[index]

    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))
    objective = rebuild if cured else sparse
    return Training(model, pixels(), adam(model, 1e-3), objective, steps=400, whole=rebuild)


@outside.healthy()
def two_tasks_of_unlike_scale(size: Size, cured: bool) -> Training:
    """One loss in the thousands and one below one, weighted against each other."""

    def joint(model: nn.Module, batch: Batch) -> Tensor:
        out = model(batch[0])
        far = F.mse_loss(40 * out[:, 3:], 40 * batch[0][:, :1])
        return 1e-3 * far + F.cross_entropy(out[:, :3], batch[1])

    model = mlp(4, 32, 4, act=nn.Tanh)
    optimizer = adam(model, 5e-3) if cured else sgd(model, 0.1, 0.9)
    return Training(model, flowers(), optimizer, joint, steps=250, batch=20)


# Games ------------------------------------------------------------------------------------------


class Game(nn.Module):
    """A generator of points, and a critic that tells them from the data."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.critic = mlp(4, 32, 32, 2), mlp(2, 32, 32, 1, act=nn.LeakyReLU)


def _apart(model: nn.Module, batch: Batch) -> Tensor:
    """How far means and covariances of made and real points lie apart."""
    noise = torch.randn(600, 4, generator=torch.Generator().manual_seed(0))
    made, real = model.generator(noise), batch[0]  # type: ignore[operator]
    return (made.mean(0) - real.mean(0)).square().sum() + (
        torch.cov(made.T) - torch.cov(real.T)
    ).square().sum()


def balanced(e: Evidence) -> Iterator[str]:
    """What is made comes close to the data, while the losses of both sides stay level."""
    w = e.sick
    if not w.end < 0.15 * w.start:
        yield f"the points lie {w.start:.3g} apart at first, {w.end:.3g} at last"
    yield from proofs.sound(e)


@outside.healthy(proof=balanced)
def forger_and_critic_in_balance(size: Size, cured: bool) -> Training:
    """A GAN of two optimizers: its losses level out by design."""

    def game(model: nn.Module, batch: Batch) -> Tensor:
        made = model.generator(torch.randn(len(batch[0]), 4))  # type: ignore[operator]
        critic: nn.Module = model.critic  # type: ignore[assignment]
        real, fake = critic(batch[0]), critic(made.detach())
        tells = F.softplus(-real).mean() + F.softplus(fake).mean()
        still = {n: p.detach() for n, p in critic.named_parameters()}
        return tells + F.softplus(-functional_call(critic, still, (made,))).mean()

    data = moons()
    data.x = data.x * 1.5 + 1.0
    model = Game()
    both = [
        torch.optim.Adam(model.generator.parameters(), 1e-3, betas=(0.5, 0.9)),
        torch.optim.Adam(model.critic.parameters(), 2e-3, betas=(0.5, 0.9)),
    ]
    return Training(model, data, both, game, steps=700, batch=64, whole=_apart)


def _regret(model: nn.Module, batch: Batch) -> Tensor:
    """One minus the expected reward of the policy."""
    return 1 - model(batch[0]).softmax(1)[torch.arange(len(batch[1])), batch[1]].mean()


@outside.healthy(0.25)
def policy_gradient_of_a_bandit(size: Size, cured: bool) -> Training:
    """REINFORCE with a baseline: its loss wanders around zero, the regret falls."""

    def surrogate(model: nn.Module, batch: Batch) -> Tensor:
        policy = torch.distributions.Categorical(logits=model(batch[0]))
        action = policy.sample()
        reward = (action == batch[1]).float()
        return -(policy.log_prob(action) * (reward - reward.mean())).mean()

    model = mlp(20, 32, 5)
    objective = _regret if cured else surrogate
    return Training(
        model, clusters(), adam(model, 5e-3), objective, steps=600, batch=64, whole=_regret
    )


@outside.healthy(0.25)
def values_learned_from_a_target_net(size: Size, cured: bool) -> Training:
    """Q-learning: each time the target net is renewed, the error jumps."""
    model, old = (mlp(4, 48, 48, 1, act=nn.Tanh) for _ in range(2))
    old.load_state_dict(model.state_dict())
    x = torch.rand(900, 4)
    worth = 2 * x[:, :1]  # reward of a state whose successor is like it: value = reward / (1 - 0.5)

    def bellman(model: nn.Module, batch: Batch) -> Tensor:
        with torch.no_grad():
            later = old(batch[0])
        return F.mse_loss(model(batch[0]), batch[0][:, :1] + 0.5 * later)

    def renew(model: nn.Module, step: int) -> None:
        if step % 60 == 0:
            old.load_state_dict(model.state_dict())

    return Training(
        model, split(x, worth, 600), adam(model, 2e-3), squares if cured else bellman, steps=500,
        after_step=renew, whole=squares,
    )  # fmt: skip
