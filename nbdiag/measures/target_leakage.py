"""Does one column of a table give the target away?

A column that says the target on its own is a leak only where that is odd. Each column is asked
alone: on one half of the samples its values learn their most frequent target (or, for amounts, the
target of the nearest value), on the other half they answer. A column is reported where

- it answers at least `ALMOST` of the held-out half right, far more than the largest class would,
- and it is a code of the target (as many distinct values as classes, each of one class), or the
  best of the other columns is far behind: data whose classes several measurements tell apart are
  merely easy.

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
BEHIND = 0.9
CODES = 3
INTEGERS = 64  # columns up to which integers are a table
LEAST = 20  # held-out samples
UNLIKELY = 1e-6
ALONE = 3  # columns that a measurement must stand out from


def judge_target_like(train: Split) -> list[Finding]:
    """Findings `data.leakage` for columns of train that give its target away."""
    found = []
    for field in map(_as_table, train.fields):
        rows = field.rows
        if rows is None or field.kind != "table" or not 2 <= rows.shape[1] <= COLUMNS:
            continue
        order = np.argsort(train.hashes, kind="stable")
        at = order[np.searchsorted(train.hashes[order], field.keys)][:SAMPLES]
        sample = rows[:SAMPLES]
        if train.targets.labels is not None:
            found += _classes(train, field, sample, train.targets.labels[at])
        elif train.targets.amounts is not None:
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


def _halves(n: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(0).permutation(n)
    return order[: n // 2], order[n // 2 :]


def _classes(train: Split, field: Field, rows: np.ndarray, labels: np.ndarray) -> list[Finding]:
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
    chosen = good[is_code]
    if not 0 < len(chosen) <= CODES:
        chosen = _standing_out(share, good, largest) if not len(chosen) else chosen[:0]
    blocks = _one_hot_block(rows, codes, len(names)) if not len(chosen) else []
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


def _standing_out(share: np.ndarray, good: np.ndarray, largest: float) -> np.ndarray:
    if len(good) != 1 or len(share) < ALONE:
        return good[:0]
    others = np.delete(share, good[0]).max()
    # Errors count, so that a large class does not hide the distance.
    return good if (1 - others) >= (1 - BEHIND) * min(1.0, 2 * (1 - largest)) else good[:0]


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
    if explained[best] < 0.999 or others >= BEHIND:
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
