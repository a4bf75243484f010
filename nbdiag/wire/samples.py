"""One sample as it crosses to the browser: a picture, a few rows of a table, or text."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbdiag.wire.thumbnails import encode


def as_kind(shown: Any) -> str:
    """``"image"``, ``"tabular"``, ``"text"`` or ``"none"``."""
    if isinstance(shown, np.ndarray):
        return "image"
    if isinstance(shown, str):
        return "text"
    return "tabular" if hasattr(shown, "places") else "none"


def to_show(shown: Any, longest: int, rows: int, characters: int) -> dict[str, Any]:
    """What a renderer made of a sample, as ``{"image" | "text" | "table" | "failed": ...}``.

    Parameters
    ----------
    shown : pixels, a text, something with ``names``, ``values`` and ``places``, or with a
        ``message`` of why there is none of these.
    longest : pixels along the longer side of a picture.
    characters : of a text, at most.
    rows : of a table, at most; the most unusual values, as `unusual_first` has them.
    """
    kind = as_kind(shown)
    if kind == "image":
        return {"image": encode(shown, longest)}
    if kind == "text":
        cut = shown[:characters]
        return {"text": cut if cut == shown else f"{cut}…"}
    if kind == "none":
        return {"failed": str(getattr(shown, "message", "it cannot be shown"))}
    many = len(shown.names) > rows
    order = unusual_first(shown.places)[:rows] if many else range(len(shown.names))
    return {
        "table": [
            [shown.names[i], _value(shown.values[i]), _place(shown.places[i])] for i in order
        ],
        "more": max(0, len(shown.names) - rows),
    }


def unusual_first(places: np.ndarray) -> np.ndarray:
    """Positions by how far from the middle of the data a value lies; unknown places last.

    >>> unusual_first(np.array([0.5, 0.99, np.nan, 0.2])).tolist()
    [1, 3, 0, 2]
    """
    away = np.abs(np.asarray(places, float) - 0.5)
    return np.argsort(np.where(np.isnan(away), 1, -away), kind="stable")


def _value(value: Any) -> str:
    """Four significant digits; whole numbers and words as they are."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)[:200]


def _place(place: float) -> float | None:
    return None if np.isnan(place) else float(place)
