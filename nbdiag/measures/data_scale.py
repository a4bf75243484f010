"""Are the inputs on a scale that a network can learn from, and the same in every split?

The rules, and where their numbers come from. Initialisations assume inputs of about unit size, and
plain gradient descent on a layer needs about as many steps as the condition number of the inputs'
second moments: the square of the ratio of the largest to the smallest scale, or of mean to standard
deviation for an offset. So

- `BIG` (30): a feature whose typical value is that large needs a 1000 times smaller learning rate
  than one of unit scale. Raw pixels have 40 to 140; digits of 0 to 16, counts and word counts stay
  below. One column among others must reach `BIG_COLUMN` (60): towards two orders of magnitude.
- `RATIO` (60): scales that differ so much make thousands of steps of one.
- `OFFSET` (10): mean over standard deviation, 100 steps of one, of features that are large as well
  (|mean| >= 10): brightness of 0.9 with a spread of 0.05 is harmless.
- `TINY`: values so small that biases and initial noise drown them, while vectors that were scaled
  to unit length (embeddings) are not.

Scales are quantiles (10 to 90 %), so a heavy tail on a unit scale is none; features that are mostly
one value (zero) are judged by the others; columns of two values, codes, and integers are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbdiag.measures.data_split import Field, Split, plural
from nbdiag.measures.findings import Finding, Severity

BIG, BIG_COLUMN = 30.0, 60.0
RATIO, RATIO_SMALL = 60.0, 1000.0  # the second where no column is above 10
OFFSET = 10.0
TINY, TINY_LENGTH = 0.003, 0.1
ENOUGH = 10  # values of a feature that a scale can be told from
NORMAL = 2.5631  # 10 to 90 % of a normal distribution, in standard deviations
OTHER_SPREAD, OTHER_CENTRE = 3.0, 3.0  # most features of a split scaled otherwise
ODD_SPREAD, ODD_CENTRE = 10.0, 10.0  # a single one
ENOUGH_TO_COMPARE = 30


@dataclass(frozen=True)
class Scales:
    """Of each feature: centre, spread, typical size, and whether it takes part (F,)."""

    centre: np.ndarray
    spread: np.ndarray
    size: np.ndarray
    dense: np.ndarray  # amounts, with enough values and not mostly zero
    sparse: np.ndarray  # mostly one value; `size` is how far the others are from it
    exact: np.ndarray  # takes few values, so that quantiles tell nothing of its spread


def scales_of(field: Field) -> Scales:
    values, width = field.values, len(field.features)
    centre, spread, size = np.zeros((3, width))
    dense, sparse, exact = np.zeros((3, width), bool)
    image = field.kind == "image"
    for j in range(width):
        column = values[:, j]
        column = column[np.isfinite(column)]
        if len(column) < ENOUGH or field.coded[j]:
            continue
        if image:
            # Bounded, so moments are safe; a dark picture's quantiles are all zero.
            centre[j], spread[j] = field.mean[j], field.sd[j]
            size[j] = np.hypot(centre[j], spread[j])
            dense[j] = spread[j] > 0
            continue
        some = column[:1000]
        if len(np.unique(some)) <= 2 and len(np.unique(column)) <= 2:
            centre[j], size[j] = column.mean(), np.abs(column).max()
            spread[j] = column.std()
            exact[j] = True
            continue
        names, counts = np.unique(some, return_counts=True)
        usual = names[counts.argmax()]
        if (column == usual).mean() >= 0.5:
            rest = np.abs(column[column != usual] - usual)
            sparse[j], size[j] = len(rest) >= ENOUGH, np.median(rest)
            continue
        low, middle, high = np.quantile(column, [0.1, 0.5, 0.9])
        centre[j], spread[j] = middle, (high - low) / NORMAL
        if spread[j] <= 1e-7 * abs(middle):
            exact[j] = True
            continue
        size[j] = np.hypot(centre[j], spread[j])
        dense[j] = True
    return Scales(centre, spread, size, dense, sparse, exact)


def judge_scale(splits: Sequence[Split]) -> list[Finding]:
    """Findings `data.unnormalized` of train's inputs, and of splits that are scaled otherwise."""
    train, *others = splits
    found = []
    for field in train.fields:
        if field.kind in ("text", "tokens"):
            continue
        scales = scales_of(field)
        found += _of_train(train, field, scales)
        for split in others:
            twin = next((other for other in split.fields if other.name == field.name), None)
            if twin is not None and twin.features == field.features and twin.kind == field.kind:
                found += _other_scale(field, scales, split, twin)
    return found


