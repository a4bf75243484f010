"""Are the data sound before training? The rules over what was read of train, val and test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nbdiag.measures.class_balance import judge_classes
from nbdiag.measures.data_scale import judge_scale
from nbdiag.measures.data_split import Field, NotFinite, Split, percent, plural
from nbdiag.measures.findings import Finding, by_severity
from nbdiag.measures.fitted_scaling import judge_fitted_scaling
from nbdiag.measures.near_duplicates import judge_near
from nbdiag.measures.shared_samples import judge_shared
from nbdiag.measures.target_leakage import judge_target_like


def judge_data(splits: Sequence[Split]) -> list[Finding]:
    """All findings, most severe first. The first split is train.

    Raises ValueError where the splits do not hold the same inputs.
    """
    _fit_together(splits)
    found = [finding for split in splits for finding in _not_finite(split)]
    found += judge_scale(splits)
    found += judge_classes(splits)
    found += judge_shared(splits)
    found += judge_near(splits)
    found += judge_target_like(splits[0])
    found += judge_fitted_scaling(splits)
    return by_severity(found)


def _fit_together(splits: Sequence[Split]) -> None:
    train, *others = splits
    for split in others:
        names = [field.name for field in train.fields], [field.name for field in split.fields]
        if sorted(names[0]) != sorted(names[1]):
            raise ValueError(
                f"train and {split.name} must hold the same inputs, got {names[0]} and {names[1]}"
            )
        for field in train.fields:
            twin = next(other for other in split.fields if other.name == field.name)
            if field.kind == twin.kind == "table" and len(field.features) != len(twin.features):
                raise ValueError(
                    f"train has {plural(len(field.features), 'column')}, {split.name} has "
                    f"{len(twin.features)}"
                )


def _not_finite(split: Split) -> list[Finding]:
    found = []
    for field in split.fields:
        if field.not_finite.samples:
            found.append(_in_inputs(split, field))
    bad = split.targets.not_finite
    if bad.samples:
        found.append(_in_targets(split, bad))
    return found


def _in_inputs(split: Split, field: Field) -> Finding:
    bad = field.not_finite
    guilty = np.flatnonzero(bad.nan + bad.infinite)
    order = guilty[np.argsort(-(bad.nan + bad.infinite)[guilty], kind="stable")]
    features = {
        field.features[j]: {"nan": int(bad.nan[j]), "infinite": int(bad.infinite[j])}
        for j in order[:20]
    }
    names = list(features)[:3]
    where = ", ".join(names) + (f" and {len(order) - len(names)} more" if len(order) > 3 else "")
    single = len(field.features) == 1
    share = bad.samples / len(split)
    what = _what(int(bad.nan.sum()), int(bad.infinite.sum()))
    subject = split.name + (f", {field.name}" if field.name else "")
    if len(order) == 1 and not single:
        subject += f", {names[0]}"
    empty = [field.features[j] for j in order if bad.nan[j] == len(split)]
    remedy = (
        "Find out where they come from before filling them in: a missing value (fill with the "
        "median of train and add a column that says so), a division by zero or a logarithm of 0 "
        "(repair the step), an overflow of float16. One such sample makes the loss NaN."
    )
    if empty:
        remedy = f"Leave out {', '.join(empty[:5])}, which has no value at all. {remedy}"
    return Finding(
        "data.nonfinite",
        "critical",
        subject,
        f"{plural(bad.samples, 'sample')} of the {len(split):,} of {split.name} "
        f"({percent(share)}) {_hold(bad.samples)} {what}"
        + ("" if single else f" in {where}")
        + ".",
        {
            "split": split.name,
            "input": field.name or None,
            "samples": bad.samples,
            "share": share,
            "features": features,
            "features_affected": len(order),
            "ids": list(bad.ids),
        },
        remedy,
    )


def _in_targets(split: Split, bad: NotFinite) -> Finding:
    share = bad.samples / len(split)
    what = _what(int(bad.nan.sum()), int(bad.infinite.sum()))
    verb = "has" if bad.samples == 1 else "have"
    return Finding(
        "data.nonfinite",
        "critical",
        f"{split.name}, target",
        f"{plural(bad.samples, 'sample')} of the {len(split):,} of {split.name} "
        f"({percent(share)}) {verb} {what} in the target.",
        {
            "split": split.name,
            "samples": bad.samples,
            "share": share,
            "nan": int(bad.nan.sum()),
            "infinite": int(bad.infinite.sum()),
            "ids": list(bad.ids),
        },
        "Leave samples without a target out, or repair the step that computes it: one of them "
        "makes the loss NaN.",
    )


def _what(nan: int, infinite: int) -> str:
    return " and ".join([*(["NaN"] if nan else []), *(["infinity"] if infinite else [])])


def _hold(samples: int) -> str:
    return "holds" if samples == 1 else "hold"
