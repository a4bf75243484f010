"""Hearing the loss of each training step from a loss module, and reading it later."""

from __future__ import annotations

import time
import weakref
from typing import Any

import torch
from torch import Tensor, nn

from nbdiag.measures.run import Run


class LossListener:
    """Logs what `loss_fn` gives as ``loss``, unless the model is being validated."""

    def __init__(self, loss_fn: nn.Module, model: weakref.ref[nn.Module], run: Run) -> None:
        self._model, self._run = model, run
        self._handle = loss_fn.register_forward_hook(self._on_loss)

    def stop(self) -> None:
        self._handle.remove()

    def _on_loss(self, _module: nn.Module, _inputs: Any, output: Any) -> None:
        model = self._model()
        if torch.compiler.is_compiling() or self._run.state in ("done", "failed"):
            return
        if model is None or not model.training or not torch.is_grad_enabled():
            return
        started = time.perf_counter()
        try:
            if not isinstance(output, Tensor) or output.dim():
                shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
                raise ValueError(
                    f"loss_fn returned {shape} and not one number; call run.log(loss=loss) instead"
                )
            if self._run.look_at is not None:
                self._run.look_at(output)
            self._run.log_at(self._run.step + 1, loss=output)
        except Exception as error:
            self.stop()
            self._run.note_failure("loss", error)
        finally:
            self._run.sampler.spent(time.perf_counter() - started)
