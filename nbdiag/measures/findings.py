"""What the toolkit concludes: a Finding, and how a list of them reads as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

CODES = frozenset(
    """
    loss.flat loss.diverging loss.unstable loss.plateau_early loss.nonfinite loss.overfitting
    gradient.vanishing gradient.exploding gradient.nonfinite gradient.none
    activation.dead activation.saturated
    weight.exploding weight.collapsing weight.not_updating weight.update_too_large
    data.nonfinite data.unnormalized data.single_class data.imbalanced data.leakage
    class.weak confusion.systematic errors.confident label.suspect slice.weak
    failure.concentrated boundary.erratic metric.misleading
    calibration.overconfident calibration.underconfident
    explain.disagreement explain.unstable explain.inexact cam.no_evidence cam.off_object
    robustness.fragile
    """.split()
)


@dataclass(frozen=True)
class Finding:
    """One conclusion: what is wrong, where, how sure, on what evidence, and what to do.

    Parameters
    ----------
    code : one of the codes in `CODES`, for example ``"gradient.vanishing"``.
    severity : ``"info"``, ``"warning"`` or ``"critical"``.
    subject : the layer, class, slice or feature that the finding is about.
    message : one plain sentence with the numbers in it.
    evidence : the numbers that it rests on.
    remedy : what to do next.

    Raises
    ------
    ValueError : for a code or severity that does not exist.

    >>> Finding("gradient.none", "warning", "head", "head never got a gradient.",
    ...         {"samples": 40}, "Use head in forward().")
    gradient.none (warning) head: head never got a gradient.
    """

    code: str
    severity: Severity
    subject: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    remedy: str = ""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            known = ", ".join(sorted(CODES))
            raise ValueError(f"unknown finding code {self.code!r}; known: {known}")
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity must be one of {SEVERITIES}, got {self.severity!r}")

    def __repr__(self) -> str:
        return f"{self.code} ({self.severity}) {self.subject}: {self.message}"

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, so that it crosses to the browser and into JSON."""
        return {
            "code": self.code,
            "severity": self.severity,
            "subject": self.subject,
            "message": self.message,
            "evidence": dict(self.evidence),
            "remedy": self.remedy,
        }


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Most severe first; the order within a severity is kept."""
    return sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))


def text_lines(findings: Iterable[Finding]) -> list[str]:
    """One line a finding, most severe first, without measured numbers.

    A saved notebook is compared with a fresh run on another machine, where the last digits differ
    and the diagnosis must not; so the order rests on names, not on numbers.

    >>> text_lines([])
    ['no findings']
    """
    named = sorted(findings, key=lambda finding: (finding.code, finding.subject))
    lines = [f"{f.severity}: {f.code} in {f.subject}" for f in by_severity(named)]
    return lines or ["no findings"]
