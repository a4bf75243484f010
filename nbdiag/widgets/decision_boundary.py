"""DecisionBoundary: is the boundary smooth, where there are data?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets

from nbdiag.measures.decision_boundary import RESOLUTION, Axis, DecisionSlice
from nbdiag.measures.feature_table import FeatureTable
from nbdiag.measures.findings import text_lines
from nbdiag.sources import model_name, slicer
from nbdiag.widgets.base import Handler, Instrument, Reply
from nbdiag.wire.arrays import to_wire
from nbdiag.wire.decision_boundary import draw, pack_field, short, shown_classes

HELD_SHOWN = 40  # held features whose values are listed


class DecisionBoundary(Instrument):
    """Is the boundary smooth, where there are data?

    Two features are swept over a grid and the model is asked at every cell, the other features
    held at their medians or as in a sample. Areas without samples are faded: a model says
    something there too, and it means nothing. The boundary is compared with a smooth model's.

    Parameters
    ----------
    model : an ``nn.Module``, a scikit-learn classifier, or a function from a batch of rows to (N,
        C) or (N,) scores.
    X : (N, F) samples: an array, a tensor, or a dataframe of pandas or polars. The model gets rows
        of the same type.
    features : the two features to sweep, by name or number.
    y : (N,) true classes, as for ``nd.predict``: samples are drawn by them, and the control
        learns them. Without them the model's own answers take their place.
    feature_names, class_names : where X and the model do not know them.
    hold : ``"typical"`` (medians; of two values or a category the commonest), or a row of X.
    output, device : as in ``nd.predict``.
    resolution : cells along each axis.

    Attributes
    ----------
    result : the `DecisionSlice` that is shown; ``figure()`` and ``to_frame()`` are its own.

    Raises
    ------
    TypeError : for a model or table of another kind.
    ValueError : for features that do not exist, are constant or are no numbers, names or y of
        the wrong length, and rows that do not exist.
    """

    stem = "decision_boundary"
    main_thread_only = True  # its requests run the user's model

    slice = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        model: Any,
        X: Any,
        features: Sequence[int | str],
        y: Any = None,
        *,
        feature_names: Sequence[Any] | None = None,
        class_names: Sequence[Any] | None = None,
        hold: str | int = "typical",
        output: str = "auto",
        device: Any = None,
        resolution: int = RESOLUTION,
    ) -> None:
        self.model = model
        self.table = FeatureTable.of(X, feature_names)
        self.table.swept(features)  # before the model is asked anything
        self._slicer, self._reading = slicer(
            model, self.table, y, class_names=class_names, output=output, device=device,
            resolution=resolution,
        )  # fmt: skip
        self.result: DecisionSlice = self._slicer.cut(features, hold)
        super().__init__(info=self._info(), **self._shown())

    def show(
        self, features: Sequence[int | str] | None = None, hold: str | int | None = None
    ) -> DecisionSlice:
        """Sweep other features, or hold the rest elsewhere, as the controls do; returns the result.

        Raises ValueError as the constructor.
        """
        now = self.result
        swept = (now.x.number, now.y.number) if features is None else features
        self.result = self._slicer.cut(swept, now.held_at if hold is None else hold)
        with self.hold_sync():
            for name, value in self._shown().items():
                setattr(self, name, value)
        return self.result

    def figure(self, **options: Any) -> Any:
        """What is shown as a Bokeh figure."""
        return self.result.figure(**options)

    def to_frame(self) -> Any:
        """What is shown as a dataframe, a row for each cell."""
        return self.result.to_frame()

    def handlers(self) -> dict[str, Handler]:
        return {"cut": self._cut}

    def picture(self) -> bytes:
        cut = self.result
        return draw(
            axes=[{"name": axis.name, "values": axis.values} for axis in (cut.x, cut.y)],
            probabilities=cut.probabilities,
            reach=cut.reach,
            points=self._points(),
            class_names=cut.class_names,
            headline=", ".join(
                part for part in (model_name(self.model), cut.held_in_words) if part
            ),
            findings=self.findings,
        )

    def summary(self) -> str:
        cut = self.result
        lines = [
            f"DecisionBoundary of {model_name(self.model)}: {cut.x.name} × {cut.y.name}, "
            f"{cut.held_in_words}, {len(self.table)} samples of {len(self.table.names)} features, "
            f"{len(cut.class_names)} classes",
            *text_lines(cut.findings()),
        ]
        if cut.unmeasured:
            lines.append(f"smoothness not measured: {cut.unmeasured}")
        return "\n".join(lines)

    def _cut(self, args: dict[str, Any], reply: Reply) -> None:
        hold = args.get("hold", "typical")
        self.show([int(args["x"]), int(args["y"])], hold if hold == "typical" else int(hold))
        reply({"x": self.result.x.number, "y": self.result.y.number, "hold": hold})

    def _info(self) -> dict[str, Any]:
        table = self.table
        return {
            "title": "Decision boundary",
            "source": model_name(self.model),
            "samples": len(table),
            "incomplete": len(table) - len(table.complete),
            "drawn": len(table.reference),
            "classes": list(self._slicer.class_names),
            "features": [
                {"name": name, "unfit": table.unfit(i)} for i, name in enumerate(table.names)
            ],
            "output": self._reading,
            "labelled": self._slicer.targets is not None,
        }

    def _shown(self) -> dict[str, Any]:
        cut = self.result
        seen = cut.told if cut.targets is None else cut.targets
        classes = shown_classes(cut.probabilities, seen[seen >= 0].tolist())
        points = self._points()
        packed: dict[str, Any] = {
            "x": _axis(cut.x),
            "y": _axis(cut.y),
            "classes": classes,
            "field": pack_field(cut.probabilities, classes),
            "control": None if cut.control is None else pack_field(cut.control, classes),
            "reach": to_wire(np.minimum(cut.reach, 99).astype(np.float32)),
            "points": {
                "x": to_wire(points["x"]),
                "y": to_wire(points["y"]),
                "rows": to_wire(cut.rows.astype(np.int32)),
                "told": to_wire(cut.told.astype(np.int32)),
                "true": None if cut.targets is None else to_wire(cut.targets.astype(np.int32)),
                "closeness": to_wire(cut.closeness.astype(np.float32)),
            },
            "hold": cut.held_at,
            "held": self._held(),
            "unmeasured": cut.unmeasured,
            "roughness": self._roughness(),
        }
        return {"slice": packed, "findings": [one.to_dict() for one in cut.findings()]}

    def _points(self) -> dict[str, Any]:
        cut = self.result
        values = self.table.values[cut.rows]
        return {
            "x": values[:, cut.x.number],
            "y": values[:, cut.y.number],
            "told": cut.told,
            "true": cut.targets,
            "closeness": cut.closeness,
        }

    def _held(self) -> list[list[str]]:
        cut, table = self.result, self.table
        others = [i for i in range(len(table.names)) if i not in (cut.x.number, cut.y.number)]
        texts = []
        for i in others[:HELD_SHOWN]:
            value = cut.held[i]
            word = str(table.levels[i][int(value)]) if i in table.levels else short(value)
            texts.append([table.names[i], word])
        if len(others) > HELD_SHOWN:
            texts.append([f"and {len(others) - HELD_SHOWN} more", ""])
        return texts

    def _roughness(self) -> dict[str, Any] | None:
        found = self.result.roughness
        if found is None:
            return None
        return {
            "flips": found.flips,
            "control": found.control,
            "walks": found.walks,
            "erratic": found.erratic,
        }


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "name": axis.name,
        "number": axis.number,
        "kind": axis.kind,
        "discrete": axis.discrete,
        "values": axis.values.tolist(),
    }
