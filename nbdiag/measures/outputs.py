"""What do the numbers that a model returns mean? One decision, used by everything that follows.

A network may end in one logit, in C logits, or already in a sigmoid, softmax or log-softmax; the
numbers alone do not tell (logits that lie in [0, 1] are still logits). `decide` weighs what is
known, `read` turns a batch of raw outputs into probabilities by that decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Reading = Literal["logits", "log_probabilities", "probabilities", "logit", "probability"]
READINGS: tuple[Reading, ...] = get_args(Reading)
Ending = Literal["softmax", "log_softmax", "sigmoid", "log_sigmoid"]

# Rows of a softmax sum to 1 up to rounding: about 1e-7 in single precision, 1e-2 in half.
SUM_TOLERANCE = 1e-4
HALF_TOLERANCE = 2e-2


@dataclass(frozen=True)
class OutputKind:
    """How a model's raw output is read.

    Attributes
    ----------
    reading : one of `READINGS`.
    columns : columns of the raw output; 1 for ``"logit"`` and ``"probability"``.
    evidence : why it is read so, in words.

    >>> print(OutputKind("logits", 10, "declared")); print(OutputKind("logit", 1, "declared"))
    softmax of 10 logits
    sigmoid of one logit
    """

    reading: Reading
    columns: int
    evidence: str

    @property
    def classes(self) -> int:
        """Number of classes C; one column stands for two."""
        return 2 if self.columns == 1 else self.columns

    def __str__(self) -> str:
        return {
            "logits": f"softmax of {self.columns} logits",
            "log_probabilities": f"exp of {self.columns} log-probabilities",
            "probabilities": f"{self.columns} probabilities",
            "logit": "sigmoid of one logit",
            "probability": "one probability",
        }[self.reading]


def decide(
    first: np.ndarray,
    *,
    declared: str = "auto",
    ending: Ending | None = None,
    network: bool = True,
) -> OutputKind:
    """Decide how a model's output is read.

    Parameters
    ----------
    first : raw output of the first batch, (N, C), with C = 1 for one column.
    declared : ``"auto"`` or one of `READINGS`, which settles it.
    ending : the last operation of the model, where it could be seen.
    network : whether it is a network, whose bare output is logits by convention; a plain function
        has no such convention.

    Raises
    ------
    ValueError : for an unknown ``declared``, one that does not fit the columns or whose rows do not
        sum to 1, for several sigmoids (a multi-label model), and where nothing tells.
    """
    columns = first.shape[1]
    if declared != "auto":
        kind = _declared(declared, columns)
    elif ending == "sigmoid" and columns == 1:
        kind = OutputKind("probability", 1, "the model ends in a sigmoid")
    elif ending in ("sigmoid", "log_sigmoid"):
        raise ValueError(
            f"the model ends in {columns} {ending.replace('_', '-')} output(s): "
            + (
                "one answer for each class is a multi-label model, and only models that choose one "
                "of C classes can be read"
                if columns > 1
                else "return the logit or its sigmoid instead"
            )
        )
    elif ending is not None and columns == 1:
        raise ValueError(
            f"the model ends in a {ending.replace('_', '-')} and returns one column: taken over "
            "that column alone it is always the same number, so return the logit instead; "
            "where it is one of two columns, return both"
            + (', or say output="probability"' if ending == "softmax" else "")
        )
    elif ending == "softmax":
        kind = OutputKind("probabilities", columns, "the model ends in a softmax")
    elif ending == "log_softmax":
        kind = OutputKind("log_probabilities", columns, "the model ends in a log-softmax")
    elif columns >= 2 and _rows_sum_to_one(first, network):
        kind = OutputKind("probabilities", columns, "every row sums to 1")
    elif network:
        reading: Reading = "logits" if columns > 1 else "logit"
        kind = OutputKind(reading, columns, "no softmax or sigmoid at the end of the network")
    else:
        raise ValueError(
            f"nothing tells how to read the {columns} column(s) that this function returns: say "
            + (
                'output="probability" or output="logit"'
                if columns == 1
                else 'output="logits" (its rows do not sum to 1), or return probabilities'
            )
        )
    check(first, kind)
    return kind


def _declared(declared: str, columns: int) -> OutputKind:
    if declared not in READINGS:
        raise ValueError(f'output must be "auto" or one of {READINGS}, got {declared!r}')
    one = declared in ("logit", "probability")
    if one and columns != 1:
        raise ValueError(f'output="{declared}" needs one column, the model returns {columns}')
    if not one and columns == 1:
        raise ValueError(
            f'output="{declared}" needs two columns or more, the model returns one: say '
            'output="logit" or output="probability"'
        )
    return OutputKind(declared, columns, "declared")


def _rows_sum_to_one(raw: np.ndarray, network: bool) -> bool:
    """Every finite row sums to 1: no accident in rows of logits, unlike values within [0, 1]."""
    rows = raw[np.isfinite(raw).all(1)].astype(np.float64)
    # A network without a softmax in sight is taken at its word unless several rows say otherwise.
    if len(rows) < (2 if network else 1) or (rows < 0).any():
        return False
    return bool(np.abs(rows.sum(1) - 1).max() <= SUM_TOLERANCE)


def check(raw: np.ndarray, kind: OutputKind) -> None:
    """Raise a ValueError where a batch contradicts how it is read."""
    tolerance = HALF_TOLERANCE if raw.dtype.itemsize < 4 else 1e-3
    if raw.shape[1] != kind.columns:
        raise ValueError(
            f"the model returned {raw.shape[1]} columns here and {kind.columns} before"
        )
    finite = raw[np.isfinite(raw).all(1)].astype(np.float64)
    if kind.reading in ("probabilities", "probability") and finite.size:
        if finite.min() < -tolerance or finite.max() > 1 + tolerance:
            worst = finite.min() if finite.min() < -tolerance else finite.max()
            raise ValueError(
                f"read as {kind} ({kind.evidence}), but {worst:.6g} is no probability: "
                "declare output= as what the model returns"
            )
        sums = finite.sum(1)
        if kind.columns > 1 and np.abs(sums - 1).max() > tolerance:
            worst = sums[np.abs(sums - 1).argmax()]
            raise ValueError(
                f"read as {kind} ({kind.evidence}), but a row sums to {worst:.6g} and not to 1: "
                "is the softmax taken over the class axis (dim=1)?"
            )
    if kind.reading == "log_probabilities":
        with np.errstate(over="ignore"):
            sums = np.exp(raw[~np.isnan(raw).any(1)].astype(np.float64)).sum(1)
        if sums.size and np.abs(sums - 1).max() > tolerance:
            worst = sums[np.abs(sums - 1).argmax()]
            raise ValueError(
                f"read as {kind} ({kind.evidence}), but the probabilities of a row sum to "
                f"{worst:.6g} and not to 1: is the log-softmax taken over the class axis (dim=1)?"
            )


def read(raw: np.ndarray, kind: OutputKind) -> tuple[np.ndarray, np.ndarray | None]:
    """Probabilities (N, C) in float32, and logits (N, C) or None where they are not known.

    The softmax is taken in float64 after subtracting the row's maximum. One column becomes two:
    ``[1 - p, p]``, with logits ``[0, z]``. Log-probabilities are logits (up to a constant a row).
    A row whose probabilities are not defined (a NaN, a +inf) is NaN throughout; a -inf among
    finite logits is a class that was masked out, with probability 0.

    >>> p, z = read(np.array([[0.0], [2.0]]), OutputKind("logit", 1, "declared"))
    >>> print(p.round(4).tolist(), z.tolist())
    [[0.5, 0.5], [0.11919999867677689, 0.8808000087738037]] [[0.0, 0.0], [0.0, 2.0]]
    """
    if raw.dtype not in (np.float32, np.float64):
        raw = raw.astype(np.float64 if raw.dtype.kind in "iu" else np.float32)
    logits: np.ndarray | None = None
    if kind.reading == "probability":
        p = raw[:, 0].astype(np.float64)
        probabilities = np.stack([1 - p, p], axis=1)
    elif kind.reading == "probabilities":
        probabilities = raw.astype(np.float64)
    else:
        logits = np.hstack([np.zeros_like(raw), raw]) if kind.reading == "logit" else raw
        probabilities = softmax(logits)
    probabilities[~np.isfinite(probabilities).all(1)] = np.nan
    return probabilities.astype(np.float32), logits


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax of the rows in float64, stable for logits of any size; NaN where it is not defined.

    >>> softmax(np.array([[1000.0, 1000.0], [0.0, -np.inf]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    with np.errstate(invalid="ignore"):
        shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
        np.exp(shifted, out=shifted)
        shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted


def softmax_of_rows(logits: np.ndarray, rows: int = 2**16) -> np.ndarray:
    """`softmax` as float32, some rows at a time; a row that is not defined is NaN throughout.

    >>> softmax_of_rows(np.array([[0.0, 0.0], [np.nan, 1.0]])).tolist()
    [[0.5, 0.5], [nan, nan]]
    """
    probabilities = np.empty(logits.shape, np.float32)
    for start in range(0, len(logits), rows):
        part = softmax(logits[start : start + rows])
        part[~np.isfinite(part).all(1)] = np.nan
        probabilities[start : start + rows] = part
    return probabilities
