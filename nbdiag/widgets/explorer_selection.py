"""What an ErrorExplorer and Python share: the open place, the selection, the filter, the notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets

from nbdiag.measures.error_explorer import count_cells
from nbdiag.measures.facets import facets
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.sample_filter import Facet, checked, passing, tallies
from nbdiag.measures.sample_ids import SampleIds
from nbdiag.measures.sample_lists import Place, SampleList, SampleLists
from nbdiag.widgets.base import Handler, Instrument, Reply
from nbdiag.wire.rows import pack_matrix, pack_rows

NOTE_AT_MOST = 4000  # characters
VALUES_SHOWN = 60  # of a metadata column


class ExplorerSelection(Instrument):
    """The state that a click changes and that the next cell reads."""

    predictions: Predictions
    places: SampleLists
    _ids: SampleIds
    _baseline_codes: np.ndarray | None

    matrix = traitlets.Dict().tag(sync=True)
    change = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    counted = traitlets.Dict().tag(sync=True)
    place = traitlets.Any(None).tag(sync=True)
    selected = traitlets.Dict().tag(sync=True)
    lists: traitlets.List[Any] = traitlets.List().tag(sync=True)
    filter = traitlets.Dict().tag(sync=True)
    faceted: traitlets.List[Any] = traitlets.List().tag(sync=True)
    noted: traitlets.List[Any] = traitlets.List().tag(sync=True)

    _rows = np.empty(0, np.int64)
    _facets: Sequence[Facet] | None = None  # cut when the filter is first opened
    _whole_place = False  # the selection is all that is open
    _in_order = True  # in the order of the gallery, which is found when it is asked for

    def handlers(self) -> dict[str, Handler]:
        return {
            "select": self._select,
            "facets": self._ask_facets,
            "filter": self._filter,
            "note": self._note,
        }

    @property
    def cell(self) -> list[int] | None:
        """``[true, predicted]`` of the open cell, or None."""
        return list(self.place) if isinstance(self.place, list | tuple) else None

    @property
    def selection(self) -> list[Any]:
        """Ids of the selected samples, in the order of the gallery; assign ids to select others.

        Raises ValueError for an id that no sample has.
        """
        return self.predictions.ids[self._selected_rows()].tolist()

    @selection.setter
    def selection(self, ids: Any) -> None:
        self._choose(self._ids.rows_of(ids))

    def _selected_rows(self) -> np.ndarray:
        if not self._in_order:
            place = self.places.known(self.place)
            self._rows = self.places.in_order(place, self.places.default_order(place))
            self._in_order = True
        return self._rows

    @property
    def notes(self) -> dict[Any, str]:
        """Id -> note. Assign a mapping to set all of them, `note` to write one."""
        rows = [row for row, _ in self.noted]
        ids = self.predictions.ids[rows].tolist() if rows else []
        return dict(zip(ids, (text for _, text in self.noted), strict=True))

    @notes.setter
    def notes(self, notes: Mapping[Any, str]) -> None:
        rows = self._ids.rows_of(list(notes)).tolist()
        self._keep_notes(dict(zip(rows, map(str, notes.values()), strict=True)))

    def note(self, id: Any, text: str) -> None:
        """Write a note on a sample; an empty text takes it away.

        Raises ValueError for an id that no sample has.
        """
        row = int(self._ids.rows_of([id])[0])
        self._keep_notes({**dict(self.noted), row: str(text)})

    def _keep_notes(self, notes: dict[int, str]) -> None:
        kept = [[row, text[:NOTE_AT_MOST]] for row, text in notes.items() if text.strip()]
        rows = np.array([row for row, _ in kept], np.int64)
        title = "Samples with a note"
        self.places.drop("notes")
        with self.hold_sync():
            self.noted = kept
            if len(rows):
                text = "What you wrote down."
                self.places.put(SampleList("notes", title, text, rows, "as written", "notes"))
            elif self.place == "notes":
                self._close_place()
            self._tell_lists()

    def _open(self, place: Place) -> None:
        """Show a place and select what is in it."""
        with self.hold_sync():
            self.place = place if isinstance(place, str) else list(place)
            self._choose(self.places.rows(place))
            self._whole_place, self._in_order = True, False

    def _close_place(self) -> None:
        self._selected_rows()  # in the order of the place that is being closed
        self.place, self._whole_place = None, False

    def _choose(self, rows: np.ndarray) -> None:
        self._rows, self._whole_place, self._in_order = rows, False, True
        self.selected = pack_rows(rows, len(self.predictions))

    @traitlets.validate("filter")
    def _check_filter(self, proposal: Any) -> dict[str, list[str]]:
        value = proposal["value"]
        return checked(self._cut_facets(), value) if value else {}

    def _cut_facets(self) -> Sequence[Facet]:
        if self._facets is None:
            self._facets = facets(self.predictions.metadata)
            self._tell_facets()
        return self._facets

    @traitlets.observe("filter")
    def _apply_filter(self, _: Any) -> None:
        kept = passing(self._facets or (), self.filter)
        self.places.filter_to(self.places.table.within(kept))
        with self.hold_sync():
            self._tell_table()
            # What is open stays open and selected as a whole, if it was
            if self._whole_place:
                self._open(self.places.known(self.place))

    def _tell_table(self) -> None:
        table, told = self.places.table, self.predictions
        self.matrix = pack_matrix(table.matrix)
        if self._baseline_codes is not None:
            before = count_cells(self._baseline_codes, told.n_classes, table.kept)
            self.change = pack_matrix(table.matrix - before[:, :-1])
        interval = {"value": table.accuracy, "low": table.low, "high": table.high}
        self.counted = {
            "samples": len(table),
            "accuracy": interval if len(table) else None,
            "nonfinite_by_class": table.nonfinite.tolist(),
        }
        self._tell_facets()
        self._tell_lists()

    def _tell_facets(self) -> None:
        if self._facets is None:
            return
        wrong = self.predictions.predicted != self.predictions.targets
        counted = tallies(self._facets, self.filter, wrong)
        self.faceted = [
            {
                "name": facet.name,
                "labels": list(facet.labels)[:VALUES_SHOWN],
                "more": max(0, len(facet.labels) - VALUES_SHOWN),
                "counts": counts[:VALUES_SHOWN].tolist(),
                "errors": errors[:VALUES_SHOWN].tolist(),
            }
            for facet, (counts, errors) in zip(self._facets, counted, strict=True)
        ]

    def _tell_lists(self) -> None:
        told = self.predictions
        errors = SampleList("errors", "All errors", "Most confidently wrong first.", told.ids[:0])
        others = list(self.places.lists.values())
        listed = [one for one in others if one.group == "first"]
        listed += [errors, *(one for one in others if one.group != "first")]
        self.lists = [
            {
                "key": one.key,
                "title": one.title,
                "text": one.text,
                "order": one.own_order,
                "group": one.group,
                "count": self.places.count(one.key),
            }
            for one in listed
        ]

    def _select(self, args: dict[str, Any], reply: Reply) -> None:
        if args.get("place") is not None:
            self._open(self.places.known(args["place"]))
        elif "row" in args:
            self._mark(self._known_row(args["row"]), bool(args.get("on", True)))
        else:
            with self.hold_sync():
                if args.get("close"):
                    self._close_place()
                self._choose(self._rows[:0])
        reply({"selection": len(self._rows)})

    def _mark(self, row: int, on: bool) -> None:
        rows = self._selected_rows()
        others = rows[rows != row]
        self._choose(np.append(others, row) if on else others)

    def _ask_facets(self, args: dict[str, Any], reply: Reply) -> None:
        reply({"facets": len(self._cut_facets())})

    def _filter(self, args: dict[str, Any], reply: Reply) -> None:
        self.filter = args["filter"]
        reply({"samples": len(self.places.table)})

    def _note(self, args: dict[str, Any], reply: Reply) -> None:
        row = self._known_row(args["row"])
        self._keep_notes({**dict(self.noted), row: str(args["text"])})
        reply({"notes": len(self.noted)})

    def _known_row(self, row: Any) -> int:
        if not (isinstance(row, int) and 0 <= row < len(self.predictions)):
            raise ValueError(f"no row {row!r}: there are {len(self.predictions):,} samples")
        return row
