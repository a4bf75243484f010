"""Healthy, to tune by: unusual tasks, losses, optimizers and schedules."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis import data as d
from benchmarks.diagnosis import networks as n
from benchmarks.diagnosis import training as t
from benchmarks.diagnosis.cases import Collection
from benchmarks.diagnosis.data import Batch
from benchmarks.diagnosis.proofs import learns
from benchmarks.diagnosis.training import Size, Training

part = Collection("dev")


@part.healthy(learns(0.3))
def older_optimizers(size: Size) -> Training:
    model = n.stack(size, nn.SiLU, depth=2, ins=1, outs=1)
    p = list(model.parameters())
    how = [
        torch.optim.Adagrad(p, 0.05),
        torch.optim.RMSprop(p, 2e-3),
        torch.optim.Adadelta(p, 1.0),
    ][size.variant]
    return Training(model, d.waves(), how, objective=t.squares, steps=600)


@part.healthy(learns(0.1))
def lbfgs_on_the_whole_set(size: Size) -> Training:
    model = n.stack(size, nn.Tanh, depth=2, ins=1, outs=1)
    how = torch.optim.LBFGS(model.parameters(), max_iter=6, line_search_fn="strong_wolfe")
    return Training(
        model, d.waves(256), how, objective=t.squares, steps=60, batch=256, closure=True
    )


@part.healthy(learns(0.85), quick=True)
def language_model(size: Size) -> Training:
    """Falls fast, then slower and slower, towards the entropy of the source, never to zero."""
    small = Size(max(16, size.width // 2), 3)
    model = n.Transformer(small, symbols=24, outs=24, length=16, causal=True, dropout=0.0)
    how = torch.optim.AdamW(model.parameters(), 3e-3)
    return Training(model, d.text(), how, steps=150, schedule=lambda s: min(1.0, s / 10))


@part.healthy(learns(0.8))
def rare_words_with_sparse_gradients(size: Size) -> Training:
    class Bag(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(400, size.width, sparse=True)
            self.head = nn.Linear(size.width, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.embed(x).mean(1))

    model = Bag()
    rare = (400 * torch.rand(1536, 6) ** 4).long()
    data = d.split(rare, rare.sum(1) % 4, 1024)
    words = torch.randn(400, 4)
    data.y, data.val_y = words[data.x].sum(1).argmax(1), words[data.val_x].sum(1).argmax(1)
    how = [
        torch.optim.SparseAdam(model.embed.parameters(), 0.02),
        torch.optim.Adam(model.head.parameters(), 5e-3),
    ]
    return Training(model, data, how, steps=250)


@part.healthy(learns(0.7))
def tied_autoencoder(size: Size) -> Training:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(size.width // 2, 64) / 8)
            self.inner, self.outer = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(64))

        def forward(self, x: Tensor) -> Tensor:
            h = F.gelu(x.flatten(1) @ self.weight.T + self.inner)
            return (h @ self.weight + self.outer).reshape(x.shape)

    model = Tied()
    how = t.optimizer(model, size, sgd=1.0, adam=3e-3)
    return Training(model, d.digits(), how, objective=t.rebuild, steps=300)


@part.healthy()
def moving_average_inside(size: Size) -> Training:
    """A slow copy of the network lives in the module; no optimizer touches it."""

    class WithCopy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = n.stack(size, nn.GELU, depth=2)
            self.slow = copy.deepcopy(self.net).requires_grad_(False)

        def forward(self, x: Tensor) -> Tensor:
            return self.net(x)

    def follow(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            pairs = zip(model.slow.parameters(), model.net.parameters(), strict=True)  # type: ignore[union-attr]
            for slow, fast in pairs:
                slow.lerp_(fast, 0.01)

    model = WithCopy()
    how = t.optimizer(model, size, sgd=0.4, adam=2e-3)
    return Training(model, d.vectors(), how, after_step=follow, steps=250)


@part.healthy()
def bfloat16_throughout(size: Size) -> Training:
    model = n.stack(size, nn.ReLU, nn.LayerNorm, depth=2).bfloat16()
    data = d.vectors()
    data = d.Data(data.x.bfloat16(), data.y, data.val_x.bfloat16(), data.val_y)
    return Training(model, data, torch.optim.SGD(model.parameters(), 0.2), steps=200)


@part.healthy(learns(0.75))
def curriculum_that_gets_harder(size: Size) -> Training:
    """Noise on the pictures grows; the loss creeps up while the network gets better."""

    def harder(batch: Batch, step: int) -> Batch:
        noise = 0.8 * min(1.0, max(0, step - 100) / 120)
        return batch[0] + noise * torch.randn_like(batch[0]), batch[1]

    model = n.resnet(size)
    how = t.optimizer(model, size, sgd=0.1, adam=3e-3)
    return Training(model, d.images(), how, corrupt=harder, steps=240)


@part.healthy(learns(0.8))
def lstm_with_its_gates(size: Size) -> Training:
    model = n.Recurrent(size, nn.LSTM, symbols=24, outs=24, every=True)
    how = torch.optim.Adam(model.parameters(), 1e-2)

    def clip(model: nn.Module, step: int) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)

    return Training(model, d.text(), how, before_step=clip, steps=180)


@part.healthy(learns(0.3))
def tanh_output_regression(size: Size) -> Training:
    model = n.stack(size, nn.Tanh, depth=2, outs=1).append(nn.Tanh())
    data = d.numbers()
    data = d.Data(data.x, torch.tanh(data.y), data.val_x, torch.tanh(data.val_y))
    how = t.optimizer(model, size, sgd=0.2, adam=3e-3)
    return Training(model, data, how, objective=t.squares, steps=250)


@part.healthy(learns(0.85), quick=True)
def sixty_steps_only(size: Size) -> Training:
    model = n.stack(size, nn.ReLU, nn.LayerNorm, depth=2)
    return Training(model, d.vectors(), t.optimizer(model, size, sgd=0.2, adam=3e-3), steps=60)


@part.healthy(learns(0.5))
def batch_norm_kept_in_eval(size: Size) -> Training:
    """Fine-tuning with frozen statistics."""
    model = n.resnet(size, ins=1, outs=10)
    data = d.digits()
    t.train(Training(model, data, torch.optim.Adam(model.parameters(), 3e-3), steps=60), t.Nobody())
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    model[-1] = nn.Linear(model[-1].in_features, 10)  # type: ignore[arg-type]
    return Training(model, data, torch.optim.Adam(model.parameters(), 5e-3), steps=150)


@part.healthy(learns(0.8))
def one_in_twenty_is_positive(size: Size) -> Training:
    data = d.vectors(2048)
    x = torch.cat([data.x, data.val_x])
    score = x @ torch.randn(16, 1)
    y = (score > torch.quantile(score, 0.95)).float()
    model = n.stack(size, depth=2, outs=1)
    how = t.optimizer(model, size, sgd=0.3, adam=2e-3)
    return Training(model, d.split(x, y, 2048), how, objective=t.binary, steps=350)


@part.healthy(learns(0.8))
def contrastive_pairs(size: Size) -> Training:
    """InfoNCE: starts at the logarithm of the batch size and falls slowly."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        x = batch[0][:64]
        one = F.normalize(model(x + 0.2 * torch.randn_like(x)), dim=1)
        two = F.normalize(model(x + 0.2 * torch.randn_like(x)), dim=1)
        return F.cross_entropy(one @ two.T / 0.2, torch.arange(len(x)))

    model = n.stack(size, depth=2, outs=8)
    how = torch.optim.Adam(model.parameters(), 3e-3)
    return Training(model, d.vectors(), how, objective=loss, batch=64, steps=250)


