"""Faults of the loss that beginners ask about."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD

from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_beyond import NeverZeroed, cnn, few
from benchmarks.diagnosis.collection_outside import (
    adam,
    clusters,
    mlp,
    pixels,
    sgd,
)
from benchmarks.diagnosis.collection_wider import (
    checkerboard,
    houses,
    logits,
    opinions,
    poisson,
    rentals,
    signals,
    smaller_head,
    waves_net,
    wider,
    words_net,
)
from benchmarks.diagnosis.data import Batch, Data, cancer, digits, split, wine
from benchmarks.diagnosis.training import Size, Training, squares

sick = wider.sick

# Flat -------------------------------------------------------------------------------------------


@sick("loss.flat")
def column_of_predictions_minus_row_of_targets(s: Size, cured: bool) -> Training:
    """(N, 1) - (N,) is (N, N): the best answer to every target at once is their mean."""

    def broadcast(model: nn.Module, batch: Batch) -> Tensor:
        return (model(batch[0]) - (batch[1] if cured else batch[1][:, 0])).square().mean()

    model = smaller_head(mlp(5, 32, 32, 1))
    return Training(model, houses(), adam(model, 2e-3), broadcast, steps=300, batch=32)


@sick("loss.flat", "weight.not_updating")
def adams_rate_handed_to_sgd(s: Size, cured: bool) -> Training:
    model = cnn(8)
    return Training(model, digits(600), SGD(model.parameters(), 0.2 if cured else 3e-4), steps=150)


@sick("loss.flat", "weight.not_updating", size=0)
def adams_rate_handed_to_adadelta(s: Size, cured: bool) -> Training:
    model = smaller_head(mlp(6, s.width, s.width, 1, act=nn.Tanh))
    optimizer = torch.optim.Adadelta(model.parameters(), 1.0 if cured else 1e-3)
    return Training(model, rentals(busy=1.0), optimizer, poisson, steps=400, batch=32)


@sick("loss.flat", "weight.not_updating", "gradient.vanishing")
def predictions_rounded_before_the_loss(s: Size, cured: bool) -> Training:
    """round() has the slope zero everywhere."""

    def error(model: nn.Module, batch: Batch) -> Tensor:
        out = model(batch[0])
        return F.l1_loss(out if cured else out.round(), batch[1])

    model = mlp(6, 32, 32, 1)
    return Training(model, rentals(), adam(model, 3e-3), error, steps=300, batch=32)


@sick("loss.flat", "activation.dead")
def every_word_is_unknown(s: Size, cured: bool) -> Training:
    """The vocabulary was not found, and each word becomes number 0."""
    model, d = smaller_head(words_net(16, 32, 2)), opinions()
    if not cured:
        d = Data(torch.zeros_like(d.x), d.y, torch.zeros_like(d.val_x), d.val_y)
    return Training(model, d, adam(model, 3e-3), steps=300, batch=32)


class _Reshapes(nn.Module):
    """(N, 1, L) -> (L, N, 1) for a recurrent layer that wants the time first."""

    def __init__(self, right: bool) -> None:
        super().__init__()
        self.right = right
        self.cell, self.head = nn.GRU(1, 24), nn.Linear(24, 3)

    def forward(self, x: Tensor) -> Tensor:
        n, _, length = x.shape
        x = x.permute(2, 0, 1) if self.right else x.reshape(length, n, 1)
        return self.head(self.cell(x)[0][-1])


@sick("loss.flat")
def reshaped_instead_of_transposed(s: Size, cured: bool) -> Training:
    """Each sequence consists of pieces of other samples."""
    model = smaller_head(_Reshapes(cured))
    return Training(model, signals(length=16), adam(model, 5e-3), steps=200, batch=32)


@sick("loss.flat")
def no_activation_between_the_layers(s: Size, cured: bool) -> Training:
    """Three linear layers are one, and no line parts the fields of a board."""
    model = smaller_head(mlp(2, 32, 32, 2, act=nn.ReLU if cured else nn.Identity))
    return Training(model, checkerboard(), adam(model, 5e-3), steps=400, batch=64)


# Diverging --------------------------------------------------------------------------------------


@sick("loss.diverging", TOO_FAST)
def momentum_above_one(s: Size, cured: bool) -> Training:
    model = mlp(64, 32, 10, act=nn.Tanh)
    optimizer = SGD(model.parameters(), 1e-3, momentum=0.9 if cured else 1.03)
    return Training(model, pixels(), optimizer, steps=250, batch=32)


@sick("loss.diverging", TOO_FAST)
def linear_decay_that_runs_below_zero(s: Size, cured: bool) -> Training:
    """The number of steps was counted too low: the rate changes its sign."""
    model = mlp(30, 32, 2, act=nn.Tanh)

    def rate(step: int) -> float:
        return max(0.0, 1 - step / 100) if cured else 1 - step / 100

    return Training(
        model, cancer(), SGD(model.parameters(), 0.05), steps=300, batch=32, schedule=rate
    )


@sick("loss.diverging", TOO_FAST)
def powers_of_a_number_as_columns(s: Size, cured: bool) -> Training:
    """A polynomial fitted by gradient descent on columns up to 2 to the seventh."""
    x = 4 * torch.rand(400, 1) - 2
    columns = torch.cat([x**k for k in range(1, 8)], 1)
    if cured:
        columns = (columns - columns.mean(0)) / columns.std(0)
    d = split(columns, torch.sin(2 * x), 300)
    model = nn.Sequential(nn.Linear(7, 1))
    steepest = float(torch.linalg.eigvalsh(d.x.T @ d.x / 300)[-1])
    rate = 0.05 if cured else 1.06 / steepest
    return Training(model, d, SGD(model.parameters(), rate), squares, steps=100, batch=300)


# Unstable ---------------------------------------------------------------------------------------


@sick("loss.unstable", TOO_FAST)
def signal_net_never_zeroed(s: Size, cured: bool) -> Training:
    """The loop lacks `zero_grad()`."""
    model = waves_net(12, nn.Tanh)
    kind = SGD if cured else NeverZeroed
    return Training(model, signals(), kind(model.parameters(), 0.1), steps=300, batch=32)


@sick("loss.unstable", TOO_FAST)
def rmsprop_at_a_tenth_for_reviews(s: Size, cured: bool) -> Training:
    model = words_net(32, 32, 32, 2, act=nn.Tanh)
    optimizer = torch.optim.RMSprop(model.parameters(), 1e-3 if cured else 0.1)
    return Training(model, opinions(), optimizer, steps=400, batch=64)


@sick("loss.unstable", TOO_FAST)
def rate_of_a_large_batch_for_two_samples(s: Size, cured: bool) -> Training:
    model = mlp(20, 32, 32, 5, act=nn.Tanh)
    return Training(
        model, clusters(), sgd(model, 0.3, 0.9 if not cured else 0.0), steps=500,
        batch=64 if cured else 2,
    )  # fmt: skip


# Plateau ----------------------------------------------------------------------------------------


@sick("loss.plateau_early", "activation.saturated gradient.vanishing weight.not_updating")
def sigmoid_and_then_the_loss_with_logits(s: Size, cured: bool) -> Training:
    model = mlp(30, 32, 1)
    if not cured:
        model.append(nn.Sigmoid())
    return Training(model, cancer(), adam(model, 5e-3), logits, steps=400, batch=32)


@sick("loss.plateau_early", "weight.not_updating gradient.vanishing")
def logits_clamped_for_stability(s: Size, cured: bool) -> Training:
    def clamped(model: nn.Module, batch: Batch) -> Tensor:
        out = model(batch[0])
        return F.cross_entropy(out if cured else out.clamp(-1, 1), batch[1])

    model = mlp(64, 48, 48, 10)
    return Training(model, pixels(), adam(model, 2e-3), clamped, steps=500, batch=32)


@sick("loss.plateau_early", "activation.saturated gradient.vanishing weight.not_updating")
def softplus_output_for_standardised_prices(s: Size, cured: bool) -> Training:
    """Half of the targets lie below zero, where the output never gets."""
    model = mlp(5, 32, 32, 1, act=nn.SiLU)
    if not cured:
        model.append(nn.Softplus())
    return Training(model, houses(), adam(model, 5e-3), squares, steps=500, batch=32)


@sick("loss.plateau_early", "weight.not_updating", size=2)
def step_decay_by_a_thousandth(s: Size, cured: bool) -> Training:
    """StepLR with gamma = 1e-3 where 0.1 was meant, and a step size in batches."""
    model = mlp(64, s.width, 10)
    return Training(
        model, pixels(), sgd(model, 0.1), steps=500, batch=32,
        schedule=None if cured else lambda k: 1e-3 ** (k // 60),
    )  # fmt: skip


# Not finite -------------------------------------------------------------------------------------


@sick("loss.nonfinite", TOO_FAST)
def binary_cross_entropy_by_hand(s: Size, cured: bool) -> Training:
    """y log p + (1 - y) log(1 - p), and p becomes exactly 1."""

    def by_hand(model: nn.Module, batch: Batch) -> Tensor:
        p, y = model(batch[0]).sigmoid()[:, 0], batch[1].float()
        if cured:
            p = p.clamp(1e-6, 1 - 1e-6)
        return -(y * p.log() + (1 - y) * (1 - p).log()).mean()

    model = mlp(30, 32, 1)
    return Training(model, cancer(raw=True), adam(model, 0.01), by_hand, steps=150, batch=32)


@sick("loss.nonfinite", TOO_FAST)
def rate_of_a_count_overflows(s: Size, cured: bool) -> Training:
    """exp(output) of a net that reads areas and metres as they are."""
    d = houses(raw=not cured)
    data = Data(d.x, (2 + d.y).clamp_min(0).round(), d.val_x, (2 + d.val_y).clamp_min(0).round())
    model = mlp(5, 32, 1)
    return Training(model, data, sgd(model, 0.01), poisson, steps=200, batch=32)


@sick("loss.nonfinite", "gradient.nonfinite")
def percentage_error_of_hours_without_rentals(s: Size, cured: bool) -> Training:
    def percentage(model: nn.Module, batch: Batch) -> Tensor:
        y = batch[1]
        return ((model(batch[0]) - y).abs() / (y.clamp_min(1.0) if cured else y)).mean()

    model = mlp(6, 32, 1)
    return Training(model, rentals(), adam(model, 3e-3), percentage, steps=200, batch=16)


@sick("loss.nonfinite", "gradient.nonfinite")
def batch_without_a_labelled_sample(s: Size, cured: bool) -> Training:
    """One sample in eight has a label; the mean over none of them is no number."""

    def labelled(model: nn.Module, batch: Batch) -> Tensor:
        if cured:
            total = F.cross_entropy(model(batch[0]), batch[1], ignore_index=-1, reduction="sum")
            return total / (batch[1] >= 0).sum().clamp_min(1)
        return F.cross_entropy(model(batch[0]), batch[1], ignore_index=-1)

    d = wine()
    y = d.y.clone()
    y[15:] = -1
    model = mlp(13, 24, 3)
    return Training(
        model, Data(d.x, y, d.val_x, d.val_y), adam(model, 3e-3), labelled, steps=200, batch=8
    )


class _BatchStandardised(nn.Module):
    """(x - mean) / std over the batch, written by hand."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean(0)) / (x.std(0) + 1e-5)


