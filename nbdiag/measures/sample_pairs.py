"""Input and target of a sample, or of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TARGETS = ("labels", "label", "targets", "target", "y", "class", "label_ids")
"""Keys of a dict under which a target is looked for, in this order."""


def pair_of(item: Any) -> tuple[Any, Any]:
    """``(input, target)``. Of a dict, its target and the rest: alone where it is one thing.

    Raises ValueError for anything else.

    >>> pair_of(("x", 1)), pair_of({"image": "x", "label": 1})
    (('x', 1), ('x', 1))
    >>> pair_of({"input_ids": "x", "attention_mask": "m", "labels": 1})
    ({'input_ids': 'x', 'attention_mask': 'm'}, 1)
    """
    if isinstance(item, (tuple, list)) and len(item) == 2:
        return item[0], item[1]
    if isinstance(item, Mapping):
        name = next((name for name in TARGETS if name in item), None)
        rest = {key: value for key, value in item.items() if key != name}
        if name is not None and rest:
            return (next(iter(rest.values())) if len(rest) == 1 else rest), item[name]
        got = f"a dict with the keys {sorted(map(str, item))}"
    elif isinstance(item, (tuple, list)):
        got = f"a {type(item).__name__} of {len(item)}"
    else:
        got = f"a single {type(item).__name__}"
    raise ValueError(
        f"the data must give (input, target) pairs, got {got}: put a Dataset or a collate_fn "
        f"around it that returns the two, or a dict with the target under {TARGETS[0]!r}"
    )
