"""One test for each trap of training vitals that most tutorials fall into.

Each shows the number that the trap gives, where that can be had in a line, next to the one that is
recorded. More cases of each are in test_watch.py, test_vitals.py and test_activations.py.
"""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.multiprocessing
from torch import Tensor, nn

from nbdiag.measures.run import Run
from nbdiag.probes.watch import watch
from nbdiag.wire.loss_curve import curve, sketch, smooth

NAN, INF = float("nan"), float("inf")
X = torch.tensor([[0.0, 2.0]])  # the gradient of `Two` for it is (0, 2)


class Two(nn.Module):
    """w @ x: its gradient is x itself."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(2))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.w).sum()


def norms(run: Run, name: str = "grad_norm") -> list[float]:
    return [float(value) for value in run.recording.stat(name)[:, 0]]


# Mixed precision --------------------------------------------------------------------------------


@pytest.mark.parametrize("fused", [False, True])
def test_gradients_under_a_loss_scale_are_unscaled(fused: bool) -> None:
    model = Two()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    with watch(model, optimizer, every=1) as run:
        scaler.scale(model(X)).backward()
        assert model.w.grad is not None
        assert model.w.grad.norm() == 131072.0  # what one reads after backward()
        scaler.step(optimizer)
        scaler.update()
    assert norms(run) == [2.0]


@pytest.mark.parametrize("fused", [False, True])
def test_overflow_steps_are_counted_and_are_no_nan(fused: bool) -> None:
    model = Two()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    with watch(model, optimizer, every=1) as run:
        for factor in (1.0, INF, 1.0):
            optimizer.zero_grad()
            scaler.scale(model(X + factor - 1)).backward()
            scaler.step(optimizer)
            scaler.update()
    assert run.skipped_steps == 1
    assert [value for value in norms(run) if not np.isfinite(value)] == []
    assert not run.findings()


# Clipping, accumulation -------------------------------------------------------------------------


def test_clip_grad_norm_returns_the_norm_before_and_both_are_kept() -> None:
    model = Two()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        model(X).backward()
        assert nn.utils.clip_grad_norm_(model.parameters(), 0.5) == 2.0  # "clipping is broken"
        optimizer.step()
    assert norms(run, "grad_norm_raw") == [2.0]
    assert norms(run) == pytest.approx([0.5], rel=1e-5)


def test_micro_batches_are_one_step_with_their_sum() -> None:
    model = Two()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    by_tensor_hook: list[float] = []
    by_accumulate_hook: list[float] = []
    model.w.register_hook(lambda g: by_tensor_hook.append(float(g.norm())))
    model.w.register_post_accumulate_grad_hook(
        lambda p: by_accumulate_hook.append(float(p.grad.norm()))
    )
    with watch(model, optimizer, every=1) as run:
        for _ in range(3):
            model(X).backward()
        optimizer.step()
    assert (by_tensor_hook, by_accumulate_hook) == ([2.0] * 3, [2.0, 4.0, 6.0])
    assert (norms(run), run.step) == ([6.0], 1)


# Several processes ------------------------------------------------------------------------------


def _rank(rank: int, port: int, folder: str) -> None:
    torch.set_num_threads(1)
    address = f"tcp://127.0.0.1:{port}"
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    inner = Two()
    model = nn.parallel.DistributedDataParallel(inner)
    local: list[float] = []
    inner.w.register_hook(lambda g: local.append(float(g.norm())))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        model(torch.tensor([[0.0, 2.0 + 4 * rank]])).backward()
        optimizer.step()
    np.save(f"{folder}/{rank}.npy", np.array([local[0], norms(run)[0]]))
    torch.distributed.destroy_process_group()


def test_with_ddp_the_mean_over_the_ranks_is_shown(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(_rank, (port, str(tmp_path)), nprocs=2)
    ranks = [np.load(tmp_path / f"{rank}.npy").tolist() for rank in (0, 1)]
    # Hooks see the gradient of their own rank, 2 and 6; the optimizer uses the mean, 4.
    assert ranks == [[2.0, 4.0], [6.0, 4.0]]
    assert "mean over all ranks" in " ".join((watch.__doc__ or "").split())


# NaN --------------------------------------------------------------------------------------------


class Chain(nn.Module):
    def __init__(self, poison: float | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.third = nn.Linear(2, 3), nn.Linear(3, 3), nn.Linear(3, 1)
        self.poison = poison

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(torch.tanh(self.first(x)))
        if self.poison is not None and x.requires_grad:
            x.register_hook(lambda grad: grad * self.poison)  # a broken backward()
        return self.third(x)


def test_nan_is_named_by_layer_step_and_direction_and_stays_in_the_histograms() -> None:
    model = Chain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with watch(model, optimizer, every=1) as run:
        for step in range(1, 9):
            model.poison = NAN if step >= 5 else None
            optimizer.zero_grad()
            model(torch.ones(4, 2)).square().mean().backward()
            optimizer.step()
    (finding,) = run.findings()
    assert (finding.code, finding.subject) == ("gradient.nonfinite", "second")
    assert "NaN at step 5" in finding.message
    assert "first on the way back; 2 of 3 layers" in finding.message
    where = run.recording.parameters.index("first.weight")
    log = run.recording.histograms.of(where, "gradient")
    assert (log.steps[-1] >= 5, log.nan[-1], log.counts[-1].sum()) == (True, 6, 0)


def test_nan_that_the_forward_pass_made_is_told_from_that() -> None:
    model = Chain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with watch(model, optimizer, every=1) as run:
        for step in range(1, 9):
            optimizer.zero_grad()
            (model(torch.ones(4, 2)) * (NAN if step >= 5 else 1.0)).mean().backward()
            optimizer.step()
    found = next(one for one in run.findings() if one.code == "gradient.nonfinite")
    assert (found.subject, "so the loss itself was" in found.message) == ("third", True)


# Activations ------------------------------------------------------------------------------------


def test_looking_in_train_mode_leaves_flags_and_running_statistics_as_they_are() -> None:
    def trained(look: bool) -> nn.Module:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5))
        model[1].eval()  # frozen statistics within a model in train mode
        model.add_module("more", nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU()))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        run = watch(model, optimizer, every=1) if look else None
        for _ in range(4):
            optimizer.zero_grad()
            model(torch.randn(8, 2)).sum().backward()
            optimizer.step()
        if run is not None:
            assert len(run.recording.activations.tracks) == 2
            run.close()
        return model

    one, other = trained(look=True), trained(look=False)
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    assert [m.training for m in one.modules()] == [m.training for m in other.modules()]
    assert not one[1].training


def test_dropout_adds_no_zeros_to_an_activation() -> None:
    model = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 1))
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].bias.fill_(1.0)  # every unit is on
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with watch(model, optimizer, every=1) as run:
        for _ in range(5):
            model(torch.randn(16, 2)).sum().backward()
            optimizer.step()
    (track,) = run.recording.activations.tracks
    assert track.series().zeros.tolist() == [0.0] * 5


def test_an_in_place_function_behind_does_not_change_what_was_seen() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.5), nn.ReLU(True), nn.Linear(32, 1))
    kept: list[Tensor] = []
    hook = model[1].register_forward_hook(lambda _, __, y: kept.append(y))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    x = torch.randn(64, 2)
    with watch(model, optimizer, every=1) as run:
        model(x).sum().backward()
        optimizer.step()
    hook.remove()
    truth = nn.functional.leaky_relu(model[0](x), 0.5)
    assert (truth < 0).float().mean() > 0.4
    assert (kept[0] < 0).float().mean() == 0  # the tensor that a hook stored
    leaky = next(t for t in run.recording.activations.tracks if t.kind == "LeakyReLU")
    assert leaky.series().mean[0] == pytest.approx(float(truth.detach().mean()), abs=1e-6)


def test_in_place_layers_train_while_they_are_watched() -> None:
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(inplace=True), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    handle = model[1].register_full_backward_hook(lambda *_: None)
    with pytest.raises(RuntimeError, match="modified inplace"):  # what others hang there
        nn.Sequential(model[0], model[1], nn.ReLU(inplace=True))(torch.randn(4, 2)).sum().backward()
    handle.remove()
    with watch(model, optimizer, every=1) as run:
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(4, 2)).sum().backward()
            optimizer.step()
    assert len(run.recording) == 3
    assert run.failures == ()
    assert len(run.recording.activations[0].series().steps) == 3


def test_dead_means_never_active_over_many_batches_and_says_how_many_inputs() -> None:
    model = nn.Sequential(nn.Linear(1, 64, bias=False), nn.ReLU(), nn.Linear(64, 1))
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].weight[0] = 0.0  # the one that is dead indeed
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    rare = torch.full((32, 1), -1.0)
    with watch(model, optimizer, every=1) as run:
        for step in range(1, 41):
            x = rare.clone()
            if step % 5 == 0:
                x[7] = 1.0  # one input in 160 switches the others on
            model(x).sum().backward()
            optimizer.step()
            if step == 1:  # of one batch all of them look dead
                assert (run.recording.activations[0].last_active > 0).sum() == 0
                assert not run.findings()
    track = run.recording.activations[0]
    assert ((track.last_active == 0).sum(), track.seen) == (1, 1280)
    assert [finding.code for finding in run.findings() if "dead" in finding.code] == []


def test_a_dead_layer_is_told_with_the_inputs_it_rests_on() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
    with torch.no_grad():
        model[0].bias.fill_(-50.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with watch(model, optimizer, every=1) as run:
        for _ in range(40):
            optimizer.zero_grad()
            model(torch.randn(32, 2)).square().mean().backward()
            optimizer.step()
    found = next(one for one in run.findings() if one.code == "activation.dead")
    assert "1,280 inputs" in found.message


# The loss ---------------------------------------------------------------------------------------


def test_a_training_loss_above_validation_is_no_underfitting() -> None:
    model = Two()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with watch(model, optimizer, every=1) as run:
        for epoch in range(30):
            for _ in range(10):
                optimizer.zero_grad()
                model(X).backward()
                optimizer.step()
            falling = 0.9**epoch
            run.log(train_loss=0.317 + falling, val_loss=0.091 + falling)
    assert [finding.code for finding in run.findings() if finding.code.startswith("loss.")] == []


def test_what_smoothing_hides_stays_in_the_band() -> None:
    steps = np.arange(1.0, 100_001)
    values = np.ones_like(steps)
    values[40_000] = 60.0
    whole = curve(steps, values, values, values)
    assert np.nanmax(smooth(whole.steps, whole.values, 500.0)) < 1.1
    assert sketch(whole, 1200).high.max() == 60.0


# Compiled models, cells that run again -----------------------------------------------------------


@pytest.mark.parametrize("way", ["torch.compile", "module.compile"])
def test_a_model_that_ran_compiled_before_it_was_watched(way: str) -> None:
    def trained(look: bool) -> tuple[Tensor, Run | None]:
        torch.manual_seed(0)
        torch.compiler.reset()
        inner = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
        model = torch.compile(inner, backend="eager") if way == "torch.compile" else inner
        if way == "module.compile":
            inner.compile(backend="eager")
        optimizer = torch.optim.SGD(inner.parameters(), lr=0.1)
        fired: list[int] = []

        def steps(n: int) -> None:
            for _ in range(n):
                optimizer.zero_grad()
                model(torch.randn(4, 2)).sum().backward()
                optimizer.step()

        steps(2)
        hook = inner[1].register_forward_hook(lambda *_: fired.append(1))
        run = watch(model, optimizer, every=1) if look else None
        steps(3)
        assert fired == []  # the trap
        hook.remove()
        if run is not None:
            run.close()
        return inner[0].weight.detach(), run

    (weights, run), (untouched, _) = trained(look=True), trained(look=False)
    assert torch.equal(weights, untouched)
    assert run is not None
    assert (run.step, len(run.recording), run.failures) == (3, 3, ())
    assert (run.recording.stat("grad_norm") > 0).all()
    assert run.recording.activations.notes == ["inside compiled code no activation can be seen"]


def test_a_cell_that_runs_again_replaces_the_watch() -> None:
    model = Two()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def hung() -> int:
        return len(optimizer._optimizer_step_pre_hooks) + len(optimizer._optimizer_step_post_hooks)

    runs = [watch(model, optimizer, every=1)]
    once = hung()
    for _ in range(5):
        runs.append(watch(model, optimizer, every=1))
        model(X).backward()
        optimizer.step()
    assert hung() == once
    assert [run.state for run in runs] == ["done"] * 5 + ["live"]
    assert [run.step for run in runs] == [0, 1, 1, 1, 1, 1]
    runs[-1].close()
