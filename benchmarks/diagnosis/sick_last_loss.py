"""Faults of the loss, one a training, in many kinds of nets."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_beyond import Lambda, cnn, few, resnet
from benchmarks.diagnosis.collection_last import (
    Bag,
    Cosine,
    Dot,
    Ladder,
    Mixture,
    Siamese,
    Speller,
    alike,
    each_parameter,
    grainy,
    last,
    topics,
    twins,
)
from benchmarks.diagnosis.collection_outside import (
    Block,
    Recurrent,
    Skip,
    adam,
    friedman,
    mlp,
    pixels,
    sgd,
    spelled,
    sums,
)
from benchmarks.diagnosis.data import Batch, Data, diabetes, digits, text, tokens, wine
from benchmarks.diagnosis.training import Size, Training, squares

sick = last.sick

# Flat -------------------------------------------------------------------------------------------


class _Masked(nn.Module):
    """A GRU behind a mask; `inverted` hides what should be seen."""

    def __init__(self, inverted: bool) -> None:
        super().__init__()
        self.net, self.inverted = Recurrent(nn.GRU(16, 24, batch_first=True), 4), inverted
        self.table = nn.Embedding(60, 16)

    def forward(self, x: Tensor) -> Tensor:
        seen = (x == 0) if self.inverted else (x != 0)
        return self.net(self.table(x) * seen[..., None])


@sick("loss.flat", "gradient.vanishing weight.not_updating")
def gru_behind_an_inverted_mask(s: Size, cured: bool) -> Training:
    """No text has padding, and the mask keeps the padding only: every text looks alike."""
    model = _Masked(not cured)
    return Training(model, topics(600), adam(model, 3e-3), steps=200, batch=32)


@sick("loss.flat", "gradient.vanishing weight.not_updating activation.dead")
def siamese_net_that_gets_one_picture_twice(s: Size, cured: bool) -> Training:
    model = Siamese(32, same_input=not cured)
    return Training(model, twins(), adam(model, 1e-3), alike, steps=400, batch=32)


@sick("loss.flat")
def mean_over_the_batch_instead_of_time(s: Size, cured: bool) -> Training:
    """Every sample of a batch gets the same features."""

    def pooled(h: Tensor) -> Tensor:
        return h.mean(1) if cured else h.mean((0, 1))[None].expand(len(h), -1)

    model = nn.Sequential(nn.Embedding(60, 24), Block(24), Lambda(pooled), nn.Linear(24, 4))
    return Training(model, topics(500), adam(model, 1e-3), steps=200, batch=32)


@sick("loss.flat", "weight.not_updating activation.dead", size=0)
def u_net_with_adam_at_a_hundred_millionth(s: Size, cured: bool) -> Training:
    model = Ladder(6)
    return Training(
        model, grainy(300), adam(model, 3e-3 if cured else 1e-8), squares, steps=150, batch=16
    )


# Diverging --------------------------------------------------------------------------------------


@sick("loss.diverging", TOO_FAST)
def language_model_whose_gradients_are_turned_round(s: Size, cured: bool) -> Training:
    """A hook meant for an adversary's head acts on all parameters."""

    def turn(model: nn.Module, step: int) -> None:
        for p in model.parameters():
            if p.grad is not None:
                p.grad.neg_()

    model = Speller(nn.GRU(16, 24, batch_first=True), 24, 24)
    return Training(
        model, text(300), sgd(model, 0.3), spelled, steps=200, batch=32,
        before_step=None if cured else turn,
    )  # fmt: skip


@sick("loss.diverging", TOO_FAST)
def linear_decay_that_runs_past_zero(s: Size, cured: bool) -> Training:
    """The rate was to reach zero at the end of 80 steps, and the loop goes on to 240."""

    def decay(step: int) -> float:
        return max(0.01, 1 - step / 80) if cured else 1 - step / 80

    model = cnn(6, act=nn.Tanh)
    return Training(model, digits(600), sgd(model, 0.1), steps=240, batch=32, schedule=decay)


