"""Samples of every kind as something to look at; what fails is said for the sample alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression

from nbdiag.measures.predictions import Predictions
from nbdiag.probes.data import ArrayInputs, DatasetInputs
from nbdiag.probes.predict import predict
from nbdiag.probes.renderers import Failed, Renderer, Table, renderer_for


def told(inputs: Any, n: int = 4) -> Predictions:
    return Predictions(targets=np.zeros(n, int), probabilities=np.full((n, 2), 0.5), inputs=inputs)


def show(renderer: Renderer, ids: list[int]) -> list[Any]:
    return list(renderer.of(ids))


def of_list(values: list[Any]) -> Predictions:
    return told(DatasetInputs([(value, 0) for value in values]), len(values))


def test_pictures() -> None:
    shown = renderer_for(of_list([torch.rand(3, 6, 5), torch.zeros(3, 6, 5)]))
    assert shown.kind == "image"
    first, second = show(shown, [0, 1])
    assert first.shape == (6, 5, 3)
    assert first.dtype == np.uint8
    assert not second.any()


def test_rows_of_a_dataframe_have_names_and_places() -> None:
    frame = pd.DataFrame({"age": [20.0, 30.0, 40.0, np.nan], "town": ["a", "b", "a", "c"]})
    shown = renderer_for(told(ArrayInputs(frame)))
    assert shown.kind == "tabular"
    first, last = show(shown, [0, 3])
    assert isinstance(first, Table)
    assert (first.names, first.values) == (("age", "town"), (20.0, "a"))
    # in the middle of the one value that is its own, of three
    assert np.allclose(first.places, [1 / 6, np.nan], equal_nan=True)
    assert np.isnan(last.places).all()


def test_what_predict_gives_is_shown() -> None:
    frame = pd.DataFrame({"a": np.arange(10.0), "b": np.arange(10.0)[::-1]})
    y = np.arange(10) % 2
    model = LogisticRegression().fit(frame, y)
    (row,) = show(renderer_for(predict(model, (frame, y), progress=False)), [9])
    assert row.names == ("a", "b")
    assert np.allclose(row.places, [0.95, 0.05])


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        (ArrayInputs(np.ones((4, 3))), ("feature 0", "feature 1", "feature 2")),
        (ArrayInputs(torch.ones(4, 3)), ("feature 0", "feature 1", "feature 2")),
        (ArrayInputs(pl.DataFrame({"a": [1] * 4, "b": [2] * 4})), ("a", "b")),
        (DatasetInputs([({"a": 1, "b": np.float32(2)}, 0)] * 4), ("a", "b")),
    ],
    ids=["array", "tensor", "polars", "dict"],
)
def test_rows_of_other_kinds(inputs: Any, names: tuple) -> None:
    (row,) = show(renderer_for(told(inputs)), [2])
    assert row.names == names
    assert np.allclose(row.places, 0.5)  # a constant lies in the middle


def test_text_and_tokens() -> None:
    assert renderer_for(of_list(["one", "two"])).of([1]) == ["two"]
    tokens = of_list([torch.tensor([3, 1, 2]), torch.tensor([5, 5, 0])])
    plain = renderer_for(tokens)
    assert (plain.kind, plain.of([0])) == ("text", ["3 1 2"])
    assert "give tokenizer=" in plain.note

    class Tokenizer:
        def decode(self, ids: list[int]) -> str:
            return "".join("abcdef"[i] for i in ids)

    assert renderer_for(tokens, tokenizer=Tokenizer()).of([0, 1]) == ["dbc", "ffa"]
    assert renderer_for(tokens, decode=lambda ids: f"<{len(ids)}>").of([0]) == ["<3>"]
    padded = of_list([{"input_ids": torch.tensor([3, 1, 0]), "attention_mask": [1, 1, 0]}])
    assert renderer_for(padded).of([0]) == ["3 1"]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (Image.new("RGB", (5, 4), "red"), (4, 5, 3)),
        (np.zeros((4, 5)), (4, 5)),
        (torch.zeros(3, 4, 5), (4, 5, 3)),
        ("text", "text"),
        ({"a": 1, "b": "x"}, ("a", "b")),
        (7, "render must return a PIL image, an array of pixels, a text or a dict, got int"),
        (None, "got NoneType"),
    ],
    ids=["pil", "array", "tensor", "text", "dict", "number", "none"],
)
def test_own_renderer(made: Any, expected: Any) -> None:
    shown = renderer_for(of_list([1.0, 2.0]), lambda value: made)
    assert shown.kind == "custom"
    (one,) = show(shown, [0])
    if isinstance(one, np.ndarray):
        assert one.shape == expected
    elif isinstance(one, Table):
        assert one.names == expected
    elif isinstance(one, Failed):
        assert expected in one.message
    else:
        assert one == expected


def test_failures_belong_to_their_sample() -> None:
    def half(value: float) -> str:
        return str(1 / value)

    shown = renderer_for(of_list([0.0, 2.0]), half)
    assert shown.of([0, 1]) == [Failed("ZeroDivisionError: float division by zero"), "0.5"]
    missing = renderer_for(of_list(["a", "b"])).of([0, 9, 1])
    assert missing[0] == "a"
    assert missing[1] == Failed("IndexError: no sample 9: the data set has 2")
    assert missing[2] == "b"
    torn = renderer_for(of_list([torch.rand(3, 6, 5), torch.rand(7)])).of([0, 1])
    assert isinstance(torn[1], Failed)


def test_what_cannot_be_shown_says_why() -> None:
    nothing = renderer_for(told(None))
    assert nothing.kind == "none"
    assert nothing.of([0]) == [Failed("these predictions cannot look up their inputs by id")]
    odd = renderer_for(of_list([torch.rand(2, 3, 4, 5, 6)]))
    assert odd.kind == "none"
    assert odd.note

    def fails(ids: Any) -> Any:
        raise OSError("disk gone")

    assert renderer_for(told(fails)).note == "OSError: disk gone"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"render": "big"}, "render must be a function of an input, got str"),
        ({"tokenizer": 3}, r"tokenizer must have decode\(ids\), got int"),
        ({"decode": "utf-8"}, "decode must be a function of token ids, got str"),
    ],
)
def test_wrong_options(options: dict, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        renderer_for(of_list(["a"]), **options)
