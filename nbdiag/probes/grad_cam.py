"""Where did the network look? Grad-CAM for about the price of a forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from nbdiag.measures.grad_cam import GradCAMResult
from nbdiag.probes.ending import eager
from nbdiag.probes.feature_maps import (
    Grid,
    Visit,
    grid_of,
    image_size,
    list_layers,
    no_such_layer,
    outermost,
    own,
    visits,
)
from nbdiag.probes.layout import unwrap
from nbdiag.probes.logit_gradient import even, logit_gradient, squashing
from nbdiag.probes.quiet import device_of, evaluating, float_type_of, same_random_state
from nbdiag.probes.scores import as_columns, scores_of

__all__ = ["find_layer", "grad_cam", "list_layers"]

CHUNK = 32
# Finding the layer costs a forward pass of one image; a gallery asks again and again.
_found: WeakKeyDictionary[nn.Module, tuple[Any, str]] = WeakKeyDictionary()


def grad_cam(
    model: nn.Module,
    images: torch.Tensor,
    targets: int | Sequence[int] | torch.Tensor | np.ndarray | None = None,
    layer: str | nn.Module | None = None,
    *,
    batch_size: int = CHUNK,
) -> GradCAMResult:
    """Where did the network look when it gave these classes their score?

    Parameters
    ----------
    model : a classifier of pictures, in train or eval mode, frozen or not.
    images : (N, C, H, W), as the model takes them.
    targets : the class to explain, one for all or one each; None = the predicted class.
    layer : name of a layer or the module itself; None = the last one with feature maps, see
        `find_layer`. Of a layer that is called several times the last call counts.
    batch_size : images at a time.

    Returns
    -------
    GradCAMResult, maps (N, h, w) raw and at least 0, the same numbers as captum's
    ``LayerGradCam`` with ``relu_attributions=True``.

    The score is the logit, also where the model ends in softmax or sigmoid. Only the part of the
    network after the layer is differentiated, and only with respect to the layer. No ``.grad``,
    hook, flag, buffer or random state is left changed; works under ``no_grad``.

    Raises
    ------
    TypeError : for a model that is no ``nn.Module``, or a layer that is neither name nor module.
    ValueError : for images of another shape, targets outside 0 to C-1 or of the wrong number, a
        layer that does not exist or has no feature maps (the message lists those that do).
    RuntimeError : for a model that computes under ``torch.inference_mode()``, which forbids
        gradients for good.
    """
    inner = _check(model)
    images = _as_the_model_takes(inner, images)
    wanted = _targets(targets, len(images))
    maps: list[torch.Tensor] = []
    explained: list[torch.Tensor] = []
    # Outside inference mode: a tensor made in it can never be differentiated.
    with torch.inference_mode(False), evaluating(inner), same_random_state(), eager():
        images = images.clone() if images.is_inference() else images
        name, module = _resolve(inner, images, layer)
        for start in range(0, len(images), batch_size):
            rows = slice(start, start + batch_size)
            chunk = images[rows]
            cam, classes = _maps(
                inner, chunk, None if wanted is None else wanted[rows], name, module
            )
            maps.append(cam.cpu())
            explained.append(classes.cpu())
    return GradCAMResult(torch.cat(maps).numpy(), torch.cat(explained).numpy(), name)


def find_layer(model: nn.Module, images: torch.Tensor) -> str:
    """Name of the layer that Grad-CAM looks at by default.

    The outermost module that returns the last feature maps (N, C, h > 1, w > 1) of the forward
    pass; ``"layer4"`` in torchvision's ResNets. In a vision transformer the last tokens
    (N, 1 + g*g, D) on whose patches the class still depends: a class token is the only one read
    after the last attention. Raises ValueError where there is none.
    """
    inner = _check(model)
    with torch.inference_mode(False), evaluating(inner), same_random_state(), eager():
        images = _as_the_model_takes(inner, images)[:1]
        return _find(inner, images.clone() if images.is_inference() else images)


def _check(model: Any) -> nn.Module:
    if not isinstance(model, nn.Module):
        raise TypeError(f"Grad-CAM looks into an nn.Module, got {type(model).__name__}")
    inner = unwrap(model)
    if any(parameter.is_inference() for parameter in inner.parameters()):
        raise RuntimeError(
            "the model was built under torch.inference_mode(), which forbids gradients for good: "
            "build it outside, or under torch.no_grad()"
        )
    return inner


def _as_the_model_takes(model: nn.Module, images: Any) -> torch.Tensor:
    if isinstance(images, np.ndarray):
        images = torch.from_numpy(np.array(images))
    image_size(images)
    if len(images) == 0:
        raise ValueError("there is no image: the batch is empty")
    kind = float_type_of(model)
    if kind is not None and images.is_floating_point():
        images = images.to(kind)
    return images.detach().to(device_of(model))


def _targets(targets: Any, n: int) -> torch.Tensor | None:
    if targets is None:
        return None
    try:
        given = torch.as_tensor(targets)
    except (TypeError, ValueError) as error:
        raise ValueError(f"targets must be class numbers, got {targets!r}") from error
    if given.is_floating_point() or given.is_complex() or given.dtype == torch.bool:
        raise ValueError(f"targets must be class numbers, got {given.dtype}")
    given = given.long().expand(n) if given.ndim == 0 else given.long()
    if given.shape != (n,):
        raise ValueError(f"targets must be one class or {n} of them, got {tuple(given.shape)}")
    return given


def _resolve(
    model: nn.Module, images: torch.Tensor, layer: str | nn.Module | None
) -> tuple[str, nn.Module]:
    modules = dict(model.named_modules())
    if layer is None:
        name = _find(model, images[:1])
    elif isinstance(layer, nn.Module):
        names = [name for name, module in modules.items() if module is unwrap(layer)]
        if not names:
            raise no_such_layer(type(layer).__name__, model, images)
        name = names[0]
    elif not isinstance(layer, str):
        raise TypeError(
            f"layer must be a layer's name or the module itself, got {layer!r}; "
            "list_layers(model, images) gives the names"
        )
    else:
        name = layer.removeprefix("_orig_mod.").removeprefix("module.")
        name = layer if layer in modules else name
    if not name or name not in modules:
        raise no_such_layer(name, model, images)
    return name, modules[name]


def _find(model: nn.Module, image: torch.Tensor) -> str:
    state = (tuple(image.shape), [(name, id(module)) for name, module in model.named_modules()])
    if model not in _found or _found[model][0] != state:
        _found[model] = (state, _search(model, image))
    return _found[model][1]


def _search(model: nn.Module, image: torch.Tensor) -> str:
    size = image_size(image)
    with torch.no_grad():
        seen = visits(model, lambda: model(image), size)
    seen = own(seen)
    if not seen:
        raise ValueError(
            "no layer of the model returns feature maps (N, C, h, w) or tokens of a grid "
            "(N, 1 + g*g, D), so there is nothing for Grad-CAM to show"
        )
    if seen[-1].grid.order == "tokens":
        return _last_read(model, image, size).name
    return outermost(seen, seen[-1]).name


def _last_read(model: nn.Module, image: torch.Tensor, size: tuple[int, int]) -> Visit:
    """The last feature maps on whose patches the predicted class depends."""
    with torch.enable_grad():
        # Not a leaf, so that a model may begin with an in-place operation.
        image = image.detach().requires_grad_().clone()
        answers: list[Any] = []
        seen = visits(model, lambda: answers.append(model(image)), size)
        output = as_columns(scores_of(answers[0]), 1)
        squashed = squashing(output)
        direction = torch.zeros_like(output)
        direction[0, int(output.argmax())] = 1
        for visit in reversed(own(seen)):
            if not visit.output.requires_grad:
                continue
            gradient = logit_gradient(output, direction, visit.output, squashed, keep=True)
            if gradient is not None and visit.grid.channels_first(gradient).any():
                return outermost(seen, visit)
    raise ValueError(
        "the class scores do not depend on any feature map: the gradient is zero everywhere, as in "
        "an untrained network whose last layer starts at zero; train it, or name a layer"
    )


class _Leaf:
    """A forward hook that cuts the graph at a layer: what the layer returns becomes its start."""

    def __init__(self) -> None:
        self.value: torch.Tensor | None = None

    def __call__(self, module: nn.Module, args: Any, output: Any) -> Any:
        if not isinstance(output, torch.Tensor) or not output.is_floating_point():
            return output
        if torch.is_inference_mode_enabled():
            raise RuntimeError(
                "the model computes under torch.inference_mode(), which records no gradients: use "
                "torch.no_grad() in it instead"
            )
        # Copies on both sides: whatever is changed in place before or after, the value stays what
        # the layer returned.
        self.value = output.detach().clone().requires_grad_()
        torch.set_grad_enabled(True)  # undone by the caller's no_grad()
        return self.value.clone()


def _maps(
    model: nn.Module,
    images: torch.Tensor,
    targets: torch.Tensor | None,
    name: str,
    module: nn.Module,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps (n, h, w) and the classes that they explain."""
    leaf, output = _Leaf(), torch.empty(0)
    handle = module.register_forward_hook(leaf)
    try:
        # A model with a no_grad() block of its own around the layer goes back, at its end, to
        # what was in force before it: then only a graph from the start on reaches the scores.
        for recorded in (False, True):
            with torch.set_grad_enabled(recorded):
                output = as_columns(scores_of(model(images)), len(images))
            if output.requires_grad and leaf.value is not None:
                break
    finally:
        handle.remove()
    value = leaf.value
    grid = None if value is None else grid_of(tuple(value.shape), image_size(images))
    if value is None or grid is None:
        raise no_such_layer(name, model, images)
    squashed = squashing(output) if output.requires_grad else []
    direction, classes = _direction(output, targets, even(squashed))
    gradient = None
    if output.requires_grad:
        gradient = logit_gradient(output, direction, value, squashed)
    if gradient is None:
        raise ValueError(
            f"the class scores do not depend on layer {name!r} in a way that can be "
            "differentiated: choose a layer on the way to them"
        )
    return _weighted(value.detach(), gradient, grid), classes


def _direction(
    output: torch.Tensor, targets: torch.Tensor | None, even_at: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """What to differentiate: the score of each image's class; and the classes (n,)."""
    columns = output.shape[1]
    if targets is None:
        scores = output.detach()
        chosen = (scores[:, 0] > even_at).long() if columns == 1 else scores.argmax(dim=1)
    else:
        chosen = targets.to(output.device)
        last = max(columns, 2) - 1
        wrong = chosen[(chosen < 0) | (chosen > last)]
        if len(wrong):
            raise ValueError(f"targets must lie in 0..{last}, got {int(wrong[0])}")
    if columns == 1:
        return (2 * chosen - 1).to(output.dtype)[:, None], chosen
    return nn.functional.one_hot(chosen, columns).to(output.dtype), chosen


def _weighted(value: torch.Tensor, gradient: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Channels weighted by their mean gradient, summed, cut below zero: (n, h, w) float32."""
    value, gradient = grid.channels_first(value), grid.channels_first(gradient)
    if value.dtype in (torch.float16, torch.bfloat16):
        value, gradient = value.float(), gradient.float()
    weights = gradient.mean(dim=(2, 3))
    return torch.einsum("nc,nchw->nhw", weights, value).clamp_(min=0).float()
