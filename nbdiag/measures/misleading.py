"""Does accuracy hide an imbalance between the classes? ``metric.misleading``."""

from __future__ import annotations

import numpy as np

from nbdiag.measures.bootstrap import Estimate
from nbdiag.measures.findings import Finding
from nbdiag.measures.intervals import wilson

SURE = 0.99  # level of the intervals that must lie apart
GAP = 0.10  # accuracy's lower end above balanced accuracy's upper end
CROWD = 0.60  # share of the largest class from which classes count as unbalanced


def misleading(
    right: np.ndarray,
    support: np.ndarray,
    told: np.ndarray,
    class_names: tuple[str, ...],
    area: dict[str, Estimate],
) -> list[Finding]:
    """A finding when accuracy looks much better than what the classes get on average.

    Accuracy must lie above balanced accuracy (the mean of the classes' recalls) by `GAP` even
    between the near ends of their intervals, with most samples in one class; it is critical when
    accuracy is also no better than that of always answering the largest class. The interval of the
    mean of recalls is put together from Wilson's of each (MOVER: Donner and Zou, Stat. Methods Med.
    Res. 21, 2012), which does not take 0 of 3 for certain.

    Parameters
    ----------
    right, support, told : (C,) samples told right, true samples, and told samples of each class.
    area : average precision by class name.
    """
    present = support > 0
    n = int(support.sum())
    largest = int(support.argmax())
    if present.sum() < 2 or support[largest] < CROWD * n:
        return []
    recall = right[present] / support[present]
    low, high = wilson(right[present], support[present], SURE)
    balanced = float(recall.mean())
    spread = float(np.sqrt(((high - recall) ** 2).sum())) / len(recall)
    accuracy = float(right.sum() / n)
    accuracy_low = float(wilson(right.sum(), n, SURE)[0])
    if accuracy_low - (balanced + spread) < GAP:
        return []
    base = float(support[largest] / n)
    base_low, base_high = (float(end) for end in wilson(support[largest], n))
    useless = _no_better(right, support, told, largest)
    names = np.asarray(class_names)[present]
    worst = int(np.lexsort((support[present], recall))[0])
    rare = str(names[worst])
    found, of = int(right[present][worst]), int(support[present][worst])
    fits, number = _fitting(class_names, rare, area, balanced, low, high, recall)
    baseline = (
        f"always answering {class_names[largest]} would reach {base:.1%} "
        f"({base_low:.1%} to {base_high:.1%})"
    )
    against = (
        f"is no better than always answering {class_names[largest]}, which reaches {base:.1%} "
        f"({base_low:.1%} to {base_high:.1%})"
        if useless
        else f"hides an imbalance: {baseline}"
    )
    return [
        Finding(
            "metric.misleading",
            "critical" if useless else "warning",
            "accuracy",
            f"Accuracy of {accuracy:.1%} {against}, and of {of} samples of {rare} {found} "
            f"{'is' if found == 1 else 'are'} recognised. "
            f"{fits[0].upper()}{fits[1:]} is {number}.",
            {
                "accuracy": accuracy,
                "accuracy_low": accuracy_low,
                "balanced_accuracy": balanced,
                "balanced_accuracy_high": min(1.0, balanced + spread),
                "baseline": base,
                "baseline_low": base_low,
                "baseline_high": base_high,
                "class": rare,
                "recall": found / of,
                "metric": fits,
                "value": number.value,
                "value_low": number.low,
                "value_high": number.high,
            },
            f"Report {fits} and the recall of {rare} instead of accuracy: "
            f'evaluation.recall_at(precision=0.9, of="{rare}") and evaluation.figure() show what '
            "can be had. Then weight or resample the rare class in training, or choose its "
            "threshold with nd.choose_threshold on a validation split.",
        )
    ]


def _fitting(
    class_names: tuple[str, ...],
    rare: str,
    area: dict[str, Estimate],
    balanced: float,
    low: np.ndarray,
    high: np.ndarray,
    recall: np.ndarray,
) -> tuple[str, Estimate]:
    """The metric that fits: of two classes the rare one is looked for, many count alike."""
    if len(class_names) == 2 and not np.isnan(area[rare].value):
        return f"average precision of {rare}", area[rare]
    below = float(np.sqrt(((recall - low) ** 2).sum())) / len(recall)
    above = float(np.sqrt(((high - recall) ** 2).sum())) / len(recall)
    ends = max(0.0, balanced - below), min(1.0, balanced + above)
    return "balanced accuracy", Estimate(balanced, *ends)


def _no_better(right: np.ndarray, support: np.ndarray, told: np.ndarray, largest: int) -> bool:
    """Whether accuracy is not above the baseline's, on the same samples, beyond chance.

    Model and baseline differ on samples outside the largest class that are right (won) and on
    samples of it that are not (lost): an exact sign test, as McNemar's (1947).
    """
    from scipy.special import bdtrc

    won = int(right.sum() - right[largest])
    lost = int(support[largest] - right[largest])
    if won <= lost:
        return True
    return float(bdtrc(won - 1, won + lost, 0.5)) > 1 - SURE