@sick("loss.diverging", TOO_FAST)
def one_hot_least_squares_just_beyond_the_edge(s: Size, cured: bool) -> Training:
    """Nesterov's momentum on a linear model of one-hot targets, every step on the whole data."""
    d = wine()
    data = Data(d.x, F.one_hot(d.y, 3).float(), d.val_x, F.one_hot(d.val_y, 3).float())
    top = float(torch.linalg.eigvalsh(d.x.T @ d.x / len(d.x))[-1]) * 2 / 3
    model = nn.Sequential(nn.Linear(13, 3))
    rate = (0.2 if cured else 1.45) / top
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.8, nesterov=True)
    return Training(model, data, optimizer, squares, steps=160, batch=len(d.x))


# Unstable ---------------------------------------------------------------------------------------


@sick("loss.unstable", TOO_FAST, "gradient.vanishing")
def plain_convolutions_with_heavy_momentum(s: Size, cured: bool) -> Training:
    model = cnn(8, act=nn.Tanh)
    return Training(model, digits(600), sgd(model, 0.02 if cured else 1.0, 0.95), steps=250)


@sick("loss.unstable", TOO_FAST, "gradient.vanishing")
def gru_adds_with_rmsprop_at_a_tenth(s: Size, cured: bool) -> Training:
    model = Recurrent(nn.GRU(2, 24, batch_first=True), 1)
    optimizer = torch.optim.RMSprop(model.parameters(), 0.003 if cured else 0.1)
    return Training(model, sums(length=8), optimizer, squares, steps=350, batch=32)


@sick("loss.unstable", TOO_FAST, "gradient.vanishing")
def bag_of_words_with_sgd_at_a_hundred(s: Size, cured: bool) -> Training:
    model = Bag(60, 16, 4, nn.Tanh)
    return Training(model, topics(), sgd(model, 0.5 if cured else 100.0), steps=500, batch=32)


@sick("loss.unstable", TOO_FAST)
def residual_tanh_net_with_nadam_at_a_fifth(s: Size, cured: bool) -> Training:
    blocks = [Skip(mlp(32, 32, 32, act=nn.Tanh)) for _ in range(3)]
    model = nn.Sequential(nn.Linear(64, 32), *blocks, nn.Linear(32, 10))
    optimizer = torch.optim.NAdam(model.parameters(), 2e-3 if cured else 0.2)
    return Training(model, pixels(), optimizer, steps=350, batch=64)


# Plateau ----------------------------------------------------------------------------------------


