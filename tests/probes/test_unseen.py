"""Activations that are hard to find: found where they can be, and said where not."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from nbdiag.probes.watch import watch
from tests.probes.test_activations import Known, train


def test_functions_behind_modules_that_give_several_tensors() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(3, 4, batch_first=True)
            self.mix = nn.MultiheadAttention(4, 2, batch_first=True)

        def forward(self, x: Tensor) -> tuple[Tensor, None]:
            x = torch.tanh(self.rnn(x)[0])
            return F.gelu(self.mix(x, x, x, need_weights=False)[0]), None

    run = train(Net(), torch.randn(2, 3, 3))
    names = [track.name for track in run.recording.activations.tracks]
    assert names == ["tanh(rnn)", "gelu(mix)"]


@dataclasses.dataclass
class Answer:
    scores: Tensor
    text: str = "an answer"

    def __getitem__(self, _: int) -> Tensor:
        return self.scores


class Opaque(Answer):
    """As `Answer`, but what is in it cannot be told."""

    def __init__(self, scores: Tensor) -> None:
        self.__dict__["scores"] = (lambda: scores,)

    def __getitem__(self, _: int) -> Tensor:
        return self.scores[0]()  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize(
    ("kind", "names", "notes"),
    [
        (Answer, ["relu(fc)"], []),
        (
            Opaque,
            [],
            [
                "functions such as F.relu are found from the tensors that forward() returns; here "
                "it returns Opaque without any, so they are not seen"
            ],
        ),
    ],
)
def test_outputs_that_are_objects(kind: type[Answer], names: list[str], notes: list[str]) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.head = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Answer:
            return kind(self.head(F.relu(self.fc(x))))

    run = train(Net(), torch.randn(2, 3))
    assert [track.name for track in run.recording.activations.tracks] == names
    assert run.recording.activations.notes == notes


class Parts(nn.Module):
    """Its forward() is never called, as that of a GAN is not."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.act = nn.Linear(3, 4), nn.ReLU()

    def loss(self, x: Tensor) -> Tensor:
        return F.relu(self.act(self.fc(x))).sum()


@pytest.mark.parametrize(
    ("evaluating", "seen", "note"),
    [
        (False, 6, "the model's own forward() is not called, so functions such as F.relu are not "
                   "seen"),
        (True, None, "no module ran in training mode and with gradients, so no activation was "
                     "seen"),
    ],
)  # fmt: skip
def test_models_that_never_run_as_expected(evaluating: bool, seen: int | None, note: str) -> None:
    model = Parts()
    model.train(not evaluating)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with watch(model, optimizer, every=1) as run:
        for step in range(3):
            assert run.recording.activations.notes == []
            model.loss(torch.randn(2, 3)).backward()
            optimizer.step()
            assert run.step == step + 1
    assert run.recording.activations.notes == [note]
    assert [track.seen for track in run.recording.activations.tracks] == ([seen] if seen else [])


def test_what_is_checkpointed_without_a_graph_is_said() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
            self.head = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(checkpoint(self.body, x, use_reentrant=True))

    run = train(Net(), torch.randn(2, 3, requires_grad=True))
    assert run.recording.activations.tracks == ()
    assert run.recording.activations.notes == [
        "what torch.utils.checkpoint runs with use_reentrant=True runs without gradients and is "
        "not seen; with use_reentrant=False its modules are"
    ]


def test_a_pass_that_is_broken_off_leaves_nothing() -> None:
    """A cell is interrupted within forward(), and runs again."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.known, self.interrupted = Known(), False

        def forward(self, x: Tensor) -> Tensor:
            x = self.known(x)
            if self.interrupted:
                raise KeyboardInterrupt
            return x

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with watch(model, optimizer, every=1) as run:
        for step in range(4):
            model.interrupted = step in (0, 2)
            if model.interrupted:
                with pytest.raises(KeyboardInterrupt):
                    model(torch.ones(5, 2))
                model.interrupted = False
            model(torch.ones(5, 2)).sum().backward()
            optimizer.step()
    assert [(t.name, t.seen) for t in run.recording.activations.tracks] == [("known.act", 20)]
