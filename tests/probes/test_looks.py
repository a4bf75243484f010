"""The numbers of one look at an activation, against float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nbdiag.probes.looks import Look, describe, kind_of

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(64, 32))
CASES = {
    "rectified": np.maximum(NORMAL, 0),
    "one entry": np.array([[3.0]]),
    "all zero": np.zeros((8, 4)),
    "all the same": np.full((8, 4), 7.0),
    "far from zero": 1e4 + NORMAL,
    "so far that squares drop the rest": 3e5 + NORMAL,
    "tiny": 1e-12 * NORMAL,
    "squares at the end of the range": 1e18 * NORMAL,
    "pictures": RNG.normal(size=(4, 3, 5, 6)),
    "more than BLAS is asked for": RNG.normal(size=(300, 40)),
}


def looked(x: np.ndarray, module: nn.Module, dim: int) -> np.ndarray:
    kind = kind_of(module)
    assert kind is not None
    output = torch.tensor(x, dtype=torch.float32)
    info = describe("act", type(module).__name__, output, dim, *kind)
    numbers = Look(output, dim, info).numbers
    assert numbers is not None
    return numbers


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("module", [nn.ReLU(), nn.Tanh(), nn.GELU()], ids=["relu", "tanh", "gelu"])
def test_numbers_against_float64(name: str, module: nn.Module) -> None:
    x = CASES[name].astype(np.float32)
    if isinstance(module, nn.ReLU):
        x = np.maximum(x, 0)
    dim = 1 if x.ndim == 4 else x.ndim - 1
    numbers = looked(x, module, dim)
    wide, others = x.astype(np.float64), tuple(i for i in range(x.ndim) if i != dim)
    assert numbers[0] == pytest.approx(wide.mean(), rel=1e-5, abs=1e-6 * np.abs(wide).max())
    spread = wide.std(ddof=1) if x.size > 1 else 0.0
    assert numbers[1] == pytest.approx(
        spread, rel=2e-2 if np.abs(wide).min() > 1e5 else 1e-4, abs=0
    )
    assert numbers[2] == pytest.approx((x == 0).mean(), abs=1e-6)
    active = x != 0 if isinstance(module, nn.Tanh) else x > 0
    units = x.shape[dim]
    assert numbers[4 : 4 + units].tolist() == active.sum(axis=others).tolist()
    if isinstance(module, nn.Tanh):
        stuck = (x <= -0.98) | (x >= 0.98)
        assert numbers[4 + units :].tolist() == stuck.sum(axis=others).tolist()
        assert numbers[3] == pytest.approx(stuck.mean(), abs=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_said_and_counts_stay(bad: float) -> None:
    x = np.array([[1.0, -1.0], [bad, 2.0]])
    numbers = looked(x, nn.ReLU(), 1)
    assert np.isnan(numbers[:4]).all()
    assert numbers[4:].tolist() == [2.0 if bad > 0 else 1.0, 1.0]


def test_none_at_all() -> None:
    assert np.isnan(looked(np.zeros((0, 3)), nn.ReLU(), 1)[:4]).all()
