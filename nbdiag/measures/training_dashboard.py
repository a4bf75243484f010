"""A training at a glance: the four pillars of its health, each with one key number over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from nbdiag.measures.findings import Finding, Severity, by_severity
from nbdiag.measures.recording import FROZEN, NO_GRADIENT, Recording

POINTS = 120
"""Points of a key series, at most."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Vital:
    """One pillar: the worst that was found, and a key number over time.

    Parameters
    ----------
    code : prefix of its findings, ``"loss."``.
    severity : of the worst finding, None when there is none.
    worst : code of that finding, empty when there is none.
    findings : how many there are.
    label : what the key number is.
    steps, values : (n,) the key number over time, at most 120 points; NaN where it was not finite.
    """

    code: str
    severity: Severity | None
    worst: str
    findings: int
    label: str
    steps: Numbers
    values: Numbers


@dataclass(frozen=True, eq=False)
class Vitals:
    """The four pillars of a training's health."""

    loss: Vital
    gradients: Vital
    activations: Vital
    weights: Vital

    def __iter__(self) -> Iterator[tuple[str, Vital]]:
        """Name and vital, in order."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))


def vitals(recording: Recording, findings: Iterable[Finding]) -> Vitals:
    """The four pillars of a recording; those without data have an empty key series."""
    found = by_severity(findings)
    steps, norm, ratio = _of_rows(recording)
    return Vitals(
        _vital("loss.", found, *_loss(recording)),
        _vital("gradient.", found, "gradient norm, all layers", steps, norm),
        _vital("activation.", found, *_activations(recording)),
        _vital("weight.", found, "update / weights, median layer", steps, ratio),
    )


def _vital(code: str, found: list[Finding], label: str, steps: Numbers, values: Numbers) -> Vital:
    own = [one for one in found if one.code.startswith(code)]
    known = ~np.isnan(values).all() if len(values) else False
    steps, values = _thinned(steps, values) if known else (np.empty(0), np.empty(0))
    worst = own[0] if own else None
    return Vital(
        code,
        worst.severity if worst else None,
        worst.code if worst else "",
        len(own),
        label,
        steps,
        values,
    )


def _thinned(steps: Numbers, values: Numbers) -> tuple[Numbers, Numbers]:
    """At most `POINTS` of them: means of even runs, NaN where one of a run was not finite."""
    if len(steps) <= POINTS:
        return np.asarray(steps, float), np.where(np.isfinite(values), values, np.nan)
    edges = np.linspace(0, len(steps), POINTS, endpoint=False).astype(np.intp)
    counts = np.diff(np.append(edges, len(steps)))
    with np.errstate(invalid="ignore", over="ignore"):
        means = np.add.reduceat(np.asarray(values, float), edges) / counts
    # The end of each run, so that the last point is the newest step.
    ends = np.append(edges[1:], len(steps)) - 1
    return np.asarray(steps, float)[ends], np.where(np.isfinite(means), means, np.nan)


def _loss(recording: Recording) -> tuple[str, Numbers, Numbers]:
    scalars = recording.scalars
    for name in ("loss", "train_loss", "val_loss"):
        if name in scalars:
            steps, values = scalars[name][:2]
            return name.replace("_", " "), steps.astype(float), values
    return "loss", np.empty(0), np.empty(0)


def _of_rows(recording: Recording) -> tuple[Numbers, Numbers, Numbers]:
    """(n,) steps, the norm over all layers, and the median update-to-weight ratio."""
    rows = recording.sketch(head=10, middle=POINTS, tail=10)
    norms = rows.grad_norm.astype(float)
    absent = np.isin(rows.status, (NO_GRADIENT, FROZEN))
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.sqrt(np.where(absent, 0.0, norms**2).sum(axis=1))
    total[absent.all(axis=1)] = np.nan
    ratios = _row_medians(rows.update_ratio.astype(float))
    broken = (~np.isfinite(rows.weight_norm) & (rows.status != FROZEN)).any(axis=1)
    return rows.steps.astype(float), total, np.where(broken, np.nan, ratios)


def _row_medians(values: Numbers) -> Numbers:
    """(T,) median of each row over what is finite, NaN where nothing is."""
    out = np.full(len(values), np.nan)
    for row, line in enumerate(values):
        known = line[np.isfinite(line)]
        if known.size:
            out[row] = np.median(known)
    return out


def _activations(recording: Recording) -> tuple[str, Numbers, Numbers]:
    """Share of units that are off, over all rectifiers; else of values at a bounded end."""
    tracks = recording.activations.tracks
    rectifiers = [track for track in tracks if track.rectifies]
    chosen = rectifiers or [track for track in tracks if track.bounds is not None]
    series = [one for one in (track.series() for track in chosen) if len(one.steps)]
    label = "units off, mean of layers" if rectifiers else "values saturated, mean of layers"
    if not series:
        return label, np.empty(0), np.empty(0)
    steps = np.unique(np.concatenate([one.steps for one in series]))
    total, count = np.zeros(len(steps)), np.zeros(len(steps))
    for one in series:
        share = 1 - one.active if rectifiers else one.saturated
        share = np.where(np.isfinite(one.mean), share, np.nan)  # of NaN nothing is active
        at = np.searchsorted(one.steps, steps, side="right") - 1
        value = np.where(at >= 0, share[np.maximum(at, 0)].astype(float), np.nan)
        total += np.where(at >= 0, value, 0.0)  # NaN in one layer is NaN in the mean
        count += at >= 0
    return label, steps.astype(float), np.where(count > 0, total / np.maximum(count, 1), np.nan)
