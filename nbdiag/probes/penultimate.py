"""What does a model make of a sample just before it decides? Features, for telling errors apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import default_collate

from nbdiag.measures.predictions import Predictions
from nbdiag.probes.ending import eager
from nbdiag.probes.layout import unwrap
from nbdiag.probes.quiet import device_of, evaluating, float_type_of, moved, same_random_state
from nbdiag.probes.samples import of_frame
from nbdiag.probes.scores import as_columns, call, scores_of

BATCH = 64
NUMBERS_AT_MOST = 50_000_000  # of a sparse table that is made dense


def penultimate(
    model: Any, predictions: Predictions, rows: Sequence[int] | np.ndarray
) -> np.ndarray:
    """Features (M, D) float32 of the samples at these row positions.

    Of a network, what goes into its last layer with a weight matrix, averaged over positions or
    pixels where there are several. Of a scikit-learn pipeline, what goes into its last step; of
    another estimator or a function, the inputs themselves if they are rows of numbers. Those are
    standardised, column by column.

    Flags, hooks, buffers and random states of the model stay as they are.

    Raises
    ------
    ValueError : where the inputs cannot be looked up or stacked, or no layer gives features.
    TypeError : for inputs that are no rows of numbers, of a model that cannot be looked into.
    """
    if predictions.inputs is None:
        raise ValueError(
            "these predictions cannot look up their inputs by id: predict over a data set, or "
            "attach it with Predictions.open(path, inputs=dataset)"
        )
    at = np.asarray(rows, np.int64)
    if at.size == 0:
        return np.zeros((0, 0), np.float32)
    if isinstance(model, nn.Module):
        return _of_network(model, predictions, at)
    return _of_rows(model, predictions, at)


def _of_network(model: nn.Module, predictions: Predictions, rows: np.ndarray) -> np.ndarray:
    inner = unwrap(model)
    device, kind = device_of(inner), float_type_of(inner)
    parts, layer = [], None
    with evaluating(inner), same_random_state(), eager(), torch.no_grad():
        for start in range(0, len(rows), BATCH):
            ids = predictions.ids[rows[start : start + BATCH]].tolist()
            batch = moved(_stacked(predictions, ids), device)
            if kind is not None:
                batch = _as_float(batch, kind)
            if layer is None:
                layer = _last_layer(inner, batch, len(ids))
            seen = _calls(inner, [layer], lambda b=batch: call(inner, b))  # type: ignore[misc]
            if not seen:
                raise ValueError("the last layer was not reached for some of the samples")
            parts.append(_pooled(seen[-1], len(ids)))
    return np.concatenate(parts)


def _stacked(predictions: Predictions, ids: list[Any]) -> Any:
    assert predictions.inputs is not None
    inputs = predictions.inputs(ids)
    try:
        return default_collate(inputs)
    except (TypeError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"the inputs cannot be stacked into a batch ({type(inputs[0]).__name__}): {error}"
        ) from error


def _as_float(batch: Any, kind: torch.dtype) -> Any:
    if isinstance(batch, torch.Tensor):
        return batch.to(kind) if batch.is_floating_point() else batch
    if isinstance(batch, dict):
        return {key: _as_float(value, kind) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return type(batch)(_as_float(value, kind) for value in batch)
    return batch


@dataclass
class _Call:
    """A layer that was called, and the tensors that went in and came out."""

    module: nn.Module
    given: torch.Tensor
    returned: Any


def _calls(model: nn.Module, modules: Sequence[nn.Module], run: Callable[[], Any]) -> list[_Call]:
    seen: list[_Call] = []

    def hook(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        given = next((x for x in (*args, *kwargs.values()) if isinstance(x, torch.Tensor)), None)
        if given is not None and given.is_floating_point():
            seen.append(_Call(module, given, output))

    handles = []
    try:
        for module in modules:
            handles.append(module.register_forward_hook(hook, with_kwargs=True))
        run()
    finally:
        for handle in handles:
            handle.remove()
    return seen


def _last_layer(model: nn.Module, batch: Any, n: int) -> nn.Module:
    """The layer that gives the scores: the last one called that has a weight matrix.

    Of several, the last whose output has as many columns as there are scores: what is called after
    it may be an auxiliary head.
    """
    candidates = [
        module
        for module in model.modules()
        if any(p.ndim >= 2 for p in module.parameters(recurse=False))
        and not isinstance(module, nn.Embedding)
    ]
    answers: list[Any] = []
    seen = _calls(model, candidates, lambda: answers.append(call(model, batch)))
    if not seen:
        raise ValueError(
            f"no layer of {type(model).__name__} with a weight matrix takes a tensor of numbers, "
            "so there are no features to compare samples by"
        )
    columns = as_columns(scores_of(answers[0]), n).shape[1]
    for one in reversed(seen):
        size = tuple(getattr(one.returned, "shape", ()))
        if len(size) > 1 and columns in (size[-1], size[1]):
            return one.module
    return seen[-1].module


def _pooled(one: _Call, n: int) -> np.ndarray:
    """(n, D) of what went in; averaged over every axis that is neither the batch nor features."""
    value = one.given
    if value.ndim == 1 and n == 1:
        value = value[None]
    if value.shape[0] != n and value.ndim == 3 and value.shape[1] == n:
        value = value.transpose(0, 1)  # a recurrent layer that takes time first
    if value.shape[0] != n and value.shape[0] % n == 0:
        value = value.reshape(n, -1, *value.shape[1:])  # positions folded into the batch
    if value.shape[0] != n or value.ndim < 2:
        raise ValueError(
            f"the last layer takes the shape {tuple(one.given.shape)} for {n} samples: which part "
            "belongs to which sample cannot be told"
        )
    first = isinstance(one.module, nn.modules.conv._ConvNd) and value.ndim > 2
    axes = [i for i in range(1, value.ndim) if i != (1 if first else value.ndim - 1)]
    value = value.float()
    return (value.mean(dim=axes) if axes else value).cpu().numpy()


def _of_rows(model: Any, predictions: Predictions, rows: np.ndarray) -> np.ndarray:
    assert predictions.inputs is not None
    with same_random_state():
        inputs = predictions.inputs(predictions.ids[rows].tolist())
    table: Any = inputs
    if hasattr(inputs[0], "to_frame") and hasattr(inputs[0], "index"):  # rows of a dataframe
        import pandas as pd

        table = pd.DataFrame(inputs).infer_objects()
    if hasattr(model, "steps") and len(model.steps) > 1:
        plain = hasattr(table, "columns") or isinstance(inputs[0], str)
        table = model[:-1].transform(table if plain else np.array([np.ravel(x) for x in inputs]))
    return _standardised(_numbers(table, type(model).__name__))


def _numbers(table: Any, model: str) -> np.ndarray:
    if hasattr(table, "toarray"):  # sparse
        if table.shape[0] * table.shape[1] > NUMBERS_AT_MOST:
            raise ValueError(
                f"{table.shape[0]} samples of {table.shape[1]} sparse features are too many to "
                "compare: ask for fewer samples"
            )
        return np.asarray(table.toarray(), np.float64)
    if hasattr(table, "columns"):
        return of_frame(table)[0]
    try:
        found = np.array([np.ravel(np.asarray(row)) for row in table], np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{model} cannot be looked into, and its inputs are no rows of numbers "
            f"({type(table[0]).__name__}): there are no features to compare samples by"
        ) from error
    return found


def _standardised(values: np.ndarray) -> np.ndarray:
    """Each column with mean 0 and standard deviation 1; what is missing lies at the mean."""
    values = np.where(np.isfinite(values), values, np.nan)
    known = np.isfinite(values)
    counts = np.maximum(known.sum(axis=0), 1)
    centred = values - np.where(known, values, 0).sum(axis=0) / counts
    centred = np.where(known, centred, 0)
    spread = np.sqrt((centred**2).sum(axis=0) / counts)
    return (centred / np.where(spread > 1e-12, spread, 1)).astype(np.float32)
