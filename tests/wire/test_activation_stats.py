"""The still picture: what is drawn can be told from its pixels."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nbdiag.wire.activation_stats import BARS, COLORS, NAMES, SOMETIMES, WIDTH, draw, pack_shares
from nbdiag.wire.canvas import SCALE, SEVERITY

RED = tuple(int(SEVERITY["critical"][i : i + 2], 16) for i in (1, 3, 5))
BLUE = tuple(int(COLORS[SOMETIMES][i : i + 2], 16) for i in (1, 3, 5))
SERIES = (np.arange(1, 11), np.linspace(0, 1, 10))


def pixels(counts: list[list[int]], series: Any = None, step: int = 10) -> np.ndarray:
    series = [SERIES] * len(counts) if series is None else series
    png = draw(
        source="Net",
        step=step,
        names=[f"act{i}" for i in range(len(counts))],
        findings=[],
        counts=np.array(counts, int).reshape(-1, 7),
        seen=[100] * len(counts),
        series=series,
    )
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_the_bar_is_shared_among_the_states() -> None:
    image = pixels([[16, 0, 48, 0, 0, 0, 0]])
    bar = image[:, NAMES * SCALE : (NAMES + BARS) * SCALE]
    blue = (np.abs(bar - BLUE).sum(axis=2) < 12).sum(axis=1).max()
    assert blue == pytest.approx(BARS * SCALE * 48 / 64, abs=6)


def test_a_look_at_something_not_finite_is_marked() -> None:
    steps = np.arange(1, 2001)
    off = np.zeros(2000)
    assert not (pixels([[0, 0, 8, 0, 0, 0, 0]], [(steps, off)]) == RED).all(axis=2).any()
    off[700] = np.nan  # one look of 2000, which thinning must not drop
    assert (pixels([[0, 0, 8, 0, 0, 0, 0]], [(steps, off)]) == RED).all(axis=2).any()


def test_without_activations_it_says_so() -> None:
    none, waiting = pixels([], step=5), pixels([], step=0)
    assert none.shape == waiting.shape
    assert (none != waiting).any()


def test_before_the_first_look() -> None:
    empty = np.zeros(0)
    assert pixels([[0] * 7], [(empty, empty)]).shape[1] == WIDTH * SCALE


def test_many_activations_are_thinned() -> None:
    assert pixels([[1, 0, 2, 0, 0, 0, 0]] * 300).shape[0] < 700 * SCALE


@pytest.mark.parametrize(
    ("share", "packed"), [(0, 0), (1e-12, 1), (0.25, 16384), (1 - 1e-12, 65534), (1, 65535)]
)
def test_only_nothing_is_packed_as_nothing_and_only_all_as_all(share: float, packed: int) -> None:
    assert pack_shares(np.array([share], np.float64)).tolist() == [packed]
