"""The norm before clipping, whichever way backward passes come."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nbdiag.probes.watch import watch


def norms(model: nn.Module) -> list[float]:
    return [0.0 if p.grad is None else float(p.grad.norm()) for p in model.parameters()]


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(3, 2), nn.Linear(3, 2)


def test_optimizers_that_take_turns() -> None:
    """As a GAN: the pass for the one reaches no parameter of the others."""
    torch.manual_seed(0)
    model, raw = nn.ModuleList([nn.Linear(3, 2) for _ in range(3)]), []
    parts = tuple(model)
    optimizers = [torch.optim.SGD(part.parameters(), lr=0.1) for part in parts]
    with watch(model, optimizers, every=1) as run:
        for _ in range(4):
            found = []
            for part, optimizer in zip(parts, optimizers, strict=True):
                optimizer.zero_grad()
                part(torch.randn(4, 3)).square().mean().backward()
                found += norms(part)
                nn.utils.clip_grad_norm_(part.parameters(), 0.01)
                optimizer.step()
            raw.append(found)
    assert run.step == 4
    np.testing.assert_allclose(run.recording.parameter_stat("grad_norm_raw"), raw, rtol=1e-5)
    assert run.recording.stat("grad_norm").max() <= 0.0101


def test_parts_of_one_optimizer_that_take_turns() -> None:
    """Only the first time that another part is trained goes unheard."""
    torch.manual_seed(0)
    model = Pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        for i in range(9):
            optimizer.zero_grad()
            (model.one if i % 2 else model.other)(torch.randn(4, 3)).sum().backward()
            optimizer.step()
    raw = run.recording.stat("grad_norm_raw")
    assert np.isfinite(raw).sum(axis=0).tolist() == [3, 5]
    assert np.isnan(raw[1]).all()


class Fails(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> Tensor:  # type: ignore[override]
        raise ArithmeticError("out of memory")


def test_a_pass_that_fails_does_not_deafen() -> None:
    """As when a batch that is too large is caught and left out."""
    torch.manual_seed(0)
    model, raw = nn.Linear(3, 2), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        for i in range(5):
            optimizer.zero_grad()
            if i == 2:
                x = Fails.apply(torch.ones(1, 3, requires_grad=True))
                with pytest.raises(ArithmeticError):
                    model(x).sum().backward()
                assert model.bias.grad is not None  # it had begun
                optimizer.zero_grad()
            model(torch.randn(4, 3)).square().mean().backward()
            raw.append(norms(model))
            nn.utils.clip_grad_norm_(model.parameters(), 0.01)
            optimizer.step()
    np.testing.assert_allclose(run.recording.parameter_stat("grad_norm_raw"), raw, rtol=1e-5)


def test_a_sparse_gradient_that_nobody_changed() -> None:
    model = nn.Embedding(5, 2, sparse=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        for _ in range(2):
            optimizer.zero_grad()
            model(torch.tensor([1, 1, 3])).sum().backward()
            optimizer.step()
    # Rows 1 and 3 with 2 and 1 in both columns: sqrt(2 * 4 + 2 * 1).
    np.testing.assert_allclose(run.recording.stat("grad_norm_raw"), [[10**0.5]] * 2, rtol=1e-6)


def test_gradients_asked_for_on_the_side_are_no_pass() -> None:
    """As for a penalty or a saliency map, of which the parameters keep nothing."""
    torch.manual_seed(0)
    model, raw = nn.Linear(3, 2), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        for _ in range(4):
            optimizer.zero_grad()
            loss = model(torch.randn(4, 3)).square().mean()
            loss.backward(retain_graph=True)
            raw.append(norms(model))
            nn.utils.clip_grad_norm_(model.parameters(), 0.01)
            torch.autograd.grad(loss, list(model.parameters()))
            optimizer.step()
    np.testing.assert_allclose(run.recording.parameter_stat("grad_norm_raw"), raw, rtol=1e-5)
    assert run.recording.stat("grad_norm").max() <= 0.0101


def test_hooks_of_the_user_stay_and_nothing_else_does() -> None:
    model = nn.Linear(3, 2)
    heard: list[Tensor] = []
    handle = model.bias.register_hook(heard.append)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1):
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
    model(torch.ones(1, 3)).sum().backward()
    assert len(heard) == 2
    assert model.weight._backward_hooks is None
    assert list(model.bias._backward_hooks) == [handle.id]
