"""What the last layer of a network gives: how many outputs there are."""

from __future__ import annotations

from nbdiag.measures.recording import Recording


def outputs(recording: Recording) -> int:
    """Entries of the bias of the last layer that has a matrix; 0 when it has none or several."""
    last = max((i for i, layer in enumerate(recording.layers) if layer.dims >= 2), default=None)
    if last is None:
        return 0
    names = recording.layers[last].parameters
    sizes = [
        int(size)
        for name, size in zip(recording.parameters, recording.sizes, strict=True)
        if name in names and name.rsplit(".", 1)[-1] == "bias"
    ]
    return sizes[0] if len(sizes) == 1 else 0
