"""Which layers of a network compute feature maps, and which of them does Grad-CAM look at?"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from nbdiag.probes.ending import eager
from nbdiag.probes.layout import unwrap
from nbdiag.probes.quiet import evaluating, same_random_state

# Tokens before the patches: none, a class token, class and distillation, class and 4 registers.
PREFIXES = (0, 1, 2, 5)
# They hand on the maps of the layer before, at most stretched: nothing of their own to look at.
HANDING_ON = (
    *(nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.Upsample),
    *(nn.Identity, nn.Dropout, nn.Dropout2d),
)
NAMED_AT_MOST = 40


@dataclass(frozen=True)
class Grid:
    """Where the channels and the two spatial axes are in a layer's output.

    ``order`` is ``"channels first"`` (N, C, h, w), ``"channels last"`` (N, h, w, C) or
    ``"tokens"`` (N, prefix + h*w, C).
    """

    order: str
    height: int
    width: int
    prefix: int = 0

    def channels_first(self, value: torch.Tensor) -> torch.Tensor:
        """The output of a layer, or its gradient, as (N, C, h, w)."""
        if self.order == "tokens":
            patches = value[:, self.prefix :].transpose(1, 2)
            return patches.reshape(*patches.shape[:2], self.height, self.width)
        return value.permute(0, 3, 1, 2) if self.order == "channels last" else value


@dataclass(frozen=True)
class FeatureMap:
    """A layer with feature maps: its name, its kind, and the size of its output for one input."""

    layer: str
    kind: str
    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.layer} ({self.channels}, {self.height}, {self.width})"


def grid_of(shape: tuple[int, ...], image: tuple[int, int]) -> Grid | None:
    """The grid in an output of this shape for pictures of the size ``(H, W)``; None without one.

    >>> grid_of((1, 512, 7, 7), (224, 224))
    Grid(order='channels first', height=7, width=7, prefix=0)
    >>> grid_of((1, 7, 7, 768), (224, 224)).order, grid_of((1, 512, 1, 1), (224, 224))
    ('channels last', None)
    >>> grid_of((1, 197, 768), (224, 224))
    Grid(order='tokens', height=14, width=14, prefix=1)
    """
    ratio = image[0] / image[1]
    if len(shape) == 4:
        first, second, third = shape[1:]
        # A stride rounds: one row more or less than the picture's proportions.
        last = abs(first - second * ratio) <= 1 < abs(second - third * ratio)
        height, width = (first, second) if last else (second, third)
        if min(height, width) > 1:
            return Grid("channels last" if last else "channels first", height, width)
    if len(shape) == 3:
        for prefix in PREFIXES:
            patches = shape[1] - prefix
            height = round(math.sqrt(max(patches, 0) * ratio))
            if height > 1 and patches % height == 0 and patches // height > 1:
                width = patches // height
                if abs(height - width * ratio) < 1:
                    return Grid("tokens", height, width, prefix)
    return None


@dataclass
class Visit:
    name: str
    module: nn.Module
    output: torch.Tensor
    grid: Grid


def visits(model: nn.Module, run: Callable[[], Any], image: tuple[int, int]) -> list[Visit]:
    """Each call of a module that returned feature maps, in the order in which they returned."""
    seen: list[Visit] = []

    def note(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor) and output.is_floating_point():
                grid = grid_of(tuple(output.shape), image)
                if grid is not None:
                    seen.append(Visit(name, module, output, grid))

        return hook

    handles = []
    try:
        for name, module in model.named_modules():
            if name:
                handles.append(module.register_forward_hook(note(name)))
        run()
    finally:
        for handle in handles:
            handle.remove()
    return seen


def own(seen: list[Visit]) -> list[Visit]:
    """The calls of modules that compute the maps that they return."""
    return [visit for visit in seen if not isinstance(visit.module, HANDING_ON)]


def outermost(seen: list[Visit], chosen: Visit) -> Visit:
    """The outermost module that returned the very tensor of the chosen one, the last of equals."""
    # The last, for an in-place ReLU returns the tensor of the convolution before it.
    same = [visit for visit in reversed(seen) if visit.output is chosen.output]
    return min(same, key=lambda visit: visit.name.count("."))


def list_layers(model: nn.Module, images: torch.Tensor) -> list[FeatureMap]:
    """Which layers could Grad-CAM look at? Those with feature maps, in the order they finish.

    ``images``: a batch as the model takes it; one of them is run.
    """
    found: dict[str, FeatureMap] = {}
    inner = unwrap(model)
    with evaluating(inner), same_random_state(), eager(), torch.no_grad():
        for visit in visits(inner, lambda: inner(images[:1]), image_size(images)):
            sizes = visit.grid.channels_first(visit.output).shape[1:]
            found[visit.name] = FeatureMap(visit.name, type(visit.module).__name__, *sizes)
    return list(found.values())


def image_size(images: torch.Tensor) -> tuple[int, int]:
    """``(H, W)`` of a batch (N, C, H, W); ValueError for any other shape."""
    if not isinstance(images, torch.Tensor) or images.ndim != 4:
        got = tuple(images.shape) if isinstance(images, torch.Tensor) else type(images).__name__
        raise ValueError(f"Grad-CAM needs pictures as a tensor (N, C, H, W), got {got}")
    return int(images.shape[2]), int(images.shape[3])


def no_such_layer(wanted: str, model: nn.Module, images: torch.Tensor) -> ValueError:
    """What is wrong with a layer, and which ones there are."""
    layers = list_layers(model, images)
    names = [feature_map.layer for feature_map in layers]
    exists = wanted in dict(unwrap(model).named_modules())
    problem = (
        f"layer {wanted!r} returns no feature maps"
        if exists
        else f"the model has no layer {wanted!r}"
    )
    close = [] if exists else difflib.get_close_matches(wanted, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    outer = sorted(layers, key=lambda feature_map: feature_map.layer.count("."))[:NAMED_AT_MOST]
    shown = ", ".join(str(feature_map) for feature_map in layers if feature_map in outer) or "none"
    more = len(layers) - NAMED_AT_MOST
    rest = f" and {more} more, see list_layers(model, images)" if more > 0 else ""
    return ValueError(f"{problem}{hint}; layers with feature maps: {shown}{rest}")
