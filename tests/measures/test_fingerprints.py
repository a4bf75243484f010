"""Equal samples have equal fingerprints, in whatever form they come, and others have not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nbdiag.measures.fingerprints import combined, fingerprints


def prints(rows: object) -> list[int]:
    return fingerprints(rows)[0].tolist()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (np.array([[1, 2, 3]]), np.array([[1.0, 2.0, 3.0]])),
        (np.array([[0.1, 2]]), np.array([[0.1, 2]], np.float32)),
        (np.array([[0.0, 1.5]]), np.array([[-0.0, 1.5]])),
        (np.array([[7, 8, 0, 0]]), [np.array([7, 8])]),
        (np.array([[7, 8, 0]]), np.array([[7, 8, 0, 0, 0]])),
        (np.array([[np.nan, 1]]), np.array([[-np.nan, 1]])),
        (["Hello, World"], ["hello   world!"]),
        (np.array([[5]], np.uint8), np.array([[5]], np.int64)),
    ],
)
def test_equal(left: object, right: object) -> None:
    assert prints(left) == prints(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (np.array([[1, 2, 3]]), np.array([[1, 3, 2]])),
        (np.array([[0, 1]]), np.array([[1, 0]])),
        (np.array([[2**24, 1]]), np.array([[2**24 + 1, 1]])),
        (np.array([[1.7e9, 1]]), np.array([[1.7e9 + 1, 1]])),
        (np.array([[256, 3]]), np.array([[1, 3]])),
        (["a b"], ["a c"]),
        (["!"], ["?"]),
    ],
)
def test_different(left: object, right: object) -> None:
    assert prints(left) != prints(right)


def test_what_is_too_simple_to_tell() -> None:
    pictures = np.stack([np.zeros((1, 8, 8)), np.eye(8)[None]]).astype(np.float32)
    assert fingerprints(pictures)[1].tolist() == [True, False]
    tokens = np.array([[5, 6, 7, 0, 0, 0, 0, 0, 0, 0], range(1, 11)])
    assert fingerprints(tokens)[1].tolist() == [True, False]
    assert fingerprints(np.array([[1.5], [2.5]]))[1].tolist() == [False, False]


@settings(deadline=None, max_examples=50)
@given(arrays(np.float32, (6, 3), elements=st.floats(-2, 2, width=16)))
def test_equal_rows_and_only_they_agree(rows: np.ndarray) -> None:
    found = prints(rows)
    for i in range(6):
        for j in range(6):
            assert (found[i] == found[j]) == bool((rows[i] == rows[j]).all())


def test_the_order_of_the_parts_counts() -> None:
    a, b = fingerprints(np.array([[1.0]]))[0], fingerprints(np.array([[2.0]]))[0]
    assert combined([a, b]) != combined([b, a])
    assert combined([a]) == a
