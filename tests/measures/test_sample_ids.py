"""Rows of ids, whatever the ids are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbdiag.measures.sample_ids import SampleIds

IDS = {
    "in order": np.arange(10, 20),
    "shuffled": np.array([14, 3, 99, -5, 0]),
    "small type": np.array([3, 1, 2], np.uint8),
    "too large for int64": np.array([2**63 + 5, 1], np.uint64),
    "text": np.array(["b", "a", "c"]),
    "objects": np.array([("x", 1), "a", 3], object),
    "floats": np.array([0.5, 0.25]),
    "one": np.array([7]),
}


@pytest.mark.parametrize("kind", IDS)
def test_rows_come_back_in_the_order_asked_for(kind: str) -> None:
    ids = IDS[kind]
    order = np.random.default_rng(0).permutation(len(ids))
    assert SampleIds(ids).rows_of([ids.tolist()[i] for i in order]).tolist() == order.tolist()


@pytest.mark.parametrize("keys", [[3, 14], (3, 14), np.array([3, 14]), iter([3, 14])])
def test_keys_in_any_form(keys: Any) -> None:
    assert SampleIds(IDS["shuffled"]).rows_of(keys).tolist() == [1, 0]


def test_no_key_and_a_key_twice() -> None:
    found = SampleIds(IDS["in order"])
    assert found.rows_of([]).tolist() == []
    assert found.rows_of([11, 11]).tolist() == [1, 1]
    assert SampleIds(IDS["text"]).rows_of("a").tolist() == [1]


@pytest.mark.parametrize("kind", ["in order", "shuffled", "text", "objects"])
@pytest.mark.parametrize("key", [4711, "nobody", [1], None, True, 2**80, 3.5])
def test_an_unknown_id_is_named(kind: str, key: Any) -> None:
    known = IDS[kind].tolist()[0]
    with pytest.raises(ValueError, match="no sample has the id") as error:
        SampleIds(IDS[kind]).rows_of([known, key])
    assert repr(key) in str(error.value)
