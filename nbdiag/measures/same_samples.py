"""Are these the same samples, however they were copied, cut out or shuffled?

Told from what the model said of them, not from their ids: made by hand, ids start at 0 in every
split. What a model says of a sample is a fingerprint only where it says so of no other one: a sure
model answers many samples [1, 0], a tree has few leaves. Only such rows are counted. If a row
that is alone in its split turns up alone in another split by chance, its answer is one that comes
about once in so many samples, and of those at most 1 in e does (the largest value of ``x exp(-x)``,
Poisson).
"""

from __future__ import annotations

import math

import numpy as np

from nbdiag.measures.predictions import Predictions

SAME_FROM = 0.5  # share of the telling samples from which two sets are the same data
BY_CHANCE = math.exp(-1)
LEVEL = 1e-4
REMEMBERED = 20_000  # samples
_BLOCK = 2**22  # numbers that are scrambled at once


class Fingerprint:
    """What is kept of some predictions to know their samples again.

    Of many samples it keeps those whose scrambled answers are small, the same ones in every part.
    """

    def __init__(self, predictions: Predictions) -> None:
        share = REMEMBERED / len(predictions)
        self._below = np.uint64(min(2**64 - 1, int(2**64 * share)))
        self._seen = self._telling(predictions)

    def share(self, predictions: Predictions) -> float:
        """Share of these samples that were seen; NaN where none of them can tell."""
        telling = self._telling(predictions)
        return float(np.isin(telling, self._seen).mean()) if len(telling) else math.nan

    def _telling(self, predictions: Predictions) -> np.ndarray:
        keys = keys_of(predictions)
        return alone(keys[predictions.finite & (keys <= self._below)])


def overlap(one: Predictions, other: Predictions) -> tuple[int, bool]:
    """How many samples of ``other`` surely are in ``one``, and whether they are the same data.

    The same: one object, or equal throughout, or at least half of the smaller one: of its ids,
    where both look their inputs up in one data set (whatever model answered, at whatever
    temperature), or of its telling samples, and more of them than chance would bring.
    """
    if one is other:
        return len(other), True
    entries = _entries_of_one_data_set(one, other)
    if entries and entries >= SAME_FROM * min(len(one), len(other)):
        return entries, True
    if one.n_classes != other.n_classes:
        return 0, False
    here, there = keys_of(one), keys_of(other)
    if np.array_equal(here, there):
        return len(other), True
    telling = alone(here[one.finite]), alone(there[other.finite])
    both = np.intersect1d(*telling, assume_unique=True)
    fewer = min(map(len, telling))
    if not len(both) or len(both) < SAME_FROM * fewer:
        return max(entries, len(both)), False
    if _beyond_chance(len(both), fewer):
        return len(both), True
    # Too few to rule out chance by their answers alone: do they carry the same ids too?
    ids = [
        dict(zip(keys[known].tolist(), told.ids[known].tolist(), strict=True))
        for told, keys in ((one, here), (other, there))
        for known in (told.finite & np.isin(keys, both),)
    ]
    alike = sum(ids[0][key] == ids[1][key] for key in both.tolist())
    return max(entries, len(both)), alike >= SAME_FROM * fewer


def _entries_of_one_data_set(one: Predictions, other: Predictions) -> int:
    here, there = (getattr(told.inputs, "dataset", None) for told in (one, other))
    if here is None or here is not there:
        return 0
    return len(set(one.ids.tolist()) & set(other.ids.tolist()))


def keys_of(predictions: Predictions) -> np.ndarray:
    """(N,) uint64, evenly spread: target and probabilities of each sample, and whether finite."""
    told, targets = predictions.probabilities, predictions.targets
    odd = np.random.default_rng(7).integers(0, 2**63, told.shape[1] + 1, np.uint64) * 2 + 1
    keys = targets.astype(np.uint64) * odd[-1]
    step = max(1, _BLOCK // told.shape[1])
    for start in range(0, len(told), step):
        # The same in either precision; and -0.0 is 0.0.
        part = np.ascontiguousarray(told[start : start + step], np.float32) + np.float32(0)
        keys[start : start + step] += part.view(np.uint32).astype(np.uint64) @ odd[:-1]
    keys[~predictions.finite] = targets[~predictions.finite].astype(np.uint64)
    keys ^= keys >> np.uint64(32)
    keys *= np.uint64(0xD6E8FEB86659FD93)
    return keys ^ (keys >> np.uint64(32))


def alone(keys: np.ndarray) -> np.ndarray:
    """The keys that occur once, ascending.

    >>> alone(np.array([3, 1, 3, 2])).tolist()
    [1, 2]
    """
    values, counts = np.unique(keys, return_counts=True)
    return values[counts == 1]


def _beyond_chance(shared: int, of: int) -> bool:
    from scipy.stats import binom

    return bool(binom.sf(shared - 1, of, BY_CHANCE) < LEVEL)
