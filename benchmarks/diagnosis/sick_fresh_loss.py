"""Sick, never seen by the rules: the loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import data_fresh as f
from benchmarks.diagnosis import networks_fresh as n
from benchmarks.diagnosis import proofs
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.collection_fresh import Fresh
from benchmarks.diagnosis.data import Batch
from benchmarks.diagnosis.training import Size, Training

part = Fresh()


# Flat -------------------------------------------------------------------------------------------


@part.sick("loss.flat", "weight.not_updating", size=0)
def rate_of_one_in_ten_million(size: Size, cured: bool) -> Training:
    model = n.cnn(size, activation=nn.GELU)
    how = torch.optim.AdamW(model.parameters(), 5e-3 if cured else 1e-7)
    return Training(model, d.digits(400), how, steps=80, batch=40)


@part.sick("loss.flat", size=1)
def targets_sorted_apart(size: Size, cured: bool) -> Training:
    """The column of targets was sorted, the table was not."""
    data = f.friedman(2000)
    if not cured:
        data = d.Data(data.x, data.y.sort(0).values, data.val_x, data.val_y)
        mixed = torch.randperm(len(data.x))
        data.x = data.x[mixed]
    model = n.mlp([10, size.width, 1], nn.SiLU)
    nn.init.zeros_(model[-1].weight)  # type: ignore[arg-type]
    nn.init.zeros_(model[-1].bias)  # type: ignore[arg-type]
    how = torch.optim.SGD(model.parameters(), 0.02, momentum=0.9)
    return Training(model, data, how, objective=t.squares, steps=220, batch=64)


@part.sick("loss.flat", size=0)
def softmax_before_the_loss(size: Size, cured: bool) -> Training:
    """cross_entropy() is given probabilities, and has hardly a slope."""
    model = n.cnn(size)
    if not cured:
        model.append(nn.Softmax(1))
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, d.digits(500), how, steps=100, batch=48)


@part.sick("loss.flat", "gradient.vanishing weight.not_updating", size=2)
def pixels_divided_three_times(size: Size, cured: bool) -> Training:
    """ToTensor(), / 255 in the dataset and / 255 in the model: all pictures are black."""
    scale = 1 / 16 if cured else 1 / 255**3
    widths = [64, 2 * size.width, size.width, 10]
    model = nn.Sequential(nn.Flatten(), n.mlp(widths, nn.LeakyReLU))
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, d.digits(900, scale=scale), how, steps=200, batch=50)


@part.sick("loss.flat", "gradient.vanishing", size=1)
def padding_after_the_sentence(size: Size, cured: bool) -> Training:
    """The head reads the state after fifty symbols of padding; nothing of the text is left."""
    data = f.recall(400)
    if not cured:

        def pad(x: Tensor) -> Tensor:
            return F.pad(x, (0, 50))

        data = d.Data(pad(data.x), data.y, pad(data.val_x), data.val_y)
    model = n.Teller(nn.RNN, 7, size.width, 6)
    how = torch.optim.Adam(model.parameters(), 4e-3)
    return Training(model, data, how, steps=150)


# Diverging --------------------------------------------------------------------------------------


@part.sick(
    "loss.diverging",
    "loss.unstable gradient.exploding activation.dead weight.exploding",
    "weight.not_updating weight.update_too_large",
    size=0,
)
def gamma_above_one(size: Size, cured: bool) -> Training:
    """ExponentialLR with a gamma of 1.04, where 0.99 was meant."""
    gamma = 0.99 if cured else 1.04
    model = n.Skips(10, size.width, 3, 1, norm=False)
    how = torch.optim.Adam(model.parameters(), 1e-3)
    return Training(
        model, f.friedman(), how, objective=t.squares, schedule=lambda s: gamma**s, steps=230
    )


@part.sick(
    "loss.diverging",
    "loss.unstable gradient.exploding activation.saturated weight.exploding",
    "weight.update_too_large",
    size=0,
)
def range_test_never_ended(size: Size, cured: bool) -> Training:
    """The rate climbs tenfold every 50 steps to find a good one, and nobody stopped it."""

    def rate(step: int) -> float:
        return 300.0 if cured else 10 ** (step / 40)

    model = n.cnn(size, outs=4, activation=nn.Tanh)
    how = torch.optim.SGD(model.parameters(), 1e-4, momentum=0.9)
    return Training(model, f.bars(), how, schedule=rate, steps=200)


@part.sick(
    "loss.diverging",
    "loss.unstable gradient.exploding weight.exploding",
    "weight.update_too_large",
    size=2,
)
def noise_added_to_the_weights(size: Size, cured: bool) -> Training:
    """Noise against overfitting, added to the weights for good, where a copy was meant."""

    def noise(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            for p in model.parameters():
                p.add_(0.0 if cured else 0.2 * p.norm() / p.numel() ** 0.5 * torch.randn_like(p))

    model = n.mlp([20, size.width, size.width, 3], nn.GELU)
    how = torch.optim.SGD(model.parameters(), 0.01)
    return Training(model, f.tabular(500), how, after_step=noise, steps=300)


@part.sick("loss.diverging", "loss.unstable gradient.vanishing gradient.exploding", size=0)
def maximize_left_on(size: Size, cured: bool) -> Training:
    """The optimizer was copied from a policy gradient, with maximize=True."""
    model = n.Reader(nn.GRU, 1, size.width, 1)
    how = torch.optim.Adam(model.parameters(), 2e-3, maximize=not cured)
    return Training(model, f.series(300), how, objective=t.squares, steps=120)


# Unstable ---------------------------------------------------------------------------------------


@part.sick(
    "loss.unstable",
    "loss.diverging gradient.exploding weight.exploding",
    "weight.update_too_large",
    size=2,
)
def gradients_never_cleared(size: Size, cured: bool) -> Training:
    """zero_grad() was forgotten: each step goes along the sum of all gradients so far."""
    sums: dict[Tensor, Tensor] = {}

    def pile(model: nn.Module, step: int) -> None:
        for p in model.parameters():
            if p.grad is not None and not cured:
                sums[p] = p.grad + sums.get(p, 0)
                p.grad.copy_(sums[p])

    model = n.mlp([20, size.width, 3], nn.SiLU)
    how = torch.optim.SGD(model.parameters(), 0.3)
    return Training(model, f.tabular(500, flipped=0.2), how, before_step=pile, steps=250)


@part.sick("loss.unstable", size=1)
def one_file_counts_from_one(size: Size, cured: bool) -> Training:
    """Every twentieth batch comes from a file whose labels are one too high."""

    def shifted(batch: Batch, number: int) -> Batch:
        return batch if cured or number % 20 else (batch[0], (batch[1] + 1) % 10)

    model = n.Reader(nn.LSTM, 8, size.width, 10)
    how = torch.optim.Adam(model.parameters(), 5e-3)
    return Training(model, f.rows(400), how, corrupt=shifted, steps=300)


@part.sick("loss.unstable", "gradient.exploding weight.exploding weight.update_too_large", size=0)
def forecast_shaken(size: Size, cured: bool) -> Training:
    model = nn.Sequential(nn.Flatten(), n.mlp([20, 2 * size.width, 1], nn.SiLU))
    how = torch.optim.RMSprop(model.parameters(), 2e-3 if cured else 0.06)
    return Training(model, f.series(300), how, objective=t.squares, steps=250)


# Plateau ----------------------------------------------------------------------------------------


@part.sick("loss.plateau_early", "weight.not_updating", size=1)
def no_patience_at_all(size: Size, cured: bool) -> Training:
    """ReduceLROnPlateau, stepped with the loss of each batch and a patience of nothing."""
    model = n.mlp([20, 2 * size.width, size.width, 3], nn.ReLU)
    how = torch.optim.Adam(model.parameters(), 5e-3)
    patience = 1000 if cured else 1
    plan = torch.optim.lr_scheduler.ReduceLROnPlateau(how, factor=0.5, patience=patience)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        value = t.cross_entropy(model, batch)
        if model.training:
            plan.step(value.detach())
        return value

    return Training(model, f.tabular(500), how, objective=loss, whole=t.cross_entropy, steps=250)


@part.sick("loss.plateau_early", "loss.unstable weight.exploding weight.update_too_large", size=0)
def tastes_jump_about(size: Size, cured: bool) -> Training:
    """Embeddings by Adam with a rate for plain descent: they never settle."""
    model = n.Factors(4)
    how = torch.optim.Adam(model.parameters(), 0.02 if cured else 0.2)
    return Training(model, f.ratings(), how, objective=t.squares, steps=300, batch=64)


@part.sick(
    "loss.plateau_early",
    "loss.unstable gradient.exploding activation.dead weight.exploding",
    size=2,
)
def pixels_by_rmsprop_too_fast(size: Size, cured: bool) -> Training:
    """Thrown far away by the first steps, it comes back in part; most units stay behind."""
    model = n.mlp([64, size.width, size.width, 10])
    how = torch.optim.RMSprop(model.parameters(), 2e-3 if cured else 0.1)
    return Training(model, f.standard_digits(500), how, steps=250)


@part.sick("loss.plateau_early", "weight.not_updating", size=0)
def rate_divided_at_each_batch(size: Size, cured: bool) -> Training:
    """ExponentialLR(gamma=0.95), stepped in the inner loop."""
    gamma = 1.0 if cured else 0.95
    model = nn.Sequential(nn.Flatten(), n.mlp([64, 2 * size.width, 10], nn.GELU))
    how = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    return Training(model, d.digits(500), how, schedule=lambda s: gamma**s, steps=200, batch=48)


# Not finite -------------------------------------------------------------------------------------


@part.sick("loss.nonfinite", size=2)
def squares_in_half_precision(size: Size, cured: bool) -> Training:
    """Prices to 346 as float16: the squares of some errors are above 65504."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        kind = torch.float32 if cured else torch.float16
        return F.mse_loss(model(batch[0]).to(kind), batch[1].to(kind)).float()

    data = d.diabetes(raw=True)
    model = n.mlp([10, size.width, 1], nn.ReLU)
    how = torch.optim.Adam(model.parameters(), 0.05)
    return Training(model, data, how, objective=loss, steps=150, batch=16)


