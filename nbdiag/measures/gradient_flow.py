"""Do all layers learn? Gradient norms by layer over a training, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.findings import Finding
from nbdiag.measures.recording import Codes, Floats, LayerInfo, Recording


@dataclass(frozen=True, eq=False)
class GradientHistory:
    """Gradient norms of L layers at T sampled optimizer steps."""

    layers: tuple[LayerInfo, ...]
    steps: NDArray[np.int64]
    norms: Floats
    weight_norms: Floats
    status: Codes

    @classmethod
    def from_recording(cls, recording: Recording) -> GradientHistory:
        rows = recording.sketch()
        return cls(recording.layers, rows.steps, rows.grad_norm, rows.weight_norm, rows.status)


def judge(history: GradientHistory, kinds: frozenset[str] = frozenset()) -> list[Finding]:
    return []
