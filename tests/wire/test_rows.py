"""Chosen rows and large matrices in few bytes, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbdiag.wire.rows import pack_matrix, pack_rows


def array(packed: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(packed["data"], packed["dtype"]).reshape(packed["shape"])


def rows_of(packed: dict[str, Any]) -> list[int]:
    """As the browser reads them."""
    if "rows" in packed:
        return sorted(array(packed["rows"]).tolist())
    return np.flatnonzero(np.unpackbits(array(packed["bits"]), bitorder="little")).tolist()


@pytest.mark.parametrize("n", [1, 7, 8, 9, 1000])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 1])
def test_rows_come_back(n: int, share: float) -> None:
    rows = np.random.default_rng(0).permutation(n)[: round(share * n)]
    packed = pack_rows(rows, n)
    assert packed["count"] == len(rows)
    assert rows_of(packed) == sorted(rows.tolist())


def test_a_million_selected_samples_are_a_bit_each() -> None:
    packed = pack_rows(np.arange(1_000_000), 1_000_000)
    assert len(packed["bits"]["data"]) == 125_000
    assert len(pack_rows(np.array([999_999]), 1_000_000)["rows"]["data"]) == 4


@pytest.mark.parametrize("classes", [1, 2, 64, 65, 1000])
@pytest.mark.parametrize("kind", ["none", "diagonal", "full", "negative"])
def test_matrices_come_back(classes: int, kind: str) -> None:
    matrix = np.zeros((classes, classes), np.int64)
    if kind == "diagonal":
        np.fill_diagonal(matrix, 5)
    elif kind != "none":
        matrix += np.arange(classes) * (-1 if kind == "negative" else 1) + 1
    packed = pack_matrix(matrix)
    if "at" in packed:
        found = np.zeros(packed["shape"], np.int64)
        found.ravel()[array(packed["at"])] = array(packed["values"])
    else:
        found = array(packed)
    assert found.tolist() == matrix.tolist()


def test_of_many_classes_only_what_holds_something_is_sent() -> None:
    packed = pack_matrix(np.eye(1000, dtype=int))
    assert len(packed["at"]["data"]) + len(packed["values"]["data"]) == 8000
