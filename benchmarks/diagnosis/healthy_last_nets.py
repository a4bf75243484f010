"""Healthy nets of many kinds, each beside a sick one that it looks like."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from benchmarks.diagnosis.collection_beyond import cnn, resnet
from benchmarks.diagnosis.collection_last import (
    Bag,
    Cosine,
    Dot,
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
    Apply,
    Block,
    Recurrent,
    Skip,
    adam,
    clipped,
    clusters,
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
from benchmarks.diagnosis.data import cancer, digits, text, tokens, wine
from benchmarks.diagnosis.proofs import learns
from benchmarks.diagnosis.training import Nobody, Size, Training, binary, squares, train

healthy = last.healthy

# Beside dead and saturated units ----------------------------------------------------------------


@healthy()
def sparse_rectifiers_in_convolutions(s: Size, cured: bool) -> Training:
    """Biases a little below zero: most outputs are zero, every channel is alive."""
    model = cnn(12)
    if not cured:
        for m in model.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.constant_(m.bias, -0.05)  # type: ignore[arg-type]
    return Training(model, digits(700), adam(model, 3e-3), steps=180, batch=32)


@healthy(0.25)
def sparse_code_of_an_autoencoder(s: Size, cured: bool) -> Training:
    model = he(mlp(64, 96, 64))
    if not cured:
        nn.init.constant_(linears(model)[0].bias, -0.5)
    return Training(model, centred(), adam(model, 2e-3), squares, steps=400, batch=32)


@healthy()
def rectified_embedding_bag(s: Size, cured: bool) -> Training:
    """Rare words: most rows of the table wait long for their turn."""
    model = Bag(300, 24, 4)
    data = topics(900, words=60 if cured else 300)
    return Training(model, data, adam(model, 5e-3), steps=500, batch=32)


@healthy()
def feed_forward_of_rectifiers_in_a_transformer(s: Size, cured: bool) -> Training:
    layer = nn.TransformerEncoderLayer(
        24, 2, 24 if cured else 96, 0.0, batch_first=True, norm_first=True
    )
    model = nn.Sequential(nn.Embedding(60, 24), layer, Apply("mean over time"), nn.Linear(24, 4))
    return Training(model, topics(500), adam(model, 2e-3), steps=180, batch=32)


@healthy()
def convolutions_of_tanh_in_their_linear_range(s: Size, cured: bool) -> Training:
    model = cnn(8, act=nn.ReLU if cured else nn.Tanh)
    return Training(model, digits(700), sgd(model, 0.03, 0.9), steps=180, batch=32)


@healthy()
def sigmoid_at_the_end_for_two_classes(s: Size, cured: bool) -> Training:
    """One label in six is wrong, so that no answer should be sure."""
    model = mlp(30, 16, 1)
    d = cancer()
    d.y = torch.where(torch.rand(len(d.y)) < 1 / 6, 1 - d.y, d.y)
    d.y, d.val_y = d.y.float()[:, None], d.val_y.float()[:, None]

    def probabilities(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return nn.functional.binary_cross_entropy(net(batch[0]), batch[1])

    if not cured:
        model.append(nn.Sigmoid())
    return Training(
        model, d, adam(model, 1e-3), binary if cured else probabilities, steps=250, batch=32
    )  # fmt: skip


@healthy()
def leaky_units_below_zero(s: Size, cured: bool) -> Training:
    model = mlp(64, 64, 64, 10, act=nn.ReLU if cured else nn.LeakyReLU)
    if not cured:
        nn.init.constant_(linears(model)[0].bias, -0.5)
    return Training(model, pixels(), adam(model, 1e-3), steps=350, batch=32)


@healthy()
def squeezed_by_sigmoid_gates(s: Size, cured: bool) -> Training:
    """A gate per feature, x * sigmoid(f(x)): bounded outputs that multiply."""

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.value, self.gate = nn.Linear(32, 32), nn.Sequential(nn.Linear(32, 32))
            if not cured:
                self.gate.append(nn.Sigmoid())

        def forward(self, x: Tensor) -> Tensor:
            return x + self.value(x) * (self.gate(x) if not cured else self.gate(x).tanh())

    model = nn.Sequential(nn.Linear(64, 32), Gated(), Gated(), nn.Linear(32, 10))
    return Training(model, pixels(), adam(model, 2e-3), steps=350, batch=32)


# Beside vanishing and exploding -----------------------------------------------------------------


@healthy(size=2)
def nine_rectified_layers_drawn_well(s: Size, cured: bool) -> Training:
    model = he(mlp(64, *[s.width] * (2 if cured else s.depth), 10))
    return Training(model, pixels(), sgd(model, 0.01, 0.9), steps=300, batch=32)


@healthy()
def residual_net_of_ten_thin_blocks(s: Size, cured: bool) -> Training:
    model = resnet(6, 2 if cured else 8)
    return Training(model, digits(500), adam(model, 5e-3), steps=100, batch=32)


@healthy()
def u_net_with_skips(s: Size, cured: bool) -> Training:
    """The deep layers get less than the ones beside the skips."""
    model = Ladder(8, nn.ReLU if cured else nn.GELU)
    return Training(model, grainy(300), adam(model, 3e-3), squares, steps=140, batch=16)


@healthy(0.2)
def two_stacked_lstms(s: Size, cured: bool) -> Training:
    model = Speller(nn.LSTM(16, 32, 1 if cured else 2, batch_first=True), 24, 24)
    return Training(model, text(400), adam(model, 0.01), spelled, steps=160, batch=32)


@healthy(0.2)
def plain_recurrent_net_held_by_clipping(s: Size, cured: bool) -> Training:
    """The norm before clipping jumps by a factor of ten and more; the control is a GRU."""
    kind = nn.GRU if cured else nn.RNN
    model = Speller(kind(16, 32, batch_first=True), 24, 24)
    return Training(
        model, text(400), sgd(model, 0.5, 0.9), spelled, steps=200, batch=32,
        before_step=None if cured else clipped(0.5),  # type: ignore[arg-type]
    )  # fmt: skip


@healthy()
def six_tanh_layers_with_xavier(s: Size, cured: bool) -> Training:
    model = mlp(64, *[48] * (2 if cured else 6), 10, act=nn.Tanh)
    for m in linears(model):
        nn.init.xavier_normal_(m.weight, 5 / 3)
    return Training(model, pixels(), sgd(model, 0.01, 0.9), steps=350, batch=32)


@healthy()
def wide_net_drawn_from_a_small_normal(s: Size, cured: bool) -> Training:
    """Weights of a hundredth: small gradients at first, then it takes off."""
    model = mlp(64, 128, 10)
    if not cured:
        drawn(model, 0.01)
    return Training(model, pixels(), adam(model, 2e-3), steps=350, batch=32)


@healthy()
def post_norm_layers_with_warm_up(s: Size, cured: bool) -> Training:
    model = nn.Sequential(
        nn.Embedding(60, 24), Block(24, pre=cured), Block(24, pre=cured),
        Apply("mean over time"), nn.Linear(24, 4),
    )  # fmt: skip
    return Training(
        model, topics(500), adam(model, 2e-3), steps=150, batch=32,
        schedule=None if cured else lambda k: min(1.0, k / 60),
    )  # fmt: skip


@healthy()
def attention_with_masked_padding(s: Size, cured: bool) -> Training:
    """Minus infinity in the scores, and never a whole row of it."""
    model, d = Dot(60, 4), topics(500)
    if not cured:
        for x in (d.x, d.val_x):
            x[torch.arange(len(x)) % 2 == 0, 8:] = 0
    return Training(model, d, adam(model, 3e-3), steps=220, batch=32)


@healthy()
def group_norm_instead_of_batch_norm(s: Size, cured: bool) -> Training:
    model = cnn(8, norm=True)
    if not cured:
        for i, m in enumerate(model):
            if isinstance(m, nn.BatchNorm2d):
                model[i] = nn.GroupNorm(4, m.num_features)
    return Training(model, digits(600), sgd(model, 0.03, 0.9), steps=150, batch=16)


@healthy()
def branches_gated_by_a_thousandth(s: Size, cured: bool) -> Training:
    """Layer scale: the branches hardly count at first."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.LayerNorm(32), mlp(32, 64, 32, act=nn.GELU))
            self.scale = nn.Parameter(torch.full((32,), 1.0 if cured else 1e-3))

        def forward(self, x: Tensor) -> Tensor:
            return x + self.scale * self.inner(x)

    model = nn.Sequential(nn.Linear(64, 32), *(Scaled() for _ in range(4)), nn.Linear(32, 10))
    return Training(model, pixels(), adam(model, 2e-3), steps=300, batch=32)


