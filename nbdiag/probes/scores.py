"""Find the class scores in what a model returns, and ask a model for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn


def call(model: Callable[..., Any], inputs: Any) -> Any:
    """``model(inputs)``; a tuple or list of inputs is spread, a dict becomes keywords."""
    if isinstance(inputs, Mapping):
        return model(**inputs)
    if isinstance(inputs, (tuple, list)):
        return model(*inputs)
    return model(inputs)


def on_device(model: nn.Module, device: torch.device) -> Callable[..., Any]:
    """The module computing on `device`; where it lives elsewhere, with copies of its tensors.

    The model itself is not moved: its parameters stay the tensors that the optimizer knows.
    """
    own = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    if all(tensor.device == device for tensor in own.values()):
        return model
    there = {name: tensor.detach().to(device) for name, tensor in own.items()}

    def run(*args: Any, **kwargs: Any) -> Any:
        return torch.func.functional_call(model, there, args, kwargs)

    return run


def scores_of(answer: Any) -> Any:
    """The scores in what a model returned: a tensor, ``.logits`` or ``["logits"]``."""
    if isinstance(answer, Mapping):
        if "logits" not in answer:
            raise ValueError(
                f"the model returned a dict with the keys {sorted(map(str, answer))}; class "
                'scores are expected as a tensor or under "logits"'
            )
        return answer["logits"]
    scores = getattr(answer, "logits", answer)
    if isinstance(scores, (tuple, list)) and any(isinstance(x, torch.Tensor) for x in scores):
        raise ValueError(
            f"the model returned a {type(scores).__name__} of {len(scores)}; wrap it in a module "
            "that returns the class scores alone"
        )
    return scores


def as_columns(scores: torch.Tensor, batch: int) -> torch.Tensor:
    """Scores as (N, C); (N,) becomes (N, 1), and a single sample may have lost its batch axis.

    Raises ValueError for any other shape.
    """
    shape = tuple(scores.shape)
    if len(shape) == 2 and shape[0] == batch and shape[1] > 0:
        return scores
    if len(shape) == 1 and shape[0] == batch:
        return scores[:, None]
    if batch == 1 and len(shape) < 2:
        return scores.reshape(1, -1)
    raise ValueError(
        f"the model returned the shape {shape} for {batch} inputs; class scores of the shape "
        "(N, C) or (N,) are expected (segmentation, sequence and detection models cannot be read)"
    )


def to_array(scores: Any) -> np.ndarray:
    """Scores as a numpy array on the CPU; bfloat16, which numpy lacks, as float32."""
    if isinstance(scores, torch.Tensor):
        scores = scores.detach()
        scores = scores.float() if scores.dtype == torch.bfloat16 else scores
        return scores.cpu().numpy()
    array = np.asarray(scores)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"the model returned {type(scores).__name__}, and not class scores")
    return array
