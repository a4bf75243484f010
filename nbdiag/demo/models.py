"""The two models of the tutorial: one that learns, and one that cannot."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn


def small_resnet(num_classes: int = 10, *, seed: int = 0) -> nn.Module:
    """A torchvision ResNet that trains on 64x64 pictures in seconds on a CPU.

    It is torchvision's own `ResNet` of four stages with one `BasicBlock` each, with fewer
    channels (16, 32, 48, 64), a 5x5 stem, and a stride in the second stage only: the feature
    maps of `layer4` are (N, 64, 8, 8), fine enough for Grad-CAM to tell a digit from what lies
    behind it. Input (N, 3, 64, 64) in [0, 1], output logits (N, num_classes).

    The weights depend on `seed` alone; the global random state is left as it was. Raises
    ValueError for fewer than one class.

    >>> model = small_resnet()
    >>> model(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 10])
    """
    if num_classes < 1:
        raise ValueError(f"num_classes is {num_classes}; it must be at least 1")
    from torchvision.models.resnet import BasicBlock, ResNet

    def stage(inside: int, outside: int, stride: int) -> nn.Sequential:
        shortcut = None
        if stride != 1 or inside != outside:
            shortcut = nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside)
            )
        return nn.Sequential(BasicBlock(inside, outside, stride, shortcut))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=num_classes)
        model.conv1 = nn.Conv2d(3, 16, 5, stride=2, padding=2, bias=False)
        model.bn1 = nn.BatchNorm2d(16)
        model.layer1 = stage(16, 16, 1)
        model.layer2 = stage(16, 32, 2)
        model.layer3 = stage(32, 48, 1)
        model.layer4 = stage(48, 64, 1)
        model.fc = nn.Linear(64, num_classes)
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        # A third faster on a CPU, and nobody has to know: the values are the same.
        return model.to(memory_format=torch.channels_last)


def deep_sigmoid(
    depth: int = 8, num_classes: int = 10, *, width: int = 64, seed: int = 0
) -> nn.Sequential:
    """A network whose gradients vanish: `depth` fully connected layers with sigmoids.

    The slope of a sigmoid is at most 1/4, so each layer passes on a fraction of the gradient: at
    the default depth the first layer gets less than a thousandth of the last one's, relative to
    its weights, and the loss stays near log(num_classes). Input (N, 3, 64, 64) in [0, 1], averaged
    to 16x16 before the first layer; output logits (N, num_classes).

    The weights depend on `seed` alone; the global random state is left as it was.
    """
    for name, value in (("depth", depth), ("num_classes", num_classes), ("width", width)):
        if value < 1:
            raise ValueError(f"{name} is {value}; it must be at least 1")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts: OrderedDict[str, nn.Module] = OrderedDict(pool=nn.AvgPool2d(4), flatten=nn.Flatten())
        inside = 3 * 16 * 16
        for i in range(1, depth + 1):
            parts[f"hidden{i}"] = nn.Linear(inside, width)
            parts[f"sigmoid{i}"] = nn.Sigmoid()
            inside = width
        parts["output"] = nn.Linear(inside, num_classes)
        return nn.Sequential(parts)
