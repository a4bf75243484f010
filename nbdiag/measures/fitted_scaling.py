"""Was the normalisation fitted on everything? Told from the statistics, where it can be told.

Whoever standardises before splitting leaves a mark: train and the other splits together have mean 0
and standard deviation 1 to rounding, and train alone has not. Fitted on train, it is the other way
round. The same with the ends 0 and 1 of a min-max scaling.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nbdiag.measures.data_split import Field, Split
from nbdiag.measures.findings import Finding, Severity

ROUNDING = 2e-5
APART = 20.0  # how many times farther from 0 and 1 train alone lies
SAMPLES_AT_LEAST = 20
SCALED_AT_LEAST = 3  # features, or all that vary where there are fewer
MATTERS = 0.1  # standard deviations that the other splits moved the means by; less does little
ENDS_AT_LEAST = 4  # features that a min-max scaling is told from: 0 and 1 are common values


def judge_fitted_scaling(splits: Sequence[Split]) -> list[Finding]:
    """``data.leakage`` for each input whose scaling was fitted on train and the rest together."""
    train, *others = splits
    found = []
    for field in train.fields:
        if field.kind not in ("table", "sequence") or not others:
            continue
        twins = [twin for split in others for twin in split.fields if twin.name == field.name]
        if len(twins) < len(others) or min(map(len, splits)) < 2:
            continue
        if sum(map(len, splits)) < SAMPLES_AT_LEAST:
            continue
        # Any part of the splits may have been the one that it was fitted on.
        parts = [list(range(len(others)))]
        parts += [[i] for i in range(len(others))] if len(others) > 1 else []
        for part in parts:
            fields = [field, *(twins[i] for i in part)]
            counts = [len(train), *(len(others[i]) for i in part)]
            names = [train.name, *(others[i].name for i in part)]
            one = _standardised(fields, counts, names) or _min_max(fields, names)
            if one is not None:
                found.append(one)
                break
    return found


def _standardised(fields: Sequence[Field], counts: Sequence[int], names: Sequence[str]) -> (
    Finding | None
):  # fmt: skip
    train = fields[0]
    n = np.array(counts, np.float64)[:, None]
    means, spreads = (np.array([getattr(f, key) for f in fields]) for key in ("mean", "sd"))
    total = n.sum()
    mean = (n * means).sum(axis=0) / total
    square = (n * (spreads**2 + means**2)).sum(axis=0) / total - mean**2
    spread = np.sqrt(np.maximum(square, 0))
    sample = spread * np.sqrt(total / (total - 1))  # some divide by n - 1

    def is_one(value: np.ndarray) -> np.ndarray:
        return np.abs(value - 1) < ROUNDING

    varies = (spread > 1e-6) & ~train.coded & np.isfinite(spread)
    hits = varies & (np.abs(mean) < ROUNDING) & (is_one(spread) | is_one(sample))
    own = np.maximum(np.abs(means[0]), np.abs(spreads[0] - 1))
    needed = min(SCALED_AT_LEAST, int(varies.sum()))
    if not needed or hits.sum() < needed or not (own[hits] > APART * ROUNDING).all():
        return None
    most = float(np.abs(means[0][hits]).max())
    return _finding(
        train,
        names,
        hits,
        f"{_together(names)} have mean 0 and standard deviation 1 to rounding, and train alone has "
        f"not (its means reach {most:.2g})",
        {"largest_mean_of_train": most, "largest_mean_together": float(np.abs(mean[hits]).max())},
        "warning" if most > MATTERS else "info",
    )


def _min_max(fields: Sequence[Field], names: Sequence[str]) -> Finding | None:
    train = fields[0]
    low, high = np.array([f.low for f in fields]), np.array([f.high for f in fields])
    varies = (high.max(axis=0) > low.min(axis=0)) & ~train.coded
    hits = varies & (low.min(axis=0) == 0) & (np.abs(high.max(axis=0) - 1) < 1e-6)
    # An end that only another split reaches: by chance where many samples lie at 0 or 1.
    elsewhere = hits & ((low[0] > 0) | (high[0] < 1 - 1e-6))
    if hits.sum() < max(ENDS_AT_LEAST, varies.sum()) or elsewhere.sum() < 0.2 * hits.sum():
        return None
    if elsewhere.sum() < 2:
        return None
    return _finding(
        train,
        names,
        hits,
        f"{_together(names)} reach from 0 to 1 exactly, and train alone does not in "
        f"{int(elsewhere.sum())} of them",
        {"features_beyond_train": int(elsewhere.sum())},
    )


def _together(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]} together"


def _finding(
    field: Field,
    names: Sequence[str],
    hits: np.ndarray,
    what: str,
    evidence: dict[str, object],
    severity: Severity = "warning",
) -> Finding:
    features = [field.features[j] for j in np.flatnonzero(hits)]
    shown = ", ".join(features[:3]) + (
        f" and {len(features) - 3} more" if len(features) > 3 else ""
    )
    return Finding(
        "data.leakage",
        severity,
        "scaling" + (f", {field.name}" if field.name else ""),
        f"The scaling was fitted on {' and '.join(names)}: in {shown}, {what}; this is quite sure.",
        {
            "fitted_on": list(names),
            "features": features[:20],
            "features_affected": len(features),
            "confidence": "high",
            **evidence,
        },
        "Split first, then fit the scaler on train alone and apply it to the others: in "
        "scikit-learn, put it into a Pipeline. What was measured on val and test is a little too "
        "good as it is.",
    )
