"""Nets that beginners take for broken, and that are not."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.collection_beyond import cnn
from benchmarks.diagnosis.collection_outside import (
    Reader,
    Recurrent,
    Skip,
    adam,
    clusters,
    friedman,
    he,
    linears,
    mlp,
    moons,
    pixels,
    sgd,
    spelled,
)
from benchmarks.diagnosis.collection_wider import (
    Mean,
    checkerboard,
    houses,
    logits,
    opinions,
    poisson,
    rentals,
    signals,
    waves_net,
    wider,
    words_net,
)
from benchmarks.diagnosis.data import Batch, Data, cancer, diabetes, digits, text, wine
from benchmarks.diagnosis.training import Size, Training, rebuild, squares

healthy = wider.healthy

# Layers -----------------------------------------------------------------------------------------


@healthy()
def rms_norm_before_every_layer(s: Size, cured: bool) -> Training:
    model = mlp(30, 48, 48, 48, 2, norm=nn.LayerNorm if cured else nn.RMSNorm)
    return Training(model, cancer(), adam(model, 1e-3), steps=250, batch=32)


@healthy()
def orthogonal_weights_and_eight_tanh_layers(s: Size, cured: bool) -> Training:
    model = mlp(64, *[48] * (2 if cured else 8), 10, act=nn.Tanh)
    for m in linears(model)[:-1]:
        nn.init.orthogonal_(m.weight, 1.1)
    return Training(model, pixels(), sgd(model, 0.01, 0.9), steps=350, batch=32)


@healthy(size=0)
def prelu_that_begins_nearly_linear(s: Size, cured: bool) -> Training:
    layers: list[nn.Module] = []
    for n in (10, s.width, s.width):
        layers += [nn.Linear(n, s.width), nn.ReLU() if cured else nn.PReLU(s.width, init=0.6)]
    model = nn.Sequential(*layers, nn.Linear(s.width, 1))
    return Training(model, friedman(), adam(model, 5e-3), squares, steps=500, batch=32)


@healthy()
def whole_channels_dropped(s: Size, cured: bool) -> Training:
    """The loss that is printed lies above that of the validation set all the time."""
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout2d(0.0 if cured else 0.3), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Dropout2d(0.0 if cured else 0.3), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
    return Training(model, digits(800), adam(model, 5e-3), steps=200, batch=32, epoch=25)


@healthy()
def batch_norm_behind_every_convolution_of_a_signal(s: Size, cured: bool) -> Training:
    model = waves_net(16, norm=None if cured else nn.BatchNorm1d)
    return Training(model, signals(), adam(model, 4e-3), steps=200, batch=16)


@healthy()
def instance_norm_on_signals(s: Size, cured: bool) -> Training:
    model = waves_net(16, nn.GELU, norm=None if cured else nn.InstanceNorm1d)
    return Training(model, signals(), adam(model, 4e-3), steps=250, batch=32)


class _Maxout(nn.Module):
    def __init__(self, n: int, m: int) -> None:
        super().__init__()
        self.pieces = nn.Linear(n, 3 * m)

    def forward(self, x: Tensor) -> Tensor:
        return self.pieces(x).unflatten(-1, (-1, 3)).amax(-1)


@healthy()
def the_largest_of_three_pieces(s: Size, cured: bool) -> Training:
    hidden = nn.Sequential(nn.Linear(5, 32), nn.ReLU()) if cured else _Maxout(5, 32)
    model = nn.Sequential(hidden, nn.Linear(32, 1))
    return Training(model, houses(), adam(model, 5e-3), squares, steps=300, batch=32, epoch=20)


class _Radial(nn.Module):
    """exp(-|x - centre|² / width²): most units are silent for most samples."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.centres = nn.Parameter(2 * torch.rand(units, 2) - 1)
        self.scale = nn.Parameter(torch.full((units,), 3.0))

    def forward(self, x: Tensor) -> Tensor:
        far = (x[:, None] - self.centres).square().sum(2)
        return (-far * self.scale.square()).exp()


@healthy()
def radial_units_on_a_board(s: Size, cured: bool) -> Training:
    hidden = mlp(2, 64, 64) if cured else _Radial(64)
    model = nn.Sequential(hidden, nn.ReLU() if cured else nn.Identity(), nn.Linear(64, 2))
    return Training(model, checkerboard(), adam(model, 0.01), steps=400, batch=64)


# Losses that begin or end at odd places ---------------------------------------------------------


@healthy(0.2)
def board_of_sixteen_fields_waits_and_falls(s: Size, cured: bool) -> Training:
    """It seems stuck at log 2 for a while."""
    model = mlp(2, 64, 64, 64, 2, act=nn.GELU)
    return Training(
        model, checkerboard(1200, fields=4), adam(model, 5e-3 if cured else 2e-3),
        steps=900, batch=64,
    )  # fmt: skip


