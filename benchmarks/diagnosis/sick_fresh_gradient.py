"""Sick, never seen by the rules: the gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import data_fresh as f
from benchmarks.diagnosis import networks_fresh as n
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.collection_fresh import Fresh, exploding
from benchmarks.diagnosis.data import Batch
from benchmarks.diagnosis.training import Size, Training

part = Fresh()


# Vanishing --------------------------------------------------------------------------------------


@part.sick("gradient.vanishing", "loss.flat weight.not_updating", size=0)
def sigmoids_all_the_way_down(size: Size, cured: bool) -> Training:
    kind: type[nn.Module] = nn.SELU if cured else nn.Sigmoid
    model = nn.Sequential(nn.Flatten(), n.mlp([64, *[2 * size.width] * 7, 10], kind))
    how = torch.optim.SGD(model.parameters(), 0.02, momentum=0.9)
    return Training(model, d.digits(400), how, steps=200, batch=50)


@part.sick("gradient.vanishing", "loss.flat weight.not_updating", size=1)
def gates_closed_without_carry(size: Size, cured: bool) -> Training:
    """A highway whose carry was left out: closed gates let neither signal nor gradient pass."""

    class Highway(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            w = size.width
            self.stem = nn.Linear(10, w)
            self.layers = nn.ModuleList(nn.Linear(w, 2 * w) for _ in range(5))
            self.head = nn.Linear(w, 1)
            for layer in self.layers:
                nn.init.constant_(layer.bias[w:], -2.0)

        def forward(self, x: Tensor) -> Tensor:
            h = self.stem(x)
            for layer in self.layers:
                inner, gate = layer(h).chunk(2, 1)
                gate = torch.sigmoid(gate)
                h = gate * F.gelu(inner) + (1 - gate) * h * (1.0 if cured else 0.0)
            return self.head(h)

    model = Highway()
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    return Training(model, f.friedman(), how, objective=t.squares, steps=250)


@part.sick("gradient.vanishing", "loss.flat weight.not_updating", size=2)
def softmax_between_layers(size: Size, cured: bool) -> Training:
    """Softmax as the activation of every hidden layer."""
    widths = [20, *[size.width // 2] * 5, 3]
    layers = list(n.mlp(widths, nn.GELU))
    if not cured:
        layers = [nn.Softmax(1) if isinstance(m, nn.GELU) else m for m in layers]
    model = nn.Sequential(*layers)
    how = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    return Training(model, f.tabular(), how, steps=250)


@part.sick("gradient.vanishing", "loss.flat activation.dead weight.not_updating", size=0)
def deviation_of_a_hundredth(size: Size, cured: bool) -> Training:
    """normal_(0, 0.01), as in papers of 2012, in nine narrow convolutions without norms."""
    c = 8
    layers: list[nn.Module] = [nn.Conv2d(1, c, 3, 2, 1), nn.ReLU()]
    for _ in range(6):
        layers += [nn.Conv2d(c, c, 3, 1, 1), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * c, 4))
    for module in model:
        if isinstance(module, nn.Conv2d):
            if cured:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            else:
                nn.init.normal_(module.weight, std=0.025)
    how = torch.optim.SGD(model.parameters(), 0.02, momentum=0.9)
    return Training(model, f.bars(), how, steps=250)


# Exploding --------------------------------------------------------------------------------------


@part.sick(
    "gradient.exploding",
    "loss.nonfinite gradient.nonfinite loss.unstable loss.diverging",
    "weight.exploding weight.update_too_large",
    size=0,
    proof=exploding,
)
def powers_of_x_unscaled(size: Size, cured: bool) -> Training:
    """A curve is fitted by x, x^2 ... x^6 of x in -3 to 3, none of them scaled."""
    whole = d.waves()
    powers = [(whole.x * 1.5) ** k for k in range(1, 7)]
    held = [(whole.val_x * 1.5) ** k for k in range(1, 7)]
    x, v = torch.cat(powers, 1), torch.cat(held, 1)
    if cured:
        x, v = x / x.std(0), v / x.std(0)
    model = nn.Linear(6, 1)
    how = torch.optim.SGD(model.parameters(), 0.05 if cured else 1e-4)
    data = d.Data(x, whole.y, v, whole.val_y)
    return Training(model, data, how, objective=t.squares, steps=150)


@part.sick(
    "gradient.exploding",
    "loss.nonfinite gradient.nonfinite loss.unstable loss.diverging",
    "weight.exploding weight.update_too_large",
    size=1,
    proof=exploding,
)
def plus_where_a_minus_belongs(size: Size, cured: bool) -> Training:
    """p += rate * p.grad, written by hand for a recurrent forecast."""
    model = n.Reader(nn.RNN, 1, size.width, 1, nonlinearity="relu")
    how = torch.optim.SGD(model.parameters(), 0.02, maximize=not cured)
    return Training(model, f.series(300), how, objective=t.squares, steps=180)


@part.sick(
    "gradient.exploding",
    "loss.nonfinite gradient.nonfinite loss.unstable loss.diverging",
    "weight.exploding weight.update_too_large",
    size=2,
    proof=exploding,
)
def sum_where_a_mean_was_meant(size: Size, cured: bool) -> Training:
    """A filter is fitted to blurred pictures; reduction="sum" over 64 of them, rate of the mean."""
    data = d.digits(400)
    blur = torch.ones(1, 1, 3, 3) / 9
    y, v = F.conv2d(data.x, blur, padding=1), F.conv2d(data.val_x, blur, padding=1)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.mse_loss(model(batch[0]), batch[1], reduction="mean" if cured else "sum")

    model = nn.Sequential(nn.Conv2d(1, 1, 3, 1, 1))
    how = torch.optim.SGD(model.parameters(), 0.3 if cured else 1e-3)
    data = d.Data(data.x, y, data.val_x, v)
    return Training(model, data, how, objective=loss, steps=100, batch=64)


# Not finite -------------------------------------------------------------------------------------


@part.sick("gradient.nonfinite", "loss.nonfinite", size=1)
def distance_of_equal_pairs(size: Size, cured: bool) -> Training:
    """Siamese pairs, some of them a picture with itself: sqrt of a distance of exactly zero."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        other = torch.randint(0, len(batch[0]), (len(batch[0]),))
        other[0] = 0
        z = model(batch[0])
        squares = (z - z[other]).square().sum(1)
        apart = torch.sqrt(squares + 1e-6) if cured else torch.sqrt(squares)
        same = (batch[1] == batch[1][other]).float()
        return (same * apart.square() + (1 - same) * F.relu(2 - apart).square()).mean()

    model = n.cnn(size, outs=8, activation=nn.ELU)
    how = torch.optim.Adam(model.parameters(), 2e-3)
    return Training(model, d.digits(500), how, objective=loss, steps=80, batch=40)


