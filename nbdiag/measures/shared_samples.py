"""Are samples of one split in another as well: the same entry, or an equal input?

Equal inputs are leakage only where they are no coincidence. In a table of a few categories equal
rows come by themselves, so one of two things must hold:

- **Equality cannot be chance**: on a random half of the columns hardly any two different samples
  agree. Of those that do, so many as `BOTH` may agree on the other half as well (typical samples
  agree more easily than others, so the halves are not independent). Where no two agree, one equal
  sample tells.
- **More than the data has within itself**: val samples with a twin in train are clearly more
  frequent than train samples with a twin in train.

Inputs of one value (black pictures), very short texts, and inputs that train holds many times over
count for the second rule only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbdiag.measures.data_split import Split, first_ids, percent, plural
from nbdiag.measures.findings import Finding, Severity

CHANCE, EXCESS = 1e-3, 1e-4  # how unlikely coincidence must be, by the first and the second rule
BOTH = 0.5
FLOOR = 1e-6  # where nothing was seen to agree, in few samples; in many it is lower
RESOLUTION = 2e-7  # of a float32, below which two amounts are equal by chance
COMMON, COMMON_SHARE = 50, 0.02  # an input that train holds so often is a placeholder
HALVES = 5
REPEATS = 5  # copies of each distinct input, from which the inputs are a short list of cases
MANY, FEW = 0.05, 0.001  # shares at which a leak is critical, and at which it is a remark
DIGITS = 4  # significant digits of a single column that do not agree by chance


@dataclass(frozen=True)
class Twins:
    """Samples of `split` whose input is in train too.

    Attributes
    ----------
    here : positions in the split. there : the position of the first twin in train, each.
    telling : (len(here),) bool, twins that are neither too simple nor too common.
    """

    here: np.ndarray
    there: np.ndarray
    telling: np.ndarray


def twins(train: Split, split: Split) -> Twins:
    hashes, first, counts = np.unique(train.hashes, return_index=True, return_counts=True)
    place = np.minimum(np.searchsorted(hashes, split.hashes), len(hashes) - 1)
    here = np.flatnonzero(hashes[place] == split.hashes)
    place = place[here]
    often = counts[place] > max(COMMON, COMMON_SHARE * len(train))
    return Twins(here, first[place], ~split.simple[here] & ~often)


def judge_shared(splits: Sequence[Split]) -> list[Finding]:
    """Findings `data.leakage` for samples of val or test that are in train (or val) as well."""
    found = []
    for i, base in enumerate(splits):
        for split in splits[i + 1 :]:
            found += _same_entries(base, split) or _equal_inputs(base, split)
    return found


def _same_entries(base: Split, split: Split) -> list[Finding]:
    if base.origin is None or split.origin is None or base.origin[0] != split.origin[0]:
        return []
    shared = np.isin(split.origin[1], base.origin[1])
    count = int(shared.sum())
    if not count:
        return []
    share = count / len(split)
    return [
        Finding(
            "data.leakage",
            severity_of(share, split),
            split.name,
            f"{plural(count, 'sample')} of the {len(split):,} of {split.name} ({percent(share)}) "
            f"are the very same entries of the data set that {base.name} holds.",
            {
                "kind": "same entries",
                "of": split.name,
                "in": base.name,
                "samples": count,
                "share": share,
                "ids": first_ids(split.ids[shared]),
                "entries": first_ids(split.origin[1][shared]),
            },
            _remedy(base, split),
        )
    ]


def severity_of(share: float, split: Split) -> Severity:
    if share >= MANY:
        return "critical"
    return "info" if share < FEW else "warning"


def _remedy(base: Split, split: Split) -> str:
    return (
        f"Leave these samples out of {split.name} (the ids are in the evidence) or split once, by "
        "distinct sample, and save the indices; numbers measured so far on "
        f"{split.name} are too good."
        if base.name == "train"
        else f"Leave these samples out of one of {base.name} and {split.name}."
    )


def _equal_inputs(base: Split, split: Split) -> list[Finding]:
    from scipy.stats import binom

    pairs = twins(base, split)
    count, n = len(pairs.here), len(split)
    if not count:
        return []
    _, inverse, counts = np.unique(base.hashes, return_inverse=True, return_counts=True)
    within = int((counts[inverse] > 1).sum())
    usual = within / len(base)
    telling = int(pairs.telling.sum())
    chance = coincidence(base, split)
    by_chance = bool(
        len(counts) * REPEATS < len(base)
        or not telling
        or binom.sf(telling - 1, n, min(1.0, chance)) > CHANCE
    )
    if by_chance:
        expected = (within + 1) / (len(base) + 1)
        if binom.sf(count - 1, n, min(1.0, expected)) > EXCESS or count < 3:
            return []
        chosen = np.ones(count, bool)
    else:
        chosen = pairs.telling
    here, there = pairs.here[chosen], pairs.there[chosen]
    share = len(here) / n
    message = (
        f"{plural(len(here), 'sample')} of the {n:,} of {split.name} ({percent(share)}) "
        f"{'is' if len(here) == 1 else 'are'} in {base.name} too, with the same input"
    )
    evidence: dict[str, Any] = {
        "kind": "equal inputs",
        "of": split.name,
        "in": base.name,
        "samples": len(here),
        "share": share,
        "share_within": usual,
        "expected_share_by_chance": min(chance, 1.0),
        "compared": [n, len(base)],
        "ids": first_ids(split.ids[here]),
        "twins": first_ids(base.ids[there]),
    }
    mine, theirs = split.targets.keys, base.targets.keys
    if mine is not None and theirs is not None:
        conflict = mine[here] != theirs[there]
        evidence["other_target"] = int(conflict.sum())
        evidence["other_target_ids"] = first_ids(split.ids[here[conflict]])
        if conflict.all():
            message += " and another target"
        elif conflict.any():
            message += f", {int(conflict.sum()):,} of them with another target"
    if usual > 0.01:
        message += f"; within {base.name}, {percent(usual)} have a twin"
    remedy = _remedy(base, split)
    if evidence.get("other_target"):
        remedy += " Equal inputs with different targets are label errors, or tell that the inputs "
        remedy += "do not hold what the target depends on: look at them."
    return [
        Finding(
            "data.leakage", severity_of(share, split), split.name, message + ".", evidence, remedy
        )
    ]


def coincidence(base: Split, split: Split) -> float:
    """Share of the samples of `split` that would equal one of `base` by chance, at most."""
    texts = [field for field in base.fields if field.kind == "text"]
    if len(texts) == len(base.fields):
        return 0.0  # short texts have been set aside
    shares = []
    for field in base.fields:
        twin = next((other for other in split.fields if other.name == field.name), None)
        if field.rows is None:
            continue
        rows = [field.rows]
        keys = [field.keys]
        if twin is not None and twin.rows is not None and twin.rows.shape[1] == rows[0].shape[1]:
            rows.append(twin.rows)
            keys.append(twin.keys)
        _, first = np.unique(np.concatenate(keys), return_index=True)
        shares.append(_agreeing(np.concatenate(rows)[first], len(base)))
    return min(shares, default=FLOOR)


def _agreeing(rows: np.ndarray, total: int) -> float:
    """Expected share of chance twins among `total`, from what agrees on a half of the columns."""
    rows = np.nan_to_num(rows[:, (rows != rows[:1]).any(axis=0)])
    width, n = rows.shape[1], len(rows)
    if width == 0 or n < 2:
        return 1.0
    if width == 1:
        return RESOLUTION * total if _fine(rows[:, 0]) else 1.0
    random = np.random.default_rng(0)
    partnered = []
    for _ in range(HALVES):
        half = random.permutation(width)[: width // 2]
        sums = rows[:, half].astype(np.float64) @ random.normal(size=len(half))
        _, inverse, counts = np.unique(sums, return_inverse=True, return_counts=True)
        partnered.append(float((counts[inverse] > 1).mean()))
    # None seen among n may still be three among n, at 95 % confidence, on each half.
    unseen = (3 * total / n**2) ** 2 / total
    return max(min(FLOOR, 10 * unseen), min(1.0, BOTH * float(np.median(partnered)) * total / n))


def _fine(column: np.ndarray) -> bool:
    """Whether most values have more significant digits than could agree by chance."""
    values = column[column != 0].astype(np.float64)
    if not len(values):
        return False
    step = 10.0 ** (np.floor(np.log10(np.abs(values))) - DIGITS + 1)
    rounded = np.round(values / step) * step
    return float((np.abs(values - rounded) > 3e-7 * np.abs(values)).mean()) > 0.5
