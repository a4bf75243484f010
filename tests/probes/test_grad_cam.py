"""Grad-CAM: captum's numbers, the logit's gradient whatever follows it, and any layer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum.attr import LayerGradCam
from torch import Tensor, nn
from torchvision.models import VisionTransformer, resnet18

from nbdiag.measures.grad_cam import GradCAMResult
from nbdiag.probes.feature_maps import Grid, grid_of
from nbdiag.probes.grad_cam import find_layer, grad_cam, list_layers


class Small(nn.Module):
    """Two convolutions, a pool and a head, with an ending to choose."""

    def __init__(
        self, columns: int = 3, end: Callable[[Tensor], Any] = lambda z: z, *, inplace: bool = False
    ) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv1, self.conv2 = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 3, stride=2)
        self.bn, self.relu = nn.BatchNorm2d(5), nn.ReLU(inplace=inplace)
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(5, columns)
        self.end = end

    def forward(self, x: Tensor) -> Any:
        x = self.relu(self.bn(self.conv2(torch.relu(self.conv1(x)))))
        return self.end(self.fc(self.pool(x).flatten(1)))


def pictures(n: int = 6, size: int = 9, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(0), dtype=dtype)


def oracle(model: nn.Module, layer: nn.Module, x: Tensor, targets: Any) -> np.ndarray:
    """captum, on a model whose output is the logits."""
    model.eval()
    target = torch.as_tensor(targets).expand(len(x)) if np.ndim(targets) == 0 else targets
    cam = LayerGradCam(model, layer).attribute(
        x, target=torch.as_tensor(target), relu_attributions=True
    )
    return cam[:, 0].detach().numpy()


def close(ours: np.ndarray, theirs: np.ndarray, rtol: float = 1e-5) -> bool:
    assert ours.shape == theirs.shape
    assert theirs.max() > 0, "an oracle of zeros shows nothing"
    return bool(np.abs(ours - theirs).max() <= rtol * theirs.max())


@pytest.mark.parametrize("layer", ["conv1", "conv2", "bn", "relu"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_small_networks_against_captum(layer: str, dtype: torch.dtype) -> None:
    model, x = Small().to(dtype), pictures(dtype=dtype)
    targets = [0, 1, 2, 0, 1, 2]
    result = grad_cam(model, x, targets, layer=layer)
    assert close(result.maps, oracle(model, getattr(model, layer), x, targets), 1e-6 * 5)
    assert result.maps.dtype == np.float32
    assert (result.layer, result.output_space) == (layer, "logit")
    assert result.targets.tolist() == targets


@pytest.mark.parametrize("layer", ["layer4", "layer3.1.bn2", "layer2", "conv1", "layer1.0.relu"])
def test_resnet18_against_captum(layer: str) -> None:
    torch.manual_seed(0)
    model = resnet18(num_classes=7).eval()
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # captum reads what an in-place ReLU left of its layer
    x = pictures(3, 64)
    result = grad_cam(model, x, [1, 5, 2], layer=layer)
    assert close(result.maps, oracle(model, dict(model.named_modules())[layer], x, [1, 5, 2]), 1e-4)


def test_resnet18_by_default() -> None:
    torch.manual_seed(0)
    model, x = resnet18(num_classes=7), pictures(5, 64)
    result = grad_cam(model, x, batch_size=2)
    model.eval()
    with torch.no_grad():
        predicted = model(x).argmax(1)
    assert result.layer == find_layer(model, x) == "layer4"
    assert result.targets.tolist() == predicted.tolist()
    assert close(result.maps, oracle(model, model.layer4, x, predicted), 1e-4)


def test_by_hand() -> None:
    """One channel doubled, one negated: weights are the head's own, divided by the area."""

    class Hand(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 1, bias=False)
            self.fc = nn.Linear(2, 2, bias=False)
            self.conv.weight.data = torch.tensor([2.0, -1.0]).reshape(2, 1, 1, 1)
            self.fc.weight.data = torch.tensor([[1.0, 0.0], [0.0, 4.0]])

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.conv(x).mean((2, 3)))

    x = torch.tensor([[1.0, -2.0], [0.0, 3.0]]).reshape(1, 1, 2, 2)
    # class 0: weight 1/4 on channel 2x -> 0.5 x;  class 1: weight 4/4 on channel -x -> -x
    assert grad_cam(Hand(), x, 0).maps.tolist() == [[[0.5, 0.0], [0.0, 1.5]]]
    assert grad_cam(Hand(), x, 1).maps.tolist() == [[[0.0, 2.0], [0.0, 0.0]]]
    assert grad_cam(Hand(), x, 1).peak.tolist() == [2.0]


