"""Where does a classifier fail, and on which samples?"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from nbdiag.measures.confusion import systematic_confusions, weak_classes
from nbdiag.measures.findings import Finding
from nbdiag.measures.intervals import Proportion
from nbdiag.measures.predictions import Predictions


@dataclass(frozen=True, repr=False)
class ErrorTable:
    """The confusion matrix, and the samples behind each of its cells.

    Attributes
    ----------
    matrix : (C, C) int64, rows = true class, columns = predicted class.
    nonfinite : (C,) int64, samples of each true class answered with NaN or infinity; they count
        as wrong and are in no column of ``matrix``.
    class_names : C names.
    correct : accuracy over all samples, with its 95 % Wilson interval.

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

    @classmethod
    def from_predictions(cls, predictions: Predictions) -> ErrorTable:
        """Count `Predictions` into a table."""
        classes = predictions.n_classes
        # One column more on the right: -1, no finite answer, is the last one.
        code = predictions.targets * (classes + 1) + predictions.predicted % (classes + 1)
        counts = np.bincount(code, minlength=classes * (classes + 1))
        counts = counts.reshape(classes, classes + 1).astype(np.int64)
        counts.flags.writeable = False
        return cls(
            counts[:, :classes],
            counts[:, classes],
            predictions.class_names,
            predictions.correct,
            predictions,
        )

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

    @cached_property
    def _order(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows sorted by cell and within it by how telling they are, and where each cell starts."""
        told, classes = self.predictions, self.predictions.n_classes
        rows, predicted = np.arange(len(told)), told.predicted
        of_true = told.probabilities[rows, told.targets]
        of_predicted = told.probabilities[rows, predicted]
        right = predicted == told.targets
        # Wrong: sure of the wrong class first, then little left for the true one, which still
        # tells apart where the first is 1 to the last bit. Right: least sure first.
        first = np.where(right, of_predicted, -of_predicted)
        first[predicted < 0] = 0  # in the order of the data set
        second = np.where(predicted < 0, 0, of_true)
        cell = told.targets * (classes + 1) + predicted % (classes + 1)
        order = np.lexsort((second, first, cell))
        starts = np.searchsorted(cell[order], np.arange(classes * (classes + 1) + 1))
        return order, starts

    def cell(self, true: int, predicted: int) -> np.ndarray:
        """Row positions of a cell: most confidently wrong first, on the diagonal least sure first.

        ``predicted = -1`` is the column of the samples without a finite answer. Raises IndexError
        for a class that does not exist.
        """
        classes = len(self.class_names)
        if not (0 <= true < classes and -1 <= predicted < classes):
            raise IndexError(f"no cell ({true}, {predicted}): there are {classes} classes")
        order, starts = self._order
        at = true * (classes + 1) + predicted % (classes + 1)
        return order[starts[at] : starts[at + 1]]

    def findings(self) -> list[Finding]:
        """Classes much weaker than the rest, and confusions that are no accident."""
        return [
            *weak_classes(self.matrix, self.nonfinite, self.class_names),
            *systematic_confusions(self.matrix, self.class_names),
        ]

    def __repr__(self) -> str:
        lines = [
            f"ErrorTable: {len(self.predictions)} samples, {len(self.class_names)} classes, "
            f"accuracy {self.accuracy_text}"
        ]
        return "\n".join([*lines, *(f"  {finding!r}" for finding in self.findings())])
