"""Predicting and Grad-CAM in the middle of a training: the training is the same, bit for bit."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from nbdiag.measures.feature_table import FeatureTable
from nbdiag.probes.decision_field import DecisionField
from nbdiag.probes.grad_cam import find_layer, grad_cam, list_layers
from nbdiag.probes.penultimate import penultimate
from nbdiag.probes.predict import predict
from tests.probes.patients import PATIENTS, Patient, admit, chart, differences, hooks, steps

STEPS, LOOK_AFTER = 4, 2
SHAPES = {
    "mlp": (5,), "cnn": (3, 6, 6), "resnet": (3, 4, 4), "lstm": (6, 4), "transformer": (4, 8),
    "tied": (6,), "embedding": (5,), "bfloat16": (5,), "compiled": (5,),
}  # fmt: skip


class Augmented(Dataset):
    """Draws from every random state there is, and may fail in the middle."""

    def __init__(self, name: str, fail: BaseException | None = None) -> None:
        self.name, self.fail = name, fail

    def __len__(self) -> int:
        return 12

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        if i == 9 and self.fail is not None:
            raise self.fail
        shift = random.random() + float(np.random.rand())  # noqa: NPY002
        if self.name == "embedding":
            return torch.randint(0, 10, SHAPES[self.name]), i % 3
        x = torch.randn(SHAPES[self.name]) + shift
        return x.bfloat16() if self.name == "bfloat16" else x, i % 3


def loaded(name: str, **options: Any) -> DataLoader:
    return DataLoader(Augmented(name, **options), batch_size=4, shuffle=True)


def predicted(patient: Patient, name: str) -> None:
    told = predict(patient.model, loaded(name), progress=False)
    assert len(told) == 12
    assert told.inputs is not None
    told.inputs([3, 1])


class Drawing(Sampler):
    """A sampler of the user's own that draws from a generator."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        return iter(torch.randperm(12, generator=self.generator)[:5].tolist())


def predicted_with_a_sampler(patient: Patient, name: str) -> None:
    generator = torch.Generator().manual_seed(5)
    loader = DataLoader(
        Augmented(name), batch_size=4, sampler=Drawing(generator), generator=generator
    )
    before = generator.get_state()
    assert len(predict(patient.model, loader, progress=False)) == 5
    assert torch.equal(generator.get_state(), before)


def predicted_with_a_generator(patient: Patient, name: str) -> None:
    generator = torch.Generator().manual_seed(5)
    loader = DataLoader(Augmented(name), batch_size=4, shuffle=True, generator=generator)
    before = generator.get_state()
    predict(patient.model, loader, progress=False)
    assert torch.equal(generator.get_state(), before)


def predicted_under_inference_mode(patient: Patient, name: str) -> None:
    with torch.inference_mode():
        predict(patient.model, loaded(name), progress=False)


def swept(patient: Patient, name: str) -> None:
    """A table over the features of the first layer; what follows is asked for every cell."""
    X = np.random.default_rng(0).normal(size=(30, *SHAPES[name])).astype(np.float32)
    field = DecisionField(patient.model, FeatureTable.of(X))
    assert field(X).shape == (30, 3)
    with pytest.raises((RuntimeError, TypeError)):
        field(X[:, :2])


