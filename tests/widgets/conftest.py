"""Widgets without a browser: what they would send is kept in a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nbdiag.widgets.base import Instrument


class Browser:
    """The other end of one widget's comm."""

    def __init__(self, widget: Instrument, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = widget
        self.sent: list[dict[str, Any]] = []
        self.buffers: list[list[bytes]] = []
        monkeypatch.setattr(widget, "send", self._receive)

    def _receive(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self.sent.append(content)
        self.buffers.append(list(buffers or []))

    def ask(self, name: str, **args: Any) -> dict[str, Any]:
        """Send a request; its reply, of which there must be exactly one."""
        key = f"request-{len(self.sent)}"
        request = {"kind": "request", "id": key, "name": name, "args": args}
        self.widget._handle_custom_msg(request, [])
        (reply,) = [message for message in self.sent if message.get("id") == key]
        return reply

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.sent if message["kind"] == kind]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[Instrument], Browser]:
    return lambda widget: Browser(widget, monkeypatch)
