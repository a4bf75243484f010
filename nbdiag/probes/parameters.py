"""Gradients, weights and updates of all parameters at once, without waiting for the device."""

from __future__ import annotations

import weakref
from collections.abc import Container, Iterable, Sequence
from itertools import compress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nbdiag.measures.recording import FROZEN, NO_GRADIENT
from nbdiag.probes.small import SmallWeights, norm_of, read_gradient
from nbdiag.probes.step_sample import Sample
from nbdiag.probes.tensor_norms import LARGE, Group, Member, dense, grouped, norms, part_of

_PLAIN = (torch.float32, torch.float64)
_RAW_AT_FIRST, _RAW_EVERY = 8, 16


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
        self._small = SmallWeights()
        self._kept: set[int] = set()  # of them, those whose copy is of this step
        self._frozen: dict[int, tuple[int, float]] = {}
        self._raw: dict[int, tuple[int, int]] = {}
        self._raw_norms: list[tuple[list[int], Tensor]] = []
        self._raw_due = self._raw_looks = 0
        self.with_gradient: list[int] = []
        """Parameters that had a gradient when they were last read, in order."""

    def covers(self, references: Sequence[weakref.ref[nn.Parameter]]) -> bool:
        """Whether these are the parameters that are being read already."""
        return len(references) == len(self.references) and all(
            new() is old() for new, old in zip(references, self.references, strict=True)
        )

    def _alive(self, only: Iterable[int] | None) -> list[tuple[int, nn.Parameter]]:
        chosen = range(len(self.references)) if only is None else only
        references = self.references
        return [(i, parameter) for i in chosen if (parameter := references[i]()) is not None]

    # When backward has ended -------------------------------------------------------------------

    def note_raw(self) -> None:
        """The gradients as backward left them: scaled under AMP, and not clipped yet.

        Whether somebody changes them before the step shows without measuring; their norms are
        taken at first, and for a while after such a change was seen.
        """
        self.forget_raw()
        members = []
        for index, parameter in self._alive(None):
            gradient = parameter.grad
            if gradient is not None:
                self._raw[index] = (id(gradient), gradient._version)
                if gradient.layout is torch.strided:
                    members.append((index, gradient))
        self._raw_looks += 1
        if self._raw_looks <= max(_RAW_AT_FIRST, self._raw_due):
            with torch.no_grad():
                parts = [(index, part_of(gradient)) for index, gradient in members]
                self._raw_norms = [(g.grad_index, norms(g.grads)) for g in grouped(parts)]

    @property
    def missed_backward(self) -> bool:
        """Whether there are gradients now, and no backward pass was heard in this step."""
        return not self._raw and bool(self.with_gradient)

    def forget_raw(self) -> None:
        """A new step begins."""
        self._raw.clear()
        self._raw_norms = []

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
        # A fused optimizer unscales inside step(): what lies in .grad is still scaled.
        fused = getattr(optimizer, "grad_scale", None)
        quick = fused is None and not self._defer
        with torch.no_grad():
            found = self._gradients(sample, alive, quick) if gradients else []
            held = self._weights(sample, alive, quick) if weights else []
            for group in grouped(found, held):
                self._take_norms(sample, group, fused)
                if group.grads:
                    self._take_zeros(sample, group)
            for index, parameter in held:
                norm = float(sample.weight_norm[index])
                if not parameter.requires_grad and np.isfinite(norm):
                    self._frozen[index] = (parameter._version, norm)
            if gradients:
                overflow = getattr(optimizer, "found_inf", None)
                if overflow is not None:
                    self._take(sample, overflow.detach().float().reshape(1), _overflow(sample))
                if sample.changed:
                    self._compare_with_raw(sample, dict(alive), fused if scale is None else scale)

    def _gradients(
        self, sample: Sample, alive: list[tuple[int, nn.Parameter]], quick: bool
    ) -> list[Member]:
        """Those that are still to be read, once the small ones are."""
        members, present = [], []
        for index, parameter in alive:
            gradient = parameter.grad
            if gradient is None or not parameter.requires_grad:
                sample.grad_norm[index] = np.nan
                sample.status[index] = NO_GRADIENT if parameter.requires_grad else FROZEN
                continue
            present.append(index)
            raw = self._raw.get(index)
            if raw is not None:
                sample.raw_seen.append(index)
                if raw != (id(gradient), gradient._version):
                    sample.changed.append(index)
            if quick and read_gradient(sample, index, gradient):
                continue
            members.append((index, _values(gradient)))
        read = {index for index, _ in alive}
        others = [index for index in self.with_gradient if index not in read]
        self.with_gradient = sorted(others + present) if others else present
        return members

    def _weights(
        self, sample: Sample, alive: list[tuple[int, nn.Parameter]], quick: bool
    ) -> list[Member]:
        """Those whose norm is still to be read; copies of all that may move are kept."""
        members: list[Member] = []
        held, now = [], []
        self._kept.clear()
        for index, parameter in alive:
            if not parameter.requires_grad:
                known = self._frozen.get(index)
                if known is not None and known[0] == parameter._version:
                    sample.weight_norm[index] = known[1]
                else:
                    members.append((index, parameter))
                continue
            small = self._small.view(index, parameter) if quick else None
            if small is not None:
                flat, room = small
                sample.weight_norm[index] = norm_of(flat)
                room[:] = flat
                self._kept.add(index)
                continue
            members.append((index, parameter))
            view: Tensor = parameter if index in self._exact else part_of(parameter)
            buffer = self._buffers.get(index)
            if buffer is None or buffer.shape != view.shape or buffer.device != view.device:
                buffer = self._buffers[index] = torch.empty_like(view, requires_grad=False)
            if view is not parameter:
                sample.enlarge[index] = (parameter.numel() / view.numel()) ** 0.5
            held.append(buffer)
            now.append(view)
        if held:
            torch._foreach_copy_(held, now)
        return members

    def _compare_with_raw(
        self, sample: Sample, parameters: dict[int, nn.Parameter], scale: Any
    ) -> None:
        self._raw_due = self._raw_looks + _RAW_EVERY
        changed = []
        for index in sample.changed:
            gradient = parameters[index].grad if index in parameters else None
            if gradient is not None:
                gradient = _values(gradient)
                changed.append((index, part_of(gradient)))
                if gradient.numel() > LARGE and dense(gradient):
                    sample.partial.add(index)
        for group in grouped(changed):
            self._take(sample, norms(group.grads), _put_in(sample.used_part, group.grad_index))
        for indices, values in self._raw_norms:
            # Of those at hand: another optimizer's may have been clipped before this pass.
            self._take(sample, values, _put_in(sample.raw_part, indices, parameters))
        if isinstance(scale, Tensor):
            self._take(sample, scale.detach().clone().reshape(1), _raw_scale(sample))
        elif scale is not None:
            sample.raw_scale = float(scale)

    # When the weights have moved ---------------------------------------------------------------

    def read_updates(self, sample: Sample, only: Iterable[int] | None) -> None:
        """How far the parameters `only` have moved since `read`. Uses up what it kept."""
        index, held, now = [], [], []
        with torch.no_grad(), np.errstate(invalid="ignore", over="ignore"):
            for i, parameter in self._alive(only):
                if i in self._kept:
                    small = self._small.view(i, parameter)
                    if small is not None:
                        flat, room = small
                        np.subtract(flat, room, out=room)
                        sample.update_part[i] = norm_of(room)
                    continue
                buffer = self._buffers.get(i)
                if buffer is None or sample.status[i] == FROZEN:
                    continue
                view: Tensor = parameter if i in self._exact else part_of(parameter)
                # A parameter may have been moved to another device meanwhile.
                if buffer.shape == view.shape and buffer.device == view.device:
                    index.append(i)
                    held.append(buffer)
                    now.append(view)
            if not held:
                return
            torch._foreach_sub_(held, now)
            for group in grouped(zip(index, held, strict=True)):
                self._take(sample, norms(group.grads), _put(sample.update_part, group.grad_index))

    # Putting numbers in their place ------------------------------------------------------------

    def _take(self, sample: Sample, values: Tensor, use: Any) -> None:
        sample.take(values, use, defer=self._defer)

    def _later(self, tensor: Tensor) -> bool:
        return tensor.device.type != "cpu" if self._defer is None else self._defer

    def _take_norms(self, sample: Sample, group: Group, fused: Any) -> None:
        tensors = group.grads + group.tensors
        n = len(group.grads)
        values = norms(tensors)
        if fused is not None:
            values[:n] /= fused.to(values)
        if self._later(values):
            tensors = []  # let go: the training may want their memory back

        def use(found: NDArray[Any]) -> None:
            if np.isfinite(found).all():
                exact = found
                sample.nonfinite[group.grad_index] = 0.0
            else:
                exact = _exact(found, tensors)
                sample.nonfinite[group.grad_index] = 0.0
                for i in np.flatnonzero(~np.isfinite(found[:n])) if tensors else ():
                    bad = tensors[i].numel() - int(torch.isfinite(tensors[i]).sum())
                    sample.nonfinite[group.grad_index[i]] = bad
            sample.set_gradients(group.grad_index, exact[:n])
            sample.set_weights(group.index, exact[n:])

        self._take(sample, values, use)

    def _take_zeros(self, sample: Sample, group: Group) -> None:
        parts = [part_of(tensor) for tensor in group.grads]
        if parts[0].dtype in _PLAIN and not self._later(parts[0]):
            for index, part in zip(group.grad_index, parts, strict=True):
                sample.zeros[index] = 1 - np.count_nonzero(part.numpy()) / max(1, part.numel())
            return
        sizes = np.array([max(1, part.numel()) for part in parts], np.float32)

        def use(found: NDArray[Any]) -> None:
            sample.zeros[group.grad_index] = 1 - found / sizes

        self._take(sample, norms(parts, 0), use)
        if self._later(parts[0]):
            # Whether something is not finite is not known here: x * 0 is NaN just then, and
            # NaN counts as not zero. Of a large tensor at least what the part holds.
            bad = norms(list(torch._foreach_mul(parts, 0)), 0)
            self._take(sample, bad, _put(sample.nonfinite, group.grad_index))


def _values(gradient: Tensor) -> Tensor:
    if gradient.layout is torch.strided:
        return gradient
    # Rows of an uncoalesced gradient repeat; coalesce() makes a copy.
    return gradient.coalesce().values()


def _put_in(target: dict[int, float], index: list[int], only: Container[int] | None = None) -> Any:
    wanted = None if only is None else [i in only for i in index]

    def use(found: NDArray[Any]) -> None:
        pairs = zip(index, found.tolist(), strict=True)
        target.update(pairs if wanted is None else compress(pairs, wanted))

    return use


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
    """The norms; where the squares of finite entries above 1e19 overflowed, again in float64."""
    exact = found.astype(np.float64)
    for i in np.flatnonzero(np.isinf(exact)) if tensors else ():
        wide = tensors[i].to(torch.float64)
        largest = wide.abs().max()
        if torch.isfinite(largest):
            exact[i] = float(largest) * float((wide / largest).norm())
    return exact
