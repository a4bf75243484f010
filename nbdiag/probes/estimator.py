"""Ask a scikit-learn classifier as a network is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from nbdiag.measures import outputs
from nbdiag.probes.scores import to_array


def is_estimator(model: Any) -> bool:
    """Whether it answers as scikit-learn's estimators do."""
    ways = ("predict_proba", "decision_function")
    return any(hasattr(model, way) for way in ways) or (
        hasattr(model, "predict") and hasattr(model, "fit") and not callable(model)
    )


class EstimatorAsker:
    """``predict_proba``, else ``decision_function``; targets are the classifier's own labels."""

    array_batch = 4096

    def __init__(self, model: Any, output: str) -> None:
        wants_logits = output in ("logits", "logit", "log_probabilities")
        way = "predict_proba"
        if wants_logits or not hasattr(model, way):
            way = "decision_function"
        if not hasattr(model, way):
            raise TypeError(
                f"{type(model).__name__} has no {way}: a classifier that gives probabilities or "
                "scores is needed"
            )
        if not hasattr(model, "classes_"):
            raise ValueError(f"{type(model).__name__} is not fitted: call fit first")
        self._ask, self._way = getattr(model, way), way
        self._named = hasattr(model, "feature_names_in_")
        self._labels = np.asarray(model.classes_)
        self.output = output
        self.class_names = tuple(str(label) for label in self._labels)
        self.kind: outputs.OutputKind | None = None

    def __call__(self, inputs: Any, batch: int) -> np.ndarray:
        """Raw scores (N, C) or (N, 1) of a batch of rows."""
        if not (hasattr(inputs, "iloc") or type(inputs).__module__.startswith("polars")):
            inputs = to_array(inputs) if isinstance(inputs, torch.Tensor) else np.asarray(inputs)
            inputs = inputs.reshape(batch, -1)
        raw = np.asarray(self._ask(inputs))
        raw = raw[:, None] if raw.ndim == 1 else raw
        if raw.ndim != 2 or len(raw) != batch or max(raw.shape[1], 2) != len(self._labels):
            raise ValueError(
                f"{self._way} returned the shape {raw.shape} for {batch} rows and "
                f"{len(self._labels)} classes"
            )
        if self.kind is None:
            self.kind = self._decide(raw)
        outputs.check(raw, self.kind)
        return raw

    def _decide(self, raw: np.ndarray) -> outputs.OutputKind:
        if self.output != "auto":
            return outputs.decide(raw, declared=self.output)
        if self._way == "predict_proba":
            return outputs.OutputKind("probabilities", raw.shape[1], self._way)
        reading: outputs.Reading = "logit" if raw.shape[1] == 1 else "logits"
        return outputs.OutputKind(reading, raw.shape[1], self._way)

    def targets(self, given: Any, ids: np.ndarray) -> np.ndarray:
        """Positions of the labels among the classifier's classes."""
        labels = to_array(given) if isinstance(given, torch.Tensor) else np.asarray(given)
        labels = labels.reshape(-1)
        order = np.argsort(self._labels, kind="stable")
        at = np.searchsorted(self._labels[order], labels).clip(max=len(self._labels) - 1)
        found = order[at]
        unknown = np.flatnonzero(self._labels[found] != labels)
        if unknown.size:
            raise ValueError(
                f"the target {labels[unknown[0]]!s} at id {ids[unknown[0]]} is none of the "
                f"classes that the classifier knows: {', '.join(self.class_names[:20])}"
            )
        return found.astype(np.int64)
