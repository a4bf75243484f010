"""What a predicate is given: all samples as columns, or one sample; and how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nbdiag.measures.columns import column_names, column_of, plain
from nbdiag.measures.predictions import Predictions

CHUNK = 256  # inputs that are read at once
ANSWER, TRUTH = {"predicted", "predicted_name"}, {"true", "true_name"}


class Columns:
    """All samples at once: each attribute is an array with one entry a sample.

    Attributes
    ----------
    id, true, predicted : (N,); predicted is -1 where the answer is not finite.
    true_name, predicted_name : (N,) the same as text.
    confidence, probabilities : (N,) and (N, C); NaN where the answer is not finite.
    wrong, right : (N,) bool.
    metadata : ``metadata["sensor"]`` is a column of the user's table.
    input : only of one sample (`Sample`).
    """

    def __init__(self, told: Predictions) -> None:
        self._told = told
        self.metadata = Table(told.metadata)
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        made = _COLUMNS.get(name)
        if made is None:
            raise AttributeError(f"samples have no {name!r}; they have: {_KNOWN}")
        self.read.add(name)
        return made(self._told)

    def _no_value(self, *_: Any) -> Any:
        raise TypeError(f"these are samples, not one value: ask for one of {_KNOWN}")

    # A predicate over inputs (`lambda x: (x > 3).any()`) must not get an answer by accident.
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _no_value
    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __array__ = _no_value
    __hash__ = None  # type: ignore[assignment]


class Sample(Columns):
    """One sample: each attribute is one value; ``input`` reads what the model was given."""

    def __init__(self, told: Predictions, row: int, values: Any, seen: set[str]) -> None:
        self._told, self._row, self._values, self.read = told, row, values, seen
        self.metadata = values.metadata.row(row)

    def __getattr__(self, name: str) -> Any:
        if name == "input":
            return self._values.input_of(self._row)
        column = self._values.column(name)
        self.read.add(name)
        value = column[self._row]
        return value.item() if isinstance(value, np.generic) else value


class Table:
    """The user's metadata by column name; of one sample, by `row`."""

    def __init__(self, metadata: Any, at: int | None = None, known: dict | None = None) -> None:
        self._metadata, self._at = metadata, at
        self._known: dict[str, np.ndarray] = {} if known is None else known

    def __getitem__(self, name: str) -> Any:
        if self._metadata is None:
            raise KeyError(f"there is no column {name!r}: these predictions have no metadata")
        if name not in self._known:
            self._known[name] = column_of(self._metadata, name)
        column = self._known[name]
        if self._at is None:
            return column
        value = column[self._at]
        return value.item() if isinstance(value, np.generic) and column.dtype.kind != "M" else value

    def keys(self) -> list[str]:
        return [] if self._metadata is None else column_names(self._metadata)

    def row(self, at: int) -> Table:
        return Table(self._metadata, at, self._known)


def _names(told: Predictions, of: np.ndarray) -> np.ndarray:
    return np.array([*told.class_names, ""], object)[of]


_COLUMNS: dict[str, Callable[[Predictions], np.ndarray]] = {
    "id": lambda told: told.ids,
    "true": lambda told: told.targets,
    "predicted": lambda told: told.predicted,
    "true_name": lambda told: _names(told, told.targets),
    "predicted_name": lambda told: _names(told, told.predicted),
    "confidence": lambda told: told.confidence,
    "probabilities": lambda told: told.probabilities,
    "wrong": lambda told: told.predicted != told.targets,
    "right": lambda told: told.predicted == told.targets,
}
_KNOWN = ", ".join([*_COLUMNS, "metadata", "input"])


class _Values:
    """Columns and inputs for samples one by one, each made once."""

    def __init__(self, told: Predictions) -> None:
        self._told, self._columns = told, dict[str, np.ndarray]()
        self.metadata = Table(told.metadata)
        self._first, self._inputs = -1, list[Any]()

    def column(self, name: str) -> np.ndarray:
        if name not in self._columns:
            self._columns[name] = getattr(Columns(self._told), name)
        return self._columns[name]

    def input_of(self, row: int) -> Any:
        if self._told.inputs is None:
            raise ValueError("these predictions cannot look up their inputs by id")
        first = row - row % CHUNK
        if first != self._first:
            ids = self._told.ids[first : first + CHUNK].tolist()
            self._inputs, self._first = self._told.inputs(ids), first
        return self._inputs[row - first]


