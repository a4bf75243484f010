"""Look at a model without disturbing it: its training flags and every random state come back."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Each module in eval mode inside, and each with its own flag back outside.

    The flags are set one by one: `Module.eval()` calls what subclasses make of `train()`, which
    may do more than set a flag (merge adapters, keep a BatchNorm frozen), and `Module.train()`
    would lose the flags of a model that is partly in eval mode.
    """
    if not isinstance(model, nn.Module):
        yield
        return
    flags = [(module, module.training) for module in model.modules()]
    try:
        for module, training in flags:
            if training:
                module.training = False
        yield
    finally:
        for module, training in flags:
            if module.training != training:
                module.training = training


@contextmanager
def same_random_state(*generators: torch.Generator | None) -> Iterator[None]:
    """The random states of torch, its accelerators, numpy and Python, as they were.

    In the main thread only: a thread beside a training that put an old state back would make the
    training draw the same numbers twice.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    own = [(g, g.get_state()) for g in generators if g is not None]
    python, cpu = random.getstate(), torch.get_rng_state()
    numpy_state = np.random.get_state()  # noqa: NPY002 - users share this one
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    mps = torch.mps.get_rng_state() if sys.platform == "darwin" and _mps() else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy_state)  # noqa: NPY002
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
        if mps is not None:
            torch.mps.set_rng_state(mps)
        for generator, state in own:
            generator.set_state(state)


def _mps() -> bool:
    return torch.backends.mps.is_available()


def device_of(model: Any) -> torch.device:
    """Where the model's first parameter or buffer lies; the CPU for what has none."""
    if isinstance(model, nn.Module):
        for tensor in (*model.parameters(), *model.buffers()):
            return tensor.device
    return torch.device("cpu")


def float_type_of(model: Any) -> torch.dtype | None:
    """The floating type of the model's parameters, or None for what has none."""
    if isinstance(model, nn.Module):
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                return tensor.dtype
    return None


def moved(value: Any, device: torch.device) -> Any:
    """Tensors on `device`, also inside tuples, lists and dicts; everything else as it is."""
    if isinstance(value, torch.Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, dict):
        return {key: moved(item, device) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(moved(item, device) for item in value)
    return value
