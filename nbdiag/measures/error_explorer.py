"""Where does a classifier fail, and on which samples?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.confusion import systematic_confusions, weak_classes
from nbdiag.measures.findings import Finding
from nbdiag.measures.intervals import Proportion, wilson
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.result import Result
from nbdiag.measures.sample_order import ordered


@dataclass(frozen=True, repr=False)
class ErrorTable(Result):
    """The confusion matrix, and the samples behind each of its cells.

    Attributes
    ----------
    matrix : (C, C) int64, rows = true class, columns = predicted class.
    nonfinite : (C,) int64, samples of each true class answered with NaN or infinity; they count
        as wrong and are in no column of ``matrix``.
    class_names : C names.
    correct : accuracy over all samples, with its 95 % Wilson interval.
    kept : (N,) bool, the samples that were counted, or None where all were.

    >>> import numpy as np
    >>> told = Predictions(np.arange(3), np.array([0, 1, 1]),
    ...                    np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]))
    >>> table = ErrorTable.from_predictions(told)
    >>> print(table.matrix.tolist(), table.cell(1, 0).tolist())
    [[1, 0], [1, 1]] [2]
    """

    matrix: np.ndarray
    nonfinite: np.ndarray
    class_names: tuple[str, ...]
    correct: Proportion
    predictions: Predictions = field(compare=False)
    kept: np.ndarray | None = field(default=None, compare=False)
    _codes: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32), compare=False)

    figure_stem: ClassVar[str] = "error_explorer"

    @classmethod
    def from_predictions(cls, predictions: Predictions) -> ErrorTable:
        """Count `Predictions` into a table."""
        return cls._count(predictions, cell_codes(predictions, predictions.predicted), None)

    @classmethod
    def _count(
        cls, predictions: Predictions, codes: np.ndarray, kept: np.ndarray | None
    ) -> ErrorTable:
        counts = count_cells(codes, predictions.n_classes, kept)
        matrix = counts[:, :-1]
        correct = Proportion.of(int(matrix.trace()), int(counts.sum()))
        names = predictions.class_names
        return cls(matrix, counts[:, -1], names, correct, predictions, kept, codes)

    def within(self, kept: np.ndarray | None) -> ErrorTable:
        """The table of the samples that ``kept`` (N,) bool holds; None for all of them."""
        return self._count(self.predictions, self._codes, kept)

    def __len__(self) -> int:
        """How many samples were counted."""
        return self.correct.n

    @property
    def accuracy(self) -> float:
        """Share of the samples that are right; those without a finite answer are not."""
        return self.correct.value

    @property
    def low(self) -> float:
        """Lower end of the accuracy's 95 % Wilson interval."""
        return self.correct.low

    @property
    def high(self) -> float:
        """Upper end of the accuracy's 95 % Wilson interval."""
        return self.correct.high

    @property
    def accuracy_text(self) -> str:
        """The accuracy with the digits that its interval supports."""
        return str(self.correct)

    def rows(self, true: int, predicted: int) -> np.ndarray:
        """Row positions of a cell in the order of the data set.

        ``predicted = -1`` is the column of the samples without a finite answer. Raises IndexError
        for a class that does not exist.
        """
        classes = len(self.class_names)
        if not (0 <= true < classes and -1 <= predicted < classes):
            raise IndexError(f"no cell ({true}, {predicted}): there are {classes} classes")
        return self._kept_of(self._codes == true * (classes + 1) + predicted % (classes + 1))

    def cell(self, true: int, predicted: int) -> np.ndarray:
        """As `rows`: most confidently wrong first, on the diagonal least sure first."""
        return ordered(self.predictions, self.rows(true, predicted))

    def errors(self) -> np.ndarray:
        """Row positions of everything that is wrong, in the order of the data set."""
        return self._kept_of(self.predictions.predicted != self.predictions.targets)

    def _kept_of(self, chosen: np.ndarray) -> np.ndarray:
        return np.flatnonzero(chosen if self.kept is None else chosen & self.kept)

    def findings(self) -> list[Finding]:
        """Classes much weaker than the rest, and confusions that are no accident."""
        return [
            *weak_classes(self.matrix, self.nonfinite, self.class_names),
            *systematic_confusions(self.matrix, self.class_names),
        ]

    def columns(self) -> Mapping[str, Any]:
        """One row for each cell that holds samples, largest first; predicted None: not finite."""
        counts = np.column_stack([self.matrix, self.nonfinite])
        true, predicted = np.nonzero(counts)
        count = counts[true, predicted]
        order = np.argsort(-count, kind="stable")
        true, predicted, count = true[order], predicted[order], count[order]
        support = counts.sum(axis=1)[true]
        low, high = wilson(count, support)
        names: list[str | None] = [*self.class_names, None]
        return {
            "true": [names[i] for i in true],
            "predicted": [names[i] for i in predicted],
            "count": count,
            "right": true == predicted,
            "share_of_true": count / support,
            "low": low,
            "high": high,
        }

    def __repr__(self) -> str:
        lines = [
            f"ErrorTable: {len(self)} samples, {len(self.class_names)} classes, "
            f"accuracy {self.accuracy_text}"
        ]
        return "\n".join([*lines, *(f"  {finding!r}" for finding in self.findings())])


def cell_codes(predictions: Predictions, predicted: np.ndarray) -> np.ndarray:
    """(N,) int32: the cell of each sample, ``true * (C + 1) + predicted``; -1: the last column."""
    width = predictions.n_classes + 1
    codes = predictions.targets.astype(np.int32) * np.int32(width)
    codes += np.where(predicted < 0, width - 1, predicted).astype(np.int32)
    codes.flags.writeable = False
    return codes


def count_cells(codes: np.ndarray, classes: int, kept: np.ndarray | None = None) -> np.ndarray:
    """(C, C + 1) int64: samples in each cell, those without a finite answer in the last column."""
    counted = codes if kept is None else codes[kept]
    counts = np.bincount(counted, minlength=classes * (classes + 1))
    counts = counts.reshape(classes, classes + 1).astype(np.int64)
    counts.flags.writeable = False
    return counts
