"""ErrorExplorer: where does it fail, on which samples, looking at what?"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from nbdiag.measures.comparison import Comparison
from nbdiag.measures.error_explorer import ErrorTable, cell_codes, count_cells
from nbdiag.measures.findings import Finding, by_severity, text_lines
from nbdiag.measures.frames import make_frame
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.sample_columns import sample_columns
from nbdiag.measures.sample_ids import SampleIds
from nbdiag.measures.sample_lists import SampleList, SampleLists, suspect_list, suspects_of
from nbdiag.sources import as_predictions, model_name
from nbdiag.widgets.explorer_groups import ANSWERED, SEEN, ExplorerGroups
from nbdiag.wire.error_explorer import draw

COMPARED = (
    ("broken", "Broken", "Right before the change, wrong now."),
    ("fixed", "Fixed", "Wrong before the change, right now."),
    ("still_wrong", "Still wrong", "Wrong before the change and after it."),
)


class ErrorExplorer(ExplorerGroups):
    """Where does it fail, on which samples, looking at what?

    The confusion matrix; a click on a cell opens its samples, most confidently wrong first, each
    with its Grad-CAM overlay. What is open is selected: ``Subset(dataset, explorer.selection)``
    works in the next cell.

    Parameters
    ----------
    source : `Predictions` from ``nd.predict``, or a model, with its data as second argument.
    data : a Dataset, DataLoader or ``(X, y)``, when ``source`` is a model.
    model : the ``nn.Module`` to ask for Grad-CAM, when ``source`` is `Predictions`.
    baseline : `Predictions` of the same samples before a change. The matrix then shows what
        changed, and the samples that were fixed and broken are listed.
    render : a function from an input to what is shown of it: a PIL image, an array of pixels, a
        text, or a dict of names and values. Pictures, rows of a table and texts need none.
    tokenizer : anything with ``decode(ids)``, where the inputs are token ids.

    Attributes
    ----------
    selection : list of ids, the positions in the data set that was predicted. Assign a list or
        an array of ids to select others.
    cell : ``[true, predicted]`` of the open cell, or None.
    filter : column of the metadata -> values to keep. Assign to it to filter from Python.
    notes : id -> what was noted about a sample.
    predictions, table, comparison : what is shown; ``table`` counts what the filter lets through.

    Raises
    ------
    TypeError : when the source is neither, or a model comes without data.
    ValueError : when the baseline is not about the same samples.
    """

    stem = "error_explorer"

    def __init__(
        self,
        source: Any,
        data: Any = None,
        *,
        model: Any = None,
        baseline: Predictions | None = None,
        render: Callable[[Any], Any] | None = None,
        tokenizer: Any = None,
    ) -> None:
        self.predictions: Predictions = as_predictions(source, data)
        self.model = model if isinstance(source, Predictions) else source
        self.places = SampleLists(ErrorTable.from_predictions(self.predictions))
        self.comparison = None if baseline is None else Comparison.of(self.predictions, baseline)
        self._ids = SampleIds(self.predictions.ids)
        self.suspects = suspects_of(self.predictions)
        self._baseline_codes = None
        if self.comparison is not None:
            before = self.comparison.baseline
            self._baseline_codes = cell_codes(before, before.predicted)
        self._add_lists()
        self._found = self._findings()
        self._choose(np.empty(0, np.int64))
        self._tell_table()
        super().__init__(
            info={**self._info(), **self._look(render, tokenizer)},
            findings=[finding.to_dict() for finding in by_severity(self._found)],
        )

    @property
    def table(self) -> ErrorTable:
        """The confusion matrix of what the filter lets through."""
        return self.places.table

    def open_cell(self, true: int | str, predicted: int | str) -> list[Any]:
        """Open a cell as a click does; returns the ids in it, which are then selected.

        Classes by number or by name.

        Raises
        ------
        ValueError : for a class that does not exist.
        """
        place = self.places.known((self._class_number(true), self._class_number(predicted)))
        self._open(place)
        return self.selection

    def open_list(self, key: str) -> list[Any]:
        """Open a list, such as ``"errors"`` or ``"fixed"``, as a click does; returns its ids.

        Raises
        ------
        ValueError : for a list that is not there; the message names those that are.
        """
        self._open(self.places.known(key))
        return self.selection

    def show(self, ids: Any, title: str = "Chosen in Python") -> list[Any]:
        """Open these samples in the gallery, in their order; they are then selected.

        Raises
        ------
        ValueError : for an id that no sample has.
        """
        rows = self._ids.rows_of(ids)
        self._serial += 1
        key = f"given:{self._serial}"  # the same list with other samples is another place
        self.places.drop("given")
        self.places.put(SampleList(key, title, "Chosen in Python.", rows, "as given", "given"))
        with self.hold_sync():
            self._tell_lists()
            self._open(key)
        return self.selection

    def to_frame(self) -> Any:
        """The selected samples as a dataframe, all that pass the filter where none is selected.

        A row a sample: ``id, true, predicted, confidence, loss, note``, then the metadata.
        """
        kept = self.table.kept
        rows = np.arange(len(self.predictions)) if kept is None else np.flatnonzero(kept)
        if self.selected["count"]:
            rows = self._selected_rows()
        columns = sample_columns(self.predictions, rows, dict(self.noted))
        return make_frame(columns, like=self.table.metadata_given())

    def figure(self, **options: Any) -> Any:
        """The confusion matrix as a Bokeh figure."""
        return self.table.figure(**options)

    def picture(self) -> bytes:
        table, parts = self.table, [f"{len(self.predictions):,} samples"]
        if self.model is not None:
            parts.insert(0, model_name(self.model))
        if self.predictions.n_nonfinite:
            parts.append(f"{self.predictions.n_nonfinite:,} not finite")
        interval = f"({100 * table.low:.1f} to {100 * table.high:.1f} %)"
        return draw(
            classes=self.predictions.class_names,
            matrix=table.matrix,
            headline=f"{', '.join(parts)}, accuracy {100 * table.accuracy:.1f} % {interval}",
            findings=self.findings,
            **self._drawn_change(),
        )

    def _drawn_change(self) -> dict[str, Any]:
        if self.comparison is None or self._baseline_codes is None:
            return {}
        classes, kept = self.predictions.n_classes, self.table.kept
        before = count_cells(self._baseline_codes, classes, kept)[:, :-1]
        return {"change": self.table.matrix - before, "sentence": self.comparison.sentence}

    def summary(self) -> str:
        lines = [f"ErrorExplorer of {self.predictions!r}", *text_lines(self._found)]
        if self.comparison is not None:
            lines.append(self.comparison.sentence)
        return "\n".join(lines)

    def _findings(self) -> list[Finding]:
        """Of all samples, whatever the filter."""
        found = self.places.table.findings()
        return found if self.suspects is None else [*self.suspects.findings(), *found]

    def _add_lists(self) -> None:
        if self.suspects is not None and len(self.suspects):
            self.places.put(suspect_list(self.suspects))
        if self.comparison is not None:
            for key, title, text in COMPARED:
                rows = getattr(self.comparison, key)
                self.places.put(SampleList(key, title, text, rows, group="baseline"))

    def _info(self) -> dict[str, Any]:
        compared = self.comparison
        return {
            "title": "Error explorer",
            "source": model_name(self.model),
            "samples": len(self.predictions.ids),
            "classes": list(self.predictions.class_names),
            "output": str(self.predictions.output or ""),
            "nonfinite": self.predictions.n_nonfinite,
            "metadata": self.predictions.metadata is not None,
            "clusters": SEEN if self._looks_inside else ANSWERED,
            "baseline": None
            if compared is None
            else {"sentence": compared.sentence, "numbers": compared.numbers},
        }

    def _class_number(self, given: int | str) -> int:
        names = self.predictions.class_names
        if isinstance(given, str):
            if given not in names:
                raise ValueError(f"no class {given!r}; classes: {', '.join(names[:40])}")
            return names.index(given)
        return operator.index(given)
