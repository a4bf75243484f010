"""How an evaluation reads: as plain text, as a table in a notebook, and its remarks in words."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from nbdiag.measures.class_scores import METRICS, SHARED_UP_TO
from nbdiag.measures.findings import by_severity, text_lines
from nbdiag.measures.predictions import Predictions

if TYPE_CHECKING:
    from nbdiag.measures.bootstrap import Estimate
    from nbdiag.measures.evaluation import Evaluation

HEADS = {
    "precision": "Precision", "recall": "Recall", "f1": "F1", "roc_auc": "ROC-AUC",
    "average_precision": "Avg. precision", "brier": "Brier", "log_loss": "Log loss", "ece": "ECE",
    "accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy",
}  # fmt: skip
ROWS = 30  # classes in the table; of more, the least and the best recognised
NAMED = 5


def notes_on(
    predictions: Predictions, support: np.ndarray, told: np.ndarray, taken: int, asked: int
) -> tuple[str, ...]:
    """What is not defined, what was left out, and what was lowered."""
    names = np.asarray(predictions.class_names)
    absent, silent = support == 0, (told == 0) & (support > 0)
    notes = []
    if absent.any():
        notes.append(
            f"{listed(names[absent])}: no sample, so recall, F1, ROC-AUC and average precision are "
            "not defined and left out of the averages"
        )
    if (support > 0).sum() == 1:
        notes.append("all samples are of one class: there is nothing to tell it from")
    if silent.any():
        notes.append(
            f"{listed(names[silent])}: never predicted, so precision is not defined and left "
            "out of its average, which looks better than it is"
        )
    if (told[absent] > 0).any():
        wrong = names[absent & (told > 0)]
        notes.append(f"{listed(wrong)}: predicted, but no sample is; precision is 0")
    if predictions.n_nonfinite:
        notes.append(
            f"{predictions.n_nonfinite} of {len(predictions)} samples have no finite answer: wrong "
            "in accuracy and recall, never found in average precision, every comparison lost in "
            "ROC-AUC; Brier score, log loss and ECE leave them out"
        )
    rows = np.flatnonzero(predictions.finite)
    zero = int((predictions.probabilities[rows, predictions.targets[rows]] == 0).sum())
    if zero:
        notes.append(
            f"{zero} {'sample has' if zero == 1 else 'samples have'} a probability of exactly 0 "
            "for the true class, counted as 1.2e-7 in the log loss"
        )
    if taken < asked:
        notes.append(
            f"intervals from {taken:,} resamples instead of {asked:,}: there are "
            f"{len(predictions):,} samples of {predictions.n_classes:,} classes"
        )
    if len(predictions) * predictions.n_classes > SHARED_UP_TO:
        notes.append(
            "ROC-AUC and average precision of each class have resamples of their own; the "
            "intervals of their averages take the classes as independent"
        )
    return tuple(notes)


def listed(names: np.ndarray) -> str:
    """A few names, and how many more.

    >>> listed(np.array(["a", "b"])), listed(np.array(list("abcdefgh")))
    ('a, b', 'a, b, c, d, e and 3 more')
    """
    shown = ", ".join(str(name) for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def text_of(evaluation: Evaluation) -> str:
    """Counts, the digits that are sure, and the diagnosis."""
    overall = evaluation.overall
    lines = [
        f"Evaluation: {len(evaluation.predictions)} samples, "
        f"{len(evaluation.class_names)} classes, accuracy {overall['accuracy']}, "
        f"balanced accuracy {overall['balanced_accuracy']} "
        f"({_level(evaluation)} intervals from {evaluation.resamples:,} resamples)",
        *text_lines(evaluation.findings()),
        *(f"note: {note}" for note in evaluation.notes),
    ]
    return "\n".join(lines)


ROW = '<tr style="background:none">'
LINE = "border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.35));"
CELL = "padding:3px 10px;text-align:right;white-space:nowrap;"
NAME = "padding:3px 10px 3px 0;text-align:left;"
MUTED = "color:var(--jp-ui-font-color2,#6b7078);"
EDGE = {
    "info": "var(--jp-info-color1,#0969da)",
    "warning": "var(--jp-warn-color1,#b26a00)",
    "critical": "var(--jp-error-color1,#cf222e)",
}
SIGN = {"info": "i", "warning": "!", "critical": "✕"}


def table_of(evaluation: Evaluation) -> str:
    """A compact table; every number with the digits that its interval supports and no more.

    A saved notebook is compared with a fresh run, so the ends of the intervals, and the numbers
    within findings, stay in `to_frame`, `figure` and `findings`.
    """
    overall = evaluation.overall
    head = (
        f'<div style="margin:0 0 6px"><b>Evaluation</b> <span style="{MUTED}">'
        f"{len(evaluation.predictions):,} samples, {len(evaluation.class_names):,} classes</span>"
        f"&ensp; accuracy <b>{_value(overall['accuracy'])}</b>"
        f"&ensp; balanced accuracy <b>{_value(overall['balanced_accuracy'])}</b></div>"
    )
    found = "".join(
        f'<div style="margin:0 0 6px;padding:2px 8px;border-left:3px solid {EDGE[one.severity]}">'
        f"<b>{SIGN[one.severity]} {one.severity.capitalize()}: {one.code}</b> in "
        f"{escape(one.subject)}. {_advice(evaluation)}</div>"
        for one in by_severity(evaluation.findings())
    )
    titles = "".join(
        f'<th scope="col" style="{CELL}{LINE}font-weight:600">{head}</th>'
        for head in ("Samples", *(HEADS[metric] for metric in METRICS))
    )
    top = f'{ROW}<th scope="col" style="{NAME}{LINE}font-weight:600">Class</th>{titles}</tr>'
    shown, left_out = _chosen(evaluation)
    body = []
    for number in shown:
        values = {metric: evaluation.by_class[metric][number] for metric in METRICS}
        body.append(
            _row(evaluation.class_names[number], f"{int(evaluation.support[number]):,}", values)
        )
        if left_out and number == shown[ROWS // 2 - 1]:
            body.append(
                f'{ROW}<td style="{NAME}{MUTED}" colspan="{len(METRICS) + 2}">'
                f"{left_out:,} classes between, by recall</td></tr>"
            )
    averages = [
        _row("mean of classes", "", dict(evaluation.macro), first=True),
        _row("mean by samples", "", dict(evaluation.weighted)),
        _row("whole predictions", f"{len(evaluation.predictions):,}", dict(overall)),
    ]
    notes = [
        f"The digits are those that the {_level(evaluation)} intervals support "
        f"({evaluation.resamples:,} resamples); the intervals are in to_frame() and figure().",
        *evaluation.notes,
    ]
    foot = "".join(f"<div>{escape(note)}</div>" for note in notes)
    return (
        '<div style="overflow-x:auto;font-size:13px;font-variant-numeric:tabular-nums;'
        'color:var(--jp-ui-font-color1,inherit)">'
        f'{head}{found}<table style="border-collapse:collapse;margin:0;'
        'font-size:inherit;color:inherit">'
        f"<thead>{top}</thead><tbody>{''.join(body)}{''.join(averages)}</tbody></table>"
        f'<div style="{MUTED}margin-top:6px;font-size:12px;max-width:72em">{foot}</div></div>'
    )


def _advice(evaluation: Evaluation) -> str:
    if len(evaluation.class_names) == 2:
        return "Read average precision and recall of the rare class instead of accuracy."
    return "Read balanced accuracy and the recall of each class instead of accuracy."


def _row(name: str, support: str, values: dict[str, Estimate], first: bool = False) -> str:
    rule = "border-top:1px solid var(--jp-border-color1,rgba(128,128,128,.6));" if first else ""
    cells = "".join(
        f'<td style="{CELL}{rule}">{_value(values[metric]) if metric in values else ""}</td>'
        for metric in METRICS
    )
    return (
        f'{ROW}<th scope="row" style="{NAME}{rule}font-weight:400">'
        f"{escape(name)}</th>"
        f'<td style="{CELL}{rule}{MUTED}">{support}</td>{cells}</tr>'
    )


def _value(estimate: Estimate) -> str:
    if np.isnan(estimate.value):
        return f'<span style="{MUTED}" title="not defined">–</span>'
    return estimate.text("&ge;&thinsp;{}", "&lt;&thinsp;{}")


def _chosen(evaluation: Evaluation) -> tuple[list[int], int]:
    """The classes to show, and how many are left out in the middle."""
    classes = len(evaluation.class_names)
    if classes <= ROWS:
        return list(range(classes)), 0
    recall = np.array([one.value for one in evaluation.by_class["recall"]])
    order = np.lexsort((np.arange(classes), np.where(np.isnan(recall), 2.0, recall))).tolist()
    half = ROWS // 2
    return [*order[:half], *order[-half:]], classes - 2 * half


def _level(evaluation: Evaluation) -> str:
    return f"{evaluation.confidence * 100:g} %"
