"""Which layers a model has, by hand."""

from __future__ import annotations

import torch
from torch import nn

from nbdiag.probes.layout import describe
from nbdiag.probes.watch import watch


class Reader(nn.Module):
    def __init__(self, **kinds: object) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 4)
        self.cell = nn.LSTM(4, 5, batch_first=True, **kinds)  # type: ignore[arg-type]
        self.head = nn.Linear(5 * (2 if kinds.get("bidirectional") else 1), 2)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        return self.head(self.cell(self.embed(words))[0][:, -1])


def test_each_of_stacked_recurrent_layers_is_one() -> None:
    layout = describe(Reader(num_layers=3))
    names = [layer.name for layer in layout.layers]
    assert names == ["embed", "cell.l0", "cell.l1", "cell.l2", "head"]
    # 4 gates of 5 units: from 4 (then 5) inputs and 5 states, with two biases.
    sizes = [layer.size for layer in layout.layers]
    assert sizes == [28, 20 * (4 + 5 + 2), 20 * (5 + 5 + 2), 20 * (5 + 5 + 2), 12]
    assert layout.layer_of == (0, *[1] * 4, *[2] * 4, *[3] * 4, 4, 4)
    assert {layer.kind for layer in layout.layers} == {"Embedding", "LSTM", "Linear"}


def test_both_directions_of_a_level_are_one_layer() -> None:
    layout = describe(Reader(num_layers=2, bidirectional=True))
    assert [layer.name for layer in layout.layers] == ["embed", "cell.l0", "cell.l1", "head"]
    assert len(layout.layers[1].parameters) == 8


def test_a_single_recurrent_layer_keeps_its_name() -> None:
    assert [layer.name for layer in describe(Reader()).layers] == ["embed", "cell", "head"]
    alone = describe(nn.GRU(2, 3, num_layers=2))
    assert [layer.name for layer in alone.layers] == ["GRU.l0", "GRU.l1"]


def test_levels_keep_their_order_in_the_forward_pass() -> None:
    model = Reader(num_layers=2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer, every=1) as run:
        model(torch.zeros(3, 4, dtype=torch.long)).sum().backward()
        optimizer.step()
    assert [layer.name for layer in run.recording.layers] == ["embed", "cell.l0", "cell.l1", "head"]
    assert (run.recording.stat("grad_norm") > 0).all()
