"""ErrorExplorer: where does it fail, on which samples, looking at what?"""

from __future__ import annotations

import operator
from typing import Any

import traitlets

from nbdiag.measures.error_explorer import ErrorTable
from nbdiag.measures.findings import by_severity, text_lines
from nbdiag.measures.predictions import Predictions
from nbdiag.sources import as_predictions, model_name, overlays, pictures
from nbdiag.widgets.base import Handler, Instrument, Reply
from nbdiag.wire.arrays import to_wire
from nbdiag.wire.error_explorer import draw
from nbdiag.wire.thumbnails import encode

THUMBNAIL, FULL_SIZE = 128, 640  # pixels along the longer side
PAGE_AT_MOST = 200
TOP = 5


class ErrorExplorer(Instrument):
    """Where does it fail, on which samples, looking at what?

    The confusion matrix; a click on a cell opens its samples, most confidently wrong first, each
    with its Grad-CAM overlay. What is open is selected: ``Subset(dataset, explorer.selection)``
    works in the next cell.

    Parameters
    ----------
    source : `Predictions` from ``nd.predict``, or a model, with its data as second argument.
    data : a Dataset, DataLoader or ``(X, y)``, when ``source`` is a model.
    model : the ``nn.Module`` to ask for Grad-CAM, when ``source`` is `Predictions`.

    Attributes
    ----------
    selection : list of ids, the positions in the data set that was predicted. Assign a list or
        an array of ids to select others.
    predictions, table : what is shown.

    Raises
    ------
    TypeError : when the source is neither, or a model comes without data.
    """

    stem = "error_explorer"
    main_thread_only = True  # its requests read the user's data set and run the user's model

    matrix = traitlets.Dict().tag(sync=True)
    cell = traitlets.Any(None).tag(sync=True)
    selection = traitlets.Any([]).tag(sync=True)

    def __init__(self, source: Any, data: Any = None, *, model: Any = None) -> None:
        self.predictions: Predictions = as_predictions(source, data)
        self.model = model if isinstance(source, Predictions) else source
        self.table = ErrorTable.from_predictions(self.predictions)
        self._row_of = {key: row for row, key in enumerate(self._ids(slice(None)))}
        self._pictures = pictures(self.predictions)
        self._overlays = overlays(self.model, self.predictions)
        matrix = to_wire(self.table.matrix)
        super().__init__(
            info=self._info(),
            matrix=matrix,
            findings=[finding.to_dict() for finding in by_severity(self.table.findings())],
        )

    def open_cell(self, true: int | str, predicted: int | str) -> list[Any]:
        """Open a cell as a click does; returns the ids in it, which are then selected.

        Classes by number or by name.

        Raises
        ------
        ValueError : for a class that does not exist.
        """
        cell = [self._class_number(true), self._class_number(predicted)]
        self._select({"cell": cell}, lambda _: None)
        return self.selection

    def handlers(self) -> dict[str, Handler]:
        return {
            "page": self._page,
            "overlay": self._overlay,
            "image": self._image,
            "select": self._select,
        }

    def picture(self) -> bytes:
        table, parts = self.table, [f"{len(self.predictions):,} samples"]
        if self.model is not None:
            parts.insert(0, model_name(self.model))
        if self.predictions.n_nonfinite:
            parts.append(f"{self.predictions.n_nonfinite:,} not finite")
        interval = f"({100 * table.low:.1f} to {100 * table.high:.1f} %)"
        return draw(
            classes=self.predictions.class_names,
            matrix=table.matrix,
            headline=f"{', '.join(parts)}, accuracy {100 * table.accuracy:.1f} % {interval}",
            findings=self.findings,
        )

    def summary(self) -> str:
        lines = [f"ErrorExplorer of {self.predictions!r}", *text_lines(self.table.findings())]
        return "\n".join(lines)

    @traitlets.validate("selection")
    def _known_ids(self, proposal: Any) -> list[Any]:
        value = proposal["value"]
        keys = value.tolist() if hasattr(value, "tolist") else list(value)
        for key in keys:
            if isinstance(key, list | dict | set) or key not in self._row_of:
                raise traitlets.TraitError(
                    f"no sample has the id {key!r}; ids run over the {len(self._row_of)} samples "
                    "of the data set that was predicted"
                )
        return keys

    def _ids(self, rows: Any) -> list[Any]:
        return self.predictions.ids[rows].tolist()

    def _info(self) -> dict[str, Any]:
        table = self.table
        return {
            "title": "Error explorer",
            "source": model_name(self.model),
            "samples": len(self.predictions.ids),
            "classes": list(self.predictions.class_names),
            "accuracy": {"value": table.accuracy, "low": table.low, "high": table.high},
            "output": str(self.predictions.output),
            "nonfinite": self.predictions.n_nonfinite,
            "nonfinite_by_class": table.nonfinite.tolist(),
            "pictures": self._pictures.info,
            "overlay": self._overlays.info,
        }

    def _page(self, args: dict[str, Any], reply: Reply) -> None:
        true, predicted = self._known_cell(args["cell"])
        offset, limit = int(args.get("offset", 0)), int(args.get("limit", 24))
        rows = self.table.cell(true, predicted)
        shown = rows[offset : offset + min(limit, PAGE_AT_MOST)]
        reply(
            {
                "cell": [true, predicted],
                "total": len(rows),
                "offset": offset,
                "samples": [self._sample(row) for row in shown],
                "images": [self._picture_of(row, THUMBNAIL) for row in shown],
            }
        )

    def _sample(self, row: int) -> dict[str, Any]:
        told = self.predictions.probabilities[row]
        true, predicted = int(self.predictions.targets[row]), int(self.predictions.predicted[row])
        best = (-told).argsort(kind="stable")[:TOP]
        return {
            "id": self._ids(row),
            "true": true,
            "pred": predicted,
            "p_true": float(told[true]) if predicted >= 0 else None,
            "p_pred": float(told[predicted]) if predicted >= 0 else None,
            "top": [[int(name), float(told[name])] for name in best] if predicted >= 0 else [],
        }

    def _picture_of(self, row: int, longest: int) -> dict[str, Any] | None:
        pixels = self._pictures.of(self._ids(row))
        return None if pixels is None else encode(pixels, longest)

    def _image(self, args: dict[str, Any], reply: Reply) -> None:
        row = self._row(args["id"])
        reply({"id": args["id"], "image": self._picture_of(row, FULL_SIZE)})

    def _overlay(self, args: dict[str, Any], reply: Reply) -> None:
        target = args.get("target", "predicted")
        if target not in ("predicted", "true"):
            raise ValueError(f"an overlay explains 'predicted' or 'true', got {target!r}")
        rows = [self._row(key) for key in args["ids"]]
        classes = self.predictions.predicted if target == "predicted" else self.predictions.targets
        # a sample without a finite output has no predicted class to explain
        kept = [row for row in rows if classes[row] >= 0]
        if not kept:
            raise ValueError("none of these samples has a class to explain")
        ids = [self._ids(row) for row in kept]
        cam = self._overlays.of(ids, [int(classes[row]) for row in kept])
        reply(
            {"ids": ids, "target": target, "layer": cam.layer, "maps": cam.maps, "peak": cam.peak}
        )

    def _select(self, args: dict[str, Any], reply: Reply) -> None:
        if args.get("cell") is not None:
            true, predicted = self._known_cell(args["cell"])
            with self.hold_sync():
                self.cell = [true, predicted]
                self.selection = self._ids(self.table.cell(true, predicted))
        else:
            ids = [self._ids(self._row(key)) for key in args["ids"]]
            with self.hold_sync():
                self.selection = ids
                if not ids:
                    self.cell = None  # closed: a reopened page shows no gallery either
        reply({"selection": len(self.selection)})

    def _class_number(self, given: int | str) -> int:
        names = self.predictions.class_names
        if isinstance(given, str):
            if given not in names:
                raise ValueError(f"no class {given!r}; classes: {', '.join(names[:40])}")
            return names.index(given)
        return operator.index(given)

    def _known_cell(self, cell: Any) -> tuple[int, int]:
        true, predicted = (int(index) for index in cell)
        count = len(self.predictions.class_names)
        if not (0 <= true < count and -1 <= predicted < count):
            raise ValueError(f"no cell {cell}: the matrix has {count} classes")
        return true, predicted

    def _row(self, key: Any) -> int:
        if key not in self._row_of:
            raise ValueError(f"no sample has the id {key!r}")
        return self._row_of[key]