def ask(predicates: Mapping[str, Any], told: Predictions) -> dict[str, tuple[np.ndarray, bool]]:
    """Name -> ((N,) bool who fits, whether it was told which samples are wrong).

    A predicate is an array of bool, or a function. It is called with `Columns` first; where that
    does not give one bool a sample, with each `Sample`, and where it knows nothing of samples
    either, with each sample's input (an image tensor, a row, a text). Inputs are read once for all
    predicates, and as often as there are samples: that takes time where a data set is large.

    Raises
    ------
    ValueError : for an array of another length or type; when a function raises in all three ways or
        gives no truth value, with its name and the sample's id.
    """
    found: dict[str, tuple[np.ndarray, bool]] = {}
    later: dict[str, _OneByOne] = {}
    for name, given in predicates.items():
        if not callable(given):
            found[name] = _mask(name, given, len(told)), False
            continue
        columns = Columns(told)
        try:
            answer = given(columns)
        except Exception as error:  # a predicate of one sample fails in any way it likes
            later[name] = _OneByOne(name, given, told, error)
            continue
        mask = _bools(answer, len(told))
        if mask is None:
            later[name] = _OneByOne(name, given, told, None)
        else:
            found[name] = mask, _knows_errors(columns.read)
    if later:
        values = _Values(told)
        for row in range(len(told)):
            for one in later.values():
                one.ask(row, values)
        found.update({name: (one.fits, _knows_errors(one.read)) for name, one in later.items()})
    return {name: found[name] for name in predicates}


def _knows_errors(read: set[str]) -> bool:
    return bool(read & {"wrong", "right"}) or bool(read & ANSWER and read & TRUTH)


class _OneByOne:
    """A predicate that is asked sample by sample; how, the first sample decides."""

    def __init__(
        self, name: str, given: Callable[[Any], Any], told: Predictions, error: Exception | None
    ) -> None:
        self._name, self._given, self._told, self._error = name, given, told, error
        self.fits = np.zeros(len(told), bool)
        self.read: set[str] = set()
        self._by_input: bool | None = None

    def ask(self, row: int, values: _Values) -> None:
        sample = Sample(self._told, row, values, self.read)
        if self._by_input is None:
            self._by_input, answer = self._decide(row, sample)
        else:
            try:
                answer = self._given(sample.input if self._by_input else sample)
            except Exception as error:  # said with the sample that it was
                raise self._failure(row, error) from error
        self.fits[row] = self._truth(row, answer)

    def _decide(self, row: int, sample: Sample) -> tuple[bool, Any]:
        try:
            return False, self._given(sample)
        except Exception as error:
            if self._told.inputs is None or not isinstance(error, AttributeError | TypeError):
                raise self._failure(row, error) from error
            first = error
        try:
            return True, self._given(sample.input)
        except Exception as error:
            raise self._failure(row, error, first) from error

    def _failure(self, row: int, error: Exception, first: Exception | None = None) -> ValueError:
        told = f"{type(error).__name__}: {error}"
        if first is not None:
            told = f"as a sample: {first}; with its input: {told}"
        elif self._error is not None and str(self._error) != str(error):
            told += f" (with all samples at once: {type(self._error).__name__}: {self._error})"
        key = self._told.ids[row : row + 1].tolist()[0]
        return ValueError(f"{self._name!r} failed on the sample with id {key!r}: {told}")

    def _truth(self, row: int, answer: Any) -> bool:
        try:
            if answer is None or isinstance(answer, str):
                raise TypeError("no truth value")
            return bool(answer)
        except Exception as error:
            key = self._told.ids[row : row + 1].tolist()[0]
            raise ValueError(
                f"{self._name!r} must give True or False for a sample, or an array of them for "
                f"all; for the sample with id {key!r} it gave {_short(answer)}"
            ) from error


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _bools(answer: Any, n: int) -> np.ndarray | None:
    """(N,) bool of an array, list or column of truth values; None for anything else."""
    if isinstance(answer, bool | np.bool_ | str | bytes) or answer is None:
        return None
    if not hasattr(answer, "__len__") or len(answer) != n:
        return None
    try:
        array = plain(answer)
    except (TypeError, ValueError):
        return None
    if array.dtype == object and set(map(type, array.tolist())) <= {bool, type(None), float}:
        # A missing answer ("sensor == 'a'" of a missing sensor) is no.
        array = np.array([value is True for value in array.tolist()], bool)
    return array if array.dtype == bool else None


def _mask(name: str, given: Any, n: int) -> np.ndarray:
    mask = _bools(given, n)
    if mask is None:
        shape = np.shape(given) if hasattr(given, "__len__") else type(given).__name__
        raise ValueError(
            f"{name!r} must be a function of samples or one bool for each of the {n} samples, got "
            f"{shape} of {getattr(given, 'dtype', type(given).__name__)}"
        )
    return mask
