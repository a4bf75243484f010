"""Sick, held out: the loss. Rules must not be tuned by these."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import networks as n
from benchmarks.diagnosis import proofs
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.cases import TOO_FAST, Collection
from benchmarks.diagnosis.data import Batch
from benchmarks.diagnosis.training import Size, Training

part = Collection("held_out")


# Flat -------------------------------------------------------------------------------------------


@part.sick("loss.flat", "weight.not_updating gradient.vanishing gradient.none")
def sequences_zeroed_on_the_way(size: Size, cured: bool) -> Training:
    """The padding mask is inverted: the recurrent net sees nothing but padding."""

    class Masked(n.Recurrent):
        def forward(self, x: Tensor) -> Tensor:
            h = self.embed(x) * (1.0 if cured else 0.0)
            return self.head(self.rnn(h)[0].mean(1))

    model = Masked(size, nn.GRU)
    how = torch.optim.Adam(model.parameters(), 1e-2)
    return Training(model, d.tokens(), how, steps=150)


@part.sick("loss.flat", "weight.not_updating")
def clipped_to_nothing(size: Size, cured: bool) -> Training:
    """max_norm was meant to be 1, not a millionth of that."""

    def clip(model: nn.Module, step: int) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), 1.0 if cured else 1e-5)

    model = n.resnet(size)
    how = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    return Training(model, d.images(), how, before_step=clip, steps=80)


@part.sick("loss.flat", "weight.not_updating")
def warm_up_over_a_million_steps(size: Size, cured: bool) -> Training:
    long = 20 if cured else 1_000_000
    model = n.Transformer(size)
    how = torch.optim.AdamW(model.parameters(), 3e-3)
    return Training(model, d.tokens(), how, schedule=lambda s: min(1.0, s / long), steps=120)


@part.sick("loss.flat", "gradient.none")
def targets_of_the_next_batch(size: Size, cured: bool) -> Training:
    """Two loaders that are shuffled apart: pictures of one, labels of the other."""
    late: list[Tensor] = []

    def shift(batch: Batch, step: int) -> Batch:
        late.append(batch[1])
        return batch if cured or step == 1 else (batch[0], late[-2])

    model = n.conv_stack(size, nn.GELU, ins=1, outs=10, depth=3)
    how = torch.optim.Adam(model.parameters(), 2e-3)
    return Training(model, d.digits(), how, corrupt=shift, steps=150)


# Diverging --------------------------------------------------------------------------------------


@part.sick("loss.diverging", TOO_FAST)
def autoencoder_of_the_wrong_sign(size: Size, cured: bool) -> Training:
    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return (1 if cured else -1) * F.l1_loss(model(batch[0]), batch[0])

    def distance(model: nn.Module, batch: Batch) -> Tensor:
        return F.l1_loss(model(batch[0]), batch[0])

    def logged(model: nn.Module, batch: Batch) -> Tensor:
        value = loss(model, batch)  # the number that is logged is the distance
        return value if cured else distance(model, batch).detach() + (value - value.detach())

    model = n.stack(size, nn.SiLU, depth=2, outs=16)
    how = torch.optim.RMSprop(model.parameters(), 1e-3)
    return Training(model, d.vectors(), how, objective=logged, whole=distance, steps=200)


@part.sick("loss.diverging", TOO_FAST)
def heavy_ball_too_heavy(size: Size, cured: bool) -> Training:
    model = n.stack(size, nn.LeakyReLU, depth=1, outs=1)
    rate = 0.01 if cured else (0.15, 0.12, 0.1)[size.variant]
    how = torch.optim.SGD(model.parameters(), rate, momentum=0.97)
    return Training(model, d.numbers(), how, objective=t.squares, steps=80)


@part.sick("loss.diverging", TOO_FAST)
def target_that_runs_away(size: Size, cured: bool) -> Training:
    """Bootstrapped targets above one's own value, as in a broken Q-learning: up and up."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        value = model(batch[0])
        ahead = 0.9 if cured else 1.3
        target = batch[1] + ahead * model(torch.roll(batch[0], 1, 0)).detach()
        return F.mse_loss(value, target)

    data = d.numbers(shift=1.0)
    model = n.stack(size, nn.ReLU, depth=2, outs=1)
    how = torch.optim.Adam(model.parameters(), 5e-3 if cured else 1e-2)
    proof = d.Data(data.x, data.y, data.val_x, data.val_y)
    return Training(model, proof, how, objective=loss, steps=400)


# Unstable ---------------------------------------------------------------------------------------


@part.sick("loss.unstable", TOO_FAST)
def lbfgs_on_small_batches(size: Size, cured: bool) -> Training:
    """A second-order method, no line search, and another 32 samples each time."""
    model = n.stack(size, nn.Tanh, depth=2)
    if cured:
        how: torch.optim.Optimizer = torch.optim.Adam(model.parameters(), 3e-3)
        return Training(model, d.bent(), how, steps=150)
    how = torch.optim.LBFGS(model.parameters(), 0.25, max_iter=4)
    return Training(model, d.bent(), how, steps=150, closure=True)


@part.sick("loss.unstable", TOO_FAST)
def cycles_that_climb_too_high(size: Size, cured: bool) -> Training:
    """A triangular schedule whose peaks throw the network out, again and again."""

    def rate(step: int) -> float:
        return 0.05 + (0.05 if cured else 6.0) * max(0.0, 1 - abs(step % 60 - 45) / 15)

    model = n.conv_stack(size, nn.Tanh, ins=1, outs=10, depth=3)
    how = torch.optim.SGD(model.parameters(), 0.5, momentum=0.9)
    return Training(model, d.digits(), how, schedule=rate, steps=240)


