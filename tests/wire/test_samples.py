"""A sample as it crosses to the browser."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nbdiag.wire.samples import as_kind, to_show

ROW = SimpleNamespace(
    names=("a", "b", "c"), values=(1.23456, 7, "red"), places=np.array([0.4, 0.99, np.nan])
)


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        (np.zeros((4, 4), np.uint8), "image"),
        ("words", "text"),
        (ROW, "tabular"),
        (SimpleNamespace(message="gone"), "none"),
    ],
)
def test_kinds(shown: Any, kind: str) -> None:
    assert as_kind(shown) == kind


def test_a_whole_row_stands_in_its_order_and_a_cut_one_by_how_unusual() -> None:
    table = [["a", "1.235", 0.4], ["b", "7", 0.99], ["c", "red", None]]
    assert to_show(ROW, 64, 3, 9) == {"table": table, "more": 0}
    assert to_show(ROW, 64, 2, 9) == {"table": [table[1], table[0]], "more": 1}


@pytest.mark.parametrize(("text", "cut"), [("", ""), ("12345", "12345"), ("123456", "12345…")])
def test_long_texts_are_cut(text: str, cut: str) -> None:
    assert to_show(text, 64, 2, 5) == {"text": cut}


def test_pictures_and_failures() -> None:
    assert to_show(np.zeros((100, 50), np.uint8), 64, 2, 5)["image"]["height"] == 64
    assert to_show(SimpleNamespace(message="gone"), 64, 2, 5) == {"failed": "gone"}
