from __future__ import annotations

import sys
import threading
import types
from collections.abc import Callable
from typing import Any

import pytest

from nbdiag.widgets import base
from nbdiag.widgets.base import Instrument, Reply
from nbdiag.widgets.notebook import Notebook


class Probe(Instrument):
    stem = "gradient_flow"

    def handlers(self) -> dict[str, Any]:
        def double(args: dict[str, Any], reply: Reply) -> None:
            reply({"value": 2 * args["value"], "thread": threading.current_thread().name})

        def fail(args: dict[str, Any], reply: Reply) -> None:
            raise ZeroDivisionError("the probe broke")

        return {"double": double, "fail": fail}

    def picture(self) -> bytes:
        return b"png"

    def summary(self) -> str:
        return "Probe\nno findings"


class Patient(Probe):
    main_thread_only = True


def from_another_thread(action: Callable[[], object]) -> None:
    thread = threading.Thread(target=action)
    thread.start()
    thread.join()


class Shell:
    """As much of IPython's shell and its kernel as widgets touch."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.callbacks: dict[str, list[Callable[..., None]]] = {}
        self.events = self.kernel = self.io_loop = self

    def register(self, name: str, callback: Callable[..., None]) -> None:
        self.callbacks.setdefault(name, []).append(callback)

    def add_callback(self, action: Callable[[], None]) -> None:
        self.waiting.append(action)

    def begin_cell(self) -> None:
        for callback in self.callbacks["pre_run_cell"]:
            callback()

    def end_cell(self) -> None:
        for callback in self.callbacks["post_run_cell"]:
            callback()
        self.turn()

    def turn(self) -> None:
        """What the main thread does when no cell occupies it."""
        while self.waiting:
            self.waiting.pop(0)()


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A notebook in which one cell has made a widget and ended."""
    fake = Shell()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: fake))
    monkeypatch.setattr(base, "notebook", Notebook())
    return fake


def test_unknown_option_is_an_error() -> None:
    with pytest.raises(TypeError, match="Probe has no option 'colour'"):
        Probe(colour="red")


def test_missing_bundle_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Probe, "stem", "not_built")
    with pytest.raises(FileNotFoundError, match="make demo"):
        Probe()


def test_each_request_gets_one_reply(connect: Any) -> None:
    browser = connect(Probe())
    assert browser.ask("double", value=21)["result"]["value"] == 42
    failed = browser.ask("fail")
    assert (failed["ok"], failed["error"]) == (False, "ZeroDivisionError: the probe broke")
    assert browser.ask("nonsense")["error"] == "ValueError: Probe knows no request 'nonsense'"
    assert browser.ask("double")["error"] == "KeyError: 'value'"
    assert len(browser.sent) == 4


@pytest.mark.parametrize("noise", [None, "text", {"kind": "other"}, {}])
def test_other_messages_are_left_alone(connect: Any, noise: Any) -> None:
    browser = connect(Probe())
    browser.widget._handle_custom_msg(noise, [])
    assert browser.sent == []


def ask_from_a_subshell(browser: Any) -> None:
    request = {"kind": "request", "id": "a", "name": "double", "args": {"value": 1}}
    from_another_thread(lambda: browser.widget._handle_custom_msg(request, []))


def test_a_busy_cell_defers_what_touches_the_model(shell: Shell, connect: Any) -> None:
    browser = connect(Patient())
    shell.end_cell()
    shell.begin_cell()
    ask_from_a_subshell(browser)
    assert [message["kind"] for message in browser.sent] == ["deferred"]
    shell.end_cell()
    assert [message["kind"] for message in browser.sent] == ["deferred", "reply"]
    assert browser.sent[1]["result"] == {"value": 2, "thread": "MainThread"}


def test_the_cell_that_makes_the_widget_is_busy_too(shell: Shell, connect: Any) -> None:
    browser = connect(Patient())
    ask_from_a_subshell(browser)
    assert [message["kind"] for message in browser.sent] == ["deferred"]


def test_an_idle_kernel_answers_in_its_main_thread(shell: Shell, connect: Any) -> None:
    browser = connect(Patient())
    shell.end_cell()
    ask_from_a_subshell(browser)
    assert browser.sent == []
    shell.turn()
    assert [message["kind"] for message in browser.sent] == ["reply"]
    assert browser.sent[0]["result"]["thread"] == "MainThread"


def test_a_busy_cell_defers_nothing_else(shell: Shell, connect: Any) -> None:
    browser = connect(Probe())
    ask_from_a_subshell(browser)
    assert [message["kind"] for message in browser.sent] == ["reply"]
    assert browser.sent[0]["result"]["thread"] != "MainThread"


def test_all_widgets_share_one_registration(shell: Shell) -> None:
    heard: list[str] = []

    class Listener(Probe):
        def cell_ended(self) -> None:
            heard.append("ended")

    first, second = Listener(), Listener()
    assert {name: len(calls) for name, calls in shell.callbacks.items()} == {
        "pre_run_cell": 1,
        "post_run_cell": 1,
    }
    shell.end_cell()
    assert heard == ["ended", "ended"]
    first.close()
    shell.end_cell()
    assert len(heard) == 3
    second.close()


def test_one_failing_widget_leaves_the_others_their_cell_end(
    shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    class Failing(Probe):
        def cell_ended(self) -> None:
            heard.append("failing")
            raise RuntimeError("the kernel's socket is gone")

    class Fine(Probe):
        def cell_ended(self) -> None:
            heard.append("fine")

    widgets = Failing(), Fine(), Failing()
    shell.end_cell()
    assert sorted(heard) == ["failing", "failing", "fine"]
    assert caplog.text.count("Failing failed at the end of a cell") == 2
    assert "the kernel's socket is gone" in caplog.text
    for widget in widgets:
        widget.close()


def test_mimebundle_carries_picture_and_text() -> None:
    data, _ = Probe()._repr_mimebundle_()
    assert data["text/plain"] == "Probe\nno findings"
    assert data["image/png"] == "cG5n"
    assert "application/vnd.jupyter.widget-view+json" in data


def test_comm_is_routed_to_the_loop_that_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Comm:
        _reply_subshell_for = "last publisher"

    class Plain:
        __slots__ = ()

    class Widget:
        comm: Any = Comm()

    base._answer_during_a_busy_cell(Widget())  # type: ignore[arg-type]
    assert Widget.comm._reply_subshell_for is None
    for comm in (Plain(), None):
        Widget.comm = comm
        base._answer_during_a_busy_cell(Widget())  # type: ignore[arg-type]