@healthy()
def forty_classes_begin_far_above_two(s: Size, cured: bool) -> Training:
    centres = 2 * torch.randn(40, 16)
    y = torch.arange(1200) % 40
    x = centres[y] + torch.randn(1200, 16)
    d = Data(x[:800], y[:800], x[800:], y[800:])
    model = mlp(16, 64, 40, act=nn.ReLU if cured else nn.SiLU)
    return Training(model, d, adam(model, 4e-3), steps=400, batch=32)


@healthy()
def letters_end_at_their_entropy(s: Size, cured: bool) -> Training:
    """What follows is mostly chance: the loss falls for a while, then stays far above zero."""
    model = nn.Sequential(nn.Embedding(24, 32), Recurrent(nn.GRU(32, 32, batch_first=True), 24))
    model[1].each = True  # type: ignore[assignment]
    steps = 150 if cured else 260
    return Training(model, text(400), adam(model, 0.01), spelled, steps=steps, batch=32)


@healthy()
def counts_by_a_log_rate_go_below_zero(s: Size, cured: bool) -> Training:
    """The Poisson loss leaves out the factorial and ends at minus something."""
    model = mlp(6, 48, 48, 1, act=nn.ReLU if cured else nn.ELU)
    return Training(model, rentals(), adam(model, 3e-3), poisson, steps=400, batch=32, epoch=40)


@healthy(0.2)
def probabilities_from_a_sigmoid_on_noisy_moons(s: Size, cured: bool) -> Training:
    """BCELoss behind Sigmoid, as older tutorials have it."""

    def bce(model: nn.Module, batch: Batch) -> Tensor:
        y = batch[1].float()[:, None]
        if cured:
            return F.binary_cross_entropy_with_logits(model(batch[0]), y)
        return F.binary_cross_entropy(model(batch[0]), y)

    model = mlp(2, 16, 16, 1, act=nn.Tanh)
    if not cured:
        model.append(nn.Sigmoid())
    return Training(model, moons(noise=0.35), sgd(model, 0.3), bce, steps=400, batch=32, epoch=20)


@healthy()
def tanh_output_for_targets_within_its_range(s: Size, cured: bool) -> Training:
    d = diabetes()
    data = Data(d.x, d.y.div(4), d.val_x, d.val_y.div(4))
    model = mlp(10, 24, 1)
    if not cured:
        model.append(nn.Tanh())
    return Training(model, data, sgd(model, 0.1), squares, steps=250, batch=32)


@healthy()
def spread_learned_beside_the_mean(s: Size, cured: bool) -> Training:
    """Two outputs, Gaussian likelihood: the loss crosses zero."""

    def nll(model: nn.Module, batch: Batch) -> Tensor:
        mean, spread = model(batch[0]).chunk(2, 1)
        return F.gaussian_nll_loss(mean, batch[1], F.softplus(spread) + 1e-2)

    model = mlp(5, 32, 32, 2, act=nn.ReLU if cured else nn.Softplus)
    return Training(model, houses(), adam(model, 4e-3), nll, steps=500, batch=32)


class _Cosine(nn.Module):
    """Logits are cosines times a number that is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.w = mlp(64, 48, 24), nn.Parameter(torch.randn(10, 24))
        self.scale = nn.Parameter(torch.tensor(8.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * F.normalize(self.body(x), dim=1) @ F.normalize(self.w, dim=1).T


@healthy()
def classes_told_by_an_angle(s: Size, cured: bool) -> Training:
    model = mlp(64, 48, 24, 10) if cured else _Cosine()
    return Training(model, pixels(), adam(model, 3e-3), steps=300, batch=32)


class _Ordered(nn.Module):
    """One score and two thresholds for three ordered classes."""

    def __init__(self) -> None:
        super().__init__()
        self.score, self.steps = mlp(13, 16, 1), nn.Parameter(torch.tensor([-1.0, 1.0]))

    def forward(self, x: Tensor) -> Tensor:
        return self.score(x) - self.steps


@healthy()
def ordered_classes_by_two_thresholds(s: Size, cured: bool) -> Training:
    def above(model: nn.Module, batch: Batch) -> Tensor:
        y = (batch[1][:, None] > torch.arange(2)).float()
        return F.binary_cross_entropy_with_logits(model(batch[0]), y)

    model = mlp(13, 16, 2) if cured else _Ordered()
    return Training(model, wine(), adam(model, 0.01), above, steps=250, batch=16)


# Words, sequences, pictures ---------------------------------------------------------------------


@healthy()
def word_vectors_kept_frozen(s: Size, cured: bool) -> Training:
    vectors = nn.Embedding.from_pretrained(torch.randn(60, 48), freeze=not cured)
    model = nn.Sequential(vectors, Mean(), mlp(48, 64, 2))
    return Training(model, opinions(800), adam(model, 5e-3), steps=500, batch=32)


@healthy()
def words_of_which_most_are_never_seen(s: Size, cured: bool) -> Training:
    """A vocabulary of five thousand for sixty words in use: most rows get no gradient."""
    model = words_net(16, 32, 2, words=60 if cured else 5000)
    return Training(model, opinions(), adam(model, 5e-3), steps=300, batch=32)


@healthy(size=0)
def bag_of_words_by_a_linear_layer(s: Size, cured: bool) -> Training:
    model = nn.Sequential(nn.EmbeddingBag(60, s.width, mode="mean"), nn.Linear(s.width, 2))
    return Training(model, opinions(), adam(model, 0.02 if cured else 8e-3), steps=400, batch=32)


@healthy(0.2)
def two_pre_norm_blocks_read_opinions(s: Size, cured: bool) -> Training:
    model: nn.Module = words_net(32, 32, 2)
    if not cured:
        model = Reader(60, 10, 2, width=32, depth=2, pre=True)
    return Training(
        model, opinions(800), adam(model, 2e-3 if not cured else 4e-3), steps=250, batch=32,
        schedule=None if cured else lambda k: min(1.0, k / 50),
    )  # fmt: skip


class _Patches(nn.Module):
    """(N, 1, 8, 8) -> (N, 16, width): patches of 2x2 with a place each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cut, self.place = nn.Conv2d(1, width, 2, 2), nn.Parameter(torch.zeros(16, width))

    def forward(self, x: Tensor) -> Tensor:
        return self.cut(x).flatten(2).transpose(1, 2) + self.place


