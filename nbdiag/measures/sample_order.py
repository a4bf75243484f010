"""In which order should the samples of a gallery be looked at?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nbdiag.measures.predictions import Predictions

ORDERS = ("confidence", "loss", "data")


def ordered(
    predictions: Predictions, rows: np.ndarray, by: str = "confidence", first: int | None = None
) -> np.ndarray:
    """These rows, the most telling first; of all equals the earlier in the data set.

    Parameters
    ----------
    rows : (M,) row positions, ascending.
    by : ``"confidence"``: wrong answers first, surest of them first, then right answers, least
        sure first. ``"loss"``: least probability for the true class first. ``"data"``: as they
        stand in the data set. Samples without a finite answer come last.
    first : only so many from the start, which saves sorting a cell of half a million.

    Raises ValueError for another order.

    >>> told = Predictions(np.arange(3), np.array([0, 0, 0]),
    ...                    np.array([[0.3, 0.7], [0.8, 0.2], [0.1, 0.9]]))
    >>> ordered(told, np.arange(3)).tolist()
    [2, 0, 1]
    """
    if by not in _KEYS:
        raise ValueError(f"samples are ordered by {', '.join(ORDERS)}; got {by!r}")
    if by == "data":
        return rows[:first]
    return rows[smallest(_KEYS[by](predictions, rows), first)]


def smallest(keys: tuple[np.ndarray, ...], first: int | None = None) -> np.ndarray:
    """Positions in ascending order of the first key, ties by the next ones, then by position.

    With ``first`` only those are sorted that can be among the first so many.
    """
    main = keys[0]
    near = np.arange(len(main))
    if first is not None and 4 * first < len(main):
        if first == 0:
            return near[:0]
        bound = np.partition(main, first - 1)[first - 1]
        near = np.flatnonzero(main <= bound)
    found = near[np.lexsort(tuple(key[near] for key in reversed(keys)))]
    return found[:first]


def _confidence(told: Predictions, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    predicted, targets = told.predicted[rows], told.targets[rows]
    of_true = told.probabilities[rows, targets]
    of_predicted = told.probabilities[rows, predicted].astype(np.float64)
    # Wrong: sure of the wrong class first, then little left for the true one, which still tells
    # apart where the first is 1 to the last bit. Right: least sure first.
    main = np.where(predicted == targets, 1 + of_predicted, -of_predicted)
    silent = predicted < 0
    main[silent], of_true[silent] = 3, 0
    return main, of_true


def _loss(told: Predictions, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    loss = losses(told, rows)
    return (np.where(np.isnan(loss), np.inf, -loss),)


_KEYS: dict[str, Callable[[Predictions, np.ndarray], tuple[np.ndarray, ...]]] = {
    "confidence": _confidence,
    "loss": _loss,
    "data": lambda _, rows: (np.arange(len(rows)),),
}


def losses(told: Predictions, rows: np.ndarray) -> np.ndarray:
    """(M,) float64: the cross-entropy of each sample in nats; NaN without a finite answer.

    From logits where they are known: a probability of 1e-60 is 0 in single precision.
    """
    targets, finite = told.targets[rows], told.finite[rows]
    loss = np.full(len(rows), np.nan)
    rows, targets = rows[finite], targets[finite]
    if told.logits is None:
        with np.errstate(divide="ignore"):
            loss[finite] = -np.log(told.probabilities[rows, targets].astype(np.float64))
        return loss
    for start in range(0, len(rows), 65_536):  # the logits of all at once may be gigabytes
        part = slice(start, start + 65_536)
        logits = told.logits[rows[part]].astype(np.float64)
        top = logits.max(axis=1)
        total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        at = np.flatnonzero(finite)[part]
        loss[at] = total - logits[np.arange(len(logits)), targets[part]]
    return loss
