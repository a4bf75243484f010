"""Watching and closing a thousand times leaves nothing behind."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.modules import module as torch_module
from torch.optim import optimizer as torch_optimizer

from nbdiag.probes.watch import watch
from tests.probes.patients import PATIENTS, admit, hooks, steps

CYCLES = 1000


def global_hooks() -> list[int]:
    return [
        len(table)
        for table in (
            torch_module._global_forward_hooks,
            torch_module._global_forward_pre_hooks,
            torch_module._global_backward_hooks,
            torch_optimizer._global_optimizer_pre_hooks,
            torch_optimizer._global_optimizer_post_hooks,
        )
    ]


def cycle(model: nn.Module, optimizer: Any, loss_fn: nn.Module) -> None:
    with watch(model, optimizer, loss_fn, every=1):
        for _ in range(2):
            optimizer.zero_grad()
            loss_fn(model(torch.ones(2, 5)), torch.zeros(2, 3)).backward()
            optimizer.step()


def test_a_thousand_cycles() -> None:
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))
    optimizer, loss_fn = torch.optim.SGD(model.parameters(), lr=0.01), nn.MSELoss()
    before, threads = global_hooks(), threading.active_count()
    tracemalloc.start()
    for _ in range(20):  # the last run of a model is kept until the next
        cycle(model, optimizer, loss_fn)
    gc.collect()
    start = tracemalloc.get_traced_memory()[0]
    for _ in range(CYCLES):
        cycle(model, optimizer, loss_fn)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - start
    tracemalloc.stop()
    assert global_hooks() == before
    assert threading.active_count() == threads
    assert not model[1]._forward_hooks
    assert not loss_fn._forward_hooks
    assert model[0].weight._backward_hooks is None
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks
    assert grown < 50 * CYCLES, f"{grown / CYCLES:.0f} bytes a cycle stay"


@pytest.mark.parametrize("name", PATIENTS)
def test_hooks_of_every_kind_of_model_go(name: str) -> None:
    patient = admit(PATIENTS[name])
    before, everywhere = hooks(patient), global_hooks()
    for _ in range(3):
        with watch(patient.model, patient.optimizers, every=1):
            list(steps(patient, 2))
        assert hooks(patient) == before
        assert global_hooks() == everywhere
    for parameter in patient.model.parameters():
        assert parameter._backward_hooks is None
