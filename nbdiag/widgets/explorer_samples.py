"""The samples that an ErrorExplorer shows: pages, pictures, where the model looked."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.measures.grad_cam import GradCAMResult
from nbdiag.measures.label_suspects import Suspects
from nbdiag.measures.metadata import take_rows
from nbdiag.measures.on_object import OnObject, objects_in, on_object
from nbdiag.measures.sample_lists import Place, SampleList, suggested_for
from nbdiag.measures.sample_order import losses
from nbdiag.sources import overlays, renderer
from nbdiag.widgets.base import Handler, Reply
from nbdiag.widgets.explorer_selection import ExplorerSelection
from nbdiag.wire.samples import as_kind, to_show

# Pixels along the longer side, features of a table, characters of a text
CARD, SAMPLE = (128, 4, 400), (640, 200, 20_000)
PAGE_AT_MOST = 200
TOP = 5
NO_PICTURES = "Grad-CAM is for pictures"
NO_INPUTS = "these predictions cannot look up their inputs by id"


class ExplorerSamples(ExplorerSelection):
    """The requests that read the user's data set and run the user's model."""

    main_thread_only = True

    model: Any
    suspects: Suspects | None
    _renderer: Any = None
    _overlays: Any = None
    _seen: dict[int, tuple[float, float]]  # row -> share and area of the object under its map

    def _look(self, render: Any, tokenizer: Any) -> dict[str, Any]:
        """What can be shown of a sample, and if nothing, why; `info` of the browser."""
        self._seen = {}
        if self.predictions.inputs is None:  # nothing that torch would be needed for
            none = {"kind": "none", "reason": NO_INPUTS}
            return {"pictures": none, "overlay": {"available": False, "reason": NO_INPUTS}}
        self._renderer = renderer(self.predictions, render, tokenizer)
        kind, note = self._renderer.kind, self._renderer.note
        overlay = {"available": False, "reason": NO_PICTURES}
        if kind not in ("tabular", "text"):
            self._overlays = overlays(self.model, self.predictions)
            overlay = self._overlays.info
        if kind == "custom":
            kind = as_kind(self._renderer.of(self.predictions.ids[:1].tolist())[0])
        said = {"reason" if kind == "none" else "note": note} if note else {}
        return {"pictures": {"kind": kind, **said}, "overlay": overlay}

    def handlers(self) -> dict[str, Handler]:
        own = {"page": self._page, "overlay": self._overlay, "image": self._image}
        return {**super().handlers(), **own}

    def _page(self, args: dict[str, Any], reply: Reply) -> None:
        place = self.places.known(args["place"])
        offset = max(0, int(args.get("offset", 0)))
        limit = min(int(args.get("limit", 24)), PAGE_AT_MOST)
        by = args.get("order") or self.places.default_order(place)
        # The first page of a large cell does not wait for the order of all the rest
        rows = self.places.in_order(place, by, limit if offset == 0 else None)
        shown = rows[offset : offset + limit]
        reply(
            {
                "place": place,
                "order": by,
                "total": self.places.count(place),
                "offset": offset,
                "samples": self._samples(shown, place),
                "shown": self._show(shown, *CARD),
            }
        )

    def _samples(self, rows: np.ndarray, place: Place) -> list[dict[str, Any]]:
        loss = losses(self.predictions, rows)
        pairs = zip(rows.tolist(), self._keys(rows), loss.tolist(), strict=True)
        made = [self._sample(row, key, loss) for row, key, loss in pairs]
        if self.suspects is not None and (place == "suspects" or self.suspects.findings()):
            suggested = suggested_for(self.suspects, rows).tolist()
            for sample, name in zip(made, suggested, strict=True):
                sample["suggested"] = name if name >= 0 else None
        return made

    def _sample(self, row: int, key: Any, loss: float) -> dict[str, Any]:
        told = self.predictions.probabilities[row]
        true, predicted = int(self.predictions.targets[row]), int(self.predictions.predicted[row])
        finite = predicted >= 0
        best = (-told).argsort(kind="stable")[:TOP]
        return {
            "row": row,
            "id": key,
            "true": true,
            "pred": predicted,
            "p_true": float(told[true]) if finite else None,
            "p_pred": float(told[predicted]) if finite else None,
            "loss": loss if np.isfinite(loss) else None,
            "top": [[int(name), float(told[name])] for name in best] if finite else [],
        }

    def _show(self, rows: np.ndarray, *limits: int) -> list[dict[str, Any]]:
        if self._renderer is None:
            return [{} for _ in rows]
        return [to_show(one, *limits) for one in self._renderer.of(self._keys(rows))]

    def _image(self, args: dict[str, Any], reply: Reply) -> None:
        rows = self._ids.rows_of([args["id"]])
        (shown,) = self._show(rows, *SAMPLE)
        reply({"id": args["id"], **shown})

    def _overlay(self, args: dict[str, Any], reply: Reply) -> None:
        target = args.get("target", "predicted")
        if target not in ("predicted", "true"):
            raise ValueError(f"an overlay explains 'predicted' or 'true', got {target!r}")
        rows = self._ids.rows_of(args["ids"])
        classes = self.predictions.predicted if target == "predicted" else self.predictions.targets
        # a sample without a finite output has no predicted class to explain
        kept = rows[classes[rows] >= 0]
        if not len(kept):
            raise ValueError("none of these samples has a class to explain")
        if self._overlays is None:
            raise ValueError(NO_INPUTS if self._renderer is None else NO_PICTURES)
        ids = self._keys(kept)
        cam, size = self._overlays.of(ids, classes[kept].tolist())
        said = {"ids": ids, "target": target, "layer": cam.layer}
        beside = self._beside_object(cam, kept, size)
        if beside is not None:
            said |= {"share": beside.share, "area": beside.area}
            if target == "predicted":
                self._seen |= zip(
                    kept.tolist(), zip(beside.share, beside.area, strict=True), strict=True
                )
                self._judge_evidence(cam.layer)
        reply({**said, "maps": cam.maps, "peak": cam.peak})

    def _beside_object(
        self, cam: GradCAMResult, rows: np.ndarray, size: tuple[int, int] | None
    ) -> OnObject | None:
        """How much of the evidence lies on the objects that the metadata gives."""
        given = objects_in(self.predictions.metadata)
        if given is None or (given[0] == "boxes" and size is None):
            return None
        kind, column = given
        objects = take_rows({kind: column}, rows)[kind]
        return on_object(cam, **{kind: list(objects)}, size=size if kind == "boxes" else None)

    def _judge_evidence(self, layer: str) -> None:
        """``cam.off_object`` over all maps looked at so far, and the list of what they show."""
        rows = np.array(list(self._seen))
        share, area = np.array(list(self._seen.values())).T
        judged = OnObject(share, area, layer)
        told = [finding.to_dict() for finding in judged.findings()]
        others = [one for one in self.findings if one["code"] != "cam.off_object"]
        self.places.drop("evidence")
        with self.hold_sync():
            if told:
                order = np.argsort(share[judged.known] - area[judged.known], kind="stable")
                title, text = "Looked beside the object", "Of the maps that were looked at so far."
                first = "least evidence on the object first"
                rows = rows[judged.known][order]
                self.places.put(SampleList("off_object", title, text, rows, first, "evidence"))
            self.findings = [*others, *told]
            self._tell_lists()

    def _keys(self, rows: np.ndarray) -> list[Any]:
        return self.predictions.ids[rows].tolist()
