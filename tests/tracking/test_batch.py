from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbdiag.tracking.batch import pack, unpack

DTYPES = st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_])
SHAPES = st.sampled_from([(), (0,), (1,), (3,), (2, 3), (2, 0)])
ARRAYS = st.builds(
    lambda dtype, shape, seed: (
        np.random.default_rng(seed).choice([0, 1, -2.5, 1e9, np.nan, np.inf], shape).astype(dtype)
        if np.dtype(dtype).kind == "f"
        else np.random.default_rng(seed).integers(0, 2, shape).astype(dtype)
    ),
    DTYPES, SHAPES, st.integers(0, 99),
)  # fmt: skip
WORDS = st.sampled_from(["", "loss", "größe", "a/b.c", "\x00"])
SINGLE = st.one_of(
    st.floats(), st.integers(-(2**62), 2**62), WORDS, st.booleans(), st.none(), ARRAYS,
    st.dictionaries(WORDS, st.one_of(st.none(), st.floats(allow_nan=False), WORDS), max_size=3),
)  # fmt: skip
OPS = st.lists(st.dictionaries(st.sampled_from("abcd"), SINGLE, max_size=4), max_size=8)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        if one.ndim == 0:  # comes back as a number
            return same(one.item(), other)
        alike = isinstance(other, np.ndarray) and one.dtype == other.dtype
        return alike and one.shape == other.shape and one.tobytes() == other.tobytes()
    return type(one) is type(other) and (one == other or repr(one) == repr(other))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(OPS)
def test_ops_come_back_in_order_and_to_the_last_bit(ops: list[dict[str, Any]]) -> None:
    meta, back = unpack(pack({"state": {"step": 3}}, ops))
    returned = list(back)
    assert meta == {"state": {"step": 3}}
    assert [op.keys() for op in returned] == [op.keys() for op in ops]
    for op, other in zip(ops, returned, strict=True):
        assert all(same(op[key], other[key]) for key in op)


def test_sequences_of_numbers_are_arrays_and_single_numbers_python() -> None:
    (op,) = unpack(pack({}, [{"n": (1.0, 2.0), "i": np.int32(4), "f": np.float32(0.5)}]))[1]
    assert op["n"].tolist() == [1.0, 2.0]
    assert (type(op["i"]), type(op["f"])) == (int, float)


def test_a_config_may_hold_anything() -> None:
    meta, _ = unpack(pack({"config": {"lr": np.float64(0.1), "on": object, "n": [1, None]}}, []))
    assert meta["config"] == {"lr": 0.1, "on": "<class 'object'>", "n": [1, None]}


def test_other_bytes() -> None:
    for data in (b"", b"abc", zlib.compress(b"abcdefgh")):
        with pytest.raises(ValueError, match="not a piece of a recording"):
            unpack(data)


def test_a_later_format_says_what_to_do() -> None:
    data = zlib.decompress(pack({}, [])).replace(b'"format": 1', b'"format": 9')
    with pytest.raises(ValueError, match="format 9, this one reads 1.*--upgrade"):
        unpack(zlib.compress(data))
