"""How often is each class taken for each other one?"""

from __future__ import annotations

import numpy as np

from nbdiag.measures.predictions import Predictions


def count_confusions(predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """(C, C) int64 counts, rows = true class, and (C,) the samples without a finite answer."""
    classes = predictions.n_classes
    # One column more on the right: -1, no finite answer, is the last one.
    code = predictions.targets * (classes + 1) + predictions.predicted % (classes + 1)
    counts = np.bincount(code, minlength=classes * (classes + 1))
    counts = counts.reshape(classes, classes + 1).astype(np.int64)
    return counts[:, :classes], counts[:, classes]
