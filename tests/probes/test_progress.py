"""The progress line: live in a notebook, and the same text in every saved one."""

from __future__ import annotations

import io
import sys

import pytest
import torch
from nbformat.v4 import new_output
from nbval.plugin import coalesce_streams
from torch import nn

from nbdiag.probes import progress as module
from nbdiag.probes.predict import predict
from nbdiag.probes.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class NotebookStream(io.StringIO):
    """Looks like ipykernel's stream, which is asked for by the name of its module."""


NotebookStream.__module__ = "ipykernel.iostream"


def count(samples: int, batch: int, show: bool = True) -> None:
    with Progress("predicting", "predicted", samples, show) as line:
        for start in range(0, samples, batch):
            line.add(min(batch, samples - start))


@pytest.fixture
def every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PER_SECOND", 1e9)


def test_a_notebook_keeps_one_stable_sentence(
    monkeypatch: pytest.MonkeyPatch, every_update: None
) -> None:
    texts = []
    for batch in (30, 100):  # as fast and slow machines show different updates
        out = NotebookStream()
        monkeypatch.setattr(sys, "stdout", out)
        count(1000, batch)
        monkeypatch.undo()
        assert "█" in out.getvalue()
        (left,) = coalesce_streams([new_output("stream", name="stdout", text=out.getvalue())])
        texts.append(left.text)
    assert texts == ["predicted 1000 samples\n"] * 2


def test_a_terminal_is_left_clean(monkeypatch: pytest.MonkeyPatch, every_update: None) -> None:
    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    count(100, 10)
    text = err.getvalue()
    assert "predicting ████████████░░░░░░░░░░░░ 50/100" in text
    last = text.rsplit("\r", 2)
    assert last[1].strip() == last[2] == ""
    assert len(last[1]) >= len("predicting " + "█" * 24 + " 100/100")


def test_silent_in_a_file_and_when_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    count(100, 10)
    monkeypatch.setattr(sys, "stderr", Terminal())
    count(100, 10, show=False)
    assert sys.stderr.getvalue() == ""
    assert capsys.readouterr() == ("", "")


def test_what_was_reached_stays_after_an_error(
    monkeypatch: pytest.MonkeyPatch, every_update: None
) -> None:
    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    with pytest.raises(KeyError), Progress("predicting", "predicted", 8, True) as line:  # noqa: PT012
        line.add(2)
        raise KeyError
    assert err.getvalue().endswith("2/8\n")


def test_updates_are_rationed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    with Progress("predicting", "predicted", None, True) as line:
        for _ in range(1000):
            line.add(1)
            now[0] += 0.001  # a second in all
        updates = err.getvalue().count("predicting")
    assert 9 <= updates <= 11
    assert "samples" in err.getvalue()


def test_predict_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    out = NotebookStream()
    monkeypatch.setattr(sys, "stdout", out)
    predict(nn.Linear(2, 2), (torch.zeros(130, 2), torch.zeros(130)))
    assert out.getvalue().endswith("\rpredicted 130 samples\n")