ENDS: dict[str, Callable[[Tensor], Any]] = {
    "softmax": lambda z: z.softmax(1),
    "log-softmax": lambda z: F.log_softmax(z, 1),
    "softmax module": nn.Softmax(1),
    "exp of log-softmax": lambda z: z.log_softmax(1).exp(),
    "log of clamped softmax": lambda z: z.softmax(1).clamp(1e-6, 1).log(),
    "reshaped": lambda z: z.reshape(-1, 3, 1).softmax(1).squeeze(2),
    "many sigmoids": torch.sigmoid,
    "dict": lambda z: {"logits": z},
    "saturated softmax": lambda z: (z * 1e4).softmax(1),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_score_is_the_logit_whatever_follows(name: str) -> None:
    """TRAP: Grad-CAM on softmax output; a saturated softmax even has no gradient."""
    x, targets = pictures(), [0, 1, 2, 2, 1, 0]
    plain = Small()
    theirs = oracle(plain, plain.relu, x, targets)
    scale = 1e4 if name == "saturated softmax" else 1
    result = grad_cam(Small(end=ENDS[name]), x, targets, layer="relu")
    assert close(result.maps, theirs * scale, 1e-5)


ONE: dict[str, Callable[[Tensor], Tensor]] = {
    "logit (N, 1)": lambda z: z,
    "logit (N,)": lambda z: z[:, 0],
    "sigmoid": torch.sigmoid,
    "sigmoid (N,)": lambda z: z.sigmoid().squeeze(1),
    "log of sigmoid": lambda z: z.sigmoid().log(),
    "log-sigmoid": F.logsigmoid,
    "exp of log-sigmoid": lambda z: F.logsigmoid(z).exp(),
}


@pytest.mark.parametrize("name", ONE)
def test_one_logit_explains_both_classes(name: str) -> None:
    """TRAP: the default target of a one-logit model is always the positive class."""
    x, plain = pictures(), Small(1)
    model = Small(1, ONE[name])
    plus, minus = oracle(plain, plain.relu, x, 0), oracle(negated(plain), plain.relu, x, 0)
    assert close(grad_cam(model, x, 1, layer="relu").maps, plus)
    assert close(grad_cam(model, x, 0, layer="relu").maps, minus)
    with torch.no_grad():
        z = plain.eval()(x)[:, 0]
    middle = z.median()
    plain.fc.bias.data -= middle
    model.fc.bias.data -= middle
    result = grad_cam(model, x, layer="relu")
    expected = (z - middle > 0).long()
    assert 0 < expected.sum() < 6
    assert result.targets.tolist() == expected.tolist()
    assert np.allclose(result.maps, np.where(expected[:, None, None] == 1, plus, minus), rtol=1e-4)


def negated(model: Small) -> nn.Module:
    class Negated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, x: Tensor) -> Tensor:
            return -self.inner(x)

    return Negated()


def test_in_place_relu_after_the_layer() -> None:
    """TRAP: what a hook received is overwritten by the in-place ReLU that follows."""
    x = pictures()
    expected = grad_cam(Small(), x, 0, layer="bn").maps
    assert close(grad_cam(Small(inplace=True), x, 0, layer="bn").maps, expected)
    assert find_layer(Small(inplace=True), x) == "relu"


def test_what_the_layer_returned_may_be_overwritten_by_its_other_holder() -> None:
    class Shared(Small):
        def __init__(self) -> None:
            super().__init__()
            self.mark = nn.Identity()

        def forward(self, x: Tensor) -> Any:
            x = self.conv2(self.conv1(x))
            marked = self.mark(x)
            x.mul_(0)
            return self.fc(self.pool(marked).flatten(1))

    x = pictures()
    expected = grad_cam(Shared(), x, 0, layer="conv2").maps  # the same weights, before it is lost
    value = Shared().conv2(Shared().conv1(x)).detach()
    weights = Shared().fc.weight[0].detach() / 16
    by_hand = torch.einsum("c,nchw->nhw", weights, value).relu().numpy()
    assert not close(expected, by_hand)  # conv2's output is zeroed on the way: no gradient, no map
    assert close(grad_cam(Shared(), x, 0, layer="mark").maps, by_hand)


class Around(nn.Module):
    def __init__(self, inner: nn.Module, context: Callable[[], Any]) -> None:
        super().__init__()
        self.inner, self.context = inner, context

    def forward(self, x: Tensor) -> Tensor:
        with self.context():
            return self.inner(x)


