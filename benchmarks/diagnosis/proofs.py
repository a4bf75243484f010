"""Proofs of a diagnosis that use nothing of nbdiag: by hand, and by a control without the fault.

A proof takes the Evidence and yields complaints; none means proven.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property

import torch

from benchmarks.diagnosis.training import Training
from benchmarks.diagnosis.witness import Witness

Proof = Callable[["Evidence"], Iterator[str]]


class Evidence:
    """The training as it is, and its control; each is run when first asked for."""

    def __init__(self, make: Callable[[bool], Training]) -> None:
        self._make = make

    @cached_property
    def sick(self) -> Witness:
        return Witness(self._make(False))

    @cached_property
    def cured(self) -> Witness:
        return Witness(self._make(True))


def both(*proofs: Proof) -> Proof:
    def all_of(e: Evidence) -> Iterator[str]:
        for proof in proofs:
            yield from proof(e)

    return all_of


def _fell(w: Witness) -> float:
    return w.start - w.end


def costs(e: Evidence) -> Iterator[str]:
    """The control ends far lower: half of its own fall, and more than a twentieth of the start."""
    sick, cured = e.sick, e.cured
    gap = sick.end - cured.end if math.isfinite(sick.end) else math.inf
    if not (gap > 0.25 * abs(_fell(cured)) and gap > 0.05 * abs(cured.start)):
        yield f"the control ends at {cured.end:.3g}, no better than {sick.end:.3g}"


# Loss -------------------------------------------------------------------------------------------


def flat(e: Evidence) -> Iterator[str]:
    sick, cured = e.sick, e.cured
    if not _fell(cured) > 0.2 * abs(cured.start):
        yield f"the control learns little: {cured.start:.3g} to {cured.end:.3g}"
    if not abs(_fell(sick)) < 0.05 * _fell(cured):
        yield f"not flat: {sick.start:.3g} to {sick.end:.3g}"


def diverging(e: Evidence) -> Iterator[str]:
    """From its lowest on, the loss of the whole data set rises by thirds, beyond its start."""
    sick, cured = e.sick, e.cured
    levels = torch.tensor([level for level in sick.levels if math.isfinite(level)])
    levels = levels[int(levels.argmin()) :]
    thirds = [float(part.median()) for part in levels.tensor_split(3)] if len(levels) > 5 else []
    if not (thirds and thirds[0] < thirds[1] < thirds[2]):
        yield f"does not keep rising: {thirds}"
    elif not float(levels[-1]) > sick.start + 0.2 * abs(sick.start):
        yield f"ends at {levels[-1]:.3g}, hardly above the start, {sick.start:.3g}"
    if not cured.end < cured.start:
        yield "the control does not fall"


def _jitter(w: Witness) -> float:
    """From step to step, in the later two thirds; a slow fall does not count."""
    return float(torch.tensor(w.losses)[len(w.losses) // 3 :].diff().std())


def unstable(e: Evidence) -> Iterator[str]:
    """Its losses jump four times as far as those of the control, and by most of their own level."""
    sick, cured = _jitter(e.sick), _jitter(e.cured)
    if not sick > 4 * cured:
        yield f"jumps little more than the control: {sick:.3g}, {cured:.3g}"
    late = torch.tensor(e.sick.losses)[len(e.sick.losses) // 3 :]
    swing = float((late.quantile(0.98) - late.quantile(0.1)) / late.median().abs())
    if not swing > 0.8:
        yield f"swings by {swing:.2g} of its level only"


def plateau(e: Evidence) -> Iterator[str]:
    """Most of the fall in the first quarter, nothing after, and the control ends far lower."""
    sick = e.sick
    quarter = len(sick.levels) // 4
    early = sum(sick.levels[quarter : 2 * quarter]) / quarter
    fall = sick.start - early
    if not fall > 0.1 * abs(sick.start):
        yield f"no steep drop: {sick.start:.3g} to {early:.3g}"
    if not abs(early - sick.end) < 0.3 * fall:
        yield f"no plateau: {early:.3g} to {sick.end:.3g} after a fall of {fall:.3g}"
    yield from costs(e)


def nonfinite_loss(e: Evidence) -> Iterator[str]:
    if all(math.isfinite(loss) for loss in e.sick.losses):
        yield "every loss is finite"
    if not all(math.isfinite(loss) for loss in e.cured.losses):
        yield "the control is not finite either"


def overfitting(e: Evidence) -> Iterator[str]:
    """Validation ends well above its best, while the loss of the training set has fallen on."""
    sick = e.sick
    best = min(range(len(sick.validation)), key=sick.validation.__getitem__)
    last = len(sick.validation) - 1
    if best > 0.7 * last:
        yield f"validation is best at epoch {best + 1} of {last + 1}"
    low, end = sick.validation[best], sum(sick.validation[-3:]) / 3
    if not end > 1.15 * low:
        yield f"validation goes from {low:.3g} to {end:.3g}"
    if not sick.fitted[-1] < 0.7 * sick.fitted[best]:
        yield f"the training set goes from {sick.fitted[best]:.3g} to {sick.fitted[-1]:.3g}"


def not_generalising(e: Evidence) -> Iterator[str]:
    """Validation never gets anywhere, while the training set is learned."""
    sick = e.sick
    if not min(sick.validation) > 0.93 * sick.validation[0]:
        yield f"validation falls from {sick.validation[0]:.3g} to {min(sick.validation):.3g}"
    if not sick.fitted[-1] < 0.5 * sick.fitted[0]:
        yield f"the training set is not learned: {sick.fitted[-1]:.3g}"


# Gradients --------------------------------------------------------------------------------------


def _early_over_late(w: Witness, look: int) -> float:
    """Gradient over weights of the first third of the matrices, over that of the last third."""
    matrices = w.matrices()
    relative = (w.gradients[look] / w.norms[look].clamp_min(1e-30))[matrices]
    third = max(1, len(matrices) // 3)
    return float(relative[:third].max() / relative[-third:].median().clamp_min(1e-38))


def vanishing(e: Evidence) -> Iterator[str]:
    sick = e.sick
    for look, when in ((0, "start"), (len(sick.at) // 2, "middle"), (-1, "end")):
        ratio = _early_over_late(sick, look)
        if not ratio < 1 / 100:
            yield f"at the {when} early layers get {ratio:.2g} of the late ones' gradient"
    yield from costs(e)


def exploding(e: Evidence) -> Iterator[str]:
    """Over steps by 100 and more and to the end, or over depth by 100 from start to end."""
    sick = e.sick
    total = sick.gradients.nan_to_num(0.0, posinf=math.inf).square().sum(1).sqrt()
    finite = total[torch.isfinite(total) & (total > 0)]
    grew = bool(len(finite) > 1 and finite[-1] > 100 * finite[0])
    depth = min(_early_over_late(sick, look) for look in (0, len(sick.at) // 2, -1))
    if not (grew or depth > 100 or not torch.isfinite(total[-1])):
        yield f"gradients go from {finite[0]:.3g} to {finite[-1]:.3g}, over depth by {depth:.2g}"
    yield from costs(e)


def nonfinite_gradient(e: Evidence) -> Iterator[str]:
    if not e.sick.bad_gradient:
        yield "every gradient is finite"
    if e.cured.bad_gradient:
        yield "the control's gradients are not finite either"


def no_gradient(e: Evidence) -> Iterator[str]:
    if set(e.sick.names) <= e.sick.got_gradient:
        yield "every parameter got a gradient"
    if not set(e.cured.names) <= e.cured.got_gradient:
        yield "in the control some got none either"


# Units ------------------------------------------------------------------------------------------


def dead(e: Evidence) -> Iterator[str]:
    sick, cured = max(e.sick.dead().values()), max(e.cured.dead().values(), default=0.0)
    if not sick >= 0.5:
        yield f"{sick:.0%} of the units of a layer are dead"
    if not cured < 0.3:
        yield f"in the control too, {cured:.0%}"


def saturated(e: Evidence) -> Iterator[str]:
    sick, cured = max(e.sick.saturated().values()), max(e.cured.saturated().values(), default=0.0)
    if not sick >= 0.6:
        yield f"{sick:.0%} of the outputs of a layer are at an end"
    if not cured < 0.4:
        yield f"in the control too, {cured:.0%}"
    yield from costs(e)


# Weights ----------------------------------------------------------------------------------------


def weights_explode(e: Evidence) -> Iterator[str]:
    """A matrix ends at ten times its norm, not so in the control, and is still growing."""
    sick, cured = e.sick, e.cured
    index = sick.matrices()
    growth = sick.norms[:, index] / sick.norms[0, index].clamp_min(1e-12)
    largest = growth[:, int(growth[-1].nan_to_num(math.inf).argmax())]
    calm = float((cured.norms[-1, index] / cured.norms[0, index].clamp_min(1e-12)).max())
    end = float(largest[-1])
    if not (end > 10 or not math.isfinite(end)):
        yield f"the norm grows {end:.3g}-fold"
    if not (end > 1.1 * float(largest[-len(largest) // 4]) or not math.isfinite(end)):
        yield "and has come to rest"
    if not calm < 5:
        yield f"the control's grows {calm:.3g}-fold"


def weights_collapse(e: Evidence) -> Iterator[str]:
    sick, cured = e.sick, e.cured
    index = sick.matrices()
    left = float((sick.norms[-1, index] / sick.norms[0, index]).min())
    calm = float((cured.norms[-1, index] / cured.norms[0, index]).min())
    if not left < 0.1:
        yield f"{left:.2g} of the norm is left"
    if not calm > 0.5:
        yield f"in the control too, {calm:.2g}"
    yield from costs(e)


def not_updating(e: Evidence) -> Iterator[str]:
    sick, cured = e.sick, e.cured
    index = sick.matrices()
    still = [i for i in index if sick.moved()[i] < 1e-6 * sick.training.steps]
    if not still:
        yield f"every matrix moved, the least by {min(sick.moved()[i] for i in index):.2g}"
    elif not min(cured.moved()[i] for i in still) > 1e-3:
        yield "they do not move in the control either"


def overwritten(e: Evidence) -> Iterator[str]:
    """In half of all steps a matrix changes by a twentieth of its norm and more; it costs."""
    sick, cured = e.sick, e.cured
    index = sick.matrices()
    typical = float(sick.changes[:, index].nanmedian(0).values.max())
    calm = float(cured.changes[:, index].nanmedian(0).values.max())
    if not typical > 0.05:
        yield f"a step changes {typical:.2g} of the weights"
    if not calm < 0.02:
        yield f"in the control {calm:.2g}"
    yield from costs(e)


# Healthy ----------------------------------------------------------------------------------------


def learns(to: float = 0.7, *, level: float | None = None) -> Proof:
    """It ends at `to` of its start, or below `level`, and no layer is ill by hand."""

    def proof(e: Evidence) -> Iterator[str]:
        w = e.sick
        wanted = to * w.start if level is None else level
        if not w.end < wanted:
            yield f"ends at {w.end:.3g}, not below {wanted:.3g}"
        yield from sound(e)

    return proof


def sound(e: Evidence) -> Iterator[str]:
    """Finite, no layer with a quarter of its units dead or most outputs at an end, weights kept."""
    w = e.sick
    if not all(math.isfinite(loss) for loss in w.losses) or w.bad_gradient:
        yield "not finite"
    for name, share in w.dead().items():
        if share > 0.25:
            yield f"{share:.0%} of {name} is dead"
    for name, share in w.saturated().items():
        if share > 0.5:
            yield f"{share:.0%} of {name} is at an end"
    if w.validation:
        low = min(w.validation)
        end = min(w.validation[-2:])
        if end > 1.1 * low and end - low > 0.02 * abs(w.validation[0]):
            yield f"validation goes up from {low:.3g} to {end:.3g}"


OF: dict[str, Proof] = {
    "loss.flat": flat,
    "loss.diverging": diverging,
    "loss.unstable": unstable,
    "loss.plateau_early": plateau,
    "loss.nonfinite": nonfinite_loss,
    "loss.overfitting": overfitting,
    "gradient.vanishing": vanishing,
    "gradient.exploding": exploding,
    "gradient.nonfinite": nonfinite_gradient,
    "gradient.none": no_gradient,
    "activation.dead": dead,
    "activation.saturated": saturated,
    "weight.exploding": weights_explode,
    "weight.collapsing": weights_collapse,
    "weight.not_updating": not_updating,
    "weight.update_too_large": overwritten,
}
