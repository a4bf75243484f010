"""Which parameters a model has, which layers own them, and in which order the layers run."""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.nn.parameter import UninitializedParameter

from nbdiag.measures.recording import LayerInfo, Recording
from nbdiag.probes.passing_hook import PassingHook

Owner = tuple[str, str]
"""The name of a module, and which of the layers in it."""


@dataclass(frozen=True)
class Layout:
    """Names, and weak references to what they name, so that the model can be freed."""

    parameters: tuple[str, ...]
    layers: tuple[LayerInfo, ...]
    layer_of: tuple[int, ...]
    references: tuple[weakref.ref[nn.Parameter], ...]
    kinds: frozenset[str]
    sizes: tuple[int, ...]
    row_wise: frozenset[int]
    """Parameters of which a step may change only a few rows: embeddings."""

    def recording(self) -> Recording:
        return Recording(self.parameters, self.layers, self.layer_of, self.sizes)

    def change(self, model: nn.Module) -> str:
        """Which parameters the model has got since, in words; "" for none.

        Raises
        ------
        RuntimeError : when one of those it had is gone.
        """
        now = {id(parameter): name for name, parameter in model.named_parameters()}
        for name, reference in zip(self.parameters, self.references, strict=True):
            if now.pop(id(reference()), None) is None:
                raise RuntimeError(
                    f"{name} was replaced by another parameter; watch the model again"
                )
        if not now:
            return ""
        names = ", ".join(list(now.values())[:3]) + (" and others" if len(now) > 3 else "")
        return f"{names} came after watch() and are not recorded; watch the model again"


def unwrap(model: nn.Module) -> nn.Module:
    """The user's own module inside torch.compile, DataParallel and DistributedDataParallel."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(
            model, nn.DataParallel | nn.parallel.DistributedDataParallel
        ):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def is_reduced(model: nn.Module) -> bool:
    """Whether its gradients are averaged over processes as backward ends."""
    while model is not (inner := getattr(model, "_orig_mod", model)):
        model = inner
    return isinstance(model, nn.parallel.DistributedDataParallel)


def is_compiled(model: nn.Module) -> bool:
    """Whether calling it runs code of torch.compile."""
    compiled = hasattr(model, "_orig_mod") or getattr(model, "_compiled_call_impl", None)
    return bool(compiled)


def describe(model: nn.Module, called: list[nn.Module] | None = None) -> Layout:
    """The layout of `model`; `called`: its modules in the order of their first forward call.

    Without it layers stand in registration order.
    """
    owners = dict(model.named_modules())
    names: list[str] = []
    references: list[weakref.ref[nn.Parameter]] = []
    owned: dict[Owner, list[int]] = {}
    for name, parameter in model.named_parameters():  # a shared parameter comes once
        if isinstance(parameter, UninitializedParameter):
            raise ValueError(
                f"parameter {name!r} has no shape yet (a lazy layer): "
                "pass one batch through the model before watching it"
            )
        owner, _, own = name.rpartition(".")
        owned.setdefault((owner, _level(owners[owner], own)), []).append(len(names))
        names.append(name)
        references.append(weakref.ref(parameter))
    if not names:
        raise ValueError(f"{type(model).__name__} has no parameters, so there is nothing to watch")

    order = list(owned)
    if called:
        order = _forward_order(order, owners, called)
    layers, layer_of, row_wise = [], [0] * len(names), set()
    for index, key in enumerate(order):
        owner, level = key
        members = [references[i]() for i in owned[key]]
        kind = type(owners[owner]).__name__
        layers.append(
            LayerInfo(
                ".".join(filter(None, (owner or kind, level))),
                kind,
                tuple(names[i] for i in owned[key]),
                sum(p.numel() for p in members if p is not None),
                max(p.dim() for p in members if p is not None),
            )
        )
        for i in owned[key]:
            layer_of[i] = index
        if isinstance(owners[owner], nn.Embedding | nn.EmbeddingBag):
            row_wise.update(owned[key])
    kinds = frozenset(type(module).__name__ for module in owners.values())
    alive = [reference() for reference in references]
    return Layout(
        tuple(names),
        tuple(layers),
        tuple(layer_of),
        tuple(references),
        kinds,
        tuple(0 if parameter is None else parameter.numel() for parameter in alive),
        frozenset(row_wise),
    )


def _level(module: nn.Module, name: str) -> str:
    """Which of the layers that a recurrent module stacks holds the parameter; "" where it is one.

    >>> _level(nn.LSTM(2, 2, num_layers=3, bidirectional=True), "weight_hh_l2_reverse")
    'l2'
    """
    if not isinstance(module, nn.RNNBase) or module.num_layers == 1:
        return ""
    found = re.search(r"_(l\d+)(_reverse)?$", name)
    return found[1] if found else ""


def _forward_order(
    order: list[Owner], owners: dict[str, nn.Module], called: list[nn.Module]
) -> list[Owner]:
    position = {id(module): float(i) for i, module in reversed(list(enumerate(called)))}
    ranks: dict[Owner, tuple[float, int]] = {}
    latest = -1.0
    for i, (owner, level) in enumerate(order):
        # A layer whose weights are used without calling it (the output projection of an
        # attention) stays behind the one that was registered before it.
        latest = position.get(id(owners[owner]), latest)
        ranks[owner, level] = (latest, i)
    return sorted(order, key=ranks.__getitem__)


class ForwardOrder:
    """Notes in which order the modules of `model` first run; then takes its hook away."""

    def __init__(self, model: nn.Module) -> None:
        self._root = id(model)
        self._modules = {id(module): weakref.ref(module) for module in model.modules()}
        self._called: dict[int, None] = {}
        self._hook = PassingHook(register_module_forward_pre_hook, self._note)
        self._hook.put_up()

    def _note(self, module: nn.Module, _inputs: object) -> None:
        # While compiling this is constant: nothing of the hook stays in the compiled code.
        if torch.compiler.is_compiling() or not self._hook.up:
            return
        key = id(module)
        if key not in self._modules:
            return
        if key == self._root and key in self._called:
            self._hook.take_down()
            return
        self._called.setdefault(key)

    def pause(self) -> None:
        """Hear no more; the hook may stay until `stop`."""
        self._hook.take_down()

    def stop(self) -> None:
        """Take the hook away."""
        self._hook.take_down(for_good=True)

    def called(self) -> list[nn.Module]:
        modules = [self._modules[key]() for key in self._called]
        return [module for module in modules if module is not None]
