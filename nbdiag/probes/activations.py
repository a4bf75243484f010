"""Looking at activations during the forward pass of a sampled step."""

from __future__ import annotations

import dataclasses
import time
import weakref
from collections.abc import Callable, Container, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.module import register_module_forward_hook

from nbdiag.measures.activation_log import ActivationInfo
from nbdiag.measures.run import Run
from nbdiag.probes import looks
from nbdiag.probes.looks import FUNCTIONS, Look
from nbdiag.probes.step_sample import Sample

PROBE = "activation_stats"
_GRAPH_AT_MOST = 20_000
_LOOK_FOR_FUNCTIONS_EVERY = 64

_NODES: dict[str, tuple[str, Callable[[Any], Tensor]]] = {
    "ReluBackward0": ("relu", lambda node: node._saved_result),
    "SigmoidBackward0": ("sigmoid", lambda node: node._saved_result),
    "TanhBackward0": ("tanh", lambda node: node._saved_result),
    "GeluBackward0": (
        "gelu",
        lambda node: F.gelu(node._saved_self, approximate=node._saved_approximate),
    ),
    "SiluBackward0": ("silu", lambda node: F.silu(node._saved_self)),
}
"""Functions in a forward() leave a node in the graph, with what they gave or took."""

_ONE_OPERATION = (nn.RNNBase, nn.RNNCellBase)


class ActivationReader:
    """Hears the activations of one model while armed, and keeps what it saw for the sample.

    One global hook and none on the modules: a hook on a module would be copied into every deepcopy
    of the model and break pickling it. Functions such as `F.relu` are found in the autograd graph
    of the output; nothing about the forward pass changes.

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
        self._handle: Any = None
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
        self._packed = False
        self.off = False

    def arm(self) -> None:
        """Listen to the next forward pass."""
        self.forget()
        if self._handle is None and not self.off:
            self._handle = register_module_forward_hook(self._hear)

    def disarm(self) -> None:
        """Stop listening. What was seen stays until `hand_over` or `forget`."""
        if self._handle is not None:
            self._handle.remove()
            self._handle = None

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
        for _, name, kind, look in sorted(seen, key=lambda entry: entry[0]):
            track = self._track(name, kind, look)
            if track is None:
                continue
            if look.numbers is not None:
                sample.ops.append(look.op(sample.step, track, look.numbers))
            else:
                assert look.vector is not None
                sample.take(look.vector, _recorder(sample, look, track))

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

    def _hear(self, module: nn.Module, inputs: Any, output: Any) -> None:
        known = self._wanted.get(id(module))
        if known is None or self._done or torch.compiler.is_compiling():
            return
        if known[1]() is not module:
            return
        if not module.training or not torch.is_grad_enabled():
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
        if isinstance(module, _ONE_OPERATION) and self._wanted is self._names:
            self._cover(inputs, output)
        if _saving_is_hooked():
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
        given = {id(tensor.grad_fn) for tensor in _tensors(inputs)}
        for node in _graph(output, given, self._covered):
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
        for node in _graph(output):
            kind = _NODES.get(node.name())
            if kind is not None and id(node) not in self._covered:
                found.append((node, *kind))
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


def _graph(output: Any, *stops: Container[int]) -> Iterator[Any]:
    """The nodes behind the tensors in `output`, each once, from the output on.

    Nodes whose id is in one of `stops` end it there.
    """
    todo = [t.grad_fn for t in _tensors(output) if t.grad_fn is not None]
    known = {id(node): node for node in todo}
    at = 0
    while at < len(todo) and at < _GRAPH_AT_MOST:
        node = todo[at]
        at += 1
        yield node
        for following, _ in node.next_functions:
            if following is None or any(id(following) in stop for stop in stops):
                continue
            if id(following) not in known:
                known[id(following)] = following
                todo.append(following)


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in _tensors(item)]
    return []


def _saving_is_hooked() -> bool:
    """Whether tensors saved for backward go through a hook: reading them would recompute."""
    top = getattr(torch._C._autograd, "_top_saved_tensors_default_hooks", None)
    return top is not None and top(False) is not None


def unseen(model: nn.Module) -> list[str]:
    """What of the model's activations cannot be seen, in sentences."""
    fused = [
        name or type(module).__name__
        for name, module in model.named_modules()
        if isinstance(module, _ONE_OPERATION)
    ]
    if not fused:
        return []
    return [f"the gates inside {', '.join(fused[:3])} are one operation and are not seen"]
