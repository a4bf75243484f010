"""What a loss curve shows, of the split "outside"."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_outside import (
    Apply,
    Recurrent,
    adam,
    clusters,
    flowers,
    forever,
    friedman,
    mlp,
    moons,
    outside,
    pixels,
    sgd,
    spelled,
)
from benchmarks.diagnosis.data import Batch, Data, cancer, diabetes, split, text, wine
from benchmarks.diagnosis.training import Size, Training, squares

# Flat -------------------------------------------------------------------------------------------


@outside.sick("loss.flat")
def labels_shuffled_apart_from_their_images(size: Size, cured: bool) -> Training:
    def apart(batch: Batch, step: int) -> Batch:
        return batch[0], batch[1] if cured else batch[1][torch.randperm(len(batch[1]))]

    model = mlp(64, 48, 48, 10)
    return Training(model, pixels(), sgd(model, 0.1, 0.5), steps=400, corrupt=apart)


@outside.sick("loss.flat", "weight.not_updating")
def one_logit_through_softmax(size: Size, cured: bool) -> Training:
    def cross(model: nn.Module, batch: Batch) -> Tensor:
        return F.binary_cross_entropy(model(batch[0])[:, 0], batch[1].float())

    last: nn.Module = nn.Sigmoid() if cured else nn.Softmax(1)
    model = nn.Sequential(*mlp(30, 32, 16, 1), last)
    return Training(model, cancer(), adam(model, 3e-3), cross, steps=250)


@outside.sick("loss.flat", "activation.dead weight.not_updating gradient.vanishing")
def all_weights_zero_at_the_start(size: Size, cured: bool) -> Training:
    model = mlp(13, 40, 40, 3)
    if not cured:
        for parameter in model.parameters():
            nn.init.zeros_(parameter)
    return Training(model, wine(), sgd(model, 0.05, 0.9), steps=200, batch=16)


@outside.sick("loss.flat", "weight.not_updating gradient.vanishing activation.dead")
def pixels_cast_to_integers(size: Size, cured: bool) -> Training:
    """Values in [0, 1) become zeros: only the biases can learn."""
    model = mlp(64, 64, 10)
    if not cured:
        model = nn.Sequential(Apply("integers"), *model)
    return Training(model, pixels(scale=1 / 17), adam(model, 2e-3), steps=300, batch=64)


@outside.sick("loss.flat", "activation.dead weight.not_updating")
def relu_behind_a_negative_target(size: Size, cured: bool) -> Training:
    model = mlp(10, 32, 32, 1)
    if not cured:
        model.append(nn.ReLU())
    return Training(model, friedman(shift=-9.0), adam(model, 5e-3), squares, steps=400)


# Diverging --------------------------------------------------------------------------------------


@outside.sick("loss.diverging", "gradient.exploding weight.exploding activation.dead")
def optimizer_told_to_maximize(size: Size, cured: bool) -> Training:
    model = mlp(64, 32, 32, 32, 10)
    return Training(model, pixels(), adam(model, 1e-3, maximize=not cured), steps=200)


@outside.sick("loss.diverging", "gradient.exploding weight.exploding weight.update_too_large")
def linear_regression_a_little_too_fast(size: Size, cured: bool) -> Training:
    """Full batches, and a rate 4 % beyond two over the curvature."""
    data = diabetes()
    model = nn.Linear(10, 1)
    whole = torch.cat([data.x, torch.ones(len(data.x), 1)], 1)
    curvature = float(torch.linalg.eigvalsh(2 * whole.T @ whole / len(whole))[-1])
    rate = (1.0 if cured else 2.08) / curvature
    return Training(model, data, sgd(model, rate), squares, steps=150, batch=len(data.x))


@outside.sick("loss.diverging", TOO_FAST, "gradient.nonfinite")
def scheduler_that_grows(size: Size, cured: bool) -> Training:
    model = mlp(20, 32, 32, 5)
    return Training(
        model, clusters(flip=0.1), sgd(model, 0.05), steps=250,
        schedule=lambda step: 1.0 if cured else 1.03**step,
    )  # fmt: skip


@outside.sick("loss.diverging", "gradient.exploding weight.exploding activation.dead")
def values_bootstrapped_from_themselves(size: Size, cured: bool) -> Training:
    """Q-learning with function approximation, no target net, and a discount near one."""

    def temporal(model: nn.Module, batch: Batch) -> Tensor:
        state, reward = batch
        later = model(1.4 * state + 0.1).detach()
        return F.mse_loss(model(state), reward + (0.2 if cured else 0.99) * later)

    x = torch.rand(900, 6)
    data = split(x, 1 + x[:, :1] + 0.1 * torch.randn(900, 1), 600)
    model = mlp(6, 32, 32, 1)
    return Training(model, data, adam(model, 2e-3), temporal, steps=300)


# Unstable ---------------------------------------------------------------------------------------


@outside.sick("loss.unstable", "loss.diverging weight.update_too_large loss.plateau_early")
def gradients_never_zeroed(size: Size, cured: bool) -> Training:
    """Each gradient is added to all before it."""
    model = nn.Linear(10, 1)
    kept = [torch.zeros_like(p) for p in model.parameters()]

    def pile_up(model: nn.Module, step: int) -> None:
        for total, p in zip(kept, model.parameters(), strict=True):
            assert p.grad is not None
            total += p.grad
            p.grad.copy_(p.grad if cured else total)

    data = friedman(noise=0.1, shift=2.0)
    return Training(
        model, data, sgd(model, 0.3), squares, steps=300, batch=800, before_step=pile_up
    )


@outside.sick("loss.unstable", "loss.plateau_early")
def images_sorted_by_class(size: Size, cured: bool) -> Training:
    data = pixels()
    order = torch.randperm(len(data.y)) if cured else data.y.argsort(stable=True)
    parts = [(data.x[i], data.y[i]) for i in order.split(24)]
    model = mlp(64, 64, 10)
    return Training(model, data, sgd(model, 0.1), steps=400, batches=forever(parts))


@outside.sick("loss.unstable", "loss.plateau_early")
def one_shard_is_not_scaled(size: Size, cured: bool) -> Training:
    def shard(batch: Batch, step: int) -> Batch:
        return (batch[0] if cured or step % 17 else 80 * batch[0]), batch[1]

    model = mlp(20, 48, 48, 5)
    return Training(model, clusters(), adam(model, 1e-3), steps=500, corrupt=shard)


@outside.sick("loss.unstable", TOO_FAST)
def rmsprop_at_the_rate_of_sgd(size: Size, cured: bool) -> Training:
    model = mlp(10, 64, 64, 64, 1)
    optimizer = torch.optim.RMSprop(model.parameters(), 1e-3 if cured else 0.1)
    return Training(model, friedman(), optimizer, squares, steps=300)


# Plateau ----------------------------------------------------------------------------------------


@outside.sick("loss.plateau_early")
def softmax_before_cross_entropy(size: Size, cured: bool) -> Training:
    """The famous 1.46 of ten classes."""
    model = mlp(64, 64, 64, 10)
    if not cured:
        model.append(nn.Softmax(1))
    return Training(model, pixels(), adam(model, 2e-3), steps=700)


@outside.sick("loss.plateau_early", "weight.not_updating")
def scheduler_stepped_every_batch(size: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10)
    return Training(
        model, pixels(), adam(model, 3e-3), steps=500, batch=64,
        schedule=lambda step: 0.96 ** (step / 40 if cured else step),
    )  # fmt: skip


@outside.sick("loss.plateau_early")
def column_against_row(size: Size, cured: bool) -> Training:
    """(N, 1) minus (N,) is (N, N): the net learns the mean."""

    def error(model: nn.Module, batch: Batch) -> Tensor:
        out = model(batch[0])
        return (out - (batch[1] if cured else batch[1][:, 0])).square().mean()

    model = mlp(10, 32, 32, 1)
    data = friedman(shift=1.5)
    return Training(model, data, adam(model, 3e-3), error, steps=400, whole=squares)


@outside.sick("loss.plateau_early")
def hidden_layer_of_one_unit(size: Size, cured: bool) -> Training:
    model = mlp(64, 48 if cured else 1, 10, act=nn.Tanh)
    return Training(model, pixels(), adam(model, 0.02), steps=600, batch=64)


@outside.sick("loss.plateau_early", "weight.collapsing")
def decay_of_20_for_02(size: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.2 if cured else 20.0)
    return Training(model, pixels(), optimizer, steps=300)


# Not finite -------------------------------------------------------------------------------------


@outside.sick("loss.nonfinite", "gradient.nonfinite weight.update_too_large activation.dead")
def log_of_a_softmax(size: Size, cured: bool) -> Training:
    """The likelihood by hand: the probability of a rare mistake underflows."""

    def likelihood(model: nn.Module, batch: Batch) -> Tensor:
        out = model(batch[0])
        logs = out.log_softmax(1) if cured else out.softmax(1).log()
        return F.nll_loss(logs, batch[1])

    model = mlp(13, 32, 3)
    return Training(model, wine(raw=True), adam(model, 0.05), likelihood, steps=150, batch=16)


@outside.sick("loss.nonfinite", "gradient.nonfinite weight.not_updating")
def constant_column_divided_by_its_deviation(size: Size, cured: bool) -> Training:
    data = flowers()
    if not cured:
        for x in (data.x, data.val_x):
            x[:, 2] = (x[:, 2] * 0) / (x[:, 2] * 0).std()
    model = mlp(4, 16, 3)
    return Training(model, data, sgd(model, 0.1), steps=100, batch=10)


@outside.sick("loss.nonfinite")
def errors_squared_in_half_precision(size: Size, cured: bool) -> Training:
    """Targets in the hundreds, squared: beyond 65504; the gradient is still a number."""

    def error(model: nn.Module, batch: Batch) -> Tensor:
        out = model(batch[0])
        return F.mse_loss(out, batch[1]) if cured else (out - batch[1]).half().square().mean()

    model = mlp(10, 64, 64, 1)
    return Training(model, diabetes(raw=True), adam(model, 3e-3), error, steps=300)


@outside.sick(
    "loss.nonfinite",
    "gradient.nonfinite gradient.exploding weight.update_too_large activation.dead",
)
def exponential_link_on_raw_columns(size: Size, cured: bool) -> Training:
    """A Poisson regression of counts on areas in the hundreds."""

    def counts(model: nn.Module, batch: Batch) -> Tensor:
        return F.poisson_nll_loss(model(batch[0])[:, 0], 3.0 * batch[1].float())

    model = mlp(30, 16, 1)
    return Training(model, cancer(raw=not cured), sgd(model, 0.01), counts, steps=120)


# Overfitting ------------------------------------------------------------------------------------


@outside.sick("loss.overfitting")
def wide_net_on_eighty_patients(size: Size, cured: bool) -> Training:
    data = diabetes()
    few = Data(data.x[:80], data.y[:80], data.val_x, data.val_y)
    model = mlp(10, 192, 192, 1)
    return Training(model, few, adam(model, 1e-3), squares, steps=600, batch=20, epoch=20)


@outside.sick("loss.overfitting")
def moons_with_labels_flipped(size: Size, cured: bool) -> Training:
    data = moons(160, noise=0.3)
    flip = torch.rand(160) < 0.2
    data.y = torch.where(flip, 1 - data.y, data.y)
    model = mlp(2, 128, 128, 128, 2)
    return Training(model, data, adam(model, 3e-3), steps=900, epoch=30)


@outside.sick("loss.overfitting")
def few_sentences_read_too_often(size: Size, cured: bool) -> Training:
    data = text(40, 12)
    model = nn.Sequential(nn.Embedding(24, 32), Recurrent(nn.GRU(32, 64), 24, each=True))
    model[1].cell.batch_first = True
    return Training(model, data, adam(model, 5e-3), spelled, steps=300, batch=20, epoch=10)


@outside.sick("loss.overfitting")
def validation_set_left_unscaled(size: Size, cured: bool) -> Training:
    data = pixels()
    data.val_x = 255 / 16 * (data.val_x + 1)
    model = mlp(64, 48, 48, 10)
    return Training(model, data, adam(model, 2e-3), steps=400, epoch=20)
