"""Samples of any form come apart into inputs by name and a target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from nbdiag.probes.samples import gathered, of_frame, parts_of, to_array, to_rows


@pytest.mark.parametrize(
    ("item", "names", "target"),
    [
        ((1.0, 3), [""], 3),
        ([1.0, 3], [""], 3),
        ((1.0,), [""], None),
        (1.0, [""], None),
        ((1.0, None), [""], None),
        (((1.0, 2.0), 3), ["input 0", "input 1"], 3),
        (({"a": 1.0, "b": (2.0, 3.0)}, 4), ["a", "b.0", "b.1"], 4),
        ({"x": 1.0, "y": 2, "idx": 9, "boxes": 0}, ["x"], 2),
        ({"pixel_values": 1.0}, ["pixel_values"], None),
    ],
)
def test_parts(item: Any, names: list[str], target: Any) -> None:
    inputs, found = parts_of(item)
    assert (list(inputs), found) == (names, target)


def test_padding_is_taken_out_by_the_mask() -> None:
    item = {
        "input_ids": torch.tensor([5, 6, 1, 1]),
        "attention_mask": torch.tensor([1, 1, 0, 0]),
        "labels": torch.tensor(1),
    }
    inputs, _ = parts_of(item)
    assert inputs["input_ids"].tolist() == [5, 6, 0, 0]


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(ValueError, match="got a tuple of 3"):
        parts_of((1, 2, 3))
    with pytest.raises(ValueError, match="the samples hold no input, only"):
        parts_of({"label": 3, "id": 1})
    with pytest.raises(ValueError, match="the samples differ in their inputs"):
        gathered([{"a": 1.0}, {"b": 1.0}])
    with pytest.raises(TypeError, match="numbers, a picture or text, got object"):
        to_array(object())
    with pytest.raises(TypeError, match="got PackedSequence"):
        to_array(torch.nn.utils.rnn.pack_sequence([torch.ones(3, 1)]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (torch.tensor([1.5, 2.0], dtype=torch.bfloat16), [1.5, 2.0]),
        (torch.tensor([1.0, 0.0]).to_sparse(), [1.0, 0.0]),
        (torch.tensor([1 + 2j]), [[1.0, 2.0]]),
        (torch.ones(2, requires_grad=True), [1.0, 1.0]),
        (np.array([1 + 2j]), [[1.0, 2.0]]),
        (Image.new("L", (2, 1), 7), [[7, 7]]),
        ([1, 2], [1, 2]),
        (np.array([1, None], dtype=object), [1.0, None]),
    ],
)
def test_arrays(value: Any, expected: list[Any]) -> None:
    found = to_array(value)
    wanted = np.array(expected, dtype=float)
    assert np.array_equal(found, wanted, equal_nan=True)


def test_rows_of_different_shapes_stay_apart() -> None:
    rows = to_rows([torch.ones(2), torch.ones(3)])
    assert [row.shape for row in rows] == [(2,), (3,)]
    assert to_rows([1, 2.5]).tolist() == [1.0, 2.5]
    assert to_rows(["a", "b"]) == ["a", "b"]


def test_frames() -> None:
    frame = pd.DataFrame(
        {
            "amount": [1, 2, 3],
            "missing": pd.array([1, None, 3], dtype="Int64"),
            "word": ["a", None, "a"],
            "kind": pd.Categorical(["x", "y", "x"]),
            "day": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
            "flag": [True, False, True],
        }
    )
    array, names, coded = of_frame(frame)
    assert names == list(frame.columns)
    assert coded == [False, False, True, True, True, False]
    assert array[:, 0].tolist() == [1, 2, 3]
    assert np.isnan(array).tolist() == [
        [False] * 6,
        [False, True, True, False, False, False],
        [False, False, False, False, True, False],
    ]
    assert array[0, 2] == array[2, 2]
    assert array[0, 3] == array[2, 3] != array[1, 3]
    assert array[1, 4] - array[0, 4] == 86_400
    with pytest.raises(ValueError, match="no column"):
        of_frame(frame[[]])
