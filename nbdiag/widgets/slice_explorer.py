"""SliceExplorer: which subgroup does it fail?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from nbdiag.measures.findings import by_severity, text_lines
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.slice_explorer import MIN_SUPPORT, SliceTable
from nbdiag.sources import as_predictions
from nbdiag.widgets.base import Handler, Instrument, Reply
from nbdiag.wire.slice_explorer import draw
from nbdiag.wire.slice_parts import (
    column_slices,
    pair_map,
    slice_detail,
    slice_rows,
    table_info,
    time_line,
)

if TYPE_CHECKING:
    from nbdiag.widgets.error_explorer import ErrorExplorer

SENT_AT_MOST = 300  # slices of one list


class SliceExplorer(Instrument):
    """Which subgroup does it fail?

    The slices of the samples by their metadata, worst first, each with its error rate, the 95 %
    interval of it and its support; pairs of columns as a map; the rate over time. A slice is named
    as weak only when that is no luck and matters, see `SliceTable`. A click on a slice shows its
    confusion matrix, and makes its samples the selection.

    Parameters
    ----------
    predictions : `Predictions` with metadata.
    by : a column, a list of columns, a pair (two columns in a tuple), or a mapping of names to
        masks or to functions of samples, ``{"dark": lambda s: s.metadata["light"] < 0.1}``; None
        for all columns that can be used.
    metric : ``"error"``, ``"recall:CLASS"`` or ``"precision:CLASS"``.
    min_support : samples that a slice needs to be judged.
    bins : ranges of a column of numbers; by default 4 to 10.

    Attributes
    ----------
    selection : list of ids of the chosen slice: wrong ones first, the most confident before.
    table : `SliceTable`, all numbers; `table.find(title)`, `table.over_time()`.
    predictions : what is shown.

    Raises
    ------
    TypeError : when these are no `Predictions`, or ``by`` is of another kind.
    ValueError : without metadata, or for a column that cannot be used.
    KeyError : for a column that does not exist.
    """

    stem = "slice_explorer"

    slices: traitlets.List[Any] = traitlets.List().tag(sync=True)
    timeline = traitlets.Any(None).tag(sync=True)
    chosen = traitlets.Any(None).tag(sync=True)

    def __init__(
        self,
        predictions: Predictions,
        by: Any = None,
        *,
        metric: str = "error",
        min_support: int = MIN_SUPPORT,
        bins: int | None = None,
    ) -> None:
        self.predictions = as_predictions(predictions)
        self._by = {"by": by, "min_support": min_support, "bins": bins}
        self._metric = metric
        self._rows = np.empty(0, np.int64)
        self.table = SliceTable.from_predictions(self.predictions, metric=metric, **self._by)
        super().__init__(**self._state())

    @property
    def selection(self) -> list[Any]:
        """Ids of the chosen slice, wrong ones first; none where no slice is chosen."""
        return self.predictions.ids[self._rows].tolist()

    def choose(self, title: str) -> list[Any]:
        """Open a slice by its title as a click does; returns its ids, which are then selected.

        Raises ValueError for a title that no slice has.
        """
        self._choose(self.table.find(title))
        return self.selection

    def selected(self) -> Predictions:
        """`Predictions` of the chosen slice.

        Raises ValueError where none is chosen.
        """
        if self.chosen is None:
            raise ValueError("no slice is chosen: click one, or explorer.choose(title)")
        return self.predictions.take(self._rows)

    def open(self, **options: Any) -> ErrorExplorer | None:
        """The chosen slice as an `ErrorExplorer`; ``model=`` and other options go to it."""
        if self.comm is None:  # ipywidgets' own open(), which its constructor calls
            super().open()
            return None
        from nbdiag.widgets.error_explorer import ErrorExplorer

        return ErrorExplorer(self.selected(), **options)

    def figure(self, **options: Any) -> Any:
        """The slices as a Bokeh figure; ``over_time=True`` the rate over time."""
        return self.table.figure(**options)

    def to_frame(self) -> Any:
        """A row for each slice, in polars where the metadata came in polars, else pandas."""
        return self.table.to_frame()

    def handlers(self) -> dict[str, Handler]:
        return {
            "choose": self._asked_to_choose,
            "column": self._column,
            "pair": self._pair,
            "time": self._time,
            "measure": self._measure,
        }

    def picture(self) -> bytes:
        overall = self.table.overall
        return draw(
            rows=self.slices,
            overall=overall.value,
            metric=self.table.metric.name,
            headline=f"{overall.n:,} samples, {self.table.metric} {100 * overall.value:.1f} % "
            f"({100 * overall.low:.1f} to {100 * overall.high:.1f} %)",
            findings=self.findings,
        )

    def summary(self) -> str:
        columns = ", ".join(grouping.name for grouping in self.table.family.groupings)
        head = f"SliceExplorer of {self.predictions!r}"
        return "\n".join([head, f"by {columns}", *text_lines(self.table.findings())])

    def _state(self) -> dict[str, Any]:
        table = self.table
        times = table.time_columns
        return {
            "info": table_info(table, self._metric),
            "slices": slice_rows(table, table.order[:SENT_AT_MOST]),
            "timeline": time_line(table, times[0]) if times else None,
            "findings": [finding.to_dict() for finding in by_severity(table.findings())],
            "chosen": None,
        }

    def _choose(self, at: int) -> None:
        self._rows = self.table.samples(at)
        (self.chosen,) = slice_rows(self.table, [at])

    def _asked_to_choose(self, args: dict[str, Any], reply: Reply) -> None:
        if args.get("at") is None:
            self.chosen, self._rows = None, self._rows[:0]
            reply({"selection": 0})
            return
        at = int(args["at"])
        if not 0 <= at < len(self.table.family):
            raise ValueError(f"there is no slice {at}")
        self._choose(at)
        reply({"selection": len(self._rows), **slice_detail(self.table, at)})

    def _column(self, args: dict[str, Any], reply: Reply) -> None:
        at = column_slices(self.table, str(args["column"]))
        reply({"slices": slice_rows(self.table, at[:SENT_AT_MOST]), "total": len(at)})

    def _pair(self, args: dict[str, Any], reply: Reply) -> None:
        one, two = (int(index) for index in args["columns"])
        reply(pair_map(self.table, one, two))

    def _time(self, args: dict[str, Any], reply: Reply) -> None:
        reply(time_line(self.table, str(args["column"])))

    def _measure(self, args: dict[str, Any], reply: Reply) -> None:
        metric = str(args["metric"])
        table = SliceTable.from_predictions(self.predictions, metric=metric, **self._by)
        self.table, self._metric = table, metric
        self._rows = self._rows[:0]
        with self.hold_sync():
            for name, value in self._state().items():
                setattr(self, name, value)
        reply({"metric": metric})
