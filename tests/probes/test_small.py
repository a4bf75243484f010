"""Small tensors are read with numpy: the numbers of torch, and no larger view than it should."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from nbdiag.probes.small import SMALL, SmallWeights, flat_view, norm_of, read_gradient
from nbdiag.probes.step_sample import Sample
from nbdiag.probes.watch import watch


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 4.0], 5.0),
        ([0.0, 0.0], 0.0),
        ([1e-25, 0.0], 1e-25),  # its square is zero in single precision
        ([3e30, 4e30], 5e30),  # its square is infinite
        ([1.0, math.nan], math.nan),
        ([1.0, -math.inf], math.inf),
    ],
)
def test_norm_by_hand(values: list[float], expected: float) -> None:
    norm = norm_of(np.array(values, np.float32))
    assert norm == pytest.approx(expected, rel=1e-6, nan_ok=True)


def test_norm_is_that_of_torch() -> None:
    x = torch.randn(SMALL, generator=torch.Generator().manual_seed(0))
    flat = flat_view(x)
    assert flat is not None
    assert norm_of(flat) == pytest.approx(float(x.double().norm()), rel=1e-6)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(SMALL + 1),
        torch.zeros(0),
        torch.zeros(3, dtype=torch.float64),
        torch.zeros(3, dtype=torch.bfloat16),
        torch.zeros(4, 6).t(),
        torch.zeros(3, 3).to_sparse(),
        torch.empty(3, device="meta"),
    ],
    ids=["large", "empty", "double", "half", "transposed", "sparse", "meta"],
)
def test_what_is_not_small_and_plain_is_left_to_torch(tensor: torch.Tensor) -> None:
    assert flat_view(tensor) is None


def test_a_gradient_by_hand() -> None:
    sample = Sample(1, 3)
    assert read_gradient(sample, 0, torch.tensor([[3.0, 0.0], [4.0, 0.0]]))
    assert read_gradient(sample, 1, torch.tensor([math.nan, 1.0, math.inf]))
    assert not read_gradient(sample, 2, torch.zeros(SMALL + 1))
    assert sample.grad_norm[0] == 5.0
    assert sample.zeros[0] == 0.5
    assert sample.nonfinite[:2].tolist() == [0.0, 2.0]
    assert sample.status.tolist() == [0, 3, 1]  # ok, NaN, nothing seen


def test_the_view_follows_the_parameter() -> None:
    parameter, weights = nn.Parameter(torch.tensor([1.0, 2.0])), SmallWeights()
    first = weights.view(0, parameter)
    assert first is not None
    with torch.no_grad():
        parameter.add_(1.0)
    again = weights.view(0, parameter)
    assert again is not None
    assert again[0].tolist() == [2.0, 3.0]
    assert again[1] is first[1]  # the same room for the copy
    parameter.data = torch.tensor([7.0, 8.0])
    moved = weights.view(0, parameter)
    assert moved is not None
    assert moved[0].tolist() == [7.0, 8.0]
    parameter.data = torch.zeros(SMALL + 1)
    assert weights.view(0, parameter) is None


def test_weights_that_overflow_warn_nobody() -> None:
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    with warnings.catch_warnings(), watch(model, optimizer, every=1) as run:
        warnings.simplefilter("error")
        for value in (1.0, 1e38, torch.inf, torch.nan):
            with torch.no_grad():
                model.weight.fill_(value)
            model.weight.grad = torch.full_like(model.weight, -3e38)
            model.bias.grad = torch.zeros_like(model.bias)
            optimizer.step()
    assert run.failures == ()
    assert run.recording.steps.tolist() == [1, 2, 3, 4]
