"""A run in words, the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbdiag.measures.findings import text_lines

if TYPE_CHECKING:
    from nbdiag.measures.run import Run


def run_text(run: Run) -> str:
    """Name, steps, layers, parameters, failed probes and findings, a line each."""
    layers = run.recording.layers
    parts = (
        _count(run.step, "optimizer step"),
        _count(len(layers), "layer"),
        _count(sum(layer.size for layer in layers), "parameter"),
    )
    head = f"Run {run.name!r}: {', '.join(parts)}"
    failed = [f"failed: {f.probe} at step {f.step}, {f.reason}" for f in run.failures]
    return "\n".join([head, *failed, *_verdict(run)])


def _verdict(run: Run) -> list[str]:
    """The findings; without a single step there is nothing to call healthy."""
    if run.step:
        return text_lines(run.findings())
    if not run.closed:
        return ["waiting for the first optimizer step"]
    return [
        "no optimizer step was seen: another optimizer may have trained this model; "
        "in a loop without torch.optim call run.mark_step()"
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
