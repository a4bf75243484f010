"""What is read batch by batch comes out as if it had been read at once, whatever the order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbdiag.measures import data_tally
from nbdiag.measures.data_layout import layout_of, low_resolution
from nbdiag.measures.data_split import Field, Split
from nbdiag.measures.data_tally import SplitTally


def read(rows: Any, targets: Any = None, batch: int = 7) -> Split:
    tally = SplitTally("train")
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        tally.add(
            {"": part},
            None if targets is None else targets[start : start + batch],
            np.arange(start, start + len(part)),
        )
    return tally.finish()


def field(rows: Any, **options: Any) -> Field:
    return read(rows, **options).fields[0]


def test_counts_as_numpy_does() -> None:
    x = np.random.default_rng(0).normal(3e6, 2, (50, 3, 8, 9))
    found = field(x)
    assert found.features == ("channel 0", "channel 1", "channel 2")
    assert np.allclose(found.mean, x.mean((0, 2, 3)), rtol=1e-12)
    assert np.allclose(found.sd, x.std((0, 2, 3)), rtol=1e-9)
    assert np.array_equal(found.low, x.min((0, 2, 3)))
    assert np.array_equal(found.high, x.max((0, 2, 3)))


def test_not_a_number_by_feature_with_ids() -> None:
    x = np.zeros((30, 4), np.float32)
    x[[3, 12], 1], x[12, 2] = np.nan, np.inf
    bad = field(x).not_finite
    assert (bad.samples, bad.ids) == (2, (3, 12))
    assert bad.nan.tolist() == [0, 2, 0, 0]
    assert bad.infinite.tolist() == [0, 0, 1, 0]
    assert np.isfinite(field(x).mean).all()


def test_only_twenty_ids_are_kept() -> None:
    assert field(np.full((50, 2), np.nan)).not_finite.ids == tuple(range(20))


def test_neither_order_nor_batches_change_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_tally, "KEPT_VALUES", 0)  # keeps the least, 64
    x = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    order = np.random.default_rng(1).permutation(500)
    first, second = field(x), field(x[order], batch=61)
    assert len(first.keys) == 64
    assert np.array_equal(first.keys, second.keys)
    assert first.rows is not None
    assert second.rows is not None
    assert np.array_equal(first.rows, second.rows)


def test_sequences_of_different_lengths() -> None:
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(length, 2)) for length in (5, 9, 3, 7)]
    found = field(rows, batch=2)
    assert (found.kind, found.features) == ("sequence", ("feature 0", "feature 1"))
    assert np.allclose(found.mean, np.concatenate(rows).mean(0))
    assert field([np.arange(k) for k in (3, 5, 4)]).kind == "tokens"
    assert field([np.ones(k) for k in (30, 5, 4)]).kind == "sequence"


def test_pictures_of_different_sizes() -> None:
    rng = np.random.default_rng(0)
    rows = [rng.random((3, side, 40)) for side in (30, 40, 50)]
    found = field(rows)
    assert found.rows is not None
    assert found.rows.shape == (3, 12 * 12 * 3)
    assert found.thumbs is None


@pytest.mark.parametrize(
    ("sample", "kind", "axis"),
    [
        (np.zeros((28, 28)), "image", None),
        (np.zeros((28, 20), np.uint8), "image", None),
        (np.zeros((1, 28, 28)), "image", 0),
        (np.zeros((28, 28, 4)), "image", 2),
        (np.zeros((16, 7, 7)), "image", 0),
        (np.zeros((4, 3, 32, 32)), "image", None),
        (np.zeros(784, np.uint8), "table", 0),
        (np.zeros(8, np.uint8), "tokens", None),
        (np.zeros((9, 9), np.int64), "tokens", None),
        (1.5, "table", None),
        (3, "tokens", None),
    ],
)
def test_layouts(sample: Any, kind: str, axis: int | None) -> None:
    assert (layout_of(sample).kind, layout_of(sample).axis) == (kind, axis)


def test_low_resolution_is_the_mean_of_areas() -> None:
    x = np.random.default_rng(0).random((2, 1, 32, 48)).astype(np.float32)
    expected = x.reshape(2, 16, 2, 16, 3).mean((2, 4)).reshape(2, -1)
    assert np.allclose(low_resolution(x), expected, atol=1e-6)
    small = np.random.default_rng(0).random((2, 1, 8, 8)).astype(np.float32)
    assert np.array_equal(low_resolution(small), small.reshape(2, -1))


def test_what_does_not_fit_is_said() -> None:
    tally = SplitTally("val")
    with pytest.raises(ValueError, match="val is empty"):
        tally.finish()
    tally.add({"": np.zeros((2, 3))}, None, np.arange(2))
    with pytest.raises(ValueError, match="differ in their number of features: 3 and 4"):
        tally.add({"": np.zeros((2, 4))}, None, np.arange(2))
    with pytest.raises(ValueError, match="differ in their number of axes"):
        tally.add({"": np.zeros((2, 3, 3))}, None, np.arange(2))
    with pytest.raises(ValueError, match="samples of val differ in their inputs"):
        tally.add({"x": np.zeros((2, 3))}, None, np.arange(2))
