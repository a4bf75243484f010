"""A callback for the Trainer of transformers: `Trainer(..., callbacks=[WatchCallback()])`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nbdiag.integrations.hooks import Recorder, check_options, harmless
from nbdiag.probes.watch import watch

if TYPE_CHECKING:
    TrainerCallback = Any
else:
    try:
        from transformers import TrainerCallback
    except ModuleNotFoundError as error:
        if error.name != "transformers":
            raise
        raise ModuleNotFoundError(
            "nbdiag.integrations.transformers needs it: pip install transformers accelerate",
            name="transformers",
        ) from error

_NOT_MEASURED = ("train_loss", "epoch", "total_flos", "num_input_tokens_seen")
_TIMES = ("_runtime", "_per_second", "_preparation_time", "_compilation_time")


class WatchCallback(Recorder, TrainerCallback):
    """Watches each `train()`, from its first step to its end, be it an error.

    The loss of each optimizer step is recorded as ``loss``, over all batches that it accumulated;
    what the Trainer logs as well: ``eval_loss`` as ``val_loss``, all else by its own name, without
    the times. Several processes: the first one watches.

    Parameters
    ----------
    options : as `nd.watch` takes them, without the model and the optimizer.

    Attributes
    ----------
    run : what any widget takes, `nd.GradientFlow(callback.run)`; None before the first `train()`.

    Raises
    ------
    TypeError : for an option that `nd.watch` does not know.
    """

    def __init__(self, **options: Any) -> None:
        self._options = check_options(options)
        self._losses: list[Tensor] = []
        self._unwrap: Callable[[], None] | None = None

    # When it watches ---------------------------------------------------------------------------

    def on_init_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # A Trainer tells its callbacks nothing of an error; without this a run would stay open.
        trainer = _calling_trainer()
        if trainer is not None:
            _wrap(trainer, "train", self._closing)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.close()
        if not state.is_world_process_zero:
            return
        self.run = watch(kwargs["model"], kwargs["optimizer"], **self._options)
        self._losses, self.failed = [], False
        trainer = _calling_trainer()
        # Callbacks are not told the loss of a step; what the Trainer logs is a mean over many.
        if trainer is not None and "loss_fn" not in self._options:
            self._unwrap = _wrap(trainer, "training_step", self._listening)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the watching; the Trainer does it when `train()` ends."""
        unwrap, self._unwrap = self._unwrap, None
        if unwrap is not None:
            unwrap()
        if self.run is not None:
            self.run.close()

    def _closing(self, train: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(train)
        def closing(*args: Any, **kwargs: Any) -> Any:
            try:
                return train(*args, **kwargs)
            finally:
                self.close()

        return closing

    # What it records ---------------------------------------------------------------------------

    def _listening(self, training_step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(training_step)
        def listening(*args: Any, **kwargs: Any) -> Any:
            loss = training_step(*args, **kwargs)
            if isinstance(loss, Tensor) and loss.numel() == 1:
                self._losses.append(loss.detach().reshape(()).float())
            return loss

        return listening

    @harmless
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        losses, self._losses = self._losses, []
        if losses and self.run is not None:
            # A sum: each batch's part is divided by the number of batches already.
            self.run.log(loss=torch.stack(losses).sum())

    @harmless
    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        found = {}
        for name, value in (logs or {}).items():
            if not isinstance(value, Real) or name in _NOT_MEASURED or name.endswith(_TIMES):
                continue
            if name == "loss" and (self._unwrap is not None or "loss_fn" in self._options):
                continue
            found["val_loss" if name == "eval_loss" else name] = value
        if found and self.run is not None:
            self.run.log(**found)


def _calling_trainer() -> Any:
    """The Trainer on whose behalf a callback is being called; None when it cannot be told."""
    from transformers import Trainer

    frame: Any = sys._getframe(1)
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, Trainer):
            return owner
        frame = frame.f_back
    return None


def _wrap(owner: Any, name: str, around: Callable[[Any], Any]) -> Callable[[], None]:
    """Replace a method of one object; gives back what undoes it."""
    before = owner.__dict__.get(name)
    wrapped = around(getattr(owner, name))
    setattr(owner, name, wrapped)

    def undo() -> None:
        if owner.__dict__.get(name) is not wrapped:
            return  # somebody has wrapped it once more
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)

    return undo
