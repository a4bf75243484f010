"""In real trainings by the Trainer of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import _global_optimizer_pre_hooks
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments

from nbdiag.integrations.transformers import WatchCallback

ROWS, BATCH, EPOCHS = 48, 8, 2


class Rows(Dataset[Any]):
    def __init__(self, count: int = ROWS) -> None:
        self.x = torch.randn(count, 4, generator=torch.Generator().manual_seed(3))

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        return {"x": self.x[i], "labels": self.x[i].sum(0, keepdim=True)}


class Net(nn.Module):
    """Notes the loss of each batch that it was trained on."""

    def __init__(self, fail_at: int = -1, error: type[BaseException] = ValueError) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.2), nn.ReLU(), nn.Linear(6, 1))
        self.fail_at, self.error = fail_at, error
        self.losses: list[float] = []

    def forward(self, x: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        if len(self.losses) == self.fail_at:
            raise self.error("stop")
        out = self.net(x)
        loss = (out - labels).square().mean() * 10
        if self.training:
            self.losses.append(loss.item())
        return {"loss": loss, "logits": out}


class Norms(TrainerCallback):
    """An independent reading: what the gradients are just before the optimizer's step."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        grads = [p.grad.norm() for p in kwargs["model"].parameters()]
        self.seen.append(torch.stack(grads).norm().item())


def trainer_of(folder: Path, model: nn.Module, *callbacks: Any, **options: Any) -> Trainer:
    arguments = {
        "per_device_train_batch_size": BATCH, "num_train_epochs": EPOCHS, "use_cpu": True,
        "learning_rate": 0.002, "report_to": [], "save_strategy": "no", "disable_tqdm": True,
        "logging_steps": 2, "max_grad_norm": 0.0, "remove_unused_columns": False, **options,
    }  # fmt: skip
    return Trainer(
        model=model, args=TrainingArguments(str(folder), **arguments),
        train_dataset=Rows(), eval_dataset=Rows(16), callbacks=list(callbacks),
    )  # fmt: skip


def fresh() -> Net:
    torch.manual_seed(0)
    return Net()


def norms(run: Any, name: str) -> np.ndarray[Any, Any]:
    return np.sqrt((run.recording.parameter_stat(name) ** 2).sum(axis=1))


