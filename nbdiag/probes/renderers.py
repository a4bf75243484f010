"""A sample as a person can look at it: a picture, a row with names, or text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch

from nbdiag.measures.predictions import Predictions
from nbdiag.probes.pictures import display_array
from nbdiag.probes.quiet import same_random_state

Kind = Literal["image", "tabular", "text", "custom", "none"]
REFERENCE = 1000  # samples that a feature's place among the others is told from
FEATURES_AT_MOST = 2000
TOKENS = ("input_ids", "tokens", "token_ids")


@dataclass(frozen=True, eq=False)
class Table:
    """A sample of named values.

    Attributes
    ----------
    names, values : F each; values are numbers or text as they are in the data.
    places : (F,) where each lies among the data set's values of that feature: 0 lowest, 1 highest,
        NaN for what has no order, is missing, or is not known.
    """

    names: tuple[str, ...]
    values: tuple[Any, ...]
    places: np.ndarray


@dataclass(frozen=True)
class Failed:
    """Why a sample cannot be shown, in one line."""

    message: str


Shown = np.ndarray | Table | str | Failed


def renderer_for(
    predictions: Predictions,
    render: Callable[[Any], Any] | None = None,
    *,
    tokenizer: Any = None,
    decode: Callable[[list[int]], str] | None = None,
) -> Renderer:
    """What shows the samples of these predictions.

    Parameters
    ----------
    render : a function from an input, as the data set gives it, to a PIL image, an array, a text
        or a dict of names and values.
    tokenizer : anything with ``decode(ids)``, for inputs that are token ids.
    decode : the same as a function.

    Raises TypeError for a renderer, tokenizer or decoder that cannot be called.
    """
    if render is not None and not callable(render):
        raise TypeError(f"render must be a function of an input, got {type(render).__name__}")
    if decode is None and tokenizer is not None:
        decode = getattr(tokenizer, "decode", None)
        if decode is None:
            raise TypeError(f"tokenizer must have decode(ids), got {type(tokenizer).__name__}")
    if decode is not None and not callable(decode):
        raise TypeError(f"decode must be a function of token ids, got {type(decode).__name__}")
    return Renderer(predictions, render, decode)


class Renderer:
    """Shows samples by id.

    `kind` says what they are; `note` what was done to show them, or for ``"none"`` why they cannot
    be shown.
    """

    def __init__(
        self,
        predictions: Predictions,
        render: Callable[[Any], Any] | None,
        decode: Callable[[list[int]], str] | None,
    ) -> None:
        self._predictions, self._render, self._decode = predictions, render, decode
        self._dataset = getattr(predictions.inputs, "dataset", None)
        self.kind: Kind = "none"
        self.note = ""
        if predictions.inputs is None:
            self.note = "these predictions cannot look up their inputs by id"
        elif render is not None:
            self.kind = "custom"
        else:
            try:
                (first,) = self._inputs(predictions.ids[:1].tolist())
            except Exception as error:  # whatever a data set raises
                self.note = _why(error)
                return
            self.kind, self.note = self._kind_of(first)

    def of(self, ids: Sequence[Any]) -> list[Shown]:
        """One for each id: (H, W) or (H, W, 3) uint8, a `Table`, a text, or `Failed`."""
        if self.kind == "none":
            return [Failed(self.note) for _ in ids]
        keys = list(ids)
        try:
            inputs = self._inputs(keys)
        except Exception:  # one of them; which one is found below, and said for it alone
            return [self._one(key) for key in keys]
        return [self._shown(value) for value in inputs]

    def _one(self, key: Any) -> Shown:
        try:
            (value,) = self._inputs([key])
        except Exception as error:
            return Failed(_why(error))
        return self._shown(value)

    def _inputs(self, keys: list[Any]) -> list[Any]:
        assert self._predictions.inputs is not None
        with same_random_state():  # a data set may draw its augmentation
            return self._predictions.inputs(keys)

    def _kind_of(self, first: Any) -> tuple[Kind, str]:
        if _tokens(first) is not None:
            return "text", "" if self._decode else "token ids: give tokenizer= to read them as text"
        if isinstance(first, str):
            return "text", ""
        try:
            pixels, note = display_array(first, self._dataset)
        except Exception as error:  # an odd array is no reason to fail
            pixels, note = None, _why(error)
        if pixels is not None:
            return "image", note
        if _row(first) is not None:
            return "tabular", ""
        return "none", note

    def _shown(self, value: Any) -> Shown:
        try:
            if self._render is not None:
                return self._own(self._render(value))
            return self._as_kind(value)
        except Exception as error:  # shown for this sample; the others are not its fault
            return Failed(_why(error))

    def _as_kind(self, value: Any) -> Shown:
        if self.kind == "image":
            pixels, note = display_array(value, self._dataset)
            return Failed(note) if pixels is None else pixels
        if self.kind == "text":
            tokens = _tokens(value)
            if tokens is None:
                return str(value)
            return self._decode(tokens) if self._decode else " ".join(map(str, tokens))
        row = _row(value)
        if row is None:
            return Failed(f"a {type(value).__name__} is no row of values")
        names, values = row
        names = names or self._names(len(values))
        return Table(names, values, self._places(values))

    def _own(self, made: Any) -> Shown:
        """What the user's own renderer returned."""
        if isinstance(made, str):
            return made
        if isinstance(made, Mapping):
            names = tuple(str(name) for name in made)
            return Table(names, tuple(map(_plain, made.values())), np.full(len(made), np.nan))
        pixels, note = display_array(made, None)
        if pixels is not None:
            return pixels
        return Failed(
            f"render must return a PIL image, an array of pixels, a text or a dict, got "
            f"{type(made).__name__}: {note}"
        )

    def _names(self, n: int) -> tuple[str, ...]:
        for attribute in ("columns", "feature_names"):
            names = getattr(self._dataset, attribute, None)
            if names is not None and not callable(names) and len(names) == n:
                return tuple(str(name) for name in names)
        return tuple(f"feature {i}" for i in range(n))

    @cached_property
    def _reference(self) -> list[np.ndarray] | None:
        """Sorted values of each feature over a spread of samples; empty for what has no order."""
        ids = self._predictions.ids
        rows = np.unique(np.linspace(0, len(ids) - 1, REFERENCE).astype(np.int64))
        found = [_row(value) for value in self._inputs(ids[rows].tolist())]
        rows_ = [row[1] for row in found if row is not None]
        if not rows_ or len({len(row) for row in rows_}) > 1 or len(rows_[0]) > FEATURES_AT_MOST:
            return None
        columns = []
        for values in zip(*rows_, strict=True):
            numbers = np.array([_number(value) for value in values])
            columns.append(np.sort(numbers[np.isfinite(numbers)]))
        return columns

    def _places(self, values: tuple[Any, ...]) -> np.ndarray:
        places, reference = np.full(len(values), np.nan), self._reference
        if reference is None or len(reference) != len(values):
            return places
        for i, (value, column) in enumerate(zip(values, reference, strict=True)):
            number = _number(value)
            if len(column) and not np.isnan(number):
                # In the middle of the equals, so that a constant lies at one half.
                ends = [np.searchsorted(column, number, side) for side in ("left", "right")]
                places[i] = float(sum(ends)) / (2 * len(column))
        return places


