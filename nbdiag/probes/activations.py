"""Looking at activations during the forward pass of a sampled step."""

from __future__ import annotations

import dataclasses
import time
import weakref
from typing import Any

import torch
from torch import Tensor, nn
from torch.compiler import is_dynamo_compiling
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from nbdiag.measures.activation_log import ActivationInfo
from nbdiag.measures.run import Run
from nbdiag.probes import looks
from nbdiag.probes.autograd_graph import (
    FUNCTION_NODES,
    RECOMPUTED,
    nodes_behind,
    saving_is_hooked,
    tensors_in,
)
from nbdiag.probes.layout import is_compiled
from nbdiag.probes.looks import FUNCTIONS, Look
from nbdiag.probes.outbox import capturing
from nbdiag.probes.passing_hook import PassingHook
from nbdiag.probes.step_sample import Sample

PROBE = "activation_stats"
COMPILED = "inside compiled code no activation can be seen"
_LOOK_FOR_FUNCTIONS_EVERY = 64

_RECOMPUTED = (
    "what torch.utils.checkpoint runs with use_reentrant=True runs without gradients and is not "
    "seen; with use_reentrant=False its modules are"
)
_SILENT_AT_MOST = 3

_ONE_OPERATION = (nn.RNNBase, nn.RNNCellBase)


