"""The reliability diagram at many temperatures, so that a slider need not wait for anybody."""

from __future__ import annotations

import numpy as np

from nbdiag.measures.calibration import Reliability, check_settings, diagram_of
from nbdiag.measures.confidence_scores import score
from nbdiag.measures.logit_scale import Scaled
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.reliability_bins import Strategy

STEPS = 49
NARROWEST = 0.2, 5.0
_NUMBERS = 200_000  # of logits; of more, a random part stands for all of them
_ROWS_AT_LEAST = 2000
_DRAWS, _CELLS = 120, 64


def grid(fitted: float | None) -> np.ndarray:
    """Temperatures of a slider, evenly spaced in log T, 1 and the fitted one among them."""
    low, high = NARROWEST
    if fitted is not None:
        low, high = max(0.01, min(low, fitted / 2)), min(100.0, max(high, fitted * 2))
    even = np.exp(np.linspace(np.log(low), np.log(high), STEPS))
    exact = np.array([1.0] if fitted is None else sorted({1.0, fitted}))
    # A point of the even ones that lies next to an exact one would be a step that does nothing.
    gap = np.abs(np.log(even[:, None] / exact)).min(axis=1)
    keep = (gap > np.log(high / low) / STEPS / 3) | (np.arange(STEPS) % (STEPS - 1) == 0)
    return np.unique(np.concatenate([even[keep], exact]))


def sweep(
    predictions: Predictions,
    bins: int,
    strategy: Strategy,
    of: str | int,
    temperatures: np.ndarray,
) -> tuple[list[Reliability], int | None]:
    """The diagram at each temperature, and how many samples were counted, None for all.

    Of many samples a seeded random part is counted, and its counts are scaled up to all of them.
    """
    number = check_settings(predictions, bins, strategy, of)
    n = len(predictions)
    wanted = max(_ROWS_AT_LEAST, _NUMBERS // predictions.n_classes)
    rows = None
    if n > 1.5 * wanted:
        rows = np.sort(np.random.default_rng(0).choice(n, wanted, replace=False))
    scaled = Scaled.of(predictions, rows)
    total = n - predictions.n_nonfinite
    share = len(scaled) / total if rows is not None and total else 1.0
    diagrams = []
    for temperature in temperatures.tolist():
        diagram = diagram_of(
            predictions,
            score(scaled, temperature, number),
            bins,
            strategy,
            number,
            temperature,
            share=share,
            draws=_DRAWS,
            cells=_CELLS,
        )
        diagrams.append(diagram)
    return diagrams, None if rows is None else len(scaled)
