"""How does a network end? Seen in the operations that it runs, not in the numbers it returns."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nbdiag.measures.outputs import Ending

# Names of ATen operations, without the leading and trailing underscores of their variants.
ENDINGS: dict[str, Ending] = {
    "softmax": "softmax",
    "safe_softmax": "softmax",
    "special_softmax": "softmax",
    "log_softmax": "log_softmax",
    "special_log_softmax": "log_softmax",
    "sigmoid": "sigmoid",
    "special_expit": "sigmoid",
    "log_sigmoid": "log_sigmoid",
    "log_sigmoid_forward": "log_sigmoid",
}
# New memory with the same meaning; views keep the memory and need no list.
COPIES = frozenset(
    {"clone", "to_copy", "to", "contiguous", "clamp", "clamp_min", "clamp_max", "clip"}
    | {"reshape", "flatten", "index", "index_select", "gather"}
    | {"squeeze_copy", "view_copy", "permute_copy", "select_copy", "slice_copy"}
)
AFTER: dict[tuple[Ending, str], Ending] = {
    ("log_softmax", "exp"): "softmax",
    ("softmax", "log"): "log_softmax",
    ("log_sigmoid", "exp"): "sigmoid",
    ("sigmoid", "log"): "log_sigmoid",
}


class EndingWatch(TorchDispatchMode):
    """Follow softmax and sigmoid results through views and copies, by the memory they lie in.

    It sees functional and module forms alike, also where autograd records nothing: in frozen
    models, under ``no_grad`` and under ``inference_mode``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ending_at: dict[int, Ending] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = func.overloadpacket.__name__.strip("_")
        before = [self.of(t) for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        memory = {_memory(t) for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)}
        out = func(*args, **(kwargs or {}))
        for result in tree_leaves(out):
            if not isinstance(result, torch.Tensor):
                continue
            at = _memory(result)
            first = before[0] if before else None
            if name in ENDINGS:
                self._ending_at[at] = ENDINGS[name]
            elif at in memory and not func._schema.is_mutable:
                pass  # a view
            elif first is not None and (name in COPIES or (first, name) in AFTER):
                self._ending_at[at] = AFTER.get((first, name), first)
            else:
                # Computed anew or in place, or memory that was free in the meantime.
                self._ending_at.pop(at, None)
        return out

    def of(self, tensor: torch.Tensor) -> Ending | None:
        """What a tensor comes out of; None for anything else."""
        return self._ending_at.get(_memory(tensor))


def _memory(tensor: torch.Tensor) -> int:
    # Sparse and other tensors without storage cannot be class scores.
    return tensor.untyped_storage().data_ptr() if tensor.layout == torch.strided else -1


def eager() -> AbstractContextManager[Any]:
    """Compiled modules run their own Python code inside, where hooks fire and modes see."""
    if hasattr(torch.compiler, "set_stance"):
        return torch.compiler.set_stance("force_eager")
    return nullcontext()  # before torch 2.6


def watched(run: Callable[[], Any], scores: Callable[[Any], Any]) -> tuple[Any, Ending | None]:
    """Run a model once and see how ``scores(answer)`` ends: ``(answer, ending)``."""
    watch = EndingWatch()
    with eager(), watch:
        answer = run()
    found = scores(answer)
    return answer, watch.of(found) if isinstance(found, torch.Tensor) else None
