"""The tutorial's models: a true ResNet, and a network whose gradients vanish."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torchvision.models import ResNet

from nbdiag.demo import deep_sigmoid, digits_on_photos, small_resnet


def test_it_is_torchvisions_resnet() -> None:
    model = small_resnet()
    assert isinstance(model, ResNet)
    assert {"conv1.weight", "layer1.0.conv1.weight", "layer4.0.bn2.bias", "fc.bias"} <= {
        name for name, _ in model.named_parameters()
    }


def test_shapes() -> None:
    model = small_resnet(num_classes=3)
    maps = []
    model.layer4.register_forward_hook(lambda module, args, out: maps.append(out.shape))
    assert model(torch.zeros(2, 3, 64, 64)).shape == (2, 3)
    assert maps == [(2, 64, 8, 8)]
    assert deep_sigmoid(3, num_classes=4)(torch.zeros(2, 3, 64, 64)).shape == (2, 4)


def test_every_weight_of_the_resnet_is_used() -> None:
    model = small_resnet()
    model(torch.rand(4, 3, 64, 64)).sum().backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None] == []


@pytest.mark.parametrize("build", [small_resnet, deep_sigmoid])
def test_weights_depend_on_the_seed_alone(build: Callable[..., nn.Module]) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = build(seed=4).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again, other = build(seed=4).state_dict(), build(seed=5).state_dict()
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def relative_gradients(model: nn.Module) -> list[float]:
    """Gradient norm over weight norm of each linear layer, first to last."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return [float(w.grad.norm() / w.detach().norm()) for w in (layer.weight for layer in layers)]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gradients_of_the_deep_sigmoid_vanish_and_it_hardly_learns(seed: int) -> None:
    torch.manual_seed(seed)
    data = digits_on_photos("val", n=320)
    model = deep_sigmoid(seed=seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(6):
        for images, labels in DataLoader(data, batch_size=64, shuffle=True):
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            signal = relative_gradients(model)
            assert signal[0] < 1e-3 * signal[-1]
    assert len(losses) == 30
    assert sum(losses[-5:]) / 5 == pytest.approx(math.log(10), abs=0.05)


def test_a_shallow_one_does_not_vanish() -> None:
    model = deep_sigmoid(depth=1)
    F.cross_entropy(model(torch.rand(8, 3, 64, 64)), torch.arange(8)).backward()
    signal = relative_gradients(model)
    assert signal[0] > 1e-2 * signal[-1]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: deep_sigmoid(depth=0), "depth is 0; it must be at least 1"),
        (lambda: deep_sigmoid(width=-3), "width is -3"),
        (lambda: deep_sigmoid(num_classes=0), "num_classes is 0"),
        (lambda: small_resnet(num_classes=0), "num_classes is 0; it must be at least 1"),
    ],
)
def test_bad_arguments_say_what_is_wrong(build: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
