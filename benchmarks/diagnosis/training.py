"""One training, described: model, data, optimizer, loss; and the loop that runs it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from benchmarks.diagnosis.data import Batch, Data
from nbdiag.measures.run import Run
from nbdiag.probes.watch import watch

Objective = Callable[[nn.Module, Batch], Tensor]


@dataclass(frozen=True)
class Size:
    """The variant of a training: how wide, how deep, and which of its optimizers (0, 1 or 2)."""

    width: int = 32
    depth: int = 6
    variant: int = 0


SIZES = (Size(16, 4, 0), Size(32, 6, 1), Size(64, 9, 2))


def cross_entropy(model: nn.Module, batch: Batch) -> Tensor:
    return F.cross_entropy(model(batch[0]), batch[1])


def squares(model: nn.Module, batch: Batch) -> Tensor:
    return F.mse_loss(model(batch[0]), batch[1])


def binary(model: nn.Module, batch: Batch) -> Tensor:
    return F.binary_cross_entropy_with_logits(model(batch[0]), batch[1])


def rebuild(model: nn.Module, batch: Batch) -> Tensor:
    """The loss of an autoencoder."""
    return F.mse_loss(model(batch[0]), batch[0])


@dataclass
class Training:
    """Everything that a loop needs.

    `schedule` gives the factor on the learning rate at a step, `corrupt` changes a batch on its
    way, `before_step` runs between backward() and the update, `after_step` behind it. With `epoch`
    a validation pass is logged every so many steps. With `loss_fn` the module's own hook logs the
    loss, without it the loop does; with `train_loss` the loop logs only means over an epoch.
    """

    model: nn.Module
    data: Data
    optimizer: Optimizer | Sequence[Optimizer]
    objective: Objective = cross_entropy
    steps: int = 150
    batch: int = 32
    accumulate: int = 1
    schedule: Callable[[int], float] | None = None
    corrupt: Callable[[Batch, int], Batch] | None = None
    before_step: Callable[[nn.Module, int], None] | None = None
    after_step: Callable[[nn.Module, int], None] | None = None
    epoch: int = 0
    train_loss: bool = False
    loss_fn: nn.Module | None = None
    closure: bool = False
    batches: Iterator[Batch] | None = None
    whole: Objective | None = None
    """What proofs evaluate on the whole data, if not the objective."""

    @property
    def optimizers(self) -> list[Optimizer]:
        given = self.optimizer
        return [given] if isinstance(given, Optimizer) else list(given)


class Observer(Protocol):
    def before_step(self, step: int) -> None: ...
    def after_step(self, step: int, loss: Tensor) -> None: ...
    def validated(self, step: int, train: float, validation: Tensor) -> None: ...


def evaluate(t: Training, batch: Batch) -> Tensor:
    """The loss of a batch in eval mode; every module's flag is put back."""
    flags = [(module, module.training) for module in t.model.modules()]
    t.model.eval()
    with torch.no_grad():
        loss = (t.whole or t.objective)(t.model, batch)
    for module, flag in flags:
        module.training = flag
    return loss


def train(t: Training, observer: Observer) -> None:
    """The plain loop of every tutorial."""
    batches = t.batches if t.batches is not None else t.data.batches(t.batch)
    groups = [group for optimizer in t.optimizers for group in optimizer.param_groups]
    rates = [group["lr"] for group in groups]
    recent: list[Tensor] = []
    drawn = itertools.count(1)

    def draw() -> Batch:
        batch, number = next(batches), next(drawn)
        return batch if t.corrupt is None else t.corrupt(batch, number)

    for step in range(1, t.steps + 1):
        if t.schedule is not None:
            for group, rate in zip(groups, rates, strict=True):
                group["lr"] = rate * t.schedule(step)
        if t.closure:
            loss = _with_closure(t, draw())
        else:
            for optimizer in t.optimizers:
                optimizer.zero_grad()
            loss = torch.zeros(())
            for _ in range(t.accumulate):
                part = t.objective(t.model, draw()) / t.accumulate
                if part.requires_grad:
                    part.backward()
                loss = part if t.accumulate == 1 else loss + part.detach()
            if t.before_step is not None:
                t.before_step(t.model, step)
            observer.before_step(step)
            for optimizer in t.optimizers:
                optimizer.step()
        if t.after_step is not None:
            t.after_step(t.model, step)
        observer.after_step(step, loss)
        recent.append(loss.detach())
        if t.epoch and step % t.epoch == 0:
            mean = float(torch.stack(recent).mean())
            recent.clear()
            observer.validated(step, mean, evaluate(t, t.data.validation))


def _with_closure(t: Training, batch: Batch) -> Tensor:
    (optimizer,) = t.optimizers

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = t.objective(t.model, batch)
        loss.backward()
        return loss

    return torch.as_tensor(optimizer.step(closure)).detach()  # type: ignore[arg-type]


@dataclass
class _Logs:
    """Does what a user does: run.log(); and asks at some steps, as a live widget does."""

    run: Run
    training: Training
    ask_at: frozenset[int] = frozenset()
    heard: dict[int, set[str]] = field(default_factory=dict)
    silent: bool = field(init=False)

    def __post_init__(self) -> None:
        self.silent = self.training.train_loss or self.training.loss_fn is not None

    def before_step(self, step: int) -> None:
        pass

    def after_step(self, step: int, loss: Tensor) -> None:
        if not self.silent:
            self.run.log(loss=loss)
        if step in self.ask_at:
            self.heard[step] = {finding.code for finding in self.run.findings()}

    def validated(self, step: int, train: float, validation: Tensor) -> None:
        self.run.log(val_loss=validation)
        if self.training.train_loss:
            self.run.log(train_loss=train)


def watched(
    t: Training, every: int | str = 1, *, asks: int = 0, heard: dict[int, set[str]] | None = None
) -> Run:
    """Train it under `nbdiag.watch`; `heard` gets the codes found at `asks` steps on the way."""
    run = watch(t.model, t.optimizers, t.loss_fn, every=every)  # type: ignore[arg-type]
    ask_at = frozenset(round(t.steps * i / (asks + 1)) for i in range(1, asks + 1))
    with run:
        train(t, _Logs(run, t, ask_at, {} if heard is None else heard))
    return run


def optimizer(
    model: nn.Module, size: Size, *, sgd: float, adam: float, weight_decay: float = 0.0
) -> Optimizer:
    """SGD, Adam or SGD with momentum, as the variant says."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    if size.variant == 1:
        return torch.optim.AdamW(parameters, adam, weight_decay=weight_decay)
    momentum = 0.9 if size.variant == 2 else 0.0
    rate = sgd / 5 if size.variant == 2 else sgd
    return torch.optim.SGD(parameters, rate, momentum=momentum, weight_decay=weight_decay)


class Nobody:
    """Trains unobserved, as before a fine-tuning."""

    def before_step(self, step: int) -> None:
        pass

    def after_step(self, step: int, loss: Tensor) -> None:
        pass

    def validated(self, step: int, train: float, validation: Tensor) -> None:
        pass
