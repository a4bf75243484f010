"""What a run and its columns are, as JSON and back."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import asdict
from typing import Any

from nbdiag.measures.recording import LayerInfo, Recording
from nbdiag.measures.run import Run


def describe_run(run: Run, recording: Recording) -> dict[str, Any]:
    """What does not change while it trains."""
    return {
        "name": run.name,
        "config": run.config,
        "model_name": run.model_name,
        "max_samples": recording.max_samples,
        "started": time.time(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }


def describe_layout(run: Run, recording: Recording) -> dict[str, Any]:
    """The columns; they may change until the first step."""
    return {
        "parameters": list(recording.parameters),
        "layers": [asdict(layer) for layer in recording.layers],
        "layer_of": recording.layer_of.tolist(),
        "sizes": recording.sizes.tolist(),
        "kinds": sorted(run.model_kinds),
    }


def columns(layout: dict[str, Any]) -> tuple[Any, ...]:
    """What `Recording` takes: parameters, layers, the layer of each, sizes."""
    layers = [
        LayerInfo(**{**layer, "parameters": tuple(layer["parameters"])})
        for layer in layout["layers"]
    ]
    return layout["parameters"], layers, layout["layer_of"], layout["sizes"]


def describe_state(run: Run) -> dict[str, Any]:
    """What changes as it trains, beside the recording."""
    return {
        "state": run.state,
        "step": run.step,
        "skipped_steps": run.skipped_steps,
        "every": run.every,
        "stride": run.stride,
        "budget": run.budget,
        "probe_share": run.probe_share,
        "starting": run.sampler.starting,
        "probe_seconds": run.probe_seconds,
        "failures": [[f.probe, f.reason, f.step] for f in run.failures],
    }
