"""Faults of gradients, units and weights, one a training, in many kinds of nets."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.cases import TOO_FAST
from benchmarks.diagnosis.collection_beyond import Lambda, cnn, resnet
from benchmarks.diagnosis.collection_fresh import exploding
from benchmarks.diagnosis.collection_last import (
    Bag,
    Crossed,
    Dot,
    Ladder,
    Mixture,
    Projected,
    Siamese,
    Speller,
    centred,
    each_parameter,
    grainy,
    last,
    topics,
    twins,
)
from benchmarks.diagnosis.collection_outside import (
    Reader,
    Recurrent,
    Skip,
    adam,
    drawn,
    friedman,
    he,
    linears,
    mlp,
    pixels,
    sgd,
    spelled,
    sums,
)
from benchmarks.diagnosis.data import Batch, cancer, digits, text, tokens, wine
from benchmarks.diagnosis.training import Size, Training, squares

sick = last.sick
STUCK = "loss.flat loss.plateau_early weight.not_updating"
SHRUNK = "loss.flat gradient.vanishing activation.dead loss.plateau_early weight.update_too_large"

# Vanishing --------------------------------------------------------------------------------------


@sick("gradient.vanishing", STUCK, size=2)
def nine_layers_of_hard_sigmoids(s: Size, cured: bool) -> Training:
    model = mlp(30, *[s.width] * s.depth, 2, act=nn.ReLU if cured else nn.Hardsigmoid)
    if cured:
        he(model)
    return Training(model, cancer(), sgd(model, 0.02, 0.9), steps=250, batch=32)


@sick("gradient.vanishing", STUCK, "activation.dead")
def branch_scaled_and_its_skip_forgotten(s: Size, cured: bool) -> Training:
    """x + f(x) / 10 was meant, f(x) / 10 is what the blocks return."""

    def block() -> nn.Module:
        inner = nn.Sequential(
            nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), Lambda(lambda x: 0.1 * x)
        )  # fmt: skip
        return Skip(inner) if cured else inner

    stem = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*stem, *(block() for _ in range(5)), nn.Flatten(), nn.Linear(128, 10))
    return Training(model, digits(600), sgd(model, 0.03, 0.9), steps=160, batch=32)


@sick("gradient.vanishing", STUCK)
def u_net_of_sigmoids_without_skips(s: Size, cured: bool) -> Training:
    model = Ladder(8, nn.ReLU if cured else nn.Sigmoid, skips=cured)
    return Training(model, grainy(300), sgd(model, 0.02, 0.9), squares, steps=120, batch=16)


@sick("gradient.vanishing", STUCK)
def eight_stacked_lstms(s: Size, cured: bool) -> Training:
    layers = 1 if cured else 8
    model = Speller(nn.LSTM(16, 16, layers, batch_first=True), 24, 24)
    return Training(model, text(200, 8), sgd(model, 1.0, 0.9), spelled, steps=140, batch=32)


# Exploding --------------------------------------------------------------------------------------


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def residual_net_without_norms_drawn_too_wide(s: Size, cured: bool) -> Training:
    blocks = [Skip(mlp(32, 32, 32)) for _ in range(8)]
    model = nn.Sequential(nn.Linear(30, 32), *blocks, nn.Linear(32, 2))
    drawn(model, 0.05 if cured else 0.5)
    return Training(model, cancer(), sgd(model, 0.02), steps=150, batch=32)


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def cross_layers_on_raw_columns(s: Size, cured: bool) -> Training:
    model = Crossed(13, 3)
    return Training(model, wine(raw=not cured), sgd(model, 0.02), steps=150, batch=24)


@sick("gradient.exploding", TOO_FAST, proof=exploding)
def deep_linear_autoencoder_too_fast(s: Size, cured: bool) -> Training:
    model = mlp(64, 32, 16, 32, 64, act=nn.Identity)
    return Training(
        model, centred(), sgd(model, 0.1 if cured else 8.0, 0.9), squares, steps=150, batch=64
    )


# Not finite, or none ----------------------------------------------------------------------------


@sick("gradient.nonfinite", "loss.nonfinite")
def empty_sentence_patched_by_nan_to_num(s: Size, cured: bool) -> Training:
    """The forward pass is patched, the backward pass of the softmax is not."""
    model, d = Dot(60, 4, patched=True), topics(500)
    if not cured:
        d.x[5] = 0
    return Training(model, d, adam(model, 3e-3), steps=200, batch=32)


@sick("gradient.nonfinite", "loss.nonfinite")
def entropy_of_forbidden_actions(s: Size, cured: bool) -> Training:
    """p log p is 0 for a masked action, its slope is not."""

    def policy(model: nn.Module, batch: Batch) -> Tensor:
        logits = model(batch[0])
        allowed = torch.arange(12) < 10
        logits = logits.masked_fill(~allowed, -1e4 if cured else -torch.inf)
        p = logits.softmax(1)
        entropy = -torch.xlogy(p, p.clamp_min(1e-8) if cured else p).sum(1).mean()
        return F.cross_entropy(logits, batch[1]) - 0.01 * entropy

    model = mlp(64, 48, 12)
    return Training(model, pixels(), adam(model, 2e-3), policy, steps=250, batch=32)


@sick("gradient.nonfinite", "loss.nonfinite")
def energy_of_blank_corners(s: Size, cured: bool) -> Training:
    """Quadratic pooling, root of a mean of squares: in a blank corner the root is of zero."""

    def energy(x: Tensor) -> Tensor:
        return (F.avg_pool2d(x.square(), 2) + (1e-3 if cured else 0.0)).sqrt()

    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1, bias=False), Lambda(energy), nn.Flatten(),
        nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, 10),
    )  # fmt: skip
    return Training(model, digits(500), adam(model, 3e-3), steps=150, batch=32)


@sick("gradient.none", "weight.not_updating")
def third_expert_is_never_asked(s: Size, cured: bool) -> Training:
    model = Mixture(64, 10, called=3 if cured else 2)
    return Training(model, pixels(), adam(model, 2e-3), steps=250, batch=32)


@sick("gradient.none", "weight.not_updating")
def word_vectors_read_through_data(s: Size, cured: bool) -> Training:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.body = nn.Embedding(60, 24), Recurrent(nn.GRU(24, 24), 4)
            self.body.cell.batch_first = True

        def forward(self, x: Tensor) -> Tensor:
            return self.body(self.table(x) if cured else self.table.weight.data[x])

    model = Net()
    return Training(model, topics(500), adam(model, 3e-3), steps=200, batch=32)


@sick("gradient.none", "weight.not_updating")
def shortcut_convolution_is_not_called(s: Size, cured: bool) -> Training:
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), Projected(cured),
        Projected(True), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip
    return Training(model, digits(500), sgd(model, 0.02, 0.9), steps=140, batch=32)


# Units ------------------------------------------------------------------------------------------


@sick("activation.dead", "gradient.vanishing weight.not_updating")
def norm_shifted_far_below_zero(s: Size, cured: bool) -> Training:
    """The shift of the batch norm in front of a rectifier begins at -6 instead of 0."""
    model = resnet(8, 2)
    for m in model.modules():
        if isinstance(m, Skip) and not cured:
            nn.init.constant_(m.inner[1].bias, -6.0)  # type: ignore[index,arg-type]
    return Training(model, digits(500), sgd(model, 0.03, 0.9), steps=130, batch=32)


@sick("activation.dead", "gradient.vanishing weight.not_updating loss.flat loss.plateau_early")
def hidden_bias_of_a_bag_of_words_at_minus_nine(s: Size, cured: bool) -> Training:
    model = Bag(60, 16, 4)
    if not cured:
        nn.init.constant_(linears(model)[0].bias, -9.0)
    return Training(model, topics(), adam(model, 3e-3), steps=300, batch=32)


@sick("activation.dead", TOO_FAST, "loss.flat gradient.vanishing weight.not_updating")
def autoencoder_killed_by_adam_at_one(s: Size, cured: bool) -> Training:
    """The rate of the first ten steps is a thousand times too high."""
    model = mlp(64, 32, 16, 32, 64)
    return Training(
        model, centred(), adam(model, 1e-3), squares, steps=400, batch=32,
        schedule=None if cured else lambda k: 1000.0 if k <= 10 else 1.0,
    )  # fmt: skip


@sick("activation.dead", "loss.flat loss.plateau_early weight.collapsing gradient.vanishing")
def sparsity_penalty_a_thousand_times_too_strong(s: Size, cured: bool) -> Training:
    def sparse(model: nn.Module, batch: Batch) -> Tensor:
        code = model[:2](batch[0])  # type: ignore[index]
        error = F.mse_loss(model[2](code), batch[1])  # type: ignore[index]
        return error + (1e-3 if cured else 1.0) * code.abs().sum(1).mean()

    model = mlp(64, 48, 64)
    return Training(model, centred(), adam(model, 3e-3), sparse, steps=400, batch=32)


@sick("activation.saturated", "gradient.vanishing loss.flat loss.plateau_early loss.overfitting")
def word_vectors_a_hundred_times_too_long(s: Size, cured: bool) -> Training:
    model = nn.Sequential(
        nn.Embedding(40, 12), nn.Flatten(), nn.Linear(96, 32), nn.Tanh(),
        nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 4),
    )  # fmt: skip
    nn.init.normal_(model[0].weight, 0.0, 1.0 if cured else 100.0)  # type: ignore[arg-type]
    return Training(model, tokens(), adam(model, 3e-3), steps=150, batch=32)


@sick("activation.saturated", "gradient.vanishing loss.flat loss.plateau_early loss.unstable")
def convolutions_of_tanh_drawn_too_wide(s: Size, cured: bool) -> Training:
    model = cnn(8, act=nn.Tanh)
    if not cured:
        drawn(model[:-1], 20.0)
    return Training(model, digits(600), sgd(model, 0.02, 0.9), steps=200, batch=32)


@sick("activation.saturated", "gradient.vanishing loss.flat loss.plateau_early")
def tanh_behind_a_norm_with_a_gain_of_a_hundred(s: Size, cured: bool) -> Training:
    model = mlp(10, 32, 32, 32, 1, act=nn.Tanh, norm=nn.LayerNorm)
    for m in model.modules():
        if isinstance(m, nn.LayerNorm) and not cured:
            nn.init.constant_(m.weight, 100.0)
    return Training(model, friedman(), adam(model, 2e-3), squares, steps=350, batch=32)


# Weights ----------------------------------------------------------------------------------------


@sick("weight.exploding", TOO_FAST)
def negatives_pushed_apart_without_a_margin(s: Size, cured: bool) -> Training:
    """Distances of unlike pictures are to grow, and nothing says how far."""

    def contrast(model: nn.Module, batch: Batch) -> Tensor:
        tower = model.tower
        a, b = tower(batch[0][:, 0]), tower(batch[0][:, 1])  # type: ignore[operator]
        d, same = (a - b).square().sum(1, keepdim=True), batch[1]
        apart = (4 - d).clamp_min(0) if cured else -d
        return (same * d + (1 - same) * apart).mean()

    model = Siamese(32)
    model.scale, model.bias = None, None  # type: ignore[assignment]
    return Training(model, twins(), adam(model, 5e-3), contrast, steps=500, batch=32)


@sick("weight.exploding", TOO_FAST)
def flow_whose_density_is_forgotten(s: Size, cured: bool) -> Training:
    """Only the logarithm of the determinant is left: it grows with the weights for ever."""

    def likelihood(model: nn.Module, batch: Batch) -> Tensor:
        z = model(batch[0])
        volume = sum(torch.linalg.slogdet(m.weight)[1] for m in linears(model))
        return (0.5 * z.square().sum(1).mean() if cured else 0.0 * z.sum()) - volume

    model = nn.Sequential(nn.Linear(13, 13), nn.Linear(13, 13))
    for m in linears(model):
        nn.init.orthogonal_(m.weight)
    return Training(model, wine(), adam(model, 0.02), likelihood, steps=400, batch=24)


@sick("weight.exploding", TOO_FAST)
def weights_divided_by_the_keep_rate_at_each_step(s: Size, cured: bool) -> Training:
    """What dropout wants once, at the end, is done after every update."""
    model = cnn(8, norm=True)
    grow = each_parameter(lambda w: w.div_(0.97))
    return Training(
        model, digits(500), sgd(model, 0.02), steps=150, batch=32,
        after_step=None if cured else grow,
    )  # fmt: skip


@sick("weight.collapsing", SHRUNK)
def gru_under_a_coupled_decay_of_thirty(s: Size, cured: bool) -> Training:
    model = Recurrent(nn.GRU(2, 24, batch_first=True), 1)
    optimizer = torch.optim.RMSprop(
        model.parameters(), 2e-3, weight_decay=0.0 if cured else 30.0
    )  # fmt: skip
    return Training(model, sums(length=6), optimizer, squares, steps=300, batch=32)


@sick("weight.collapsing", SHRUNK)
def u_net_with_a_decay_of_two_hundred(s: Size, cured: bool) -> Training:
    model = Ladder(8)
    optimizer = torch.optim.AdamW(
        model.parameters(), 3e-3, weight_decay=0.01 if cured else 200.0
    )  # fmt: skip
    return Training(model, grainy(300), optimizer, squares, steps=120, batch=16)


@sick("weight.collapsing", SHRUNK, "weight.not_updating")
def soft_threshold_without_the_rate(s: Size, cured: bool) -> Training:
    """A proximal step for sparse weights that forgets to multiply its threshold by the rate."""
    threshold = 0.003 * (1e-3 if cured else 1.0)
    shrink = each_parameter(lambda w: w.copy_(F.softshrink(w, threshold)))
    model = mlp(64, 64, 32, 10)
    return Training(model, pixels(), adam(model, 1e-3), steps=300, after_step=shrink)


@sick("weight.not_updating", "gradient.vanishing loss.plateau_early gradient.none")
def hook_for_the_padding_row_clears_the_whole_table(s: Size, cured: bool) -> Training:
    model = Reader(60, 12, 4, width=24, depth=1, pre=True)

    def clear(net: nn.Module, step: int) -> None:
        rows = slice(0, 1) if cured else slice(None)
        model.embedding.weight.grad[rows] = 0.0  # type: ignore[index]

    return Training(
        model, topics(500), adam(model, 2e-3), steps=160, batch=32, before_step=clear
    )  # fmt: skip


@sick("weight.not_updating", "loss.flat")
def adagrad_with_an_accumulator_of_a_trillion(s: Size, cured: bool) -> Training:
    model = Speller(nn.RNN(16, 24, batch_first=True), 24, 24)
    optimizer = torch.optim.Adagrad(
        model.parameters(), 0.05, initial_accumulator_value=0.0 if cured else 1e12
    )
    return Training(model, text(300), optimizer, spelled, steps=200, batch=32)


@sick("weight.not_updating", "loss.flat loss.plateau_early gradient.vanishing")
def experts_not_given_to_the_optimizer(s: Size, cured: bool) -> Training:
    model = Mixture(64, 10)
    given = model.parameters() if cured else model.gate.parameters()
    return Training(model, pixels(), torch.optim.Adam(given, 2e-3), steps=250, batch=32)


LOUD = (TOO_FAST, "loss.flat gradient.vanishing")


@sick("weight.update_too_large", *LOUD)
def plain_recurrent_net_with_rmsprop_at_a_third(s: Size, cured: bool) -> Training:
    model = Speller(nn.RNN(16, 24, batch_first=True), 24, 24)
    optimizer = torch.optim.RMSprop(model.parameters(), 1e-3 if cured else 0.3)
    return Training(model, text(400), optimizer, spelled, steps=180, batch=32)


@sick("weight.update_too_large", *LOUD)
def lstm_with_nadam_at_a_half(s: Size, cured: bool) -> Training:
    model = Speller(nn.LSTM(16, 24, batch_first=True), 20, 4, each=False)
    optimizer = torch.optim.NAdam(model.parameters(), 2e-3 if cured else 0.5)
    return Training(model, tokens(600), optimizer, steps=250, batch=64)


@sick("weight.update_too_large", *LOUD)
def autoencoder_with_radam_at_one(s: Size, cured: bool) -> Training:
    model = mlp(64, 24, 64, act=nn.Tanh)
    optimizer = torch.optim.RAdam(model.parameters(), 1e-3 if cured else 1.0)
    return Training(model, centred(), optimizer, squares, steps=300, batch=32)
