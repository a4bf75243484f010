"""Samples as a table: what was said about each, what was noted, and the metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nbdiag.measures.columns import column_names, column_of
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.sample_order import losses


def sample_columns(
    predictions: Predictions, rows: np.ndarray, notes: Mapping[int, str]
) -> dict[str, Any]:
    """Name -> column of the samples at ``rows`` (M,), in that order.

    ``notes`` is row -> text. A column of the metadata that has the name of one of ours is called
    ``name (metadata)``.
    """
    told = predictions
    names = np.array([*told.class_names, None], object)  # -1, no finite answer, is the last one
    columns: dict[str, Any] = {
        "id": told.ids[rows],
        "true": names[told.targets[rows]],
        "predicted": names[told.predicted[rows]],
        "confidence": told.confidence[rows],
        "loss": losses(told, rows),
        "note": [notes.get(row, "") for row in rows.tolist()],
    }
    if told.metadata is not None:
        for name in column_names(told.metadata):
            free = name if name not in columns else f"{name} (metadata)"
            columns[free] = column_of(told.metadata, name)[rows]
    return columns
