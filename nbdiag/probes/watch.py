"""Watching a training: gradient and weight norms of every layer, from any loop."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from nbdiag.measures.run import Run
from nbdiag.measures.sampler import Every
from nbdiag.probes.layout import is_compiled, is_reduced, unwrap
from nbdiag.probes.watcher import Watcher

_watchers: dict[int, Watcher] = {}  # by id(model), which outlives no model: see _forget
_followed: set[int] = set()
_abandoned: list[Watcher] = []


def watch(
    model: nn.Module,
    optimizer: Optimizer | Sequence[Optimizer] | None = None,
    loss_fn: nn.Module | None = None,
    *,
    every: Every = "auto",
    budget: float = 0.03,
    log_dir: str | Path | None = None,
    name: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> Run:
    """Watch a training: is it healthy, and if not, which layer, since when, and what to do?

    Records, at each sampled optimizer step, of every parameter the Euclidean norm of the gradient
    as the optimizer is about to use it (unscaled, accumulated, clipped) and before clipping, its
    share of zeros and its non-finite entries, the norm of the weights before the step and of the
    change that the step makes; of every activation mean, standard deviation, zeros, saturation and
    which units were active, in training passes only; and histograms of weights and gradients at
    log-spaced steps. Of tensors with more than 131,072 entries, change and zeros are measured on
    that many of them. The training stays bit-identical: nothing but hooks is added, and an error
    inside them is kept in `run.failures` and never reaches the loop.

    Parameters
    ----------
    model : what is trained. Compiled and data-parallel wrappers are looked through; under
        DistributedDataParallel the gradients are the mean over all ranks.
    optimizer : one or several; without it every optimizer that holds a parameter of `model` is
        heard. One step of each of several optimizers counts as one step. For a loop without
        `torch.optim` call `run.mark_step()` between `backward()` and the update.
    loss_fn : a loss *module*; its value at each training step is recorded as ``loss``.
    every : sample every n-th optimizer step, or "auto": the first 32, fewer up to step 128, then
        as many as `budget` allows.
    budget : share of the training time that "auto" may cost, in (0, 1].
    log_dir : folder for TensorBoard event files that hold all of the recording, written as it
        grows: ``nd.GradientFlow(log_dir)`` shows it anywhere, and TensorBoard its scalars and
        histograms.
    name : of the run; by default the model's class.
    config : hyper-parameters to keep with the run.

    Returns
    -------
    Run : a context manager; `run.close()` does the same. Watching a model again closes its earlier
        run.

    Raises
    ------
    TypeError : for a model or optimizer that is none.
    NotADirectoryError : for a `log_dir` that is a file.
    ValueError : for a model without parameters or with uninitialised ones, an optimizer that holds
        none of the model's parameters, a loss that is no module, a bad `every` or `budget`.

    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with watch(model, optimizer, name="tiny") as run:
    ...     for _ in range(30):
    ...         optimizer.zero_grad()
    ...         model(torch.randn(16, 4)).square().mean().backward()
    ...         optimizer.step()
    >>> run
    Run 'tiny': 30 optimizer steps, 2 layers, 58 parameters
    no findings
    >>> run.recording.stat("grad_norm").shape
    (30, 2)
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"watch() takes a torch.nn.Module, got {type(model).__name__}")
    optimizers = _optimizers(optimizer)
    if loss_fn is not None and not isinstance(loss_fn, nn.Module):
        raise ValueError(
            f"loss_fn must be a module such as nn.CrossEntropyLoss(), got "
            f"{getattr(loss_fn, '__name__', type(loss_fn).__name__)}, which cannot be hooked; "
            "leave it out and call run.log(loss=loss) in the loop"
        )
    given, model = model, unwrap(model)
    watcher = Watcher(model, optimizers, every=every, budget=budget, name=name, config=config)
    if log_dir is not None:
        from nbdiag.tracking.writer import attach

        watcher.log = attach(watcher.run, log_dir)
    earlier = _watchers.pop(id(model), None)
    if earlier is not None:
        earlier.run.close()
    _sweep()
    try:
        watcher.start(model, loss_fn, compiled=is_compiled(given), reduced=is_reduced(given))
    except BaseException:
        watcher.run.close()
        raise
    _watchers[id(model)] = watcher
    if id(model) not in _followed:  # one finalizer a model, however often it is watched
        _followed.add(id(model))
        weakref.finalize(model, _forget, id(model)).atexit = False
    return watcher.run


def watching(model: nn.Module) -> Run | None:
    """The run that watches `model` now, or None: whoever only wants to show it need not begin anew.

    >>> layer = nn.Linear(2, 1)
    >>> with watch(layer) as run:
    ...     watching(layer) is run
    True
    >>> watching(layer) is None
    True
    """
    watcher = _watchers.get(id(unwrap(model)))
    return None if watcher is None or watcher.run.closed else watcher.run


def _forget(key: int) -> None:
    # Runs whenever the garbage collector likes, perhaps amid torch's walk through its hooks or
    # under a lock of ours: only go quiet now, and tidy up when somebody calls.
    _followed.discard(key)
    watcher = _watchers.pop(key, None)
    if watcher is not None:
        watcher.run.abandon()
        watcher.steps.mute()
        _abandoned.append(watcher)


def _sweep() -> None:
    while _abandoned:
        _abandoned.pop().stop()


def _optimizers(given: Any) -> list[Optimizer]:
    if given is None:
        return []
    optimizers = list(given) if isinstance(given, list | tuple) else [given]
    for i, optimizer in enumerate(optimizers):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"optimizer must be a torch.optim.Optimizer or a list of them, "
                f"got {type(optimizer).__name__}"
            )
        if not hasattr(optimizer, "_optimizer_step_pre_hooks"):
            # A wrapper that is an Optimizer by name only, as accelerate's.
            optimizers[i] = getattr(optimizer, "optimizer", optimizer)
    return optimizers
