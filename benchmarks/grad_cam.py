"""What does Grad-CAM cost beside a plain forward pass? Interleaved rounds.

    python benchmarks/grad_cam.py [rounds] [threads]

resnet18, 16 pictures of 224x224, the predicted class, maps of layer4. captum and pytorch-grad-cam
are measured in the same rounds where they are installed.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torchvision.models import resnet18

from nbdiag.probes.grad_cam import grad_cam


def captum_cam(model: nn.Module, images: torch.Tensor, targets: list[int]) -> np.ndarray:
    from captum.attr import LayerGradCam

    cam = LayerGradCam(model, model.layer4).attribute(
        images, target=torch.tensor(targets), relu_attributions=True
    )
    return cam[:, 0].detach().numpy()


def pytorch_grad_cam(model: nn.Module, images: torch.Tensor, targets: list[int]) -> Any:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    with GradCAM(model=model, target_layers=[model.layer4]) as cam:
        return cam(images, [ClassifierOutputTarget(target) for target in targets])


def plain_forward(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model(images)


def main(rounds: int, threads: int) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = resnet18(weights=None).eval()
    images = torch.randn(16, 3, 224, 224)
    predicted = plain_forward(model, images).argmax(1).tolist()
    contestants: dict[str, Callable[[], Any]] = {
        "plain forward, no_grad": lambda: plain_forward(model, images),
        "nbdiag, layer given": lambda: grad_cam(model, images, predicted, layer="layer4"),
        "nbdiag, layer found": lambda: grad_cam(model, images),
        "captum LayerGradCam": lambda: captum_cam(model, images, predicted),
        "pytorch-grad-cam": lambda: pytorch_grad_cam(model, images, predicted),
    }
    for name, run in list(contestants.items()):
        try:
            run()
        except ImportError as error:
            print(f"{name}: not installed ({error.name})")
            del contestants[name]
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    forward = seconds["plain forward, no_grad"]
    print(f"resnet18, batch 16 of 224x224, {threads} thread(s), {rounds} rounds")
    print(f"{'':24} {'median':>11} {'ratio':>7} {'fastest':>11} {'ratio':>7}")
    for name, taken in seconds.items():
        middle, best = statistics.median(taken), min(taken)  # the best is least disturbed by others
        print(
            f"{name:24} {middle * 1000:8.1f} ms {middle / statistics.median(forward):6.2f}x"
            f" {best * 1000:8.1f} ms {best / min(forward):6.2f}x"
        )
    if "captum LayerGradCam" in contestants:
        ours, theirs = grad_cam(model, images, predicted).maps, contestants["captum LayerGradCam"]()
        gap = np.abs(ours - theirs).max() / np.abs(theirs).max()
        print(f"largest difference from captum, of its maximum: {gap:.1e}")


if __name__ == "__main__":
    main(*(int(text) for text in [*sys.argv[1:], "9", "1"][:2]))
