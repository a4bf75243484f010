"""Outputs that meet targets which are not theirs: the graph of a loss shows it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nbdiag.probes.loss_graph import broadcast_of
from nbdiag.probes.watch import watch
from nbdiag.tracking.reader import open_run

Loss = Callable[[Tensor, Tensor], Tensor]


def column(loss: Loss, n: int = 8) -> str:
    """Of a network's output (N, 1) and targets (N,)."""
    torch.manual_seed(0)
    net, x, y = (
        nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)),
        torch.randn(n, 3),
        torch.randn(n),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch itself warns in mse_loss
        return broadcast_of(loss(net(x), y))


@pytest.mark.parametrize(
    ("loss", "seen"),
    [
        (lambda out, y: (out - y).square().mean(), True),
        (lambda out, y: (y - out).pow(2).sum(), True),
        (lambda out, y: (out - y).abs().mean() + 1e-3 * out.square().mean(), True),
        (lambda out, y: F.mse_loss(out, y), True),
        (lambda out, y: F.l1_loss(out, y), True),
        (lambda out, y: (out[:, 0] - y[:, None]).square().mean(), True),
        (lambda out, y: (out[:, 0] - y).square().mean(), False),
        (lambda out, y: F.mse_loss(out, y[:, None]), False),
        (lambda out, y: (out - out[:, 0]).square().mean(), False),  # pairs, as in ranking
        (lambda out, y: (out - y.mean()).square().mean(), False),
        (lambda out, y: (out - y[:3]).square().mean(), False),  # three quantiles
        (lambda out, y: out.sum(), False),
    ],
)
def test_what_the_graph_shows(loss: Loss, seen: bool) -> None:
    shapes = "outputs of shape (8,) met" if "out[:, 0] - y[:, None]" in str(loss) else ""
    found = column(loss)
    assert bool(found) is seen
    assert found.endswith("met targets that broadcast to (8, 8)") is seen
    assert shapes in found


def test_one_sample_is_its_own_partner() -> None:
    assert column(lambda out, y: (out - y).square().mean(), n=1) == ""


def test_a_loss_without_a_graph() -> None:
    assert broadcast_of(torch.tensor(1.0)) == ""


def regress(mend: bool, loss_fn: Any = None, log_dir: Path | None = None, steps: int = 150) -> Any:
    torch.manual_seed(0)
    x = torch.randn(256, 4)
    y = x @ torch.tensor([1.0, -2.0, 0.5, 1.0])
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    with watch(model, optimizer, loss_fn, every=1, log_dir=log_dir) as run:
        for _ in range(steps):
            rows = torch.randint(256, (32,))
            target = y[rows][:, None] if mend else y[rows]
            out = model(x[rows])
            loss = (out - target).square().mean() if loss_fn is None else loss_fn(out, target)
            optimizer.zero_grad()
            loss.backward()
            if loss_fn is None:
                run.log(loss=loss)
            optimizer.step()
    return run


def test_a_training_towards_the_mean_is_told_with_its_shapes(tmp_path: Path) -> None:
    run = regress(False, log_dir=tmp_path)
    (finding,) = run.findings()
    assert finding.code in ("loss.flat", "loss.plateau_early")
    assert "outputs of shape (32, 1) met targets that broadcast to (32, 32)" in finding.message
    assert "squeeze" in finding.remedy
    assert open_run(tmp_path).findings() == [finding]
    assert regress(True).findings() == []


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_a_loss_module_is_looked_at_too() -> None:
    (finding,) = regress(False, nn.MSELoss()).findings()
    assert "met targets that broadcast" in finding.message


def test_only_some_of_the_first_losses_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    monkeypatch.setattr(
        "nbdiag.probes.loss_graph.broadcast_of", lambda loss: seen.append(loss) or ""
    )
    regress(True)
    assert len(seen) == 4


def test_a_look_that_fails_is_told_and_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(loss: Tensor) -> str:
        raise AttributeError("_input_metadata")

    monkeypatch.setattr("nbdiag.probes.loss_graph.broadcast_of", fails)
    run = regress(True)
    assert [(f.probe, f.reason) for f in run.failures] == [
        ("loss", "AttributeError: _input_metadata")
    ]
    assert len(run.recording.scalars["loss"].values) == 150
