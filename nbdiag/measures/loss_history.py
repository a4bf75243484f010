"""The losses of a training, and what is needed to tell why they are as they are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nbdiag.measures.head import outputs
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.recording import Recording, Rows
from nbdiag.measures.validation_curve import ValidationCurve
from nbdiag.measures.weight_history import OVERWRITTEN, THROWN, UPROOTED, WeightHistory
from nbdiag.measures.wording import fold


@dataclass(frozen=True, eq=False)
class LossHistory:
    """The losses of a training and what is needed to tell why they are as they are.

    Parameters
    ----------
    levels : the training loss, condensed; None when none was logged.
    bad : for each logged loss with NaN or infinite values: step of the first, how many there are,
        and whether it ended so.
    validation : validation next to training loss; None when none was logged.
    weights : None when no step was sampled.
    outputs : length of the bias of the last layer: the number of classes of a classifier.
    at_end : the activation whose values were found to be stuck at an end of their range, if any.
    broadcast : which outputs were compared with targets that are not theirs, if any.
    """

    levels: LossLevels | None
    bad: dict[str, tuple[int, int, bool]] = field(default_factory=dict)
    validation: ValidationCurve | None = None
    weights: WeightHistory | None = None
    outputs: int = 0
    at_end: str = ""
    broadcast: str = ""

    @classmethod
    def from_recording(
        cls,
        recording: Recording,
        rows: Rows | None = None,
        levels: LossLevels | None = None,
        weights: WeightHistory | None = None,
        at_end: str = "",
    ) -> LossHistory:
        """Condensed to at most 2,000 values and 1,000 samples of the weights."""
        scalars = recording.scalars
        levels = LossLevels.from_recording(recording) if levels is None else levels
        if weights is None and len(recording):
            weights = WeightHistory.from_recording(recording, rows, levels)
        bad: dict[str, tuple[int, int, bool]] = {}
        for name in ("loss", "train_loss", "val_loss"):
            if name in scalars:
                series = scalars[name]
                wrong = np.flatnonzero(~np.isfinite(series.values))
                if len(wrong):
                    ends = bool(wrong[-1] == len(series.values) - 1)
                    bad[name] = (int(series.steps[wrong[0]]), len(wrong), ends)
        validation = ValidationCurve.from_scalars(scalars)
        broadcast = recording.remarks.get("broadcast", "")
        return cls(levels, bad, validation, weights, outputs(recording), at_end, broadcast)

    @property
    def trained(self) -> int:
        """Optimizer steps that the training loss spans."""
        steps = None if self.levels is None else self.levels.steps
        return 0 if steps is None or not len(steps) else int(steps[-1] - min(steps[0], 1) + 1)

    @property
    def violent(self) -> str:
        """What shows that the steps were far too large, in words; empty when nothing does."""
        weights = self.weights
        if weights is None or not len(weights.matrices):
            return ""
        if self.uprooted:
            grew = fold(weights.uprooted)
            return f"the weights of a typical layer grew {grew} in the first steps"
        # A linear model has nothing that its first steps could spoil.
        ratio = weights.typical_ratio(late=not len(weights.hidden))
        if ratio > OVERWRITTEN:
            return f"a typical step changes {ratio:.2g} of the weights"
        return ""

    @property
    def uprooted(self) -> bool:
        """Whether the weights were replaced by much larger ones in the first steps."""
        weights = self.weights
        return weights is not None and len(weights.matrices) > 0 and weights.uprooted > UPROOTED

    @property
    def thrown(self) -> bool:
        """Whether the first steps left next to nothing of the weights that they found."""
        weights = self.weights
        return weights is not None and self.uprooted and float(np.median(weights.sprung)) > THROWN