@part.sick("loss.unstable", TOO_FAST)
def recurrence_thrown_about(size: Size, cured: bool) -> Training:
    model = n.Recurrent(size, nn.GRU)
    rate = 0.2 if cured else (10.0, 10.0, 5.0)[size.variant]
    how = torch.optim.SGD(model.parameters(), rate, momentum=0.5)
    return Training(model, d.tokens(length=4), how, steps=200)


# Plateau ----------------------------------------------------------------------------------------


@part.sick("loss.plateau_early", TOO_FAST)
def language_model_too_fast(size: Size, cured: bool) -> Training:
    model = n.Recurrent(size, nn.GRU, symbols=24, outs=24, every=True)
    rate = 0.01 if cured else (0.15, 0.1, 0.06)[size.variant]
    how = torch.optim.RMSprop(model.parameters(), rate)
    return Training(model, d.text(), how, steps=200)


@part.sick("loss.plateau_early", TOO_FAST)
def memory_too_fast(size: Size, cured: bool) -> Training:
    """It finds out which classes are likely, and never which symbol to remember."""
    model = n.Recurrent(size, nn.LSTM)
    rate = 0.01 if cured else (0.19, 0.15, 0.09)[size.variant]
    how = torch.optim.Adam(model.parameters(), rate)
    return Training(model, d.tokens(length=4), how, steps=240)


@part.sick("loss.plateau_early", "weight.not_updating")
def rate_gone_after_one_epoch(size: Size, cured: bool) -> Training:
    """A cosine over one epoch for a training of twelve, and no restart."""

    def rate(step: int) -> float:
        return 1.0 if cured else max(0.0, 1 - step / 40)

    model = n.resnet(size, ins=1, outs=10)
    how = torch.optim.AdamW(model.parameters(), 3e-3)
    return Training(model, d.digits(), how, schedule=rate, steps=300)


# Not finite -------------------------------------------------------------------------------------


@part.sick("loss.nonfinite", "gradient.nonfinite")
def everything_masked(size: Size, cured: bool) -> Training:
    """A row of attention in which every key is masked: softmax of minus infinity."""

    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(20, size.width)
            self.attention = nn.MultiheadAttention(size.width, 4, batch_first=True)
            self.head = nn.Linear(size.width, 4)

        def forward(self, x: Tensor) -> Tensor:
            h = self.embed(x)
            mask = x > (20 if cured else 3)
            return self.head(self.attention(h, h, h, key_padding_mask=mask)[0].mean(1))

    model = Attends()
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, d.tokens(), how, steps=80)


@part.sick("loss.nonfinite", "gradient.nonfinite")
def missing_target(size: Size, cured: bool) -> Training:
    """One target in the table is empty, and read as not a number."""
    data = d.diabetes()
    if not cured:
        data.y[17] = float("nan")
    model = n.stack(size, nn.GELU, depth=2, ins=10, outs=1)
    how = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    return Training(model, data, how, objective=t.squares, steps=80, batch=16)


@part.sick("loss.nonfinite", "gradient.nonfinite loss.unstable")
def bad_losses_skipped(size: Size, cured: bool) -> Training:
    """Every fifteenth batch overflows; the loop zeroes that gradient and goes on learning."""

    def big(batch: Batch, step: int) -> Batch:
        return batch if cured or step % 15 else (batch[0] * 1e30, batch[1])

    def drop(model: nn.Module, step: int) -> None:
        for parameter in model.parameters():
            if parameter.grad is not None and not torch.isfinite(parameter.grad).all():
                model.zero_grad(set_to_none=False)
                for p in model.parameters():
                    p.grad = torch.zeros_like(p)

    model = n.stack(size, nn.ReLU, depth=2, outs=1)
    how = torch.optim.SGD(model.parameters(), 0.02)
    return Training(
        model, d.numbers(), how, objective=t.squares, corrupt=big, before_step=drop, steps=120
    )


# Overfitting ------------------------------------------------------------------------------------


@part.sick("loss.overfitting")
def sixty_patients(size: Size, cured: bool) -> Training:
    whole = d.diabetes()
    data = d.Data(whole.x[:60], whole.y[:60], whole.val_x, whole.val_y)
    model = n.stack(Size(4 * size.width), nn.Tanh, depth=2, ins=10, outs=1)
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, data, how, objective=t.squares, steps=400, epoch=8, batch=15)


@part.sick("loss.overfitting", "activation.dead")
def convolutions_on_wrong_labels(size: Size, cured: bool) -> Training:
    data = d.digits(120)
    wrong = torch.rand(120) < 0.3
    data.y = torch.where(wrong, torch.randint(0, 10, (120,)), data.y)
    data = d.Data(data.x, data.y, data.val_x[:400], data.val_y[:400])
    model = n.conv_stack(Size(4 * size.width), nn.ReLU, ins=1, outs=10, depth=3)
    n.scaled(model, 2**0.5)
    how = torch.optim.AdamW(model.parameters(), 5e-3)
    return Training(model, data, how, steps=330, epoch=6, batch=20)


@part.sick("loss.overfitting", proof=proofs.overfitting)
def recurrent_epochs_only(size: Size, cured: bool) -> Training:
    """Nothing but the means of the epochs is logged."""
    model = n.Recurrent(Size(2 * size.width), nn.LSTM, symbols=24, outs=24, every=True)
    how = torch.optim.Adam(model.parameters(), 1e-2)
    return Training(model, d.text(16), how, steps=200, epoch=5, batch=8, train_loss=True)
