"""nbdiag: live widgets that show what a PyTorch model does while it trains, and where it fails.

Every public name is resolved on first use, so that ``import nbdiag`` loads neither torch nor the
widget libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nbdiag.measures.calibration import reliability as reliability
    from nbdiag.measures.evaluation import evaluate as evaluate
    from nbdiag.measures.findings import Finding as Finding
    from nbdiag.measures.predictions import Predictions as Predictions
    from nbdiag.measures.run import Run as Run
    from nbdiag.measures.temperature import Temperature as Temperature
    from nbdiag.measures.temperature import fit_temperature as fit_temperature
    from nbdiag.measures.thresholds import choose_threshold as choose_threshold
    from nbdiag.probes.grad_cam import grad_cam as grad_cam
    from nbdiag.probes.inspect_data import inspect_data as inspect_data
    from nbdiag.probes.predict import predict as predict
    from nbdiag.probes.watch import watch as watch
    from nbdiag.tracking.reader import runs as runs
    from nbdiag.widgets.activation_stats import ActivationStats as ActivationStats
    from nbdiag.widgets.calibration import Calibration as Calibration
    from nbdiag.widgets.decision_boundary import DecisionBoundary as DecisionBoundary
    from nbdiag.widgets.error_explorer import ErrorExplorer as ErrorExplorer
    from nbdiag.widgets.failure_modes import FailureModes as FailureModes
    from nbdiag.widgets.gradient_flow import GradientFlow as GradientFlow
    from nbdiag.widgets.loss_curve import LossCurve as LossCurve
    from nbdiag.widgets.slice_explorer import SliceExplorer as SliceExplorer
    from nbdiag.widgets.training_dashboard import TrainingDashboard as TrainingDashboard
    from nbdiag.widgets.weight_distribution import WeightDistribution as WeightDistribution

_HOME = {
    "ActivationStats": "nbdiag.widgets.activation_stats",
    "Calibration": "nbdiag.widgets.calibration",
    "DecisionBoundary": "nbdiag.widgets.decision_boundary",
    "ErrorExplorer": "nbdiag.widgets.error_explorer",
    "FailureModes": "nbdiag.widgets.failure_modes",
    "Finding": "nbdiag.measures.findings",
    "GradientFlow": "nbdiag.widgets.gradient_flow",
    "LossCurve": "nbdiag.widgets.loss_curve",
    "Predictions": "nbdiag.measures.predictions",
    "Run": "nbdiag.measures.run",
    "SliceExplorer": "nbdiag.widgets.slice_explorer",
    "Temperature": "nbdiag.measures.temperature",
    "TrainingDashboard": "nbdiag.widgets.training_dashboard",
    "WeightDistribution": "nbdiag.widgets.weight_distribution",
    "fit_temperature": "nbdiag.measures.temperature",
    "choose_threshold": "nbdiag.measures.thresholds",
    "evaluate": "nbdiag.measures.evaluation",
    "grad_cam": "nbdiag.probes.grad_cam",
    "inspect_data": "nbdiag.probes.inspect_data",
    "predict": "nbdiag.probes.predict",
    "reliability": "nbdiag.measures.calibration",
    "runs": "nbdiag.tracking.reader",
    "watch": "nbdiag.probes.watch",
}

__all__ = [*sorted(_HOME), "demo"]


def __getattr__(name: str) -> Any:
    if name == "demo":
        return import_module("nbdiag.demo")
    if name not in _HOME:
        raise AttributeError(
            f"module 'nbdiag' has no attribute {name!r}; it has: {', '.join(__all__)}"
        )
    try:
        value = getattr(import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        if error.name in ("torch", "torchvision"):
            raise ModuleNotFoundError(
                f"nbdiag.{name} needs {error.name}: pip install 'nbdiag[torch]'", name=error.name
            ) from error
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