class ActivationReader:
    """Hears the activations of one model while armed, and keeps what it saw for the sample.

    Functions such as `F.relu` are found in the autograd graph of the output; nothing about the
    forward pass changes.

    Validation passes do not count: only a forward pass in training mode with gradients does, and
    of those only the first one of a step.
    """

    def __init__(self, model: nn.Module, run: Run) -> None:
        self._run = run
        self._root = weakref.ref(model)
        self._names = {id(m): (name, weakref.ref(m)) for name, m in model.named_modules()}
        telling = [model, *(m for m in model.modules() if looks.kind_of(m) is not None)]
        self._few = {id(m): self._names[id(m)] for m in telling}
        self._wanted = self._names
        self._hook = PassingHook(register_module_forward_hook, self._hear)
        self._begin_hook = PassingHook(register_module_forward_pre_hook, self._begin)
        self._root_id = id(model)
        self._done = False
        self._seen: list[tuple[int, str, str, Look]] = []  # with its place in the forward pass
        self._place = 0
        self._calls: dict[str, int] = {}
        self._nodes: dict[int, tuple[Any, int, str, nn.Module]] = {}
        self._covered: set[int] = set()
        self._keep: list[Any] = []
        self._before: nn.Module | None = None
        self._tracks: dict[str, int] = {}
        self._dims: dict[str, int] = {}
        self._infos: dict[str, ActivationInfo] = {}
        self._broken: set[str] = set()
        self._passes = 0
        self._explained = False  # or it was said why not
        self._silent = 0
        self._packed = False
        self.off = False

    def arm(self) -> None:
        """Listen to the next forward pass."""
        self.forget()
        if not self._hook.up and not self.off:
            self._begin_hook.put_up()
            self._hook.put_up()

    def disarm(self) -> None:
        """Stop listening. What was seen stays until `hand_over` or `forget`."""
        self._begin_hook.take_down()
        self._hook.take_down()

    def stop(self) -> None:
        """Listen never again."""
        self._begin_hook.take_down(for_good=True)
        self._hook.take_down(for_good=True)

    def forget(self) -> None:
        """Drop what was seen."""
        self._done = False
        self._seen = []
        self._place = 0
        self._calls.clear()
        self._release()

    def _release(self) -> None:
        self._nodes.clear()
        self._covered.clear()
        self._keep.clear()
        self._before = None

    def hand_over(self, sample: Sample) -> None:
        """Put what was seen into `sample`."""
        seen, self._seen = self._seen, []
        self._release()
        self._say_what_was_missed()
        for _, name, kind, look in sorted(seen, key=lambda entry: entry[0]):
            track = self._track(name, kind, look)
            if track is None:
                continue
            if look.numbers is not None:
                sample.ops.append(look.op(sample.step, track, look.numbers))
            else:
                assert look.vector is not None
                sample.take(look.vector, _recorder(sample, look, track))

    def _say_what_was_missed(self) -> None:
        """In a step that was listened to; twice may be chance, as a validation before training."""
        if self._passes or self._explained:
            return
        self._silent += 1
        if self._place:
            if self._silent == _SILENT_AT_MOST:
                self._run.note_activations(
                    "the model's own forward() is not called, so functions such as F.relu are not "
                    "seen"
                )
                self._explained = True
        elif self._hook.compiled:
            self._run.note_activations(COMPILED)
            self._explained = True
        elif self._silent == _SILENT_AT_MOST:
            self._run.note_activations(
                "no module ran in training mode and with gradients, so no activation was seen"
            )

    def _track(self, name: str, kind: str, look: Look) -> int | None:
        number = self._tracks.get(name)
        log = self._run.unsettled.activations
        if number is None:
            number = self._tracks[name] = len(log)
            info = dataclasses.asdict(look.info)
            self._run.unsettled.apply({"op": "track", "info": info})
        elif log[number].units != look.info.units:
            if name not in self._broken:
                self._broken.add(name)
                self._run.note_failure(
                    PROBE,
                    f"{name} gave {look.info.units} units after {log[number].units}; "
                    "a changing width cannot be followed by unit",
                )
            return None
        return number

    # In the forward pass -----------------------------------------------------------------------

    def _begin(self, module: nn.Module, inputs: Any) -> None:
        if is_dynamo_compiling() or id(module) != self._root_id or self._done:
            return
        if self._place and module.training and torch.is_grad_enabled():
            self.forget()  # a pass before this one was broken off, by an interrupt or an error

    def _hear(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if is_dynamo_compiling():  # first, so that compiled code rests on no more
            return
        known = self._wanted.get(id(module))
        if known is None or self._done or not self._hook.up or torch.compiler.is_compiling():
            return
        if known[1]() is not module:
            return
        if not module.training or not torch.is_grad_enabled() or capturing():
            return
        started = time.perf_counter()
        try:
            self._look(known[0], module, inputs, output)
        except Exception as error:
            if known[0] not in self._broken:  # this module only; the others go on
                self._broken.add(known[0])
                where = known[0] or type(module).__name__
                self._run.note_failure(PROBE, f"{where}: {type(error).__name__}: {error}")
        finally:
            self._run.sampler.spent(time.perf_counter() - started, sampling=True)

    def _look(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        root = module is self._root()
        self._place += 2
        if isinstance(output, Tensor):
            kind = looks.kind_of(module)
            if kind is not None and name not in self._broken:
                self._add(name or type(module).__name__, type(module).__name__, output, *kind)
                if output.grad_fn is not None:
                    self._covered.add(id(output.grad_fn))
                    self._keep.append(output.grad_fn)  # an id is only its own while it lives
            elif not root and output.grad_fn is not None and not _holds(module):
                self._nodes[id(output.grad_fn)] = (output.grad_fn, self._place, name, module)
            if kind is None and _shapes_output(module):
                self._before = module
        elif not root:
            for tensor in tensors_in(output):  # an LSTM's, an attention's
                if tensor.grad_fn is not None and id(tensor.grad_fn) not in self._nodes:
                    self._nodes[id(tensor.grad_fn)] = (tensor.grad_fn, self._place, name, module)
        if isinstance(module, _ONE_OPERATION) and self._wanted is self._names:
            self._cover(inputs, output)
        if saving_is_hooked():
            self._packed = True
        if root:
            self._finish_pass(output)

    def _add(
        self,
        name: str,
        kind: str,
        output: Tensor,
        ends: looks.Ends,
        rectifies: bool,
        place: int | None = None,
    ) -> None:
        if not output.is_floating_point() or not output.numel():
            return
        call = self._calls[name] = self._calls.get(name, 0) + 1
        if call > 1:
            name = f"{name} ({call})"
        dim = self._dims.get(name)
        if dim is None:
            dim = self._dims[name] = looks.unit_dim(output, self._before)
        info = self._infos.get(name)
        if info is None or info.units != output.shape[dim]:
            info = looks.describe(name, kind, output, dim, ends, rectifies)
            self._infos[name] = info
        place = self._place if place is None else place
        self._seen.append((place, name, kind, Look(output, dim, info)))

    def _cover(self, inputs: Any, output: Any) -> None:
        """The gates of a recurrent module are its own business, however it computes them."""
        given = {id(tensor.grad_fn) for tensor in tensors_in(inputs)}
        for node in nodes_behind(output, given, self._covered):
            self._covered.add(id(node))
            self._keep.append(node)

    def _finish_pass(self, output: Any) -> None:
        self._passes += 1
        if self._wanted is self._names and not self._packed:
            functions = self._look_at_functions(output)
            if self._passes >= 2 and not functions:
                self._wanted = self._few  # all other modules need not be heard
        elif self._packed and self._passes == 1:
            self._run.note_activations(
                "saved tensors are packed here (checkpointing or offloading), so functions such "
                "as F.relu are not seen"
            )
        if self._passes % _LOOK_FOR_FUNCTIONS_EVERY == 0:
            self._wanted = self._names
        self._done = True
        self._release()

    def _look_at_functions(self, output: Any) -> bool:
        """Measure functional activations in the graph of `output`; whether there were any."""
        found = []
        node = None
        for node in nodes_behind(output):
            what = node.name()
            if what == RECOMPUTED:
                self._run.note_activations(_RECOMPUTED)
            kind = FUNCTION_NODES.get(what)
            if kind is not None and id(node) not in self._covered:
                found.append((node, *kind))
        if node is None:
            self._run.note_activations(
                f"functions such as F.relu are found from the tensors that forward() returns; "
                f"here it returns {type(output).__name__} without any, so they are not seen"
            )
        for node, function, value_of in reversed(found):  # the graph runs from the output back
            producer = self._producer(node)
            if producer is None:
                continue
            _, place, where, self._before = producer
            name = f"{function}({where})"
            if name in self._broken:
                continue
            with torch.no_grad():
                value = value_of(node)
            self._add(name, function, value, *FUNCTIONS[function], place + 1)
        return bool(found)

    def _producer(self, node: Any) -> tuple[Any, int, str, nn.Module] | None:
        """The nearest module whose output led to this function."""
        level = [node]
        for _ in range(32):
            level = [n for m in level for n, _ in m.next_functions if n is not None]
            for candidate in level:
                known = self._nodes.get(id(candidate))
                if known is not None:
                    return known
            if not level:
                break
        return None


def _recorder(sample: Sample, look: Look, track: int) -> Any:
    def use(numbers: Any) -> None:
        sample.ops.append(look.op(sample.step, track, numbers))

    return use


def _holds(module: nn.Module) -> bool:
    """Whether it is made of other modules: those tell where a value comes from."""
    return bool(module._modules)


def _shapes_output(module: nn.Module) -> bool:
    """Whether it decides where the channels of its output are; a dropout does not."""
    return bool(module._parameters) or isinstance(module, looks.CHANNELS_SECOND)


def unseen(model: nn.Module) -> list[str]:
    """What of the model's activations cannot be seen, in sentences."""
    said = []
    fused = [
        name or type(module).__name__
        for name, module in model.named_modules()
        if isinstance(module, _ONE_OPERATION)
    ]
    if fused:
        said.append(f"the gates inside {', '.join(fused[:3])} are one operation and are not seen")
    if any(map(is_compiled, model.modules())):
        said.append(COMPILED)
    return said
