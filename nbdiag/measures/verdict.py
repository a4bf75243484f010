"""What is wrong with a training: the judgements of all its measures, put together."""

from __future__ import annotations

from nbdiag.measures import activation_stats, gradient_flow, loss_curve, weight_distribution
from nbdiag.measures.findings import Finding, by_severity
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.recording import Recording
from nbdiag.measures.weight_history import WeightHistory


def judge_training(recording: Recording, kinds: frozenset[str]) -> list[Finding]:
    """All findings, most severe first; empty when nothing is wrong.

    Parameters
    ----------
    kinds : class names of all modules of the model, so that a remedy fits it.
    """
    rows = recording.sketch()
    levels = LossLevels.from_recording(recording)
    weights = WeightHistory.from_recording(recording, rows, levels)
    gradients = gradient_flow.GradientHistory.from_recording(recording, rows, levels)
    history = activation_stats.ActivationHistory.from_recording(recording, levels)
    units = activation_stats.judge(history, kinds)
    at_end = next((f.subject for f in units if f.code == "activation.saturated"), "")
    losses = loss_curve.LossHistory.from_recording(recording, rows, levels, weights, at_end)
    courses = loss_curve.judge(losses, kinds)
    hurt = bool(losses.violent) and any(_suffers(finding) for finding in courses)
    found = [
        *courses,
        *gradient_flow.judge(gradients, kinds),
        *units,
        *weight_distribution.judge(weights, kinds, hurt=hurt),
    ]
    return by_severity(reconcile(found))


def _suffers(finding: Finding) -> bool:
    """Whether it tells of a loss that large steps did harm to; not of a reward that grows."""
    if finding.code == "loss.diverging":
        return bool(finding.evidence["end"] > finding.evidence["start"])
    return finding.code in ("loss.unstable", "loss.plateau_early")


def reconcile(findings: list[Finding]) -> list[Finding]:
    """Without what is no fault of its own beside another finding; two that are true are both said.

    Units that never were active are what remains to be seen of signals that shrink from layer to
    layer, or of weights that collapse: biases alone then settle which units are on. They are told
    where they died on the way, or where next to none of the layer is left.
    """
    by_code = {finding.code: finding for finding in findings}
    dead = by_code.get("activation.dead")
    dropped: set[str] = set()
    if dead is not None and "weight.collapsing" in by_code:
        dropped.add("activation.dead")
    elif dead is not None and dead.evidence["share"] <= 0.9 and not dead.evidence["died"]:
        dropped |= {"activation.dead"} if "gradient.vanishing" in by_code else set()
    return [finding for finding in findings if finding.code not in dropped]