# Beside a missing gradient and resting weights --------------------------------------------------


@healthy()
def all_experts_asked_one_preferred(s: Size, cured: bool) -> Training:
    model = Mixture(20, 5)
    if not cured:
        with torch.no_grad():
            model.gate.bias[0] = 2.0
    return Training(model, clusters(), adam(model, 3e-3), steps=400, batch=32)


@healthy(0.25)
def frozen_convolutions_and_a_new_net_behind(s: Size, cured: bool) -> Training:
    model = cnn(12, norm=True)
    train(Training(model, digits(600), adam(model, 5e-3), steps=100, batch=32), Nobody())
    model[-1] = nn.Sequential(nn.Linear(96, 32), nn.ReLU(), nn.Linear(32, 10))
    if not cured:
        for p in model[:-1].parameters():
            p.requires_grad_(False)
    return Training(model, digits(800), adam(model, 3e-3), steps=150, batch=32)


@healthy(0.25)
def frozen_word_vectors(s: Size, cured: bool) -> Training:
    """The table is fixed at random; everything behind it learns."""
    model = Speller(nn.GRU(24, 32, batch_first=True), 20, 4, each=False)
    model.table.weight.requires_grad_(cured)
    return Training(model, tokens(800), adam(model, 5e-3), steps=300, batch=32)


