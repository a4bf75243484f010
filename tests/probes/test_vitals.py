"""What is recorded at a step, by hand on tiny models and against plain torch on others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nbdiag.measures.run import Run
from nbdiag.probes import tensor_norms
from nbdiag.probes.watch import watch
from tests.probes.patients import PATIENTS, admit, steps

INF, NAN = float("inf"), float("nan")


class Hand(nn.Module):
    """Its loss is w . x, so its gradient is x."""

    def __init__(self, weights: list[float]) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(weights))

    def forward(self, x: Tensor) -> Tensor:
        return (self.w * x).sum()


def stat(run: Run, name: str) -> list[float]:
    return run.recording.parameter_stat(name)[:, 0].tolist()


def test_a_step_by_hand() -> None:
    model = Hand([3.0, 4.0, 0.0, 0.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer) as run:
        model(torch.tensor([6.0, 8.0, 0.0, 0.0])).backward()
        optimizer.step()
    assert stat(run, "grad_norm") == stat(run, "grad_norm_raw") == [10.0]
    assert stat(run, "weight_norm") == [5.0]
    assert stat(run, "update_norm") == [pytest.approx(1.0)]
    assert stat(run, "update_ratio") == [pytest.approx(0.2)]
    assert stat(run, "grad_zeros") == [0.5]
    assert stat(run, "grad_rms") == [5.0]
    assert stat(run, "grad_nonfinite") == [0.0]


def test_non_finite_entries_are_counted() -> None:
    model = Hand([1.0, 1.0, 1.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with watch(model, optimizer) as run:
        for x in ([NAN, INF, 1.0], [-INF, 2.0, 2.0], [2.0, 2.0, 1.0]):
            optimizer.zero_grad()
            model(torch.tensor(x)).backward()
            optimizer.step()
    assert stat(run, "grad_nonfinite") == [2.0, 1.0, 0.0]
    assert run.recording.parameter_status()[:, 0].tolist() == [3, 4, 0]


# Clipping ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("foreach", [True, False])
def test_both_norms_of_clipping_and_which_is_which(foreach: bool) -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    told = []
    with watch(model, optimizer, every=1) as run:
        for _ in range(30):
            optimizer.zero_grad()
            (100 * model(torch.randn(4, 6)).square().mean()).backward()
            told.append(float(nn.utils.clip_grad_norm_(model.parameters(), 0.5, foreach=foreach)))
            optimizer.step()
    raw, used = (run.recording.parameter_stat(n) for n in ("grad_norm_raw", "grad_norm"))
    total = np.sqrt((raw.astype(np.float64) ** 2).sum(axis=1))
    np.testing.assert_allclose(total, told, rtol=1e-5)
    np.testing.assert_allclose(np.sqrt((used**2).sum(axis=1)), 0.5, rtol=1e-4)


def test_clipping_by_value_changes_each_entry_on_its_own() -> None:
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer) as run:
        model(torch.tensor([3.0, 4.0])).backward()
        nn.utils.clip_grad_value_(model.parameters(), 1.0)
        optimizer.step()
    assert (stat(run, "grad_norm_raw"), stat(run, "grad_norm")) == ([5.0], [pytest.approx(2**0.5)])


def test_a_norm_before_clipping_is_that_of_all_micro_batches() -> None:
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        for _ in range(2):
            optimizer.zero_grad()
            for x in ([1.0, 0.0], [2.0, 4.0]):
                model(torch.tensor(x)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    assert stat(run, "grad_norm_raw") == [5.0, 5.0]
    assert stat(run, "grad_norm") == pytest.approx([1.0, 1.0], rel=1e-5)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("unscale", [False, True])
def test_before_and_after_clipping_under_a_loss_scale(fused: bool, unscale: bool) -> None:
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16, growth_interval=2)
    told = []
    with watch(model, optimizer, every=1) as run:
        for _ in range(5):
            optimizer.zero_grad()
            scaler.scale(model(torch.tensor([3.0, 4.0]))).backward()
            if unscale:
                scaler.unscale_(optimizer)
                told.append(float(nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
            scaler.step(optimizer)
            scaler.update()
    assert told == ([5.0] * 5 if unscale else [])
    assert stat(run, "grad_norm_raw") == [5.0] * 5
    assert stat(run, "grad_norm") == pytest.approx([1.0 if unscale else 5.0] * 5, rel=1e-5)
    assert run.skipped_steps == 0


def test_each_overflow_is_counted_once() -> None:
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    with watch(model, optimizer, every=1) as run:
        for x in (INF, INF, 1.0, 1.0, INF, 1.0):
            optimizer.zero_grad()
            scaler.scale(model(torch.tensor([x, 1.0]))).backward()
            scaler.step(optimizer)
            scaler.update()
    assert (run.step, run.skipped_steps) == (3, 3)
    assert not run.findings()


# Updates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PATIENTS)
def test_updates_are_what_the_step_changed(name: str) -> None:
    """A plain loop that copies the weights is the oracle, for every kind of model."""
    patient = admit(PATIENTS[name])
    weights = list(patient.model.parameters())
    expected, before = [], []

    def keep(*_: object) -> None:
        before[:] = [p.detach().clone() for p in weights]

    def compare(*_: object) -> None:
        expected.append(
            [
                float((p.detach().double() - b.double()).norm())
                for p, b in zip(weights, before, strict=True)
            ]
        )

    with watch(patient.model, patient.optimizers, every=1) as run:
        patient.optimizers[0].register_step_pre_hook(keep)
        patient.optimizers[-1].register_step_post_hook(compare)
        list(steps(patient, 4))
    got = run.recording.parameter_stat("update_norm")
    known = np.isfinite(got)
    assert known[:, [p.requires_grad for p in weights]].all()
    tolerance = 2e-2 if weights[0].dtype == torch.bfloat16 else 1e-4
    np.testing.assert_allclose(got[known], np.array(expected)[known], rtol=tolerance, atol=1e-7)


def test_a_large_tensor_is_read_in_part_and_comes_out_the_same() -> None:
    torch.manual_seed(0)
    model = nn.Linear(700, 600)
    assert model.weight.numel() > tensor_norms.LARGE
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    before = model.weight.detach().clone()
    with watch(model, optimizer) as run:
        model(torch.randn(8, 700)).square().sum().backward()
        told = nn.utils.clip_grad_norm_([model.weight], 0.1)
        optimizer.step()
    row = {n: run.recording.parameter_stat(n)[0, 0] for n in ("grad_norm_raw", "update_norm")}
    assert row["grad_norm_raw"] == pytest.approx(float(told), rel=1e-3)
    assert row["update_norm"] == pytest.approx(
        float((model.weight.detach() - before).norm()), rel=1e-2
    )


def test_an_embedding_is_read_in_full_since_few_of_its_rows_move() -> None:
    model = nn.Embedding(40_000, 8)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer) as run:
        model(torch.tensor([39_999])).sum().backward()
        optimizer.step()
    assert stat(run, "update_norm") == [pytest.approx(0.1 * 8**0.5, rel=1e-4)]


def test_a_loop_without_optimizer_has_updates_too() -> None:
    model = Hand([3.0, 4.0])
    with watch(model, every=1) as run:
        for _ in range(3):
            model.w.grad = None
            model(torch.tensor([3.0, 4.0])).backward()
            run.mark_step()
            with torch.no_grad():
                model.w -= 0.1 * model.w.grad
    assert stat(run, "update_norm")[:2] == pytest.approx([0.5, 0.5])
    assert stat(run, "grad_norm") == [5.0] * 3


# Steps that compute their gradients themselves --------------------------------------------------


def test_a_closure_is_read_when_it_has_run() -> None:
    """Lightning hands a closure to every optimizer."""
    model = Hand([0.0, 0.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    xs = iter([[3.0, 4.0], [6.0, 8.0]])

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = model(torch.tensor(next(xs)))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        return loss

    with watch(model, optimizer, every=1) as run:
        optimizer.step(closure)
        optimizer.step(closure=closure)
    assert stat(run, "grad_norm_raw") == [5.0, 10.0]
    assert stat(run, "grad_norm") == pytest.approx([1.0, 1.0], rel=1e-5)
    assert stat(run, "update_norm") == pytest.approx([0.1, 0.1], rel=1e-4)


def test_lbfgs_shows_the_gradient_where_its_step_begins() -> None:
    model = Hand([2.0, 0.0])
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=5)
    begins = []

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = model.w.square().sum()  # its gradient is 2 w
        loss.backward()
        return loss

    with watch(model, optimizer, every=1) as run:
        for _ in range(3):
            begins.append(float(2 * model.w.detach().norm()))
            optimizer.step(closure)
    assert stat(run, "grad_norm") == pytest.approx(begins, rel=1e-6)
    assert run.step == 3
    assert stat(run, "update_norm")[0] == pytest.approx((begins[0] - begins[1]) / 2, rel=1e-5)


# Histograms -------------------------------------------------------------------------------------


def test_histograms_are_those_of_the_weights_and_gradients() -> None:
    torch.manual_seed(0)
    model = nn.Linear(30, 20)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = []
    with watch(model, optimizer, every=1) as run:
        optimizer.register_step_pre_hook(
            lambda *_: seen.append((model.weight.detach().clone(), model.weight.grad.clone()))
        )
        for _ in range(12):
            optimizer.zero_grad()
            model(torch.randn(4, 30)).square().sum().backward()
            optimizer.step()
    for kind, which in (("weight", 0), ("gradient", 1)):
        found = run.recording.histograms.of(0, kind)  # type: ignore[arg-type]
        assert found.steps.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]
        for i, step in enumerate(found.steps):
            tensor = seen[step - 1][which]
            assert found.low[i] == tensor.min()
            assert found.high[i] == tensor.max()
            assert found.counts[i].sum() == 600
            expected = np.histogram(tensor.double().numpy(), 40)[0]
            assert np.abs(found.counts[i] - expected).sum() <= 4


def test_what_no_optimizer_holds_is_seen_not_to_move() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        for _ in range(2):
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
    moved = run.recording.stat("update_norm")
    assert (moved[:, 0] == 0).all()
    assert (moved[:, 1] > 0).all()


def test_a_gradient_from_before_a_pause_is_not_compared_with() -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        for step in range(1, 7):
            optimizer.zero_grad()
            model(torch.full((4, 2), float(step))).sum().backward()
            optimizer.step()
            if step == 2:
                run.pause()
            if step == 4:
                run.resume()
    assert run.recording.steps.tolist() == [1, 2, 5, 6]
    raw, used = run.recording.stat("grad_norm_raw"), run.recording.stat("grad_norm")
    # nobody clipped: where a raw norm was seen, it is the one that was used
    assert np.array_equal(raw[[1, 3]], used[[1, 3]])
    assert np.isnan(raw[2]).all() or np.array_equal(raw[2], used[2])
