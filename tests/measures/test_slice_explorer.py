"""Slices: counts by hand, what is found and what is not, and every odd table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from nbdiag.measures.contrast import greater
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.slice_explorer import SliceTable
from nbdiag.measures.slice_tests import CLASS_MIX, _interaction, large, stratified
from tests.measures.made import scene, told

# Eight samples of two sensors: sensor a wrong in 1 of 4, b in 3 of 4
WRONG = np.array([True, False, False, False, True, True, True, False])
SENSOR = np.array(list("aaaabbbb"))


def sliced(wrong: Any, metadata: Any, by: Any = None, **options: Any) -> SliceTable:
    made = {key: options.pop(key) for key in ("classes", "targets", "seed") if key in options}
    return SliceTable.from_predictions(told(wrong, metadata=metadata, **made), by, **options)


def weak(table: SliceTable) -> list[str]:
    return [finding.subject for finding in table.findings()]


def test_counts_by_hand() -> None:
    table = sliced(WRONG, {"sensor": SENSOR}, classes=2)
    rows = table.to_frame()
    assert rows["slice"].tolist() == ["sensor = b", "sensor = a"]
    assert rows["samples"].tolist() == [4, 4]
    assert rows["errors"].tolist() == [3, 1]
    assert rows["rate"].tolist() == [0.75, 0.25]
    assert rows["others_rate"].tolist() == [0.25, 0.75]
    assert rows["difference"].tolist() == [0.5, -0.5]
    assert not rows["tested"].any()  # 20 samples are needed
    assert np.isnan(rows["p_value"]).all()
    for row, (k, n) in enumerate([(3, 4), (1, 4)]):
        expected = proportion_confint(k, n, method="wilson")
        assert [rows["low"][row], rows["high"][row]] == pytest.approx(expected)
    assert table.overall.value == 0.5


def test_each_slice_is_tested_against_the_rest_and_corrected() -> None:
    wrong = np.random.default_rng(0).random(600) < 0.2
    table = sliced(wrong, {"k": np.arange(600) % 7}, classes=3)
    rows = table.to_frame()
    for name, p in zip(rows["slice"], rows["p_value"], strict=True):
        inside = np.arange(600) % 7 == int(name.removeprefix("k = "))
        counts = [[(wrong & part).sum(), (~wrong & part).sum()] for part in (inside, ~inside)]
        assert p == pytest.approx(stats.fisher_exact(counts, alternative="greater").pvalue)
    tested = table.judged.tested
    expected = multipletests(table.judged.p_value[tested], method="holm")[1]
    np.testing.assert_allclose(table.judged.p_adjusted[tested], expected)
    assert tested.sum() == 7 + 20  # and every range of its values but the whole


PLANTED = {
    "nothing": (lambda m: np.zeros(6000), []),
    "one sensor": (lambda m: 0.2 * (m["sensor"] == "cam3"), ["sensor = cam3"]),
    "a site of several sensors": (lambda m: 0.2 * (m["site"] == "north"), ["site = north"]),
    "a pair only": (
        lambda m: 0.4 * ((m["weather"] == "rain") & m["night"]),
        ["night = True, weather = rain"],
    ),
    "both columns, not the pair": (
        lambda m: 0.15 * (m["weather"] == "rain") + 0.15 * m["night"],
        ["night = True", "weather = rain"],
    ),
    "missing values": (lambda m: 0.3 * (m["weather"] == None), ["weather: missing"]),  # noqa: E711
    "a step in time": (
        lambda m: 0.15 * (m["when"] >= np.datetime64("2024-08-01")),
        ["when from 2024-08 on"],
    ),
    "a month": (
        lambda m: 0.25 * (m["when"].astype("datetime64[M]") == np.datetime64("2024-05")),
        ["when 2024-05"],
    ),
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("planted", PLANTED)
def test_a_weakness_is_named_once_and_as_what_it_is(planted: str, seed: int) -> None:
    rate, expected = PLANTED[planted]
    metadata = scene(6000, seed)
    table = sliced(0.08 + rate(metadata), metadata, seed=seed)
    assert sorted(weak(table)) == sorted(expected)
    if expected:
        frame = table.to_frame()
        assert frame["weak"].sum() == len(expected)
        assert list(frame["slice"][: len(expected)]) == weak(table)


def test_a_range_of_numbers_is_one_slice() -> None:
    metadata = scene(6000, 3)
    (found,) = weak(sliced(0.08 + 0.25 * (metadata["light"] < 0.2), metadata))
    assert found.startswith("light below 0.2")


def test_what_overlaps_is_explained() -> None:
    metadata = scene(6000, 1)
    table = sliced(0.08 + 0.25 * (metadata["sensor"] == "cam3"), metadata)
    assert table.judged.explained[table.find("site = north")] == "sensor = cam3"


def test_the_same_column_twice_is_named_once() -> None:
    sensor = scene(3000)["sensor"]
    table = sliced(0.05 + 0.3 * (sensor == "cam1"), {"a": sensor, "b": sensor})
    assert weak(table) == ["a = cam1"]


def test_a_hard_class_is_no_weak_slice() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 5, 5000)
    folder = np.where((y == 2) & (rng.random(5000) < 0.8), "night", "day")  # mostly class 2
    table = sliced(np.where(y == 2, 0.5, 0.05), {"folder": folder}, classes=5, targets=y)
    assert weak(table) == []
    assert table.judged.explained[table.find("folder = night")] == CLASS_MIX


@pytest.mark.parametrize("seed", range(8))
def test_luck_is_not_reported(seed: int) -> None:
    rates = [0.02, 0.1, 0.3, 0.6]
    n = [200, 2000][seed % 2]
    table = sliced(
        np.full(n, rates[seed % 4]), scene(n, seed), classes=[2, 10, 50][seed % 3], seed=seed
    )
    assert weak(table) == []


@pytest.mark.parametrize(
    ("k", "n", "k_rest", "rest", "answer"),
    [
        (300, 1000, 100, 1000, True),
        (20, 1000, 10, 1000, False),  # twice as often, but one point
        (650, 1000, 500, 1000, True),  # 15 points where the rest errs often too
        (600, 1000, 500, 1000, False),
        (3, 4, 1, 4, False),  # the interval says nothing
        (0, 0, 5, 10, False),
        (0, 100, 0, 100, False),
        (100, 100, 0, 100, True),
    ],
)
def test_large(k: int, n: int, k_rest: int, rest: int, answer: bool) -> None:
    counts = (np.array([value]) for value in (k, n, k_rest, rest))
    assert bool(large(*counts)[0]) is answer


def test_a_pair_is_tested_for_interaction_as_a_logistic_regression_does() -> None:
    # errors and samples of the cell, of the rest of its row, of its column, and of neither
    errors, sizes = (900, 400, 700, 300), (2000, 3000, 4000, 5000)
    design = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 0]])
    counts = np.stack([errors, np.subtract(sizes, errors)], axis=1)
    fit = sm.GLM(counts, design, family=sm.families.Binomial()).fit()
    expected = float(stats.norm.sf(fit.tvalues[3]))
    mixed = [np.array([value]) for value in errors], [np.array([value]) for value in sizes]
    assert float(_interaction(*map(tuple, mixed))[0]) == pytest.approx(expected, rel=0.05)


def test_two_effects_that_multiply_make_no_weak_pair() -> None:
    # both columns treble the odds, the pair then has nine times the odds and no weakness of its own
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 8000)) < 0.1
    odds = 0.05 * 3.0**a * 3.0**b
    table = sliced(odds / (1 + odds), {"a": a, "b": b})
    assert sorted(weak(table)) == ["a = True", "b = True"]
    pair = table.find("a = True, b = True")
    assert table.judged.p_value[pair] > 0.05
    cell, whole = table.rate(pair), table.overall
    p_alone = greater(cell.successes, cell.n, whole.successes, whole.n)
    assert float(p_alone) < 1e-6


def test_stratified_is_mantel_haenszel() -> None:
    n, k = np.array([40, 60, 10]), np.array([12, 30, 1])
    all_n, all_k = np.array([100, 90, 50]), np.array([20, 40, 4])
    tables = [
        np.array([[a, b - a], [d - a, (c - b) - (d - a)]])
        for a, b, c, d in zip(k, n, all_n, all_k, strict=True)
    ]
    two_sided = StratifiedTable(tables).test_null_odds().pvalue
    p, excess, informative = stratified(n, k, all_n, all_k)
    assert p == pytest.approx(two_sided / 2)
    assert informative == 1
    assert 0 < excess < 1
    assert stratified(np.array([5]), np.array([2]), np.array([5]), np.array([2])) == (1, 0, 0)


COLUMNS = {"sensor": ["a", "b"] * 100, "night": [True, False, False, True] * 50,
           "light": list(np.linspace(0, 1, 200))}  # fmt: skip


@pytest.mark.parametrize(
    ("by", "columns", "pairs"),
    [
        (None, ["sensor", "night", "light"], 3),
        ("sensor", ["sensor"], 0),
        (["sensor", "light"], ["sensor", "light"], 1),
        (("sensor", "night"), ["sensor", "night"], 1),
        ([("sensor", "night"), "light"], ["sensor", "night", "light"], 1),
        ({"first": np.arange(200) < 50}, ["first"], 0),
        ({"first": lambda s: s.id < 50, "u": ["x", "y"] * 100}, ["first", "u"], 0),
        (pd.Series(["x", "y"] * 100, name="mine"), ["mine"], 0),
    ],
)
def test_by(by: Any, columns: list[str], pairs: int) -> None:
    table = sliced(np.arange(200) % 5 == 0, COLUMNS, by)
    assert [grouping.name for grouping in table.family.groupings] == columns
    crossed = {
        tuple(p) for p in np.stack([table.family.column, table.family.other], 1) if p[1] >= 0
    }
    assert len(crossed) == pairs


def test_a_mask_is_one_slice() -> None:
    table = sliced(np.arange(200) < 30, None, {"first": np.arange(200) < 50}, classes=2)
    assert table.to_frame()[["slice", "samples", "errors"]].to_numpy().tolist() == [
        ["first", 50, 30]
    ]
    assert weak(table) == ["first"]


@pytest.mark.parametrize(
    ("metadata", "by", "error", "said"),
    [
        (None, None, ValueError, "no metadata, so there is nothing to slice by: give nd.predict"),
        (None, "sensor", ValueError, "no metadata"),
        (COLUMNS, "colour", KeyError, "no column 'colour'; it has: sensor, night, light"),
        ({"x": [1] * 200}, None, ValueError, "no column of the metadata can be cut into slices"),
        ({"x": [1] * 200}, "x", ValueError, "column 'x' cannot be cut into slices: it holds one"),
        (COLUMNS, 3, TypeError, "by must be a column, a list of columns, a pair"),
        (COLUMNS, [], TypeError, "by must be"),
        (COLUMNS, {}, ValueError, "empty mapping"),
        (COLUMNS, ("sensor",), ValueError, "two different columns"),
        (COLUMNS, ("sensor", "sensor"), ValueError, "two different columns"),
        (COLUMNS, {"m": np.ones(3, bool)}, ValueError, "one bool for each of the 200 samples"),
        (COLUMNS, {"m": lambda s: s.metadata["z"] > 1}, ValueError, "'m' failed on the sample"),
    ],
)
def test_bad_input(metadata: Any, by: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said.replace("(", r"\(")):
        sliced(np.zeros(200, bool), metadata, by)


def test_what_repeats_the_predictions_is_left_out() -> None:
    wrong = np.arange(300) % 4 == 0
    y = np.arange(300) % 3
    made = told(wrong, classes=3, targets=y)
    metadata = {
        "label": np.array(["cat", "dog", "eel"])[y],
        "answer": made.predicted,
        "correct": ~wrong,
        "odd": np.arange(300) % 2 == 1,
    }
    table = SliceTable.from_predictions(
        Predictions(targets=y, probabilities=made.probabilities, metadata=metadata)
    )
    assert table.skipped == {
        "label": "it is the true class",
        "answer": "it is the predicted class",
        "correct": "it is whether the model was right",
    }


EDGES: dict[str, tuple[Any, Any]] = {
    "one sample": (np.array([True]), None),
    "two samples": (np.array([True, False]), {"s": ["a", "b"]}),
    "all right": (np.zeros(200, bool), COLUMNS),
    "all wrong": (np.ones(200, bool), COLUMNS),
    "a constant column beside": (np.arange(200) % 3 == 0, {**COLUMNS, "c": ["x"] * 200}),
    "nothing known": (np.arange(200) % 3 == 0, {**COLUMNS, "c": [None] * 200}),
    "infinite": (np.arange(200) % 3 == 0, {"x": [1.5, np.inf, -np.inf, np.nan] * 50}),
}  # fmt: skip


@pytest.mark.parametrize("edge", EDGES)
def test_edges(edge: str) -> None:
    wrong, metadata = EDGES[edge]
    table = sliced(wrong, metadata, {"m": np.ones(len(wrong), bool)} if metadata is None else None)
    assert weak(table) == []
    frame = table.to_frame()
    assert len(frame) == len(table.order)
    assert (frame["low"] <= frame["high"]).all()
    assert table.confusion().sum() == len(wrong)
    assert sum(table.confusion(int(at)).sum() for at in table.order) == frame["samples"].sum()


def test_an_empty_slice_and_a_whole_one() -> None:
    masks = {"none": np.zeros(200, bool), "all": np.ones(200, bool)}
    table = sliced(np.arange(200) % 4 == 0, None, masks)
    assert table.to_frame()["slice"].tolist() == ["all"]
    assert weak(table) == []


@pytest.mark.parametrize("classes", [2, 3, 1000])
def test_answers_that_are_not_finite_are_wrong(classes: int) -> None:
    p = np.array(told(np.zeros(300, bool), classes=classes).probabilities)
    p[:60] = np.nan
    y = told(np.zeros(300, bool), classes=classes).targets
    camera = ["a"] * 100 + ["b"] * 200
    table = SliceTable.from_predictions(
        Predictions(targets=y, probabilities=p, metadata={"c": camera})
    )
    at = table.find("c = a")
    assert table.rate(at).successes == 60
    assert table.confusion(at)[:, -1].sum() == 60
    assert set(table.samples(at)[:60]) == set(range(60))


def test_a_class_that_is_absent() -> None:
    y = np.arange(200) % 2  # class 2 never occurs
    table = sliced(np.arange(200) % 4 == 0, COLUMNS, classes=3, targets=y)
    assert table.confusion()[2].sum() == 0
    with pytest.raises(ValueError, match="no sample counts for the metric 'recall:2'"):
        sliced(np.zeros(200, bool), COLUMNS, classes=3, targets=y, metric="recall:2")


def test_recall_and_precision_by_hand() -> None:
    y, answer = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0, 1])
    made = Predictions(
        targets=y,
        probabilities=np.eye(2)[answer],
        class_names=("cat", "dog"),
        metadata={"s": list("aabbab")},
    )
    found = {}
    for metric in ("recall:cat", "precision:dog"):
        table = SliceTable.from_predictions(made, metric=metric)
        found[metric] = [
            (table.rate(at).successes, table.rate(at).n)
            for at in map(table.find, ("s = a", "s = b"))
        ]
    assert found == {"recall:cat": [(1, 2), (1, 1)], "precision:dog": [(1, 1), (1, 3)]}
    for metric, said in (("f1", "metric must be"), ("recall:eel", "no class 'eel'")):
        with pytest.raises(ValueError, match=said):
            SliceTable.from_predictions(made, metric=metric)


def test_samples_of_a_slice_are_the_worst_first() -> None:
    p = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])
    made = Predictions(targets=[0, 1, 1, 1, 1], probabilities=p, metadata={"s": list("aaaab")})
    table = SliceTable.from_predictions(made)
    # wrong: row 2 (0.8), row 1 (0.6); right, least sure first: row 3 (0.7), row 0 (0.9)
    assert table.samples(table.find("s = a")).tolist() == [2, 1, 3, 0]


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_the_frame_is_of_the_library_that_was_given(library: Any) -> None:
    table = sliced(np.arange(200) % 3 == 0, library(COLUMNS))
    assert type(table.to_frame()) is library
    assert "slice" in table.to_frame().columns


def test_the_repr_holds_no_measured_digits() -> None:
    metadata = scene(6000, 1)
    text = repr(
        sliced(0.05 + 0.3 * (metadata["sensor"] == "cam3"), {**metadata, "row": range(6000)})
    )
    assert text.splitlines()[1:] == [
        "  by sensor, site, light, night, weather, when",
        "  row left out: a number of its own for each of 6,000 samples: it names samples",
        "  warning: slice.weak in sensor = cam3",
    ]


def test_a_finding_has_its_numbers() -> None:
    metadata = {"s": ["a"] * 100 + ["b"] * 900}
    wrong = np.r_[np.arange(100) < 60, np.arange(900) < 90]
    (finding,) = sliced(wrong, metadata, classes=3).findings()
    assert finding.severity == "critical"
    assert finding.message == (
        "60 of 100 samples with s = a are wrong (60%), of the others 10%; "
        "it holds 40% of all errors."
    )
    assert finding.evidence["samples"] == 100
    assert finding.evidence["p_adjusted"] < 1e-20


def test_a_million_samples_with_a_hundred_thousand_words() -> None:
    n = 1_000_000
    metadata = {**scene(n), "word": np.array([f"w{i}" for i in range(100_000)] * 10, object)}
    made = told(0.05 + 0.1 * (metadata["sensor"] == "cam3"), metadata=metadata)
    table = SliceTable.from_predictions(made)
    assert weak(table) == ["sensor = cam3"]
