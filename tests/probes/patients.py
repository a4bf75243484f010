"""Tiny models of many kinds, and one training loop, for the tests that nothing is disturbed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

Loss = Callable[[nn.Module], Tensor]


@dataclass
class Patient:
    """A model, the loss of one random batch, and the optimizers that train it."""

    model: nn.Module
    loss: Loss
    optimizers: list[torch.optim.Optimizer]
    hooks_fired: list[str] = field(default_factory=list)


def _classify(model: nn.Module, *shape: int) -> Loss:
    def loss(m: nn.Module) -> Tensor:
        x = torch.randn(8, *shape, dtype=next(model.parameters()).dtype)
        return F.cross_entropy(m(x).float(), torch.randint(0, 3, (8,)))

    return loss


def mlp() -> Patient:
    model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3))
    return Patient(model, _classify(model, 5), [torch.optim.SGD(model.parameters(), 0.1, 0.9)])


def cnn() -> Patient:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(0.3),
        nn.Flatten(), nn.Linear(4 * 16, 3),
    )  # fmt: skip
    return Patient(model, _classify(model, 3, 6, 6), [torch.optim.Adam(model.parameters())])


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.conv1, self.bn = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.fc = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = x + self.conv2(F.relu(self.bn(self.conv1(x))))
        return self.fc(x.mean((2, 3)))


def resnet() -> Patient:
    model = _Block()
    for parameter in model.stem.parameters():
        parameter.requires_grad_(False)
    model.bn.eval()  # a frozen stem and statistics, as in fine-tuning
    params = [p for p in model.parameters() if p.requires_grad]
    return Patient(model, _classify(model, 3, 4, 4), [torch.optim.AdamW(params)])


class _Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 5, num_layers=2, dropout=0.2, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


def lstm() -> Patient:
    model = _Recurrent()
    return Patient(model, _classify(model, 6, 4), [torch.optim.RMSprop(model.parameters())])


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 3)  # registered first, called last
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.position = nn.Parameter(torch.zeros(4, 8))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x + self.position)[:, 0])


def transformer() -> Patient:
    model = _Attention()
    groups = [
        {"params": model.body.parameters(), "lr": 1e-3},
        {"params": [model.position, *model.head.parameters()], "lr": 1e-2},
    ]
    return Patient(model, _classify(model, 4, 8), [torch.optim.Adam(groups, amsgrad=True)])


class _Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encode, self.decode = nn.Linear(6, 3), nn.Linear(3, 6)
        self.decode.weight = nn.Parameter(self.encode.weight.t().contiguous())
        self.again = nn.Linear(6, 3)
        self.again.weight = self.encode.weight  # one parameter under two names

    def forward(self, x: Tensor) -> Tensor:
        return self.again(torch.relu(self.decode(torch.relu(self.encode(x)))))


def tied() -> Patient:
    model = _Tied()
    split = [list(model.encode.parameters()), [*model.decode.parameters(), model.again.bias]]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.SGD(p, 0.1) for p in split]
    return Patient(model, _classify(model, 6), optimizers)


class _Sparse(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(10, 4, sparse=True, mode="sum")
        self.head = nn.Linear(4, 3)
        self.unused = nn.Parameter(torch.ones(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.table(x))


def embedding() -> Patient:
    model = _Sparse()

    def loss(m: nn.Module) -> Tensor:
        return F.cross_entropy(m(torch.randint(0, 10, (8, 5))), torch.randint(0, 3, (8,)))

    dense = [*model.head.parameters(), model.unused]
    return Patient(
        model,
        loss,
        [torch.optim.SparseAdam(model.table.parameters()), torch.optim.Adam(dense)],
    )


def bfloat16() -> Patient:
    model = nn.Sequential(nn.Linear(5, 6), nn.GELU(), nn.Linear(6, 3)).bfloat16()
    return Patient(model, _classify(model, 5), [torch.optim.Adagrad(model.parameters(), 0.05)])


def compiled() -> Patient:
    torch.compiler.reset()
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 3))
    model.compile(backend="aot_eager")
    return Patient(model, _classify(model, 5), [torch.optim.AdamW(model.parameters())])


MAKERS = (mlp, cnn, resnet, lstm, transformer, tied, embedding, bfloat16, compiled)
PATIENTS: dict[str, Callable[[], Patient]] = {make.__name__: make for make in MAKERS}


def admit(make: Callable[[], Patient]) -> Patient:
    """A fresh patient with hooks of its own, everything seeded."""
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002 - the global state is what is watched
    torch.manual_seed(7)
    patient = make()
    model, optimizer = patient.model, patient.optimizers[0]
    fired = patient.hooks_fired
    model.register_forward_hook(lambda *_: fired.append("forward"))
    next(iter(model.children())).register_forward_pre_hook(lambda *_: fired.append("pre"))
    optimizer.register_step_pre_hook(lambda *_: fired.append("before step"))
    optimizer.register_step_post_hook(lambda *_: fired.append("after step"))
    return patient


def steps(patient: Patient, count: int) -> Iterator[int]:
    """Train; yields after each step, so that the caller may interfere."""
    for step in range(1, count + 1):
        for optimizer in patient.optimizers:
            optimizer.zero_grad(set_to_none=step % 2 == 0)
        patient.loss(patient.model).backward()
        for optimizer in patient.optimizers:
            optimizer.step()
        random.random(), np.random.rand()  # noqa: NPY002
        yield step


def chart(patient: Patient) -> dict[str, Any]:
    """Everything about a training that a probe must not change."""
    model = patient.model
    state: dict[str, Any] = {f"state {k}": v.clone() for k, v in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        gradient = parameter.grad
        state[f"requires_grad {name}"] = parameter.requires_grad
        state[f"grad {name}"] = None if gradient is None else gradient.to_dense().clone()
        state[f"coalesced {name}"] = (
            gradient.is_coalesced() if gradient is not None and gradient.is_sparse else None
        )
    for name, module in model.named_modules():
        state[f"training {name}"] = module.training
    for i, optimizer in enumerate(patient.optimizers):
        for key, entry in optimizer.state_dict()["state"].items():
            for what, value in entry.items():
                copy = value.clone() if isinstance(value, Tensor) else value
                state[f"optimizer {i} {key} {what}"] = copy
        state[f"groups {i}"] = repr(optimizer.state_dict()["param_groups"])
    state["torch rng"] = torch.get_rng_state()
    state["numpy rng"] = repr(np.random.get_state())  # noqa: NPY002
    state["python rng"] = random.getstate()
    state["hooks fired"] = list(patient.hooks_fired)
    state["grad mode"] = torch.is_grad_enabled()
    return state


def hooks(patient: Patient) -> dict[str, int]:
    """How many hooks of every kind hang on the model, its tensors, the optimizers and torch."""
    from torch.nn.modules import module as torch_module
    from torch.optim import optimizer as torch_optimizer

    counts = {}
    for name, module in patient.model.named_modules():
        for kind, value in vars(module).items():
            if kind.endswith("_hooks") and value is not None:
                counts[f"{name} {kind}"] = len(value)
    for name, parameter in patient.model.named_parameters():
        counts[f"{name} tensor"] = len(parameter._backward_hooks or ())
        counts[f"{name} accumulate"] = len(parameter._post_accumulate_grad_hooks or ())
    for i, optimizer in enumerate(patient.optimizers):
        for kind, value in vars(optimizer).items():
            if kind.endswith("_hooks"):
                counts[f"optimizer {i} {kind}"] = len(value)
    for place in (torch_module, torch_optimizer):
        for kind, value in vars(place).items():
            if kind.startswith("_global_") and kind.endswith("_hooks"):
                counts[kind] = len(value)
    return counts


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of what is not bit-identical."""

    def same(a: Any, b: Any) -> bool:
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            return a.dtype == b.dtype and torch.equal(a, b)
        return type(a) is type(b) and bool(a == b)

    return [name for name in one.keys() | other.keys() if not same(one.get(name), other.get(name))]