def _of_train(split: Split, field: Field, scales: Scales) -> list[Finding]:
    evidence: dict[str, Any] = {"input": field.name or None, **split.looked_at(field)}
    if field.kind == "image":
        return _of_pictures(field, scales, evidence)
    dense = np.flatnonzero(scales.dense)
    troubles: list[str] = []
    guilty: set[int] = set()
    size, spread, centre = scales.size, scales.spread, scales.centre
    if dense.size:
        offset = dense[
            (np.abs(centre[dense]) >= 10) & (np.abs(centre[dense]) >= OFFSET * spread[dense])
        ]
        big = dense[size[dense] >= BIG_COLUMN]
        if float(np.median(size[dense])) >= BIG:
            big = dense[size[dense] >= BIG]
        if big.size:
            worst = big[size[big].argmax()]
            troubles.append(
                f"{_which(field, big)} {_have(big)} typical values of up to {size[worst]:.3g}"
            )
            guilty |= set(big.tolist())
        if offset.size:
            worst = offset[(np.abs(centre[offset]) / spread[offset]).argmax()]
            troubles.append(
                f"{field.features[worst]} lies around {centre[worst]:.3g} and varies by "
                f"{spread[worst]:.2g} only"
            )
            guilty |= set(offset.tolist())
            evidence["offset_over_spread"] = float(abs(centre[worst]) / spread[worst])
        # Of a column that varies rarely, the quantiles see too little.
        least = np.maximum(spread, 0.3 * field.sd)
        low, high = dense[least[dense].argmin()], dense[spread[dense].argmax()]
        ratio = float(spread[high] / least[low])
        evidence["ratio_of_spreads"] = ratio
        wide = RATIO if spread[high] >= 10 else RATIO_SMALL
        if ratio >= wide and field.kind == "table" and not _principal_components(field, scales):
            troubles.append(
                f"{field.features[high]} varies {ratio:.2g} times as much as {field.features[low]}"
            )
            middle = float(np.median(spread[dense]))
            odd = {int(high)} if spread[high] >= 10 * middle else set()
            odd |= {int(low)} if middle >= 10 * least[low] else set()
            guilty |= odd or {int(low), int(high)}
        if not troubles and _tiny(field, scales, dense):
            troubles.append(f"the values vary by {float(np.median(spread[dense])):.1g} only")
            guilty |= set(dense.tolist())
    heavy = np.flatnonzero(scales.sparse & (size >= BIG_COLUMN))
    if heavy.size:
        worst = heavy[size[heavy].argmax()]
        troubles.append(
            f"{_which(field, heavy)}, mostly at one value, {_have(heavy)} others about "
            f"{size[worst]:.3g} away"
        )
        guilty |= set(heavy.tolist())
    codes = np.flatnonzero(scales.exact & (spread >= BIG_COLUMN))
    if codes.size:
        troubles.append(f"{_which(field, codes)} {_have(codes)} values of {size[codes].max():.3g}")
        guilty |= set(codes.tolist())
    if not troubles:
        return []
    features = sorted(guilty)
    evidence["features"] = {
        field.features[j]: {
            "centre": float(centre[j]),
            "spread": float(spread[j]),
            "typical": float(size[j]),
        }
        for j in features[:20]
    }
    biggest = max(float(size[features].max()), 1e-30)
    ratio = float(evidence.get("ratio_of_spreads", 1.0))
    severity: Severity = "critical" if biggest >= 1000 or ratio >= 1e4 else "warning"
    remedy = (
        "Standardise each column, in all splits, with the mean and standard deviation of train "
        "(StandardScaler().fit(train))"
    )
    if _skewed(field, features):
        remedy += "; take the logarithm first of amounts that span orders of magnitude"
    remedy += "."
    return [_finding(severity, split, field, features, "; ".join(troubles), evidence, remedy)]


def _of_pictures(field: Field, scales: Scales, evidence: dict[str, Any]) -> list[Finding]:
    largest = float(max(np.abs(field.low).max(), np.abs(field.high).max()))
    size, spread = float(scales.size.max()), float(scales.spread.max())
    evidence |= {
        "channels": {
            name: {"mean": float(m), "sd": float(s), "low": float(a), "high": float(b)}
            for name, m, s, a, b in zip(
                field.features, field.mean, field.sd, field.low, field.high, strict=True
            )
        }
    }
    pixels = 128 <= largest <= 255 and float(field.low.min()) >= 0
    if size >= BIG or (largest >= 100 and spread >= 10):
        text = (
            f"The pixels of train run from {float(field.low.min()):.3g} to "
            f"{float(field.high.max()):.3g}, with a mean of {float(field.mean.mean()):.3g} and a "
            f"standard deviation of {float(field.sd.mean()):.3g}"
        )
        if field.raw_bytes:
            text += ": whole numbers, fine only where the model or the loop scales them"
        how = (
            "Divide by 255 (transforms.ToDtype(torch.float32, scale=True)), then" if pixels else ""
        )
        how = f"{how} subtract the mean and divide by the standard deviation of train".strip()
        return [
            Finding(
                "data.unnormalized",
                "info" if field.raw_bytes else "warning",
                "train" + (f", {field.name}" if field.name else ""),
                text + ".",
                evidence,
                how[0].upper() + how[1:] + " for every split alike.",
            )
        ]
    if not field.raw_bytes and spread > 0 and size < TINY:
        return [
            Finding(
                "data.unnormalized",
                "warning",
                "train" + (f", {field.name}" if field.name else ""),
                f"The pixels of train are tiny: at most {largest:.2g}, with a standard deviation "
                f"of {spread:.1g}.",
                evidence,
                "Look whether they are divided by 255 twice; scale to zero mean and unit standard "
                "deviation with the statistics of train.",
            )
        ]
    return []


