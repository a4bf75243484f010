"""The loss scale of automatic mixed precision, found without the user naming the scaler."""

from __future__ import annotations

import math
import sys
import weakref
from typing import Any

import torch

from nbdiag.probes.step_sample import Sample

_DEEP_ENOUGH = 16


def scaler_of_this_step() -> torch.amp.GradScaler | None:
    """The `GradScaler` whose `step()` is calling the optimizer now, if one is.

    It is the only one who knows the factor between what backward left and what the optimizer
    sees; it is an object of the caller, so the stack is where to find it.
    """
    frame = sys._getframe(1)
    for _ in range(_DEEP_ENOUGH):
        following = frame.f_back
        if following is None:
            return None
        frame = following
        if frame.f_code.co_name != "step":
            continue
        owner = frame.f_locals.get("self")
        if isinstance(owner, torch.amp.GradScaler):
            return owner
    return None


def scale_of(scaler: torch.amp.GradScaler | None) -> Any:
    """Its scale, on its device (reading it would wait), or None where none is in force."""
    if scaler is None or not scaler.is_enabled():
        return None
    return getattr(scaler, "_scale", None)


class SkippedSteps:
    """How many steps were left out because the scaled gradients overflowed.

    The hook of a plain optimizer is not called then; but each such step lowers the loss scale,
    which the next step that is sampled shows.
    """

    def __init__(self) -> None:
        self._scaler: weakref.ref[torch.amp.GradScaler] | None = None
        self._last: float | None = None

    def look(self, sample: Sample, scaler: torch.amp.GradScaler | None) -> None:
        """Note the scale of this step in `sample`."""
        scale = scale_of(scaler)
        if scaler is None or not isinstance(scale, torch.Tensor):
            return
        if self._scaler is None or self._scaler() is not scaler:
            self._scaler, self._last = weakref.ref(scaler), float(scaler._init_scale)
        backoff = scaler.get_backoff_factor()

        def use(found: Any) -> None:
            sample.amp = float(found[0]), backoff

        sample.take(scale.detach().clone().reshape(1), use)

    def count(self, sample: Sample) -> int:
        """Skipped steps between the sample before and this one, itself included; at least."""
        if sample.amp is None:
            return int(sample.skipped)
        scale, backoff = sample.amp
        before, self._last = self._last, scale
        if before is None or not scale < before or not 0 < backoff < 1:
            return 0
        return round(math.log(scale / before) / math.log(backoff))
