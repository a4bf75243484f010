"""Are the data sound before training?"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nbdiag.measures.data_checks import judge_data
from nbdiag.measures.data_split import Split
from nbdiag.measures.data_tally import SplitTally
from nbdiag.measures.findings import Finding, by_severity
from nbdiag.probes.progress import Progress
from nbdiag.probes.quiet import same_random_state
from nbdiag.probes.split_columns import judge_overlap
from nbdiag.probes.split_source import SplitSource, open_split, own_random_states, put_back


def inspect_data(
    train: Any,
    val: Any = None,
    test: Any = None,
    *,
    progress: bool = True,
    metadata: Any = None,
    groups: Any = None,
    time: Any = None,
) -> list[Finding]:
    """Are the data sound before training?

    Reads every sample once and looks for values that are not numbers (``data.nonfinite``), inputs
    on a harmful scale or scaled otherwise than train (``data.unnormalized``), one class only, in a
    split or in the batches (``data.single_class``), rare classes (``data.imbalanced``), and samples
    or columns that give the answer away (``data.leakage``): entries, equal inputs and near-copies
    that train shares with val or test, columns that are the target, a scaling that was fitted on
    all splits, and groups and times that val or test share with train.

    Parameters
    ----------
    train, val, test : each a Dataset, a DataLoader, a pair ``(X, y)`` of arrays, tensors,
        dataframes or lists, a dataframe (target in a column named ``target``, ``label`` or ``y``),
        an array without targets, or a list of samples. A sample is ``(input, target)``, an input,
        or a dict; inputs are pictures, rows of numbers, sequences, tokens (integers) or text.
        Of a loader, the samples are read in the order of its data set, by its workers and its
        collate function. Of a stream, the first 200,000 samples are read; where there are more,
        a warning says so, and the findings do.
    progress : show a line that counts the samples.
    metadata : a table for each split, ``{"train": ..., "val": ...}`` or a list in that order; by
        default the data sets' own ``metadata``, or the dataframe that a split is.
    groups : the column that tells which samples belong together (a patient, a speaker), or its
        values for each split. Without it, a column of the metadata with such a name is tried.
    time : the column that tells when a sample was taken, or its values for each split.

    Returns
    -------
    Findings, most severe first; an empty list where nothing is wrong. Class codes apply where
    targets are class numbers or names, one-hot or soft. Counts, equal inputs and values that are
    not numbers rest on all samples; scales and near-copies on a seeded part of a large data set,
    which the evidence states.

    No random state changes, neither the global ones nor those that the data set and its
    transforms keep as attributes.

    Raises
    ------
    TypeError : for data, inputs or samples of another kind.
    ValueError : for an empty split, X and y of different length, or splits whose inputs differ.
    """
    given = {"train": train, "val": val, "test": test}
    if train is None:
        raise TypeError("train must be a data set, got None")
    sources = {name: open_split(data, name) for name, data in given.items() if data is not None}
    totals = [source.total for source in sources.values()]
    total = None if None in totals else sum(t for t in totals if t is not None)
    with Progress("inspecting", "inspected", total, progress) as line:
        splits = [_read(name, source, line) for name, source in sources.items()]
    cut = {name: source.reach.cut_at for name, source in sources.items() if source.reach.cut_at}
    for name, count in cut.items():
        warnings.warn(
            f"{name} is a stream: {_only(count)}, what comes later was not looked at",
            stacklevel=2,
        )
    there = {name: data for name, data in given.items() if data is not None}
    overlap = judge_overlap(there, splits, metadata, groups, time)
    return [_noted(found, splits, cut) for found in by_severity([*judge_data(splits), *overlap])]


def _only(count: int) -> str:
    return f"only the first {count:,} samples were read"


def _noted(found: Finding, splits: Sequence[Split], cut: dict[str, int]) -> Finding:
    """A finding that says what a reader of it must know of how its splits were read."""
    about = found.evidence.get("split")
    notes = {one.name: one.note for one in splits if one.note and about in (None, one.name)}
    if not notes:
        return found
    ends = [f" Of {name}, a stream, {_only(cut[name])}." for name in notes if name in cut]
    evidence = {**found.evidence, "read": notes}
    return replace(found, message=found.message + "".join(ends), evidence=evidence)


def _read(name: str, source: SplitSource, progress: Progress) -> Split:
    tally, states = SplitTally(name), own_random_states(source.dataset)
    with same_random_state(*source.generators):
        try:
            for inputs, targets, ids in source.batches():
                tally.add(inputs, targets, ids, source.columns, source.coded)
                progress.add(len(ids))
        finally:
            put_back(states)
    note = source.note
    if source.reach.cut_at:
        note += f"; {_only(source.reach.cut_at)}"
    origin = source.origin
    if origin is not None and len(origin[1]) != len(tally):
        origin = None  # a collate function left samples out: which ones is not known
    return tally.finish(origin, source.loading, note)
