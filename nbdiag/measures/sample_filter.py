"""Which samples pass a choice of metadata values, and what lies behind each value?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

Choice = Mapping[str, Sequence[str]]


class Facet(Protocol):
    """A column of the metadata cut into values: `labels`, and which of them each sample has."""

    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def codes(self) -> np.ndarray: ...


def checked(facets: Sequence[Facet], choice: Mapping[str, Any]) -> dict[str, list[str]]:
    """A choice as names and lists of labels; a single label may stand alone.

    Raises
    ------
    ValueError : for a column or a value that does not exist, or no value at all.
    """
    known = {facet.name: facet for facet in facets}
    plain: dict[str, list[str]] = {}
    for name, given in choice.items():
        if name not in known:
            there = ", ".join(known) or "none: these predictions have no metadata"
            raise ValueError(f"no column {name!r} to filter by; columns: {there}")
        single = isinstance(given, str) or not hasattr(given, "__iter__")
        labels = [str(label) for label in ([given] if single else given)]
        unknown = [label for label in labels if label not in known[name].labels]
        if unknown:
            there = ", ".join(list(known[name].labels)[:40])
            raise ValueError(f"{name} has no value {unknown[0]!r}; values: {there}")
        if not labels:
            raise ValueError(f"no value of {name} is chosen; leave {name} out to keep all")
        plain[name] = labels
    return plain


def passing(facets: Sequence[Facet], choice: Choice) -> np.ndarray | None:
    """(N,) bool: has a chosen value in every chosen column; None where nothing is chosen."""
    kept: np.ndarray | None = None
    for facet in facets:
        if facet.name in choice:
            of_this = _among(facet, choice[facet.name])
            kept = of_this if kept is None else kept & of_this
    return kept


def _among(facet: Facet, chosen: Sequence[str]) -> np.ndarray:
    """One look-up a sample; what has no value (code -1) is the last entry, and never chosen."""
    table = np.array([*(label in chosen for label in facet.labels), False])
    return table[facet.codes]


def tallies(
    facets: Sequence[Facet], choice: Choice, wrong: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each facet: samples and errors of each of its values.

    Counted among what the other columns let through, so that a value that is not chosen still
    tells what choosing it would add. ``wrong`` is (N,) bool.
    """
    found = []
    for facet in facets:
        others = {name: labels for name, labels in choice.items() if name != facet.name}
        kept = passing(facets, others)
        codes, bad = (facet.codes, wrong) if kept is None else (facet.codes[kept], wrong[kept])
        # -1 becomes the first bin, and is left out
        n = len(facet.labels) + 1
        found.append(
            (
                np.bincount(codes + 1, minlength=n)[1:],
                np.bincount(codes[bad] + 1, minlength=n)[1:],
            )
        )
    return found
