from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from nbdiag.widgets import base
from nbdiag.widgets.base import Instrument, Reply


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


def test_a_busy_cell_defers_what_touches_the_model(connect: Any) -> None:
    browser = connect(Patient())
    request = {"kind": "request", "id": "a", "name": "double", "args": {"value": 1}}
    from_another_thread(lambda: browser.widget._handle_custom_msg(request, []))
    assert [message["kind"] for message in browser.sent] == ["deferred"]
    base._cell_ended()
    assert [message["kind"] for message in browser.sent] == ["deferred", "reply"]
    assert browser.sent[1]["result"] == {"value": 2, "thread": "MainThread"}
    base._cell_ended()
    assert len(browser.sent) == 2


def test_a_busy_cell_defers_nothing_else(connect: Any) -> None:
    browser = connect(Probe())
    request = {"kind": "request", "id": "a", "name": "double", "args": {"value": 1}}
    from_another_thread(lambda: browser.widget._handle_custom_msg(request, []))
    assert [message["kind"] for message in browser.sent] == ["reply"]


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


def test_cell_end_is_heard_once_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    class Events:
        registered: list[str]

        def __init__(self) -> None:
            self.registered = []

        def register(self, name: str, callback: Callable[..., None]) -> None:
            self.registered.append(name)

    class Shell:
        def __init__(self) -> None:
            self.events = Events()

    shell = Shell()

    class IPython:
        @staticmethod
        def get_ipython() -> Shell:
            return shell

    monkeypatch.setitem(sys.modules, "IPython", IPython)  # type: ignore[arg-type]
    _ = Probe(), Probe()
    assert shell.events.registered == ["post_run_cell"]
