"""Did the network look at the object? The share of Grad-CAM evidence within its mask or box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nbdiag.measures.columns import column_names
from nbdiag.measures.findings import Finding
from nbdiag.measures.grad_cam import GradCAMResult
from nbdiag.measures.result import Result

MAPS_AT_LEAST = 30
AREA_AT_MOST = 0.9  # of the picture; what fills it cannot be missed
LEVEL = 0.01
OFF_BY = 0.02  # the share lies at most so far above the area's share, at its upper end
MASK_NAMES, BOX_NAMES = ("mask", "masks"), ("box", "boxes", "bbox", "bboxes")


@dataclass(frozen=True, repr=False, eq=False)
class OnObject(Result):
    """Evidence on the object against the object's area, of N maps.

    Attributes
    ----------
    share : (N,) share of the positive evidence that lies on the object, 0 to 1; NaN for a map
        without positive evidence, without an object, or that is not finite.
    area : (N,) share of the picture that the object covers: what evidence spread evenly would have.
    layer : the layer that was looked at.
    """

    figure_stem: ClassVar[str] = "on_object"

    share: np.ndarray
    area: np.ndarray
    layer: str

    @cached_property
    def known(self) -> np.ndarray:
        """(N,) bool: maps with evidence, of an object that leaves something of the picture."""
        return np.isfinite(self.share) & (self.area > 0) & (self.area <= AREA_AT_MOST)

    @property
    def excess(self) -> float:
        """Mean of share minus area over the known maps; 0 = no better than chance."""
        gap = (self.share - self.area)[self.known]
        return float(gap.mean()) if gap.size else float("nan")

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Student's interval of `excess`; (-1, 1) for fewer than two maps."""
        from scipy.special import stdtrit

        gap = (self.share - self.area)[self.known]
        if len(gap) < 2:
            return -1.0, 1.0
        half = (
            float(stdtrit(len(gap) - 1, 0.5 + confidence / 2) * gap.std(ddof=1)) / len(gap) ** 0.5
        )
        return max(-1.0, self.excess - half), min(1.0, self.excess + half)

    def findings(self) -> list[Finding]:
        """``cam.off_object``: evidence does not lie on the objects more than anywhere else.

        Judged over `MAPS_AT_LEAST` maps or more. The upper end of the 99 % interval of share minus
        area must lie below `OFF_BY`.
        """
        n = int(self.known.sum())
        if n < MAPS_AT_LEAST:
            return []
        low, high = self.interval(1 - LEVEL)
        if high >= OFF_BY:
            return []
        share, area = float(self.share[self.known].mean()), float(self.area[self.known].mean())
        return [
            Finding(
                "cam.off_object",
                "warning",
                self.layer,
                f"{share:.0%} of the evidence lies on the objects, which cover {area:.0%} of the "
                f"pictures: over {n} maps, it lies there no more than anywhere else (difference "
                f"{100 * self.excess:+.2g} points, 99 % interval {100 * low:+.2g} to "
                f"{100 * high:+.2g}).",
                {"maps": n, "share": share, "area": area, "low": low, "high": high},
                "Look at what lies under the maps instead: background, border, watermark, or "
                "equipment that goes with the class. Test it: cover that in some pictures, or "
                "train with it varied. A coarse layer or many small objects can look alike: "
                "compare an earlier layer.",
            )
        ]

    def columns(self) -> Mapping[str, Any]:
        """A row for each map."""
        return {"share_on_object": self.share, "area_of_object": self.area}

    def __repr__(self) -> str:
        told = "off the objects" if self.findings() else "no sign that it looks off the objects"
        return f"OnObject: {int(self.known.sum())} of {len(self.share)} maps judged, {told}"


