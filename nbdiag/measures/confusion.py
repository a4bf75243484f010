"""Which classes are weak, and which confusions are systematic? Judged from a confusion matrix.

Both rules are built to stay silent on a sound model with a hard class or two: the evidence must
hold after correction for the number of comparisons, and the effect must be large besides.
"""

from __future__ import annotations

import numpy as np

from nbdiag.measures.findings import Finding
from nbdiag.measures.intervals import wilson

ALPHA = 0.01  # for the whole table, shared out over its comparisons
WEAK_MARGIN = 0.10  # recall: the class's upper end lies this far below the others' lower end
WEAK_ERROR_RATIO = 2.0  # and it errs at least this many times as often as the others
CONFUSED_AT_LEAST = 10  # samples
CONFUSED_OF_CLASS = 0.10  # share of the class's samples
CONFUSED_OVER_CHANCE = 0.35  # share of the class's errors, above what the others' sizes explain
SEVERAL = 3  # classes taken for the same one: that is one fault, not one a class


def weak_classes(
    matrix: np.ndarray, nonfinite: np.ndarray, class_names: tuple[str, ...]
) -> list[Finding]:
    """``class.weak`` for each class that is recognised far less often than the others together.

    Wilson intervals of the class's recall and of the others' pooled recall, at a level shared out
    over the C classes (Bonferroni), must lie apart by `WEAK_MARGIN`.
    """
    support = matrix.sum(axis=1) + nonfinite
    right = matrix.diagonal()
    others, others_right = support.sum() - support, right.sum() - right
    confidence = 1 - ALPHA / len(class_names)
    _, high = wilson(right, support, confidence)
    low, _ = wilson(others_right, others, confidence)
    found = []
    for i in np.flatnonzero((high + WEAK_MARGIN <= low) & (support > 0)):
        recall, rest = right[i] / support[i], others_right[i] / others[i]
        if 1 - recall < WEAK_ERROR_RATIO * (1 - rest):
            continue
        found.append(
            Finding(
                "class.weak",
                "critical" if recall < rest / 2 else "warning",
                class_names[i],
                f"Class {class_names[i]} is recognised in {right[i]} of {support[i]} samples "
                f"({recall:.0%}), the other classes in {rest:.0%}.",
                {
                    "recall": float(recall),
                    "recall_high": float(high[i]),
                    "others_recall": float(rest),
                    "others_recall_low": float(low[i]),
                    "samples": int(support[i]),
                },
                f"Open the row of {class_names[i]} and look at its errors; count its samples in "
                "the training set, and check their labels. If it is rare there, collect more or "
                "weight it in the loss.",
            )
        )
    return found


def systematic_confusions(matrix: np.ndarray, class_names: tuple[str, ...]) -> list[Finding]:
    """``confusion.systematic`` for each cell that takes far more errors than its share.

    Chance: each error of a row lands on another class in proportion to how often the model
    predicts that class. Exact binomial upper tail, shared out over the C (C - 1) cells
    (Bonferroni). With two classes there is only one way to err, and nothing to find. Three or more
    classes that are taken for the same one make a single finding.
    """
    from scipy.special import bdtrc

    classes = len(class_names)
    if classes < 3:
        return []
    support = matrix.sum(axis=1)
    errors = support - matrix.diagonal()
    told = matrix.sum(axis=0)
    candidates = matrix >= np.maximum(CONFUSED_AT_LEAST, CONFUSED_OF_CLASS * support)[:, None]
    np.fill_diagonal(candidates, False)
    found = []
    for true, wrong in np.argwhere(candidates):
        count = int(matrix[true, wrong])
        expected = told[wrong] / (told.sum() - told[true])
        share = count / errors[true]
        chance = float(bdtrc(count - 1, int(errors[true]), expected))
        if share - expected < CONFUSED_OVER_CHANCE or chance > ALPHA / (classes * (classes - 1)):
            continue
        name, taken = class_names[true], class_names[wrong]
        found.append(
            Finding(
                "confusion.systematic",
                "warning",
                f"{name} -> {taken}",
                f"{count} of {support[true]} samples of class {name} are taken for {taken}: "
                f"{share:.0%} of its errors, where {expected:.0%} would be its share.",
                {
                    "true": int(true),
                    "predicted": int(wrong),
                    "count": count,
                    "errors": int(errors[true]),
                    "share": float(share),
                    "expected_share": float(expected),
                    "p_value": chance,
                },
                f"Open the cell {name} -> {taken}: if its samples are mislabelled, correct them; "
                "if the overlays look beside the object, change what the two classes have in "
                "common there; otherwise add samples that tell the two apart.",
            )
        )
    found.sort(key=lambda finding: -finding.evidence["count"])
    return _several_at_once(found, matrix, class_names)


def _several_at_once(
    found: list[Finding], matrix: np.ndarray, class_names: tuple[str, ...]
) -> list[Finding]:
    """Findings of several classes taken for the same one, made into a single one."""
    merged: list[Finding] = []
    for wrong, taken in enumerate(class_names):
        pairs = [finding for finding in found if finding.evidence["predicted"] == wrong]
        if len(pairs) < SEVERAL:
            continue
        found = [finding for finding in found if finding not in pairs]
        count = int(matrix[:, wrong].sum() - matrix[wrong, wrong])
        errors = int(matrix.sum() - matrix.trace())
        names = [class_names[finding.evidence["true"]] for finding in pairs]
        merged.append(
            Finding(
                "confusion.systematic",
                "critical" if count > errors / 2 else "warning",
                f"several -> {taken}",
                f"{count} samples of other classes are taken for {taken}, {count / errors:.0%} of "
                f"all errors; {len(pairs)} classes much more than their share: "
                f"{', '.join(names[:8])}{'…' if len(names) > 8 else ''}.",
                {"count": count, "errors": errors, "classes": len(pairs), "predicted": wrong},
                f"Open some of these cells and look for what their samples share with {taken} "
                "besides the class: background, source, writer, time. Compare that with the "
                f"training samples of {taken}, and break the link there.",
            )
        )
    return [*merged, *found]