@part.sick("gradient.nonfinite", "loss.nonfinite", size=0)
def normalised_gradient_of_zero(size: Size, cured: bool) -> Training:
    """p.grad / p.grad.norm(), by hand: once the hinge is satisfied it is zero over zero."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return F.multi_margin_loss(model(batch[0]), batch[1], margin=0.5)

    def unit(model: nn.Module, step: int) -> None:
        for p in model.parameters():
            if p.grad is not None:
                p.grad.div_(p.grad.norm() + (1e-6 if cured else 0.0))

    model = n.mlp([30, 2 * size.width, 2], nn.Tanh)
    how = torch.optim.SGD(model.parameters(), 0.02)
    return Training(model, d.cancer(), how, objective=loss, before_step=unit, steps=250, batch=20)


@part.sick("gradient.nonfinite", "loss.nonfinite", size=2)
def roots_of_sure_predictions(size: Size, cured: bool) -> Training:
    """Hellinger's distance: a probability that has underflowed to zero has a root of slope inf."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        p = model(batch[0]).softmax(1)
        p = p.clamp_min(1e-12) if cured else p
        return (p.sqrt() - F.one_hot(batch[1], 3).float()).square().sum(1).mean()

    model = n.mlp([13, size.width, 3], nn.SiLU)
    how = torch.optim.Adam(model.parameters(), 1e-3)
    return Training(model, d.wine(raw=True), how, objective=loss, steps=80, batch=20)