@sick("loss.plateau_early", "weight.not_updating")
def plateau_scheduler_told_to_maximise(s: Size, cured: bool) -> Training:
    """The loss never grows, so that the rate is cut each tenth step."""
    model = resnet(6, 2)
    return Training(
        model, digits(500), sgd(model, 0.01, 0.9), steps=160, batch=32,
        schedule=None if cured else lambda k: 0.1 ** (k // 10),
    )  # fmt: skip


@sick("loss.plateau_early")
def cosine_logits_without_a_temperature(s: Size, cured: bool) -> Training:
    model = nn.Sequential(mlp(64, 64, 32), Cosine(32, 10, 8.0 if cured else 1.0))
    return Training(model, pixels(), adam(model, 3e-3), steps=600, batch=32)


@sick("loss.plateau_early", "weight.collapsing gradient.vanishing")
def weights_clipped_as_for_a_critic(s: Size, cured: bool) -> Training:
    """Every weight is kept within a narrow band, as for a critic of Wasserstein's."""
    model = mlp(64, 32, 32, 10, act=nn.LeakyReLU)
    clip = each_parameter(lambda w: w.clamp_(-0.08, 0.08))
    return Training(
        model, pixels(), adam(model, 3e-3), steps=500, batch=32,
        after_step=None if cured else clip,
    )  # fmt: skip


@sick("loss.plateau_early", TOO_FAST, "gradient.vanishing weight.not_updating")
def forecast_that_learns_the_mean_only(s: Size, cured: bool) -> Training:
    """Adam at a half kills the rectifiers; the last bias still finds the mean of the targets."""
    model = mlp(10, 32, 32, 32, 32, 1)
    rate = 3e-3 if cured else 0.5
    return Training(
        model, friedman(shift=1.2), torch.optim.Adam(model.parameters(), rate, (0.9, 0.95)),
        squares, steps=500, batch=64,
        schedule=None if cured else lambda k: 1.0 if k < 40 else 0.01,
    )  # fmt: skip


# Not finite -------------------------------------------------------------------------------------


@sick("loss.nonfinite", "gradient.nonfinite")
def densities_summed_before_the_logarithm(s: Size, cured: bool) -> Training:
    """A mixture of narrow normals far from the targets: every density underflows."""

    def likelihood(model: nn.Module, batch: Batch) -> Tensor:
        logits, means = model(batch[0]).chunk(2, 1)
        logs = logits.log_softmax(1) - 0.5 * ((batch[1] - means) / 0.3).square()
        return -(logs.logsumexp(1) if cured else logs.exp().sum(1).log()).mean()

    model = mlp(10, 32, 6, act=nn.Tanh)
    return Training(
        model, friedman(scale=3.0), adam(model, 5e-3), likelihood, steps=300, batch=32
    )  # fmt: skip


@sick("loss.nonfinite", "gradient.nonfinite")
def attention_to_a_sentence_of_padding(s: Size, cured: bool) -> Training:
    """A softmax over places of which each is masked."""
    model, d = Dot(60, 4), topics(500)
    if not cured:
        d.x[7] = 0
    return Training(model, d, adam(model, 3e-3), steps=200, batch=32)


@sick("loss.nonfinite", "gradient.nonfinite")
def mean_over_a_class_that_is_not_in_the_batch(s: Size, cured: bool) -> Training:
    """The loss is averaged within each class first; a small batch lacks some of the ten."""

    def balanced(model: nn.Module, batch: Batch) -> Tensor:
        losses = F.cross_entropy(model(batch[0]), batch[1], reduction="none")
        members = F.one_hot(batch[1], 10).float()
        count = members.sum(0).clamp_min(1.0) if cured else members.sum(0)
        return ((losses @ members) / count).mean()

    model = cnn(6, norm=True)
    return Training(model, digits(500), adam(model, 3e-3), balanced, steps=120, batch=24)


@sick("loss.nonfinite", TOO_FAST)
def u_net_with_momentum_at_one(s: Size, cured: bool) -> Training:
    model = Ladder(6)
    return Training(
        model, grainy(300), sgd(model, 0.02 if cured else 1.0, 0.9), squares, steps=120, batch=16
    )


# Overfitting ------------------------------------------------------------------------------------


@sick("loss.overfitting")
def convolutions_on_ninety_digits_some_mislabelled(s: Size, cured: bool) -> Training:
    model = cnn(12)
    return Training(
        model, few(digits(600), 90, 0.35), adam(model, 5e-3), steps=240, batch=30, epoch=6
    )  # fmt: skip


@sick("loss.overfitting")
def word_vectors_for_a_hundred_texts(s: Size, cured: bool) -> Training:
    model = Bag(300, 48, 4)
    data = few(topics(400, words=300, length=10, pure=0.35), 100)
    return Training(model, data, adam(model, 5e-3), steps=300, batch=25, epoch=8)


@sick("loss.overfitting")
def experts_for_eighty_patients(s: Size, cured: bool) -> Training:
    model = Mixture(10, 1, experts=5, width=64)
    return Training(
        model, few(diabetes(), 80), adam(model, 2e-3), squares, steps=500, batch=20, epoch=10
    )


@sick("loss.overfitting")
def lstm_on_sixty_random_sequences(s: Size, cured: bool) -> Training:
    """The labels are those of the task, one in three is wrong."""
    model = Speller(nn.LSTM(24, 48, batch_first=True), 20, 4, each=False)
    data = few(tokens(300), 60, 0.33)
    return Training(model, data, adam(model, 0.01), steps=240, batch=20, epoch=6)
