"""A Lightning callback: `Trainer(callbacks=[WatchCallback()])` watches every `fit`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nbdiag.integrations.hooks import Recorder, check_options, harmless
from nbdiag.probes.watch import watch
from nbdiag.tracking.names import epoch_loss, loss_words


def _callback_class() -> Any:
    """The base class of whichever package is in use: each has a Trainer of its own."""
    packages = ["lightning.pytorch", "pytorch_lightning"]
    packages.sort(key=lambda name: name not in sys.modules)
    for name in packages:
        try:
            return importlib.import_module(name).Callback
        except ModuleNotFoundError as error:
            if error.name not in (name, name.partition(".")[0]):
                raise
    raise ModuleNotFoundError(
        "nbdiag.integrations.lightning needs Lightning: pip install lightning", name="lightning"
    )


if TYPE_CHECKING:
    Callback = Any
else:
    Callback = _callback_class()


class WatchCallback(Recorder, Callback):
    """Watches each `fit`, from its first training step to its end, be it an error.

    The loss that `training_step` returns is recorded at each optimizer step as ``loss``, the mean
    over the batches that the step accumulated. What the module logs with `self.log` is recorded as
    well: losses of an epoch as ``train_loss`` and ``val_loss``, all else by its own name. Several
    processes: the first one watches.

    Parameters
    ----------
    options : as `nd.watch` takes them, without the model and the optimizer.

    Attributes
    ----------
    run : what any widget takes, `nd.GradientFlow(callback.run)`; None before the first `fit`.

    Raises
    ------
    TypeError : for an option that `nd.watch` does not know.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._options = check_options(options)
        self._losses: list[Tensor] = []
        self._step = 0
        self._known: dict[str, Any] = {}

    # When it watches ---------------------------------------------------------------------------

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self.close()
        if not trainer.is_global_zero:
            return
        # The model as the strategy runs it tells whether gradients are averaged over processes.
        model = getattr(trainer.strategy, "model", None) or pl_module
        self.run = watch(model, trainer.optimizers, **self._options)
        self._losses, self._step, self.failed = [], 0, False
        self._known = dict(trainer.callback_metrics)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self.on_train_epoch_start(trainer, pl_module)
        self.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self.close()

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        self.close()

    def close(self) -> None:
        """End the watching; Lightning does it when `fit` ends."""
        if self.run is not None:
            self.run.close()

    # What it records ---------------------------------------------------------------------------

    @harmless
    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        assert self.run is not None
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if isinstance(loss, Tensor) and loss.numel() == 1 and "loss_fn" not in self._options:
            # Lightning has divided it, so that the accumulated gradients add up to their mean.
            parts = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
            self._losses.append(loss.detach().reshape(()).float() * parts)
        if self.run.step == self._step:
            return  # more batches to come before the step
        self._step = self.run.step
        if self._losses:
            self.run.log(loss=torch.stack(self._losses).mean())
            self._losses = []
        self._log({name: value for name, value in self._fresh(trainer).items() if _is_own(name)})

    @harmless
    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        self._log(self._fresh(trainer))

    @harmless
    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self._log(self._fresh(trainer))

    @harmless
    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        # The module's own hook at the end of an epoch logs after those of the callbacks.
        self._log(self._fresh(trainer))

    def _fresh(self, trainer: Any) -> dict[str, Any]:
        """The metrics that Lightning has computed since the last look: they lie elsewhere.

        The old ones are kept until then, so that no new one takes their place.
        """
        before, self._known = self._known, dict(trainer.callback_metrics)
        return {
            name: value
            for name, value in self._known.items()
            if name not in before or value.data_ptr() != before[name].data_ptr()
        }

    def _log(self, metrics: dict[str, Any]) -> None:
        found: dict[str, Any] = {}
        for name, value in metrics.items():
            if f"{name}_step" in metrics or f"{name}_epoch" in metrics:
                continue  # the same number once more, now of a step and now of an epoch
            found.setdefault(epoch_loss(name) or name, value)
        if found and self.run is not None:
            self.run.log(**found)


def _is_own(name: str) -> bool:
    """Whether a number of one step has a name of its own; its loss is recorded already."""
    return loss_words(name) is None
