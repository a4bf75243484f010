"""Filtering by values of the metadata, against a loop over the samples."""

from __future__ import annotations

import numpy as np
import pytest

from nbdiag.measures.facets import Facet
from nbdiag.measures.sample_filter import checked, passing, tallies

LIGHT = Facet("light", "category", ("day", "night"), np.array([0, 1, 0, -1, 1]))
SIZE = Facet("size", "number", ("small", "large", "huge"), np.array([0, 0, 1, 1, 1]))
WRONG = np.array([True, False, False, True, True])


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        ({}, None),
        ({"light": ["day"]}, [0, 2]),
        ({"light": ["day", "night"]}, [0, 1, 2, 4]),  # a missing value passes no filter
        ({"light": ["night"], "size": ["large"]}, [4]),
        ({"size": ["huge"]}, []),
    ],
)
def test_what_passes(choice: dict[str, list[str]], kept: list[int] | None) -> None:
    found = passing([LIGHT, SIZE], choice)
    assert (None if found is None else np.flatnonzero(found).tolist()) == kept


def test_tallies_of_a_column_do_not_heed_its_own_choice() -> None:
    found = tallies([LIGHT, SIZE], {"light": ["night"]}, WRONG)
    (light, light_wrong), (size, size_wrong) = found
    assert (light.tolist(), light_wrong.tolist()) == ([2, 2], [1, 1])
    assert (size.tolist(), size_wrong.tolist()) == ([1, 1, 0], [0, 1, 0])


def test_tallies_against_a_loop() -> None:
    rng = np.random.default_rng(0)
    facets = [
        Facet(name, "category", tuple("abcd"), rng.integers(-1, 4, 500)) for name in ("x", "y", "z")
    ]
    wrong = rng.random(500) < 0.3
    choice = {"x": ["a", "b"], "z": ["d"]}
    for facet, (counts, errors) in zip(facets, tallies(facets, choice, wrong), strict=True):
        rows = [
            i
            for i in range(500)
            if all(
                other.codes[i] >= 0 and other.labels[other.codes[i]] in choice[other.name]
                for other in facets
                if other.name in choice and other is not facet
            )
        ]
        for k in range(4):
            of_this = [i for i in rows if facet.codes[i] == k]
            assert counts[k] == len(of_this)
            assert errors[k] == sum(wrong[i] for i in of_this)


def test_choices_are_made_plain() -> None:
    facets = [LIGHT, Facet("year", "category", ("2020", "2021"), LIGHT.codes)]
    assert checked(facets, {"light": "day", "year": 2021}) == {"light": ["day"], "year": ["2021"]}
    assert checked(facets, {"light": ("night", "day")}) == {"light": ["night", "day"]}


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"wind": "a"}, "no column 'wind' to filter by; columns: light"),
        ({"light": ["dusk", "day"]}, "light has no value 'dusk'; values: day, night"),
        ({"light": []}, "no value of light is chosen"),
    ],
)
def test_choices_that_cannot_be(choice: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        checked([LIGHT], choice)
