"""The still picture: what is drawn can be told from its pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from nbdiag.wire.canvas import SCALE
from nbdiag.wire.gradient_flow import BARS, NAMES, NOT_FINITE, decades, draw

RED = tuple(int(NOT_FINITE[i : i + 2], 16) for i in (1, 3, 5))


def pixels(norms: np.ndarray, status: np.ndarray | None = None, **kwargs: object) -> np.ndarray:
    samples, layers = norms.shape
    status = np.zeros(norms.shape, np.uint8) if status is None else status
    png = draw(
        source="Net",
        layers=[f"layer{i}" for i in range(layers)],
        steps=np.arange(1, samples + 1),
        norms=norms,
        raw=kwargs.get("raw", np.full(norms.shape, np.nan)),  # type: ignore[arg-type]
        status=status,
        findings=kwargs.get("findings", []),  # type: ignore[arg-type]
    )
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def bar_lengths(image: np.ndarray, layers: int) -> list[int]:
    """Coloured pixels in each row of the bar column."""
    area = image[:, NAMES * SCALE : (NAMES + BARS) * SCALE]
    coloured = np.ptp(area, axis=2) > 25
    rows = np.flatnonzero(coloured.any(axis=1))
    groups = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    assert len(groups) == layers
    return [int(coloured[group[len(group) // 2]].sum()) for group in groups]


def test_bar_length_is_the_logarithm() -> None:
    # decades -2 to 1: 0.1 takes one third of the axis, 1 two thirds
    one, two, three = bar_lengths(pixels(np.array([[0.02, 0.1, 1.0], [0.02, 0.1, 1.0]])), 3)
    assert one < two < three
    assert two == pytest.approx(BARS * SCALE / 2, abs=6)
    assert three == pytest.approx(BARS * SCALE, abs=6)


def test_a_norm_before_clipping_is_a_tick_beyond_the_bar() -> None:
    norms = np.array([[0.1, 0.1]])
    plain, clipped = pixels(norms), pixels(norms, raw=np.array([[0.1, 0.8]]))
    assert (plain != clipped).any()
    same = pixels(norms, raw=norms)  # seen, and nothing was clipped
    assert (plain == same).all()


@pytest.mark.parametrize(
    ("values", "span"),
    [
        ([0.02, 3.0], (-2, 1)),
        ([1.0], (-2, 0)),
        ([0.0, np.nan, np.inf], (-3, 0)),
        ([], (-3, 0)),
        ([1e-30, 1e30], (-30, 30)),
    ],
)
def test_decades(values: list[float], span: tuple[int, int]) -> None:
    assert decades(np.array(values)) == span


@pytest.mark.parametrize("code", [3, 4])
def test_a_value_that_is_not_finite_is_marked(code: int) -> None:
    norms = np.ones((600, 4))
    status = np.zeros((600, 4), np.uint8)
    assert not (pixels(norms, status) == RED).all(axis=2).any()
    status[301, 2] = code  # one sample of 600, which thinning must not drop
    norms[301, 2] = np.nan
    assert (pixels(norms, status) == RED).all(axis=2).any()


@pytest.mark.parametrize(("samples", "layers"), [(0, 3), (1, 1), (2, 300), (5000, 2)], ids=str)
def test_any_size_is_drawn(samples: int, layers: int) -> None:
    image = pixels(np.full((samples, layers), 0.1))
    assert image.shape[1] == 860 * SCALE
    assert image.shape[0] < 700 * SCALE


def test_findings_take_their_lines() -> None:
    finding = {"severity": "critical", "message": "The early layers hardly learn. " * 20}
    plain = pixels(np.ones((2, 2)))
    told = pixels(np.ones((2, 2)), findings=[finding] * 5)
    assert told.shape[0] > plain.shape[0]
