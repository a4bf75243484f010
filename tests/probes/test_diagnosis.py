"""Findings on real trainings: the quick part of `python -m benchmarks.diagnosis`."""

from __future__ import annotations

import json
import math

import pytest
import torch
from torch import nn

import nbdiag as nd
from benchmarks.diagnosis import data, proofs
from benchmarks.diagnosis.__main__ import UNPROVEN, key
from benchmarks.diagnosis.cases import Case, load
from benchmarks.diagnosis.proofs import Evidence
from benchmarks.diagnosis.training import SIZES, Size, Training, watched
from benchmarks.diagnosis.witness import Witness
from nbdiag.measures.findings import CODES
from nbdiag.measures.gradient_history import GradientHistory

CASES = load()
TRAINING = {
    code for code in CODES if code.split(".")[0] in "loss gradient activation weight".split()
}


def proven(case: Case) -> Size:
    """The first variant, from the middle, whose label its proof holds up."""
    failed = json.loads(UNPROVEN.read_text())
    return next(s for s in (SIZES[1], SIZES[0], SIZES[2]) if key(case, s, 0) not in failed)


@pytest.mark.parametrize("case", [c for c in CASES if c.quick], ids=lambda case: case.name)
def test_quick_trainings(case: Case) -> None:
    torch.set_num_threads(1)
    found = {f.code for f in watched(case.training(proven(case), 0)).findings()}
    found = {code for code in found if not code.startswith("data.")}
    assert case.expected <= found
    assert found <= case.allowed


@pytest.mark.parametrize("split", ["dev", "held_out"])
def test_each_code_is_asked_for_in_both_parts(split: str) -> None:
    asked = {code for case in CASES if case.split == split for code in case.expected}
    assert asked == TRAINING


def test_the_collection_is_large_enough_and_mostly_proven() -> None:
    sick = [case for case in CASES if not case.healthy]
    assert len(sick) >= 80
    assert len(CASES) - len(sick) >= 80
    names = {case.name for case in CASES}
    failed = json.loads(UNPROVEN.read_text())
    assert {name.split("/")[0] for name in failed} <= names
    assert len(failed) < 0.15 * 2 * len(SIZES) * len(CASES)


# The proofs themselves --------------------------------------------------------------------------


def linear(rate: float, **others: object) -> Training:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 4))
    how = torch.optim.SGD(model.parameters(), rate)
    return Training(model, data.vectors(256), how, steps=120, **others)  # type: ignore[arg-type]


def evidence(sick: float, cured: float) -> Evidence:
    return Evidence(lambda healed: linear(cured if healed else sick))


def test_a_proof_of_flatness_can_fail_on_either_side() -> None:
    assert list(proofs.flat(evidence(1e-6, 0.5))) == []
    (fell,) = proofs.flat(evidence(0.5, 0.5))
    assert fell.startswith("not flat")
    assert any("control learns little" in c for c in proofs.flat(evidence(1e-6, 1e-6)))


@pytest.mark.parametrize("code", sorted(TRAINING - {"loss.overfitting"}))
def test_no_proof_holds_for_a_healthy_training(code: str) -> None:
    def with_tanh(healed: bool) -> Training:
        t = linear(0.3)
        t.model.insert(2, nn.Tanh())  # type: ignore[operator]
        return t

    assert list(proofs.OF[code](Evidence(with_tanh))) != []


def test_the_witness_counts_by_hand() -> None:
    training = linear(0.1)
    with torch.no_grad():
        training.model[0].bias[:4] = -1e3  # type: ignore[index, operator]
    w = Witness(training)
    assert w.dead() == {"1": 0.5}
    assert len(w.losses) == 120
    assert w.at[0] == 0
    assert w.at[-1] == 120
    assert w.norms[0, 0] == pytest.approx(float(w.before[0].norm()))
    first = float((w.after[0] - w.before[0]).norm() / w.before[0].norm())
    assert w.moved()[0] == pytest.approx(first)
    assert math.isclose(w.start, w.levels[0])


def test_watching_changes_nothing_of_a_training() -> None:
    """The proofs watch without nbdiag, so what they prove holds for the watched one."""
    one, two = linear(0.1), linear(0.1)
    torch.manual_seed(1)
    watched(one)
    torch.manual_seed(1)
    Witness(two)
    for a, b in zip(one.model.parameters(), two.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_idle_is_what_no_step_moved() -> None:
    encoder, head = nn.Linear(3, 3), nn.Linear(3, 1)
    model = nn.Sequential(encoder, head)
    for held, expected in ((head, [True, False]), (model, [False, False]), (None, [False, False])):
        rate = 0.1 if held else 0.0
        optimizer = torch.optim.SGD((held or model).parameters(), rate)
        with nd.watch(model, optimizer, every=1) as run:
            for _ in range(3):
                optimizer.zero_grad()
                model(torch.ones(2, 3)).sum().backward()
                optimizer.step()
        assert GradientHistory.from_recording(run.recording).idle.tolist() == expected
