"""What a probe leaves behind when it switches itself off."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProbeFailure:
    """A probe that switched itself off: which one, why, and at which optimizer step."""

    probe: str
    reason: str
    step: int
