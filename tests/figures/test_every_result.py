"""Every result has a figure that stands alone and a dataframe of the library its data came in."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from bokeh.io import save
from bokeh.models import Scatter, Step
from bokeh.resources import INLINE

import nbdiag as nd
import nbdiag.measures
from nbdiag.measures.comparison import Comparison
from nbdiag.measures.error_clusters import cluster_errors
from nbdiag.measures.error_explorer import ErrorTable
from nbdiag.measures.failure_modes import FailureTable
from nbdiag.measures.grad_cam import GradCAMResult
from nbdiag.measures.label_suspects import label_suspects
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.result import Result
from nbdiag.measures.slice_explorer import SliceTable

N = 300


def told(metadata: Any, seed: int = 0) -> Predictions:
    random = np.random.default_rng(seed)
    targets = random.integers(0, 3, N)
    logits = random.normal(size=(N, 3))
    logits[np.arange(N), targets] += 1
    return Predictions(targets=targets, logits=logits, metadata=metadata, class_names=tuple("abc"))


def clusters(metadata: Any) -> Any:
    predictions = told(metadata)
    random = np.random.default_rng(0)
    rows = np.flatnonzero(predictions.predicted != predictions.targets)
    heaps = np.eye(3)[predictions.targets[rows]] + 0.01 * random.normal(size=(len(rows), 3))
    return cluster_errors(heaps, rows, predictions)[0]


def boundary(metadata: Any) -> Any:
    x = np.random.default_rng(0).normal(size=(N, 3))
    table = dict(zip("xyz", x.T, strict=True))
    given = type(metadata)(table) if metadata is not None else x
    return nd.DecisionBoundary(lambda rows: answer(rows), given, [0, 1], output="logits").result


def answer(rows: Any) -> np.ndarray:
    values = np.asarray(rows, dtype=float)
    return np.stack([values[:, 0], -values[:, 0]], 1)


MADE: dict[str, Callable[[Any], Any]] = {
    "Comparison": lambda m: Comparison.of(told(m), told(m).take(np.arange(N))),
    "DecisionSlice": boundary,
    "ErrorCluster": clusters,
    "ErrorTable": lambda m: ErrorTable.from_predictions(told(m)),
    "Evaluation": lambda m: nd.evaluate(told(m), resamples=100),
    "FailureTable": lambda m: FailureTable.from_predictions(told(m), {"low": lambda s: s.true < 1}),
    "OperatingPoint": lambda m: nd.evaluate(told(m), resamples=100).recall_at(0.8, "b"),
    "PrecisionRecall": lambda m: nd.evaluate(told(m), resamples=100).curve("b"),
    "Predictions": told,
    "Reliability": lambda m: nd.reliability(told(m)),
    "SliceTable": lambda m: SliceTable.from_predictions(
        told(m), None if m is not None else {"even": np.arange(N) % 2 == 0}
    ),
    "Suspects": lambda m: label_suspects(told(m)),
    "Temperature": lambda m: nd.fit_temperature(told(m)),
    "Threshold": lambda m: nd.choose_threshold(told(m), of="b", maximise="f1"),
    "ThresholdReport": lambda m: nd.choose_threshold(told(m), of="b", maximise="f1").report(
        told(m, seed=1)
    ),
}
# These rest on pictures, and no table comes with them.
PICTURES: dict[str, Callable[[], Any]] = {
    "GradCAMResult": lambda: GradCAMResult(maps(), np.arange(4), "layer4"),
    "OnObject": lambda: GradCAMResult(maps(), np.arange(4), "layer4").on_object(
        boxes=[(0, 0, 5, 5)] * 4, size=(10, 10)
    ),
}


def maps() -> np.ndarray:
    found = np.random.default_rng(0).random((4, 7, 7)).astype(np.float32)
    found[1], found[2] = 0, np.nan
    return found


def kinds(of: type = Result) -> set[str]:
    for module in pkgutil.iter_modules(nbdiag.measures.__path__):
        importlib.import_module(f"nbdiag.measures.{module.name}")
    found = of.__subclasses__()
    return {kind.__name__ for kind in found} | {name for kind in found for name in kinds(kind)}


def test_every_kind_of_result_is_here() -> None:
    assert kinds() == set(MADE) | set(PICTURES)


@pytest.mark.parametrize("kind", [*MADE, *PICTURES])
def test_the_figure_is_saved_and_stands_alone(kind: str, tmp_path: Path) -> None:
    result = MADE[kind](None) if kind in MADE else PICTURES[kind]()
    path = save(result.figure(), tmp_path / "figure.html", title=kind, resources=INLINE)
    text = Path(path).read_text()
    assert '"roots"' in text
    # Bokeh's own code names its home page; nothing is fetched from it.
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="https?:', text)


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, None])
def test_the_frame_is_of_the_library_that_was_given(kind: str, library: Any) -> None:
    metadata = None if library is None else library({"even": np.arange(N) % 2 == 0})
    frame = MADE[kind](metadata).to_frame()
    assert type(frame) is (library or pd.DataFrame)
    assert frame.shape[0] > 0


@pytest.mark.parametrize("kind", PICTURES)
def test_frames_of_pictures(kind: str) -> None:
    assert len(PICTURES[kind]().to_frame()) == 4


def test_samples_of_a_dataframe_come_back_in_its_library() -> None:
    x = pl.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), schema=["x", "y"])
    predictions = nd.predict(answer, (x, np.arange(40) % 2), output="logits", progress=False)
    assert type(predictions.to_frame()) is pl.DataFrame
    assert type(nd.evaluate(predictions, resamples=10).to_frame()) is pl.DataFrame
    assert type(nd.ErrorExplorer(predictions).to_frame()) is pl.DataFrame


def test_operating_point_lies_on_its_curve() -> None:
    point = MADE["OperatingPoint"](None)
    figure = point.figure()
    (mark,) = [r for r in figure.renderers if isinstance(r.glyph, Scatter)]
    assert mark.data_source.data["x"] == [pytest.approx(point.value)]
    assert mark.data_source.data["y"][0] >= 0.8
    out_of_reach = nd.evaluate(told(None), resamples=10).recall_at(1.0, "a")
    assert out_of_reach.reached == any(
        isinstance(r.glyph, Scatter) for r in out_of_reach.figure().renderers
    )


def test_threshold_and_what_it_was_chosen_from() -> None:
    chosen = MADE["Threshold"](None)
    steps = [r for r in chosen.figure().renderers if isinstance(r.glyph, Step)]
    assert len(steps) == 2
    recall = steps[1].data_source.data
    at = int(np.flatnonzero(recall["x"] == chosen.value)[0])
    true = chosen.chosen.targets == 1
    assert recall["y"][at] == pytest.approx(chosen.applied(chosen.chosen)[true].mean())


def test_temperature_is_least_where_it_was_fitted() -> None:
    fitted = MADE["Temperature"](None)
    temperatures, nll = fitted.curve
    assert temperatures[nll.argmin()] == fitted.value
    assert nll.min() == pytest.approx(fitted.nll_after)
    assert nll[temperatures == 1.0] == pytest.approx([fitted.nll_before])
    with pytest.raises(ValueError, match="was not fitted"):
        nd.Temperature(2.0).figure()


def test_maps_share_a_scale_or_have_their_own() -> None:
    result = PICTURES["GradCAMResult"]()
    for shared in (True, False):
        figure = result.figure(shared=shared)
        tops = [r.glyph.color_mapper.high for r in figure.renderers if hasattr(r.glyph, "dw")]
        peaks = [float(result.peak[0]), float(result.peak[3])]
        assert tops == ([max(peaks)] * 2 if shared else peaks)
        words = [r.data_source.data["text"] for r in figure.renderers if hasattr(r.glyph, "text")]
        assert "no positive evidence" in str(words[1])
        assert "not finite" in str(words[2])
