"""In real trainings: what Lightning does around a step must come out right."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from typing import Any

import lightning.pytorch as new_name
import numpy as np
import pytest
import pytorch_lightning as old_name
import torch
from torch import Tensor, nn
from torch.optim.optimizer import _global_optimizer_pre_hooks
from torch.utils.data import DataLoader, TensorDataset

from nbdiag.integrations.lightning import WatchCallback

BATCHES, EPOCHS = 6, 2


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    for name in ("lightning.pytorch", "pytorch_lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def module_of(package: Any) -> type[Any]:
    class Net(package.LightningModule):
        """Notes by itself what happens in each step."""

        def __init__(self, fail_at: int = -1, error: type[BaseException] = ValueError) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.2), nn.ReLU(), nn.Linear(6, 1))
            self.fail_at, self.error = fail_at, error
            self.losses: list[float] = []
            self.val_losses: list[float] = []
            self.norms: list[float] = []

        def training_step(self, batch: Any, index: int) -> Tensor:
            if len(self.losses) == self.fail_at:
                raise self.error("stop")
            loss = (self.net(batch[0]) - batch[1]).square().mean() * 10
            self.losses.append(loss.item())
            self.log("train_loss", loss)
            self.log("spread", loss.detach() * 2, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, index: int) -> None:
            loss = (self.net(batch[0]) - batch[1]).square().mean()
            self.val_losses.append(loss.item())
            self.log("val_loss", loss)
            self.log("ones", 1.0)

        def on_train_epoch_end(self) -> None:
            self.log("epoch_mean", float(np.mean(self.losses)))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.002)

        def configure_gradient_clipping(self, optimizer: Any, *args: Any, **kwargs: Any) -> None:
            grads = [p.grad for p in self.parameters()]
            before = torch.stack([g.norm() for g in grads]).norm().item()
            super().configure_gradient_clipping(optimizer, *args, **kwargs)
            after = torch.stack([g.norm() for g in grads]).norm().item()
            self.norms.append((before, after))

    return Net


def loader() -> DataLoader[Any]:
    x = torch.randn(BATCHES * 8, 4, generator=torch.Generator().manual_seed(3))
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8, shuffle=True)


def fit(callback: Any, package: Any = new_name, model: Any = None, **options: Any) -> Any:
    torch.manual_seed(0)
    model = module_of(package)() if model is None else model
    trainer = package.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
        callbacks=[] if callback is None else [callback], **options,
    )  # fmt: skip
    trainer.fit(model, loader(), loader())
    return model


def norms(run: Any, name: str) -> np.ndarray[Any, Any]:
    """Over all parameters, at each step."""
    return np.sqrt((run.recording.parameter_stat(name) ** 2).sum(axis=1))


@pytest.mark.parametrize("package", [new_name, old_name], ids=["lightning", "pytorch_lightning"])
def test_each_step_with_its_loss_and_its_clipping(package: Any) -> None:
    callback = WatchCallback(every=1)
    model = fit(callback, package, gradient_clip_val=0.5)
    run = callback.run
    assert run is not None
    assert (run.name, run.state, run.failures) == ("Net", "done", ())
    assert run.recording.steps.tolist() == list(range(1, EPOCHS * BATCHES + 1))
    assert [layer.name for layer in run.recording.layers] == ["net.0", "net.3"]
    loss = run.recording.scalars["loss"]
    assert loss.steps.tolist() == list(range(1, EPOCHS * BATCHES + 1))
    np.testing.assert_allclose(loss.values, model.losses, rtol=1e-6)
    before, after = np.array(model.norms).T
    assert (before > 0.5).all()
    np.testing.assert_allclose(norms(run, "grad_norm_raw"), before, rtol=1e-5)
    np.testing.assert_allclose(norms(run, "grad_norm"), after, rtol=1e-5)


def test_accumulated_batches_are_one_step() -> None:
    callback = WatchCallback(every=1)
    model = fit(callback, accumulate_grad_batches=3)
    run = callback.run
    assert run is not None
    assert run.step == len(run.recording) == EPOCHS * BATCHES // 3
    loss = run.recording.scalars["loss"]
    assert loss.steps.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(loss.values, np.reshape(model.losses, (-1, 3)).mean(1), rtol=1e-6)
    np.testing.assert_allclose(norms(run, "grad_norm"), [n for n, _ in model.norms], rtol=1e-5)


def test_what_the_module_logs() -> None:
    callback = WatchCallback()
    model = fit(callback)
    run = callback.run
    assert run is not None
    scalars = run.recording.scalars
    names = {"loss", "val_loss", "ones", "spread_step", "spread_epoch", "epoch_mean"}
    assert set(scalars) == names  # "train_loss" was logged for each step: it is "loss"
    # The sanity check before the training is not among them.
    val = np.array(model.val_losses)[2:].reshape(EPOCHS, BATCHES).mean(axis=1)
    assert scalars["val_loss"].steps.tolist() == [BATCHES, 2 * BATCHES]
    np.testing.assert_allclose(scalars["val_loss"].values, val, rtol=1e-6)
    assert scalars["ones"].values.tolist() == [1.0, 1.0]
    assert scalars["epoch_mean"].steps.tolist() == [BATCHES, 2 * BATCHES]
    assert scalars["spread_step"].steps.tolist() == list(range(1, 2 * BATCHES + 1))
    np.testing.assert_allclose(
        scalars["spread_epoch"].values,
        np.reshape(model.losses, (EPOCHS, BATCHES)).mean(axis=1) * 2,
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        scalars["epoch_mean"].values,
        [np.mean(model.losses[:BATCHES]), np.mean(model.losses)],
        rtol=1e-6,
    )


def test_losses_of_an_epoch_get_their_reserved_names() -> None:
    model = module_of(new_name)()
    step = model.training_step

    def training_step(batch: Any, batch_idx: int) -> Tensor:
        loss = step(batch, batch_idx)
        model.log("train/loss_of", loss, on_step=False, on_epoch=True)
        model.log("train/loss", loss, on_step=False, on_epoch=True)
        return loss

    model.training_step = training_step
    callback = WatchCallback()
    fit(callback, model=model)
    assert callback.run is not None
    scalars = callback.run.recording.scalars
    mean = np.reshape(model.losses, (EPOCHS, BATCHES)).mean(axis=1)
    assert scalars["train_loss"].steps.tolist() == [BATCHES, 2 * BATCHES]
    np.testing.assert_allclose(scalars["train_loss"].values, mean, rtol=1e-6)
    np.testing.assert_allclose(scalars["train/loss_of"].values, mean, rtol=1e-6)


def test_the_last_step_of_an_epoch_may_accumulate_less() -> None:
    callback = WatchCallback(every=1)
    model = fit(callback, accumulate_grad_batches=4)  # 6 batches: 4 and 2
    assert callback.run is not None
    first = model.losses[:BATCHES]
    loss = callback.run.recording.scalars["loss"]
    assert callback.run.step == 4
    np.testing.assert_allclose(loss.values[:2], [np.mean(first[:4]), np.mean(first[4:])], rtol=1e-6)


def test_validation_is_no_training() -> None:
    callback = WatchCallback(every=1)
    fit(callback, val_check_interval=2)
    run = callback.run
    assert run is not None
    assert run.step == len(run.recording) == EPOCHS * BATCHES
    assert len(run.recording.scalars["loss"].steps) == EPOCHS * BATCHES
    assert run.recording.scalars["val_loss"].steps.tolist() == [2, 4, 6, 8, 10, 12]
    (track,) = run.recording.activations.tracks
    assert track.seen == 8 * EPOCHS * BATCHES


@pytest.mark.parametrize(
    "options", [{}, {"accumulate_grad_batches": 2}, {"gradient_clip_val": 0.1}]
)
def test_bit_identical_with_and_without(options: dict[str, Any]) -> None:
    ends = []
    for callback in (None, WatchCallback(every=1)):
        model = fit(callback, **options)
        ends.append({**model.state_dict(), "rng": torch.get_rng_state()})
        assert callback is None or callback.run.step > 0
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


def test_an_error_closes_the_run() -> None:
    callback = WatchCallback(every=1)
    model = module_of(new_name)(fail_at=5)
    hooks = len(_global_optimizer_pre_hooks)
    with pytest.raises(ValueError, match="stop"):
        fit(callback, model=model)
    assert callback.run is not None
    assert (callback.run.state, callback.run.step) == ("done", 6)
    assert len(_global_optimizer_pre_hooks) == hooks
    assert not model.net._forward_hooks


def test_an_interrupt_closes_the_run() -> None:
    callback = WatchCallback(every=1)
    # Lightning shuts down and leaves.
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fit(callback, model=module_of(new_name)(fail_at=5, error=KeyboardInterrupt))
    assert callback.run is not None
    assert callback.run.state == "done"


def test_a_second_fit_is_a_second_run() -> None:
    callback = WatchCallback()
    fit(callback)
    first = callback.run
    fit(callback)
    assert first is not None
    assert callback.run is not None
    assert first is not callback.run
    assert first.step == callback.run.step == EPOCHS * BATCHES


def test_a_loss_function_that_is_heard_is_not_counted_twice() -> None:
    model = module_of(new_name)()
    model.loss_fn = nn.MSELoss()

    def training_step(batch: Any, batch_idx: int) -> Tensor:
        return model.loss_fn(model.net(batch[0]), batch[1])

    model.training_step = training_step
    callback = WatchCallback(loss_fn=model.loss_fn)
    fit(callback, model=model)
    assert callback.run is not None
    assert len(callback.run.recording.scalars["loss"].steps) == EPOCHS * BATCHES


def test_options_are_those_of_watch() -> None:
    with pytest.raises(TypeError, match=r"takes no 'evry'; a callback takes: loss_fn, every"):
        WatchCallback(evry=3)
    with pytest.raises(TypeError, match="takes the optimizer from the trainer"):
        WatchCallback(optimizer=None)
    callback = WatchCallback(every=4, name="mine", config={"lr": 0.05})
    fit(callback)
    assert callback.run is not None
    assert (callback.run.name, callback.run.config) == ("mine", {"lr": 0.05})
    assert callback.run.recording.steps.tolist() == [1, 5, 9]


def test_an_error_of_ours_does_not_reach_the_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(**numbers: Any) -> None:
        raise ArithmeticError("number lost")

    callback = WatchCallback()
    model = module_of(new_name)()
    step = model.training_step

    def training_step(batch: Any, batch_idx: int) -> Tensor:
        if len(model.losses) == 3:
            monkeypatch.setattr(callback.run, "log", broken)
        return step(batch, batch_idx)

    model.training_step = training_step
    fit(callback, model=model)
    assert len(model.losses) == EPOCHS * BATCHES
    assert callback.run is not None
    assert [(f.probe, f.reason, f.step) for f in callback.run.failures] == [
        ("callback", "ArithmeticError: number lost", 4)
    ]
    assert callback.run.step == 12
