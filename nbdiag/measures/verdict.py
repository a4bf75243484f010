"""What is wrong with a training: the judgements of all its measures, put together."""

from __future__ import annotations

from nbdiag.measures import gradient_flow
from nbdiag.measures.findings import Finding, by_severity
from nbdiag.measures.recording import Recording


def judge_training(recording: Recording, kinds: frozenset[str]) -> list[Finding]:
    """All findings, most severe first; empty when nothing is wrong.

    Parameters
    ----------
    kinds : class names of all modules of the model, so that a remedy fits it.
    """
    history = gradient_flow.GradientHistory.from_recording(recording)
    return by_severity(gradient_flow.judge(history, kinds))
