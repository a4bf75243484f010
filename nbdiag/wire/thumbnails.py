"""Pictures of samples as encoded bytes, no larger than they are shown."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image


def encode(pixels: np.ndarray, longest: int) -> dict[str, Any]:
    """A ``(H, W)`` or ``(H, W, 3 | 4)`` uint8 picture as ``{"data", "mime", "width", "height"}``.

    Shrunk so that its longer side is at most ``longest`` pixels, never enlarged. Small pictures
    travel as PNG, exact to the pixel; larger ones as JPEG.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    exact = max(image.size) <= 64 or image.mode == "RGBA"
    out = io.BytesIO()
    if exact:
        image.save(out, "PNG", compress_level=3)
    else:
        image.save(out, "JPEG", quality=88)
    return {
        "data": out.getvalue(),
        "mime": "image/png" if exact else "image/jpeg",
        "width": image.width,
        "height": image.height,
    }
