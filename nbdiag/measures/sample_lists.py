"""Which samples belong to a place in the explorer: a cell, a class, a list of suspects?"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nbdiag.measures.error_explorer import ErrorTable
from nbdiag.measures.label_suspects import Suspects, label_suspects
from nbdiag.measures.predictions import Predictions
from nbdiag.measures.sample_order import ordered

Place = tuple[int, int] | str


@dataclass(frozen=True)
class SampleList:
    """Samples that belong together although they lie in several cells.

    Attributes
    ----------
    key : how it is asked for.
    title : what it holds, as a heading.
    text : why to look at it, in one sentence.
    rows : (M,) row positions; in an order of their own where ``own_order`` says which.
    own_order : that order in words, or "" where any order is as good.
    group : lists with the same word stand together.
    """

    key: str
    title: str
    text: str
    rows: np.ndarray
    own_order: str = ""
    group: str = ""


@dataclass
class SampleLists:
    """All places of one explorer; `table` says which samples the filter lets through."""

    table: ErrorTable
    lists: dict[str, SampleList] = field(default_factory=dict)
    _last: tuple[object, np.ndarray] | None = field(default=None, repr=False)

    def filter_to(self, table: ErrorTable) -> None:
        """Count and list only what this table holds."""
        self.table, self._last = table, None

    def put(self, made: SampleList) -> None:
        self.lists[made.key] = made
        self._last = None

    def drop(self, group: str) -> None:
        """Forget the lists of a group."""
        self.lists = {key: one for key, one in self.lists.items() if one.group != group}
        self._last = None

    def known(self, place: object) -> Place:
        """A place as it comes from the browser, or ValueError for one that does not exist."""
        classes = len(self.table.class_names)
        if isinstance(place, str):
            if place == "errors" or place in self.lists:
                return place
            kind, _, number = place.partition(":")
            if kind == "true" and number.isdigit() and int(number) < classes:
                return place
            raise ValueError(f"no list {place!r}; lists: {', '.join(['errors', *self.lists])}")
        if isinstance(place, list | tuple) and len(place) == 2:
            true, predicted = int(place[0]), int(place[1])
            if 0 <= true < classes and -1 <= predicted < classes:
                return true, predicted
        raise ValueError(f"no cell {place}: the matrix has {classes} classes")

    def rows(self, place: Place) -> np.ndarray:
        """(M,) row positions that are there and pass the filter."""
        if not isinstance(place, str):
            return self.table.rows(*place)
        kind, _, number = place.partition(":")
        if place == "errors" or kind == "true":
            rows = self.table.errors()
            return rows[self.table.predictions.targets[rows] == int(number)] if number else rows
        rows, kept = self.lists[place].rows, self.table.kept
        return rows if kept is None else rows[kept[rows]]

    def count(self, place: Place) -> int:
        return len(self.rows(place))

    def default_order(self, place: Place) -> str:
        listed = self.lists.get(place) if isinstance(place, str) else None
        return "own" if listed is not None and listed.own_order else "confidence"

    def in_order(self, place: Place, by: str, first: int | None = None) -> np.ndarray:
        """Rows of a place; ``by`` is ``"own"`` or one of `sample_order.ORDERS`."""
        if self._last is not None and self._last[0] == (place, by):
            return self._last[1][:first]
        rows = self.rows(place)
        if by != "own":
            rows = ordered(self.table.predictions, np.sort(rows), by, first)
        if first is None:
            self._last = ((place, by), rows)
        return rows[:first]


def suspects_of(predictions: Predictions) -> Suspects | None:
    """Probably wrong labels; None where the model was trained on these very samples."""
    return None if predictions.out_of_sample is False else label_suspects(predictions)


def suggested_for(suspects: Suspects, rows: np.ndarray) -> np.ndarray:
    """(M,) int64: the class suggested for each of these rows, -1 for what is no suspect."""
    order = np.argsort(suspects.rows)
    known = suspects.rows[order]
    if not len(known):
        return np.full(len(rows), -1)
    at = np.searchsorted(known, rows).clip(max=len(known) - 1)
    return np.where(known[at] == rows, suspects.suggested[order[at]], -1)


def suspect_list(suspects: Suspects) -> SampleList:
    """Offered before all errors where labels are wrong by all signs, and after them otherwise."""
    found = bool(suspects.findings())
    text = (
        "The label may be wrong, and not the model: look here first"
        if found
        else "Nothing points to many wrong labels; if some are wrong, they are likely here"
    )
    condition = f", {suspects.condition}" if suspects.condition else ""
    return SampleList(
        "suspects",
        "Label suspects",
        f"{text}{condition}.",
        suspects.rows,
        "most suspicious first",
        "first" if found else "suspects",
    )