@part.sick("gradient.nonfinite", "loss.nonfinite", size=1)
def signed_root_of_zeros(size: Size, cured: bool) -> Training:
    """Power normalisation sign(h) * sqrt(|h|) behind a ReLU written by hand: zero over zero."""

    class Roots(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bag = n.Bag(80, size.width, size.width)
            self.head = nn.Linear(size.width, 2)

        def forward(self, x: Tensor) -> Tensor:
            h = self.bag(x)
            h = h * (h > 0).float()
            return self.head(h.sign() * (h.abs() + (1e-4 if cured else 0.0)).sqrt())

    model = Roots()
    how = torch.optim.Adagrad(model.parameters(), 0.02)
    return Training(model, f.reviews(500), how, steps=80)


# None -------------------------------------------------------------------------------------------


@part.sick("gradient.none", "weight.not_updating", size=1)
def places_never_added(size: Size, cured: bool) -> Training:
    """The embedding of the places is there, and forward() does not use it."""

    class Unplaced(n.Attends):
        def forward(self, x: Tensor) -> Tensor:
            h = self.embed(x)
            h = h + self.place if cured else h
            for block in self.blocks:
                h = block(h)
            return self.head(self.norm(h).mean(1))

    model = Unplaced(size.width, 2, 2, symbols=80, length=12)
    how = torch.optim.AdamW(model.parameters(), 2e-3)
    return Training(model, f.reviews(300), how, steps=60)


@part.sick("gradient.none", "loss.plateau_early weight.not_updating", size=2)
def one_tower_detached(size: Size, cured: bool) -> Training:
    """Two towers of a recommender; the one for items keeps a .detach() from debugging."""

    class Towers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            w = size.width
            self.user = nn.Sequential(nn.Embedding(60, w), nn.Linear(w, 8))
            self.item = nn.Sequential(nn.Embedding(40, w), nn.Linear(w, 8))
            self.mean = nn.Parameter(torch.tensor([3.5]))

        def forward(self, x: Tensor) -> Tensor:
            item = self.item(x[:, 1])
            item = item if cured else item.detach()
            return (self.user(x[:, 0]) * item).sum(1, keepdim=True) + self.mean

    model = Towers()
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, f.ratings(), how, objective=t.squares, steps=250, batch=64)


@part.sick("gradient.none", "activation.dead weight.not_updating", size=0)
def through_numpy_and_back(size: Size, cured: bool) -> Training:
    """Features are smoothed with numpy between the recurrent part and the head."""

    class Smooths(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(8, 2 * size.width, batch_first=True)
            self.head = n.mlp([2 * size.width, size.width, 10])

        def forward(self, x: Tensor) -> Tensor:
            h = self.rnn(x)[0][:, -3:]
            h = h if cured else torch.from_numpy(h.detach().numpy())
            return self.head(h.mean(1))

    model = Smooths()
    how = torch.optim.RMSprop(model.parameters(), 2e-3)
    return Training(model, f.rows(500), how, steps=200)


@part.sick("gradient.none", "weight.not_updating", size=1)
def one_block_too_few(size: Size, cured: bool) -> Training:
    """for i in range(len(blocks) - 1): the last residual block is never called."""

    class Skipped(n.Skips):
        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            for i in range(len(self.blocks) - (0 if cured else 1)):
                x = x + self.blocks[i](x)
            return self.head(x)

    model = Skipped(20, size.width, 3, 3)
    how = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, nesterov=True)
    return Training(model, f.tabular(), how, steps=150)