@part.sick("loss.nonfinite", "gradient.nonfinite", size=1)
def divided_by_a_spread_of_zero(size: Size, cured: bool) -> Training:
    """Standardised pixel by pixel; the corners of the pictures never change."""
    data = d.digits(300)
    spread = data.x.std(0).clamp_min(1e-2 if cured else 0.0)
    mean = data.x.mean(0)
    data = d.Data((data.x - mean) / spread, data.y, (data.val_x - mean) / spread, data.val_y)
    model = n.cnn(size, norm=True)
    how = torch.optim.SGD(model.parameters(), 0.05)
    return Training(model, data, how, steps=100)


@part.sick("loss.nonfinite", "gradient.nonfinite activation.dead", size=0)
def softmax_by_hand(size: Size, cured: bool) -> Training:
    """exp(z) / sum(exp(z)) without taking the largest away, on measurements in raw units."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        logits = model(batch[0])
        if cured:
            return F.cross_entropy(logits, batch[1])
        p = logits.exp() / logits.exp().sum(1, keepdim=True)
        return -p.gather(1, batch[1][:, None]).log().mean()

    model = n.mlp([30, size.width, 2], nn.ReLU)
    how = torch.optim.Adam(model.parameters(), 0.01)
    return Training(model, d.cancer(raw=True), how, objective=loss, steps=150, batch=20)


@part.sick("loss.nonfinite", "gradient.nonfinite", size=2)
def logarithm_of_a_negative_forecast(size: Size, cured: bool) -> Training:
    """RMSLE: log(1 + prediction), and nothing keeps the prediction above -1."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        raw = model(batch[0])
        guess = F.softplus(raw) if cured else raw
        return F.mse_loss(torch.log1p(guess), torch.log1p(batch[1]))

    data = f.series(300)
    data = d.Data(data.x, (2.2 * data.y.abs() - 0.9).clamp_min(-0.95), data.val_x, data.val_y.abs())
    model = n.Reader(nn.LSTM, 1, size.width, 1)
    how = torch.optim.RMSprop(model.parameters(), 0.02)
    return Training(model, data, how, objective=loss, steps=150)


