"""The one door from what the user has to what a widget shows; the only way a widget gets a probe."""

from __future__ import annotations

from typing import Any

from nbdiag.measures.run import Run


def is_module(source: Any) -> bool:
    """Whether this is a torch module, asked without importing torch."""
    return any(
        base.__name__ == "Module" and base.__module__.startswith("torch.nn")
        for base in type(source).__mro__
    )


def as_run(source: Any) -> Run:
    """A `Run` as it is; a module is watched from now on.

    Raises
    ------
    TypeError : for anything else.
    """
    if isinstance(source, Run):
        return source
    if is_module(source):
        from nbdiag.probes.watch import watch

        return watch(source)
    raise TypeError(
        f"expected a torch.nn.Module or a Run from nd.watch(model, optimizer), "
        f"got {type(source).__name__}"
    )
