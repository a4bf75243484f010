"""What units and weights show, of the split "outside"."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.diagnosis import proofs
from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_outside import (
    Reader,
    adam,
    clipped,
    clusters,
    drawn,
    friedman,
    linears,
    mlp,
    moons,
    outside,
    pixels,
    sgd,
)
from benchmarks.diagnosis.data import Batch, cancer, diabetes, tokens, wine
from benchmarks.diagnosis.training import Size, Training, cross_entropy, squares

COSTLY = proofs.both(proofs.dead, proofs.costs)
GONE = "loss.plateau_early loss.flat weight.not_updating gradient.vanishing"

# Dead -------------------------------------------------------------------------------------------


@outside.sick("activation.dead", GONE, TOO_FAST, proof=COSTLY)
def raw_pixels_at_the_rate_for_scaled_ones(size: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10)
    return Training(model, pixels(scale=1 / 16 if cured else 255 / 16), sgd(model, 0.05), steps=300)


@outside.sick("activation.dead", GONE, proof=COSTLY)
def biases_that_start_far_below_zero(size: Size, cured: bool) -> Training:
    model = mlp(20, 48, 48, 5)
    if not cured:
        for layer in linears(model)[:-1]:
            nn.init.constant_(layer.bias, -4.0)
    return Training(model, clusters(), adam(model, 1e-3), steps=300)


@outside.sick("activation.dead", GONE, "loss.unstable", proof=COSTLY)
def first_steps_a_hundred_times_too_large(size: Size, cured: bool) -> Training:
    """What warm-up is for; afterwards the rate is right, and most units are gone."""
    model, data = mlp(10, 64, 64, 1), friedman()
    data.x = data.x + 1
    return Training(
        model, data, adam(model, 2e-3), squares, steps=400,
        schedule=lambda step: 200.0 if step <= 6 and not cured else 1.0,
    )  # fmt: skip


@outside.sick("activation.dead", GONE, proof=COSTLY)
def narrow_net_born_dead(size: Size, cured: bool) -> Training:
    """Depth 14 and width 6, no leak, weights around minus a tenth."""
    act = nn.LeakyReLU if cured else nn.ReLU
    model = mlp(2, *([16] * 3 if cured else [6] * 13), 2, act=act)
    if not cured:
        for layer in linears(model)[1:-1]:
            nn.init.normal_(layer.weight, -0.1, 0.4)
    return Training(model, moons(), adam(model, 3e-3), steps=250)


@outside.sick("activation.dead", GONE, TOO_FAST, proof=COSTLY)
def adam_at_a_tenth_on_raw_wine(size: Size, cured: bool) -> Training:
    model = mlp(13, 64, 64, 3)
    optimizer = adam(model, 3e-3 if cured else 0.1)
    return Training(model, wine(raw=not cured), optimizer, steps=200)


@outside.sick("activation.dead", GONE, TOO_FAST)
def adam_at_a_rate_of_a_tenth(size: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10)
    return Training(model, pixels(), adam(model, 2e-3 if cured else 0.1), steps=400)


# Saturated --------------------------------------------------------------------------------------

ENDS = "gradient.vanishing loss.plateau_early weight.not_updating loss.flat"


@outside.sick("activation.saturated", ENDS)
def raw_wine_into_tanh(size: Size, cured: bool) -> Training:
    model = mlp(13, 32, 16, 3, act=nn.Tanh)
    return Training(model, wine(raw=not cured), sgd(model, 0.05), steps=250, batch=24)


@outside.sick("activation.saturated", ENDS)
def sigmoids_with_weights_from_a_wide_normal(size: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10, act=nn.Sigmoid)
    if cured:
        for layer in linears(model):
            nn.init.xavier_normal_(layer.weight, 4.0)
    else:
        drawn(model, 4.0)
    return Training(model, pixels(), adam(model, 2e-3), steps=400)


@outside.sick("activation.saturated", ENDS, TOO_FAST)
def tanh_net_at_adams_rate_of_a_third(size: Size, cured: bool) -> Training:
    model = mlp(10, 48, 48, 1, act=nn.Tanh)
    return Training(model, friedman(), adam(model, 5e-3 if cured else 0.3), squares, steps=300)


@outside.sick("activation.saturated", ENDS)
def pixels_up_to_255_into_sigmoids(size: Size, cured: bool) -> Training:
    model = mlp(64, 64, 32, 10, act=nn.Sigmoid)
    data = pixels(scale=1 / 16 if cured else 255 / 16)
    return Training(model, data, sgd(model, 0.3, 0.9), steps=300)


# Exploding weights ------------------------------------------------------------------------------


@outside.sick("weight.exploding", "activation.saturated")
def weight_penalty_with_the_wrong_sign(size: Size, cured: bool) -> Training:
    def penalised(model: nn.Module, batch: Batch) -> Tensor:
        penalty = sum(p.square().sum() for p in model.parameters())
        return cross_entropy(model, batch) + (0.02 if cured else -0.3) * penalty * 0.1

    model = mlp(20, 32, 32, 5, act=nn.Tanh)
    data = clusters()
    return Training(model, data, sgd(model, 0.3), penalised, steps=220, whole=cross_entropy)


@outside.sick("weight.exploding", "gradient.exploding loss.diverging weight.update_too_large")
def critic_without_a_bound(size: Size, cured: bool) -> Training:
    """Wasserstein's critic, its weights not clipped."""

    def score(model: nn.Module, batch: Batch) -> Tensor:
        real = batch[1].bool()
        out = model(batch[0])[:, 0]
        return out[~real].mean() - out[real].mean()

    def clip(model: nn.Module, step: int) -> None:
        for p in model.parameters():
            p.data.clamp_(-0.3, 0.3) if cured else None

    model = mlp(2, 32, 32, 1)
    return Training(model, moons(), adam(model, 5e-3), score, steps=500, after_step=clip)


