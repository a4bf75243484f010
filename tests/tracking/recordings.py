"""Small runs with something of everything in them, and a comparison that sees every number."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.measures.histograms import KINDS, histogram
from nbdiag.measures.recording import STATISTICS, LayerInfo, Recording
from nbdiag.measures.run import Run

LAYERS = (
    LayerInfo("fc", "Linear", ("fc.weight", "fc.bias"), 10, 2),
    LayerInfo("head", "Linear", ("head.weight",), 5, 2),
)
PARAMETERS = ("fc.weight", "fc.bias", "head.weight")


def empty_run(max_samples: int | None = None, **options: Any) -> Run:
    recording = Recording(PARAMETERS, LAYERS, [0, 0, 1], [6, 4, 5], max_samples=max_samples)
    options.setdefault("config", {"lr": 0.1})
    return Run(options.pop("name", "Net"), recording, model_name="Net", **options)


def train(run: Run, steps: int, seed: int = 0, every: int = 1) -> None:
    """`steps` steps that leave rows, losses, activations and histograms; some are not finite."""
    random = np.random.default_rng(seed)
    recording = run.recording
    if not recording.activations.tracks:
        info = {"name": "relu", "kind": "ReLU", "units": 4, "rectifies": True}
        recording.apply({"op": "track", "info": info})
        info = {"name": "tanh", "kind": "Tanh", "units": 2, "low": -1.0, "high": 1.0}
        recording.apply({"op": "track", "info": info})
    for _ in range(steps):
        run.next_step()
        if run.step % every == 0:
            sample(run, random)


def sample(run: Run, random: np.random.Generator) -> None:
    recording, step = run.recording, run.step
    norms = random.normal(size=(5, 3)).astype(np.float32)
    status = random.choice(5, p=[0.8, 0.05, 0.05, 0.05, 0.05], size=3).astype(np.uint8)
    norms[0, status != 0] = np.nan
    recording.append(step, norms[0], norms[1], status, update_norm=norms[2], grad_zeros=norms[3])
    run.log(loss=1 / step if step % 7 else float("nan"))
    if step % 5 == 0:
        run.log(val_loss=np.float32(2 / step), accuracy=float("inf") if step == 10 else step / 100)
    for track, units in enumerate((4, 2)):
        recording.apply(
            {
                "op": "activation",
                "track": track,
                "step": step,
                "inputs": 8,
                "values": 16,
                "numbers": tuple(random.normal(size=4)) if step % 3 else (float("nan"),) * 4,
                "active": random.integers(0, 3, units),
                "stuck": random.integers(0, 3, units) if track else None,
            }
        )
    if step % 4 == 0:
        for kind in KINDS:
            tensors = [random.normal(size=size) for size in (6, 4, 5)]
            tensors[0][0], tensors[1][1] = np.nan, -np.inf
            tensors[2][:] = np.nan if step % 8 == 0 else tensors[2][0]
            columns = zip(*map(histogram, tensors), strict=True)
            names = ("low", "high", "counts", "nan", "infinite")
            row = {name: np.array(c) for name, c in zip(names, columns, strict=True)}
            recording.apply({"op": "histogram", "kind": kind, "step": step, **row})


def contents(recording: Recording) -> dict[str, Any]:
    """Every number of a recording, by name."""
    found: dict[str, Any] = {
        "columns": (recording.parameters, recording.layers, recording.max_samples),
        "layer_of": recording.layer_of,
        "sizes": recording.sizes,
        "steps": recording.steps,
        "status": recording.parameter_status(),
        "thinned": recording.thinned,
        "tracks": [track.info for track in recording.activations.tracks],
        "series": list(recording.scalars),
    }
    found |= {name: recording.parameter_stat(name) for name in STATISTICS}
    for name, series in recording.scalars.items():
        found |= {f"scalar {name} {k}": v for k, v in series._asdict().items()}
    for track in recording.activations.tracks:
        name = f"activation {track.name}"
        found |= {f"{name} {k}": v for k, v in track.series()._asdict().items()}
        found |= {f"{name} blocks {k}": v for k, v in track.blocks()._asdict().items()}
        found[f"{name} seen"] = track.seen
        found[f"{name} last"] = track.last_active
        found[f"{name} since"] = track.seen_since_active
    for kind in KINDS:
        for i, parameter in enumerate(recording.parameters):
            of = recording.histograms.of(i, kind)
            found |= {f"histogram {kind} {parameter} {k}": v for k, v in of._asdict().items()}
    return found


def differences(one: Recording, other: Recording) -> list[str]:
    """Names of what is not equal to the last bit, NaN being equal to NaN."""

    def same(a: Any, b: Any) -> bool:
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        return type(a) is type(b) and bool(a == b)

    left, right = contents(one), contents(other)
    return [
        name for name in left.keys() | right.keys() if not same(left.get(name), right.get(name))
    ]
