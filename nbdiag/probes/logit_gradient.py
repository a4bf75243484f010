"""The gradient of a class's logit, also where the network goes on to softmax or sigmoid."""

from __future__ import annotations

import math
import re
from typing import Any

import torch

# Shape, type and place of the numbers change, not what they mean.
CARRIES_ON = frozenset(
    {"View", "UnsafeView", "Reshape", "ReshapeAlias", "Squeeze", "Unsqueeze", "Select", "Slice"}
    | {"Transpose", "T", "Permute", "Expand", "Clone", "Alias", "Contiguous", "ToCopy", "Index"}
    | {"AsStrided", "Split", "SplitWithSizes", "Unbind", "Narrow"}
)
# Steps between a logit and what is returned that keep the order of the classes.
SQUASHES = frozenset({"Softmax", "LogSoftmax", "Sigmoid", "LogSigmoid"})
AROUND = frozenset({"Exp", "Log", "Clamp", "ClampMin", "ClampMax"})


def squashing(output: torch.Tensor) -> list[tuple[str, Any]]:
    """``(kind, node)`` of the autograd nodes from the output back to the logits.

    Empty where the output is the logits already.
    """
    found: list[tuple[str, Any]] = []
    node = output.grad_fn
    while node is not None:
        kind = re.sub(r"Backward\d*$", "", node.name().split("::")[-1])
        if kind in SQUASHES:
            return [*found, (kind, node)]
        if kind in AROUND:
            found.append((kind, node))
        elif kind not in CARRIES_ON:
            break
        node = node.next_functions[0][0] if node.next_functions else None
    return []


def even(squashed: list[tuple[str, Any]]) -> float:
    """The value of a lone output at which its two classes are equally likely."""
    kinds = [kind for kind, _ in squashed]
    if not kinds:
        return 0.0
    logarithm = (kinds[-1] == "LogSigmoid") != any(kind in ("Exp", "Log") for kind in kinds)
    return math.log(0.5) if logarithm else 0.5


def logit_gradient(
    output: torch.Tensor,
    direction: torch.Tensor,
    at: torch.Tensor,
    squashed: list[tuple[str, Any]],
    *,
    keep: bool = False,
) -> torch.Tensor | None:
    """Gradient of ``(direction * logits).sum()`` at a tensor of the graph; None if it is not in it.

    ``direction`` has the shape of ``output``; ``keep`` keeps the graph for another call.
    Nodes between logits and output hand the incoming gradient on unchanged, which makes them the
    identity: the gradient is the logits' own, exact also where the softmax is saturated and its
    own gradient is 0.
    """
    handles = [node.register_hook(_identity) for _, node in squashed]
    try:
        (gradient,) = torch.autograd.grad(
            output, at, direction, retain_graph=keep, allow_unused=True
        )
    finally:
        for handle in handles:
            handle.remove()
    return gradient


def _identity(into: tuple[Any, ...], out_of: tuple[Any, ...]) -> tuple[Any, ...]:
    return (out_of[0], *into[1:])
