"""The splits that the rules have never seen: how their cases are registered and proven.

Each case has one size of its own, so that many different trainings take no longer than a few at
all sizes. A healthy case has a twin, a plain and well-tuned training of the same task, and must
get as far.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch

from benchmarks.diagnosis import proofs
from benchmarks.diagnosis.cases import CASES, Build, Case
from benchmarks.diagnosis.proofs import Evidence, Proof, sound
from benchmarks.diagnosis.training import SIZES


def as_good(margin: float = 0.15, *, moves: float = 1e-3) -> Proof:
    """It ends within a share `margin` of the twin's fall above the twin's end, and is sound.

    Every matrix that is trained has moved by `moves` of its norm, every parameter has a gradient.
    """

    def proof(e: Evidence) -> Iterator[str]:
        own, twin = e.sick, e.cured
        fall = twin.start - twin.end
        if not fall > 0.15 * abs(twin.start):
            yield f"the twin learns little: {twin.start:.3g} to {twin.end:.3g}"
        if not own.end <= twin.end + margin * fall:
            yield f"ends at {own.end:.3g}, the twin at {twin.end:.3g} from {twin.start:.3g}"
        if not all(math.isfinite(level) for level in own.levels):
            yield "a level is not finite"
        missing = set(own.names) - own.got_gradient
        if missing:
            yield f"no gradient: {sorted(missing)}"
        moved = own.moved()
        still = [own.names[i] for i in own.matrices() if not moved[i] > moves]
        if still:
            yield f"hardly moved: {still}"
        yield from sound(e)

    return proof


def exploding(e: Evidence) -> Iterator[str]:
    """The gradient of the whole data grows a hundredfold, or until it is no number any more."""
    total = e.sick.gradients.square().sum(1).sqrt()
    finite = total[torch.isfinite(total) & (total > 0)]
    if not (float(total[-1]) > 100 * float(total[0]) or not torch.isfinite(total[-1])):
        yield f"gradients go from {finite[0]:.3g} to {finite[-1]:.3g}"
    if not torch.isfinite(e.cured.gradients).all():
        yield "the control's gradients are not finite either"
    yield from proofs.costs(e)


class Fresh:
    """The two decorators of a split that came later; `size` is an index of SIZES."""

    def __init__(self, split: str = "fresh") -> None:
        self.split = split

    def sick(
        self, code: str, *allowed: str, size: int = 1, proof: Proof | None = None
    ) -> Callable[[Build], Build]:
        shown = proof or proofs.OF[code]
        also = frozenset(c for words in (code, *allowed) for c in words.split())

        def add(build: Build) -> Build:
            expected = frozenset([code])
            sizes = (SIZES[size],)
            CASES.append(
                Case(build.__name__, build, self.split, expected, also, shown, sizes=sizes)
            )
            return build

        return add

    def healthy(
        self,
        margin: float = 0.15,
        *,
        size: int = 1,
        moves: float = 1e-3,
        proof: Proof | None = None,
    ) -> Callable[[Build], Build]:
        shown = proof or as_good(margin, moves=moves)
        none: frozenset[str] = frozenset()

        def add(build: Build) -> Build:
            sizes = (SIZES[size],)
            CASES.append(Case(build.__name__, build, self.split, none, none, shown, sizes=sizes))
            return build

        return add
