"""Where the model looked in samples, for whoever shows a gallery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.data import default_collate

from nbdiag.measures.grad_cam import GradCAMResult
from nbdiag.measures.predictions import Predictions
from nbdiag.probes.grad_cam import find_layer, grad_cam
from nbdiag.probes.quiet import device_of, float_type_of, moved, same_random_state

CHUNK = 32


class Overlays:
    """Grad-CAM for samples by id; `info` says whether the model can be asked, and if not, why."""

    def __init__(self, model: Any, predictions: Predictions) -> None:
        self._model, self._predictions = model, predictions
        reason, layer = self._possible()
        self.info: dict[str, Any] = {"available": reason is None, "layer": layer}
        if reason is not None:
            self.info["reason"] = reason

    def _possible(self) -> tuple[str | None, str | None]:
        """Why not, and the layer that is looked at."""
        if self._model is None:
            return "to see where it looked, use ErrorExplorer(predictions, model=model)", None
        if not isinstance(self._model, nn.Module):
            kind = type(self._model).__name__
            return f"Grad-CAM looks into an nn.Module, and this is a {kind}", None
        if self._predictions.inputs is None:
            return "these predictions cannot look up their inputs by id", None
        try:
            return None, find_layer(self._model, self._batch(self._predictions.ids[:1].tolist()))
        except Exception as error:  # whatever a model raises, the matrix and the gallery still open
            return f"{type(error).__name__}: {error}", None

    def of(
        self, ids: Sequence[Any], targets: Sequence[int]
    ) -> tuple[GradCAMResult, tuple[int, int] | None]:
        """Maps of these samples, each for its own class, and the ``(H, W)`` of the inputs.

        Raises ValueError when the model cannot be asked.
        """
        if not self.info["available"]:
            raise ValueError(self.info["reason"])
        batch = self._batch(ids)
        cam = grad_cam(self._model, batch, list(targets), layer=self.info["layer"])
        pictures = isinstance(batch, torch.Tensor) and batch.ndim == 4
        return cam, (int(batch.shape[2]), int(batch.shape[3])) if pictures else None

    def _batch(self, ids: Sequence[Any]) -> Any:
        assert self._predictions.inputs is not None
        with same_random_state():
            batch = default_collate(self._predictions.inputs(list(ids)))
        kind = float_type_of(self._model)
        if isinstance(batch, torch.Tensor) and batch.is_floating_point() and kind is not None:
            batch = batch.to(kind)
        return moved(batch, device_of(self._model))
