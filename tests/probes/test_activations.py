"""What is seen of activations: modules and functions, by unit, in training passes only."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from nbdiag.measures.run import Run
from nbdiag.probes.watch import watch

NAN = float("nan")


class Known(nn.Module):
    """Activations that can be told by hand: of four units one fires always, one half the time."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 4, bias=False)
        self.act = nn.ReLU()
        self.out = nn.Linear(4, 1)
        with torch.no_grad():
            self.fc.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, 0]]))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.act(self.fc(x)))


def train(model: nn.Module, x: Any, n: int = 3, **options: Any) -> Run:
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.0)
    with watch(model, optimizer, every=1, **options) as run:
        for _ in range(n):
            optimizer.zero_grad()
            out = model(x)
            (out if isinstance(out, Tensor) else out[0]).sum().backward()
            optimizer.step()
    return run


def test_an_activation_by_hand() -> None:
    run = train(Known(), torch.tensor([[1.0, 2.0], [3.0, -2.0]]))
    (track,) = run.recording.activations.tracks
    assert (track.name, track.kind, track.units, track.unit_word) == ("act", "ReLU", 4, "unit")
    assert (track.rectifies, track.bounds, track.seen) == (True, None, 6)
    values = torch.tensor([1.0, 2, 0, 0, 3, 0, 0, 0])
    series = track.series()
    assert series.steps.tolist() == [1, 2, 3]
    assert series.mean.tolist() == [float(values.mean())] * 3
    assert series.std.tolist() == pytest.approx([float(values.std())] * 3, rel=1e-6)
    assert series.zeros.tolist() == [0.625] * 3
    assert series.active.tolist() == [0.5] * 3
    assert track.last_active.tolist() == [3, 3, 0, 0]
    assert track.seen_since_active.tolist() == [0, 0, 6, 6]
    assert track.blocks().activity[0].tolist() == [1.0, 0.5, 0.0, 0.0]


