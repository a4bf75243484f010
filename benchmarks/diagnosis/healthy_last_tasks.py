"""Healthy tasks, losses, schedules and batches, each beside a sick one that it looks like."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.collection_beyond import cnn, few, resnet, smooth
from benchmarks.diagnosis.collection_last import (
    Bag,
    Ladder,
    Mixture,
    Siamese,
    Speller,
    alike,
    centred,
    grainy,
    last,
    topics,
    twins,
)
from benchmarks.diagnosis.collection_outside import (
    Recurrent,
    adam,
    circles,
    clusters,
    flowers,
    friedman,
    mlp,
    pixels,
    sgd,
    spelled,
    sums,
)
from benchmarks.diagnosis.data import (
    Batch,
    Data,
    cancer,
    clock,
    diabetes,
    digits,
    spirals,
    text,
    vectors,
    wine,
)
from benchmarks.diagnosis.training import Size, Training, squares

healthy = last.healthy

# Beside flat ------------------------------------------------------------------------------------


@healthy(0.2)
def spirals_after_a_long_rest(s: Size, cured: bool) -> Training:
    """Two arms: the loss rests near log 2, then it breaks."""
    model = mlp(2, 48, 48, 2, act=nn.ReLU if cured else nn.GELU)
    return Training(model, spirals(), adam(model, 3e-3), steps=1000, batch=64)


@healthy(0.2)
def sums_of_a_clock_learned_after_a_rest(s: Size, cured: bool) -> Training:
    width = 48 if cured else 24
    model = nn.Sequential(nn.Embedding(13, width), nn.Flatten(), mlp(2 * width, 96, 13))
    return Training(model, clock(), adam(model, 5e-3), steps=800, batch=32)


@healthy()
def warm_up_from_nothing_for_a_fifth(s: Size, cured: bool) -> Training:
    model = Mixture(64, 10)
    return Training(
        model, pixels(), adam(model, 3e-3), steps=400, batch=32,
        schedule=None if cured else lambda k: min(1.0, (k / 80) ** 2),
    )  # fmt: skip


@healthy(0.3)
def mostly_noise_in_four_classes(s: Size, cured: bool) -> Training:
    """Half of the labels are drawn by lot: there is little to learn, and it is learned."""
    model, data = mlp(16, 24, 4), vectors(noise=0.5)
    return Training(
        model, data, adam(model, 2e-3 if not cured else 3e-3), steps=300, batch=64
    )  # fmt: skip


# Beside unstable and diverging ------------------------------------------------------------------


@healthy()
def five_pictures_a_step(s: Size, cured: bool) -> Training:
    model = cnn(8)
    return Training(
        model, digits(700), sgd(model, 0.05), steps=800,
        batch=32 if cured else 5,
    )  # fmt: skip


@healthy(0.2)
def three_texts_a_step(s: Size, cured: bool) -> Training:
    model = Bag(60, 16, 4)
    return Training(
        model, topics(), adam(model, 3e-3 if cured else 1e-3), steps=900, batch=32 if cured else 3
    )


@healthy(0.2)
def two_rows_a_step_for_regression(s: Size, cured: bool) -> Training:
    model = mlp(10, 24, 1, act=nn.Tanh)
    return Training(
        model, friedman(), sgd(model, 0.03 if cured else 0.01), squares, steps=1000,
        batch=32 if cured else 2,
    )  # fmt: skip


@healthy(0.2)
def restarts_of_growing_length(s: Size, cured: bool) -> Training:
    """The rate jumps back to its height at 50, 150 and 350 steps; so does the loss, a little."""

    def restart(step: int) -> float:
        begin, length = (0, 50) if step < 50 else (50, 100) if step < 150 else (150, 200)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - begin) / length)))

    model = cnn(8, norm=True)
    return Training(
        model, digits(600), sgd(model, 0.05, 0.9), steps=350, batch=32,
        schedule=None if cured else restart,
    )  # fmt: skip


@healthy()
def one_cycle_over_a_residual_net(s: Size, cured: bool) -> Training:
    def cycle(step: int) -> float:
        return 0.05 + step / 60 if step < 60 else max(0.02, 1.05 - (step - 60) / 90)

    model = resnet(8, 2)
    return Training(
        model, digits(500), sgd(model, 0.02 if cured else 0.1, 0.9), steps=150, batch=32,
        schedule=None if cured else cycle,
    )  # fmt: skip


@healthy(0.2)
def rare_outliers_among_the_targets(s: Size, cured: bool) -> Training:
    """One target in fifty is wild: its batch has a high loss, nothing else happens."""
    d = friedman()
    if not cured:
        d.y[::50] *= 4.0
    model = mlp(10, 32, 1)
    robust = nn.SmoothL1Loss()

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        return robust(net(batch[0]), batch[1])

    return Training(model, d, adam(model, 3e-3), loss, steps=500, batch=16)


@healthy()
def momentum_that_swings_a_little(s: Size, cured: bool) -> Training:
    """The whole set at each step, and momentum: the loss swings on its way down."""
    model, d = mlp(13, 16, 3, act=nn.Tanh), wine()
    rate, heavy = (0.2, 0.0) if cured else (0.05, 0.95)
    return Training(model, d, sgd(model, rate, heavy), steps=200, batch=len(d.x))


@healthy(0.2)
def hard_classes_arrive_half_way(s: Size, cured: bool) -> Training:
    """The loader adds the last five digits after 200 steps: the loss jumps once and falls."""
    model, d = mlp(64, 48, 10), pixels()
    easy = (d.y < 5).nonzero()[:, 0]

    def staged() -> object:
        for step in range(600):
            among = easy if step < 200 else torch.arange(len(d.y))
            rows = among[torch.randint(0, len(among), (32,))]
            yield d.x[rows], d.y[rows]

    return Training(
        model, d, adam(model, 2e-3), steps=600,
        batches=None if cured else staged(),  # type: ignore[arg-type]
    )  # fmt: skip


# Beside a plateau -------------------------------------------------------------------------------


@healthy()
def floor_of_smoothed_labels(s: Size, cured: bool) -> Training:
    """It comes to rest far above zero: at the entropy of the smoothed labels."""
    model = cnn(8) if cured else resnet(8, 1)
    return Training(model, digits(500), adam(model, 5e-3), smooth, steps=160, batch=32)


@healthy(0.2)
def floor_of_noise_in_the_targets(s: Size, cured: bool) -> Training:
    model = mlp(10, 16, 1, act=nn.Tanh)
    return Training(
        model, friedman(2000, noise=3.0), sgd(model, 0.05 if not cured else 0.03, 0.5), squares,
        steps=700, batch=64,
    )  # fmt: skip


@healthy(0.2)
def entropy_of_a_language(s: Size, cured: bool) -> Training:
    """A Markov chain has an entropy that no model gets under."""
    model = Speller((nn.LSTM if cured else nn.GRU)(16, 24, batch_first=True), 24, 24)
    return Training(model, text(1200), adam(model, 0.01), spelled, steps=250, batch=32)


@healthy()
def solved_long_before_the_end(s: Size, cured: bool) -> Training:
    model = mlp(4, 24, 3, act=nn.Tanh)
    return Training(model, flowers(), adam(model, 5e-3), steps=500 if cured else 1200, batch=25)


@healthy(0.25)
def narrow_code_of_eight_numbers(s: Size, cured: bool) -> Training:
    """What eight numbers cannot hold of a picture is left over."""
    model = mlp(64, 48, 8, 48, 64, act=nn.ReLU if cured else nn.GELU)
    return Training(model, centred(), adam(model, 2e-3), squares, steps=500, batch=32)


# Beside overfitting -----------------------------------------------------------------------------


@healthy()
def small_data_and_validation_that_levels_out(s: Size, cured: bool) -> Training:
    """Three hundred pictures: validation falls ever more slowly, a little above training."""
    model = mlp(64, 64, 10)
    return Training(
        model, few(pixels(), 300), sgd(model, 0.1, 0.0, 0.0 if cured else 1e-3), steps=500,
        batch=32, epoch=25,
    )  # fmt: skip


@healthy()
def validated_under_dropout(s: Size, cured: bool) -> Training:
    model = mlp(64, 96, 10, drop=0.0 if cured else 0.4)
    return Training(model, pixels(), adam(model, 1e-3), steps=500, batch=32, epoch=50)


@healthy()
def convolutions_stopped_in_time(s: Size, cured: bool) -> Training:
    model = cnn(8, norm=not cured)
    return Training(
        model, digits(900), adam(model, 2e-3), steps=220, batch=32, epoch=22
    )  # fmt: skip


@healthy(0.2)
def few_patients_and_strong_decay(s: Size, cured: bool) -> Training:
    """Validation jumps about by chance, and does not rise."""
    model = mlp(10, 8, 1, act=nn.Tanh)
    return Training(
        model, diabetes(), sgd(model, 0.03, 0.0, 0.0 if cured else 0.03), squares, steps=400,
        batch=32, epoch=40,
    )  # fmt: skip


# Losses of other kinds --------------------------------------------------------------------------


@healthy(0.2)
def reward_to_be_raised(s: Size, cured: bool) -> Training:
    """The loss is minus the expected reward: it starts near -0.1 and ends near -1."""

    def reward(net: nn.Module, batch: Batch) -> Tensor:
        return -net(batch[0]).softmax(1).gather(1, batch[1][:, None]).mean()

    model = mlp(64, 48, 10)
    rate = 3e-3 if cured else 1e-3
    return Training(model, pixels(), adam(model, rate), reward, steps=500, batch=32)


@healthy(0.25)
def log_density_of_a_narrow_normal(s: Size, cured: bool) -> Training:
    """Mean and spread are predicted; the loss crosses zero and goes on."""

    def density(net: nn.Module, batch: Batch) -> Tensor:
        mean, log_spread = net(batch[0]).chunk(2, 1)
        error = (batch[1] - mean) * torch.exp(-log_spread.clamp(-4, 4))
        return (0.5 * error.square() + log_spread.clamp(-4, 4)).mean()

    model = mlp(10, 32, 2, act=nn.Tanh if not cured else nn.SiLU)
    return Training(model, friedman(scale=0.3), adam(model, 3e-3), density, steps=500, batch=64)


@healthy()
def two_views_told_apart_in_a_batch(s: Size, cured: bool) -> Training:
    def views(net: nn.Module, batch: Batch) -> Tensor:
        a, b = (net(batch[0] + 0.1 * torch.randn_like(batch[0])) for _ in range(2))
        a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)
        return F.cross_entropy(a @ b.T / (0.2 if cured else 0.15), torch.arange(len(a)))

    model, d = mlp(64, 64, 24), pixels(512)
    rate = 1e-3 if cured else 2e-3
    return Training(model, d, adam(model, rate), views, steps=300, batch=64)


@healthy()
def distances_with_a_margin(s: Size, cured: bool) -> Training:
    """Most pairs are far enough in the end, and give no gradient any more."""

    def margin(net: nn.Module, batch: Batch) -> Tensor:
        tower = net.tower
        a, b = tower(batch[0][:, 0]), tower(batch[0][:, 1])  # type: ignore[operator]
        d = (a - b).square().sum(1, keepdim=True)
        return (batch[1] * d + (1 - batch[1]) * (2 - d).clamp_min(0)).mean()

    model = Siamese(48)
    model.scale, model.bias = None, None  # type: ignore[assignment]
    return Training(
        model, twins(), adam(model, 1e-3 if cured else 2e-3), margin, steps=600, batch=32
    )  # fmt: skip


@healthy()
def class_and_picture_at_once(s: Size, cured: bool) -> Training:
    """One trunk, two losses of different scale."""

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = mlp(64, 64, 32)
            self.one, self.two = nn.Linear(32, 10), nn.Linear(32, 64)

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        h = net.trunk(batch[0]).relu()  # type: ignore[operator]
        error = F.mse_loss(net.two(h), batch[0])  # type: ignore[operator]
        return F.cross_entropy(net.one(h), batch[1]) + (1 if cured else 5) * error  # type: ignore[operator]

    model = Both()
    return Training(model, pixels(), adam(model, 2e-3), loss, steps=350, batch=32)


@healthy(0.2)
def one_positive_in_twelve(s: Size, cured: bool) -> Training:
    """The loss starts at log 2 and drops at once to the rate of the class, then slowly on."""

    def rare(d: Data) -> Data:
        return Data(
            d.x, (d.y == 3).float()[:, None], d.val_x, (d.val_y == 3).float()[:, None]
        )  # fmt: skip

    model = mlp(64, 32, 1)
    return Training(
        model, rare(pixels()), adam(model, 3e-3 if cured else 1e-3), alike, steps=500, batch=32
    )


@healthy(0.2)
def a_quarter_of_the_labels_is_wrong(s: Size, cured: bool) -> Training:
    model, data = mlp(20, 24, 5), clusters(1500, flip=0.25)
    return Training(model, data, sgd(model, 0.05, 0.9 if not cured else 0.8), steps=500, batch=32)


@healthy()
def measurements_weighted_down_by_decay(s: Size, cured: bool) -> Training:
    model = mlp(30, 64, 2)
    decay = 0.01 if cured else 0.3
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=decay)
    return Training(model, cancer(), optimizer, steps=300, batch=32)


@healthy()
def clipped_by_value_and_accumulated(s: Size, cured: bool) -> Training:
    def clip(net: nn.Module, step: int) -> None:
        nn.utils.clip_grad_value_(net.parameters(), 0.05)

    model = Recurrent(nn.GRU(2, 32, batch_first=True), 1)
    return Training(
        model, sums(length=6), adam(model, 0.01), squares, steps=200,
        batch=64 if cured else 16, accumulate=1 if cured else 4,
        before_step=None if cured else clip,
    )  # fmt: skip


@healthy()
def pictures_cleaned_by_small_batches(s: Size, cured: bool) -> Training:
    model = Ladder(8, nn.GELU)
    return Training(
        model, grainy(300), adam(model, 3e-3 if cured else 2e-3), squares, steps=160,
        batch=16 if cured else 6,
    )  # fmt: skip


@healthy()
def circles_by_adagrad(s: Size, cured: bool) -> Training:
    """Adagrad's rate falls all the time by itself."""
    model = mlp(2, 32, 32, 2, act=nn.LeakyReLU)
    given = adam(model, 5e-3) if cured else torch.optim.Adagrad(model.parameters(), 0.05)
    return Training(model, circles(), given, steps=400, batch=32)