class FrozenTrunk(nn.Module):
    """A backbone under no_grad in the forward pass, with the target layer at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Small()

    def forward(self, x: Tensor) -> Tensor:
        inner = self.inner
        with torch.no_grad():
            x = inner.relu(inner.bn(inner.conv2(torch.relu(inner.conv1(x)))))
        return inner.fc(inner.pool(x).flatten(1))


def test_frozen_models_and_models_with_a_no_grad_of_their_own() -> None:
    x = pictures()
    expected = grad_cam(Small(), x, 0, layer="relu").maps
    assert expected.max() > 0
    assert close(grad_cam(Small().requires_grad_(False), x, 0, layer="relu").maps, expected)
    inside = Around(Small(), torch.no_grad)
    assert close(grad_cam(inside, x, 0, layer="inner.relu").maps, expected)
    assert close(grad_cam(FrozenTrunk(), x, 0, layer="inner.relu").maps, expected)
    assert close(grad_cam(FrozenTrunk(), x, 0).maps, expected)


def test_under_no_grad_and_inference_mode_of_the_caller() -> None:
    expected = grad_cam(Small(), pictures(), 0).maps
    with torch.no_grad():
        assert close(grad_cam(Small(), pictures(), 0).maps, expected)
    model = Small()
    with torch.inference_mode():
        assert close(grad_cam(model, pictures(), 0).maps, expected)


def test_inference_mode_inside_is_refused_in_words() -> None:
    with pytest.raises(RuntimeError, match=r"inference_mode.*no_grad"):
        grad_cam(Around(Small(), torch.inference_mode), pictures(), 0, layer="inner.relu")
    with torch.inference_mode():
        model = Small()
    with pytest.raises(RuntimeError, match="built under"):
        grad_cam(model, pictures(), 0)


def test_compiled_and_parallel_wrappers() -> None:
    x = pictures()
    expected = grad_cam(Small(), x, 0).maps
    compiled = torch.compile(Small().eval(), backend="eager")
    with torch.no_grad():
        compiled(x)  # hooks added from now on would not fire
    assert close(grad_cam(compiled, x, 0).maps, expected)
    assert close(grad_cam(compiled, x, 0, layer="relu").maps, expected)
    inside = Small().eval()
    inside.compile(backend="eager")
    with torch.no_grad():
        inside(x), inside(x[:1])
    assert close(grad_cam(inside, x, 0).maps, expected)
    assert close(grad_cam(nn.DataParallel(Small()), x, 0, layer="module.relu").maps, expected)


def test_channels_last_memory() -> None:
    x = pictures()
    expected = grad_cam(Small(), x, 0).maps
    model = Small().to(memory_format=torch.channels_last)
    assert close(grad_cam(model, x.to(memory_format=torch.channels_last), 0).maps, expected)


def test_batches_make_no_difference() -> None:
    model, x = Small(), pictures(7)
    targets = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    whole = grad_cam(model, x, targets)
    for size in (1, 3, 100):
        assert close(grad_cam(model, x, targets, batch_size=size).maps, whole.maps)


def test_a_layer_that_is_called_twice_counts_its_last_call() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.conv, self.fc = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(torch.relu(self.conv(torch.relu(self.conv(x)))).mean((2, 3)))

    model, x = Twice(), pictures()
    first = torch.relu(model.conv(x))
    value = model.conv(first).detach().requires_grad_()
    score = model.fc(torch.relu(value).mean((2, 3)))[:, 1].sum()
    (gradient,) = torch.autograd.grad(score, value)
    cam = (gradient.mean((2, 3), keepdim=True) * value).sum(1).relu()
    assert close(grad_cam(model, x, 1, layer="conv").maps, cam.detach().numpy())


def test_half_precision() -> None:
    x = pictures()
    expected = grad_cam(Small(), x, 0).maps
    result = grad_cam(Small().bfloat16(), x, 0)
    assert result.maps.dtype == np.float32
    assert close(result.maps, expected, 0.1)


# Layers ------------------------------------------------------------------------------------------


def test_list_layers() -> None:
    found = {str(feature_map): feature_map.kind for feature_map in list_layers(Small(), pictures())}
    assert found == {
        "conv1 (4, 9, 9)": "Conv2d",
        "conv2 (5, 4, 4)": "Conv2d",
        "bn (5, 4, 4)": "BatchNorm2d",
        "relu (5, 4, 4)": "ReLU",
    }


def test_a_layer_as_a_module() -> None:
    model, x = Small(), pictures()
    assert grad_cam(model, x, 0, layer=model.conv1).layer == "conv1"
    with pytest.raises(ValueError, match="no layer 'Conv2d'"):
        grad_cam(model, x, 0, layer=Small().conv1)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("conv3", r"has no layer 'conv3'; did you mean 'conv2'\?; layers with feature maps: conv1"),
        ("layer9", r"no layer 'layer9'; layers with feature maps: conv1 \(4, 9, 9\), conv2"),
        ("fc", "layer 'fc' returns no feature maps; layers with"),
        ("pool", "layer 'pool' returns no feature maps"),
        ("", "no layer ''|layer '' returns no feature maps"),
    ],
)
def test_layers_that_do_not_fit(layer: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grad_cam(Small(), pictures(), 0, layer=layer)


def test_a_layer_is_a_name_or_a_module() -> None:
    with pytest.raises(TypeError, match=r"a layer's name or the module itself, got 3; list_layers"):
        grad_cam(Small(), pictures(), 0, layer=3)  # type: ignore[arg-type]


def test_long_lists_of_layers_keep_the_outer_ones() -> None:
    torch.manual_seed(0)
    with pytest.raises(ValueError, match="nowhere") as caught:
        grad_cam(resnet18(), pictures(1, 64), 0, layer="nowhere")
    assert "layer4 (512, 2, 2)" in str(caught.value)
    assert re.search(r"and \d+ more, see list_layers", str(caught.value))


def test_a_layer_beside_the_way_to_the_scores() -> None:
    class Beside(Small):
        def forward(self, x: Tensor) -> Any:
            self.conv1(x)
            return self.fc(self.bn(self.conv2(x.repeat(1, 2, 1, 1)[:, :4])).mean((2, 3)))

    with pytest.raises(ValueError, match="do not depend on layer 'conv1'"):
        grad_cam(Beside(), pictures(), 0, layer="conv1")


def test_models_without_feature_maps() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 81, 2))
    with pytest.raises(ValueError, match="nothing for Grad-CAM to show"):
        grad_cam(model, pictures(), 0)


class Tokens(nn.Module):
    """A tiny vision transformer, read at its class token or over the mean of its patches."""

    def __init__(self, *, class_token: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patch = nn.Conv2d(3, 8, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 8)) if class_token else None
        block = [nn.TransformerEncoderLayer(8, 2, 16, batch_first=True) for _ in range(2)]
        self.blocks, self.norm, self.fc = nn.Sequential(*block), nn.LayerNorm(8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        if self.token is not None:
            x = torch.cat([self.token.expand(len(x), -1, -1), x], 1)
        x = self.norm(self.blocks(x))
        return self.fc(x[:, 0] if self.token is not None else x.mean(1))


def test_vision_transformers() -> None:
    """TRAP: tokens need a reshape, and after the last attention only the class token is read."""
    x = pictures(2, 16)
    mean = grad_cam(Tokens(class_token=False), x, 1)
    assert (mean.layer, mean.maps.shape) == ("norm", (2, 4, 4))
    model = Tokens(class_token=True)
    read = grad_cam(model, x, 1)
    assert read.layer == "blocks.0"
    # by hand: tokens that leave the first block
    model.eval()
    tokens = model.patch(x).flatten(2).transpose(1, 2)
    tokens = torch.cat([model.token.expand(2, -1, -1), tokens], 1)
    value = model.blocks[0](tokens).detach().requires_grad_()
    score = model.fc(model.norm(model.blocks[1](value))[:, 0])[:, 1].sum()
    (gradient,) = torch.autograd.grad(score, value)
    weights = gradient[:, 1:].mean(1, keepdim=True)
    expected = (weights * value[:, 1:]).sum(2).relu().reshape(2, 4, 4).detach().numpy()
    assert np.abs(read.maps - expected).max() <= 1e-5 * max(expected.max(), 1e-3)


def test_torchvisions_vision_transformer() -> None:
    torch.manual_seed(0)
    model = VisionTransformer(32, 8, 2, 2, 16, 16, num_classes=3)
    with pytest.raises(ValueError, match="last layer starts at zero; train it, or name a layer"):
        grad_cam(model, pictures(2, 32))  # as torchvision initialises it
    assert not grad_cam(model, pictures(2, 32), layer="encoder.layers.encoder_layer_0").maps.any()
    nn.init.normal_(model.heads.head.weight)
    result = grad_cam(model, pictures(2, 32))
    assert result.layer == "encoder.layers.encoder_layer_1.ln_1"
    assert result.maps.shape == (2, 4, 4)


@pytest.mark.parametrize(
    ("shape", "image", "grid"),
    [
        ((1, 512, 7, 7), (224, 224), Grid("channels first", 7, 7)),
        ((1, 7, 7, 512), (224, 224), Grid("channels last", 7, 7)),
        ((1, 64, 10, 20), (160, 320), Grid("channels first", 10, 20)),
        ((1, 10, 20, 64), (160, 320), Grid("channels last", 10, 20)),
        ((1, 7, 7, 7), (224, 224), Grid("channels first", 7, 7)),
        ((1, 512, 1, 1), (224, 224), None),
        ((1, 512, 1, 7), (32, 224), None),
        ((1, 197, 768), (224, 224), Grid("tokens", 14, 14, 1)),
        ((1, 196, 768), (224, 224), Grid("tokens", 14, 14, 0)),
        ((1, 198, 768), (224, 224), Grid("tokens", 14, 14, 2)),
        ((1, 261, 768), (224, 224), Grid("tokens", 16, 16, 5)),
        ((1, 201, 768), (160, 320), Grid("tokens", 10, 20, 1)),
        ((1, 200, 768), (224, 224), None),
        ((1, 1, 768), (224, 224), None),
        ((1, 768), (224, 224), None),
    ],
)
def test_grids(shape: tuple[int, ...], image: tuple[int, int], grid: Grid | None) -> None:
    assert grid_of(shape, image) == grid


# Bad input and the result ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "targets", "message"),
    [
        (pictures()[0], 0, r"\(N, C, H, W\), got \(3, 9, 9\)"),
        (pictures()[:0], 0, "batch is empty"),
        ("cat.png", 0, "got str"),
        (pictures(), 3, r"targets must lie in 0\.\.2, got 3"),
        (pictures(), -1, r"got -1"),
        (pictures(), [0, 1], r"one class or 6 of them, got \(2,\)"),
        (pictures(), 0.5, "class numbers, got torch.float32"),
        (pictures(), "cat", "class numbers, got 'cat'"),
        (pictures(), ["cat"] * 6, r"class numbers, got \['cat'"),
    ],
)
def test_bad_input(x: Any, targets: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grad_cam(Small(), x, targets)


def test_what_is_no_network() -> None:
    with pytest.raises(TypeError, match="looks into an nn.Module, got function"):
        grad_cam(lambda x: x, pictures(), 0)  # type: ignore[arg-type]


def test_numpy_pictures_of_another_precision() -> None:
    x = pictures().numpy().astype(np.float64)
    assert close(grad_cam(Small(), x, 0).maps, grad_cam(Small(), pictures(), 0).maps)  # type: ignore[arg-type]


def test_nan_stays_visible() -> None:
    x = pictures()
    x[2] = float("nan")
    result = grad_cam(Small(), x, 0)
    assert np.isnan(result.peak).tolist() == [False, False, True, False, False, False]


def test_no_positive_evidence_is_said_and_maps_are_not_scaled() -> None:
    """TRAP: each map scaled alone makes a map of almost nothing look as hot as any."""
    maps = np.zeros((4, 2, 2))
    maps[0, 0, 1], maps[1, 1, 1] = 8.0, 1e-6
    result = GradCAMResult(maps, np.array([0, 1, 1, 2]), "layer4")
    assert result.peak.tolist() == [8.0, 1e-6, 0, 0]
    assert result.no_evidence.tolist() == [False, False, True, True]
    (finding,) = result.findings()
    assert (finding.code, finding.subject) == ("cam.no_evidence", "layer4")
    assert finding.message.startswith("2 of 4 maps show no positive evidence")
    assert repr(result) == (
        "Grad-CAM: 4 maps of 2x2 from layer4, logit space, 2 without positive evidence"
    )
    assert GradCAMResult(maps[:2], np.array([0, 1]), "layer4").findings() == []
    few = np.ones((20, 2, 2))
    few[0] = 0
    assert GradCAMResult(few, np.zeros(20, int), "layer4").findings() == []
    with pytest.raises(ValueError, match=r"got \(4, 2\) and"):
        GradCAMResult(maps[:, 0], np.zeros(4), "layer4")
    with pytest.raises(ValueError, match="read-only"):
        result.maps[0] = 1


def test_replaced_layers_are_found_anew() -> None:
    model, x = Small(), pictures()
    assert find_layer(model, x) == "relu"
    model.relu = nn.Sequential(nn.ReLU(), nn.Conv2d(5, 5, 1), nn.ReLU())
    model.pool = nn.Sequential(nn.Conv2d(5, 5, 1), nn.AdaptiveAvgPool2d(1))
    assert find_layer(model, x) == "pool.0"
