"""The one door from what the user has to what a widget shows, and the only way to a probe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbdiag.measures.predictions import Predictions
from nbdiag.measures.run import Run

if TYPE_CHECKING:
    import numpy as np

    from nbdiag.measures.decision_boundary import Slicer
    from nbdiag.measures.feature_table import FeatureTable
    from nbdiag.probes.gallery import Overlays
    from nbdiag.probes.renderers import Renderer


def is_module(source: Any) -> bool:
    """Whether this is a torch module, asked without importing torch."""
    return any(
        base.__name__ == "Module" and base.__module__.startswith("torch.nn")
        for base in type(source).__mro__
    )


def as_run(source: Any) -> Run:
    """A `Run` as it is; a path's run; a module's, if it is being watched, or else a new one.

    Raises
    ------
    TypeError : for anything else.
    FileNotFoundError : for a path without a run.
    """
    if isinstance(source, Run):
        return source
    if isinstance(source, str | Path):
        from nbdiag.tracking.reader import open_run

        return open_run(source)
    if is_module(source):
        from nbdiag.probes.watch import watch, watching

        return watching(source) or watch(source)
    raise TypeError(
        f"expected a torch.nn.Module, a Run from nd.watch(model, optimizer), or the path of its "
        f"log_dir; got {type(source).__name__}"
    )


def as_predictions(source: Any, data: Any = None) -> Predictions:
    """`Predictions` as they are; a model is run over `data`.

    Raises
    ------
    TypeError : for a model without data, or `Predictions` with some.
    """
    if isinstance(source, Predictions):
        if data is not None:
            raise TypeError("these Predictions have their data already; leave the second argument")
        return source
    if data is None:
        raise TypeError(
            f"expected Predictions from nd.predict(model, data), or a model and its data; "
            f"got {type(source).__name__} alone"
        )
    from nbdiag.probes.predict import predict

    return predict(source, data)


def model_name(model: Any) -> str:
    """The class of a model, for a header line."""
    return "" if model is None else type(model).__name__


def renderer(predictions: Predictions, render: Any = None, tokenizer: Any = None) -> Renderer:
    """What shows the samples."""
    from nbdiag.probes.renderers import renderer_for

    return renderer_for(predictions, render, tokenizer=tokenizer)


def overlays(model: Any, predictions: Predictions) -> Overlays:
    """What tells where the model looked."""
    from nbdiag.probes.gallery import Overlays

    return Overlays(model, predictions)


def features(model: Any, predictions: Predictions, rows: np.ndarray) -> np.ndarray:
    """What the model makes of the samples at these rows just before it decides."""
    from nbdiag.probes.penultimate import penultimate

    return penultimate(model, predictions, rows)


def slicer(model: Any, table: FeatureTable, y: Any = None, **options: Any) -> tuple[Slicer, str]:
    """What cuts slices out of the model's feature space, and how its output is read.

    Options: ``class_names``, ``output``, ``device``, ``resolution``.
    """
    from nbdiag.measures.decision_boundary import RESOLUTION, Slicer
    from nbdiag.probes.decision_field import DecisionField

    asked = DecisionField(model, table, options.get("output", "auto"), options.get("device"))
    given = options.get("class_names")
    made = Slicer.of(
        table,
        asked,
        lambda classes: asked.names(classes, given),
        None if y is None else lambda classes: asked.targets(y, classes),
        options.get("resolution", RESOLUTION),
    )
    return made, asked.reading