@healthy()
def one_tower_for_two_pictures(s: Size, cured: bool) -> Training:
    model = Siamese(32 if cured else 64)
    return Training(model, twins(), adam(model, 2e-3), alike, steps=600, batch=32)


@healthy()
def cosine_logits_with_a_scale(s: Size, cured: bool) -> Training:
    head = nn.Linear(32, 10) if cured else Cosine(32, 10, 10.0)
    model = nn.Sequential(mlp(64, 64, 32), head)
    return Training(model, pixels(), adam(model, 2e-3), steps=400, batch=32)


@healthy()
def decoder_tied_to_the_table(s: Size, cured: bool) -> Training:
    """The same matrix reads symbols and writes them."""
    model = Speller(nn.LSTM(24, 24, batch_first=True), 24, 24, std=0.2)
    if not cured:
        model.head.weight = model.table.weight
    return Training(model, text(400), adam(model, 0.01), spelled, steps=200, batch=32)


@healthy()
def backbone_at_a_tenth_with_its_norms_in_eval(s: Size, cured: bool) -> Training:
    model = resnet(8, 1)
    train(Training(model, digits(600), adam(model, 5e-3), steps=100, batch=32), Nobody())
    model[-1].reset_parameters()  # type: ignore[operator]
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.eval()
    groups = [
        {"params": model[:-1].parameters(), "lr": 3e-3 if cured else 3e-4},
        {"params": model[-1].parameters(), "lr": 3e-3},
    ]
    return Training(model, digits(800), torch.optim.AdamW(groups), steps=150, batch=32)


@healthy(0.2)
def long_memory_that_breaks_through_late(s: Size, cured: bool) -> Training:
    """The adding problem: the loss rests at the variance, then it falls."""
    model = Recurrent((nn.GRU if cured else nn.LSTM)(2, 32, batch_first=True), 1)
    return Training(model, sums(length=16), adam(model, 0.01), squares, steps=450, batch=64)


@healthy()
def dropout_inside_a_transformer(s: Size, cured: bool) -> Training:
    layer = nn.TransformerEncoderLayer(24, 2, 48, 0.0 if cured else 0.3, batch_first=True)
    model = nn.Sequential(nn.Embedding(60, 24), layer, Apply("mean over time"), nn.Linear(24, 4))
    return Training(model, topics(600), adam(model, 2e-3), steps=200, batch=32)


@healthy()
def skips_around_wide_rectified_layers(s: Size, cured: bool) -> Training:
    """No norm anywhere; the activations grow from block to block."""
    blocks = [Skip(mlp(32, 64, 32)) for _ in range(1 if cured else 7)]
    model = nn.Sequential(nn.Linear(10, 32), *blocks, nn.Linear(32, 1))
    return Training(model, friedman(), adam(model, 1e-3), squares, steps=300, batch=32)


@healthy(size=0, proof=learns(0.5))
def tiny_net_with_lbfgs(s: Size, cured: bool) -> Training:
    model, d = mlp(13, s.width, 3, act=nn.Tanh), wine()
    if cured:
        return Training(model, d, adam(model, 0.01), steps=200, batch=len(d.x))
    optimizer = torch.optim.LBFGS(model.parameters(), 0.3, max_iter=4)
    return Training(model, d, optimizer, steps=80, batch=len(d.x), closure=True)


@healthy()
def norms_that_rescale_growing_weights(s: Size, cured: bool) -> Training:
    """Weights in front of batch norms may grow freely; a cosine brings the rate down."""
    model = mlp(64, 64, 64, 10, norm=nn.BatchNorm1d)
    return Training(
        model, pixels(), sgd(model, 0.05 if cured else 0.3, 0.9), steps=300, batch=64,
        schedule=None if cured else lambda k: 0.5 * (1 + math.cos(math.pi * k / 300)),
    )  # fmt: skip