@healthy(0.2)
def small_vision_transformer(s: Size, cured: bool) -> Training:
    layer = nn.TransformerEncoderLayer(24, 3, 48, 0.1, norm_first=True, batch_first=True)
    body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    seen = nn.Sequential(_Patches(24), body, nn.LayerNorm(24), Mean(), nn.Linear(24, 10))
    model = cnn(8) if cured else seen
    return Training(model, digits(600), adam(model, 4e-3), steps=220, batch=32)


@healthy()
def dilated_convolutions_with_skips(s: Size, cured: bool) -> Training:
    def layer(width: int) -> nn.Module:
        inner = nn.Conv1d(12, 12, 3, padding=width, dilation=width)
        return Skip(nn.Sequential(inner, nn.ReLU()))

    blocks = [layer(2**i) for i in range(4)]
    deep = nn.Sequential(
        nn.Conv1d(1, 12, 1), *blocks, nn.AvgPool1d(8), nn.Flatten(), nn.Linear(48, 3)
    )
    model = waves_net(12) if cured else deep
    return Training(model, signals(), adam(model, 4e-3), steps=250, batch=32)


@healthy()
def deep_autoencoder_with_four_numbers_in_the_middle(s: Size, cured: bool) -> Training:
    act = nn.ReLU if cured else nn.LeakyReLU
    model = he(mlp(64, 48, 24, 4, 24, 48, 64, act=act))
    d = pixels()
    mean = d.x.mean(0)
    data = Data(d.x - mean, d.y, d.val_x - mean, d.val_y)
    return Training(model, data, adam(model, 2e-3), rebuild, steps=500, batch=64, epoch=50)


class _WideAndDeep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wide, self.deep = nn.Linear(20, 5), mlp(20, 32, 32, 5, drop=0.1)

    def forward(self, x: Tensor) -> Tensor:
        return self.wide(x) + self.deep(x)


@healthy()
def linear_part_beside_a_deep_one(s: Size, cured: bool) -> Training:
    model = mlp(20, 32, 32, 5) if cured else _WideAndDeep()
    return Training(model, clusters(), adam(model, 3e-3), steps=300, batch=32)


@healthy()
def head_that_begins_at_zero(s: Size, cured: bool) -> Training:
    """In the first step nothing but the head gets a gradient."""
    model = mlp(8, 32, 32, 1, act=nn.GELU)
    if not cured:
        nn.init.zeros_(model[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(model[-1].bias)  # type: ignore[arg-type]
    x = torch.randn(900, 8)
    y = (x[:, 0] * x[:, 1] + x[:, 2] > 0).long()
    d = Data(x[:600], y[:600], x[600:], y[600:])
    return Training(model, d, adam(model, 3e-3), logits, steps=400, batch=32)


@healthy()
def sines_of_many_speeds_as_inputs(s: Size, cured: bool) -> Training:
    """Fourier features of one number: half of the columns hardly matter."""
    x = 2 * torch.rand(700, 1) - 1
    y = torch.sin(9 * x) + 0.5 * torch.cos(17 * x)
    speeds = math.pi * 2.0 ** torch.arange(-3 if not cured else 0, 4)
    wave = torch.cat([(speeds * x).sin(), (speeds * x).cos()], 1)
    model = mlp(wave.shape[1], 48, 48, 1)
    d = Data(wave[:500], y[:500], wave[500:], y[500:])
    return Training(model, d, adam(model, 3e-3), squares, steps=400, batch=32)
