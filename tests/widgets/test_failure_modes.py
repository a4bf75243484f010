"""FailureModes: what crosses to the browser, and what Python reads back."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

import nbdiag as nd
from tests.measures.made import scene, told

CATEGORIES = {
    "dark": lambda s: s.metadata["light"] < 0.2,
    "night": lambda s: s.metadata["night"],
    "empty": lambda s: s.true == 77,
}


def modes(n: int = 3000) -> nd.FailureModes:
    metadata = scene(n, 1)
    made = told(0.06 + 0.4 * (metadata["light"] < 0.2), metadata=metadata, classes=4)
    return nd.FailureModes(made, CATEGORIES)


def test_rows_and_overlap() -> None:
    shown = modes()
    told_ = shown.predictions
    dark = np.asarray(told_.metadata["light"]) < 0.2
    night = np.asarray(told_.metadata["night"])
    wrong = told_.predicted != told_.targets
    first, _, empty, rest = shown.modes
    assert [row["name"] for row in shown.modes] == ["dark", "night", "empty", "uncategorised"]
    assert (first["n"], first["errors"]) == (dark.sum(), (dark & wrong).sum())
    assert first["share"] == pytest.approx((dark & wrong).sum() / wrong.sum())
    assert first["lift"] == pytest.approx(wrong[dark].mean() / wrong.mean())
    assert (first["concentrated"], rest["rest"]) == (True, True)
    assert (empty["n"], empty["rate"], empty["lift"]) == (0, None, None)
    assert rest["n"] == (~dark & ~night).sum()
    assert shown.overlap[0][1] == (dark & night & wrong).sum()
    assert shown.info["several"] == shown.overlap[0][1]
    assert [finding["code"] for finding in shown.findings] == ["failure.concentrated"]


def test_choosing_selects_the_errors(connect: Any) -> None:
    shown = modes()
    browser = connect(shown)
    reply = browser.ask("choose", category="dark")["result"]
    assert shown.chosen == "dark"
    assert reply["selection"] == len(shown.selection) == shown.modes[0]["errors"]
    of = shown.selected()
    assert (of.predicted != of.targets).all()
    assert (np.diff(of.confidence) <= 0).all()
    t, p, count = reply["confusions"][0]
    assert ((of.targets == t) & (of.predicted == p)).sum() == count
    assert browser.ask("choose", category=None)["result"] == {"selection": 0}
    assert (shown.chosen, shown.selection) == (None, [])
    reply = browser.ask("choose", category="bright")
    assert "no category 'bright'; there are dark, night" in reply["error"]


def test_open_from_python() -> None:
    shown = modes()
    with pytest.raises(ValueError, match="no category is chosen"):
        shown.open()
    with pytest.raises(ValueError, match="no category is chosen"):
        shown.selected()
    opened = shown.open("dark")
    assert isinstance(opened, nd.ErrorExplorer)
    assert len(opened.predictions) == shown.modes[0]["n"]
    errors = shown.open("dark", errors_only=True)
    assert errors is not None
    assert len(errors.predictions) == shown.modes[0]["errors"]
    assert shown.choose("uncategorised") == shown.selection
    rest = shown.open()
    assert rest is not None
    assert len(rest.predictions) == shown.modes[-1]["n"]
    with pytest.raises(ValueError, match="there is no sample in 'empty'"):
        shown.open("empty")


def test_the_summary_holds_no_measured_digits() -> None:
    lines = repr(modes()).splitlines()
    assert lines[0].startswith("FailureModes of Predictions: 3000 samples, 4 classes, accuracy 0.")
    assert lines[1:] == ["categories dark, night, empty", "warning: failure.concentrated in dark"]


@pytest.mark.parametrize("wrong", [np.zeros(40, bool), np.ones(40, bool), np.arange(40) < 5])
def test_the_picture_is_drawn(wrong: np.ndarray) -> None:
    shown = nd.FailureModes(told(wrong), {f"category {i}": np.arange(40) < i for i in range(20)})
    assert Image.open(io.BytesIO(shown.picture())).size[0] == 1720


@pytest.mark.parametrize(
    ("source", "categories", "error", "said"),
    [
        (3, CATEGORIES, TypeError, "expected Predictions"),
        (told(np.arange(9) < 3), None, TypeError, "categories must be a mapping"),
        (told(np.arange(9) < 3), {}, ValueError, "there is no category"),
        (told(np.arange(9) < 3), CATEGORIES, ValueError, "'dark' failed on the sample with id 0"),
    ],
)
def test_bad_input(source: Any, categories: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        nd.FailureModes(source, categories)


def test_frames() -> None:
    made = told(np.arange(100) < 20, metadata=pl.DataFrame({"s": ["a", "b"] * 50}))
    frame = nd.FailureModes(made, {"a": lambda s: s.metadata["s"] == "a"}).to_frame()
    assert isinstance(frame, pl.DataFrame)
    assert frame["errors"].to_list() == [10, 10]
