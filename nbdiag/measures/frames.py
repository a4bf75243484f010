"""Tables out in the library that the user's table came in, without importing the other one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def make_frame(columns: Mapping[str, Any], *, like: Any = None) -> Any:
    """A dataframe of these columns: polars where ``like`` is polars, else pandas.

    >>> make_frame({"slice": ["a", "b"], "n": [3, 4]}).shape
    (2, 2)
    """
    plain = {str(name): _plain(column) for name, column in columns.items()}
    if type(like).__module__.split(".")[0] == "polars":
        import polars

        return polars.DataFrame(plain)
    import pandas

    return pandas.DataFrame(plain)


def _plain(column: Any) -> Any:
    """Rows of a matrix become lists: a dataframe's cell holds one thing."""
    if isinstance(column, np.ndarray):
        return column.tolist() if column.ndim > 1 or column.dtype == object else column
    return list(column)
