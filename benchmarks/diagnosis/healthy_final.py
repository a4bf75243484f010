"""The split "final", its healthy half: what looks frightening, and is what everybody does."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import LBFGS, AdamW, NAdam, RMSprop

from benchmarks.diagnosis.collection_beyond import cnn, resnet
from benchmarks.diagnosis.collection_fresh import Fresh
from benchmarks.diagnosis.collection_outside import (
    Reader,
    Recurrent,
    Skip,
    adam,
    circles,
    clipped,
    clusters,
    flowers,
    friedman,
    he,
    mlp,
    pixels,
    sgd,
    spelled,
    sums,
)
from benchmarks.diagnosis.data import Batch, Data, cancer, digits, text, tokens, wine
from benchmarks.diagnosis.proofs import learns
from benchmarks.diagnosis.training import Nobody, Size, Training, rebuild, squares, train

healthy = Fresh("final").healthy


def warm(steps: int) -> Callable[[int], float]:
    return lambda k: min(1.0, k / steps)


# Nets -------------------------------------------------------------------------------------------


@healthy()
def deep_residual_net_by_nesterov(s: Size, cured: bool) -> Training:
    model = resnet(8, 1 if cured else 5)
    optimizer = torch.optim.SGD(model.parameters(), 0.05, 0.9, nesterov=True)
    return Training(model, digits(400), optimizer, steps=90, batch=32)


@healthy()
def pre_norm_transformer_with_adamw(s: Size, cured: bool) -> Training:
    model = Reader(20, 8, 4, width=32, depth=1 if cured else 3, pre=True)
    return Training(
        model, tokens(400), AdamW(model.parameters(), 2e-3, weight_decay=0.1), steps=150,
        schedule=None if cured else warm(50),
    )  # fmt: skip


@healthy()
def residual_mlp_whose_branches_begin_at_zero(s: Size, cured: bool) -> Training:
    branches = [mlp(48, 48, 48) for _ in range(6)]
    if not cured:
        for branch in branches:
            nn.init.zeros_(branch[-1].weight)  # type: ignore[arg-type]
            nn.init.zeros_(branch[-1].bias)  # type: ignore[arg-type]
    model = nn.Sequential(nn.Linear(64, 48), *map(Skip, branches), nn.Linear(48, 10))
    return Training(model, pixels(), adam(model, 1e-3), steps=250)


@healthy()
def five_tanh_layers_from_xavier(s: Size, cured: bool) -> Training:
    model = mlp(30, *[32] * (1 if cured else 5), 2, act=nn.Tanh)
    for m in model:
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
    return Training(model, cancer(), sgd(model, 0.05, 0.9), steps=250)


@healthy()
def eight_gelu_layers_under_layer_norm(s: Size, cured: bool) -> Training:
    model = mlp(64, *[48] * (2 if cured else 8), 10, act=nn.GELU, norm=nn.LayerNorm)
    return Training(model, pixels(), adam(model, 1e-3), steps=200)


@healthy()
def sparse_rectifiers_of_a_wide_net(s: Size, cured: bool) -> Training:
    """Most units are silent for most pictures, and each speaks for some."""
    model = mlp(64, 400, 10)
    if not cured:
        he(model)
        nn.init.constant_(model[0].bias, -0.4)  # type: ignore[arg-type]
    return Training(model, pixels(), sgd(model, 0.1, 0.9), steps=300)


@healthy()
def batch_norm_and_a_decay_of_a_tenth(s: Size, cured: bool) -> Training:
    model = cnn(12, norm=not cured)
    optimizer = AdamW(model.parameters(), 3e-3, weight_decay=0.0 if cured else 0.1)
    return Training(model, digits(600), optimizer, steps=150)


@healthy()
def cnn_with_dropout(s: Size, cured: bool) -> Training:
    model = cnn(16)
    if not cured:
        model.insert(6, nn.Dropout2d(0.2)).insert(8, nn.Dropout(0.4))
    return Training(model, digits(600), adam(model, 3e-3), steps=200, epoch=18)


@healthy()
def autoencoder_with_a_code_of_eight(s: Size, cured: bool) -> Training:
    model = mlp(64, 48, 8, 48, 64, act=nn.ReLU if cured else nn.ELU)
    return Training(model, pixels(), adam(model, 2e-3), rebuild, steps=400, batch=64)


@healthy()
def sigmoid_gates_in_a_gru(s: Size, cured: bool) -> Training:
    model = Recurrent((nn.LSTM if cured else nn.GRU)(8, 32, batch_first=True), 10)
    d = digits()
    data = Data(d.x.squeeze(1), d.y, d.val_x.squeeze(1), d.val_y)
    return Training(model, data, adam(model, 5e-3), steps=250)


# Loops and schedules ----------------------------------------------------------------------------


@healthy()
def one_cycle_for_a_cnn(s: Size, cured: bool) -> Training:
    def cycle(k: int) -> float:
        return k / 60 if k < 60 else max(0.001, 0.5 + 0.5 * math.cos(math.pi * (k - 60) / 120))

    model = cnn(12, norm=True)
    return Training(
        model, digits(600), adam(model, 3e-3 if cured else 0.01), steps=180,
        schedule=None if cured else cycle,
    )  # fmt: skip


@healthy()
def four_warm_restarts_of_adam(s: Size, cured: bool) -> Training:
    def saw(k: int) -> float:
        return 0.5 + 0.5 * math.cos(math.pi * (k % 80) / 80)

    model = mlp(64, 64, 64, 10)
    return Training(
        model, pixels(), adam(model, 3e-3), steps=320, schedule=None if cured else saw
    )  # fmt: skip


@healthy()
def warm_up_for_half_of_the_time(s: Size, cured: bool) -> Training:
    model = mlp(20, 48, 48, 5)
    return Training(
        model, clusters(), sgd(model, 0.05, 0.9), steps=300,
        schedule=None if cured else warm(150),
    )  # fmt: skip


@healthy()
def gradients_of_four_small_batches_added(s: Size, cured: bool) -> Training:
    model = cnn(8)
    return Training(
        model, digits(600), adam(model, 5e-3), steps=120,
        batch=32 if cured else 8, accumulate=1 if cured else 4,
    )  # fmt: skip


@healthy()
def three_pictures_a_batch(s: Size, cured: bool) -> Training:
    model = mlp(64, 48, 10)
    rate = 0.1 if cured else 0.05
    return Training(model, pixels(), sgd(model, rate), steps=900, batch=32 if cured else 3)


@healthy()
def clipping_at_every_single_step(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 10)
    rate = 0.1 if cured else 0.5
    return Training(
        model, pixels(), sgd(model, rate), steps=400,
        before_step=None if cured else clipped(0.3),  # type: ignore[arg-type]
    )  # fmt: skip


@healthy(proof=learns(0.3))
def curve_fitted_by_lbfgs(s: Size, cured: bool) -> Training:
    model = mlp(10, 24, 1, act=nn.Tanh)
    if cured:
        return Training(model, friedman(300), adam(model, 0.01), squares, steps=300)
    fit = LBFGS(model.parameters(), 0.5, max_iter=5)
    return Training(model, friedman(300), fit, squares, steps=60, batch=300, closure=True)


@healthy()
def forty_steps_and_no_more(s: Size, cured: bool) -> Training:
    model = mlp(13, 32, 3)
    return Training(model, wine(), adam(model, 0.01), steps=120 if cured else 40, batch=24)


# Fine-tuning ------------------------------------------------------------------------------------


def _learned(model: nn.Sequential, steps: int = 120) -> nn.Sequential:
    train(Training(model, digits(700), adam(model, 4e-3), steps=steps), Nobody())
    return model


@healthy(0.2)
def head_on_frozen_convolutions(s: Size, cured: bool) -> Training:
    model = _learned(cnn(12))
    model[-1].reset_parameters()  # type: ignore[operator]
    for p in model[:-1].parameters():
        p.requires_grad_(cured)
    return Training(model, digits(700), adam(model, 5e-3), steps=150)


@healthy()
def all_layers_tuned_at_a_small_rate(s: Size, cured: bool) -> Training:
    """It begins where the training before ended: a loss that is low from the start."""
    model = cnn(12) if cured else _learned(cnn(12), 60)
    return Training(model, digits(700), adam(model, 4e-3 if cured else 1e-3), steps=150)


# Tasks ------------------------------------------------------------------------------------------


@healthy(0.25)
def next_symbol_by_rmsprop(s: Size, cured: bool) -> Training:
    """The text has an entropy: the loss comes to rest far above zero."""
    layer = Recurrent(nn.LSTM(24, 32, batch_first=True), 24, each=True)
    model = nn.Sequential(nn.Embedding(24, 24), layer)
    fit = adam(model, 5e-3) if cured else RMSprop(model.parameters(), 3e-3)
    return Training(model, text(400, 12), fit, spelled, steps=250)


@healthy()
def targets_in_the_tens(s: Size, cured: bool) -> Training:
    """The first losses are in the hundreds, and so are the first gradients."""
    model = mlp(10, 48, 48, 1)
    data = friedman(scale=20.0)
    return Training(model, data, adam(model, 3e-3 if cured else 5e-3), squares, steps=600)


def _rare(n: int = 1000) -> Data:
    d = clusters(2 * n, 2)
    keep = torch.where((d.y == 0) | (torch.rand(len(d.y)) < 0.06))[0]
    return Data(d.x[keep], d.y[keep], d.val_x, d.val_y)


@healthy(0.3)
def six_in_a_hundred_are_positive(s: Size, cured: bool) -> Training:
    model = mlp(20, 32, 2)
    return Training(model, _rare(), adam(model, 3e-3), steps=400, batch=64 if cured else 32)


@healthy()
def every_fourth_label_is_wrong(s: Size, cured: bool) -> Training:
    model = mlp(20, 32, 4) if cured else mlp(20, 24, 24, 4)
    return Training(model, clusters(1500, 4, flip=0.3), sgd(model, 0.1), steps=300)


@healthy(0.2)
def smoothed_labels_for_a_cnn(s: Size, cured: bool) -> Training:
    def smoothed(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1], label_smoothing=0.1)

    model = cnn(12)
    return Training(model, digits(600), adam(model, 3e-3 if cured else 5e-3), smoothed, steps=180)


@healthy()
def wine_down_to_nothing(s: Size, cured: bool) -> Training:
    """The training set is small and learned to the end; validation is level."""
    model, data = mlp(13, 24, 3), wine()
    return Training(model, data, adam(model, 3e-3), steps=100 if cured else 260, batch=30, epoch=10)


@healthy()
def likelihood_that_goes_below_zero(s: Size, cured: bool) -> Training:
    def density(model: nn.Module, batch: Batch) -> Tensor:
        mean, log = model(batch[0]).split(1, 1)
        log = log.clamp(-4, 4)
        return (0.5 * ((batch[1] - mean) / log.exp()).square() + log).mean()

    model = mlp(10, 32, 32, 2, act=nn.ReLU if cured else nn.SiLU)
    data = friedman(noise=0.3, scale=0.3)
    return Training(model, data, adam(model, 2e-3), density, steps=500)


@healthy(0.25)
def two_heads_of_unlike_weight(s: Size, cured: bool) -> Training:
    """Class and sum of the pixels; the second loss is a hundredth of the first."""

    def together(model: nn.Module, batch: Batch) -> Tensor:
        out = model(batch[0])
        second = F.mse_loss(out[:, 10], batch[0].mean(1))
        return F.cross_entropy(out[:, :10], batch[1]) + (1.0 if cured else 0.1) * second

    model = mlp(64, 64, 48, 11)
    return Training(model, pixels(), NAdam(model.parameters(), 2e-3), together, steps=300)


@healthy(0.25)
def contrastive_views_in_a_batch(s: Size, cured: bool) -> Training:
    def info_nce(model: nn.Module, batch: Batch) -> Tensor:
        views = [batch[0] + 0.1 * torch.randn_like(batch[0]) for _ in range(2)]
        a, b = (F.normalize(model(v), dim=1) for v in views)
        return F.cross_entropy(a @ b.T / 0.2, torch.arange(len(a)))

    model = mlp(64, 64, 16)
    return Training(
        model, pixels(640), adam(model, 2e-3 if cured else 4e-3), info_nce, steps=200, batch=64
    )  # fmt: skip


@healthy(0.25)
def policy_that_raises_its_reward(s: Size, cured: bool) -> Training:
    """The loss is minus the expected reward: it begins near zero and falls below."""

    def regret(model: nn.Module, batch: Batch) -> Tensor:
        p = model(batch[0]).softmax(1)
        return -(p * F.one_hot(batch[1], 5)).sum(1).mean()

    model = mlp(20, 32, 5, act=nn.ReLU if cured else nn.Tanh)
    return Training(model, clusters(), adam(model, 3e-3), regret, steps=300)


@healthy()
def sums_that_wait_before_they_fall(s: Size, cured: bool) -> Training:
    """The loss lies level for a while, until the LSTM has found what the marks mean."""
    kind = nn.GRU if cured else nn.LSTM
    model = Recurrent(kind(2, 32, batch_first=True), 1)
    return Training(
        model, sums(512, 10), adam(model, 0.01), squares, steps=400, batch=64,
        before_step=clipped(1.0),  # type: ignore[arg-type]
    )  # fmt: skip


@healthy()
def circles_by_a_small_net(s: Size, cured: bool) -> Training:
    model = mlp(2, 24, 24, 2, act=nn.Tanh if cured else nn.LeakyReLU)
    return Training(model, circles(), sgd(model, 0.1, 0.9), steps=400)


@healthy()
def iris_with_a_sigmoid_layer(s: Size, cured: bool) -> Training:
    model = mlp(4, 16, 3, act=nn.Tanh if cured else nn.Sigmoid)
    return Training(model, flowers(), adam(model, 0.02), steps=300, batch=20)
