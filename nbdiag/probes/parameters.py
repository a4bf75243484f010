"""Gradients, weights and updates of all parameters at once, without waiting for the device."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nbdiag.measures.recording import FROZEN, NO_GRADIENT
from nbdiag.probes.step_sample import Sample

BLOCK, BLOCKS = 1024, 128
"""Of a tensor with more than 131,072 entries, the update, the zeros and what clipping did are read
from 128 evenly spaced blocks of 1,024: a copy of all weights at each step would cost more than the
rest together. The norms themselves are those of all entries."""

_HALF = (torch.float16, torch.bfloat16)
_Key = tuple[torch.device, torch.dtype]


def part_of(tensor: Tensor) -> Tensor:
    """The tensor, or blocks of one that is large; a view in either case."""
    size = tensor.numel()
    if size <= BLOCK * BLOCKS or not _dense(tensor):
        return tensor
    return tensor.as_strided((BLOCKS, BLOCK), (size // BLOCKS, 1), tensor.storage_offset())


def _dense(tensor: Tensor) -> bool:
    if tensor.is_contiguous():
        return True
    return tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)


def norms(tensors: list[Tensor], order: float = 2) -> Tensor:
    """(n,) the norms of n tensors of one device and type; order 0 counts what is not zero."""
    # A sum of squares in half precision overflows at 256 and stops growing at 2048 entries.
    wide = {"dtype": torch.float32} if tensors[0].dtype in _HALF else {}
    return torch.stack(torch._foreach_norm(tensors, order, **wide))


class _Group:
    """Tensors of one device and type, and the parameters they belong to."""

    def __init__(self) -> None:
        self.index: list[int] = []
        self.tensors: list[Tensor] = []

    def add(self, index: int, tensor: Tensor) -> None:
        self.index.append(index)
        self.tensors.append(tensor)


def _grouped(members: Iterable[tuple[int, Tensor]]) -> list[_Group]:
    groups: dict[_Key, _Group] = {}
    for index, tensor in members:
        key = (tensor.device, tensor.dtype)
        group = groups.get(key) or groups.setdefault(key, _Group())
        group.add(index, tensor)
    return list(groups.values())


class ParameterReader:
    """Reads the parameters that `references` name.

    Parameters
    ----------
    exact : indices whose update is always measured on all entries, since few of their rows
        change at a time (embeddings).
    defer : leave values where they are until `settle`; by default on accelerators only.
    """

    def __init__(
        self,
        references: Sequence[weakref.ref[nn.Parameter]],
        *,
        exact: Iterable[int] = (),
        defer: bool | None = None,
    ) -> None:
        self._defer = defer
        self.set_references(references, exact)

    def set_references(
        self, references: Sequence[weakref.ref[nn.Parameter]], exact: Iterable[int] = ()
    ) -> None:
        """Which parameters count from now on."""
        self.references = references
        self._exact = frozenset(exact)
        self._buffers: dict[int, Tensor] = {}
        self._frozen: dict[int, tuple[int, float]] = {}
        self._raw: dict[int, tuple[int, int]] = {}
        self._raw_norms: list[tuple[list[int], Tensor]] = []
        self.with_gradient: list[int] = []
        """Parameters that had a gradient when it was last read."""

    def covers(self, references: Sequence[weakref.ref[nn.Parameter]]) -> bool:
        """Whether these are the parameters that are being read already."""
        return len(references) == len(self.references) and all(
            new() is old() for new, old in zip(references, self.references, strict=True)
        )

    def _alive(self, only: Iterable[int] | None) -> list[tuple[int, nn.Parameter]]:
        chosen = range(len(self.references)) if only is None else only
        alive = [(index, self.references[index]()) for index in chosen]
        return [(index, parameter) for index, parameter in alive if parameter is not None]

    # When backward has ended -------------------------------------------------------------------

    def note_raw(self) -> None:
        """The gradients as backward left them: scaled under AMP, and not clipped yet."""
        self._raw.clear()
        self._raw_norms.clear()
        members = []
        for index, parameter in self._alive(None):
            gradient = parameter.grad
            if gradient is None or gradient.layout is not torch.strided:
                continue
            self._raw[index] = (id(gradient), gradient._version)
            members.append((index, part_of(gradient.detach())))
        self._raw_norms = [(group.index, norms(group.tensors)) for group in _grouped(members)]

    def forget_raw(self) -> None:
        """A new step begins."""
        self._raw.clear()
        self._raw_norms.clear()

    # Before the weights move -------------------------------------------------------------------

    def read(
        self,
        sample: Sample,
        only: Iterable[int] | None,
        optimizer: Any = None,
        scale: Any = None,
        *,
        gradients: bool = True,
        weights: bool = True,
    ) -> None:
        """Put the gradients and weights of the parameters `only` (None: all) into `sample`.

        Parameters
        ----------
        scale : the loss scale of AMP in this step, a number or tensor; None without AMP.
        """
        alive = self._alive(only)
        with torch.no_grad():
            if weights:
                self._read_weights(sample, alive)
            if gradients:
                self._read_gradients(sample, alive, optimizer, scale)

    def _read_weights(self, sample: Sample, alive: list[tuple[int, nn.Parameter]]) -> None:
        members = []
        for index, parameter in alive:
            if not parameter.requires_grad:
                known = self._frozen.get(index)
                if known is not None and known[0] == parameter._version:
                    sample.weight_norm[index] = known[1]
                    continue
            members.append((index, parameter.detach()))
        for group in _grouped(members):
            self._take_norms(sample, sample.weight_norm, group, norms(group.tensors))
        for index, parameter in alive:
            if not parameter.requires_grad and np.isfinite(sample.weight_norm[index]):
                self._frozen[index] = (parameter._version, float(sample.weight_norm[index]))
        self._keep_weights(sample, alive)

    def _keep_weights(self, sample: Sample, alive: list[tuple[int, nn.Parameter]]) -> None:
        held, now = [], []
        for index, parameter in alive:
            if not parameter.requires_grad:
                continue
            view = parameter.detach()
            if index not in self._exact:
                view = part_of(view)
            buffer = self._buffers.get(index)
            if buffer is None or buffer.shape != view.shape or buffer.device != view.device:
                buffer = self._buffers[index] = torch.empty_like(view)
            sample.enlarge[index] = (parameter.numel() / max(1, view.numel())) ** 0.5
            held.append(buffer)
            now.append(view)
        if held:
            torch._foreach_copy_(held, now)

    def _read_gradients(
        self, sample: Sample, alive: list[tuple[int, nn.Parameter]], optimizer: Any, scale: Any
    ) -> None:
        members = []
        for index, parameter in alive:
            gradient = parameter.grad
            sample.grad_norm[index] = np.nan
            if not parameter.requires_grad:
                sample.status[index] = FROZEN
                continue
            if gradient is None:
                sample.status[index] = NO_GRADIENT
                continue
            raw = self._raw.get(index)
            if raw is not None:
                sample.raw_seen[index] = True
                sample.changed[index] = raw != (id(gradient), gradient._version)
            if gradient.layout is not torch.strided:
                # Rows of an uncoalesced gradient repeat; coalesce() makes a copy.
                gradient = gradient.coalesce().values()
            gradient = gradient.detach()
            sample.partial[index] = part_of(gradient) is not gradient
            members.append((index, gradient))
        self.with_gradient = [index for index, _ in members]
        # A fused optimizer unscales inside step(): what lies in .grad is still scaled.
        fused = getattr(optimizer, "grad_scale", None)
        for group in _grouped(members):
            values = norms(group.tensors)
            if fused is not None:
                values = values / fused.to(values)
            self._take_gradients(sample, group, values)
            self._take_zeros(sample, group)
        overflow = getattr(optimizer, "found_inf", None)
        if overflow is not None:
            self._take(sample, overflow.detach().float().reshape(1), _overflow(sample))
        self._compare_with_raw(sample, members, fused, scale)

    def _compare_with_raw(
        self, sample: Sample, members: list[tuple[int, Tensor]], fused: Any, scale: Any
    ) -> None:
        changed = [(index, part_of(g)) for index, g in members if sample.changed[index]]
        for group in _grouped(changed):
            self._take(sample, norms(group.tensors), _put(sample.used_part, group.index))
        if not changed:
            return
        for index, values in self._raw_norms:
            self._take(sample, values, _put(sample.raw_part, index))
        for amp in (fused if scale is None else scale,):
            if isinstance(amp, Tensor):
                self._take(sample, amp.detach().clone().reshape(1), _raw_scale(sample))
            elif amp is not None:
                sample.raw_scale = float(amp)

    # When the weights have moved ---------------------------------------------------------------

    def read_updates(self, sample: Sample, only: Iterable[int] | None) -> None:
        """How far the parameters `only` have moved since `read`. Uses up what it kept."""
        moved = []
        with torch.no_grad():
            for index, parameter in self._alive(only):
                buffer = self._buffers.get(index)
                view = parameter.detach()
                if index not in self._exact:
                    view = part_of(view)
                # A parameter may have been moved to another device meanwhile.
                if (
                    buffer is not None
                    and buffer.shape == view.shape
                    and buffer.device == view.device
                    and sample.status[index] != FROZEN
                ):
                    moved.append((index, buffer, view))
            if not moved:
                return
            torch._foreach_sub_([b for _, b, _ in moved], [v for _, _, v in moved])
            for group in _grouped((index, buffer) for index, buffer, _ in moved):
                self._take(sample, norms(group.tensors), _put(sample.update_part, group.index))

    # Putting numbers in their place ------------------------------------------------------------

    def _take(self, sample: Sample, values: Tensor, use: Any) -> None:
        sample.take(values, use, defer=self._defer)

    def _later(self, tensor: Tensor) -> bool:
        return tensor.device.type != "cpu" if self._defer is None else self._defer

    def _take_norms(
        self, sample: Sample, target: NDArray[Any], group: _Group, values: Tensor
    ) -> None:
        # The tensors are let go where values wait: the training may want their memory back.
        tensors = [] if self._later(values) else group.tensors

        def use(found: NDArray[Any]) -> None:
            target[group.index] = _exact(found, tensors)

        self._take(sample, values, use)

    def _take_gradients(self, sample: Sample, group: _Group, values: Tensor) -> None:
        tensors = [] if self._later(values) else group.tensors

        def use(found: NDArray[Any]) -> None:
            sample.set_gradients(group.index, _exact(found, tensors))
            sample.nonfinite[group.index] = 0.0
            for i in np.flatnonzero(~np.isfinite(found)) if tensors else ():
                bad = tensors[i].numel() - int(torch.isfinite(tensors[i]).sum())
                sample.nonfinite[group.index[i]] = bad

        self._take(sample, values, use)

    def _take_zeros(self, sample: Sample, group: _Group) -> None:
        parts = [part_of(tensor) for tensor in group.tensors]
        sizes = np.array([max(1, part.numel()) for part in parts], np.float32)

        def use(found: NDArray[Any]) -> None:
            sample.zeros[group.index] = 1 - found / sizes

        self._take(sample, norms(parts, 0), use)
        if self._later(parts[0]):
            # Whether something is not finite is not known here: x * 0 is NaN just then, and
            # NaN counts as not zero. Of a large tensor at least what the part holds.
            bad = norms(list(torch._foreach_mul(parts, 0)), 0)
            self._take(sample, bad, _put(sample.nonfinite, group.index))


def _put(target: NDArray[Any], index: list[int]) -> Any:
    def use(found: NDArray[Any]) -> None:
        target[index] = found

    return use


def _raw_scale(sample: Sample) -> Any:
    def use(found: NDArray[Any]) -> None:
        sample.raw_scale = float(found[0]) or 1.0

    return use


def _overflow(sample: Sample) -> Any:
    def use(found: NDArray[Any]) -> None:
        sample.skipped |= bool(found[0])

    return use


def _exact(found: NDArray[Any], tensors: list[Tensor]) -> NDArray[Any]:
    """The norms; where the squares of finite entries above 1e19 overflowed, once more in float64"""
    if np.isfinite(found).all():
        return found
    exact = found.astype(np.float64)
    for i in np.flatnonzero(np.isinf(exact)) if tensors else ():
        wide = tensors[i].to(torch.float64)
        largest = wide.abs().max()
        if torch.isfinite(largest):
            exact[i] = float(largest) * float((wide / largest).norm())
    return exact
