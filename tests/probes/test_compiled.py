"""torch.compile around a training that is watched: nothing is compiled twice, and what is not seen
is said."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.utils import counters
from torch.nn.modules import module as torch_module

from nbdiag.measures.run import Run
from nbdiag.probes.activations import COMPILED
from nbdiag.probes.watch import watch

Call = Callable[[Tensor], Tensor]


def compile_after(model: nn.Module) -> Call:
    return torch.compile(model, backend="eager")


def compile_in_place(model: nn.Module) -> Call:
    model.compile(backend="eager")
    return model


def compile_a_function(model: nn.Module) -> Call:
    return torch.compile(lambda x: model(x), backend="eager")


def train(prepare: Callable[[nn.Module], Call], look: bool) -> tuple[Tensor, int, Run | None]:
    """The weights, how many pieces of code were compiled, and the run."""
    torch.manual_seed(0)
    torch.compiler.reset()
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer, every=3) if look else None
    call = prepare(model)
    before = counters["frames"]["total"]
    for _ in range(40):
        optimizer.zero_grad()
        call(torch.randn(4, 2)).square().mean().backward()
        optimizer.step()
    if run is not None:
        run.close()
    return model[0].weight.detach(), counters["frames"]["total"] - before, run


@pytest.mark.filterwarnings("ignore:Using `torch.compile")  # torch tells that there are hooks
@pytest.mark.parametrize("prepare", [compile_after, compile_in_place, compile_a_function])
def test_looking_now_and_then_compiles_nothing_again(
    prepare: Callable[[nn.Module], Call],
) -> None:
    (bare, expected, _), (weights, compiled, run) = train(prepare, False), train(prepare, True)
    assert torch.equal(weights, bare)
    assert compiled == expected == 1
    assert run is not None
    assert (run.step, len(run.recording), run.failures) == (40, 14, ())
    assert (run.recording.stat("grad_norm_raw") > 0).all()
    assert run.recording.activations.notes == [COMPILED]
    assert torch_module._global_forward_hooks == {}
    assert torch_module._global_forward_pre_hooks == {}


@pytest.mark.filterwarnings("ignore:Using `torch.compile")
def test_another_model_that_is_compiled_does_not_stop_the_looking() -> None:
    torch.compiler.reset()
    teacher = torch.compile(nn.Linear(2, 1), backend="eager")
    teacher(torch.ones(4, 2))

    def beside(model: nn.Module) -> Call:
        return lambda x: model(x) - teacher(x).detach()

    _, compiled, run = train(beside, True)
    assert compiled <= 1
    assert run is not None
    (track,) = run.recording.activations.tracks
    assert track.seen == 4 * 14
    assert run.recording.activations.notes == []


def test_a_part_that_is_compiled_is_said() -> None:
    torch.compiler.reset()
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 4), nn.ReLU()), nn.Linear(4, 4), nn.Tanh())
    model[0].compile(backend="eager")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        for _ in range(2):
            model(torch.ones(3, 2)).sum().backward()
            optimizer.step()
    assert "2" in [track.name for track in run.recording.activations.tracks]
    assert run.recording.activations.notes == [COMPILED]


@pytest.mark.parametrize("given", [True, False])
def test_a_compiled_step_is_heard_and_none_of_our_code_is_compiled(given: bool) -> None:
    def steps(look: bool) -> tuple[int, Run | None]:
        torch.compiler.reset()
        model = nn.Linear(3, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, foreach=True)
        run = watch(model, optimizer if given else None, every=2) if look else None
        step = torch.compile(optimizer.step, backend="eager")
        before = counters["frames"]["total"]
        for _ in range(12):
            optimizer.zero_grad()
            model(torch.randn(4, 3)).square().mean().backward()
            step()
        if run is not None:
            run.close()
        return counters["frames"]["total"] - before, run

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # dynamo warns of what it cannot trace
        (bare, _), (compiled, run) = steps(False), steps(True)
    assert 0 < compiled <= bare
    assert run is not None
    assert (run.step, len(run.recording), run.failures) == (12, 6, ())
    assert (run.recording.stat("update_norm") > 0).all()