def test_each_step_with_its_loss_and_its_clipping(tmp_path: Path) -> None:
    callback, seen, model = WatchCallback(every=1), Norms(), fresh()
    trainer = trainer_of(tmp_path, model, callback, seen, max_grad_norm=0.5)
    trainer.train()
    run = callback.run
    assert run is not None
    steps = list(range(1, EPOCHS * ROWS // BATCH + 1))
    assert (run.name, run.state, run.failures) == ("Net", "done", ())
    assert run.step == trainer.state.global_step == len(steps)
    assert run.recording.steps.tolist() == steps
    assert [layer.name for layer in run.recording.layers] == ["net.0", "net.3"]
    loss = run.recording.scalars["loss"]
    assert loss.steps.tolist() == steps
    np.testing.assert_allclose(loss.values, model.losses, rtol=1e-6)
    np.testing.assert_allclose(norms(run, "grad_norm"), seen.seen, rtol=1e-5)
    np.testing.assert_allclose(seen.seen, 0.5, rtol=1e-4)
    assert (norms(run, "grad_norm_raw") > 0.5).all()
    logged = [entry["grad_norm"] for entry in trainer.state.log_history if "grad_norm" in entry]
    np.testing.assert_allclose(norms(run, "grad_norm_raw")[1::2], logged, rtol=1e-3)


@pytest.mark.parametrize("parts", [3, 4])  # 6 batches an epoch: all full, or 4 and 2
def test_accumulated_batches_are_one_step(tmp_path: Path, parts: int) -> None:
    callback, seen, model = WatchCallback(every=1), Norms(), fresh()
    trainer = trainer_of(tmp_path, model, callback, seen, gradient_accumulation_steps=parts)
    trainer.train()
    run = callback.run
    assert run is not None
    assert run.step == len(run.recording) == trainer.state.global_step == 4
    first = np.array(model.losses[: ROWS // BATCH])
    loss = run.recording.scalars["loss"]
    assert loss.steps.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(loss.values[:2], [first[:parts].mean(), first[parts:].mean()], 1e-6)
    np.testing.assert_allclose(norms(run, "grad_norm"), seen.seen, rtol=1e-5)


def test_what_the_trainer_logs(tmp_path: Path) -> None:
    callback = WatchCallback()
    trainer = trainer_of(tmp_path, fresh(), callback, eval_strategy="epoch")
    trainer.train()
    assert callback.run is not None
    scalars = callback.run.recording.scalars
    assert set(scalars) == {"loss", "val_loss", "learning_rate", "grad_norm"}
    history = trainer.state.log_history
    assert scalars["val_loss"].steps.tolist() == [6, 12]
    assert scalars["val_loss"].values.tolist() == [
        e["eval_loss"] for e in history if "eval_loss" in e
    ]
    assert scalars["learning_rate"].steps.tolist() == [2, 4, 6, 8, 10, 12]
    means = np.reshape(scalars["loss"].values, (-1, 2)).mean(axis=1)
    np.testing.assert_allclose(means, [e["loss"] for e in history if "loss" in e], rtol=1e-3)


def test_evaluation_is_no_training(tmp_path: Path) -> None:
    callback = WatchCallback(every=1)
    trainer_of(tmp_path, fresh(), callback, eval_strategy="steps", eval_steps=2).train()
    run = callback.run
    assert run is not None
    assert run.step == len(run.recording) == 12
    (track,) = run.recording.activations.tracks
    assert track.seen == EPOCHS * ROWS


@pytest.mark.parametrize(
    "options", [{}, {"gradient_accumulation_steps": 2}, {"max_grad_norm": 1.0}]
)
def test_bit_identical_with_and_without(tmp_path: Path, options: dict[str, Any]) -> None:
    ends = []
    for callbacks in ([], [WatchCallback(every=1)]):
        model = fresh()
        trainer = trainer_of(tmp_path, model, *callbacks, **options)
        trainer.train()
        ends.append({**model.state_dict(), "rng": torch.get_rng_state()})
        assert not callbacks or callbacks[0].run.step > 0
    assert "training_step" not in vars(trainer)
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_closes_the_run(tmp_path: Path, error: type[BaseException]) -> None:
    callback, model = WatchCallback(every=1), Net(fail_at=5, error=error)
    hooks = len(_global_optimizer_pre_hooks)
    trainer = trainer_of(tmp_path, model, callback)
    with pytest.raises(error, match="stop"):
        trainer.train()
    assert callback.run is not None
    assert (callback.run.state, callback.run.step) == ("done", 5)
    assert len(_global_optimizer_pre_hooks) == hooks
    assert "training_step" not in vars(trainer)


def test_a_callback_that_was_added_later(tmp_path: Path) -> None:
    callback, model = WatchCallback(every=1), fresh()
    trainer = trainer_of(tmp_path, model)
    trainer.add_callback(callback)
    trainer.train()
    assert callback.run is not None
    np.testing.assert_allclose(callback.run.recording.scalars["loss"].values, model.losses, 1e-6)


def test_a_second_training_is_a_second_run(tmp_path: Path) -> None:
    callback = WatchCallback()
    trainer = trainer_of(tmp_path, fresh(), callback)
    trainer.train()
    first = callback.run
    trainer.train()
    assert first is not None
    assert callback.run is not None
    assert first is not callback.run
    assert first.step == callback.run.step == 12


def test_a_language_model_counts_tokens_and_not_batches(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = GPT2Config(n_layer=2, n_head=2, n_embd=8, vocab_size=20, n_positions=16)
    model = GPT2LMHeadModel(config)
    random = np.random.default_rng(0)
    rows = [
        {"input_ids": random.integers(0, 20, 12), "labels": random.integers(0, 20, 12)}
        for _ in range(24)
    ]
    for row in rows[::3]:
        row["labels"][3:] = -100  # not counted
    callback, seen = WatchCallback(every=1), Norms()
    trainer = trainer_of(tmp_path, model, callback, seen, gradient_accumulation_steps=3,
                         per_device_train_batch_size=4, logging_steps=1)  # fmt: skip
    trainer.train_dataset = rows
    trainer.train()
    run = callback.run
    assert run is not None
    assert run.step == trainer.state.global_step == 4
    np.testing.assert_allclose(norms(run, "grad_norm"), seen.seen, rtol=1e-4)
    logged = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    np.testing.assert_allclose(run.recording.scalars["loss"].values, logged, rtol=1e-3)


def test_options_are_those_of_watch() -> None:
    with pytest.raises(TypeError, match=r"takes no 'evry'"):
        WatchCallback(evry=3)


def test_an_error_of_ours_does_not_reach_the_training(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(**numbers: Any) -> None:
        raise ArithmeticError("number lost")

    callback, model = WatchCallback(), fresh()
    trainer = trainer_of(tmp_path, model, callback)

    class Breaker(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == 3:
                monkeypatch.setattr(callback.run, "log", broken)

    trainer.add_callback(Breaker())
    trainer.train()
    assert trainer.state.global_step == 12
    assert callback.run is not None
    assert [(f.probe, f.reason, f.step) for f in callback.run.failures] == [
        ("callback", "ArithmeticError: number lost", 4)
    ]
    assert callback.run.step == 12
