"""A small drawing board over Pillow for the picture that a saved notebook keeps of a widget."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SCALE = 2  # drawn at twice the size, so that it stays sharp on dense screens

INK = "#1b1f24"
MUTED = "#57606a"
LINE = "#d0d7de"
SURFACE = "#ffffff"
SEVERITY = {"info": "#0b62c1", "warning": "#8a5300", "critical": "#b3261e"}
SIGN = {"info": "i", "warning": "!", "critical": "x"}

# 17 evenly spaced colours of viridis (Smith and van der Walt, CC0); between them, linear
_VIRIDIS = (
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 "
    "84d44b addc30 d8e219 fde725"
).split()


@lru_cache(maxsize=1)
def _anchors() -> np.ndarray:
    return np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in _VIRIDIS], dtype=float)


def viridis(values: np.ndarray) -> np.ndarray:
    """Values in [0, 1] as ``(..., 3)`` uint8; more is darker, farther from the white paper.

    >>> viridis(np.array([0.0, 1.0])).tolist()
    [[253, 231, 37], [68, 1, 84]]
    """
    anchors = _anchors()[::-1]
    position = np.clip(values, 0, 1) * (len(anchors) - 1)
    channels = [np.interp(position, np.arange(len(anchors)), anchors[:, i]) for i in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * SCALE)


# What Pillow's own font can draw beside ASCII, of what occurs; and what stands for other signs
_DRAWN = "…·’“”±°"
_INSTEAD = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "→": ">",
        "×": "x",
        "≥": ">=",
        "≤": "<=",
        "≈": "~",
        "‘": "’",
        "µ": "u",
    }
)


def drawable(text: str) -> str:
    """The text in letters that the font has: it draws an empty box for every other one.

    >>> drawable("−3 → Küche"), drawable("猫")
    ('-3 > Kuche', '?')
    """
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_INSTEAD).replace("…", "\0"))
    kept = (c for c in plain if not unicodedata.combining(c))
    told = "".join(c if c.isascii() or c in _DRAWN else "?" for c in kept)
    return told.replace("\0", "…")


def shorten(name: str, longest: int) -> str:
    """The middle left out, since both ends of a module path carry meaning.

    >>> shorten("backbone.layer1.0.conv1", 13)
    'backbo….conv1'
    """
    return _cut(name, longest, longest // 2)


def _cut(name: str, longest: int, head: int) -> str:
    if len(name) <= longest:
        return name
    return f"{name[:head]}…{name[len(name) - (longest - 1 - head) :]}"


def shorten_all(names: Sequence[str], longest: int) -> list[str]:
    """Shortens names that stand side by side where most of them stay apart.

    >>> shorten_all(["species 01 of it", "species 02 of it"], 11)
    ['species 01…', 'species 02…']
    """
    heads = longest // 2, longest - 1, 0  # cut in the middle, at the end, at the start
    ways = [[_cut(name, longest, head) for name in names] for head in heads]
    return max(ways, key=lambda texts: len(set(texts)))


def ink_on(rgb: np.ndarray) -> str:
    """Dark or white text, whichever reads better on that colour (WCAG 2 contrast).

    >>> ink_on(np.array([59, 176, 148])), ink_on(np.array([68, 1, 84]))
    ('#1b1f24', '#ffffff')
    """
    light = _luminance(rgb)
    dark = _luminance(np.array([int(INK[i : i + 2], 16) for i in (1, 3, 5)]))
    return INK if (light + 0.05) / (dark + 0.05) >= 1.05 / (light + 0.05) else "#ffffff"


def _luminance(rgb: np.ndarray) -> float:
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


class Canvas:
    """A white sheet of ``width`` x ``height`` CSS pixels; every coordinate is in CSS pixels."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._image = Image.new("RGB", (width * SCALE, height * SCALE), SURFACE)
        self._draw = ImageDraw.Draw(self._image)

    def text(
        self, x: float, y: float, text: str, *, size: int = 12, color: str = INK, anchor: str = "lm"
    ) -> None:
        """Text at (x, y); ``anchor`` as Pillow's: l, m or r and then t, m or b."""
        text = drawable(text)
        self._draw.text((x * SCALE, y * SCALE), text, fill=color, font=_font(size), anchor=anchor)

    def upright(self, x: float, y: float, text: str, *, size: int = 11, color: str = INK) -> None:
        """Text running upwards, its last letter at (x, y); for labels too close to lie flat."""
        font, text = _font(size), drawable(text)
        left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
        mask = Image.new("L", (max(1, right - left), max(1, bottom - top)))
        ImageDraw.Draw(mask).text((-left, -top), text, fill=255, font=font)
        turned = mask.transpose(Image.Transpose.ROTATE_90)
        corner = (round(x * SCALE - turned.width / 2), round(y * SCALE))
        self._image.paste(color, (*corner, *(np.add(corner, turned.size).tolist())), turned)

    def power(self, x: float, y: float, exponent: int, size: int = 10, color: str = MUTED) -> None:
        """A power of ten centred at (x, y), its exponent raised."""
        if exponent == 0:
            self.text(x, y, "1", size=size, color=color, anchor="mm")
            return
        raised = str(exponent)
        width = self.text_width("10", size) + self.text_width(raised, size - 2)
        self.text(x - width / 2, y, "10", size=size, color=color)
        self.text(x + width / 2, y - size * 0.4, raised, size=size - 2, color=color, anchor="rm")

    def text_width(self, text: str, size: int = 12) -> float:
        return self._draw.textlength(drawable(text), font=_font(size)) / SCALE

    def box(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        fill: str | None,
        outline: str | None = None,
    ) -> None:
        """A rectangle; nothing when it would be empty."""
        if x1 > x0 and y1 > y0:
            self._draw.rectangle(
                (x0 * SCALE, y0 * SCALE, x1 * SCALE - 1, y1 * SCALE - 1), fill=fill, outline=outline
            )

    def line(self, x0: float, y0: float, x1: float, y1: float, color: str = LINE) -> None:
        self._draw.line((x0 * SCALE, y0 * SCALE, x1 * SCALE, y1 * SCALE), fill=color, width=1)

    def path(self, points: Sequence[tuple[float, float]], color: str, width: float = 1) -> None:
        """A line through the points; a single one is a dot."""
        if len(points) == 1:
            (x, y), half = points[0], max(1.0, width / 2)
            self.box(x - half, y - half, x + half, y + half, color)
            return
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(scaled, fill=color, width=round(width * SCALE), joint="curve")

    def area(self, points: Sequence[tuple[float, float]], color: str) -> None:
        """A filled polygon of at least three points."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=color)

    def cross(self, x: float, y: float, radius: float, color: str) -> None:
        """The mark of a value that is not finite."""
        for sign in (-1, 1):
            self._draw.line(
                (
                    (x - radius) * SCALE,
                    (y - sign * radius) * SCALE,
                    (x + radius) * SCALE,
                    (y + sign * radius) * SCALE,
                ),
                fill=color,
                width=2 * SCALE,
            )

    def picture(self, pixels: np.ndarray, x0: float, y0: float, x1: float, y1: float) -> None:
        """A ``(H, W, 3)`` uint8 array stretched over the rectangle, without smoothing."""
        size = (max(1, round((x1 - x0) * SCALE)), max(1, round((y1 - y0) * SCALE)))
        image = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.NEAREST)
        self._image.paste(image, (round(x0 * SCALE), round(y0 * SCALE)))

    def header(self, title: str, subtitle: str, findings: list[dict[str, str]]) -> float:
        """Title line and up to three findings; returns the y below them."""
        self.text(14, 20, title, size=15)
        self.text(14 + self.text_width(title, 15) + 10, 21, subtitle, size=12, color=MUTED)
        y = 44.0
        for finding in findings[:3]:
            color = SEVERITY[finding["severity"]]
            self.box(14, y - 9, 17, y + 9, color)
            word = f"{finding['severity'].capitalize()} ({SIGN[finding['severity']]})"
            self.text(24, y, word, size=12, color=color)
            room = self.width - 30 - 24 - self.text_width(word) - 8
            self.text(24 + self.text_width(word) + 8, y, self.fit(finding["message"], room))
            y += 22
        if len(findings) > 3:
            self.text(24, y, f"and {len(findings) - 3} more", color=MUTED)
            y += 22
        return y

    def fit(self, text: str, room: float, size: int = 12) -> str:
        """The text cut at its end so that it takes at most ``room`` pixels."""
        if self.text_width(text, size) <= room:
            return text
        while text and self.text_width(text + "…", size) > room:
            text = text[:-1]
        return text.rstrip() + "…"

    def png(self) -> bytes:
        out = io.BytesIO()
        self._image.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        return out.getvalue()
