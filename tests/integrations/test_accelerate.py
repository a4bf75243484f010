"""Accelerate's loop needs nothing of ours: `nd.watch` takes what `prepare()` gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from nbdiag.probes.watch import watch

STEPS = 4


def train(watched: bool, seen: list[tuple[float, float]] | None = None) -> tuple[Any, Any]:
    torch.manual_seed(0)
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.2), nn.ReLU(), nn.Linear(6, 1))
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer)
    x = torch.randn(STEPS * 2 * 8, 4)
    loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8)
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
    run = watch(model, optimizer, every=1) if watched else None
    for inputs, targets in loader:
        with accelerator.accumulate(model):
            loss = nn.functional.mse_loss(model(inputs), targets)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                before = float(accelerator.clip_grad_norm_(model.parameters(), 0.1))
                after = torch.stack([p.grad.norm() for p in model.parameters()]).norm().item()
                if seen is not None:
                    seen.append((before, after))
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    if run is not None:
        run.close()
    return run, {**model.state_dict(), "rng": torch.get_rng_state()}


def test_steps_and_clipping() -> None:
    seen: list[tuple[float, float]] = []
    run, _ = train(watched=True, seen=seen)
    assert run.failures == ()
    assert run.step == len(run.recording) == len(seen) == STEPS
    before, after = np.array(seen).T
    for name, expected in (("grad_norm_raw", before), ("grad_norm", after)):
        norms = np.sqrt((run.recording.parameter_stat(name) ** 2).sum(axis=1))
        np.testing.assert_allclose(norms, expected, rtol=1e-5)


def test_bit_identical_with_and_without() -> None:
    (_, without), (_, watched) = train(watched=False), train(watched=True)
    assert all(torch.equal(value, watched[name]) for name, value in without.items())
