"""The collection: every case registers itself here, with what should be found and its proof."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from benchmarks.diagnosis import PARTS, proofs
from benchmarks.diagnosis.proofs import Evidence, Proof
from benchmarks.diagnosis.training import SIZES, Size, Training

Build = Callable[[Size, bool], Training]
HealthyBuild = Callable[[Size], Training]

TOO_FAST = (
    "loss.diverging loss.unstable loss.plateau_early loss.nonfinite gradient.exploding "
    "gradient.nonfinite activation.dead activation.saturated weight.exploding "
    "weight.update_too_large"
)
"""What a learning rate far too high may bring along, all of it true."""


@dataclass(frozen=True)
class Case:
    """One training with a known diagnosis.

    Parameters
    ----------
    build : (size, cured) -> Training; cured: the same without the planted fault.
    split : "dev", by which rules may be tuned; the others are for seeing how well they do.
    expected : codes of which at least one must be found; empty for a healthy training.
    allowed : codes that are true of it as well; any other finding is wrong.
    """

    name: str
    build: Build
    split: str
    expected: frozenset[str]
    allowed: frozenset[str]
    proof: Proof
    quick: bool = False
    sizes: tuple[Size, ...] = SIZES

    @property
    def healthy(self) -> bool:
        return not self.expected

    def training(self, size: Size, seed: int, *, cured: bool = False) -> Training:
        torch.manual_seed(1000 + seed)
        return self.build(size, cured)

    def complaints(self, size: Size, seed: int) -> list[str]:
        """Why this variant does not prove its label; empty when it does."""
        evidence = Evidence(lambda cured: self.training(size, seed, cured=cured))
        return list(self.proof(evidence))


CASES: list[Case] = []
LEARNS = proofs.learns()


def _codes(words: Iterable[str]) -> frozenset[str]:
    return frozenset(code for word in words for code in word.split())


class Collection:
    """The two decorators of one part; "dev" or "held_out"."""

    def __init__(self, split: str) -> None:
        self.split = split

    def sick(
        self, code: str, *allowed: str, proof: Proof | None = None, quick: bool = False
    ) -> Callable[[Build], Build]:
        def add(build: Build) -> Build:
            shown = proof or proofs.OF[code]
            also = _codes([code, *allowed])
            case = Case(build.__name__, build, self.split, _codes([code]), also, shown, quick)
            CASES.append(case)
            return build

        return add

    def healthy(
        self, proof: Proof = LEARNS, *, quick: bool = False
    ) -> Callable[[HealthyBuild], HealthyBuild]:
        def add(build: HealthyBuild) -> HealthyBuild:
            def either(size: Size, cured: bool) -> Training:
                return build(size)

            none: frozenset[str] = frozenset()
            CASES.append(Case(build.__name__, either, self.split, none, none, proof, quick))
            return build

        return add


def load() -> list[Case]:
    """All cases; their names are unique."""
    for part in PARTS:
        importlib.import_module(f"benchmarks.diagnosis.{part}")
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)
    return CASES