@outside.sick("weight.exploding", "loss.unstable loss.diverging gradient.exploding")
def average_added_instead_of_mixed(size: Size, cured: bool) -> Training:
    """p = p + 0.02 * average, where p = 0.98 * p + 0.02 * average was meant."""
    model = mlp(64, 48, 48, 10)
    kept = [p.detach().clone() for p in model.parameters()]

    def mix(model: nn.Module, step: int) -> None:
        for p, average in zip(model.parameters(), kept, strict=True):
            average.mul_(0.9).add_(p.detach(), alpha=0.1)
            p.data.mul_(0.98 if cured else 1.0).add_(average, alpha=0.02)

    return Training(model, pixels(), sgd(model, 0.05), steps=250, after_step=mix)


# Collapsing weights -----------------------------------------------------------------------------

SHRUNK = "loss.flat loss.plateau_early gradient.vanishing activation.dead"


@outside.sick("weight.collapsing", SHRUNK, "weight.update_too_large")
def absolute_weights_added_at_full_strength(size: Size, cured: bool) -> Training:
    def sparse(model: nn.Module, batch: Batch) -> Tensor:
        penalty = sum(p.abs().sum() for p in model.parameters())
        return cross_entropy(model, batch) + (1e-5 if cured else 1.0) * penalty

    model = mlp(13, 32, 32, 3, act=nn.Tanh)
    optimizer = adam(model, 2e-3)
    return Training(model, wine(), optimizer, sparse, steps=400, batch=24, whole=cross_entropy)


@outside.sick("weight.collapsing", SHRUNK)
def shrunk_after_every_step(size: Size, cured: bool) -> Training:
    def shrink(model: nn.Module, step: int) -> None:
        for p in model.parameters():
            p.data.mul_(1 - (1e-5 if cured else 0.03))

    model = mlp(10, 48, 48, 48, 1)
    return Training(model, friedman(), sgd(model, 0.02), squares, steps=300, after_step=shrink)


@outside.sick("weight.collapsing", SHRUNK, "weight.update_too_large")
def coupled_decay_of_a_half(size: Size, cured: bool) -> Training:
    model = mlp(30, 48, 48, 2)
    optimizer = sgd(model, 0.05, 0.5, 1e-4 if cured else 0.5)
    return Training(model, cancer(), optimizer, steps=250)


