"""What the callbacks take: the options of `nd.watch`, checked when they are given."""

from __future__ import annotations

import inspect
from typing import Any

from nbdiag.probes.watch import watch


def check_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options themselves: an unknown one is told now and not when the training begins.

    Raises
    ------
    TypeError : for what `nd.watch` does not take, and for a model or optimizer.

    >>> check_options({"every": 10})
    {'every': 10}
    """
    known = [n for n in inspect.signature(watch).parameters if n not in ("model", "optimizer")]
    for name in options:
        if name in ("model", "optimizer"):
            raise TypeError(f"the callback takes the {name} from the trainer; leave it out")
        if name not in known:
            raise TypeError(f"nd.watch() takes no {name!r}; a callback takes: {', '.join(known)}")
    return options
