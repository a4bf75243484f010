"""Does one column of a table give the target away?

A column that says the target on its own is a leak only where that is odd. Each column is asked
alone: on one half of the samples its values learn their most frequent target (or, for amounts, the
target of the nearest value), on the other half they answer. A column is reported where

- it answers at least `ALMOST` of the held-out half right, far more than the largest class would,
- and it is a code of the target (as many distinct values as classes, each of one class), or the
  other columns are far behind, alone and in a linear rule: data whose classes several measurements
  tell apart are merely easy.

Codes are common in data of few columns and small in number by nature, so of more than `CODES`
columns that all give the target away none is reported.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from nbdiag.measures.data_split import Field, FieldKind, Split, percent
from nbdiag.measures.findings import Finding

SAMPLES, COLUMNS = 5000, 2000
ALMOST = 0.99
BEHIND, BEHIND_PERFECT = 0.8, 0.9  # of the gain over the largest class; where one answers all
EXPLAINED, BEHIND_EXPLAINED = 0.999, 0.9  # of the variance of an amount
CODES = 3
INTEGERS = 64  # columns up to which integers are a table
LEAST = 20  # held-out samples
UNLIKELY = 1e-6
ALONE = 3  # columns that a measurement must stand out from


def judge_target_like(train: Split) -> list[Finding]:
    """Findings `data.leakage` for columns of train that give its target away."""
    found = []
    for field in map(_as_table, train.fields):
        rows, whole = field.rows, field.raw_bytes
        if rows is None or field.kind != "table" or not 2 <= rows.shape[1] <= COLUMNS:
            continue
        order = np.argsort(train.hashes, kind="stable")
        at = order[np.searchsorted(train.hashes[order], field.keys)][:SAMPLES]
        sample = rows[:SAMPLES]
        if train.targets.labels is not None:
            odd = _own_values(sample) if whole else np.ones(sample.shape[1], bool)
            found += _classes(train, field, sample, train.targets.labels[at], odd)
        elif train.targets.amounts is not None and not whole:
            found += _amounts(train, field, sample, train.targets.amounts[at])
    return found


def _as_table(field: Field) -> Field:
    """Integers as the columns that they are where there are few; longer rows are sequences."""
    if field.kind != "tokens" or field.rows is None or not len(field.rows):
        return field
    width = 1 + int(np.flatnonzero(field.rows.any(axis=0)).max(initial=-1))
    names = tuple(f"column {j}" for j in range(width))
    kind: FieldKind = "table" if width <= INTEGERS else "tokens"
    return replace(field, kind=kind, features=names, rows=field.rows[:, :width])


def _own_values(rows: np.ndarray) -> np.ndarray:
    """Integer columns of clearly fewer values than the others have: no tokens of one vocabulary."""
    distinct = np.array([len(np.unique(column)) for column in rows.T])
    return distinct <= 0.5 * np.median(distinct)


def _halves(n: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(0).permutation(n)
    return order[: n // 2], order[n // 2 :]


def _classes(
    train: Split, field: Field, rows: np.ndarray, labels: np.ndarray, odd: np.ndarray
) -> list[Finding]:
    """`odd`: which columns may be reported as codes; only where all may, other columns are."""
    from scipy.stats import binom

    names, codes = np.unique(labels, return_inverse=True)
    fit, held = _halves(len(codes))
    if len(held) < LEAST or len(names) < 2:
        return []
    largest = np.bincount(codes).max() / len(codes)
    right = np.array([_answers(column, codes, fit, held) for column in rows.T])
    share = right / len(held)
    unlikely = binom.sf(right - 1, len(held), largest) * rows.shape[1] < UNLIKELY
    good = np.flatnonzero((share >= ALMOST) & unlikely)
    is_code = np.array([_is_code(rows[:, j], codes, len(names)) for j in good], bool)
    chosen = good[is_code & odd[good]]
    if len(chosen) > CODES:
        chosen = good[:0]
    elif not len(chosen) and odd.all():
        chosen = _standing_out(share, good, rows, codes, (fit, held))
    blocks = [] if is_code.any() else _one_hot_block(rows, codes, len(names))
    if not odd[blocks].all():
        blocks = []
    found = [
        _finding(
            train, field, j,
            f"{field.features[j]} alone tells the class of {percent(share[j])} of "
            f"{len(held):,} held-out train samples, where the largest class would get "
            f"{percent(largest)}"
            + (
                ": it is a code of the target"
                if _is_code(rows[:, j], codes, len(names))
                else _others(share, j)
            ),
            {"accuracy": float(share[j]), "largest_class": float(largest), "held_out": len(held)},
        )
        for j in chosen
    ]  # fmt: skip
    if blocks:
        columns = [field.features[j] for j in blocks]
        found.append(
            _finding(
                train, field, blocks[0],
                f"{columns[0]} to {columns[-1]} are the target, one column for each of the "
                f"{len(names)} classes",
                {"columns": columns, "held_out": len(held)},
            )
        )  # fmt: skip
    return found


def _answers(column: np.ndarray, codes: np.ndarray, fit: np.ndarray, held: np.ndarray) -> int:
    """How many of the held-out samples the column gets right alone."""
    column = np.nan_to_num(column)
    values, inverse = np.unique(column[fit], return_inverse=True)
    table = np.zeros((len(values), codes.max() + 1), np.int32)
    np.add.at(table, (inverse, codes[fit]), 1)
    answer = table.argmax(axis=1)[_nearest(values, column[held])]
    return int((answer == codes[held]).sum())


def _nearest(values: np.ndarray, asked: np.ndarray) -> np.ndarray:
    right = np.clip(np.searchsorted(values, asked), 1, max(1, len(values) - 1))
    if len(values) == 1:
        return np.zeros(len(asked), np.int64)
    left = right - 1
    return np.where(asked - values[left] <= values[right] - asked, left, right)


def _is_code(column: np.ndarray, codes: np.ndarray, classes: int) -> bool:
    values, inverse = np.unique(column, return_inverse=True)
    if len(values) > classes:
        return False
    table = np.zeros((len(values), classes), np.int64)
    np.add.at(table, (inverse, codes), 1)
    # Every value of one class, and every class seen: a code, not a measurement that came close.
    return bool(len(values) == classes and table.max(axis=1).sum() >= ALMOST * len(codes))


def _standing_out(
    share: np.ndarray,
    good: np.ndarray,
    rows: np.ndarray,
    codes: np.ndarray,
    halves: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """The one column of `good` where the others are far behind, alone or taken together."""
    if len(good) != 1 or len(share) < ALONE:
        return good[:0]
    rest = np.delete(rows, good[0], axis=1)
    largest = float(np.bincount(codes[halves[1]]).max()) / len(halves[1])
    alone = float(np.delete(share, good[0]).max())
    together = max(alone, _linear(rest, codes, *halves))
    # Of what is left to be gained over the largest class.
    alone, together = (alone - largest) / (1 - largest), (together - largest) / (1 - largest)
    perfect = share[good[0]] == 1 and alone < BEHIND_PERFECT
    return good if perfect or together < BEHIND else good[:0]


def _linear(rows: np.ndarray, codes: np.ndarray, fit: np.ndarray, held: np.ndarray) -> float:
    """Accuracy of a linear rule over all columns, on the held-out half."""
    rows = np.nan_to_num(rows)
    sd = rows[fit].std(axis=0)
    scaled = (rows - rows[fit].mean(axis=0)) / np.where(sd > 0, sd, 1)
    design = np.column_stack([scaled, np.ones(len(rows))]).astype(np.float64)
    answers = np.eye(codes.max() + 1)[codes]
    gram = design[fit].T @ design[fit] + len(fit) * 1e-3 * np.eye(design.shape[1])
    weights = np.linalg.solve(gram, design[fit].T @ answers[fit])
    right = (design[held] @ weights).argmax(axis=1) == codes[held]
    return float(right.mean())


def _others(share: np.ndarray, j: int) -> str:
    return f"; the best of the {len(share) - 1} others tells {percent(np.delete(share, j).max())}"


def _one_hot_block(rows: np.ndarray, codes: np.ndarray, classes: int) -> list[int]:
    """Columns that are the one-hot target, the first of each class; [] where a class has none."""
    if classes < 3:
        return []
    chosen = []
    binary = [j for j in range(rows.shape[1]) if len(np.unique(rows[:1000, j])) == 2]
    for code in range(classes):
        member = codes == code
        n, k = len(codes), int(member.sum())
        ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        same = [j for j in binary if np.array_equal(rows[:, j] == rows[:, j].max(), member)]
        if not same or ways < -math.log(UNLIKELY / (rows.shape[1] * classes)):
            return []
        chosen.append(same[0])
    return chosen


def _amounts(train: Split, field: Field, rows: np.ndarray, amounts: np.ndarray) -> list[Finding]:
    known = np.isfinite(amounts)
    rows, amounts = rows[known], amounts[known]
    fit, held = _halves(len(amounts))
    if len(held) < LEAST or amounts.std() == 0 or rows.shape[1] < ALONE:
        return []
    order = np.argsort(np.argsort(amounts)) / len(amounts)  # ranks: no outlier decides
    explained = np.array([_explained(column, order, fit, held) for column in rows.T])
    best = int(explained.argmax())
    others = float(np.delete(explained, best).max())
    if explained[best] < EXPLAINED or others >= BEHIND_EXPLAINED:
        return []
    return [
        _finding(
            train, field, best,
            f"{field.features[best]} alone explains {100 * explained[best]:.1f} % of the variation "
            f"of the target in {len(held):,} held-out train samples, the best of the "
            f"{rows.shape[1] - 1} others {percent(max(0.0, others))}",
            {"explained": float(explained[best]), "others": others, "held_out": len(held)},
        )
    ]  # fmt: skip


def _explained(column: np.ndarray, target: np.ndarray, fit: np.ndarray, held: np.ndarray) -> float:
    column = np.nan_to_num(column)
    values, inverse = np.unique(column[fit], return_inverse=True)
    mean = np.bincount(inverse, target[fit]) / np.bincount(inverse)
    asked = np.interp(column[held], values, mean)
    error = float(np.square(asked - target[held]).mean())
    return 1 - error / float(target[held].var())


def _finding(
    train: Split, field: Field, column: int, text: str, evidence: dict[str, Any]
) -> Finding:
    subject = ", ".join(part for part in (field.name, field.features[column]) if part)
    return Finding(
        "data.leakage",
        "critical",
        subject,
        text + ".",
        {
            "kind": "target-like feature",
            "feature": field.features[column],
            **train.looked_at(field),
            **evidence,
        },
        "Ask whether this column is known when a prediction is needed: what is written down after "
        "the outcome, or made from it, must go. A true measurement may stay.",
    )
