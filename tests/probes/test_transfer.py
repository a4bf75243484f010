"""Numbers of an accelerator come when they come: a step never waits for them, a reader does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nbdiag.measures.run import Run
from nbdiag.probes import transfer
from nbdiag.probes.transfer import Transfer
from nbdiag.probes.watch import watch


def test_arrays_come_in_the_order_given_whatever_their_type() -> None:
    tensors = [
        torch.tensor([1.0, 2.0]),
        torch.tensor([3.0], dtype=torch.float64),
        torch.tensor([0.5, 0.25], dtype=torch.bfloat16),
        torch.tensor(4.0),
        torch.zeros(0),
    ]
    arrays = [array.tolist() for array in Transfer(tensors).arrays()]
    assert arrays == [[1.0, 2.0], [3.0], [0.5, 0.25], [4.0], []]
    assert Transfer(tensors[:4]).numbers() == [1.0, 3.0, 0.5, 4.0]
    assert Transfer([]).arrays() == []


class Slow(Transfer):
    """Arrives when the test says so; waiting for it is noted."""

    arrived = False
    waits: list[str] = []  # noqa: RUF012

    def ready(self) -> bool:
        return self.arrived

    def arrays(self) -> list[np.ndarray]:
        if not self.arrived:
            self.waits.append("waited")
        return super().arrays()


def train(run: Run, model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(torch.ones(4, 3)).square().mean()
        loss.backward()
        run.log(loss=loss)
        optimizer.step()


def test_no_step_waits_and_a_reader_gets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbdiag.probes.step_sample.Transfer", Slow)
    monkeypatch.setattr(Slow, "waits", [])
    monkeypatch.setattr(transfer, "Transfer", Slow)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    heard: list[int] = []
    with watch(model, optimizer, every=1) as run:
        watcher = run._on_close.__self__  # type: ignore[attr-defined]
        watcher.reader._defer = True  # as on an accelerator
        run.subscribe(lambda r: heard.append(len(r.recording)))
        train(run, model, optimizer, 40)
        assert Slow.waits == []  # though the listener was called and asked for the recording
        assert set(heard) == {0}
        assert run.recording.steps.tolist() == list(range(1, 41))
        assert Slow.waits
    assert np.isfinite(run.recording.stat("grad_norm")).all()


def test_what_has_arrived_is_taken_within_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbdiag.measures.listeners.NOTIFY_SECONDS", (0.0, 0.0))
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    heard: list[int] = []
    with watch(model, optimizer, every=1) as run:
        run._on_close.__self__.reader._defer = True  # type: ignore[attr-defined]
        run.subscribe(lambda r: heard.append(len(r.recording)))
        train(run, model, optimizer, 5)
    assert heard[-2:] == [5, 5]  # the last step, and the end
