"""Two models on the same samples, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nbdiag.measures.comparison import Comparison
from nbdiag.measures.predictions import Predictions


def told(targets: list[int], answers: list[int], classes: int = 3, **more: Any) -> Predictions:
    """Predictions with these answers; -1 = NaN."""
    probabilities = np.full((len(answers), classes), 0.1 / (classes - 1))
    rows = np.arange(len(answers))
    probabilities[rows, np.maximum(answers, 0)] = 0.9
    probabilities[np.array(answers) < 0] = np.nan
    return Predictions(targets=np.array(targets), probabilities=probabilities, **more)


TARGETS = [0, 0, 0, 1, 1, 1, 2, 2]
BEFORE = [0, 1, 1, 1, 2, 1, -1, 0]
AFTER = [0, 0, 2, 1, 1, 0, 2, -1]


def test_by_hand() -> None:
    result = Comparison.of(told(TARGETS, AFTER), told(TARGETS, BEFORE))
    assert result.fixed.tolist() == [1, 4, 6]
    assert result.broken.tolist() == [5]
    assert result.still_wrong.tolist() == [2, 7]
    assert result.change.tolist() == [[1, -2, 1], [1, 0, -1], [-1, 0, 1]]
    assert result.nonfinite_change.tolist() == [0, 0, 0]  # one less, one more
    assert result.difference == 0.25
    # of 4 that differ, 3 one way: (1 + 4) / 16 * 2
    assert result.p_value == pytest.approx(0.625)
    assert result.verdict == "unclear"
    assert [(c.name, c.samples, c.fixed, c.broken) for c in result.classes] == [
        ("0", 3, 1, 0), ("1", 3, 1, 1), ("2", 2, 1, 0),
    ]  # fmt: skip


def test_order_does_not_matter_and_ids_may_be_words() -> None:
    ids = np.array([f"s{i}" for i in range(8)])
    order = np.array([3, 1, 7, 0, 2, 6, 5, 4])
    after = told(TARGETS, AFTER, ids=ids)
    before = told(TARGETS, BEFORE, ids=ids, metadata={"x": list(range(8))})
    result = Comparison.of(after, before.take(order))
    assert np.array_equal(result.change, Comparison.of(after, before).change)
    assert result.fixed.tolist() == [1, 4, 6]
    assert result.baseline.ids.tolist() == ids.tolist()
    assert result.baseline.metadata == {"x": list(range(8))}
    # as a dataframe's column has them, and as a saved file does
    as_objects = told(TARGETS, AFTER, ids=ids.astype(object))
    assert Comparison.of(as_objects, before.take(order)).fixed.tolist() == [1, 4, 6]


def many(n: int, wrong: set[int] | range, classes: int = 2) -> Predictions:
    targets = np.arange(n) % classes
    answers = [(t + (i in wrong)) % classes for i, t in enumerate(targets.tolist())]
    return told(targets.tolist(), answers, classes)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (range(0), range(0), "same"),
        (range(40), range(40), "same"),
        (range(40), range(20), "better"),  # 20 fixed, none broken
        (range(20), range(40), "worse"),
        (range(5), range(5, 8), "unclear"),
        (range(200), range(100, 290), "unclear"),
        (range(1000), range(0), "better"),
        (range(0), range(1000), "worse"),
        (range(4), range(0), "unclear"),  # four coins alike: 1/8
        (range(6), range(0), "better"),  # six: 1/32
    ],
)
def test_verdicts(before: range, after: range, verdict: str) -> None:
    result = Comparison.of(many(1000, after), many(1000, before))
    assert result.verdict == verdict
    assert result.low <= result.difference <= result.high


def test_sentence_and_repr_hold_no_measured_digits() -> None:
    better = Comparison.of(many(1000, range(20)), many(1000, range(40)))
    near = Comparison.of(many(1000, range(21)), many(1000, range(41)))
    assert better.sentence == "Better than the baseline, by more than noise."
    assert repr(better) == repr(near)
    assert repr(better).splitlines()[0] == f"Comparison: 1000 samples. {better.sentence}"
    assert better.numbers.startswith("20 fixed, 0 broken, 20 wrong in both of 1000; accuracy +2 po")


def test_noise_is_rarely_called_a_difference() -> None:
    random = np.random.default_rng(1)
    targets = random.integers(0, 10, 600).tolist()
    false_alarms = class_alarms = 0
    for _ in range(200):
        pair = []
        for _ in range(2):
            wrong = random.random(600) < 0.15
            pair.append(told(targets, ((np.array(targets) + wrong) % 10).tolist(), 10))
        result = Comparison.of(*pair)
        false_alarms += result.verdict in ("better", "worse")
        class_alarms += any(c.verdict in ("better", "worse") for c in result.classes)
    assert false_alarms <= 14
    assert class_alarms <= 14  # any of ten classes, so corrected


def test_class_that_changed_is_found_and_empty_class_is_not() -> None:
    targets = [0] * 100 + [1] * 100
    before = told(targets, [0] * 60 + [1] * 40 + [1] * 95 + [0] * 5)
    after = told(targets, [0] * 95 + [1] * 5 + [1] * 95 + [0] * 5)
    result = Comparison.of(after, before)
    assert [c.verdict for c in result.classes] == ["better", "same", "same"]
    assert np.isnan(result.classes[2].p_value)
    assert np.isnan(result.classes[2].difference)
    assert "  better: 0" in repr(result)


@pytest.mark.parametrize("library", ["pandas", "polars", "none"])
def test_frame(library: str) -> None:
    table = {"pandas": pd.DataFrame({"x": TARGETS}), "polars": pl.DataFrame({"x": TARGETS})}
    after = told(TARGETS, AFTER, metadata=table.get(library))
    frame = Comparison.of(after, told(TARGETS, BEFORE)).to_frame()
    assert isinstance(frame, pl.DataFrame if library == "polars" else pd.DataFrame)
    assert list(frame["fixed"]) == [1, 1, 1]
    assert list(frame["class"]) == ["0", "1", "2"]


def test_a_thousand_classes() -> None:
    result = Comparison.of(many(5000, range(40), 1000), many(5000, range(60), 1000))
    assert result.change.shape == (1000, 1000)
    assert result.verdict == "better"
    assert {c.verdict for c in result.classes} == {"unclear", "same"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": np.arange(1, 9)}, r"the baseline lacks 1 ids \(0\); predictions lacks 1 .* \(8\)"),
        ({"ids": np.arange(100, 108)}, r"lacks 8 ids \(0, 1, 2, 3, 4, …\)"),
        ({"ids": np.array(list("abcdefgh"))}, "cannot be matched: int64 such as .*0.* here"),
        ({"targets": [0, 0, 0, 1, 1, 1, 2, 1]}, "1 of 8 samples have another target.* id 7 with 2"),
        ({"class_names": ["a", "c", "b"]}, "class 1 is 'b' in predictions and 'c' in the baseline"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared(change: dict, message: str) -> None:
    given = {"targets": TARGETS, "answers": BEFORE, **change}
    with pytest.raises(ValueError, match=message):
        Comparison.of(told(TARGETS, AFTER, class_names=["a", "b", "c"]), told(**given))


def test_other_numbers_of_samples_and_of_classes() -> None:
    with pytest.raises(ValueError, match=r"predictions lacks 2 ids \(8, 9\)\. Predict both"):
        Comparison.of(many(8, range(0)), many(10, range(0)))
    with pytest.raises(ValueError, match="have 2 classes and the baseline has 3"):
        Comparison.of(many(8, range(0)), many(8, range(0), 3))
    with pytest.raises(TypeError, match="baseline must be Predictions.*got float"):
        Comparison.of(many(8, range(0)), 0.9)  # type: ignore[arg-type]


def test_names_that_only_one_of_them_has() -> None:
    result = Comparison.of(told(TARGETS, AFTER, class_names=["a", "b", "c"]), told(TARGETS, BEFORE))
    assert result.classes[0].name == "a"


def test_figure_shows_what_changed_most() -> None:
    figure = Comparison.of(told(TARGETS, AFTER), told(TARGETS, BEFORE)).figure(classes=2)
    assert figure.y_range.factors == ["1", "0"]
    assert "noise" in figure.title.text
