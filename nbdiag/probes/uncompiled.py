"""Keeping our code out of what torch.compile compiles, at no cost where nothing is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def leave_uncompiled(*functions: Callable[..., Any]) -> None:
    """These run as they are where a training compiles `optimizer.step()`; what they call may not.

    `torch.compiler.disable` does it for the rest, and costs a microsecond a call.
    """
    try:
        from torch._dynamo.decorators import skip  # any optimizer has imported it already
    except ImportError:
        return
    for function in functions:
        skip(function)
