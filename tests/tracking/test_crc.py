from __future__ import annotations

import numpy as np
import pytest
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import crc32c as by_the_byte
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

from nbdiag.tracking.crc import crc32c, masked


def test_the_check_value_of_the_standard() -> None:
    assert crc32c(np.frombuffer(b"123456789", np.uint8)[None]).tolist() == [0xE3069283]


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 5, 8, 1023, 1024, 1025, 1026, 1028, 2049, 5000])
def test_agrees_with_tensorboard_for_each_row(length: int) -> None:
    rows = np.random.default_rng(length).integers(0, 256, (3, length), dtype=np.uint8)
    before = rows.copy()
    assert crc32c(rows).tolist() == [by_the_byte(row.tobytes()) for row in rows]
    assert masked(rows).tolist() == [masked_crc32c(row.tobytes()) for row in rows]
    np.testing.assert_array_equal(rows, before)


def test_no_rows() -> None:
    assert crc32c(np.empty((0, 7), np.uint8)).tolist() == []
