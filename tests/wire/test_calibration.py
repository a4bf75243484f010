"""Reliability diagrams as they cross to the browser, and the still picture."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageColor

from nbdiag.wire.calibration import OVER_TINT, UNDER_TINT, draw, pack, wrapped
from nbdiag.wire.canvas import Canvas


def diagram(said: list[float], seen: list[float], counts: list[int], **more: Any) -> dict[str, Any]:
    bins = len(counts)
    array = np.array
    return {
        "edges": np.linspace(0, 1, bins + 1),
        "counts": array(counts),
        "confidence": array(said),
        "observed": array(seen),
        "low": array(seen) * 0.9,
        "high": array(seen) * 0.9 + 0.1,
        "way": np.sign(np.nan_to_num(array(said) - array(seen))).astype(int),
        "sure": np.zeros(bins, bool),
        "words": ["As well calibrated as these samples can tell."],
        "temperature": 1.0,
        "numbers": {"ece": 0.25, "nll": float("inf")},
        **more,
    }


def unpack(packed: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(packed["data"], packed["dtype"]).reshape(packed["shape"])


def test_diagrams_of_unequal_size_are_filled_up() -> None:
    one = diagram([0.2, 0.8], [0.1, 0.9], [3, 4], sure=np.array([True, False]))
    two = diagram([0.2, np.nan, 0.9], [0.5, np.nan, 0.9], [1, 0, 2], temperature=2.0)
    packed = pack([one, two])
    assert packed["sizes"] == [2, 3]
    assert unpack(packed["temperatures"]).tolist() == [1.0, 2.0]
    assert unpack(packed["counts"]).tolist() == [[3, 4, 0], [1, 0, 2]]
    said = unpack(packed["confidence"])
    assert said[0, :2] == pytest.approx([0.2, 0.8])
    assert np.isnan(said[0, 2])
    assert np.isnan(said[1, 1])
    # over 2, under 0, neither 1; and 3 more where it is no chance
    assert unpack(packed["marks"]).tolist() == [[5, 0, 1], [0, 1, 1]]
    assert packed["names"] == ["ece", "nll"]
    assert unpack(packed["numbers"])[0, 1] == np.inf
    assert unpack(packed["edges"]).shape == (2, 4)
    assert packed["words"] == [one["words"], two["words"]]


def colours(**parts: Any) -> set[tuple[int, ...]]:
    given = {
        "headline": "7 samples",
        "axes": ("confidence", "share that is right"),
        "findings": [],
        "note": "Temperature 2 fits.",
        **parts,
    }
    image = Image.open(io.BytesIO(draw(**given))).convert("RGB")
    assert image.width == 1720
    # the legend on the right shows both colours; the diagram on the left is what counts
    left = image.crop((0, 0, 900, image.height))
    return {rgb for _, rgb in left.getcolors(1_000_000)}


def near(found: set[tuple[int, ...]], colour: str) -> bool:
    """Whether the colour is there, but for the palette of the picture."""
    wanted = np.array(ImageColor.getrgb(colour))
    return min(int(np.abs(np.array(one) - wanted).max()) for one in found) <= 4


def test_the_gap_has_the_colour_of_its_direction() -> None:
    over = colours(diagram=diagram([0.2, 0.9], [0.2, 0.5], [3, 4]))
    under = colours(diagram=diagram([0.2, 0.6], [0.2, 0.9], [3, 4]))
    assert near(over, OVER_TINT)
    assert not near(over, UNDER_TINT)
    assert near(under, UNDER_TINT)
    assert not near(under, OVER_TINT)


@pytest.mark.parametrize(
    "one",
    [
        diagram([np.nan, 1.0], [np.nan, 0.0], [0, 1]),
        diagram([np.nan], [np.nan], [0]),
        diagram([1.0], [1.0], [5], edges=np.array([1.0, 1.0])),
        diagram([0.5] * 1000, [0.4] * 1000, [1] * 1000),
    ],
    ids=["one sample", "no sample", "all tied at 1", "1000 bins"],
)
def test_edges(one: dict[str, Any]) -> None:
    assert colours(diagram=one, headline="<b>x</b> " * 60, note="long " * 60)


def test_lines_fit() -> None:
    board = Canvas(200, 50)
    lines = wrapped(board, "some words that are longer than one line of the board", 90)
    assert len(lines) > 2
    assert all(board.text_width(line) <= 90 for line in lines)
    assert " ".join(lines) == "some words that are longer than one line of the board"
    assert wrapped(board, "", 90) == []
