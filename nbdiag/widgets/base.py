"""What all widgets share: strict construction, requests with one reply each, a saved picture."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets

from nbdiag.widgets.notebook import notebook
from nbdiag.wire.arrays import lift_buffers

STATIC = Path(__file__).parent.parent / "static"
Reply = Callable[[dict[str, Any]], None]
Handler = Callable[[dict[str, Any], Reply], None]


def bundle(name: str) -> str:
    """The text of a built front-end file.

    Raises
    ------
    FileNotFoundError : when the front end has not been built.
    """
    path = STATIC / name
    if not path.exists():
        raise FileNotFoundError(
            f"the front end of this widget is missing ({path}): in a checkout run `make demo` or "
            "`npm --prefix js run build`"
        )
    return path.read_text(encoding="utf-8")


class Instrument(anywidget.AnyWidget):
    """A widget with one header, findings, and requests from the browser that always get a reply.

    A subclass names its bundle in `stem`, its requests in `handlers`, and says in
    `main_thread_only` whether they touch what belongs to the user (model, data set): such
    requests wait while a cell is running.
    """

    stem: ClassVar[str] = ""
    main_thread_only: ClassVar[bool] = False

    info = traitlets.Dict().tag(sync=True)
    findings: traitlets.List[Any] = traitlets.List().tag(sync=True)
    failures: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        unknown = sorted(set(traits) - set(self.trait_names()))
        if unknown:  # ipywidgets would only warn
            raise TypeError(f"{type(self).__name__} has no option {unknown[0]!r}")
        self._esm = bundle(f"{self.stem}.js")
        self._css = bundle(f"{self.stem}.css")
        super().__init__(**traits)
        _answer_during_a_busy_cell(self)
        self.on_msg(self._on_message)
        notebook.join(self)

    def handlers(self) -> dict[str, Handler]:
        """Request name -> function of the arguments and of `reply`, to be called exactly once."""
        return {}

    def cell_ended(self) -> None:
        """Called in the main thread after each notebook cell."""

    def close(self) -> None:
        notebook.leave(self)
        super().close()

    def picture(self) -> bytes:
        """PNG of what the widget shows, for where there is no kernel or no widget manager."""
        raise NotImplementedError

    def summary(self) -> str:
        """The findings and the numbers that are the same on every machine, as plain text."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.summary()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        answer = super()._repr_mimebundle_(**kwargs)
        if answer is None:
            return None
        data, metadata = answer if isinstance(answer, tuple) else (answer, {})
        data["text/plain"] = self.summary()
        data["image/png"] = base64.b64encode(self.picture()).decode("ascii")
        return data, metadata

    def post(self, **content: Any) -> None:
        """Send a message; arrays and pictures in it travel as binary buffers."""
        lifted, buffers = lift_buffers(content)
        self.send(lifted, buffers)

    def _on_message(self, _: Any, content: Any, buffers: Any) -> None:
        if not isinstance(content, dict) or content.get("kind") != "request":
            return
        if not self.main_thread_only:
            self._answer(content)
            return
        if notebook.running:
            reason = "takes effect when the cell ends"
            self.post(kind="deferred", id=content.get("id"), reason=reason)
        notebook.in_main_thread(lambda: self._answer(content))

    def _answer(self, request: dict[str, Any]) -> None:
        name, key = request.get("name"), request.get("id")
        handler = self.handlers().get(str(name))

        def reply(result: dict[str, Any]) -> None:
            self.post(kind="reply", id=key, ok=True, result=result)

        try:
            if handler is None:
                raise ValueError(f"{type(self).__name__} knows no request {name!r}")
            handler(request.get("args") or {}, reply)
        except Exception as error:  # shown in the widget: a callback's traceback would be lost
            message = f"{type(error).__name__}: {error}"
            self.post(kind="reply", id=key, ok=False, error=message)


def _answer_during_a_busy_cell(widget: anywidget.AnyWidget) -> None:
    # ipykernel 7.4 sends a comm's messages to the loop that last published on it, which is the
    # busy main loop for a widget made or fed by the running cell; without this route they go to
    # the subshell that JupyterLab asked for. Harmless where the attribute does not exist.
    comm = getattr(widget, "comm", None)
    if comm is not None and hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = None
