"""A table of samples by features, whatever it came in: kinds, typical values, distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from nbdiag.measures.frames import make_frame

Kind = Literal["continuous", "integer", "binary", "constant", "category"]
REFERENCE = 1500  # samples that stand for all where distances are measured and points drawn


@dataclass(frozen=True, repr=False)
class FeatureTable:
    """N samples of F features.

    Attributes
    ----------
    values : (N, F) float64; of a category the number of its level.
    names, kinds : of the F features.
    levels : feature number -> the values of a category, in the order of their numbers.
    given : what the user passed; `like` makes more rows of that kind.

    Raises
    ------
    TypeError : for what is no table. ValueError : for one of another shape, or without a sample.
    """

    values: np.ndarray
    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    levels: dict[int, np.ndarray]
    given: Any = field(compare=False)

    @classmethod
    def of(cls, given: Any, names: Sequence[Any] | None = None) -> FeatureTable:
        """Read an array or tensor (N, F), or a dataframe of pandas or polars."""
        if hasattr(given, "columns") and hasattr(given, "__getitem__"):
            titles = [str(name) for name in given.columns]
            columns = [np.asarray(given[name]) for name in given.columns]
        else:
            if isinstance(given, tuple) and len(given) == 2 and hasattr(given[0], "shape"):
                raise TypeError("X is a pair: give (model, X, features, y) one by one")
            array = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)
            if array.ndim != 2 or array.dtype.kind not in "biuf":
                raise (TypeError if array.dtype.kind not in "biuf" else ValueError)(
                    "X must be a table of numbers, samples by features (N, F), or a dataframe; got "
                    f"{type(given).__name__} of shape {array.shape} and dtype {array.dtype}"
                )
            titles = [f"feature {i}" for i in range(array.shape[1])]
            columns = list(array.T)
        if not columns or not len(columns[0]):
            raise ValueError("X holds no sample: at least one is needed")
        if len(columns) < 2:
            raise ValueError(
                f"X has {len(columns)} feature; two are swept, so at least 2 are needed"
            )
        if names is not None:
            if len(names) != len(columns):
                raise ValueError(
                    f"feature_names has {len(names)} names for {len(columns)} features"
                )
            titles = [str(name) for name in names]
        if len(set(titles)) < len(titles):
            twice = next(name for name in titles if titles.count(name) > 1)
            raise ValueError(f"feature names must differ, {twice!r} occurs twice")
        read = [_read(column) for column in columns]
        levels = {i: known for i, (_, _, known) in enumerate(read) if known is not None}
        values = np.stack([numbers for numbers, _, _ in read], axis=1)
        return cls(values, tuple(titles), tuple(kind for _, kind, _ in read), levels, given)

    def __len__(self) -> int:
        return len(self.values)

    def index(self, feature: int | str) -> int:
        """The number of a feature given by name or number; ValueError for an unknown one."""
        if isinstance(feature, str):
            if feature not in self.names:
                raise ValueError(f"no feature {feature!r}; features: {', '.join(self.names[:40])}")
            return self.names.index(feature)
        number = int(feature)
        if not 0 <= number < len(self.names):
            raise ValueError(f"no feature {number}: there are {len(self.names)}, from 0")
        return number

    def swept(self, features: Sequence[int | str]) -> tuple[int, int]:
        """The numbers of two different features that can be swept; ValueError otherwise."""
        if isinstance(features, str) or len(features) != 2:
            raise ValueError(f"features must be two names or numbers, got {features!r}")
        x, y = (self.index(one) for one in features)
        if x == y:
            raise ValueError(f"features must be two different ones, got {self.names[x]!r} twice")
        for number in (x, y):
            why = self.unfit(number)
            if why:
                raise ValueError(f"the feature {self.names[number]!r} cannot be swept: {why}")
        return x, y

    def unfit(self, number: int) -> str:
        """Why a feature cannot be swept; empty where it can."""
        if self.kinds[number] == "constant":
            return f"it is {self.values[self.complete, number][0]:g} in every sample"
        if self.kinds[number] == "category":
            return "it is no number; encode it, or sweep others"
        return ""

    @cached_property
    def complete(self) -> np.ndarray:
        """(n,) rows without NaN or infinity; ValueError if there is none."""
        rows = np.flatnonzero(np.isfinite(self.values).all(axis=1))
        if not len(rows):
            raise ValueError("every sample of X has a NaN or infinite feature")
        return rows

    @cached_property
    def reference(self) -> np.ndarray:
        """(M,) at most `REFERENCE` of the complete rows, ascending, drawn with a fixed seed."""
        if len(self.complete) <= REFERENCE:
            return self.complete
        generator = np.random.Generator(np.random.PCG64(0))
        return np.sort(generator.choice(self.complete, REFERENCE, replace=False))

    @cached_property
    def typical(self) -> np.ndarray:
        """(F,) medians; of whole numbers one that occurs, else the commonest"""
        rows = self.values[self.complete]
        out = np.empty(len(self.names))
        for i, kind in enumerate(self.kinds):
            if kind in ("binary", "category"):
                found, counts = np.unique(rows[:, i], return_counts=True)
                out[i] = found[counts.argmax()]
            else:
                method: Any = "lower" if kind == "integer" else "linear"
                out[i] = np.quantile(rows[:, i], 0.5, method=method)
        return out

    def scaled(self, rows: np.ndarray, features: Sequence[int] | None = None) -> np.ndarray:
        """Rows (Q, F) in standard deviations, for distances; levels of a category lie 1 apart."""
        parts = []
        for i in range(len(self.names)) if features is None else features:
            if i in self.levels:
                levels = np.arange(len(self.levels[i]))
                parts.append((rows[:, i, None] == levels) / np.sqrt(2))
            else:
                parts.append(rows[:, i, None] / self._spread[i])
        return np.hstack(parts)

    @cached_property
    def _spread(self) -> np.ndarray:
        spread = self.values[self.complete].std(axis=0)
        return np.where(spread > 0, spread, 1.0)

    def like(self, rows: np.ndarray) -> Any:
        """Rows (Q, F) in the type that was given, column types included."""
        if hasattr(self.given, "columns") and hasattr(self.given, "__getitem__"):
            columns = {}
            for i, name in enumerate(self.given.columns):
                source = np.asarray(self.given[name])
                if i in self.levels:
                    columns[str(name)] = self.levels[i][rows[:, i].astype(int)]
                else:
                    columns[str(name)] = rows[:, i].astype(source.dtype)
            return make_frame(columns, like=self.given)
        if hasattr(self.given, "new_tensor"):
            return self.given.detach().cpu().new_tensor(rows, dtype=self.given.dtype)
        return rows.astype(np.asarray(self.given).dtype)


def _read(column: np.ndarray) -> tuple[np.ndarray, Kind, np.ndarray | None]:
    """A column as float64, its kind, and its levels where it is no number."""
    if column.dtype.kind not in "biuf":
        try:
            numbers = column.astype(np.float64)
        except (TypeError, ValueError):
            levels, codes = np.unique(column.astype(str), return_inverse=True)
            first = [column[np.flatnonzero(codes == code)[0]] for code in range(len(levels))]
            known = np.empty(len(first), dtype=object)
            known[:] = first
            return codes.astype(np.float64), "category", known
    else:
        numbers = column.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    distinct = np.unique(finite)
    if len(distinct) <= 1:
        return numbers, "constant", None
    if len(distinct) == 2 and (distinct == np.floor(distinct)).all():
        return numbers, "binary", None
    whole = bool((finite == np.floor(finite)).all())
    return numbers, "integer" if whole else "continuous", None


def neighbour_distances(
    points: np.ndarray, reference: np.ndarray, k: int, own: bool = False
) -> np.ndarray:
    """(Q,) distance of each point to its k-th nearest reference point (M, D).

    own : the points are the reference itself, and a point is no neighbour of its own.

    >>> neighbour_distances(np.array([[0.0], [5.0]]), np.array([[0.0], [1.0], [3.0]]), 2).tolist()
    [1.0, 4.0]
    """
    k = min(k, len(reference) - own)
    squares = (reference**2).sum(1)
    out = np.empty(len(points))
    for start in range(0, len(points), 2048):
        part = points[start : start + 2048]
        d2 = squares - 2 * part @ reference.T + (part**2).sum(1)[:, None]
        if own:
            d2[np.arange(len(part)), start + np.arange(len(part))] = -1.0
        at = k - 1 + own
        out[start : start + len(part)] = np.partition(d2, at, axis=1)[:, at]
    # Differences of large squares: what is nothing but rounding is nothing
    tiny = 1e-12 * (squares.max() if len(squares) else 1.0)
    return np.sqrt(np.where(out > tiny, out, 0.0))