def _tokens(value: Any) -> list[int] | None:
    """Token ids of an input, without padding where a mask tells it; None for anything else."""
    if isinstance(value, Mapping):
        key = next((key for key in TOKENS if key in value), None)
        ids = None if key is None else _tokens(torch.as_tensor(value[key]).reshape(-1))
        mask = value.get("attention_mask")
        if ids is None or mask is None:
            return ids
        kept = torch.as_tensor(mask).reshape(-1).tolist()
        return [token for token, keep in zip(ids, kept, strict=True) if keep]
    if isinstance(value, torch.Tensor) and value.ndim == 1:
        whole = not (value.is_floating_point() or value.is_complex() or value.dtype == torch.bool)
        return [int(token) for token in value.tolist()] if whole else None
    return None


def _row(value: Any) -> tuple[tuple[str, ...], tuple[Any, ...]] | None:
    """Names (empty where there are none) and values of a row; None for what is no row."""
    if isinstance(value, Mapping):
        return tuple(map(str, value)), tuple(map(_plain, value.values()))
    if hasattr(value, "index") and hasattr(value, "to_numpy") and hasattr(value, "items"):
        return tuple(map(str, value.index)), tuple(map(_plain, value.tolist()))  # pandas
    if hasattr(value, "columns") and hasattr(value, "row") and len(value) == 1:  # polars
        return tuple(map(str, value.columns)), tuple(map(_plain, value.row(0)))
    if hasattr(value, "toarray"):
        value = value.toarray().ravel()
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    array = np.asarray(value) if isinstance(value, np.ndarray | list | tuple) else None
    if array is None or array.ndim != 1 or array.dtype.kind not in "biufUSO":
        return None
    return (), tuple(map(_plain, array.tolist()))


def _plain(value: Any) -> Any:
    """Plain Python for numbers; text for everything that is none."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if np.ndim(value) == 0 and hasattr(value, "item"):
        return value.item()
    return str(value)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, bool | int | float) else float("nan")


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
