"""Are there several classes, does each batch see them, and are some far rarer than others?

The rules, and where their numbers come from:

- A class is **rare** where the largest holds `RATIO` times as many samples: at 8 to 1 the answer
  that never looks at the input is right in 89 % of two-class samples, and accuracy stops telling
  models apart. Ratios of small counts are chance (of 100 equal classes of 5 samples each, one
  holds 12 and another 1), so the rare class must also be too small for a count that came from a
  class `SURE` times less common than the largest: the upper end of its 99 % interval says so.
- Batches **hold one class** where the order of an unshuffled loader makes most of them so, and
  shuffling would make fewer than one in ten so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nbdiag.measures.data_split import Split, first_ids, percent, plural
from nbdiag.measures.findings import Finding, Severity
from nbdiag.measures.targets import IGNORED

RATIO = 8.0
SURE = 5.0
WARN, CRITICAL = 20.0, 100.0
FEW = 10  # so few samples of a class can hardly be learnt from
NAMED = 10  # classes in a message
SINGLE_BATCHES, BY_CHANCE = 0.5, 0.1


def counts_of(split: Split) -> dict[Any, int]:
    """Samples of each class, in the order of the class names; {} where there are no classes."""
    labels = _labels(split)
    if labels is None:
        return {}
    names, counts = np.unique(labels, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _labels(split: Split) -> np.ndarray | None:
    labels = split.targets.labels
    if labels is None:
        return None
    return labels[labels != ("" if labels.dtype.kind in "US" else IGNORED)]


def judge_classes(splits: Sequence[Split]) -> list[Finding]:
    """Findings `data.single_class` and `data.imbalanced` of all splits."""
    train, *others = splits
    counts = {split.name: counts_of(split) for split in splits}
    found = []
    for split in splits:
        found += _one_class(split, counts[split.name], split is train)
        found += _one_valued_targets(split)
    if len(counts[train.name]) > 1:
        for split in others:
            found += _absent_from_train(split, counts[train.name])
        found += _sorted_batches(train)
        found += _imbalance(train, counts[train.name])
    return found


def _one_class(split: Split, counts: dict[Any, int], training: bool) -> list[Finding]:
    if len(counts) != 1:
        return []
    ((name, n),) = counts.items()
    if not training and n < 2:
        return []
    why = (
        "a model learns to answer it always"
        if training
        else "no error on any other class can be seen there"
    )
    severity: Severity = "critical" if training else "warning"
    return [
        Finding(
            "data.single_class",
            severity,
            split.name,
            f"All {n:,} samples of {split.name} belong to class {name}, so {why}.",
            {"split": split.name, "classes": 1, "class": name, "samples": n},
            "Look at how the labels are read and how the data are split: a sorted data set that is "
            "cut in two gives each part its own classes; split at random, by class "
            "(stratified).",
        )
    ]


def _one_valued_targets(split: Split) -> list[Finding]:
    """Masks of one class, labels of a multi-label target that never or always apply, constants."""
    targets, n = split.targets, len(split)
    if n < 2:
        return []
    evidence: dict[str, Any] = {"split": split.name, "samples": n}
    if targets.kind == "mask" and len(targets.names) == 1:
        name = targets.names[0]
        message = f"Every pixel of the {n:,} masks of {split.name} is class {name}."
        remedy = "Look at how the masks are read: resizing or a wrong channel may have erased them."
        subject = split.name
    elif targets.kind == "multilabel" and split.name == "train":
        never = np.flatnonzero(targets.positives == 0).tolist()
        always = np.flatnonzero(targets.positives == n).tolist()
        if not never and not always:
            return []
        parts = [f"label {_some(never)} never applies"] if never else []
        parts += [f"label {_some(always)} always applies"] if always else []
        message = f"In the {n:,} samples of train, {' and '.join(parts)}, so it cannot be learnt."
        remedy = (
            "Check how these labels are encoded; leave them out, or split so that train has them."
        )
        evidence |= {"never": never, "always": always}
        subject = f"label {_some(never or always)}"
    elif targets.kind == "regression" and _constant(targets.amounts) and split.name == "train":
        assert targets.amounts is not None
        value = float(targets.amounts[np.isfinite(targets.amounts)][0])
        message = f"All {n:,} targets of train are {value:g}."
        remedy = "Look at how the targets are read: there is nothing to learn from a constant."
        evidence |= {"value": value}
        subject = split.name
    else:
        return []
    return [Finding("data.single_class", "critical", subject, message, evidence, remedy)]


def _constant(amounts: np.ndarray | None) -> bool:
    if amounts is None:
        return False
    known = amounts[np.isfinite(amounts)]
    return len(known) > 1 and bool((known == known[0]).all())


def _absent_from_train(split: Split, known: dict[Any, int]) -> list[Finding]:
    labels = split.targets.labels
    counts = counts_of(split)
    absent = [name for name in counts if name not in known]
    if labels is None or not absent or split.targets.amounts is not None:
        return []
    missed = sum(counts[name] for name in absent)
    ids = split.ids[np.isin(labels, absent)]
    share = missed / sum(counts.values())
    which = f"class {_some(absent)}" if len(absent) == 1 else f"classes {_some(absent)}"
    return [
        Finding(
            "data.single_class",
            "critical" if share >= 0.01 else "warning",
            f"class {_some(absent)}",
            f"{plural(missed, 'sample')} of {split.name} ({percent(share)}) belong to {which}, of "
            "which train has none, so the model cannot get them right.",
            {
                "split": split.name,
                "absent_from_train": absent,
                "samples": missed,
                "share": share,
                "ids": first_ids(ids),
                "classes_in_train": len(known),
            },
            "Split at random, by class (stratified), and check that both splits number the classes "
            "alike; a class that is new on purpose cannot be judged by accuracy.",
        )
    ]


def _sorted_batches(train: Split) -> list[Finding]:
    loading, labels = train.loading, train.targets.labels
    if loading is None or not loading.in_order or labels is None or loading.batch_size < 2:
        return []
    size = loading.batch_size
    whole = len(labels) // size
    if whole < 2:
        return []
    batches = labels[: whole * size].reshape(whole, size)
    single = int((batches == batches[:, :1]).all(axis=1).sum())
    shares = np.array(list(counts_of(train).values())) / len(labels)
    by_chance = float((shares**size).sum())
    if single / whole < SINGLE_BATCHES or by_chance > BY_CHANCE:
        return []
    return [
        Finding(
            "data.single_class",
            "critical",
            "train batches",
            f"{single:,} of the {whole:,} batches of {size} that the train loader gives hold one "
            f"class only, although train has {len(shares)}: the data are sorted by class and the "
            "loader does not shuffle.",
            {
                "batches": whole,
                "single_class_batches": single,
                "share": single / whole,
                "share_if_shuffled": by_chance,
                "batch_size": size,
                "classes": len(shares),
            },
            "Give the train loader shuffle=True.",
        )
    ]


def _imbalance(train: Split, counts: dict[Any, int]) -> list[Finding]:
    from scipy.stats import chi2

    if train.targets.amounts is not None:
        return []
    names, n = list(counts), np.array(list(counts.values()), float)
    if train.loading is not None and train.loading.weights is not None:
        # What the training sees is what the sampler draws.
        labels, weights = train.targets.labels, train.loading.weights
        assert labels is not None
        drawn = np.array([weights[labels == name].sum() for name in names])
        if drawn.min() > 0 and drawn.max() / drawn.min() < RATIO:
            return []
    largest = n.max()
    upper = chi2.ppf(0.99, 2 * n + 2) / 2  # of the Poisson mean behind a count
    rare = np.flatnonzero((n * RATIO <= largest) & (upper * SURE <= largest))
    if not rare.size:
        return []
    order = rare[np.argsort(n[rare], kind="stable")]
    fewest, ratio = int(n[order[0]]), largest / n[order[0]]
    severity: Severity = "info"
    if ratio >= CRITICAL or (ratio >= WARN and fewest < FEW):
        severity = "critical"
    elif ratio >= WARN or fewest < FEW:
        severity = "warning"
    top = names[int(n.argmax())]
    constant = largest / n.sum()
    listed = ", ".join(f"{names[i]} ({int(n[i]):,})" for i in order[:NAMED])
    more = f" and {len(order) - NAMED} more" if len(order) > NAMED else ""
    return [
        Finding(
            "data.imbalanced",
            severity,
            f"class {_some([names[i] for i in order])}",
            f"The largest class of train, {top}, has {int(largest):,} samples, {ratio:.0f} times "
            f"as many as the smallest; rare: class {listed}{more}. Answering {top} always is right "
            f"in {percent(constant)} of train.",
            {
                "ratio": float(ratio),
                "largest": top,
                "largest_count": int(largest),
                "rare": {str(names[i]): int(n[i]) for i in order[:100]},
                "rare_classes": len(order),
                "classes": len(names),
                "smallest_count": fewest,
                "constant_answer_accuracy": float(constant),
                "samples": int(n.sum()),
            },
            "Judge by "
            + (
                "average precision and the precision-recall curve of the rare class"
                if len(names) == 2
                else "balanced accuracy or macro F1, and the recall of each rare class"
            )
            + ", not by accuracy; split by class (stratified); weight the loss or draw rare "
            "classes more often"
            + (f"; {fewest} samples are few to learn from: collect more." if fewest < FEW else "."),
        )
    ]


def _some(names: Sequence[Any]) -> str:
    """
    >>> _some([3]), _some(list(range(20)))
    ('3', '0, 1, 2 and 17 more')
    """
    if len(names) <= 4:
        return ", ".join(map(str, names))
    return ", ".join(map(str, names[:3])) + f" and {len(names) - 3} more"
