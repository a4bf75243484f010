"""Input and target of samples of any form."""

from __future__ import annotations

from typing import Any

import pytest

from nbdiag.measures.sample_pairs import pair_of


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (("x", 1), ("x", 1)),
        (["x", None], ("x", None)),
        ({"image": "x", "label": 0}, ("x", 0)),
        ({"a": 1, "b": 2, "labels": 3}, ({"a": 1, "b": 2}, 3)),
        ({"label": 1, "labels": 2}, (1, 2)),  # the first of the known names
    ],
)
def test_pairs(item: Any, expected: Any) -> None:
    assert pair_of(item) == expected


@pytest.mark.parametrize(
    ("item", "got"),
    [
        ({"label": 1}, r"a dict with the keys \['label'\]"),
        ({"image": 1}, r"a dict with the keys \['image'\]"),
        ((1, 2, 3), "a tuple of 3"),
        (5, "a single int"),
        ("ab", "a single str"),
    ],
)
def test_what_is_no_pair(item: Any, got: str) -> None:
    with pytest.raises(ValueError, match=f"pairs, got {got}"):
        pair_of(item)
