"""TensorBoard folders that nbdiag did not write."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from nbdiag.tracking.names import Names
from nbdiag.tracking.reader import open_run, runs


@pytest.mark.parametrize(
    ("counts", "names"),
    [
        ({"loss": 90}, {"loss": "loss"}),
        ({"Loss/train": 90, "Loss/val": 9}, {"Loss/train": "loss", "Loss/val": "val_loss"}),
        ({"Loss/train": 9, "Loss/val": 9}, {"Loss/train": "train_loss", "Loss/val": "val_loss"}),
        ({"train/loss": 50, "eval/loss": 5}, {"train/loss": "loss", "eval/loss": "val_loss"}),
        ({"train_loss": 5, "val_loss": 5}, {"train_loss": "train_loss", "val_loss": "val_loss"}),
        (
            {"train_loss_step": 90, "train_loss_epoch": 9, "val_loss": 9},
            {"train_loss_step": "loss", "train_loss_epoch": "train_loss", "val_loss": "val_loss"},
        ),
        ({"training_loss": 3, "test_loss": 1}, {"training_loss": "loss", "test_loss": "val_loss"}),
        ({"val_loss": 5, "test_loss": 1}, {"val_loss": "val_loss", "test_loss": "test_loss"}),
        ({"epoch_loss": 7}, {"epoch_loss": "train_loss"}),
        ({"loss/discriminator": 9}, {"loss/discriminator": "loss/discriminator"}),
        ({"lossless": 9, "lr": 3}, {"lossless": "lossless", "lr": "lr"}),
        ({"loss": 9, "train/loss": 5}, {"loss": "loss", "train/loss": "train/loss"}),
    ],
)
def test_names_of_losses(counts: dict[str, int], names: dict[str, str]) -> None:
    known = Names()
    known.learn(counts)
    assert {tag: known[tag] for tag in counts} == names


def test_a_name_stays_what_it_was() -> None:
    names = Names()
    names.learn({"loss": 3})
    names.learn({"loss": 90, "val_loss": 30, "train_loss": 30})
    assert [names[tag] for tag in ("loss", "val_loss", "train_loss")] == [
        "loss", "val_loss", "train_loss",
    ]  # fmt: skip


def test_scalars_are_there_and_the_rest_is_said_to_be_missing(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path / "old")) as writer:
        for step in range(1, 31):
            writer.add_scalar("Loss/train", 1 / step, step)
            writer.add_scalar("new", step, step, new_style=True)
        writer.add_scalar("Loss/val", float("nan"), 30)
        writer.add_text("notes", "hello")
    run = open_run(tmp_path / "old")
    scalars = run.recording.scalars
    assert set(scalars) == {"loss", "new", "val_loss"}
    assert scalars["loss"].steps.tolist() == list(range(1, 31))
    assert scalars["loss"].values[3] == 0.25
    assert scalars["new"].values[-1] == 30.0
    assert repr(scalars["val_loss"].values.tolist()) == "[nan]"
    assert (run.name, run.step, run.state) == ("old", 30, "live")
    (failure,) = run.failures
    assert failure.reason.startswith("nbdiag did not write this folder: its scalars are here")
    assert run.recording.layers == ()
    assert run.recording.stat("grad_norm").shape == (0, 0)
    assert run.recording.sketch().status.shape == (0, 0)
    assert open_run(tmp_path / "old") is run


def test_it_is_followed(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 1.0, 1)
        writer.flush()
        run = open_run(tmp_path)
        assert run.step == 1
        writer.add_scalar("loss", 0.5, 2)
        writer.flush()
        run._looked_at = float("-inf")
        assert (run.step, run.recording.scalars["loss"].values.tolist()) == (2, [1.0, 0.5])


def test_folders_that_belong_to_one_training(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path / "a")) as writer:
        writer.add_scalar("lr", 0.1, 1)
        for step in (1, 2):
            writer.add_scalars("My/Loss", {"train": 1 / step, "val": 2 / step}, step)
        writer.add_hparams({"lr": 0.1}, {"final/accuracy": 0.75})
    with SummaryWriter(str(tmp_path / "a" / "other")) as writer:
        writer.add_scalar("lr", 0.2, 1)
    found = runs(tmp_path)
    assert [run.name for run in found] == ["a", "other"]
    scalars = found[0].recording.scalars
    assert set(scalars) == {"lr", "My/Loss/train", "My/Loss/val", "final/accuracy"}
    assert scalars["My/Loss/val"].values.tolist() == [2.0, 1.0]


def test_a_folder_of_both_is_a_run_of_nbdiag(tmp_path: Path) -> None:
    from nbdiag.tracking.writer import attach
    from tests.tracking.recordings import empty_run, train

    run = empty_run()
    with SummaryWriter(str(tmp_path)) as writer, attach(run, tmp_path):
        writer.add_scalar("loss", 9.0, 1)
        train(run, 5)
    assert open_run(tmp_path).recording.scalars["loss"].values[0] == 1.0
    assert len(runs(tmp_path)) == 1
