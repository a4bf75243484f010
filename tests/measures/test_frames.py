from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl

from nbdiag.measures.frames import make_frame

COLUMNS = {"name": ["a", "b"], "n": np.array([1, 2]), "row": np.eye(2)}


def test_pandas_unless_the_users_table_is_polars() -> None:
    assert isinstance(make_frame(COLUMNS), pd.DataFrame)
    assert isinstance(make_frame(COLUMNS, like=pd.DataFrame()), pd.DataFrame)
    assert isinstance(make_frame(COLUMNS, like={"a": [1]}), pd.DataFrame)
    assert isinstance(make_frame(COLUMNS, like=pl.DataFrame()), pl.DataFrame)


def test_both_hold_the_same() -> None:
    expected = {"name": ["a", "b"], "n": [1, 2], "row": [[1.0, 0.0], [0.0, 1.0]]}
    assert make_frame(COLUMNS).to_dict("list") == expected
    assert make_frame(COLUMNS, like=pl.DataFrame()).to_dict(as_series=False) == expected


def test_no_row() -> None:
    assert len(make_frame({"name": []})) == 0
