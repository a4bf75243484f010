"""The split "final", its sick half: one clear fault each, as one would plant it to test a tool."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, AdamW

from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_beyond import Lambda, cnn, few, resnet
from benchmarks.diagnosis.collection_fresh import Fresh, exploding
from benchmarks.diagnosis.collection_outside import (
    Reader,
    Recurrent,
    adam,
    clusters,
    drawn,
    friedman,
    he,
    mlp,
    moons,
    pixels,
    sgd,
    spelled,
    sums,
)
from benchmarks.diagnosis.data import Batch, Data, cancer, diabetes, digits, text, tokens, wine
from benchmarks.diagnosis.training import Size, Training, rebuild, squares

sick = Fresh("final").sick

STILL = "loss.flat loss.plateau_early weight.not_updating"
STUCK = STILL + " gradient.vanishing"


def each_step(change: Callable[[Tensor], object]) -> Callable[[nn.Module, int], None]:
    """Does something in place to every weight matrix, without a gradient."""

    def apply(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for p in model.parameters():
                if p.ndim > 1:
                    change(p)

    return apply


def each_gradient(change: Callable[[Tensor], object]) -> Callable[[nn.Module, int], None]:
    def apply(model: nn.Module, step: int) -> None:
        for p in model.parameters():
            if p.grad is not None:
                change(p.grad)

    return apply


# Flat, or not moving ----------------------------------------------------------------------------


@sick("loss.flat", STILL)
def rate_of_a_millionth_for_an_mlp(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10)
    return Training(model, pixels(), sgd(model, 0.1 if cured else 1e-6, 0.9), steps=250)


@sick("loss.flat", STILL)
def gradients_clipped_to_a_ten_millionth(s: Size, cured: bool) -> Training:
    model = cnn(8)
    tight = each_gradient(lambda g: g.clamp_(-1e-7, 1e-7))
    return Training(
        model, digits(600), sgd(model, 0.1, 0.9), steps=150, before_step=None if cured else tight
    )


@sick("loss.flat", STILL)
def lstm_with_a_loss_divided_twice(s: Size, cured: bool) -> Training:
    """The mean is divided by the size of the data set, and by that of the batch once more."""

    def reduced(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1]) / (1 if cured else 1200 * 32)

    model = Recurrent(nn.LSTM(8, 32, batch_first=True), 10)
    d = digits()
    data = Data(d.x.squeeze(1), d.y, d.val_x.squeeze(1), d.val_y)
    return Training(model, data, sgd(model, 0.3, 0.9), reduced, steps=250)


@sick("weight.not_updating", STILL)
def residual_net_with_adam_at_a_billionth(s: Size, cured: bool) -> Training:
    model = resnet(8, 2)
    return Training(model, digits(600), adam(model, 3e-3 if cured else 1e-9), steps=120)


@sick("weight.not_updating", "loss.plateau_early")
def only_the_head_of_a_cnn_in_the_optimizer(s: Size, cured: bool) -> Training:
    model = cnn(12)
    part = model if cured else model[-1]
    return Training(model, digits(600), AdamW(part.parameters(), 3e-3), steps=150)


@sick("weight.not_updating", "loss.plateau_early")
def encoder_missing_from_the_optimizer(s: Size, cured: bool) -> Training:
    encoder, decoder = mlp(64, 48, 12), mlp(12, 48, 64)
    model = nn.Sequential(encoder, nn.ReLU(), decoder)
    part = model if cured else decoder
    return Training(model, pixels(), torch.optim.Adam(part.parameters(), 3e-3), rebuild, steps=300)


# Diverging, unstable ----------------------------------------------------------------------------


@sick("loss.diverging", TOO_FAST)
def six_columns_regressed_beyond_the_stable_rate(s: Size, cured: bool) -> Training:
    d, model = diabetes(), nn.Sequential(nn.Linear(6, 1))
    mean = d.x[:, :6].mean(0)
    data = Data(d.x[:, :6] - mean, d.y + d.x[:, :1], d.val_x[:, :6] - mean, d.val_y)
    rate = 0.05 if cured else 0.48
    return Training(model, data, sgd(model, rate), squares, steps=120, batch=320)


@sick("loss.diverging", TOO_FAST)
def cnn_that_climbs(s: Size, cured: bool) -> Training:
    """The sign of every gradient is turned before the step."""
    model = cnn(8)
    turned = each_gradient(torch.Tensor.neg_)
    return Training(
        model, digits(600), sgd(model, 0.03), steps=150, before_step=None if cured else turned
    )


@sick("loss.unstable", TOO_FAST, "gradient.vanishing")
def digits_with_heavy_momentum_at_a_rate_of_two(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 10, act=nn.Tanh)
    return Training(model, pixels(), sgd(model, 0.02 if cured else 2.0, 0.9), steps=400)


@sick("loss.unstable", TOO_FAST, "gradient.vanishing")
def breast_cancer_with_adam_at_one(s: Size, cured: bool) -> Training:
    model = mlp(30, 32, 2, act=nn.Tanh)
    return Training(model, cancer(), adam(model, 2e-3 if cured else 1.0), steps=300, batch=16)


# Plateau ----------------------------------------------------------------------------------------


@sick("loss.plateau_early", "weight.not_updating")
def step_lr_called_in_the_inner_loop(s: Size, cured: bool) -> Training:
    """A tenth every thirty epochs becomes a tenth every thirty batches."""
    model = mlp(64, 48, 10, act=nn.GELU)
    drop = None if cured else lambda k: 0.1 ** (k // 30)
    return Training(model, pixels(), AdamW(model.parameters(), 3e-3), steps=300, schedule=drop)


@sick("loss.plateau_early", TOO_FAST, "gradient.vanishing")
def language_model_with_adam_at_one_half(s: Size, cured: bool) -> Training:
    model = nn.Sequential(
        nn.Embedding(24, 24), Recurrent(nn.GRU(24, 32, batch_first=True), 24, each=True)
    )
    rate = 5e-3 if cured else 0.5
    return Training(model, text(256, 12), adam(model, rate), spelled, steps=250)


# Not finite -------------------------------------------------------------------------------------


@sick("loss.nonfinite", TOO_FAST)
def cross_entropy_written_with_log_of_sigmoid(s: Size, cured: bool) -> Training:
    """Raw measurements in the thousands: the sigmoid is exactly 0 or 1, and log(0) follows."""

    def by_hand(model: nn.Module, batch: Batch) -> Tensor:
        p, y = model(batch[0])[:, 0].sigmoid(), batch[1].float()
        return -(y * p.log() + (1 - y) * (1 - p).log()).mean()

    model = mlp(30, 32, 1)
    return Training(model, cancer(raw=not cured), sgd(model, 0.01), by_hand, steps=150)


@sick("loss.nonfinite", "gradient.nonfinite")
def rows_divided_by_their_length(s: Size, cured: bool) -> Training:
    """Some rows are all zero, and zero by zero is no number."""
    d, model = pixels(), mlp(64, 48, 10)
    x = d.x.clone()
    x[::40] = 0.0
    length = x.square().sum(1, keepdim=True).sqrt() + (1e-6 if cured else 0.0)
    return Training(model, Data(x / length, d.y, d.val_x, d.val_y), adam(model, 3e-3), steps=200)


class _Weighted(nn.Module):
    """A function of the inputs, each times a weight that is learned."""

    def __init__(self, n: int, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.weight, self.function = nn.Parameter(torch.ones(n)), function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.weight * x)


@sick("gradient.nonfinite", "loss.nonfinite")
def root_behind_a_rectifier(s: Size, cured: bool) -> Training:
    """sqrt(w * relu(x)): where the unit is silent, zero times infinity comes back."""
    root = _Weighted(48, lambda h: (h + (1e-4 if cured else 0.0)).sqrt())
    model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), root, nn.Linear(48, 10))
    return Training(model, pixels(), adam(model, 1e-3), steps=200)


@sick("gradient.nonfinite", "loss.nonfinite")
def own_batch_norm_with_eps_beside_the_root(s: Size, cured: bool) -> Training:
    """The spread of a white pixel is zero; its slope is zero by zero, in spite of the eps."""

    def normed(h: Tensor) -> Tensor:
        var = h.var(0, correction=0)
        return (h - h.mean(0)) / ((var + 1e-3).sqrt() if cured else var.sqrt() + 1e-3)

    model = nn.Sequential(_Weighted(64, normed), mlp(64, 48, 10))
    return Training(model, pixels(), sgd(model, 0.02), steps=200)


# Overfitting ------------------------------------------------------------------------------------


@sick("loss.overfitting")
def cnn_on_seventy_digits_with_labels_redrawn(s: Size, cured: bool) -> Training:
    model, data = cnn(24), few(digits(), 70, 0.4)
    return Training(model, data, adam(model, 3e-3), steps=240, batch=14, epoch=5)


@sick("loss.overfitting")
def labels_shuffled_for_two_hundred_rows(s: Size, cured: bool) -> Training:
    model, data = mlp(20, 128, 128, 4), clusters(200, 4)
    data.y = data.y[torch.randperm(200)]
    return Training(model, data, adam(model, 2e-3), steps=400, batch=20, epoch=10)


@sick("loss.overfitting")
def sixty_noisy_rows_for_a_regression_net(s: Size, cured: bool) -> Training:
    model, data = mlp(10, 128, 128, 1), friedman(60, noise=3.0)
    return Training(model, data, adam(model, 2e-3), squares, steps=500, batch=15, epoch=8)


@sick("loss.overfitting")
def transformer_on_fifty_mislabelled_rows(s: Size, cured: bool) -> Training:
    model, data = Reader(20, 8, 4, width=32, depth=2, pre=True), few(tokens(100), 50, 0.6)
    return Training(model, data, adam(model, 1e-3), steps=250, batch=10, epoch=5)


# Vanishing, exploding ---------------------------------------------------------------------------


@sick("gradient.vanishing", STUCK)
def eight_sigmoid_layers_regress_with_adam(s: Size, cured: bool) -> Training:
    model = mlp(10, *[32] * 8, 1, act=nn.LeakyReLU if cured else nn.Sigmoid)
    return Training(
        he(model) if cured else model, friedman(), adam(model, 1e-3), squares, steps=300
    )


@sick("gradient.vanishing", STUCK)
def ten_sigmoid_layers_for_breast_cancer(s: Size, cured: bool) -> Training:
    model = mlp(30, *[32] * 9, 2, act=nn.ReLU if cured else nn.Sigmoid)
    return Training(he(model) if cured else model, cancer(), sgd(model, 0.03), steps=300)


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def plain_rnn_over_sixty_steps_without_clipping(s: Size, cured: bool) -> Training:
    cell = nn.RNN(2, 32, nonlinearity="relu", batch_first=True)
    with torch.no_grad():
        nn.init.eye_(cell.weight_hh_l0).mul_(0.8 if cured else 1.15)
    model = Recurrent(cell, 1)
    data = sums(256, 60)
    return Training(model, data, sgd(model, 0.005), squares, steps=120)


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def alcohol_and_proline_as_they_are(s: Size, cured: bool) -> Training:
    """Columns up to 1,700 go into a net that is to tell the colour: squares, and no scaling."""
    d, model = wine(raw=not cured), mlp(12, 32, 1, act=nn.LeakyReLU)
    keep, mean, std = [i for i in range(13) if i != 9], d.x[:, 9:10].mean(), d.x[:, 9:10].std()
    y, val_y = (d.x[:, 9:10] - mean) / std, (d.val_x[:, 9:10] - mean) / std
    data = Data(d.x[:, keep], y, d.val_x[:, keep], val_y)
    return Training(model, data, sgd(model, 0.02), squares, steps=100)


# No gradient ------------------------------------------------------------------------------------


@sick("gradient.none", "weight.not_updating")
def code_of_an_autoencoder_detached(s: Size, cured: bool) -> Training:
    cut = nn.Identity() if cured else Lambda(torch.detach)
    model = nn.Sequential(mlp(64, 48, 12), cut, mlp(12, 48, 64))
    return Training(model, pixels(), adam(model, 3e-3), rebuild, steps=250)


class _NoGradEmbedding(nn.Module):
    def __init__(self, right: bool) -> None:
        super().__init__()
        self.table, self.right = nn.Embedding(20, 24), right

    def forward(self, x: Tensor) -> Tensor:
        with torch.set_grad_enabled(self.right and torch.is_grad_enabled()):
            return self.table(x)


@sick("gradient.none", "weight.not_updating")
def table_looked_up_under_no_grad(s: Size, cured: bool) -> Training:
    model = nn.Sequential(_NoGradEmbedding(cured), nn.Flatten(), mlp(192, 48, 4))
    return Training(model, tokens(), adam(model, 2e-3), steps=250)


# Units ------------------------------------------------------------------------------------------

SILENT = "loss.flat loss.plateau_early gradient.vanishing weight.not_updating"


@sick("activation.dead", SILENT)
def second_convolution_with_biases_of_minus_ten(s: Size, cured: bool) -> Training:
    model = cnn(8)
    if not cured:
        nn.init.constant_(model[3].bias, -10.0)  # type: ignore[arg-type]
    return Training(model, digits(600), adam(model, 2e-3), steps=150)


@sick("activation.dead", SILENT, TOO_FAST)
def one_huge_step_at_the_start(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10)
    huge = None if cured else lambda k: 400.0 if k <= 2 else 1.0
    return Training(model, pixels(), sgd(model, 0.05), steps=250, schedule=huge)


@sick("activation.saturated", STUCK, "weight.update_too_large")
def temperatures_in_kelvin_into_a_sigmoid_layer(s: Size, cured: bool) -> Training:
    d, model = friedman(), mlp(10, 64, 1, act=nn.Sigmoid)
    by, off = (1.0, 0.0) if cured else (10.0, 300.0)
    data = Data(by * d.x + off, d.y, by * d.val_x + off, d.val_y)
    return Training(model, data, adam(model, 0.01), squares, steps=500)


@sick("activation.saturated", TOO_FAST, "gradient.vanishing")
def four_tanh_layers_drawn_from_a_normal_of_two(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 64, 64, 10, act=nn.Tanh)
    if not cured:
        for m in list(model)[:-1]:
            drawn(m, 2.0)
    return Training(model, pixels(), sgd(model, 0.02, 0.9), steps=400)


# Weights ----------------------------------------------------------------------------------------


@sick("weight.exploding", TOO_FAST, "loss.overfitting")
def weights_multiplied_by_a_slip(s: Size, cured: bool) -> Training:
    """(1 + decay) for (1 - decay) in a decay written by hand."""
    model = mlp(64, 48, 10)
    grow = each_step(lambda p: p.mul_(1.0 - 1e-4 if cured else 1.015))
    return Training(model, pixels(), sgd(model, 0.02), steps=300, after_step=grow)


@sick("weight.exploding", TOO_FAST, "gradient.vanishing")
def two_moons_by_an_ever_growing_rate(s: Size, cured: bool) -> Training:
    model = mlp(2, 32, 2, act=nn.Tanh)
    grow = None if cured else lambda k: 1.025**k
    return Training(model, moons(), sgd(model, 0.05), steps=350, schedule=grow)


@sick("weight.collapsing", STUCK, "weight.update_too_large activation.dead")
def sgd_with_a_decay_of_two(s: Size, cured: bool) -> Training:
    model = cnn(8)
    decay = 1e-4 if cured else 2.0
    return Training(model, digits(600), SGD(model.parameters(), 0.05, 0.5, 0, decay), steps=200)


@sick("weight.collapsing", STUCK, "weight.update_too_large")
def transformer_with_a_decay_of_fifty(s: Size, cured: bool) -> Training:
    model = Reader(20, 8, 4, width=32, depth=1, pre=True)
    decay = 0.01 if cured else 50.0
    return Training(model, tokens(400), AdamW(model.parameters(), 2e-3, weight_decay=decay))


@sick("weight.update_too_large", TOO_FAST, "loss.flat", "gradient.vanishing")
def mlp_with_adamw_at_one(s: Size, cured: bool) -> Training:
    model = mlp(64, 48, 48, 10, act=nn.Tanh)
    optimizer = AdamW(model.parameters(), 2e-3 if cured else 1.0, weight_decay=0.1)
    return Training(model, pixels(), optimizer, steps=200)


@sick("weight.update_too_large", TOO_FAST, "loss.flat")
def transformer_at_one_half_without_warm_up(s: Size, cured: bool) -> Training:
    model = Reader(20, 8, 4, width=24, depth=1, pre=False)
    optimizer = AdamW(model.parameters(), 1e-3 if cured else 0.5, weight_decay=0.2)
    return Training(model, tokens(400), optimizer, steps=150)
