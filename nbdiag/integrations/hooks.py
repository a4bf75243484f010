"""What the callbacks share: the options of `nd.watch`, and hooks that cannot harm a training."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from nbdiag.measures.run import Run
from nbdiag.probes.watch import watch


class Recorder:
    """A callback that fills a run."""

    run: Run | None = None
    """What any widget takes; None before the first training."""
    failed = False
    """Whether a hook went wrong in this training; none records any more then."""


def harmless(hook: Callable[..., None]) -> Callable[..., None]:
    """A hook that only records: called while there is a run, and an error in it is kept there."""

    @functools.wraps(hook)
    def guarded(self: Recorder, *args: Any, **kwargs: Any) -> None:
        run = self.run
        if run is None or run.closed or self.failed:
            return
        try:
            hook(self, *args, **kwargs)
        except Exception as error:
            self.failed = True
            run.note_failure("callback", error)

    return guarded


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
