"""How the weights of each layer grew and moved along a training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from nbdiag.measures.head import outputs
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.recording import FROZEN, Codes, Floats, LayerInfo, Recording, Rows
from nbdiag.measures.robust import block_medians, finite_median, rank_correlation
from nbdiag.measures.weight_parameters import kept, masked, unmoved

OVERWRITTEN = 0.1
"""Steps of this share replace the weights within 1 / 0.1 = 10 when they agree, and within
1 / 0.1^2 = 100 when their directions are random; good practice is 0.001."""
FIRST_STEPS = 50
UPROOTED = 2.5
"""At this multiple of the norm, five sixths of its square are what training added: the scale that
the initialisation chose, so that signals pass through, is gone."""
THROWN = 4.0
"""And here all but a sixteenth."""
MIN_SAMPLES, MIN_SPARSE = 10, 5
MIN_STEPS = 60
FADED = 1 / 30
"""The rate, as the size of a step over its gradient: tenfold down once and more."""
PUT_BACK = 20
"""Steps that all leave the norm as it was: one may by chance, in the bits that are kept."""
ARRIVES = 1e-5
"""Gradient of the first matrix over the largest: with less, what it does there takes for ever."""
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
    outputs : entries of the last layer's bias, the classes of a classifier; 0 where not known.
    unmoved : names of parameters that never moved while others did, see `weight_parameters`.
    masked : names of parameters whose gradient always was zero, see there.
    kept : (L,) what is left of the norm of the matrices without the biases; None where not known.
    """

    layers: tuple[LayerInfo, ...]
    steps: NDArray[np.int64]
    norms: Floats
    updates: Floats
    gradients: Floats
    status: Codes
    loss: LossLevels | None = None
    outputs: int = 0
    unmoved: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    kept: NDArray[np.float64] | None = None

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
            outputs(recording),
            unmoved(recording),
            masked(recording),
            kept(recording),
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
        if not keep:  # as in the factors of a recommender: what there is
            keep = [i for i, layer in enumerate(self.layers) if layer.kind in _EMBEDDINGS]
            keep = [i for i in keep if len(trained) and trained[i]]
        return np.array(keep, np.intp)

    @property
    def tables(self) -> bool:
        """Whether `matrices` are embeddings, since there is nothing else: a step changes the rows
        that its batch used, so that a small share of the whole says nothing.
        """
        return any(self.layers[i].kind in _EMBEDDINGS for i in self.matrices)

    @property
    def hidden(self) -> NDArray[np.intp]:
        """All `matrices` but the last: their initial scale lets signals pass through, while that of
        the last must become whatever the answer needs. Nothing passes through a linear model.
        """
        return self.matrices if self.tables else self.matrices[:-1]

    @cached_property
    def ratios(self) -> NDArray[np.float64]:
        """(T, L) norm of the change over norm of the weights; NaN where unknown or both are 0."""
        with np.errstate(all="ignore"):
            return self.updates.astype(np.float64) / self.norms

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """(T, L) norm of the change over norm of the weights, or over `reference` where that is
        larger: of weights that began at zero, or shrank away, any step is a large share.
        """
        with np.errstate(all="ignore"):
            return self.updates.astype(np.float64) / np.fmax(self.norms, self.reference)

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
    def put_back(self) -> NDArray[np.bool_]:
        """(L,) whose norm is the same to the last bit in each of `PUT_BACK` samples and more,
        although steps, each by another gradient, move them: something undoes the steps.

        Weights that are only brought back to some length differ in the last bits.
        """
        if len(self.steps) < PUT_BACK:
            return np.zeros(len(self.layers), np.bool_)
        moved = np.isfinite(self.updates) & (self.updates > 1e-6 * self.norms)
        unlike = (self.gradients[1:] != self.gradients[:-1]) & moved[1:] & moved[:-1]
        same = (self.norms == self.norms[0]).all(axis=0)
        return np.asarray(same & (unlike.sum(axis=0) >= PUT_BACK), np.bool_)

    @cached_property
    def late(self) -> NDArray[np.bool_]:
        """(T,) the samples of the second half of the steps, at least the last five."""
        if not len(self.steps):
            return np.zeros(0, np.bool_)
        late = self.steps > (self.steps[0] + self.steps[-1]) / 2
        late[-5:] = True
        return np.asarray(late, np.bool_)

    @cached_property
    def early(self) -> NDArray[np.bool_]:
        """(T,) those of the first tenth of the steps, at least twenty steps and three samples,
        without the first two steps, which are of full size under Adam whatever the gradient.
        """
        passed = self.steps - self.steps[:1]
        span = passed[-1] if len(passed) else 0
        early = (passed > 1) & (passed <= max(21, span // 10))
        early[1:4] |= early.sum() < 3
        return np.asarray(early, np.bool_)

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
        """By how much the typical of `hidden` has grown in the first fifty steps; NaN if unknown.

        Above `UPROOTED`, steps far too large have thrown the weights away. Where the loss only fell
        meanwhile, what targets of that size call for is left out.
        """
        if len(self.steps) < 5 or not len(self.hidden):
            return float("nan")
        grown = float(np.median(self.sprung))
        if self.loss is None or not self.improved_at_once:
            return grown
        if self.tables:
            return 1.0  # they begin near zero
        # Squares of targets that large need outputs as large, which L layers make together.
        needed = abs(float(self.loss.values[0])) ** (0.5 / len(self.matrices))
        return grown / max(1.0, needed)

    @cached_property
    def improved_at_once(self) -> bool:
        """Whether the loss only fell while the first steps were taken: steps that throw the weights
        away mostly throw the loss up first.
        """
        loss = self.loss
        if loss is None or loss.name != "loss" or loss.bad is not None:
            return False
        early = loss.values[loss.steps <= FIRST_STEPS]
        if (
            len(early) < FIRST_STEPS // 2
            or loss.steps[0] > 10
            or np.median(np.diff(loss.steps)) > 1
        ):
            return False
        first, smooth = float(early[0]), median_filter(early, 3, mode="nearest")
        # By half: what the mean over a small batch may lie above the one before.
        calm = float(smooth.max()) < first + 0.5 * abs(first)
        return bool(calm and smooth[-1] < first - 0.2 * abs(first))

    @cached_property
    def sprung(self) -> NDArray[np.float64]:
        """(H,) by how much each of `hidden` has grown at most in the first fifty steps.

        Up to the first weights that are no numbers: a NaN says nothing about growth.
        """
        stop = max(2, int(np.searchsorted(self.steps, FIRST_STEPS, side="right")))
        early = self.growth[:stop, self.hidden]
        broken = ~np.isfinite(early).all(axis=1)
        early = early[: int(np.argmax(broken))] if broken.any() else early
        return early.max(axis=0) if len(early) else np.ones(len(self.hidden))

    def typical_ratio(self, *, late: bool) -> float:
        """Median over the matrices of the median of `shares`, late or early; NaN if unknown.

        In orders of magnitude: between two matrices in the middle it is their geometric mean.
        """
        shares = self.shares[self.late if late else self.early][:, self.matrices]
        typical = float(np.exp(finite_median(np.log(np.fmax(finite_median(shares), 1e-30)))))
        return 0.0 if typical < 1e-29 else typical

    @property
    def few(self) -> bool:
        """Whether there are too few samples to tell what lasts: ten, or five over `MIN_STEPS`."""
        least = MIN_SPARSE if self.trained >= MIN_STEPS else MIN_SAMPLES
        return len(self.steps) < least

    @property
    def warming(self) -> bool:
        """Whether steps are getting larger, as in a warm-up: it is too early to call them small.

        Momentum takes some twenty steps to build up: no warm-up, so they are left out.
        """
        if not len(self.steps):
            return False
        begun = self.steps >= self.steps[0] + 20
        early = begun & (np.cumsum(begun) <= max(10, begun.sum() // 10))
        if not early.any():
            return self.typical_ratio(late=True) > 1.5 * self.typical_ratio(late=False)
        first = finite_median(finite_median(self.shares[early][:, self.matrices]))
        return bool(self.typical_ratio(late=True) > 1.5 * float(first))

    @cached_property
    def faded(self) -> float:
        """What all steps of the second half changed, as a share of what those of the first did;
        only as far as the rate is what faded: 1 where the gradients did, and steps with them.
        """
        if len(self.steps) < 20 or not len(self.matrices):
            return 1.0
        matrices, late = self.matrices, self.steps > (self.steps[0] + self.steps[-1]) / 2
        known = np.isfinite(self.shares[:, matrices])
        paths = np.where(known, self.shares[:, matrices], 0.0) * self.gaps[:, None]
        with np.errstate(all="ignore"):
            left = paths[late].sum(axis=0) / paths[~late].sum(axis=0)
            rates = self.updates[:, matrices].astype(np.float64) / self.gradients[:, matrices]
            slower = finite_median(rates[late]) / finite_median(rates[self.early])
        fades = slower < FADED
        return float(finite_median(left)) if fades.mean() > 0.5 else 1.0

    @property
    def stirring(self) -> bool:
        """Whether the gradients of the first matrix have grown steadily, by a third and more.

        So they do, slowly and then ever faster, where a network is on its way off a plateau and the
        loss does not show it yet; where there is no way they keep their size, or fade.
        """
        if len(self.steps) < 20 or not len(self.matrices):
            return False
        arrives = finite_median(self.gradients[self.late][:, self.matrices])
        if arrives[0] < ARRIVES * np.fmax.reduce(arrives):
            return False  # next to nothing grows to next to nothing
        course = block_medians(self.gradients[:, self.matrices[0]].astype(np.float64), 10)
        first, middle, last = (float(np.median(course[i : i + 3])) for i in (0, 4, 7))
        # Only just begun: there was no growth at all in the first half.
        half = course[4:]
        fresh = last > 1.3 * half[0] and half[0] < 1.2 * course[0]
        if fresh and rank_correlation(half) > 0.9:
            return True
        if not (first > 0 and last > 1.3 * first and rank_correlation(course) > 0.8):
            return False
        # Behind a last layer that began at zero gradients grow too, ever more slowly: a growth from
        # block 5 to 8 next to that from block 0 to 5.
        begun = max(float(course[0]), 1e-300)
        return bool(np.log(last / middle) / 3 > 0.5 * np.log(middle / begun) / 5)

    @cached_property
    def silent(self) -> bool:
        """Whether in the second half no gradient arrives anywhere: all are zero to the last bit."""
        late = self.gradients[self.late][:, self.matrices]
        none = ~(late > 0).any(axis=1)
        return bool(len(self.matrices) and len(late) >= MIN_SPARSE and none.mean() > 0.9)

    @property
    def swollen(self) -> float:
        """By how much gradients grew from the first tenth to the last; 1 where not known."""
        if len(self.steps) < MIN_SPARSE or not len(self.matrices):
            return 1.0
        course = block_medians(self.gradients[:, self.matrices].astype(np.float64), 10)
        with np.errstate(all="ignore"):
            return float(np.nan_to_num(finite_median(course[-1] / course[0]), nan=1.0))

    @property
    def left(self) -> float:
        """Of the norm of the typical matrix, in the last samples; NaN where it began at zero."""
        if not len(self.steps) or not len(self.matrices):
            return float("nan")
        first, last = self.norms[0], finite_median(self.norms[-MIN_SPARSE:])
        with np.errstate(all="ignore"):
            left = (last / np.where(first > 0, first, np.nan))[self.matrices]
        return float(finite_median(left))

    @property
    def harmless(self) -> bool:
        """The loss went down and stayed there.

        Where the first steps threw the weights away they may have thrown up the loss as well: then
        it must be well below its very first value, that of the weights as they were.
        """
        loss = self.loss
        if loss is None or not loss.solved:
            return False
        first = float(loss.values[0])
        return not self.uprooted > THROWN or loss.end < first - 0.5 * abs(first)


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
