"""Whether targets were compared with outputs that are not theirs, as the graph of a loss shows."""

from __future__ import annotations

from collections import deque
from typing import Any

from torch import Tensor

from nbdiag.measures.run import Run

_LOSSES, _NODES = 4, 64
_ELEMENTWISE = ("Sub", "Rsub", "Expand")


def broadcast_of(loss: Tensor) -> str:
    """What was compared with what, where (N, 1) met (N,); empty where each had its own partner.

    Of N outputs in a column and N targets in a row (or the other way round) broadcasting makes
    all N x N pairs, and the best answer to each input is the mean of the targets. It shows in the
    graph behind the loss, as shapes; nothing is computed. Two sides that both depend on the
    network are meant to meet so, as in ranking losses.

    >>> import torch
    >>> out, y = torch.zeros(8, 1, requires_grad=True), torch.zeros(8)
    >>> broadcast_of((out * 1 - y).square().mean())
    'outputs of shape (8, 1) met targets that broadcast to (8, 8)'
    >>> broadcast_of((out[:, 0] - y).square().mean())
    ''
    """
    waiting, seen = deque([loss.grad_fn]), 0
    while waiting and seen < _NODES:
        node, seen = waiting.popleft(), seen + 1
        if node is None:
            continue
        before = [child for child, _ in node.next_functions if child is not None]
        if any(child.name().endswith("AccumulateGrad") for child in before):
            continue  # a layer: what lies behind is the network
        if len(before) == 1 and node.name().startswith(_ELEMENTWISE):
            wide, own = _shape(node), _shape(before[0])
            n = wide[0] if wide else 0
            if n > 1 and wide == (n, n) and own in ((n, 1), (n,)):
                return f"outputs of shape {own} met targets that broadcast to {wide}"
        waiting.extend(before)
    return ""


def _shape(node: Any) -> tuple[int, ...]:
    """Of what an operation gave."""
    first = next(iter(node._input_metadata), None)
    return () if first is None else tuple(first.shape)


def look_at_losses(run: Run) -> None:
    """Look at the graphs of some of the first losses that are logged, and note what they show."""
    looks = 0

    def look(loss: Any) -> None:
        nonlocal looks
        looks += 1
        if looks == _LOSSES:
            run.look_at = None
        if not isinstance(loss, Tensor) or loss.grad_fn is None:
            return
        try:
            if found := broadcast_of(loss):
                run.unsettled.apply({"op": "remark", "about": "broadcast", "text": found})
        except Exception as error:
            run.look_at = None
            run.note_failure("loss", error)

    run.look_at = look
