"""Take samples and batches of any form apart: inputs by name, and the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np
import torch

from nbdiag.measures.fingerprints import Rows
from nbdiag.measures.sample_pairs import TARGETS

# What a dict carries beside the input: ids differ between equal samples, masks repeat the padding.
ASIDE = frozenset(
    """attention_mask token_type_ids special_tokens_mask position_ids id ids idx index indices
    image_id sample_id path file filename __key__ __url__ bbox bboxes boxes mask masks area iscrowd
    size orig_size length lengths weight sample_weight group groups date time timestamp meta
    metadata""".split()
)
CODES = 2**22  # text of a dataframe becomes one of so many numbers, exact as float32


def parts_of(item: Any) -> tuple[dict[str, Any], Any]:
    """``(inputs by name, target)`` of a sample or of a batch; the target may be None.

    A pair is input and target, what comes alone is an input without a target, and a dict has its
    target under one of `TARGETS`.

    >>> parts_of((1.5, 0))
    ({'': 1.5}, 0)
    >>> parts_of({"image": "x", "label": 3, "idx": 7})
    ({'image': 'x'}, 3)
    """
    if isinstance(item, Mapping):
        names = [name for name in TARGETS if name in item]
        target = item[names[0]] if names else None
        kept = {k: v for k, v in item.items() if k not in ASIDE and k not in names[:1]}
        if not kept:
            raise ValueError(f"the samples hold no input, only {sorted(map(str, item))}")
        inputs = _flat(kept, "")
        mask, tokens = item.get("attention_mask"), item.get("input_ids")
        if mask is not None and tokens is not None and np.shape(mask) == np.shape(tokens):
            inputs["input_ids"] = to_rows(tokens) * to_rows(mask)
        return inputs, target
    if isinstance(item, (tuple, list)):
        if len(item) == 1:
            return _flat(item[0], ""), None
        if len(item) == 2:
            return _flat(item[0], ""), item[1]
        raise ValueError(
            f"the data must give an input, (input, target) or a dict, got a {type(item).__name__} "
            f"of {len(item)}: put a Dataset or a collate_fn around it that returns the two"
        )
    return _flat(item, ""), None


def _flat(value: Any, name: str) -> dict[str, Any]:
    """Nested dicts and tuples of inputs by name: ``{"left.pixels": ...}``."""
    if isinstance(value, Mapping):
        items = [(f"{name}.{key}" if name else str(key), part) for key, part in value.items()]
    elif isinstance(value, tuple) or (
        isinstance(value, list) and value and hasattr(value[0], "shape")
    ):
        items = [(f"{name}.{i}" if name else f"input {i}", part) for i, part in enumerate(value)]
    else:
        return {name: value}
    return {key: leaf for path, part in items for key, leaf in _flat(part, path).items()}


def gathered(items: Sequence[Any]) -> tuple[dict[str, Rows], Any]:
    """Rows by input name, and the targets, of a list of samples."""
    parts = [parts_of(item) for item in items]
    names = list(parts[0][0])
    for inputs, _ in parts:
        if list(inputs) != names:
            raise ValueError(f"the samples differ in their inputs: {names} and {list(inputs)}")
    rows = {name: to_rows([inputs[name] for inputs, _ in parts]) for name in names}
    return rows, targets_of([target for _, target in parts])


def targets_of(values: Any) -> Any:
    """Targets of a batch as an array, a list of what has no common shape, or None."""
    if values is None:
        return None
    if not isinstance(values, list):
        return values if isinstance(values, Mapping) else to_rows(values)
    if any(value is None or isinstance(value, (Mapping, str)) for value in values):
        return values
    if any(isinstance(value, (list, tuple)) for value in values):
        # Boxes of a picture and other lists of their own length.
        lengths = {np.shape(v) for v in values if not _nested(v)}
        if len(lengths) != 1 or any(map(_nested, values)):
            return [dict(enumerate(v)) if isinstance(v, (list, tuple)) else v for v in values]
    return to_rows(values)


def _nested(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(
        isinstance(part, Mapping) or (hasattr(part, "shape") and np.ndim(part) > 0)
        for part in value
    )


def to_rows(values: Any) -> Rows:
    """An array with a row for each sample, or a list of texts or of arrays of different shapes."""
    if isinstance(values, (torch.Tensor, np.ndarray)) or hasattr(values, "toarray"):
        array = to_array(values)
        return array.tolist() if array.dtype.kind in "US" else array
    if isinstance(values, Sequence) and not isinstance(values, str):
        if len(values) and all(isinstance(value, str) for value in values):
            return list(values)
        arrays = [to_array(value) for value in values]
        if len({(a.shape, a.dtype) for a in arrays}) == 1:
            return np.stack(arrays)
        if len({a.shape for a in arrays}) == 1:
            return np.stack(arrays).astype(np.result_type(*arrays))
        return arrays
    return to_array(values)


def to_array(value: Any) -> np.ndarray:
    """Numbers or text as an array; TypeError for an object that is neither."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        if value.is_sparse or value.layout is not torch.strided:
            value = value.to_dense()
        if value.is_quantized:
            value = value.dequantize()
        if value.is_complex():
            value = torch.view_as_real(value.resolve_conj())
        if value.dtype in (torch.bfloat16, torch.float16):
            value = value.float()
        return value.cpu().numpy()
    try:
        array = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    except ValueError as error:  # parts of different lengths
        raise _unreadable(value) from error
    if array.dtype.kind == "c":
        return np.stack([array.real, array.imag], axis=-1)
    if array.dtype.kind == "O":
        return _numbers(array, value)
    if array.dtype.kind not in "biufUS":
        raise _unreadable(value)
    return array


