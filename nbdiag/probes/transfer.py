"""Numbers on their way from an accelerator, without making the training wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


class Transfer:
    """A copy of tensors to this machine: begun at once, ended when somebody asks.

    One transfer a device and type. On CUDA it runs behind what the training has queued there, so
    that beginning it takes microseconds; on other accelerators it waits. To be begun in the thread
    that trains, whose stream it follows; `ready` may be asked in any, and what is ready may be
    taken in any: neither calls CUDA then, which in any thread would break the recording of a graph.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._sizes = [tensor.numel() for tensor in tensors]
        self._parts: list[tuple[list[int], Tensor]] = []
        self._events: list[Any] = []
        self._flags: list[Tensor] = []
        groups: dict[tuple[torch.device, torch.dtype], list[int]] = {}
        for i, tensor in enumerate(tensors):
            groups.setdefault((tensor.device, tensor.dtype), []).append(i)
        for (device, _), members in groups.items():
            with torch.no_grad():
                whole = torch.cat([tensors[i].detach().reshape(-1) for i in members])
            cuda = device.type == "cuda"
            self._parts.append((members, whole.to("cpu", non_blocking=cuda)))
            if cuda:
                # Behind the numbers on the same stream, so that they are here when it is.
                flag = torch.zeros(1, dtype=torch.uint8, pin_memory=True)
                flag.copy_(torch.ones(1, dtype=torch.uint8, device=device), non_blocking=True)
                self._flags.append(flag)
                event = torch.cuda.Event()
                event.record(torch.cuda.current_stream(device))
                self._events.append(event)

    def ready(self) -> bool:
        """Whether `arrays` would not wait."""
        return all(bool(flag.numpy()[0]) for flag in self._flags)

    def arrays(self) -> list[NDArray[Any]]:
        """The entries of each tensor, (n,), in the order given; waits for them."""
        if not self.ready():
            for event in self._events:
                event.synchronize()
        found: dict[int, NDArray[Any]] = {}
        for members, whole in self._parts:
            numbers = (whole.float() if whole.dtype == torch.bfloat16 else whole).numpy()
            start = 0
            for i in members:
                found[i] = numbers[start : start + self._sizes[i]]
                start += self._sizes[i]
        return [found[i] for i in range(len(self._sizes))]

    def numbers(self) -> list[float]:
        """The first entry of each."""
        return [float(array[0]) for array in self.arrays()]
