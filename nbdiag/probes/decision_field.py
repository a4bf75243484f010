"""What does a model say about rows that nobody has measured? Asked without a trace in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from nbdiag.measures import outputs
from nbdiag.measures.feature_table import FeatureTable
from nbdiag.measures.predictions import check_range, names_of_classes
from nbdiag.probes.predict import _asker
from nbdiag.probes.quiet import evaluating, same_random_state

BATCH = 4096


class DecisionField:
    """Asks a model, in eval mode, for the probabilities of made-up rows.

    Parameters
    ----------
    model : an ``nn.Module``, a scikit-learn classifier, or a function from a batch of rows to
        (N, C) or (N,) scores. It gets rows of the type that ``table`` was read from.
    table : the samples; the first rows it is asked about should be real ones, as they decide how
        its output is read.
    output : how to read what the model returns, as in `nd.predict`.
    """

    def __init__(
        self, model: Any, table: FeatureTable, output: str = "auto", device: Any = None
    ) -> None:
        if output != "auto" and output not in outputs.READINGS:
            raise ValueError(f'output must be "auto" or one of {outputs.READINGS}, got {output!r}')
        self.model, self.table = model, table
        self._asker = _asker(model, output, device)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Probabilities (Q, C) of rows (Q, F); NaN where the model's answer is not finite."""
        parts = []
        with evaluating(self.model), same_random_state(), torch.no_grad():
            for start in range(0, len(rows), BATCH):
                part = rows[start : start + BATCH]
                raw = self._asker(self.table.like(part), len(part))
                parts.append(outputs.read(raw, self._asker.kind)[0])
        return np.concatenate(parts)

    @property
    def reading(self) -> str:
        """How the output is read, once the model was asked."""
        return str(self._asker.kind or "")

    def names(self, classes: int, given: Sequence[Any] | None = None) -> tuple[str, ...]:
        """Class names: those given, else a classifier's own, else numbers."""
        return names_of_classes(given or self._asker.class_names or (), classes)

    def targets(self, y: Any, classes: int) -> np.ndarray:
        """True class numbers (N,) of the table's rows.

        Raises ValueError for another length, and for labels that are no classes of the model.
        """
        n = len(self.table)
        labels = y.to_numpy() if hasattr(y, "to_numpy") else y
        if isinstance(labels, torch.Tensor):
            labels = labels.detach().cpu().numpy()
        labels = np.asarray(labels)
        if labels.shape == (n, 1):
            labels = labels[:, 0]
        if labels.shape != (n,):
            raise ValueError(
                f"y must hold one class for each of the {n} samples of X, got the shape "
                f"{labels.shape}"
            )
        targets = np.asarray(self._asker.targets(labels, np.arange(n)))
        check_range(targets, classes, np.arange(n))
        return targets
