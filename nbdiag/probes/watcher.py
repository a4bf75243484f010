"""From optimizer steps to rows: fills the recording of one run, and never harms the training."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import LBFGS, Optimizer

from nbdiag.measures.histograms import next_due
from nbdiag.measures.run import Run
from nbdiag.measures.sampler import Every, Sampler
from nbdiag.probes.activations import COMPILED, ActivationReader, unseen
from nbdiag.probes.backward import BackwardEnd, ends
from nbdiag.probes.distributions import take_histograms
from nbdiag.probes.layout import ForwardOrder, describe
from nbdiag.probes.loss import LossListener
from nbdiag.probes.loss_graph import look_at_losses
from nbdiag.probes.outbox import Outbox, capturing
from nbdiag.probes.parameters import ParameterReader
from nbdiag.probes.scaler import SkippedSteps, scale_of, scaler_of_this_step
from nbdiag.probes.step_sample import Sample
from nbdiag.probes.steps import Steps
from nbdiag.probes.transfer import Transfer
from nbdiag.probes.uncompiled import leave_uncompiled

_PROBE = "gradient_flow"
_LOOK_AT_MODEL_EVERY = 256
_HOOK_AGAIN_EVERY = 64


class Log(Protocol):
    """What writes the recording down."""

    def close(self) -> None: ...


class Watcher:
    """Hears the steps of one model, measures, and hands the rows to its run.

    Between two steps of which the second is to be sampled it is *armed*: it hears the forward
    pass and the end of backward as well. At all other times there is only the optimizer's hook.
    """

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
        self.reader = ParameterReader(self.layout.references, exact=self.layout.row_wise)
        self.steps = Steps(self.layout.references, optimizers, self._on_step, self._on_stepped)
        recording = self.layout.recording()
        recording.scalar_log.send = Transfer
        recording.scalar_log.hurry = self._in_training
        recording.scalar_log.stand_by = self._stands_by
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
            on_mark=self._on_mark,
        )
        self._find_device(model)
        self.steps.idle = self._idle
        self.log: Log | None = None
        self._order: ForwardOrder | None = None
        self._loss: LossListener | None = None
        self._activations: ActivationReader | None = None
        self._backward = BackwardEnd(self._on_backward_end)
        self._hear_backward, self._hear_all = True, False
        self._heard: tuple[int, list[int]] = 0, []  # what `_backward` was armed for
        self._skipped = SkippedSteps()
        self._outbox = Outbox(self._append)
        self._inside: int | None = None
        self._stepped: set[int] = set()  # parameters that this step has updated so far
        self._sample: Sample | None = None
        self._computing: Optimizer | None = None  # inside its step, a closure makes the gradients
        self._samples = 0
        self._histograms_due = 1
        look_at_losses(self.run)

    def start(
        self, model: nn.Module, loss_fn: nn.Module | None, *, compiled: bool, reduced: bool
    ) -> None:
        """Attach the hooks.

        Parameters
        ----------
        compiled : in a compiled model no hook would see the layers.
        reduced : gradients are averaged over processes while backward ends, so what it left is
            not what would be clipped.
        """
        if any(hasattr(parameter, "to_local") for parameter in model.parameters()):
            # A norm over shards is a collective call: on one rank alone it would hang them all.
            self.run.fail(_PROBE, "sharded parameters (DTensor, FSDP2) are not supported")
            return
        self._hear_backward = not reduced
        self.steps.listen()
        if compiled:
            self.run.note_activations(COMPILED)
        elif isinstance(model, torch.jit.ScriptModule):
            self.run.note_activations("inside a scripted module no activation can be seen")
        else:
            self._order = ForwardOrder(model)
            self._activations = ActivationReader(model, self.run)
            for text in unseen(model):
                self.run.note_activations(text)
        if loss_fn is not None:
            self._loss = LossListener(loss_fn, self.model, self.run)
        self._arm()

    def stop(self) -> None:
        """Take the hooks away; from within one, only silence them until the next call."""
        self.steps.mute()
        if self._order is not None:
            self._order.stop()
        if self._loss is not None:
            self._loss.stop()
        if self._inside != threading.get_ident():
            self._disarm()
            if self._activations is not None:
                self._activations.stop()
            self.steps.remove()
            if self.log is not None:
                self.log.close()

    def collect(self) -> None:
        """Take the samples that wait on an accelerator; within a step only what has arrived."""
        if self._in_training():
            self._outbox.collect(hurry=True)
        elif self._stands_by():
            self._outbox.take()
        else:
            sample = self._sample
            if self.run.closed and sample is not None:
                self._sample = None
                self._outbox.put(sample)
            self._outbox.collect(hurry=False)

    def _stands_by(self) -> bool:
        """Whether another thread trains on CUDA: it sends the numbers on their way at its steps.

        It may be recording a graph, which any call to CUDA from here would break.
        """
        return self._cuda and self.run.training_elsewhere()

    def _in_training(self) -> bool:
        """Whether this is the training, in one of our hooks: it must not wait for a device."""
        return self._inside == threading.get_ident() and not self.run.closed

    # In the training thread --------------------------------------------------------------------

    def _on_step(self, optimizer: Optimizer | None, closure: bool) -> None:
        started = time.perf_counter()
        sampling = False
        self._inside = threading.get_ident()
        try:
            sampling = self._begin(optimizer, closure)
        except Exception as error:
            self._give_up(error)
        finally:
            self._inside = None
            self.run.sampler.spent(time.perf_counter() - started, sampling=sampling)

    def _idle(self) -> bool:
        return self._sample is None and not self.run.sampler.next_is_due

    def _on_stepped(self, optimizer: Optimizer) -> None:
        started = time.perf_counter()
        self._inside = threading.get_ident()
        try:
            self._end(optimizer)
        except Exception as error:
            self._give_up(error)
        finally:
            self._inside = None
            self.run.sampler.spent(time.perf_counter() - started, sampling=True)

    def _on_mark(self) -> None:
        self._on_step(None, closure=False)
        if self._sample is None or self.run.sampler.next_is_due:
            self._arm()

    def _on_backward_end(self) -> None:
        if self._cuda and capturing():
            return
        started = time.perf_counter()
        try:
            if self._computing is None:
                self.reader.note_raw()
            elif self._sample is not None and self._sample.late:
                self.reader.note_raw()
                if isinstance(self._computing, LBFGS):
                    # Its step makes many gradients: the first is that of where it starts.
                    self._read_gradients(self._sample, self._computing)
        except Exception as error:
            self._give_up(error)
        finally:
            self.run.sampler.spent(time.perf_counter() - started, sampling=True)

    def _give_up(self, error: Exception) -> None:
        self.steps.mute()
        self._sample = None
        if self._activations is not None:
            self._activations.off = True
        self.run.fail(_PROBE, error)

    def _begin(self, optimizer: Optimizer | None, closure: bool) -> bool:
        owned = [] if optimizer is None else self.steps.owned(optimizer)
        if optimizer is not None and (not owned or (self._cuda and capturing())):
            return False
        # Optimizers of different parameters make one training step together; it ends when one of
        # the parameters comes again, be it with the same optimizer or with its successor.
        begins = not self._stepped or not self._stepped.isdisjoint(owned) or not owned
        if begins:
            if self._sample is not None:
                self._complete(self._sample)
            self._stepped.clear()
            if self.run.step == 0:
                self._arrange()
                owned = [] if optimizer is None else self.steps.owned(optimizer)
            if self.run.next_step():
                self._look_at_model()
                self._sample = Sample(self.run.step, len(self.layout.parameters))
            else:
                self._disarm()
                if self._outbox and self._outbox.send():
                    self.run.sampled()
        if optimizer is not None:
            self._stepped.update(owned)
        sample = self._sample
        if sample is None:
            return False
        sample.only = only = self._answers_for(optimizer, owned, begins)
        if closure:
            sample.late, self._computing = True, optimizer
            self.reader.read(sample, only, gradients=False)
        else:
            scaler = scaler_of_this_step()
            self._skipped.look(sample, scaler)
            self.reader.read(sample, only, optimizer, scale_of(scaler))
            if self._backward.armed and self.reader.missed_backward:
                # Other parts than before were trained.
                self._hear_all, self._heard = True, (0, [])
            self._take_histograms(sample)
        sample.updates_due = None if optimizer is None else list(owned)
        return True

    def _answers_for(
        self, optimizer: Optimizer | None, owned: list[int], begins: bool
    ) -> list[int] | None:
        """The parameters to read at this optimizer's step; None for all."""
        if optimizer is not None and self.steps.is_alone(optimizer):
            return None
        known = self.steps.known()
        if len(known) <= 1:
            return None
        # Each at its own step: alternating schemes clear the gradients in between.
        if not begins:
            return list(owned)
        everyone = set().union(*map(self.steps.owned, known))
        return [*owned, *(set(range(len(self.layout.parameters))) - everyone)]

    def _end(self, optimizer: Optimizer) -> None:
        owned = self.steps.owned(optimizer)
        if not owned or not self._stepped.issuperset(owned):
            return
        sample = self._sample
        if sample is not None:
            if sample.late:
                self._read_gradients(sample, optimizer)
            self._computing = None
        known = [] if self.steps.is_alone(optimizer) else self.steps.known()
        if sample is not None:
            # With one optimizer also what it does not hold: that this stays as it is shows.
            self.reader.read_updates(sample, None if len(known) <= 1 else owned)
            sample.updates_due = []
        if len(known) <= 1 or self._stepped.issuperset(set().union(*map(self.steps.owned, known))):
            if sample is not None:
                self._complete(sample)
            if self.run.sampler.next_is_due:
                self._arm()

    def _read_gradients(self, sample: Sample, optimizer: Optimizer) -> None:
        """Those that a closure has computed."""
        sample.late = False
        self.reader.read(sample, sample.only, optimizer, weights=False)
        self._take_histograms(sample)

    def _take_histograms(self, sample: Sample) -> None:
        if sample.step >= self._histograms_due:
            self._histograms_due = next_due(sample.step)
            with torch.no_grad():
                take_histograms(sample, self.layout.references)

    def _complete(self, sample: Sample) -> None:
        """The row of this step is complete."""
        if sample.updates_due is None:  # a marked step: the weights have moved by now
            self.reader.read_updates(sample, None)
        if self._activations is not None:
            self._activations.hand_over(sample)
        self._samples += 1
        if not self.run.sampler.next_is_due or self._samples % _HOOK_AGAIN_EVERY <= 1:
            self._disarm()  # else the same hooks serve the coming step
        self._sample = None
        news = self._outbox.put(sample) or self._outbox.send(now=self.run.listener_due())
        self.run.sampler.sampled()
        if news:
            self.run.sampled()

    def _append(self, sample: Sample) -> None:
        self.run.skipped_steps += self._skipped.count(sample)
        if sample.skipped:
            return
        self.run.unsettled.append_row(**sample.row())
        for op in sample.ops:
            self.run.unsettled.apply(op)

    def _arm(self) -> None:
        if self.steps.stopped:
            return
        self.reader.forget_raw()
        if self._hear_backward:
            alone, trained = self.steps.alone, self.reader.with_gradient
            heard = id(alone), trained
            if alone is None or self._heard != heard or not self._backward.armed:
                self._heard = heard
                self._backward.arm(self.layout.references, self._telling())
            self._backward.expect()
        if self._activations is not None:
            self._activations.arm()

    def _telling(self) -> Iterable[int]:
        """Parameters of which each backward pass reaches one: both ends of what was trained."""
        if self._hear_all or not self.reader.with_gradient:
            return range(len(self.layout.references))
        # Of several optimizers, a pass may be meant for one only.
        alone = self.steps.alone
        optimizers = self.steps.known() if alone is None else [alone]
        parts = [self.reader.with_gradient, *map(self.steps.owned, optimizers)]
        return ends(parts[0], parts[1:])

    def _disarm(self) -> None:
        self.reader.forget_raw()
        self._backward.disarm()
        if self._activations is not None:
            self._activations.disarm()

    def _arrange(self) -> None:
        """Before the first row: layers in the order in which they ran, parameters as they are."""
        called = None
        if self._order is not None:
            self._order.pause()
            called = self._order.called()
        model = self.model()
        if model is not None:
            self._find_device(model)
            self.layout = describe(model, called)
            if not self.reader.covers(self.layout.references):
                self.reader.set_references(self.layout.references, self.layout.row_wise)
            self.steps.set_references(self.layout.references)
            layout = self.layout
            self.run.arrange(
                layout.parameters, layout.layers, layout.layer_of, layout.kinds, layout.sizes
            )

    def _find_device(self, model: nn.Module) -> None:
        self._cuda = any(parameter.is_cuda for parameter in model.parameters())
        # (A step that a CUDA graph captures must not be counted: that has to be asked.)
        self.steps.pacer = None if self._cuda else self.run.sampler

    def _look_at_model(self) -> None:
        if self._samples % _LOOK_AT_MODEL_EVERY:
            return
        model = self.model()
        change = "" if model is None else self.layout.change(model)
        if change and change not in {failure.reason for failure in self.run.failures}:
            self.run.note_failure(_PROBE, change)


leave_uncompiled(Watcher._idle, Sampler.pass_by)
