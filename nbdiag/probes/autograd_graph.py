"""What the autograd graph behind an output tells of the functions that made it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

_AT_MOST = 20_000

FUNCTION_NODES: dict[str, tuple[str, Callable[[Any], Tensor]]] = {
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
RECOMPUTED = "CheckpointFunctionBackward"
"""The node of `torch.utils.checkpoint` with use_reentrant=True: nothing inside has a graph."""


def nodes_behind(output: Any, *stops: Container[int]) -> Iterator[Any]:
    """The nodes behind the tensors in `output`, each once, from the output on.

    Nodes whose id is in one of `stops` end it there.
    """
    todo = [t.grad_fn for t in tensors_in(output) if t.grad_fn is not None]
    known = {id(node): node for node in todo}
    at = 0
    while at < len(todo) and at < _AT_MOST:
        node = todo[at]
        at += 1
        yield node
        for following, _ in node.next_functions:
            if following is None or any(id(following) in stop for stop in stops):
                continue
            if id(following) not in known:
                known[id(following)] = following
                todo.append(following)


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors in what a forward() took or gave: also in tuples, dicts and dataclasses."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in tensors_in(item)]
    return []


def saving_is_hooked() -> bool:
    """Whether tensors saved for backward go through a hook: reading them would recompute."""
    top = getattr(torch._C._autograd, "_top_saved_tensors_default_hooks", None)
    return top is not None and top(False) is not None