def _unreadable(value: Any) -> TypeError:
    return TypeError(
        f"an input must be numbers, a picture or text, got {type(value).__name__}: let the data "
        "set's transform return a tensor"
    )


def _numbers(array: np.ndarray, value: Any) -> np.ndarray:
    """An object array whose elements are numbers or None, as floats."""
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise _unreadable(array.ravel()[0] if array.size else value) from error


def is_frame(data: Any) -> bool:
    """A pandas or polars dataframe."""
    return hasattr(data, "columns") and hasattr(data, "shape") and hasattr(data, "dtypes")


def of_frame(frame: Any) -> tuple[np.ndarray, list[str], list[bool]]:
    """A dataframe as an array (N, columns), the names, and which columns are codes.

    Text, categories and dates become codes, and what is missing becomes NaN.
    """
    columns, coded, names = [], [], [str(name) for name in frame.columns]
    for name in frame.columns:
        column = np.asarray(frame[name])
        if column.dtype.kind == "O":
            column = _of_objects(column)
        if column.dtype.kind in "biuf":
            columns.append(column.astype(np.float64))
            coded.append(False)
        elif column.dtype.kind in "mM":
            missing = np.isnat(column)
            seconds = column.astype("datetime64[s]" if column.dtype.kind == "M" else "m8[s]")
            columns.append(np.where(missing, np.nan, seconds.astype(np.int64)))
            coded.append(True)
        else:
            columns.append(_coded(column))
            coded.append(True)
    if not columns:
        raise ValueError("the dataframe has no column to look at")
    return np.stack(columns, axis=1), names, coded


def _of_objects(column: np.ndarray) -> np.ndarray:
    """Numbers among missing values as floats; anything else stays as it is."""
    missing = _missing(column)
    if any(isinstance(value, str) for value in column[~missing]):
        return column.astype(str) if not missing.any() else column.astype("U")
    try:
        filled = np.where(missing, np.nan, column)
        return filled.astype(np.float64)
    except (TypeError, ValueError):
        return column.astype(str)  # categories, dates of Python, tuples: told apart by their text


def _missing(column: np.ndarray) -> np.ndarray:
    return np.array([value is None or value is not value or str(value) in ("<NA>", "nan", "NaT")
                     for value in column.tolist()], bool)  # fmt: skip


def _coded(column: np.ndarray) -> np.ndarray:
    names, inverse = np.unique(column.astype(str), return_inverse=True)
    missing = np.isin(names, ["nan", "None", "<NA>", "NaT"])
    codes = np.array([crc32(name.encode()) % CODES for name in names.tolist()], np.float64)
    return np.where(missing, np.nan, codes)[inverse]
