from __future__ import annotations

import numpy as np
import pytest

from nbdiag.wire.arrays import lift_buffers, to_wire


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (np.array([1.5, np.nan, -np.inf], np.float32), "float32"),
        (np.array([0.1]), "float64"),
        (np.array([2**40, -1], np.int64), "float64"),
        (np.array([7], np.uint32), "float64"),
        (np.array([-7], np.int32), "int32"),
        (np.array([1, 255], np.uint8), "uint8"),
        (np.array([True, False]), "uint8"),
        (np.array([0.5], np.float16), "float32"),
        (np.zeros((0, 3), np.float32), "float32"),
        (np.float64(3.0), "float64"),
    ],
)
def test_values_survive(given: np.ndarray, dtype: str) -> None:
    packed = to_wire(given)
    assert packed["dtype"] == dtype
    assert packed["shape"] == list(np.shape(given))
    back = np.frombuffer(packed["data"], np.dtype(dtype).newbyteorder("<"))
    np.testing.assert_array_equal(back.reshape(np.shape(given)), given)


def test_byte_order_and_layout() -> None:
    big_endian = np.array([[1, 2], [3, 4]], dtype=">i4")
    for array in (big_endian, np.asfortranarray(big_endian), big_endian[:, ::-1][:, ::-1]):
        assert to_wire(array)["data"] == b"".join(i.to_bytes(4, "little") for i in (1, 2, 3, 4))


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([1j]), np.array([None])])
def test_unreadable_dtype_is_refused(array: np.ndarray) -> None:
    with pytest.raises(TypeError, match="cannot send an array of dtype"):
        to_wire(array)


def test_lift_buffers_counts_through_nesting() -> None:
    content = {
        "kind": "reply",
        "result": {
            "maps": np.zeros((1, 2), np.float32),
            "images": [{"data": b"png", "mime": "image/png"}, None],
            "total": np.int64(3),
            "cell": (0, 1),
        },
    }
    lifted, buffers = lift_buffers(content)
    assert lifted == {
        "kind": "reply",
        "result": {
            "maps": {"dtype": "float32", "shape": [1, 2], "buffer": 0},
            "images": [{"mime": "image/png", "buffer": 1}, None],
            "total": 3,
            "cell": [0, 1],
        },
    }
    assert buffers == [bytes(8), b"png"]
    assert type(lifted["result"]["total"]) is int
