"""FailureModes: what kinds of error are these?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from nbdiag.measures.failure_modes import FailureTable
from nbdiag.measures.findings import by_severity, text_lines
from nbdiag.measures.predictions import Predictions
from nbdiag.sources import as_predictions
from nbdiag.widgets.base import Handler, Instrument, Reply
from nbdiag.wire.failure_modes import draw, mode_rows

if TYPE_CHECKING:
    from nbdiag.widgets.error_explorer import ErrorExplorer


class FailureModes(Instrument):
    """What kinds of error are these?

    Named predicates sort the samples into categories: the share of the errors that each holds,
    beside its share of the samples; how many times as often it errs (lift) with the 95 % interval;
    which categories overlap; and the errors that none of them holds. A click on a category makes
    its errors the selection.

    >>> import numpy as np, nbdiag as nd
    >>> told = nd.Predictions(targets=[0, 1, 1, 0], probabilities=np.eye(2)[[0, 1, 0, 0]],
    ...                       metadata={"light": [0.9, 0.8, 0.1, 0.7]})
    >>> modes = nd.FailureModes(told, {"dark": lambda s: s.metadata["light"] < 0.2,
    ...                                "unsure": lambda s: s.confidence < 0.5})
    >>> modes.choose("dark")
    [2]

    Parameters
    ----------
    predictions : `Predictions`.
    categories : name -> predicate. A predicate is an array of bool (N,), or a function. It is given
        all samples at once: ``s.id``, ``s.true``, ``s.predicted`` (class numbers), ``s.true_name``,
        ``s.predicted_name``, ``s.confidence``, ``s.probabilities``, ``s.wrong``, ``s.right``,
        ``s.metadata["column"]``, arrays all of them, and gives one bool a sample. One that asks
        about a single sample is called with each, and then has ``s.input`` too; one that knows
        nothing of samples is called with each sample's input, ``lambda x: (x.abs() > 3).any()``.

    Attributes
    ----------
    selection : list of ids of the errors in the chosen category, most confidently wrong first.
    table : `FailureTable`, all numbers.
    predictions : what is shown.

    Raises
    ------
    TypeError : when these are no `Predictions`, or categories no mapping.
    ValueError : when a predicate fails, with the category and the sample.
    """

    stem = "failure_modes"

    modes: traitlets.List[Any] = traitlets.List().tag(sync=True)
    overlap: traitlets.List[Any] = traitlets.List().tag(sync=True)
    chosen = traitlets.Any(None).tag(sync=True)

    def __init__(self, predictions: Predictions, categories: Mapping[str, Any]) -> None:
        self.predictions = as_predictions(predictions)
        self._rows = np.empty(0, np.int64)
        self.table = table = FailureTable.from_predictions(self.predictions, categories)
        super().__init__(
            info=self._info(),
            modes=mode_rows(table),
            overlap=table.overlap.tolist(),
            findings=[finding.to_dict() for finding in by_severity(table.findings())],
        )

    @property
    def selection(self) -> list[Any]:
        """Ids of the errors in the chosen category; none where none is chosen."""
        return self.predictions.ids[self._rows].tolist()

    def choose(self, category: str) -> list[Any]:
        """Choose a category as a click does; returns the ids of its errors, which are selected.

        ``"uncategorised"`` is what no category holds. Raises ValueError for an unknown one.
        """
        self._rows = self.table.samples(category)
        self.chosen = category
        return self.selection

    def selected(self) -> Predictions:
        """`Predictions` of the errors in the chosen category; ValueError where there are none."""
        if self.chosen is None:
            raise ValueError('no category is chosen: click one, or modes.choose("name")')
        return self._take(self.chosen, True)

    def open(
        self, category: str | None = None, *, errors_only: bool = False, **options: Any
    ) -> ErrorExplorer | None:
        """A category as an `ErrorExplorer`: all its samples, with ``errors_only`` the wrong ones.

        By default the chosen one; ``model=`` and other options go to the explorer.
        """
        if self.comm is None:  # ipywidgets' own open(), which its constructor calls
            super().open()
            return None
        from nbdiag.widgets.error_explorer import ErrorExplorer

        name = self.chosen if category is None else category
        if name is None:
            raise ValueError('no category is chosen: modes.open("name")')
        return ErrorExplorer(self._take(name, errors_only), **options)

    def figure(self, **options: Any) -> Any:
        """The categories as a Bokeh figure."""
        return self.table.figure(**options)

    def to_frame(self) -> Any:
        """A row for each category, in polars where the metadata came in polars, else pandas."""
        return self.table.to_frame()

    def handlers(self) -> dict[str, Handler]:
        return {"choose": self._asked_to_choose}

    def picture(self) -> bytes:
        table = self.table
        told = f"{table.total:,} samples, {table.total_errors:,} errors"
        return draw(rows=self.modes, headline=told, findings=self.findings)

    def summary(self) -> str:
        names = ", ".join(self.table.names[:-1])
        head = f"FailureModes of {self.predictions!r}"
        return "\n".join([head, f"categories {names}", *text_lines(self.table.findings())])

    def _take(self, name: str, errors_only: bool) -> Predictions:
        rows = self.table.samples(name, errors_only=errors_only)
        if not len(rows):
            raise ValueError(f"there is no {'error' if errors_only else 'sample'} in {name!r}")
        return self.predictions.take(rows)

    def _info(self) -> dict[str, Any]:
        table = self.table
        return {
            "title": "Failure modes",
            "samples": table.total,
            "errors": table.total_errors,
            "several": int(
                (table.fits[:-1].sum(axis=0) > 1)[
                    self.predictions.predicted != self.predictions.targets
                ].sum()
            ),
            "classes": list(self.predictions.class_names),
            "nonfinite": self.predictions.n_nonfinite,
        }

    def _asked_to_choose(self, args: dict[str, Any], reply: Reply) -> None:
        name = args.get("category")
        if name is None:
            self.chosen, self._rows = None, self._rows[:0]
            reply({"selection": 0})
            return
        self.choose(str(name))
        reply({"selection": len(self._rows), "confusions": self.table.confusions(str(name))})
