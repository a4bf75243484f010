"""Which thread calls the device, and when: a graph may be recorded in the one that trains."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nbdiag.probes import activations, outbox, watcher
from nbdiag.probes.outbox import Outbox
from nbdiag.probes.step_sample import Sample
from nbdiag.probes.transfer import Transfer
from nbdiag.probes.watch import watch


class Far(Tensor):
    """A tensor that says it lives elsewhere."""

    is_cpu = False  # type: ignore[assignment]


def waiting(step: int) -> Sample:
    sample = Sample(step, 1)
    sample.take(torch.ones(1), lambda found: None, defer=True)
    return sample


def test_samples_are_sent_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(outbox.time, "perf_counter", lambda: clock[0])
    delivered: list[int] = []
    box = Outbox(lambda sample: delivered.append(sample.step))
    assert not box.put(waiting(1))
    assert box.send()
    assert delivered == [1]
    assert not box.put(waiting(2))
    assert not box.send()  # a moment later
    assert not box.put(Sample(3, 1))  # here already, but not before the one ahead of it
    assert delivered == [1]
    clock[0] += 0.3
    assert box.send()
    assert delivered == [1, 2, 3]
    assert not box
    assert box.put(Sample(4, 1))
    assert delivered == [1, 2, 3, 4]


def test_of_many_none_waits_for_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox.time, "perf_counter", lambda: 0.0)
    delivered: list[int] = []
    box = Outbox(lambda sample: delivered.append(sample.step))
    for step in range(200):
        box.put(waiting(step))
        box.send()
    assert len(delivered) >= 200 - 64
    assert delivered == sorted(delivered)


def test_only_the_thread_that_trains_sends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another that reads, or writes the log, would break a graph that is being recorded."""
    began: set[int] = set()
    init = Transfer.__init__

    def noted(self: Transfer, tensors: Any) -> None:
        if tensors:
            began.add(threading.get_ident())
        init(self, tensors)

    monkeypatch.setattr(Transfer, "__init__", noted)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, every=1, log_dir=tmp_path)
    inner = run._on_close.__self__  # type: ignore[attr-defined]
    inner.reader._defer = True  # as on an accelerator
    monkeypatch.setattr(type(inner), "_find_device", lambda *_: None)
    inner._cuda = True
    stop = threading.Event()
    trainer: list[int] = []

    def train() -> None:
        trainer.append(threading.get_ident())
        while not stop.is_set():
            optimizer.zero_grad()
            loss = model(torch.ones(4, 3)).square().mean()
            loss.backward()
            run.log(loss=loss.detach().as_subclass(Far))
            optimizer.step()
            stop.wait(0.002)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        for _ in range(500):  # rows and losses come all the same
            if len(run.recording) > 5 and "loss" in run.recording.scalars:
                break
            stop.wait(0.02)
        assert thread.is_alive()
        seen = len(run.recording)
        assert began == set(trainer)
    finally:
        stop.set()
        thread.join()
        run.close()
    assert seen > 5
    assert run.recording.steps.tolist() == list(range(1, run.step + 1))
    assert len(run.recording.scalars["loss"].steps) == run.step
    assert np.isfinite(run.recording.stat("grad_norm")).all()


def test_what_a_graph_records_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our operations would be in the graph for good, and run whenever it is replayed."""
    recording = [False]
    for place in (activations, watcher):
        monkeypatch.setattr(place, "capturing", lambda: recording[0])
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        run._on_close.__self__._cuda = True  # type: ignore[attr-defined]
        run._on_close.__self__._find_device = lambda _: None  # type: ignore[attr-defined]
        for step in range(6):
            recording[0] = step in (2, 3)
            optimizer.zero_grad()
            model(torch.ones(5, 3)).square().mean().backward()
            optimizer.step()
    assert run.step == 4
    assert run.recording.activations[0].seen == 4 * 5
    assert run.failures == ()


def test_without_cuda_nothing_is_being_recorded() -> None:
    assert not outbox.capturing()
