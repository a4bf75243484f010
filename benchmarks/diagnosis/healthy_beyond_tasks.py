"""Frightening and healthy: tasks and losses as people meet them daily."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import proofs
from benchmarks.diagnosis.collection_beyond import beyond, smooth
from benchmarks.diagnosis.collection_outside import (
    Recurrent,
    adam,
    circles,
    clusters,
    friedman,
    mlp,
    pixels,
    spelled,
)
from benchmarks.diagnosis.data import Batch, Data, cancer, diabetes, text, wine
from benchmarks.diagnosis.training import Size, Training, cross_entropy, rebuild, squares

healthy = beyond.healthy

# Losses -----------------------------------------------------------------------------------------


@healthy(0.3)
def labels_smoothed(s: Size, cured: bool) -> Training:
    """The loss cannot go below 0.87."""
    model = mlp(64, 64, 10)
    objective = cross_entropy if cured else smooth
    return Training(
        model, pixels(), adam(model, 2e-3), objective, steps=400, batch=32, whole=cross_entropy
    )  # fmt: skip


@healthy(0.3)
def one_label_in_five_wrong(s: Size, cured: bool) -> Training:
    """Much of the loss is noise, and stays."""
    model = mlp(20, 16, 5)
    return Training(
        model, clusters(flip=0.25), adam(model, 1e-3 if cured else 3e-3), steps=300,
        batch=128 if cured else 16,
    )  # fmt: skip


@healthy(0.2)
def mostly_noise_to_be_regressed(s: Size, cured: bool) -> Training:
    model = mlp(10, 16, 1)
    size = 128 if cured else 16
    return Training(model, friedman(noise=5.0), adam(model, 3e-3), squares, steps=400, batch=size)


@healthy()
def targets_in_the_hundreds(s: Size, cured: bool) -> Training:
    """The loss begins at 30,000 and so do the gradients; Adam does not mind."""
    model = mlp(10, 64, 1)
    size = 64 if cured else 16
    return Training(model, diabetes(raw=True), adam(model, 0.05), squares, steps=500, batch=size)


def _multi(model: nn.Module, batch: Batch) -> Tensor:
    return F.binary_cross_entropy_with_logits(model(batch[0]), F.one_hot(batch[1], 10).float())


@healthy()
def ten_rare_labels_at_once(s: Size, cured: bool) -> Training:
    """The loss drops from 0.69 to 0.3 in no time, by saying no to everything."""
    model = mlp(64, 64, 10)
    size = 64 if cured else 16
    return Training(model, pixels(), adam(model, 2e-3), _multi, steps=400, batch=size)


@healthy()
def circles_take_their_time(s: Size, cured: bool) -> Training:
    """A slow start: for a while the net is no better than a straight line."""
    model = mlp(2, 16, 16, 2, act=nn.Tanh)
    return Training(
        model, circles(), adam(model, 0.02 if cured else 5e-3), steps=500, batch=32
    )  # fmt: skip


@healthy()
def autoencoder_of_small_numbers(s: Size, cured: bool) -> Training:
    """Every number of the loss is small: it begins at a quarter."""
    model = mlp(64, 48, 12, 48, 64, act=nn.ReLU if cured else nn.Tanh)
    return Training(model, pixels(), adam(model, 2e-3), rebuild, steps=400, batch=32)


@healthy()
def density_sharper_than_one(s: Size, cured: bool) -> Training:
    """The negative log-likelihood of a density goes through zero and on."""

    def nll(model: nn.Module, batch: Batch) -> Tensor:
        mean, log = model(batch[0]).chunk(2, 1)
        return (log + 0.5 * (batch[1] - mean).square() * torch.exp(-2 * log)).mean()

    model = mlp(10, 32, 32, 2, act=nn.Tanh)
    d = friedman(noise=1.0)
    data = Data(d.x, d.y / 5, d.val_x, d.val_y / 5)
    size = 64 if cured else 32
    return Training(model, data, adam(model, 2e-3), nll, steps=400, batch=size)


@healthy(0.2)
def contrastive_pairs_of_noisy_views(s: Size, cured: bool) -> Training:
    """The loss begins near the logarithm of the batch and ends well above zero."""

    def info(model: nn.Module, batch: Batch) -> Tensor:
        x = batch[0][:128]
        a, b = (F.normalize(model(x + 0.2 * torch.randn_like(x)), dim=1) for _ in range(2))
        return F.cross_entropy(a @ b.T / 0.2, torch.arange(len(x)))

    model = mlp(64, 64, 16)
    return Training(
        model, pixels(), adam(model, 1e-3 if cured else 3e-3), info, steps=200, batch=128
    )  # fmt: skip


@healthy()
def language_with_rare_symbols(s: Size, cured: bool) -> Training:
    """Most rows of the embedding get no gradient in most steps."""
    cell = (nn.LSTM if cured else nn.GRU)(24, 32, batch_first=True)
    model = nn.Sequential(nn.Embedding(24, 24), Recurrent(cell, 24, each=True))
    size = 32 if cured else 8
    return Training(model, text(600), adam(model, 5e-3), spelled, steps=200, batch=size)


@healthy()
def one_digit_against_the_rest(s: Size, cured: bool) -> Training:
    """One sample in ten is positive: saying no is right nine times in ten."""
    model, d = mlp(64, 48, 2), pixels()
    data = Data(d.x, (d.y == 3).long(), d.val_x, (d.val_y == 3).long())
    size = 128 if cured else 16
    return Training(model, data, adam(model, 1e-3), steps=400, batch=size)


@healthy(proof=proofs.learns(0.1))
def lbfgs_on_few_samples(s: Size, cured: bool) -> Training:
    """Steep: most of the fall is over after a few steps with the whole set."""
    model = mlp(13, 16, 3, act=nn.Tanh)
    optimizer = torch.optim.LBFGS(model.parameters(), 0.1, max_iter=2)
    return Training(model, wine(), optimizer, steps=60, batch=120, closure=True)


@healthy(0.3)
def two_pictures_mixed(s: Size, cured: bool) -> Training:
    """Mixup: the logged loss stays high, that of clean pictures falls."""

    def mixed(model: nn.Module, batch: Batch) -> Tensor:
        x, y = batch
        share = float(torch.rand(()))
        out = model(share * x + (1 - share) * x.roll(1, 0))
        return share * F.cross_entropy(out, y) + (1 - share) * F.cross_entropy(out, y.roll(1))

    model = mlp(64, 96, 10)
    objective = cross_entropy if cured else mixed
    return Training(
        model, pixels(), adam(model, 2e-3), objective, steps=500, batch=32, whole=cross_entropy
    )  # fmt: skip


@healthy()
def inputs_drowned_in_noise(s: Size, cured: bool) -> Training:
    """Augmentation makes every batch harder than the data."""
    model = mlp(64, 96, 10)

    def noisy(batch: Batch, number: int) -> Batch:
        return batch[0] + 0.4 * torch.randn_like(batch[0]), batch[1]

    return Training(
        model, pixels(), adam(model, 2e-3), steps=500, batch=32, corrupt=None if cured else noisy
    )  # fmt: skip


@healthy()
def usual_decoupled_decay(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.0 if cured else 0.1)
    return Training(model, pixels(), optimizer, steps=400, batch=32)


@healthy()
def raw_features_behind_batch_norm(s: Size, cured: bool) -> Training:
    """Inputs in the thousands are no trouble when the first layer standardises them."""
    first: nn.Module = nn.Identity() if cured else nn.BatchNorm1d(30)
    model = nn.Sequential(first, mlp(30, 32, 2))
    return Training(model, cancer(raw=not cured), adam(model, 3e-3), steps=250, batch=32)


@healthy()
def autocast_to_bfloat16(s: Size, cured: bool) -> Training:
    """Gradients and activations in eight bits of precision."""

    def cast(model: nn.Module, batch: Batch) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=not cured):
            out = model(batch[0])
        return F.cross_entropy(out.float(), batch[1])

    model = mlp(64, 64, 10)
    return Training(model, pixels(), adam(model, 2e-3), cast, steps=200, batch=32)


@healthy()
def stopped_while_validation_still_falls(s: Size, cured: bool) -> Training:
    model = mlp(10, 32, 32, 1)
    size = 64 if cured else 32
    return Training(
        model, friedman(noise=0.3), adam(model, 2e-3), squares, steps=200, batch=size, epoch=10
    )  # fmt: skip
