"""Does the answer flip back and forth where it should not? Walks over a field of probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbdiag.measures.findings import Finding

WALKS, STEPS = 400, 96
FEWEST = 100  # walks below which nothing is concluded
SAMPLES = 150  # of fewer, a boundary that is finer than their distances may well be right
AXIS = 12  # values of each feature below which there is nothing to walk over
LEAD = 0.1  # probability by which another class must lead before the answer counts as changed
SURE = 0.99  # level of the interval of the difference
EXCESS = 1.0  # flips a walk more than the control
TIMES = 3.0  # and so many times the control's
EXPLAINED = 0.6  # the control errs at most this share of always saying the commonest class
AGREED = 0.6  # share of the data's area in which control and model agree


@dataclass(frozen=True)
class Roughness:
    """Needless flips of the answer on straight walks between places where data are.

    A walk from a place of class a to one of class b needs one change of the answer if a and b
    differ, and none if they do not; what goes beyond is a needless flip. A change counts when
    another class leads by `LEAD`.

    Attributes
    ----------
    flips : needless flips a walk, on average; ``control`` the same of a smooth model that was
        fitted to the same samples, over the same walks.
    low, high : interval of flips minus control, over the walks.
    walks, samples : how many walks, and how many samples the control was fitted among.
    control_error, base_error : leave-one-out error of the control, and of always saying the
        commonest class: whether the control can be a yardstick at all.
    agreement : share of the cells near data in which control and model say the same.
    where : (x, y) in grid cells, around which most flips beyond the control lie.
    """

    flips: float
    control: float
    low: float
    high: float
    walks: int
    samples: int
    control_error: float
    base_error: float
    agreement: float
    where: tuple[float, float]

    @property
    def erratic(self) -> bool:
        """Clearly rougher than the control, and the control understands the data."""
        return (
            self.walks >= FEWEST
            and self.samples >= SAMPLES
            and self.low >= EXCESS
            and self.flips >= TIMES * self.control
            and self.control_error <= EXPLAINED * self.base_error
            and self.agreement >= AGREED
        )


def measure(
    field: np.ndarray,
    control: np.ndarray,
    near: np.ndarray,
    control_error: float,
    base_error: float,
    samples: int,
    seed: int = 0,
) -> Roughness | None:
    """Roughness of a field of probabilities (H, W, C) and of its control, on cells near data.

    Both are read between the cells by bilinear interpolation, so that the grid makes no steps.
    None where too few walks find their way.
    """
    starts, ends = walks(near, seed)
    if len(starts) < FEWEST:
        return None
    path = starts[:, None] + np.linspace(0, 1, STEPS)[:, None] * (ends - starts)[:, None]
    told, changed = needless(along(field, path))
    smooth, _ = needless(along(control, path))
    difference = told - smooth
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = generator.integers(0, len(difference), (1000, len(difference)))
    tail = (1 - SURE) / 2
    low, high = np.quantile(difference[drawn].mean(1), [tail, 1 - tail])
    agree = float((field.argmax(-1) == control.argmax(-1))[near].mean())
    flipped = path[changed & (difference > 0)[:, None]]
    centre = _densest(flipped) if len(flipped) else (np.nan, np.nan)
    return Roughness(
        float(told.mean()), float(smooth.mean()), float(low), float(high), len(starts),
        samples, control_error, base_error, agree, centre,
    )  # fmt: skip


def walks(near: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends (S, 2), row and column, of straight walks that stay on cells near data."""
    cells = np.argwhere(near)
    if len(cells) < 2:
        return np.empty((0, 2)), np.empty((0, 2))
    generator = np.random.Generator(np.random.PCG64(seed))
    pairs = cells[generator.integers(0, len(cells), (20 * WALKS, 2))].astype(float)
    starts, ends = pairs[:, 0], pairs[:, 1]
    path = starts[:, None] + np.linspace(0, 1, STEPS)[:, None] * (ends - starts)[:, None]
    rows, columns = np.rint(path).astype(int).transpose(2, 0, 1)
    apart = np.abs(ends - starts).max(1) >= min(near.shape) / 6
    kept = np.flatnonzero(near[rows, columns].all(1) & apart)[:WALKS]
    return starts[kept], ends[kept]


def along(field: np.ndarray, path: np.ndarray) -> np.ndarray:
    """Values (S, T, C) of a field (H, W, C) at places (S, T, 2), bilinear between cells."""
    height, width = field.shape[:2]
    row, column = path[..., 0], path[..., 1]
    r = np.clip(np.floor(row).astype(int), 0, height - 2)
    c = np.clip(np.floor(column).astype(int), 0, width - 2)
    fr, fc = (row - r)[..., None], (column - c)[..., None]
    upper = field[r, c] * (1 - fc) + field[r, c + 1] * fc
    lower = field[r + 1, c] * (1 - fc) + field[r + 1, c + 1] * fc
    return upper * (1 - fr) + lower * fr


def needless(told: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Needless flips (S,) of walks (S, T, C), and where the answer changed (S, T).

    >>> one, other = [1.0, 0.0], [0.0, 1.0]
    >>> flips, _ = needless(np.array([[one, other, other], [one, other, one]]))
    >>> flips.tolist()
    [0, 2]
    """
    walks_made, steps, _ = told.shape
    each = np.arange(walks_made)
    now = told[:, 0].argmax(-1)
    first = now.copy()
    changed = np.zeros((walks_made, steps), bool)
    for step in range(1, steps):
        best = told[:, step].argmax(-1)
        moved = told[each, step, best] - told[each, step, now] >= LEAD
        changed[:, step] = moved
        now = np.where(moved, best, now)
    return changed.sum(1) - (now != first), changed


def _densest(places: np.ndarray) -> tuple[float, float]:
    """(x, y) of the place with the most others around it, averaged over those."""
    some = places[:: max(1, len(places) // 400)]
    distance = np.abs(some[:, None] - some).max(-1)
    around = distance <= 6
    row, column = some[around[around.sum(1).argmax()]].mean(0)
    return float(column), float(row)


def judge(roughness: Roughness | None, names: tuple[str, str], place: str) -> list[Finding]:
    """``boundary.erratic`` where the answer flips back and forth far more than a control's."""
    if roughness is None or not roughness.erratic:
        return []
    x, y = names
    return [
        Finding(
            "boundary.erratic",
            "warning",
            f"{x} × {y}",
            f"On straight walks between places where data are, the answer flips back and forth "
            f"{roughness.flips:.2g} times more than needed, and that of a smooth model fitted to "
            f"the same samples {roughness.control:.2g} times{place}.",
            {
                "flips": roughness.flips,
                "control_flips": roughness.control,
                "difference_low": roughness.low,
                "difference_high": roughness.high,
                "walks": roughness.walks,
                "samples": roughness.samples,
                "control_error": roughness.control_error,
                "agreement": roughness.agreement,
            },
            "Look at the islands on the side of the other class: where a single sample sits in "
            "each, the model has learnt it by heart. Check the labels there; regularise more "
            "(weight decay, earlier stop, a smaller model), or collect more samples of that "
            "region.",
        )
    ]
