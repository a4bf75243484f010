"""How findings put things: how sure, which layers, a list of remedies as one sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence


def sure(high: bool) -> str:
    """How sure a finding is, in words; `confidence` is the same for `evidence`."""
    return "this is quite sure" if high else "this is likely, not certain"


def confidence(high: bool) -> str:
    return "high" if high else "medium"


def layers_in_words(names: Sequence[str]) -> str:
    """A few names as they are, many by the first and the last.

    >>> layers_in_words(["a", "b"]), layers_in_words(["a", "b", "c", "d"])
    ('a, b', 'a to d')
    """
    return f"{names[0]} to {names[-1]}" if len(names) > 3 else ", ".join(names)


def sentence(parts: Sequence[str]) -> str:
    """
    >>> sentence(["lower the learning rate", "clip"])
    'Lower the learning rate; clip.'
    """
    text = "; ".join(parts)
    return text[0].upper() + text[1:] + "."


def fold(factor: float) -> str:
    """By how much something grew, also where that has left all bounds.

    >>> fold(6.28), fold(4321.0), fold(2e35), fold(float("inf"))
    ('6.3-fold', '4,300-fold', 'more than a million-fold', 'more than a million-fold')
    """
    if not math.isfinite(factor) or factor > 1e6:
        return "more than a million-fold"
    return f"{float(f'{factor:.2g}'):,.10g}-fold"
