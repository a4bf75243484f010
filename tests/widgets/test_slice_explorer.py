"""SliceExplorer: what crosses to the browser, and what Python reads back."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

import nbdiag as nd
from nbdiag.measures.predictions import Predictions
from tests.measures.made import scene, told


def explorer(n: int = 3000, **options: Any) -> nd.SliceExplorer:
    metadata = scene(n, 1)
    made = told(0.06 + 0.25 * (metadata["sensor"] == "cam3"), metadata=metadata, classes=4)
    return nd.SliceExplorer(made, **options)


def array(packed: dict[str, Any], buffers: list[bytes]) -> np.ndarray:
    return np.frombuffer(buffers[packed["buffer"]], packed["dtype"]).reshape(packed["shape"])


def test_the_weak_slice_stands_first_with_its_numbers() -> None:
    shown = explorer()
    first = shown.slices[0]
    inside = np.asarray(shown.predictions.metadata["sensor"]) == "cam3"
    wrong = shown.predictions.predicted != shown.predictions.targets
    assert (first["title"], first["weak"], first["tested"]) == ("sensor = cam3", True, True)
    assert (first["n"], first["errors"]) == (inside.sum(), (inside & wrong).sum())
    assert first["rate"] == pytest.approx(wrong[inside].mean())
    assert shown.info["overall"]["value"] == pytest.approx(wrong.mean())
    assert [finding["subject"] for finding in shown.findings] == ["sensor = cam3"]


def test_choosing_selects_and_tells_the_confusion(connect: Any) -> None:
    shown = explorer()
    browser = connect(shown)
    assert shown.selection == []
    reply = browser.ask("choose", at=shown.slices[0]["at"])["result"]
    assert reply["selection"] == len(shown.selection) == shown.slices[0]["n"]
    assert shown.chosen["title"] == "sensor = cam3"
    of = shown.selected()
    assert set(of.metadata["sensor"]) == {"cam3"}
    assert of.ids.tolist() == shown.selection
    wrong = of.predicted != of.targets
    assert wrong[: wrong.sum()].all()
    assert (np.diff(of.confidence[wrong]) <= 0).all()
    matrix, others = (array(reply[key], browser.buffers[-1]) for key in ("matrix", "others"))
    assert matrix.sum() == len(of)
    np.testing.assert_array_equal(matrix + others, shown.table.confusion())
    assert all(t != p for t, p, _ in reply["confusions"])
    assert browser.ask("choose", at=None)["result"] == {"selection": 0}
    assert (shown.chosen, shown.selection) == (None, [])


def test_choose_and_open_from_python() -> None:
    shown = explorer()
    with pytest.raises(ValueError, match="no slice is chosen: click one, or explorer.choose"):
        shown.open()
    ids = shown.choose("weather = rain")
    assert ids == shown.selection
    opened = shown.open()
    assert isinstance(opened, nd.ErrorExplorer)
    assert sorted(opened.predictions.ids.tolist()) == sorted(ids)
    with pytest.raises(ValueError, match="no slice 'weather = snow'; there are .*, such as sensor"):
        shown.choose("weather = snow")


def test_one_column_along_its_axis(connect: Any) -> None:
    browser = connect(explorer())
    rows = browser.ask("column", column="light")["result"]["slices"]
    labels = [row["label"] for row in rows]
    assert labels[0].startswith(("below", "up to"))
    assert labels[-1].endswith("and above")
    ranked = browser.ask("column", column="sensor")["result"]
    assert ranked["slices"][0]["label"] == "cam3"
    assert ranked["total"] == 6


def test_a_pair_is_a_map(connect: Any) -> None:
    shown = explorer()
    one, two = (1, 3)  # site, night
    names = [column["name"] for column in shown.info["columns"]]
    assert (names[one], names[two]) == ("site", "night")
    reply = connect(shown).ask("pair", columns=[one, two])["result"]
    assert reply["labels"] == [["east", "north", "south"], ["False", "True"]]
    assert sum(row["n"] for row in reply["slices"]) == 3000
    assert reply["cells"][0] == [0, 0]
    assert reply["slices"][0]["title"] == "site = east, night = False"


def test_time(connect: Any) -> None:
    shown = explorer()
    line = shown.timeline
    assert (line["column"], line["period"], len(line["labels"])) == ("when", "month", 12)
    assert sum(line["n"]) == 3000
    titles = [shown.table.family.title(at) for at in line["slices"]]
    assert titles[0] == "when 2024-01"
    assert connect(shown).ask("time", column="when")["result"] == line
    assert nd.SliceExplorer(shown.predictions, "sensor").timeline is None


def test_another_metric(connect: Any) -> None:
    shown = explorer()
    shown.choose("night = True")
    assert connect(shown).ask("measure", metric="recall:2")["ok"]
    assert shown.info["metric"] == {"value": "recall:2", "name": "share missed of 2"}
    assert shown.info["counted"] == (shown.predictions.targets == 2).sum()
    assert (shown.chosen, shown.selection) == (None, [])
    ids = shown.choose("night = True")
    assert set(shown.predictions.targets[ids]) == {2}


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("choose", {"at": 10**6}, "there is no slice 1000000"),
        ("column", {"column": "x"}, "'x' is no column that was sliced; those are: sensor"),
        ("pair", {"columns": [0, 0]}, "the columns 0 and 0 are not crossed"),
        ("time", {"column": "light"}, "'light' holds no times"),
        ("measure", {"metric": "recall:9"}, "no class '9'"),
        ("nothing", {}, "knows no request"),
    ],
)
def test_bad_requests_get_an_error_in_words(connect: Any, name: str, args: Any, said: str) -> None:
    reply = connect(explorer(600)).ask(name, **args)
    assert not reply["ok"]
    assert said in reply["error"]


def test_the_summary_holds_no_measured_digits() -> None:
    lines = repr(explorer()).splitlines()
    assert lines[0].startswith("SliceExplorer of Predictions: 3000 samples, 4 classes, accuracy 0.")
    assert lines[1:] == [
        "by sensor, site, light, night, weather, when",
        "warning: slice.weak in sensor = cam3",
    ]
    data, _ = explorer()._repr_mimebundle_()
    assert data["text/plain"] == "\n".join(lines)
    assert "image/png" in data


@pytest.mark.parametrize("n", [1, 3000])
def test_the_picture_is_drawn(n: int) -> None:
    made = told(np.full(n, 0.2), metadata={"s": ["a", "b"] * (n // 2) or ["a"]})
    by = {"all": np.ones(n, bool)} if n == 1 else None
    image = Image.open(io.BytesIO(nd.SliceExplorer(made, by).picture()))
    assert image.size[0] == 1720


def test_many_classes_send_no_matrix(connect: Any) -> None:
    metadata = {"s": np.array(["a", "b"])[np.arange(4000) % 2]}
    shown = nd.SliceExplorer(told(np.full(4000, 0.3), classes=1000, metadata=metadata))
    reply = connect(shown).ask("choose", at=shown.slices[0]["at"])["result"]
    assert reply["matrix"] is None
    assert len(reply["confusions"]) == 12
    assert shown.info["metrics"] == ["error"]


def test_html_in_names_stays_text() -> None:
    bad = "<img src=x onerror=alert(1)>"
    shown = nd.SliceExplorer(told(np.arange(100) < 20, metadata={bad: [bad, "b"] * 50}))
    assert f"{bad} = {bad}" in [row["title"] for row in shown.slices]


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        (3, TypeError, "expected Predictions"),
        (told(np.arange(50) < 9), ValueError, "no metadata, so there is nothing to slice by"),
    ],
)
def test_bad_sources(source: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        nd.SliceExplorer(source)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_frames(library: Any) -> None:
    made = told(np.arange(100) < 20, metadata=library({"s": ["a", "b"] * 50}))
    assert type(nd.SliceExplorer(made).to_frame()) is library


def test_an_id_that_is_text() -> None:
    made = Predictions(
        ids=np.array(["x", "y"]), targets=[0, 1], probabilities=np.eye(2)[[0, 0]],
        metadata={"s": ["a", "b"]},
    )  # fmt: skip
    assert nd.SliceExplorer(made).choose("s = b") == ["y"]


def test_only_what_is_looked_at_travels() -> None:
    n = 5000
    made = told(np.full(n, 0.2), metadata={f"c{i}": np.arange(n) // 7 % 97 for i in range(8)})
    shown = nd.SliceExplorer(made, bins=60)
    assert shown.info["total"] > 400
    assert len(shown.slices) == 300