def _tiny(field: Field, scales: Scales, dense: np.ndarray) -> bool:
    length = float(np.sqrt((scales.size[dense] ** 2).sum()))
    return float(scales.size[dense].max()) < TINY and length < TINY_LENGTH


def _principal_components(field: Field, scales: Scales) -> bool:
    """Uncorrelated columns around zero in falling order: their scales differ on purpose."""
    if field.rows is None or len(scales.spread) < 3 or not scales.dense.all():
        return False
    sd = field.sd
    if np.any(np.diff(sd) > 0.1 * sd[:-1]) or np.any(np.abs(field.mean) > 0.5 * sd):
        return False
    rows = field.rows[np.isfinite(field.rows).all(axis=1)]
    if len(rows) < 3 * rows.shape[1]:
        return False
    correlation = np.corrcoef(rows, rowvar=False)
    return float(np.abs(correlation - np.eye(len(correlation))).mean()) < 0.05


def _skewed(field: Field, features: Sequence[int]) -> bool:
    for j in features:
        column = field.values[:, j]
        column = column[np.isfinite(column) & (column > 0)]
        if len(column) >= ENOUGH and field.low[j] >= 0:
            low, middle, high = np.quantile(column, [0.02, 0.5, 0.98])
            if high > 30 * low and high > 5 * middle:
                return True
    return False


def _other_scale(field: Field, train: Scales, split: Split, twin: Field) -> list[Finding]:
    other = scales_of(twin)
    both = np.flatnonzero(train.dense & (other.dense | other.exact | other.sparse))
    if min(len(field.keys), len(twin.keys)) < ENOUGH_TO_COMPARE or not both.size:
        return []
    both = np.flatnonzero(train.dense & other.dense)
    if not both.size:
        return []
    ratio = other.spread[both] / train.spread[both]
    times = np.maximum(ratio, 1 / ratio)
    away = np.abs(other.centre[both] - train.centre[both]) / np.maximum(
        train.spread[both], other.spread[both] if field.kind != "image" else train.spread[both]
    )
    most = (times >= OTHER_SPREAD) | (away >= OTHER_CENTRE)
    odd = (times >= ODD_SPREAD) | (away >= ODD_CENTRE)
    if not (most.mean() >= 0.5 or odd.any()):
        return []
    guilty = both[most] if most.mean() >= 0.5 else both[odd]
    worst = both[np.maximum(times / OTHER_SPREAD, away / OTHER_CENTRE).argmax()]
    name = field.features[worst]
    evidence: dict[str, Any] = {
        "split": split.name,
        "features_scaled_otherwise": len(guilty),
        "features": {
            field.features[j]: {
                "train_centre": float(train.centre[j]),
                "train_spread": float(train.spread[j]),
                f"{split.name}_centre": float(other.centre[j]),
                f"{split.name}_spread": float(other.spread[j]),
            }
            for j in guilty[:20]
        },
        "compared": len(both),
        **split.looked_at(twin),
    }
    return [
        Finding(
            "data.unnormalized",
            "critical",
            f"{split.name}" + (f", {field.name}" if field.name else ""),
            f"{split.name} is scaled otherwise than train in {len(guilty)} of "
            f"{plural(len(both), 'feature')}: {name} has a centre of {other.centre[worst]:.3g} and "
            f"a spread of {other.spread[worst]:.3g}, in train {train.centre[worst]:.3g} and "
            f"{train.spread[worst]:.3g}.",
            evidence,
            f"Apply to {split.name} the transform of train, with the numbers that were fitted on "
            "train.",
        )
    ]


def _which(field: Field, features: np.ndarray) -> str:
    names = [field.features[j] for j in features[:3]]
    rest = len(features) - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest else "")


def _have(features: np.ndarray) -> str:
    return "has" if len(features) == 1 else "have"


def _finding(
    severity: Severity,
    split: Split,
    field: Field,
    features: Sequence[int],
    text: str,
    evidence: dict[str, Any],
    remedy: str,
) -> Finding:
    subject = split.name
    if field.name:
        subject += f", {field.name}"
    if len(features) <= 2:
        subject += ", " + " and ".join(field.features[j] for j in features)
    message = f"In {split.name}, {text}."
    return Finding("data.unnormalized", severity, subject, message, evidence, remedy)
