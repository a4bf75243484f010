"""How the weights of each layer grew and moved along a training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.recording import FROZEN, Codes, Floats, LayerInfo, Recording, Rows
from nbdiag.measures.robust import finite_median

OVERWRITTEN = 0.1
"""Steps of this share replace the weights within 1 / 0.1 = 10 when they agree, and within
1 / 0.1^2 = 100 when their directions are random; good practice is 0.001."""
FIRST_STEPS = 50
UPROOTED = 2.5
"""At this multiple of the norm, five sixths of its square are what training added: the scale that
the initialisation chose, so that signals pass through, is gone."""
THROWN = 4.0
"""And here all but a sixteenth."""
_EMBEDDINGS = ("Embedding", "EmbeddingBag")


@dataclass(frozen=True, eq=False)
class WeightHistory:
    """Norms of the weights of L layers, and of what each step changed, at T sampled steps.

    Parameters
    ----------
    layers : (L,) in forward order.
    steps : (T,) optimizer step numbers.
    norms : (T, L) Euclidean norm before the step.
    updates : (T, L) norm of the change that the step made; NaN where unknown.
    gradients : (T, L) norm of the gradient that the optimizer used; NaN where there is none.
    status : (T, L) 0 ok, 1 no gradient, 2 frozen, 3 NaN, 4 infinite.
    loss : how the training loss went, None where it was not logged.
    """

    layers: tuple[LayerInfo, ...]
    steps: NDArray[np.int64]
    norms: Floats
    updates: Floats
    gradients: Floats
    status: Codes
    loss: LossLevels | None = None

    @classmethod
    def from_recording(
        cls, recording: Recording, rows: Rows | None = None, loss: LossLevels | None = None
    ) -> WeightHistory:
        """At most 1,000 rows of it, the first and the last in full."""
        rows = recording.sketch() if rows is None else rows
        loss = LossLevels.from_recording(recording) if loss is None else loss
        return cls(
            recording.layers,
            rows.steps,
            rows.weight_norm,
            _completed(rows.update_norm, rows.weight_norm),
            rows.grad_norm,
            rows.status,
            loss,
        )

    @cached_property
    def matrices(self) -> NDArray[np.intp]:
        """Indices of the layers that hold a trained weight matrix or kernel, embeddings aside."""
        trained = (self.status != FROZEN).any(axis=0) if len(self.status) else ()
        keep = [
            i
            for i, layer in enumerate(self.layers)
            if layer.dims >= 2 and layer.kind not in _EMBEDDINGS and len(trained) and trained[i]
        ]
        return np.array(keep, np.intp)

    @cached_property
    def ratios(self) -> NDArray[np.float64]:
        """(T, L) norm of the change over norm of the weights; NaN where unknown or both are 0."""
        with np.errstate(all="ignore"):
            return self.updates.astype(np.float64) / self.norms

    @cached_property
    def gaps(self) -> NDArray[np.float64]:
        """(T,) optimizer steps that each sample stands for."""
        return np.diff(self.steps, append=self.steps[-1:] + 1).clip(1).astype(np.float64)

    @cached_property
    def paths(self) -> NDArray[np.float64]:
        """(L,) what all steps together could at most have changed, in norms of the weights; NaN
        where nothing is known.
        """
        known = np.isfinite(self.ratios)
        share = np.where(known, self.ratios, 0.0)
        total = (share * self.gaps[:, None]).sum(axis=0)
        # A layer that is known in some samples only: as far as these go.
        weight = (known * self.gaps[:, None]).sum(axis=0)
        with np.errstate(all="ignore"):
            return np.where(weight > 0, total * self.gaps.sum() / weight, np.nan)

    @cached_property
    def reference(self) -> NDArray[np.float64]:
        """(L,) the norm to compare with: at the start, or what is usual where a layer began at zero
        or next to it, as new heads and last layers of branches do.

        Usual is what the other layers have by entry, and at least half of what entries of 1 /
        sqrt(3 n), n of them on the way in, amount to in a square matrix.
        """
        if not len(self.norms):
            return np.zeros(len(self.layers))
        first = self.norms[0].astype(np.float64)
        sizes = np.sqrt([layer.size for layer in self.layers])
        with np.errstate(all="ignore"):
            rms = (first / sizes)[self.matrices]
        rms = rms[np.isfinite(rms) & (rms > 0)]
        usual = float(np.median(rms)) if len(rms) else 0.0
        return np.fmax(first, np.fmax(usual * sizes, 0.25 * np.sqrt(sizes)))

    @cached_property
    def growth(self) -> NDArray[np.float64]:
        """(T, L) norm over `reference`."""
        with np.errstate(all="ignore"):
            return self.norms / np.where(self.reference > 0, self.reference, np.nan)

    @property
    def trained(self) -> int:
        """Optimizer steps so far, by the samples and by the loss: samples may have become rare."""
        if not len(self.steps):
            return 0
        known = self.loss is not None and len(self.loss)
        last = max(int(self.steps[-1]), int(self.loss.steps[-1]) if self.loss and known else 0)
        return last - int(self.steps[0]) + 1

    @property
    def uprooted(self) -> float:
        """By how much the typical matrix has grown in the first fifty steps; NaN if unknown.

        Above `UPROOTED`, steps far too large have thrown the weights away.
        """
        if len(self.steps) < 5 or not len(self.matrices):
            return float("nan")
        stop = max(2, int(np.searchsorted(self.steps, FIRST_STEPS, side="right")))
        early = self.growth[:stop, self.matrices]
        finite = np.where(np.isfinite(early), early, np.inf)
        return float(np.median(finite.max(axis=0)))

    def typical_ratio(self, *, late: bool) -> float:
        """Median over the matrices of the median ratio in the second half, or in the first tenth
        without its first two steps (Adam's are of full size whatever the gradient); NaN if unknown.
        """
        count = len(self.steps)
        part = np.s_[count // 2 :] if late else np.s_[2 : max(12, count // 10)]
        ratios = self.ratios[part][:, self.matrices]
        return float(finite_median(finite_median(ratios)))

    @property
    def warming(self) -> bool:
        """Whether steps are getting larger, as in a warm-up: it is too early to call them small."""
        return self.typical_ratio(late=True) > 1.5 * self.typical_ratio(late=False)

    @property
    def harmless(self) -> bool:
        """The loss went down and stayed there."""
        return self.loss is not None and self.loss.solved


def _completed(updates: Floats, norms: Floats) -> Floats:
    """With 0 for layers whose steps were not seen, as no optimizer holds them, and whose norm never
    changed.
    """
    seen = np.asarray(np.isfinite(updates), np.bool_)
    if len(norms) < 2 or not seen.any():
        return updates
    still = norms.max(axis=0) - norms.min(axis=0) <= 1e-7 * norms[0]
    orphans = still & ~seen.any(axis=0)
    others = np.asarray(seen.any(axis=1), np.bool_)
    return np.where(orphans & others[:, None], np.float32(0), updates)