# Overfitting ------------------------------------------------------------------------------------


@part.sick("loss.overfitting", size=1, proof=proofs.not_generalising)
def thirty_tastes_for_sixty_people(size: Size, cured: bool) -> Training:
    """400 ratings, 3300 numbers to explain them: validation stays where it was."""
    data = f.ratings(400, noise=0.8)
    model = n.Factors(size.width, spread=0.05)
    how = torch.optim.Adam(model.parameters(), 0.02)
    return Training(model, data, how, objective=t.squares, steps=300, epoch=10, batch=60)


@part.sick("loss.overfitting", size=0)
def wide_net_on_noisy_labels(size: Size, cured: bool) -> Training:
    data = f.few(f.tabular(flipped=0.4), 150)
    model = n.mlp([20, 4 * size.width, 4 * size.width, 3])
    how = torch.optim.AdamW(model.parameters(), 2e-3)
    return Training(model, data, how, steps=400, epoch=10, batch=15)


@part.sick("loss.overfitting", size=2, proof=proofs.not_generalising)
def classes_counted_in_another_order(size: Size, cured: bool) -> Training:
    """The folders of validation were listed in another order: its labels are permuted."""
    data = f.few(d.digits(400), 400)
    data = d.Data(data.x, data.y, data.val_x, (data.val_y + 3) % 10)
    model = n.cnn(size, norm=True)
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, data, how, steps=200, epoch=20, batch=40)


@part.sick("loss.overfitting", size=1)
def attention_on_sixty_rows(size: Size, cured: bool) -> Training:
    data = f.few(f.rows(), 60, 150)
    wrong = torch.rand(60) < 0.2
    data.y = torch.where(wrong, torch.randint(0, 10, (60,)), data.y)
    model = n.Attends(32, 2, 10)
    how = torch.optim.Adam(model.parameters(), 2e-3)
    return Training(model, data, how, steps=240, epoch=8, batch=15, train_loss=True)