@outside.sick("weight.collapsing", SHRUNK)
def adams_own_decay_of_one(size: Size, cured: bool) -> Training:
    """Coupled: the decay is most of the gradient, and Adam makes steps of full length of it."""
    model = mlp(64, 48, 48, 10)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, weight_decay=1e-4 if cured else 1.0)
    return Training(model, pixels(), optimizer, steps=400)


# Not updating -----------------------------------------------------------------------------------


@outside.sick("weight.not_updating", "loss.flat")
def rate_of_one_in_a_hundred_million(size: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 64, 10)
    return Training(model, pixels(), adam(model, 1e-3 if cured else 1e-8), steps=200)


@outside.sick("weight.not_updating", "loss.flat")
def warm_up_by_integer_division(size: Size, cured: bool) -> Training:
    """step // 1000 is zero for all of a short training."""
    model = Reader(20, 8, 4, pre=True)
    return Training(
        model, tokens(384), adam(model, 2e-3), steps=120,
        schedule=lambda step: min(1.0, step / 40) if cured else float(step // 1000),
    )  # fmt: skip


@outside.sick("weight.not_updating", "loss.flat")
def only_biases_reach_the_optimizer(size: Size, cured: bool) -> Training:
    """Two groups were sorted, with decay and without, and one was forgotten."""
    model = mlp(20, 40, 40, 5)
    plain = [p for p in model.parameters() if p.ndim == 1]
    heavy = [p for p in model.parameters() if p.ndim > 1]
    optimizer = torch.optim.AdamW(plain + heavy if cured else plain, 3e-3)
    return Training(model, clusters(), optimizer, steps=250)


@outside.sick("weight.not_updating")
def head_replaced_behind_the_optimizer(size: Size, cured: bool) -> Training:
    body, head = mlp(30, 48, 48), nn.Linear(48, 2)
    model = nn.Sequential(*body, nn.ReLU(), head)
    optimizer = sgd(model, 0.05, 0.9)
    if not cured:
        model[-1] = nn.Linear(48, 2)
    return Training(model, cancer(), optimizer, steps=200)


@outside.sick("weight.not_updating", "loss.flat")
def clipped_to_a_millionth(size: Size, cured: bool) -> Training:
    model = mlp(10, 32, 32, 1)
    clip = clipped(1.0 if cured else 1e-6)
    return Training(model, diabetes(), sgd(model, 0.05), squares, steps=250, before_step=clip)


# Updates too large ------------------------------------------------------------------------------


@outside.sick("weight.update_too_large", TOO_FAST)
def adamw_at_a_rate_of_a_fifth(size: Size, cured: bool) -> Training:
    model = mlp(10, 64, 64, 1, norm=nn.LayerNorm)
    rate = 2e-3 if cured else 0.2
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.5)
    return Training(model, friedman(), optimizer, squares, steps=300)


@outside.sick("weight.update_too_large", TOO_FAST)
def noise_on_the_weights_not_scaled(size: Size, cured: bool) -> Training:
    """Langevin's noise at temperature one, where one over the number of samples was meant."""

    def shake(model: nn.Module, step: int) -> None:
        for p in model.parameters():
            p.data.add_((2e-4 if cured else 0.1) * torch.randn_like(p))

    model = mlp(30, 32, 32, 2, act=nn.Tanh)
    return Training(model, cancer(), sgd(model, 0.1), steps=250, after_step=shake)


class SignSGD(torch.optim.Optimizer):
    """Each weight moves by the rate, whatever its gradient."""

    def __init__(self, parameters: object, lr: float) -> None:
        super().__init__(parameters, {"lr": lr})  # type: ignore[arg-type]

    @torch.no_grad()
    def step(self, closure: object = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(group["lr"] * p.grad.sign()) if p.grad is not None else None


@outside.sick("weight.update_too_large", TOO_FAST)
def signs_at_the_rate_of_gradients(size: Size, cured: bool) -> Training:
    model = mlp(20, 40, 40, 5)
    optimizer = SignSGD(model.parameters(), 1e-3 if cured else 0.05)
    return Training(model, clusters(), optimizer, steps=250)
