"""Is the boundary smooth? A model's answers while two features are swept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.boundary_roughness import AXIS, Roughness, judge, measure
from nbdiag.measures.feature_table import FeatureTable, Kind, neighbour_distances
from nbdiag.measures.findings import Finding, text_lines
from nbdiag.measures.result import Result
from nbdiag.measures.smooth_control import SmoothControl

Ask = Callable[[np.ndarray], np.ndarray]
RESOLUTION = 81
MARGIN = 0.05  # of the range, beyond the outermost sample
FAR_OUT = 3.0  # times the range of 98 % of the samples: beyond that a feature's axis is cut
NEIGHBOURS = 5
REACH = 0.98  # share of the samples whose own neighbours are as near as "near" means
FEWEST = 20  # samples below which nearness and smoothness mean nothing


@dataclass(frozen=True, repr=False)
class Axis:
    """A swept feature: its name and number, and the values that it takes (n,), ascending."""

    name: str
    number: int
    kind: Kind
    values: np.ndarray

    @property
    def discrete(self) -> bool:
        """Whether every value stands for itself: few whole numbers."""
        return self.kind != "continuous" and len(self.values) < AXIS


@dataclass(frozen=True, repr=False)
class DecisionSlice(Result):
    """What a model says on a plane through feature space: two features vary, the rest is held.

    Attributes
    ----------
    x, y : the swept features.
    probabilities : (H, W, C), rows = values of y; NaN where the model has no finite answer.
    reach : (H, W) how far the data are: 1 and below is as near as samples are to one another,
        more is farther, by that factor. It is the greater of two: the distance to the fifth
        nearest sample in the plane of the two features, and in all features with the others as
        held, each in units of what 98 % of the samples have themselves. All 1 for few samples.
    held : (F,) the values of the features; the swept ones are the crosshair's.
    held_at : ``"typical"`` (medians, commonest values), or the row of X whose values are held.
    rows, told, targets : (P,) the samples that are drawn: row in X, predicted class (-1 none), true
        class or None.
    closeness : (P,) 1 for a sample that lies in the plane, towards 0 for one that differs a lot
        in the held features.
    control : (H, W, C) what a smooth model says that was fitted to the samples; None without one.
    roughness : needless flips compared with the control's; None where `unmeasured` says why.
    """

    figure_stem: ClassVar[str] = "decision_boundary"

    x: Axis
    y: Axis
    probabilities: np.ndarray
    reach: np.ndarray
    held: np.ndarray
    held_at: str | int
    class_names: tuple[str, ...]
    table: FeatureTable = field(compare=False)
    rows: np.ndarray
    told: np.ndarray
    targets: np.ndarray | None
    closeness: np.ndarray
    control: np.ndarray | None
    roughness: Roughness | None
    unmeasured: str = ""

    @cached_property
    def labels(self) -> np.ndarray:
        """(H, W) the predicted class, -1 where there is none."""
        finite = np.isfinite(self.probabilities).all(-1)
        return np.where(finite, np.nan_to_num(self.probabilities, nan=-1).argmax(-1), -1)

    @property
    def near(self) -> np.ndarray:
        """(H, W) bool: cells where data are."""
        return self.reach <= 1

    @property
    def held_in_words(self) -> str:
        if self.table.values.shape[1] == 2:
            return "no other features"
        if self.held_at == "typical":
            return "others at their medians"
        return f"others as in sample {self.held_at}"

    def findings(self) -> list[Finding]:
        """``boundary.erratic`` where the boundary is clearly rougher than a control's."""
        place = ""
        if self.roughness is not None and np.isfinite(self.roughness.where).all():
            at = [
                float(np.interp(where, np.arange(len(axis.values)), axis.values))
                for where, axis in zip(self.roughness.where, (self.x, self.y), strict=True)
            ]
            place = f", most of it around {self.x.name} = {at[0]:.3g}, {self.y.name} = {at[1]:.3g}"
        return judge(self.roughness, (self.x.name, self.y.name), place)

    def columns(self) -> Mapping[str, Any]:
        """A row for each cell: the two features, the answer, its probabilities, the reach."""
        grid_y, grid_x = np.meshgrid(self.y.values, self.x.values, indexing="ij")
        names = np.array([*self.class_names, None], dtype=object)
        columns: dict[str, Any] = {
            self.x.name: grid_x.ravel(),
            self.y.name: grid_y.ravel(),
            "predicted": names[self.labels.ravel()],
        }
        for number, name in enumerate(self.class_names):
            columns[f"p({name})"] = self.probabilities[..., number].ravel()
        columns["reach"] = self.reach.ravel()
        return columns

    def metadata_given(self) -> Any:
        return self.table.given

    def __repr__(self) -> str:
        lines = [
            f"DecisionSlice: {self.x.name} × {self.y.name}, {self.held_in_words}, "
            f"{len(self.x.values)} × {len(self.y.values)} cells, {len(self.class_names)} classes",
            *text_lines(self.findings()),
        ]
        if self.unmeasured:
            lines.append(f"smoothness not measured: {self.unmeasured}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Slicer:
    """Cuts slices out of a model's feature space: everything that does not depend on the plane.

    Attributes
    ----------
    ask : rows (Q, F) -> probabilities (Q, C).
    told : (P,) the predicted class of each reference row, -1 for none.
    targets : (P,) their true class, or None.
    control : a smooth model of the same samples, or None where none can be fitted.
    """

    table: FeatureTable
    ask: Ask
    class_names: tuple[str, ...]
    told: np.ndarray
    targets: np.ndarray | None
    control: SmoothControl | None
    resolution: int = RESOLUTION

    @classmethod
    def of(
        cls,
        table: FeatureTable,
        ask: Ask,
        class_names: Callable[[int], Sequence[str]],
        targets: Callable[[int], np.ndarray] | None = None,
        resolution: int = RESOLUTION,
    ) -> Slicer:
        """Ask the model about the samples, and fit a control to their classes.

        ``class_names`` and ``targets`` get the number of classes that the model knows; targets are
        (N,) class numbers. The control learns the true classes, or where those are not known the
        model's own answers.

        Raises ValueError for fewer than 5 steps an axis, or targets that do not fit.
        """
        if resolution < 5:
            raise ValueError(f"resolution must be at least 5 cells an axis, got {resolution}")
        rows = table.reference
        probabilities = ask(table.values[rows])
        classes = probabilities.shape[1]
        finite = np.isfinite(probabilities).all(1)
        told = np.where(finite, np.nan_to_num(probabilities).argmax(1), -1)
        names = tuple(class_names(classes))
        true = None if targets is None else np.asarray(targets(classes))[rows]
        labels = told if true is None else true
        kept = labels >= 0
        control = None
        if kept.sum() >= FEWEST:
            points = table.scaled(table.values[rows[kept]])
            control = SmoothControl.fit(points, labels[kept], classes)
        return cls(table, ask, names, told, true, control, resolution)

    def cut(self, features: Sequence[int | str], hold: str | int = "typical") -> DecisionSlice:
        """The slice that two features span, with the others held.

        hold : ``"typical"``, or the row of X whose values are held.

        Raises
        ------
        ValueError : for features that cannot be swept, or a row that does not exist or is not
            complete.
        """
        table = self.table
        x, y = (self._axis(number) for number in table.swept(features))
        held = self._held(hold)
        grid_y, grid_x = np.meshgrid(y.values, x.values, indexing="ij")
        cells = np.tile(held, (grid_x.size, 1))
        cells[:, x.number], cells[:, y.number] = grid_x.ravel(), grid_y.ravel()
        shape = grid_x.shape
        told = self.ask(cells)
        told = np.where(np.isfinite(told).all(axis=1, keepdims=True), told, np.nan)
        field_told = told.reshape(*shape, -1)
        reach = self._reach(cells, (x.number, y.number)).reshape(shape)
        scaled = table.scaled(cells)
        control = None if self.control is None else self.control(scaled).reshape(*shape, -1)
        roughness, why = self._roughness(field_told, control, reach, (x, y))
        return DecisionSlice(
            x, y, field_told, reach, held, hold, self.class_names, table, table.reference,
            self.told, self.targets, self._closeness(held, (x.number, y.number)), control,
            roughness, why,
        )  # fmt: skip

    def _axis(self, number: int) -> Axis:
        table = self.table
        kind, values = table.kinds[number], table.values[table.complete, number]
        low, high = float(values.min()), float(values.max())
        inner = np.quantile(values, [0.01, 0.99])
        if high - low > FAR_OUT * (inner[1] - inner[0]) > 0:
            low, high = (float(end) for end in inner)
        if kind == "binary":
            return Axis(table.names[number], number, kind, np.array([low, high]))
        if kind == "integer":
            whole = np.unique(np.linspace(low, high, self.resolution).round())
            return Axis(table.names[number], number, kind, whole)
        margin = MARGIN * (high - low)
        steps = np.linspace(low - margin, high + margin, self.resolution)
        return Axis(table.names[number], number, kind, steps)

    def _held(self, hold: str | int) -> np.ndarray:
        if isinstance(hold, str):
            if hold != "typical":
                raise ValueError(f'hold must be "typical" or the number of a sample, got {hold!r}')
            return self.table.typical
        row = int(hold)
        if not 0 <= row < len(self.table):
            raise ValueError(f"no sample {row}: X has {len(self.table)}, from 0")
        if not np.isfinite(self.table.values[row]).all():
            raise ValueError(f"sample {row} has a NaN or infinite feature and cannot be held")
        return self.table.values[row]

    def _reach(self, cells: np.ndarray, swept: tuple[int, int]) -> np.ndarray:
        rows = self.table.values[self.table.reference]
        if len(rows) < FEWEST:
            return np.ones(len(cells))
        ratios = []
        for features in (swept, None) if rows.shape[1] > 2 else (None,):
            points, data = self.table.scaled(cells, features), self.table.scaled(rows, features)
            own = neighbour_distances(data, data, NEIGHBOURS, own=True)
            usual = float(np.quantile(own, REACH))
            distance = neighbour_distances(points, data, NEIGHBOURS)
            far = np.where(distance > 0, np.inf, 0.0)
            ratios.append(distance / usual if usual > 0 else far)
        return np.maximum.reduce(ratios)

    def _closeness(self, held: np.ndarray, swept: tuple[int, int]) -> np.ndarray:
        others = [i for i in range(len(self.table.names)) if i not in swept]
        rows = self.table.values[self.table.reference]
        if not others:
            return np.ones(len(rows))
        gap = self.table.scaled(rows, others) - self.table.scaled(held[None], others)
        distance = np.sqrt((gap**2).mean(1))  # a typical sample lies about 1 away
        return np.exp(-(distance**2) / 2)

    def _roughness(
        self,
        told: np.ndarray,
        control: np.ndarray | None,
        reach: np.ndarray,
        axes: tuple[Axis, Axis],
    ) -> tuple[Roughness | None, str]:
        for axis in axes:
            if len(axis.values) < AXIS:
                return None, f"{axis.name} has only {len(axis.values)} values"
        if len(self.table.reference) < FEWEST:
            return None, f"{len(self.table.reference)} samples are too few"
        if control is None or self.control is None:
            return None, "all samples are of one class"
        near = (reach <= 1) & np.isfinite(told).all(-1)
        found = measure(
            np.nan_to_num(told), control, near, self.control.error, self.control.base_error,
            len(self.table.reference),
        )  # fmt: skip
        if found is None:
            return None, "the samples near this plane lie too scattered to walk between"
        return found, ""