@pytest.mark.parametrize("inplace", [False, True])
def test_what_follows_in_place_does_not_change_what_was_seen(inplace: bool) -> None:
    """Of standard normal values, an ELU leaves half negative; a hook that keeps the tensor and
    reads it after the ReLU behind it sees none."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 64), nn.LeakyReLU(0.5), nn.ReLU(inplace=inplace))
    run = train(nn.Sequential(model, nn.Linear(64, 1)), torch.randn(256, 8), n=1)
    leaky, relu = run.recording.activations.tracks
    assert leaky.series().zeros[0] == 0.0
    assert 0.4 < relu.series().zeros[0] < 0.6
    assert leaky.blocks().activity.mean() == pytest.approx(1 - relu.series().zeros[0], abs=1e-6)


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.fc1, self.fc2, self.fc3 = nn.Linear(4, 6), nn.Linear(6, 5), nn.Linear(5, 2)
        self.drop = nn.Dropout(0.2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn(self.conv(x)), inplace=True).mean((2, 3))
        x = self.drop(torch.tanh(self.fc1(x)))
        return self.fc3(F.gelu(self.fc2(x)))


def test_functions_are_found_behind_the_layer_that_feeds_them() -> None:
    run = train(Functional(), torch.randn(5, 3, 6, 6))
    tracks = run.recording.activations.tracks
    assert [(t.name, t.units, t.unit_word) for t in tracks] == [
        ("relu(bn)", 4, "channel"),
        ("tanh(fc1)", 6, "unit"),
        ("gelu(fc2)", 5, "unit"),
    ]
    assert [t.bounds for t in tracks] == [None, (-1.0, 1.0), None]
    assert [len(t.series().steps) for t in tracks] == [3, 3, 3]


def test_a_module_that_is_called_twice_has_two_rows() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.relu = nn.Linear(3, 4), nn.Linear(4, 5), nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.relu(self.b(self.relu(self.a(x))))

    run = train(Twice(), torch.randn(2, 3))
    assert [(t.name, t.units) for t in run.recording.activations.tracks] == [
        ("relu", 4),
        ("relu (2)", 5),
    ]


SHAPES: dict[str, tuple[Callable[[], nn.Module], Tensor, list[tuple[str, int, str]]]] = {
    "tokens (N, T, C)": (
        lambda: nn.Sequential(nn.Linear(3, 8), nn.GELU(), nn.Linear(8, 1)),
        torch.randn(4, 7, 3),
        [("1", 8, "unit")],
    ),
    "conv1d (N, C, T)": (
        lambda: nn.Sequential(nn.Conv1d(3, 8, 3), nn.Dropout(0.1), nn.ReLU(), nn.Conv1d(8, 1, 1)),
        torch.randn(4, 3, 9),
        [("2", 8, "channel")],
    ),
    "one input (C,)": (
        lambda: nn.Sequential(nn.Linear(3, 8), nn.Sigmoid(), nn.Linear(8, 1)),
        torch.randn(3),
        [("1", 8, "unit")],
    ),
    "channels last": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 1, 1)).to(
            memory_format=torch.channels_last  # type: ignore[call-overload]
        ),
        torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last),
        [("1", 8, "channel")],
    ),
    "encoder layer": (
        lambda: nn.TransformerEncoderLayer(8, 2, 12, batch_first=True),
        torch.randn(2, 5, 8),
        [("relu(linear1)", 12, "unit")],
    ),
    "bfloat16": (
        lambda: nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1)).bfloat16(),
        torch.randn(4, 3).bfloat16(),
        [("1", 8, "unit")],
    ),
    "none at all": (lambda: nn.Sequential(nn.Linear(3, 1)), torch.randn(4, 3), []),
}


@pytest.mark.parametrize("name", SHAPES)
def test_units_lie_where_the_layer_puts_them(name: str) -> None:
    make, x, expected = SHAPES[name]
    run = train(make(), x)
    assert run.failures == ()
    tracks = run.recording.activations.tracks
    assert [(t.name, t.units, t.unit_word) for t in tracks] == expected
    for track in tracks:
        assert np.isfinite(track.series().mean).all()


def test_the_whole_of_a_large_output_is_represented() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 1, 1))
    x = torch.randn(64, 3, 34, 34)
    run = train(model, x, n=1)
    (track,) = run.recording.activations.tracks
    out = model[:2](x)
    assert track.series().zeros[0] == pytest.approx(float((out == 0).float().mean()), abs=0.02)
    assert track.series().mean[0] == pytest.approx(float(out.detach().mean()), rel=0.05)
    activity = (out > 0).float().mean((0, 2, 3)).detach().numpy()
    np.testing.assert_allclose(track.blocks().activity[0], activity, atol=0.06)


def test_validation_does_not_count() -> None:
    model = Known()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with watch(model, optimizer, every=1) as run:
        for _ in range(2):
            model.eval()
            model(torch.full((50, 2), -1.0))
            model.train()
            with torch.no_grad():
                model(torch.full((50, 2), -1.0))
            model(torch.ones(3, 2)).sum().backward()
            optimizer.step()
    assert run.recording.activations[0].seen == 6


def test_nan_activations_are_marked_and_not_dropped() -> None:
    run = train(Known(), torch.tensor([[NAN, 1.0]]), n=2)
    series = run.recording.activations[0].series()
    assert np.isnan(series.mean).all()
    assert np.isnan(series.zeros).all()


@pytest.mark.parametrize(
    ("module", "x", "saturated"),
    [
        (nn.Sigmoid(), [0.0, 5.0, -5.0, 1.0], 0.5),
        (nn.Tanh(), [0.0, 5.0, -5.0, 1.0], 0.5),
        (nn.Hardtanh(), [0.0, 1.0, -1.0, 2.0], 0.75),
        (nn.ReLU6(), [0.0, 6.0, -1.0, 2.0], 0.25),
        (nn.ReLU(), [0.0, 6.0, -1.0, 2.0], 0.0),
    ],
)
def test_saturation_by_hand(module: nn.Module, x: list[float], saturated: float) -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shift, self.act = nn.Parameter(torch.zeros(())), module

        def forward(self, x: Tensor) -> Tensor:
            return self.act(x + self.shift)

    run = train(Bare(), torch.tensor([x]), n=1)
    assert run.recording.activations[0].series().saturated.tolist() == [saturated]


def test_an_odd_module_is_left_out_and_named_and_the_rest_goes_on() -> None:
    class Odd(nn.ReLU):
        width = 3

        def forward(self, x: Tensor) -> Tensor:
            self.width += 1
            return super().forward(x)[:, : self.width]

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.good, self.odd = nn.Linear(2, 9), nn.Tanh(), Odd()

        def forward(self, x: Tensor) -> Tensor:
            return self.odd(self.good(self.fc(x)))

    run = train(Net(), torch.randn(4, 2), n=4)
    (failure,) = run.failures
    assert failure.probe == "activation_stats"
    assert failure.reason == "odd gave 5 units after 4; a changing width cannot be followed by unit"
    assert run.state == "done"
    assert len(run.recording.activations[0].series().steps) == 4
    assert len(run.recording) == 4


def test_what_cannot_be_seen_is_said() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.lstm(x)[0][:, -1])

    run = train(Net(), torch.randn(2, 5, 3))
    assert run.recording.activations.notes == [
        "the gates inside lstm are one operation and are not seen"
    ]
    model = torch.compile(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), backend="eager")
    run = train(model, torch.randn(2, 3))  # type: ignore[arg-type]
    assert run.recording.activations.notes == ["inside compiled code no activation can be seen"]
    assert len(run.recording) == 3


def test_checkpointed_functions_are_not_recomputed() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.act, self.head = nn.Linear(3, 8), nn.GELU(), nn.Linear(8, 1)
            self.passes = 0

        def inner(self, x: Tensor) -> Tensor:
            self.passes += 1
            return F.relu(self.act(self.fc(x)))

        def forward(self, x: Tensor) -> Tensor:
            return self.head(checkpoint(self.inner, x, use_reentrant=False))

    model = Net()
    run = train(model, torch.randn(4, 3), n=5)
    assert model.passes == 10  # forward, and once more in backward: as without a watch
    assert run.recording.activations.notes == [
        "saved tensors are packed here (checkpointing or offloading), so functions such as "
        "F.relu are not seen"
    ]
    (track,) = run.recording.activations.tracks
    assert (track.name, track.seen) == ("act", 20)


def test_copies_and_pickles_made_in_mid_training_carry_nothing() -> None:
    model = Known()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with watch(model, optimizer, every=1) as run:
        for _ in range(3):
            model(torch.ones(1, 2)).sum().backward()
            twin = copy.deepcopy(model)
            torch.save(model, io.BytesIO())
            optimizer.step()
            copy.deepcopy(optimizer)
            twin(torch.ones(7, 2)).sum().backward()
    assert run.recording.activations[0].seen == 3
    assert twin.fc.weight._backward_hooks is None


def test_between_samples_only_the_optimizer_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    from nbdiag.probes.activations import ActivationReader

    heard: list[int] = []
    hear = ActivationReader._hear

    def listened(self: ActivationReader, *args: Any) -> None:
        heard.append(self._run.step)
        hear(self, *args)

    monkeypatch.setattr(ActivationReader, "_hear", listened)
    model = Known()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with watch(model, optimizer, every=5) as run:
        for _ in range(11):
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
    assert sorted(set(heard)) == [0, 5, 10]
    assert run.recording.steps.tolist() == [1, 6, 11]
    assert all(len(t.series().steps) == 3 for t in run.recording.activations.tracks)
    assert torch.nn.modules.module._global_forward_hooks == {}


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_gates_of_recurrent_modules_are_not_followed(kind: type[nn.RNNBase]) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.rnn = nn.Linear(3, 4), kind(4, 4, batch_first=True)
            self.cell, self.head = nn.GRUCell(4, 4), nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            states = self.rnn(F.relu(self.embed(x)))[0]
            h = states[:, 0]
            for t in range(states.shape[1]):
                h = self.cell(states[:, t], h)
            return self.head(torch.tanh(h))

    run = train(Net(), torch.randn(2, 6, 3))
    names = [track.name for track in run.recording.activations.tracks]
    assert names == ["relu(embed)", "tanh(cell)"]
    assert run.recording.activations.notes == [
        "the gates inside rnn, cell are one operation and are not seen"
    ]
