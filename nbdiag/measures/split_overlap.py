"""Do val and test hold groups that train holds, or times that lie among those of train?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nbdiag.measures.columns import codes_of, plain
from nbdiag.measures.data_split import percent, plural
from nbdiag.measures.findings import Finding, Severity

# What a column of metadata is called that names who or what several samples are of.
GROUP_NAMES = frozenset(
    """group groups group_id patient patient_id patientid subject subject_id subjectid user user_id
    userid person person_id speaker speaker_id session session_id video video_id recording
    recording_id family_id customer_id""".split()
)
REPEATS = 1.5  # samples of a group in train, from which a column named so groups them
WITHIN = 0.05  # share of a split that may lie within the time of train
NAMED = 5


def judge_groups(
    groups: Mapping[str, Any], name: str = "group", *, asked: bool = True
) -> list[Finding]:
    """``data.leakage`` for groups that train shares with another split.

    ``groups``: split -> (N,) the group of each sample; the first is train; missing groups are left
    out. ``asked``: whether the user said that these are groups; else it is only supposed from the
    column's name, and says so.
    """
    columns = {split: plain(column) for split, column in groups.items()}
    sizes = [len(column) for column in columns.values()]
    words = [values.astype(object) if values.dtype.kind not in "O" else values
             for values in columns.values()]  # fmt: skip
    codes, _ = codes_of(np.concatenate([_as_words(values) for values in words]))
    parts = dict(zip(columns, np.split(codes, np.cumsum(sizes)[:-1]), strict=True))
    train_name, *others = parts
    train = parts[train_name][parts[train_name] >= 0]
    if not len(train):
        return []
    distinct = np.unique(train)
    if not asked and len(train) < REPEATS * len(distinct):
        return []
    found = []
    for split in others:
        mine = parts[split][parts[split] >= 0]
        if not len(mine):
            continue
        shared = np.isin(mine, distinct)
        if not shared.any():
            continue
        both, inside = np.unique(mine[shared]), float(shared.mean())
        # What a random split would give: some sample of the same group went to train.
        everyone = np.bincount(np.concatenate([train, mine]))
        to_train = len(train) / (len(train) + len(mine))
        expected = float((1 - (1 - to_train) ** (everyone[mine] - 1)).mean())
        random = inside > 0.9 * expected > 0.3
        severity: Severity = "critical" if inside >= 0.5 else "warning"
        if not asked:
            severity = "info"
        found.append(
            Finding(
                "data.leakage",
                severity,
                f"{train_name} and {split}, {name}",
                f"{plural(len(both), 'value')} of {name} occur in {train_name} and in {split}: "
                f"{percent(inside)} of the samples of {split} belong to one that {train_name} "
                f"knows"
                + (", as after a random split" if random else "")
                + (
                    "; this is counted."
                    if asked
                    else f"; whether {name} names groups is supposed from its name."
                ),
                {
                    "split": split,
                    "column": name,
                    "groups_shared": len(both),
                    "groups_of_split": len(np.unique(mine)),
                    "samples_in_shared": int(shared.sum()),
                    "samples": len(mine),
                    "share": inside,
                    "share_if_random": expected,
                    "confidence": "high" if asked else "low",
                },
                f"If the model is to work for a {name} that it has not seen, split by {name}: all "
                "samples of one go to the same side (GroupShuffleSplit or GroupKFold in "
                "scikit-learn). What is measured now tells only about those it knows.",
            )
        )
    return found


def _as_words(values: np.ndarray) -> np.ndarray:
    """Values as text, so that 1 of one split is the same as "1" of another; None for missing."""
    words = [None if value is None or value != value else _word(value) for value in values.tolist()]
    return np.fromiter(words, object, len(words))


def _word(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


def judge_times(times: Mapping[str, Any], name: str = "time") -> list[Finding]:
    """``data.leakage`` where another split's samples lie among those of train in time.

    ``times``: split -> (N,) dates or numbers; the first is train. A split before or after train is
    sound, also where up to `WITHIN` of it reaches into train.
    """
    columns = {split: _amounts(plain(column), name) for split, column in times.items()}
    train_name, *others = columns
    train = np.sort(columns[train_name][np.isfinite(columns[train_name])])
    if len(train) < 2 or train[0] == train[-1]:
        return []
    found = []
    for split in others:
        mine = columns[split][np.isfinite(columns[split])]
        if not len(mine):
            continue
        within = float(((mine > train[0]) & (mine < train[-1])).mean())
        # Shares of train before each sample: of a random split they are spread evenly.
        before = (np.searchsorted(train, mine, "left") + np.searchsorted(train, mine, "right")) / 2
        place = before / len(train)
        if within <= WITHIN or min((place > 0.05).mean(), (place < 0.95).mean()) <= WITHIN:
            continue
        even = abs(float(place.mean()) - 0.5) < 0.05 + 1.5 / len(mine) ** 0.5
        random = even and float(place.std()) > 0.2
        found.append(
            Finding(
                "data.leakage",
                "warning",
                f"{train_name} and {split}, {name}",
                f"{percent(within)} of the samples of {split} lie within the time of {train_name}, "
                f"by {name}"
                + (", spread over it as after a random split" if random else "")
                + ": the model learns from what comes after them; this is counted.",
                {
                    "split": split,
                    "column": name,
                    "share_within": within,
                    "mean_place_in_train": float(place.mean()),
                    "samples": len(mine),
                    "confidence": "high",
                },
                f"If the model is to work on data of later times, split by {name}: train on what "
                "comes first, and leave a gap as long as samples depend on each other. What is "
                "measured now tells about times that it knows.",
            )
        )
    return found


def _amounts(values: np.ndarray, name: str) -> np.ndarray:
    """Times as numbers, NaN where they are missing."""
    if values.dtype.kind == "O":
        try:
            values = np.array([None if v is None else str(v) for v in values.tolist()], "M8[us]")
        except ValueError as error:
            raise ValueError(f"{name} must hold dates or numbers to order by: {error}") from error
    if values.dtype.kind == "M":
        known = values.astype("M8[us]")
        return np.where(np.isnat(known), np.nan, known.astype(np.int64))
    return values.astype(np.float64)