@part.healthy(learns(0.75))
def diffusion_like_noise_prediction(size: Size) -> Training:
    """Noise levels are drawn at random, so the loss of a step jumps about for ever."""

    class Denoiser(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = n.stack(Size(2 * size.width), nn.SiLU, depth=3, ins=3, outs=2)

        def forward(self, x: Tensor) -> Tensor:
            return self.net(x)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        x, noise = batch[0] / 2, torch.randn_like(batch[0])
        level = torch.rand(len(x), 1)
        mixed = (1 - level).sqrt() * x + level.sqrt() * noise
        return F.mse_loss(model(torch.cat([mixed, level], 1)), noise)

    model = Denoiser()
    how = torch.optim.AdamW(model.parameters(), 2e-3)
    return Training(model, d.rings(), how, objective=loss, steps=400)


@part.healthy(learns(0.6))
def focal_loss(size: Size) -> Training:
    def loss(model: nn.Module, batch: Batch) -> Tensor:
        nll = F.cross_entropy(model(batch[0]), batch[1], reduction="none")
        return ((1 - torch.exp(-nll)) ** 2 * nll).mean()

    model = n.stack(size, nn.LeakyReLU, depth=3)
    how = t.optimizer(model, size, sgd=0.4, adam=2e-3)
    return Training(model, d.vectors(), how, objective=loss, steps=250)


@part.healthy(learns(level=0.02), quick=True)
def solved_at_once(size: Size) -> Training:
    """An easy task: after 30 steps nothing is left to learn, and the loss lies near zero."""
    model = n.conv_stack(size, depth=3)
    n.scaled(model, 2**0.5)
    return Training(model, d.images(noise=0.1), torch.optim.Adam(model.parameters(), 5e-3))


@part.healthy(learns(level=0.25), quick=True)
def pre_trained_hardly_moves(size: Size) -> Training:
    """Begins with a low loss, as fine-tuning does; there is little left to gain."""
    data, model = d.vectors(2048), n.stack(size, nn.GELU, depth=2)
    t.train(
        Training(model, data, torch.optim.Adam(model.parameters(), 5e-3), steps=700), t.Nobody()
    )
    return Training(model, data, torch.optim.AdamW(model.parameters(), 2e-5), steps=150)


@part.healthy()
def decay_that_shrinks_weights(size: Size) -> Training:
    """Weights begin three times too large, and the decay takes them down to where they belong."""
    model = n.stack(size, nn.ReLU, nn.LayerNorm, depth=2, gain=3.0)
    if size.variant == 1:
        how: torch.optim.Optimizer = torch.optim.AdamW(model.parameters(), 5e-3, weight_decay=0.5)
    else:
        how = torch.optim.SGD(model.parameters(), 0.2, weight_decay=0.01)
    return Training(model, d.vectors(), how, steps=350)


@part.healthy(learns(0.6))
def plateau_and_then_a_drop(size: Size) -> Training:
    """Small weights, a product of three: nothing for long, gradients a thousandfold, then all."""
    layers = [nn.Linear(16, 16, bias=False) for _ in range(3)]
    for layer in layers:
        nn.init.eye_(layer.weight)
        layer.weight.data *= 0.12
    model = nn.Sequential(*layers, nn.Linear(16, 1, bias=False))
    how = torch.optim.Adam(model.parameters(), (2e-3, 3e-3, 4e-3)[size.variant])
    return Training(model, d.numbers(), how, objective=t.squares, steps=300)


@part.healthy(learns(0.2))
def negative_log_likelihood_below_zero(size: Size) -> Training:
    """A Gaussian with its own width: the loss passes through zero and goes on."""

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        mean, log_var = model(batch[0]).chunk(2, 1)
        return F.gaussian_nll_loss(mean, batch[1], log_var.clamp(-5, 8).exp())

    model = n.stack(size, nn.SiLU, depth=2, ins=1, outs=2)
    how = torch.optim.Adam(model.parameters(), 2e-3)
    return Training(model, d.waves(), how, objective=loss, steps=500)


@part.healthy()
def one_sample_a_step(size: Size) -> Training:
    model = nn.Sequential(nn.Flatten(), n.stack(size, nn.ReLU, depth=2, ins=64, outs=10))
    how = t.optimizer(model, size, sgd=0.02, adam=1e-3)
    return Training(model, d.digits(), how, steps=1200, batch=1)


@part.healthy()
def unfrozen_half_way(size: Size) -> Training:
    def thaw(model: nn.Module, step: int) -> None:
        if step == 100:
            model.requires_grad_(True)

    model = n.Residual(size)
    how = torch.optim.SGD(model.parameters(), 0.05)
    model.blocks.requires_grad_(False)
    return Training(model, d.vectors(), how, after_step=thaw, steps=220)


@part.healthy()
def one_cycle(size: Size) -> Training:
    """The rate climbs to a peak that is nearly too high, then falls to zero."""

    def rate(step: int) -> float:
        return step / 90 if step < 90 else 0.5 * (1 + math.cos(math.pi * (step - 90) / 210))

    model = n.stack(size, nn.ReLU, nn.BatchNorm1d, depth=3)
    how = t.optimizer(model, size, sgd=0.5, adam=1e-2)
    return Training(model, d.vectors(), how, schedule=rate, steps=300)


@part.healthy(quick=True)
def validation_follows(size: Size) -> Training:
    """Validation stays a little above training, and both come to rest."""
    model = n.stack(size, nn.ReLU, depth=2)
    how = t.optimizer(model, size, sgd=0.2, adam=2e-3)
    return Training(model, d.vectors(4096, noise=0.1), how, steps=512, epoch=64, batch=64)


@part.healthy(learns(0.75))
def mean_of_the_epoch_only(size: Size) -> Training:
    """Loss from a hooked module in validation too; nothing but epoch means is logged by hand."""
    loss_fn = nn.CrossEntropyLoss()

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        return loss_fn(model(batch[0]), batch[1])

    model = n.stack(size, nn.ReLU, depth=2)
    how = t.optimizer(model, size, sgd=0.2, adam=2e-3)
    return Training(
        model, d.vectors(2048), how, objective=loss, loss_fn=loss_fn, epoch=32, steps=320, batch=64
    )
