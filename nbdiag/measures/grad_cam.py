"""Where did a network look, and was there anything to see?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from nbdiag.measures.findings import Finding
from nbdiag.measures.result import Result

if TYPE_CHECKING:
    from nbdiag.measures.on_object import OnObject

TELL_FROM = 0.1  # share of the maps without evidence that is worth a sentence


@dataclass(frozen=True, repr=False)
class GradCAMResult(Result):
    """Grad-CAM maps of N inputs, each for one class.

    Selvaraju et al., Grad-CAM, ICCV 2017: the channels of a layer, weighted by the mean gradient
    of the class score, summed, and cut below zero.

    Attributes
    ----------
    maps : (N, h, w) float32, raw, at least 0; NaN where the network computed NaN. Not scaled, so
        that a map of almost nothing does not look as hot as any.
    targets : (N,) int64, the class that each map explains.
    layer : name of the layer whose channels were weighted.
    output_space : ``"logit"``: the score before softmax or sigmoid; of one logit z, +z explains
        class 1 and -z class 0.

    Raises ValueError for arrays that do not fit together.
    """

    figure_stem: ClassVar[str] = "grad_cam"

    maps: np.ndarray
    targets: np.ndarray
    layer: str
    output_space: Literal["logit"] = "logit"

    def __post_init__(self) -> None:
        maps = np.asarray(self.maps).view()
        targets = np.asarray(self.targets).view()
        if maps.ndim != 3 or targets.shape != maps.shape[:1]:
            raise ValueError(
                f"maps must be (N, h, w) and targets (N,), got {maps.shape} and {targets.shape}"
            )
        maps.flags.writeable = targets.flags.writeable = False
        object.__setattr__(self, "maps", maps)
        object.__setattr__(self, "targets", targets)

    def __len__(self) -> int:
        return len(self.maps)

    @property
    def peak(self) -> np.ndarray:
        """(N,) the largest value of each map; 0 = no positive evidence, NaN = not finite."""
        if self.maps[0:1].size == 0:
            return np.zeros(len(self.maps), np.float32)
        return self.maps.max(axis=(1, 2))

    @property
    def no_evidence(self) -> np.ndarray:
        """(N,) bool: nothing in the layer speaks for the class; the map is 0 everywhere."""
        return self.peak == 0

    def columns(self) -> Mapping[str, Any]:
        """A row for each map."""
        return {"target": self.targets, "peak": self.peak, "no_evidence": self.no_evidence}

    def on_object(self, *, masks: Any = None, boxes: Any = None, size: Any = None) -> OnObject:
        """What share of the evidence lies on the object? ``masks`` or ``boxes`` of the N inputs.

        See `nbdiag.measures.on_object.on_object`, which raises ValueError for objects that do not
        fit the maps.
        """
        from nbdiag.measures.on_object import on_object

        return on_object(self, masks=masks, boxes=boxes, size=size)

    def findings(self) -> list[Finding]:
        """``cam.no_evidence``, when a good share of the maps is empty."""
        empty, n = int(self.no_evidence.sum()), len(self)
        if n == 0 or empty / n < TELL_FROM:
            return []
        return [
            Finding(
                "cam.no_evidence",
                "info",
                self.layer,
                f"{empty} of {n} maps show no positive evidence for their class in {self.layer}: "
                "all of the weighted activation speaks against it.",
                {"empty": empty, "maps": n},
                "Read an empty map as 'not this class', ask for the predicted class instead of the "
                "true one, or look at an earlier layer.",
            )
        ]

    def __repr__(self) -> str:
        n, h, w = self.maps.shape
        empty = int(self.no_evidence.sum())
        note = f", {empty} without positive evidence" if empty else ""
        return f"Grad-CAM: {n} maps of {h}x{w} from {self.layer}, {self.output_space} space{note}"
