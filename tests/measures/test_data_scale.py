"""Harmful scales are found, harmless ones are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbdiag.measures.data_scale import judge_scale
from nbdiag.measures.data_split import Split
from nbdiag.measures.data_tally import SplitTally
from nbdiag.measures.findings import Finding

RNG = np.random.default_rng(3)
NORMAL = RNG.normal(size=(400, 6))
PIXELS = RNG.random((80, 3, 12, 12)).astype(np.float32)


def split(x: Any, name: str = "train") -> Split:
    tally = SplitTally(name)
    tally.add({"": x}, None, np.arange(len(x)))
    return tally.finish()


def judge(*splits: Split) -> list[Finding]:
    return judge_scale(splits)


def with_column(values: np.ndarray) -> np.ndarray:
    return np.concatenate([NORMAL, values.reshape(-1, 1)], 1)


HARMLESS = {
    "standardised": NORMAL,
    "pictures in [0, 1]": PIXELS,
    "pictures as ImageNet has them": (PIXELS - 0.45) / 0.225,
    "bright pictures that hardly vary": 0.9 + 0.02 * PIXELS,
    "digits of 0 to 16": np.round(PIXELS * 16),
    "a binary column": with_column(NORMAL[:, 0] > 0),
    "a constant column, also a large one": with_column(np.full(400, 5000.0)),
    "counts": with_column(RNG.poisson(6, 400)),
    "mostly zero": with_column(RNG.poisson(20, 400) * (RNG.random(400) < 0.1)),
    "heavy tails": RNG.standard_cauchy((400, 6)),
    "embeddings of unit length": NORMAL / np.linalg.norm(NORMAL, axis=1, keepdims=True) / 10,
    "tokens": RNG.integers(0, 50_000, (400, 30)),
    "integer table": RNG.integers(0, 9000, (400, 3)),
    "one sample": NORMAL[:1] * 1e6,
    "text": ["a few words"] * 20,
    "audio": np.sin(np.arange(8000) / 9)[None, None] * RNG.random((50, 1, 1)),
    "a sequence": NORMAL.reshape(100, 8, 3),
    "not a number at all": np.full((40, 3), np.nan),
    "ten times unit scale": NORMAL * 10,
}


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless(name: str) -> None:
    assert judge(split(HARMLESS[name])) == []


HARMFUL = {
    "raw pixels": (np.round(PIXELS * 255), "train"),
    "raw pixels, channels last": (np.round(PIXELS * 255).transpose(0, 2, 3, 1), "train"),
    "pixels divided twice": (PIXELS / 65_025, "train"),
    "one column times 100": (with_column(NORMAL[:, 0] * 100), "train, column 6"),
    "scales a factor of 100 apart": (
        NORMAL * [1, 1, 1, 1, 0.3, 30],
        "train, column 5",
    ),
    "offset": (with_column(NORMAL[:, 0] + 100), "train, column 6"),
    "all columns": (NORMAL * 200, "train"),
    "all columns tiny": (NORMAL * 1e-4, "train"),
    "large where not zero": (
        with_column(RNG.normal(5000, 900, 400) * (RNG.random(400) < 0.2)),
        "train, column 6",
    ),
    "large where rarely not zero": (
        with_column(RNG.normal(5000, 900, 400) * (RNG.random(400) < 0.06)),
        "train, column 6",
    ),
    "a binary column of 0 and 1000": (with_column(1000.0 * (NORMAL[:, 0] > 0)), "train, column 6"),
    "money over time": (np.exp(RNG.normal(9, 1, (60, 20, 2))), "train, feature 0 and feature 1"),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_harmful(name: str) -> None:
    x, subject = HARMFUL[name]
    (finding,) = judge(split(x))
    assert (finding.code, finding.subject) == ("data.unnormalized", subject)
    assert finding.severity in ("warning", "critical")
    assert finding.evidence["samples"] == len(x)


def test_bytes_are_a_remark() -> None:
    (finding,) = judge(split(np.round(PIXELS * 255).astype(np.uint8)))
    assert finding.severity == "info"
    assert finding.remedy.startswith("Divide by 255")


def test_the_numbers_of_a_picture() -> None:
    x = np.zeros((20, 1, 8, 8), np.float32)
    x[:, :, :4] = 200
    (finding,) = judge(split(x))
    assert finding.evidence["channels"] == {
        "channel 0": {"mean": 100.0, "sd": 100.0, "low": 0.0, "high": 200.0}
    }


def test_amounts_over_orders_of_magnitude_want_a_logarithm() -> None:
    (finding,) = judge(split(with_column(np.exp(RNG.normal(7, 2, 400)))))
    assert "logarithm" in finding.remedy
    (plain,) = judge(split(with_column(NORMAL[:, 0] * 100)))
    assert "logarithm" not in plain.remedy


@pytest.mark.parametrize(
    ("train", "val", "found"),
    [
        (NORMAL[:200], NORMAL[200:], 0),
        (NORMAL[:200], NORMAL[200:] * 5, 6),
        (NORMAL[:200], NORMAL[200:] + 8, 6),
        (NORMAL[:200], NORMAL[200:] * [1, 1, 1, 1, 1, 0.01], 1),
        (NORMAL[:200], NORMAL[200:] * 1.5 + 0.5, 0),
        (NORMAL[:200], NORMAL[200:220] * 50, 0),  # too few to compare
        ((PIXELS[:40] - 0.5) / 0.29, PIXELS[40:], 3),
        (PIXELS[:40], PIXELS[40:] * 255, 3),
        (PIXELS[:40], PIXELS[40:] * 0.8, 0),
    ],
)
def test_a_split_that_is_scaled_otherwise(train: Any, val: Any, found: int) -> None:
    findings = judge(split(train), split(val, "val"))
    if not found:
        assert findings == []
        return
    (finding,) = findings
    assert (finding.subject, finding.severity) == ("val", "critical")
    assert finding.evidence["features_scaled_otherwise"] == found
