"""What is wrong with a training: the judgements of all its measures, put together."""

from __future__ import annotations

from nbdiag.measures import activation_stats, gradient_flow, loss_curve, weight_distribution
from nbdiag.measures.findings import Finding, by_severity
from nbdiag.measures.loss_levels import LossLevels
from nbdiag.measures.recording import Recording
from nbdiag.measures.weight_history import WeightHistory

HURT = frozenset({"loss.unstable", "loss.diverging", "loss.plateau_early"})


def judge_training(recording: Recording, kinds: frozenset[str]) -> list[Finding]:
    """All findings, most severe first; empty when nothing is wrong.

    Parameters
    ----------
    kinds : class names of all modules of the model, so that a remedy fits it.
    """
    rows = recording.sketch()
    levels = LossLevels.from_recording(recording)
    weights = WeightHistory.from_recording(recording, rows, levels)
    losses = loss_curve.LossHistory.from_recording(recording, rows, levels, weights)
    gradients = gradient_flow.GradientHistory.from_recording(recording, rows, levels)
    units = activation_stats.ActivationHistory.from_recording(recording, levels)
    courses = loss_curve.judge(losses, kinds)
    hurt = bool(losses.violent) and any(finding.code in HURT for finding in courses)
    found = [
        *courses,
        *gradient_flow.judge(gradients, kinds),
        *activation_stats.judge(units, kinds),
        *weight_distribution.judge(weights, kinds, hurt=hurt),
    ]
    return by_severity(reconcile(found))


def reconcile(findings: list[Finding]) -> list[Finding]:
    """Without what another finding explains wholly; the cause stays.

    - Weights that collapse take the gradients of the early layers and the activity of the units
      with them.
    - Nothing passes back through a layer of dead units: what lies before it gets no gradient.
    - Where gradients vanish or explode over depth, some layers hardly move. Where no step changed a
      single bit of them, it was not for want of gradient.
    - Signals that shrink from layer to layer leave it to the biases which units are on: those that
      never were, in a layer that still has others, are no disease of their own.
    """
    by_code = {finding.code: finding for finding in findings}
    dropped: set[str] = set()
    if "weight.collapsing" in by_code:
        dropped |= {"gradient.vanishing", "activation.dead"}
    still = by_code.get("weight.not_updating")
    uneven = {"gradient.vanishing", "gradient.exploding"} & by_code.keys()
    small = still is not None and still.evidence.get("path") != 0.0
    if still is not None and uneven and still.severity == "warning" and small:
        dropped.add("weight.not_updating")
    dead = by_code.get("activation.dead")
    if dead is not None and "gradient.vanishing" in by_code:
        if dead.evidence["share"] > 0.9:
            dropped.add("gradient.vanishing")
        elif not dead.evidence["died"]:
            dropped.add("activation.dead")
    return [finding for finding in findings if finding.code not in dropped]
