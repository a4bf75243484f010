"""From optimizer steps to rows: fills the recording of one run, and never harms the training."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from nbdiag.measures.run import Run
from nbdiag.measures.sampler import Every
from nbdiag.probes.layout import ForwardOrder, describe
from nbdiag.probes.norms import NormReader, Sample, settle
from nbdiag.probes.steps import Steps

_PROBE = "gradient_flow"
_PENDING_AT_MOST = 64
_LOOK_AT_MODEL_EVERY = 256


class Watcher:
    """Hears the steps of one model, measures, and hands the rows to its run."""

    def __init__(
        self,
        model: nn.Module,
        optimizers: Sequence[Optimizer],
        *,
        every: Every,
        budget: float,
        name: str | None,
        config: Mapping[str, Any] | None,
    ) -> None:
        kind = type(model).__name__
        self.model = weakref.ref(model)
        self.layout = describe(model)
        self.reader = NormReader(self.layout.references)
        self.steps = Steps(self.layout.references, optimizers, self._on_step)
        recording = self.layout.recording()
        recording.scalar_log.fetch = fetch_scalars
        self.run = Run(
            name or kind,
            recording,
            every=every,
            budget=budget,
            config=config,
            model_name=kind,
            model_kinds=self.layout.kinds,
            on_close=self.stop,
            collect=self.collect,
            on_mark=self._on_step,
        )
        self._order: ForwardOrder | None = None
        self._loss_handle: Any = None
        self._lock = threading.Lock()
        self._inside: int | None = None
        self._stepped: set[int] = set()  # parameters that this step has updated so far
        self._sample: Sample | None = None
        self._pending: list[Sample] = []
        self._samples = 0

    def start(self, model: nn.Module, loss_fn: nn.Module | None, *, compiled: bool) -> None:
        """Attach the hooks. In a compiled model none would see the order of the layers."""
        if any(hasattr(parameter, "to_local") for parameter in model.parameters()):
            # A norm over shards is a collective call: on one rank alone it would hang them all.
            self.run.fail(_PROBE, "sharded parameters (DTensor, FSDP2) are not supported")
            return
        self.steps.listen()
        if not compiled and not isinstance(model, torch.jit.ScriptModule):
            self._order = ForwardOrder(model)
        if loss_fn is not None:
            self._loss_handle = loss_fn.register_forward_hook(self._on_loss)

    def stop(self) -> None:
        """Take the hooks away; from within one, only silence them until the next call."""
        self.steps.mute()
        if self._order is not None:
            self._order.stop()
        if self._loss_handle is not None:
            self._loss_handle.remove()
        if self._inside != threading.get_ident():
            self.steps.remove()

    def collect(self) -> None:
        """Fetch the samples that wait on an accelerator."""
        with self._lock:
            if self.run.closed and self._sample is not None:
                sample, self._sample = self._sample, None
                self._pending.append(sample)
            pending, self._pending = self._pending, []
            settle(pending)
            for sample in pending:
                self._append(sample)

    # In the training thread --------------------------------------------------------------------

    def _on_step(self, optimizer: Optimizer | None = None) -> None:
        started = time.perf_counter()
        sampled = False
        self._inside = threading.get_ident()
        try:
            sampled = self._step(optimizer)
        except Exception as error:
            self.steps.mute()
            self.run.fail(_PROBE, error)
        finally:
            self._inside = None
            self.run.sampler.spent(time.perf_counter() - started, sampled=sampled)

    def _step(self, optimizer: Optimizer | None) -> bool:
        owned = [] if optimizer is None else self.steps.owned(optimizer)
        if optimizer is not None and (not owned or self._capturing(owned)):
            return False
        # Optimizers of different parameters make one training step together; it ends when one of
        # the parameters comes again, be it with the same optimizer or with its successor.
        begins = not self._stepped or not self._stepped.isdisjoint(owned) or not owned
        if begins:
            if self._sample is not None:
                self._finish()
            self._stepped.clear()
            if self.run.step == 0:
                self._arrange()
                owned = [] if optimizer is None else self.steps.owned(optimizer)
            if self.run.next_step():
                self._look_at_model()
                self._sample = Sample(self.run.step, len(self.layout.parameters))
        if optimizer is not None:
            self._stepped.update(owned)
        if self._sample is None:
            return False
        known = self.steps.known()
        if len(known) <= 1:
            self.reader.read(self._sample, None, optimizer)
            self._finish()
        else:
            # Each at its own step: alternating schemes clear the gradients in between.
            others = set().union(*map(self.steps.owned, known)) if begins else None
            orphans = [] if others is None else set(range(self._sample.width)) - others
            self.reader.read(self._sample, [*owned, *orphans], optimizer)
        self._samples += 1
        return True

    def _finish(self) -> None:
        """The row of this step is complete."""
        with self._lock:
            sample, self._sample = self._sample, None
            if sample is None:
                return
            wait = bool(sample.parts or self._pending)
            if wait:
                self._pending.append(sample)
            else:
                self._append(sample)
        if wait and (len(self._pending) >= _PENDING_AT_MOST or self.run.listener_due()):
            self.collect()
        if not self._pending:
            self.run.sampled()

    def _append(self, sample: Sample) -> None:
        if sample.skipped:
            self.run.skipped_steps += 1
            return
        self.run.append(sample.step, sample.grad_norm, sample.weight_norm, sample.status)

    def _arrange(self) -> None:
        """Before the first row: layers in the order in which they ran, parameters as they are."""
        called = None
        if self._order is not None:
            self._order.stop()
            called = self._order.called()
        model = self.model()
        if model is not None:
            self.layout = describe(model, called)
            self.reader.references = self.layout.references
            self.steps.set_references(self.layout.references)
            self.run.arrange(
                self.layout.parameters, self.layout.layers, self.layout.layer_of, self.layout.kinds
            )

    def _look_at_model(self) -> None:
        if self._samples % _LOOK_AT_MODEL_EVERY:
            return
        model = self.model()
        if model is not None and not self.layout.fits(model):
            raise RuntimeError("the model's parameters were replaced; watch it again")

    def _capturing(self, owned: list[int]) -> bool:
        parameter = self.layout.references[owned[0]]()
        if parameter is None or not parameter.is_cuda:
            return False
        return torch.cuda.is_current_stream_capturing()

    def _on_loss(self, _module: nn.Module, _inputs: Any, output: Any) -> None:
        model = self.model()
        if torch.compiler.is_compiling() or self.run.state not in ("waiting", "live"):
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
            self.run.log_at(self.run.step + 1, loss=output)
        except Exception as error:
            self._loss_handle.remove()
            self.run.note_failure("loss", error)
        finally:
            self.run.sampler.spent(time.perf_counter() - started)


def fetch_scalars(values: Sequence[Tensor]) -> list[float]:
    """The numbers in one-element tensors, in one transfer a device and type."""
    groups: dict[tuple[torch.device, torch.dtype], list[int]] = {}
    for i, value in enumerate(values):
        groups.setdefault((value.device, value.dtype), []).append(i)
    numbers = [0.0] * len(values)
    for members in groups.values():
        fetched = torch.stack([values[i].reshape(()) for i in members]).tolist()
        for i, number in zip(members, fetched, strict=True):
            numbers[i] = float(number)
    return numbers