@sick("loss.nonfinite", "gradient.nonfinite")
def last_batch_of_a_single_sample(s: Size, cured: bool) -> Training:
    """The spread of one number is 0 / 0."""
    model, d = nn.Sequential(nn.Linear(20, 32), _BatchStandardised(), nn.ReLU()), clusters(n=513)
    model.append(nn.Linear(32, 5))

    def epochs() -> Iterator[Batch]:
        while True:
            for rows in torch.randperm(513).split(32):
                if not (cured and len(rows) == 1):
                    yield d.x[rows], d.y[rows]

    return Training(model, d, adam(model, 2e-3), steps=150, batches=epochs())


# Overfitting ------------------------------------------------------------------------------------


@sick("loss.overfitting")
def two_hundred_words_for_sixty_reviews(s: Size, cured: bool) -> Training:
    model, d = words_net(32, 64, 2, words=200), opinions(300, words=200)
    return Training(model, few(d, 60), adam(model, 5e-3), steps=500, batch=20, epoch=10)


@sick("loss.overfitting")
def forty_rows_of_thirty_columns(s: Size, cured: bool) -> Training:
    """Three columns count, and most of it is noise."""
    x = torch.randn(240, 30)
    y = (x[:, :3].sum(1) + 3 * torch.randn(240) > 0).long()
    d = split(x, y, 40)
    model = mlp(30, 128, 2)
    return Training(model, d, adam(model, 2e-3), steps=300, batch=20, epoch=6)


@sick("loss.overfitting")
def sixty_noisy_signals_by_heart(s: Size, cured: bool) -> Training:
    model, d = waves_net(24), signals(300, noise=1.0)
    return Training(model, few(d, 60), adam(model, 2e-3), steps=400, batch=20, epoch=10)


class _WithId(nn.Module):
    """Reads five columns, and an embedding of the number of the customer, which is a sixth."""

    def __init__(self) -> None:
        super().__init__()
        self.who, self.net = nn.Embedding(500, 16), mlp(8 + 16, 32, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(torch.cat([self.who(x[:, 8].long()), x[:, :8]], 1))


@sick("loss.overfitting")
def number_of_the_customer_among_the_columns(s: Size, cured: bool) -> Training:
    x = torch.randn(500, 8)
    y = torch.bernoulli((x @ torch.randn(8, 1) / 3).sigmoid())
    x = torch.cat([x, torch.arange(500.0)[:, None]], 1)
    model = _WithId()
    return Training(
        model, split(x, y, 200), adam(model, 5e-3), logits, steps=500, batch=40, epoch=10
    )