def on_object(
    maps: GradCAMResult,
    *,
    masks: Sequence[Any] | np.ndarray | None = None,
    boxes: Sequence[Any] | np.ndarray | None = None,
    size: tuple[int, int] | Sequence[tuple[int, int]] | None = None,
) -> OnObject:
    """What share of the evidence lies on the object?

    Parameters
    ----------
    maps : of N inputs.
    masks : N masks (H, W), true or above 0 on the object, of the input's size; None for an input
        without one.
    boxes : N boxes ``(x1, y1, x2, y2)`` in pixels of the input, or for each a list of boxes; None
        for an input without one.
    size : ``(H, W)`` of the inputs, one for all or one each; needed for boxes.

    A map's cell is on the object by the share of it that the object covers, so that a coarse map is
    not rounded in the object's favour.

    Raises
    ------
    ValueError : for both or neither of masks and boxes, another number of them, masks that are not
        (H, W), boxes that are not four numbers with x1 <= x2 and y1 <= y2, or boxes without a size.
    """
    if (masks is None) == (boxes is None):
        raise ValueError("give the objects as masks= or as boxes=, one of the two")
    given: Any = boxes if masks is None else masks
    n, height, width = maps.maps.shape
    if len(given) != n:
        raise ValueError(f"there are {len(given)} objects for {n} maps; one each is needed")
    sizes = _sizes(size, n) if masks is None else [(0, 0)] * n
    shares, areas = np.full(n, np.nan), np.full(n, np.nan)
    for i, one in enumerate(given):
        if one is None:
            continue
        cover = (
            _of_boxes(one, i, sizes[i], height, width)
            if masks is None
            else _of_mask(one, i, height, width)
        )
        areas[i] = float(cover.mean())
        evidence = np.clip(maps.maps[i].astype(np.float64), 0, None)
        total = float(evidence.sum())
        if np.isfinite(total) and total > 0:
            shares[i] = float((evidence * cover).sum()) / total
    return OnObject(shares, areas, maps.layer)


def objects_in(metadata: Any) -> tuple[str, Any] | None:
    """``("masks", column)`` or ``("boxes", column)`` of the metadata, or None without either.

    Columns of the names mask(s), box(es) and bbox(es) are looked for, in any case.
    """
    if metadata is None:
        return None
    by_name = {name.lower(): name for name in column_names(metadata)}
    for kind, known in (("masks", MASK_NAMES), ("boxes", BOX_NAMES)):
        for name in known:
            if name in by_name:
                return kind, metadata[by_name[name]]
    return None


def _sizes(size: Any, n: int) -> list[tuple[int, int]]:
    if size is None:
        raise ValueError("boxes are in pixels of the input: give its size=(H, W)")
    array = np.asarray(size)
    if array.shape == (2,):
        array = np.broadcast_to(array, (n, 2))
    if array.shape != (n, 2) or not (array > 0).all():
        raise ValueError(f"size must be (H, W), or one for each of {n} inputs, got {size!r}")
    return [(int(h), int(w)) for h, w in array]


def _of_mask(mask: Any, at: int, height: int, width: int) -> np.ndarray:
    """(h, w) share of each cell of the map that the mask covers."""
    array = np.asarray(mask)
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):
        array = array.squeeze(0 if array.shape[0] == 1 else 2)
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"mask {at} must be numbers or bools of the shape (H, W), got {array.dtype} "
            f"{array.shape}"
        )
    on = (array > 0).astype(np.float64)
    return _overlap(array.shape[0], height) @ on @ _overlap(array.shape[1], width).T


def _of_boxes(boxes: Any, at: int, size: tuple[int, int], height: int, width: int) -> np.ndarray:
    array = np.asarray(boxes, np.float64)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[1:] != (4,) or not np.isfinite(array).all():
        raise ValueError(f"box {at} must be (x1, y1, x2, y2) or a list of such, got {boxes!r}")
    if (array[:, :2] > array[:, 2:]).any():
        raise ValueError(
            f"box {at} must have x1 <= x2 and y1 <= y2, got {array.tolist()}: is it given as "
            "(x, y, width, height)?"
        )
    # Several boxes may overlap: the union, drawn on lines at every edge, is exact.
    covers = np.zeros((height, width))
    xs = np.unique(np.clip([0, size[1], *array[:, 0], *array[:, 2]], 0, size[1]))
    ys = np.unique(np.clip([0, size[0], *array[:, 1], *array[:, 3]], 0, size[0]))
    middle_x, middle_y = (xs[1:] + xs[:-1]) / 2, (ys[1:] + ys[:-1]) / 2
    inside = np.zeros((len(middle_y), len(middle_x)))
    for x1, y1, x2, y2 in array:
        inside[np.ix_((middle_y > y1) & (middle_y < y2), (middle_x > x1) & (middle_x < x2))] = 1
    covers = _between(ys / size[0], height) @ inside @ _between(xs / size[1], width).T
    return np.asarray(covers)


def _overlap(pixels: int, cells: int) -> np.ndarray:
    """(cells, pixels) share of each cell that each pixel fills, along one axis."""
    return _between(np.arange(pixels + 1) / pixels, cells)


def _between(edges: np.ndarray, cells: int) -> np.ndarray:
    """(cells, len(edges) - 1) share of each cell that lies between two edges, both in 0..1."""
    starts = np.arange(cells)[:, None] / cells
    low = np.maximum(starts, edges[None, :-1])
    high = np.minimum(starts + 1 / cells, edges[None, 1:])
    return np.maximum(high - low, 0) * cells