def interrupted(patient: Patient, name: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        predict(patient.model, loaded(name, fail=KeyboardInterrupt()), progress=False)


def failed(patient: Patient, name: str) -> None:
    with pytest.raises(ZeroDivisionError):
        predict(patient.model, loaded(name, fail=ZeroDivisionError()), progress=False)


def failed_in_the_model(patient: Patient, name: str) -> None:
    with pytest.raises((RuntimeError, TypeError, IndexError, ValueError)):
        predict(patient.model, (torch.zeros(4, 1, 1, 1, 1), torch.zeros(4)), progress=False)


def features_taken(patient: Patient, name: str) -> None:
    told = predict(patient.model, loaded(name), progress=False)
    assert penultimate(patient.model, told, [3, 1, 11]).shape[0] == 3
    with torch.inference_mode():
        penultimate(patient.model, told, [0])


def features_taken_in_vain(patient: Patient, name: str) -> None:
    told = predict(patient.model, loaded(name), progress=False)
    broken = dataclasses.replace(told, inputs=lambda ids: [torch.zeros(1, 1, 1, 1)] * len(ids))
    with pytest.raises((RuntimeError, TypeError, IndexError, ValueError)):
        penultimate(patient.model, broken, [0, 1])


def images(name: str) -> Tensor:
    return torch.randn(5, *SHAPES[name], generator=torch.Generator().manual_seed(3))


def looked(patient: Patient, name: str) -> None:
    result = grad_cam(patient.model, images(name), batch_size=2)
    assert len(result) == 5
    grad_cam(patient.model, images(name), 1, layer=result.layer)
    find_layer(patient.model, images(name))
    list_layers(patient.model, images(name))


def looked_without_grad(patient: Patient, name: str) -> None:
    with torch.no_grad():
        grad_cam(patient.model, images(name))
        assert not torch.is_grad_enabled()
    with torch.inference_mode():
        grad_cam(patient.model, images(name))
        assert torch.is_inference_mode_enabled()


def looked_in_vain(patient: Patient, name: str) -> None:
    with pytest.raises(ValueError, match="no layer 'nowhere'"):
        grad_cam(patient.model, images(name), layer="nowhere")
    with pytest.raises(ValueError, match="targets must lie in"):
        grad_cam(patient.model, images(name), 3)
    head = [key for key, module in patient.model.named_modules() if type(module) is nn.Linear][-1]
    with pytest.raises(ValueError, match="returns no feature maps"):
        grad_cam(patient.model, images(name), layer=head)


LOOKS: list[tuple[Callable[[Patient, str], None], str]] = [
    *((swept, name) for name in ("mlp", "tied")),
    *((look, name) for look in (predicted, interrupted, features_taken) for name in PATIENTS),
    *((features_taken_in_vain, name) for name in ("cnn", "lstm")),
    *(
        (look, name)
        for look in (
            predicted_with_a_generator,
            predicted_with_a_sampler,
            predicted_under_inference_mode,
        )
        for name in ("cnn", "transformer")
    ),
    *((look, name) for look in (failed, failed_in_the_model) for name in ("cnn", "lstm")),
    *(
        (look, name)
        for look in (looked, looked_without_grad, looked_in_vain)
        for name in ("cnn", "resnet")
    ),
]


def held(patient: Patient) -> dict[str, Any]:
    """What must be the very same objects, unwritten, and the hooks."""
    tensors = dict([*patient.model.named_parameters(), *patient.model.named_buffers()])
    return {
        **{f"object {k}": (id(t), t.data_ptr(), t._version) for k, t in tensors.items()},
        **{f"object grad {k}": id(t.grad) for k, t in tensors.items()},
        **hooks(patient),
    }


def trained(name: str, look: Callable[[Patient, str], None] | None) -> dict[str, Any]:
    """The chart after a training, and what changed hands while `look` looked."""
    patient = admit(PATIENTS[name])
    changed: list[str] = []
    for step in steps(patient, STEPS):
        if step == LOOK_AFTER and look is not None:
            before, fired = held(patient), list(patient.hooks_fired)
            look(patient, name)
            changed = differences(held(patient), before)
            patient.hooks_fired[:] = fired  # a forward pass calls the user's hooks: that is all
    return {**chart(patient), "changed while looking": changed}


@pytest.fixture(scope="module")
def untouched() -> dict[str, dict[str, Any]]:
    return {name: trained(name, None) for name in PATIENTS}


@pytest.mark.parametrize(("look", "name"), LOOKS, ids=lambda x: getattr(x, "__name__", x))
def test_no_trace(
    look: Callable[[Patient, str], None], name: str, untouched: dict[str, dict[str, Any]]
) -> None:
    assert differences(trained(name, look), untouched[name]) == []


def test_the_comparison_sees_a_trace() -> None:
    def careless(patient: Patient, name: str) -> None:
        patient.model(images(name))  # train mode: BatchNorm and dropout

    seen = differences(trained("cnn", careless), trained("cnn", None))
    assert "state 1.running_mean" in seen
    assert "torch rng" in seen
    assert "changed while looking" in seen


def test_partly_evaluating_models_get_each_flag_back() -> None:
    model = admit(PATIENTS["cnn"]).model
    for i, module in enumerate(model.modules()):
        module.training = i % 2 == 0
    flags = [module.training for module in model.modules()]
    predict(model, loaded("cnn"), progress=False)
    grad_cam(model, images("cnn"))
    assert [module.training for module in model.modules()] == flags


def test_train_mode_is_not_predicted() -> None:
    """TRAP: dropout and batch statistics have no place in predictions."""
    model = admit(PATIENTS["cnn"]).model.train()
    pair = (images("cnn"), torch.arange(5) % 3)
    told = predict(model, pair, progress=False)
    model.eval()
    with torch.no_grad():
        oracle = model(pair[0]).softmax(1)
    assert np.allclose(told.probabilities, oracle.numpy(), atol=1e-6)
    assert np.array_equal(predict(model, pair, progress=False).probabilities, told.probabilities)


def test_eval_and_train_of_the_user_are_not_called() -> None:
    class Merging(nn.Linear):
        merged = 0

        def train(self, mode: bool = True) -> Merging:
            self.merged += 1
            return super().train(mode)

    model = Merging(4, 3)
    model.merged = 0
    predict(model, (torch.zeros(2, 4), torch.zeros(2)), progress=False)
    assert model.merged == 0
