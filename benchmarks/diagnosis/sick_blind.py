"""The split "blind": common faults in the nets of everyday notebooks, two of each code."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_beyond import Lambda, cnn
from benchmarks.diagnosis.collection_fresh import Fresh, exploding
from benchmarks.diagnosis.collection_last import Bag, Speller, each_parameter, topics
from benchmarks.diagnosis.collection_outside import Recurrent, adam, clusters, he, mlp, pixels
from benchmarks.diagnosis.collection_outside import sgd as descent
from benchmarks.diagnosis.collection_wider import houses
from benchmarks.diagnosis.data import Batch, Data, diabetes, digits, split, wine
from benchmarks.diagnosis.training import Size, Training, cross_entropy, rebuild, squares

blind = Fresh("blind")
sick = blind.sick


def series(n: int = 600, length: int = 16, *, noise: float = 0.1, flat: bool = True) -> Data:
    """Windows of a load with a daily and a weekly course; the target is the next value."""
    time = torch.arange(n + 300 + length).float()
    daily = torch.sin(2 * math.pi * time / 12 + 6 * torch.rand(()))
    load = daily + 0.6 * torch.sin(2 * math.pi * time / 31) + noise * torch.randn_like(time)
    windows = ((load - load.mean()) / load.std()).unfold(0, length + 1, 1)[: n + 300]
    windows = windows[torch.randperm(len(windows))]
    x, y = windows[:, :length].contiguous(), windows[:, length:].contiguous()
    return split(x if flat else x[..., None], y, n)


def reader(width: int = 24, classes: int = 4, words: int = 60) -> Speller:
    """A text classifier: embedding, GRU, a head on the last state."""
    return Speller(nn.GRU(width, width, batch_first=True), words, classes, each=False)


def wine_rebuilt(n: int = 120) -> Data:
    d = wine()
    return Data(d.x, d.x, d.val_x, d.val_x)


# Loss -------------------------------------------------------------------------------------------


@sick("loss.flat", "weight.not_updating gradient.vanishing activation.dead")
def dropout_with_a_probability_of_one(s: Size, cured: bool) -> Training:
    """p was taken for the share that is kept."""
    drop = nn.Dropout(0.1 if cured else 1.0)
    model = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), drop, nn.Linear(48, 5))
    return Training(model, clusters(), adam(model, 2e-3), steps=300, batch=32)


@sick("loss.flat", "weight.not_updating")
def label_smoothing_typed_as_one(s: Size, cured: bool) -> Training:
    model = cnn(8)

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(net(batch[0]), batch[1], label_smoothing=0.1 if cured else 1.0)

    return Training(
        model, digits(600), descent(model, 0.1), loss, steps=250, whole=cross_entropy
    )  # fmt: skip


@sick("loss.diverging", TOO_FAST)
def autoregression_beyond_its_edge(s: Size, cured: bool) -> Training:
    model = nn.Sequential(nn.Linear(16, 1))
    return Training(
        model, series(), descent(model, 0.03 if cured else EDGE), squares, steps=150, batch=600
    )


EDGE = 0.17


@sick("loss.diverging", "activation.saturated", TOO_FAST)
def update_of_a_text_net_with_a_plus(s: Size, cured: bool) -> Training:
    model = reader()

    def turn(net: nn.Module, step: int) -> None:
        for p in net.parameters():
            if p.grad is not None:
                p.grad.neg_()

    return Training(
        model, topics(), descent(model, 0.2), steps=300, before_step=None if cured else turn
    )


@sick("loss.unstable", TOO_FAST)
def tabular_net_by_rmsprop_at_a_fifth(s: Size, cured: bool) -> Training:
    model = mlp(20, 64, 64, 5)
    optimizer = torch.optim.RMSprop(model.parameters(), 1e-3 if cured else 0.2)
    return Training(model, clusters(flip=0.1), optimizer, steps=400, batch=32)


@sick("loss.unstable", TOO_FAST)
def forecast_by_a_gru_and_adam_at_one(s: Size, cured: bool) -> Training:
    model = Recurrent(nn.GRU(1, 24, batch_first=True), 1)
    return Training(
        model, series(flat=False), adam(model, 5e-3 if cured else 1.0), squares, steps=300
    )


@sick("loss.plateau_early", "weight.not_updating")
def cosine_to_zero_after_a_twentieth(s: Size, cured: bool) -> Training:
    """T_max counts epochs, the scheduler counts batches."""
    model = cnn(8, norm=True)
    total = 400 if cured else 25

    def cosine(step: int) -> float:
        return 0.5 * (1 + math.cos(math.pi * min(step, total) / total))

    return Training(model, digits(600), adam(model, 3e-3), steps=400, schedule=cosine)


@sick("loss.plateau_early", "weight.not_updating")
def decay_of_a_text_net_stepped_per_batch(s: Size, cured: bool) -> Training:
    model = reader()
    return Training(
        model, topics(pure=0.8), adam(model, 5e-3), steps=300,
        schedule=None if cured else lambda step: 0.93**step,
    )  # fmt: skip


@sick("loss.nonfinite", "activation.saturated loss.flat weight.not_updating", TOO_FAST)
def sales_of_closed_days_in_logarithms(s: Size, cured: bool) -> Training:
    """The target is log(sales), and on some days nothing was sold."""
    data = houses()
    y = data.y.exp()
    y[torch.rand(len(y)) < 0.02] = 1.0 if cured else 0.0
    model = mlp(5, 32, 1)
    data = Data(data.x, y.log(), data.val_x, data.val_y)
    return Training(model, data, adam(model, 3e-3), squares, steps=200)


@sick("loss.nonfinite", "activation.saturated loss.flat weight.not_updating", TOO_FAST)
def sensor_windows_with_missing_readings(s: Size, cured: bool) -> Training:
    data = series(flat=False)
    holes = torch.rand(data.x.shape) < 0.0005
    x = data.x.masked_fill(holes, 0.0 if cured else math.nan)
    model = Recurrent(nn.LSTM(1, 24, batch_first=True), 1)
    data = Data(x, data.y, data.val_x, data.val_y)
    return Training(model, data, adam(model, 5e-3), squares, steps=250)


@sick("loss.overfitting")
def wide_tabular_net_on_seventy_rows(s: Size, cured: bool) -> Training:
    model = mlp(20, 128, 128, 5)
    return Training(model, clusters(70, flip=0.3), adam(model, 2e-3), steps=400, batch=14, epoch=10)


@sick("loss.overfitting")
def text_net_on_sixty_vague_texts(s: Size, cured: bool) -> Training:
    model = reader(32)
    return Training(model, topics(60, pure=0.2), adam(model, 5e-3), steps=320, batch=15, epoch=8)


# Gradient ---------------------------------------------------------------------------------------


@sick("gradient.vanishing", "loss.flat loss.plateau_early weight.not_updating")
def forecaster_of_eight_sigmoid_layers(s: Size, cured: bool) -> Training:
    model = mlp(16, *[32] * 8, 1, act=nn.ReLU if cured else nn.Sigmoid)
    if cured:
        he(model)
    return Training(model, series(), descent(model, 0.02), squares, steps=300)


@sick("gradient.vanishing", "loss.flat loss.plateau_early weight.not_updating")
def table_of_columns_behind_seven_sigmoids(s: Size, cured: bool) -> Training:
    model = mlp(20, *[48] * 7, 5, act=nn.Tanh if cured else nn.Sigmoid)
    return Training(model, clusters(), descent(model, 0.05, 0.9), steps=300)


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def heavy_momentum_beyond_the_edge_on_houses(s: Size, cured: bool) -> Training:
    model = nn.Sequential(nn.Linear(5, 1))
    return Training(
        model, houses(), descent(model, 0.05 if cured else 2.2, 0.9), squares, steps=150, batch=600
    )


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def imputer_of_wines_beyond_its_edge(s: Size, cured: bool) -> Training:
    """A linear net fills in the cells that were blanked."""
    model = nn.Linear(13, 13)

    def blank(batch: Batch, number: int) -> Batch:
        return batch[0] * (torch.rand_like(batch[0]) > 0.1), batch[1]

    return Training(
        model, wine_rebuilt(), descent(model, 0.5 if cured else 4.0), squares, steps=120,
        batch=120, corrupt=blank,
    )  # fmt: skip


@sick("gradient.nonfinite", "loss.flat weight.not_updating", TOO_FAST)
def softplus_by_hand_behind_a_where(s: Size, cured: bool) -> Training:
    """The branch not chosen overflows, and its gradient is infinite times zero."""

    def positive(x: Tensor) -> Tensor:
        return F.softplus(x) if cured else torch.where(x > 20, x, torch.log1p(torch.exp(x)))

    model = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1), Lambda(positive))
    return Training(model, houses(prices=True), adam(model, 0.05), squares, steps=250)


@sick("gradient.nonfinite", "loss.flat weight.not_updating", TOO_FAST)
def unit_vectors_of_texts_with_an_empty_one(s: Size, cured: bool) -> Training:
    data = topics()
    data.x[torch.rand(len(data.x)) < 0.02] = 0

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(60, 24, padding_idx=0)
            self.mix, self.head = nn.Linear(24, 24, bias=False), mlp(24, 32, 4)

        def forward(self, x: Tensor) -> Tensor:
            h = self.mix(self.table(x).mean(1))
            square = h.square().sum(1, keepdim=True)
            length = (square + 1e-6).sqrt() if cured else square.sqrt() + 1e-6
            return self.head(h / length)

    model = Net()
    return Training(model, data, adam(model, 5e-3), steps=250)


@sick("gradient.none")
def attention_of_a_text_net_built_and_not_called(s: Size, cured: bool) -> Training:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(60, 24), nn.Linear(24, 4)
            self.gru = nn.GRU(24, 24, batch_first=True)
            self.attention = nn.Linear(24, 1)

        def forward(self, x: Tensor) -> Tensor:
            h = self.gru(self.table(x))[0]
            if not cured:
                return self.head(h.mean(1))
            return self.head((self.attention(h).softmax(1) * h).sum(1))

    model = Net()
    return Training(model, topics(), adam(model, 3e-3), steps=200)


@sick("gradient.none")
def trend_of_a_forecaster_overwritten(s: Size, cured: bool) -> Training:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trend, self.season = nn.Linear(16, 1), mlp(16, 32, 1)

        def forward(self, x: Tensor) -> Tensor:
            out = self.trend(x)
            season = self.season(x)
            return out + season if cured else season

    model = Net()
    return Training(model, series(), adam(model, 3e-3), squares, steps=200)


# Units ------------------------------------------------------------------------------------------

NO_SIGNAL = "loss.flat gradient.vanishing gradient.none weight.not_updating loss.plateau_early"


@sick("activation.dead", NO_SIGNAL)
def rectifier_behind_the_log_softmax(s: Size, cured: bool) -> Training:
    tail: list[nn.Module] = [nn.LogSoftmax(1)] if cured else [nn.LogSoftmax(1), nn.ReLU()]
    model = nn.Sequential(nn.Linear(13, 32), nn.Tanh(), nn.Linear(32, 3), *tail)

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        return F.nll_loss(net(batch[0]), batch[1])

    return Training(model, wine(), descent(model, 0.1), loss, steps=200, batch=16)


@sick("activation.dead", NO_SIGNAL, TOO_FAST)
def prices_by_adam_at_one_silence_the_rectifiers(s: Size, cured: bool) -> Training:
    model = mlp(5, 64, 64, 1)
    optimizer = adam(model, 1e-4 if cured else 1.0)
    return Training(model, houses(prices=True), optimizer, squares, steps=300)


@sick("activation.saturated", NO_SIGNAL, TOO_FAST)
def megawatts_unscaled_into_a_tanh_net(s: Size, cured: bool) -> Training:
    data, scale = series(), 1.0 if cured else 400.0
    data = Data(scale * (data.x + 2), data.y, scale * (data.val_x + 2), data.val_y)
    model = mlp(16, 32, 32, 1, act=nn.Tanh)
    return Training(model, data, descent(model, 0.015), squares, steps=400)


@sick("activation.saturated", NO_SIGNAL, "gradient.exploding")
def sigmoid_net_on_pixels_up_to_a_thousand(s: Size, cured: bool) -> Training:
    model = mlp(64, 12, 12, 10, act=nn.Sigmoid)
    data = pixels(scale=1 / 16 if cured else 64.0)
    return Training(model, data, adam(model, 5e-3), steps=400)


# Weights ----------------------------------------------------------------------------------------


@sick("weight.exploding", "loss.unstable activation.dead", TOO_FAST)
def squares_of_weights_subtracted_in_a_cnn(s: Size, cured: bool) -> Training:
    model = cnn(8)

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        squared = torch.stack([p.square().sum() for p in net.parameters()]).sum()
        return cross_entropy(net, batch) + (0.0005 if cured else -0.1) * squared

    return Training(
        model, digits(600), descent(model, 0.1), loss, steps=250, whole=cross_entropy
    )  # fmt: skip


@sick("weight.exploding", TOO_FAST)
def decay_by_hand_with_a_minus_in_a_text_net(s: Size, cured: bool) -> Training:
    model = reader()

    def decay(net: nn.Module, step: int) -> None:
        for p in net.parameters():
            if p.grad is not None:
                p.grad.add_(p.detach(), alpha=0.001 if cured else -0.1)

    return Training(model, topics(), descent(model, 0.2), steps=300, before_step=decay)


@sick("weight.collapsing", NO_SIGNAL, "weight.update_too_large activation.dead")
def text_net_with_a_decay_of_forty(s: Size, cured: bool) -> Training:
    model = reader()
    optimizer = torch.optim.AdamW(
        model.parameters(), 3e-3, weight_decay=0.01 if cured else 40.0
    )  # fmt: skip
    return Training(model, topics(), optimizer, steps=300)


@sick("weight.collapsing", NO_SIGNAL, "weight.update_too_large activation.dead")
def rows_held_to_a_length_of_a_hundredth(s: Size, cured: bool) -> Training:
    """A max-norm constraint with a typo."""

    def hold(p: Tensor) -> object:
        return p.copy_(torch.renorm(p, 2, 0, 3.0 if cured else 0.01))

    model = mlp(20, 48, 48, 5)
    return Training(
        model, clusters(), adam(model, 2e-3), steps=300, after_step=each_parameter(hold)
    )


@sick("weight.not_updating", "loss.flat")
def tabular_net_with_adamw_at_a_billionth(s: Size, cured: bool) -> Training:
    model = mlp(10, 32, 32, 1)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3 if cured else 1e-9)
    return Training(model, diabetes(), optimizer, squares, steps=300)


@sick("weight.not_updating", "gradient.exploding loss.plateau_early")
def middle_of_an_autoencoder_not_handed_over(s: Size, cured: bool) -> Training:
    model = mlp(13, 24, 6, 24, 13, act=nn.Tanh)
    handed = [*model[0].parameters(), *model[4].parameters(), *model[6].parameters()]
    handed += [*model[2].parameters()] if cured else []
    optimizer = torch.optim.Adam(handed, 3e-3)
    return Training(model, wine_rebuilt(), optimizer, rebuild, steps=300, batch=24)


@sick("weight.update_too_large", "loss.flat", TOO_FAST)
def autoencoder_of_wines_with_adamw_at_a_half(s: Size, cured: bool) -> Training:
    model = mlp(13, 32, 6, 32, 13, act=nn.Tanh)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3 if cured else 0.5)
    return Training(model, wine_rebuilt(), optimizer, rebuild, steps=300, batch=24)


@sick("weight.update_too_large", "loss.flat", TOO_FAST)
def bag_of_topics_with_rmsprop_at_a_half(s: Size, cured: bool) -> Training:
    model = Bag(60, 24, 4, nn.Tanh)
    optimizer = torch.optim.RMSprop(model.parameters(), 1e-3 if cured else 0.5)
    return Training(model, topics(), optimizer, steps=300)
