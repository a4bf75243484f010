"""A recording on its way to the disk, as it grows."""

from __future__ import annotations

import atexit
import itertools
import os
import socket
import threading
import time
import warnings
import weakref
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nbdiag.measures.recording import Op, Recording
from nbdiag.measures.run import Run
from nbdiag.tracking import records
from nbdiag.tracking.batch import pack
from nbdiag.tracking.board import Board, Timed
from nbdiag.tracking.layout import describe_layout, describe_run, describe_state
from nbdiag.tracking.plain import SUFFIX

PERIOD = 0.4
BEAT = 1.0
"""While nothing is to be written the file is touched so often, in seconds: a reader that sees
this knows that a long step is no end."""
WAITING_AT_MOST = 256 * 2**20
_JOIN_SECONDS = 30.0
_PROBE = "log_dir"
_WIDE = ("row", "histogram")
_numbers = itertools.count()
_writing: weakref.WeakSet[Writer] = weakref.WeakSet()


def attach(run: Run, log_dir: str | Path) -> Writer:
    """Write everything that `run` records to a new event file in `log_dir`, until `close()`.

    To be called before anything is recorded. A thread writes, at least every half second; the
    training waits for no disk. A run without a name of its own takes the folder's. An error of the
    disk ends the writing, is kept in ``run.failures``, and never reaches the training.

    Where the folder holds runs already, a warning says so: each keeps its own file, the newest is
    what ``nd.GradientFlow(log_dir)`` and TensorBoard show, `nd.runs` gives all of them.

    Raises
    ------
    NotADirectoryError : when `log_dir`, or a part of it, is a file.
    ValueError : when the run has recorded something already.
    """
    folder = Path(log_dir).expanduser()
    for part in (folder, *folder.parents):
        if part.exists() and not part.is_dir():
            raise NotADirectoryError(
                f"log_dir {str(log_dir)!r}: {str(part)!r} is a file; give a folder, new or not"
            )
    recording = run.recording
    if len(recording) or recording.scalars:
        raise ValueError("attach() before the first step: what came earlier would be missing")
    if run.name == run.model_name and folder.resolve().name:
        run.name = folder.resolve().name
    return Writer(run, recording, folder)


def journals(folder: Path) -> list[Path]:
    """Event files of nbdiag in a folder, oldest first."""
    return sorted(folder.glob(f"events.out.tfevents.*{SUFFIX}"))


class Writer:
    """The handle of one run that is being written; `attach` makes it."""

    def __init__(self, run: Run, recording: Recording, folder: Path) -> None:
        self.path: Path | None = None
        """The event file; None when it could not be made."""
        self._run, self._recording = run, recording
        self._process = os.getpid()
        self._ops: deque[Timed] = deque()
        self._waiting = 0
        self._too_slow = False
        self._board = Board()
        self._columns: tuple[Any, ...] = ()
        self._state: dict[str, Any] = {}
        self._touched = 0.0
        self._file = -1
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        try:
            self._open(folder)
        except OSError as error:
            self._fail(error)
            warnings.warn(
                f"log_dir {str(folder)!r} cannot be written, this run is not kept: {error}",
                stacklevel=4,
            )
            return
        for track in recording.activations.tracks:
            self._journal({"op": "track", "info": asdict(track.info)})
        recording.journal = self._journal
        self._thread = threading.Thread(target=self._work, name="nbdiag-log", daemon=True)
        self._thread.start()
        _writing.add(self)

    def close(self) -> None:
        """Write what is left, say that the run is over, and end the thread. Again: nothing."""
        if os.getpid() != self._process:
            return  # a copy in a forked worker: the file is not its own
        self._stop.set()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        thread.join(_JOIN_SECONDS)
        if thread.is_alive():
            self._run.note_failure(_PROBE, f"the disk did not answer for {_JOIN_SECONDS:.0f} s")
        self._thread = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # In the training thread --------------------------------------------------------------------

    def _journal(self, op: Op) -> None:
        if os.getpid() != self._process:
            return
        # Copies: whoever measured may use the arrays again before they are written.
        size = 64
        kept = {}
        for key, value in op.items():
            if isinstance(value, np.ndarray):
                value = value.copy()
                size += value.nbytes
            kept[key] = value
        if self._waiting > WAITING_AT_MOST:
            self._too_slow = True
            return
        self._waiting += size
        self._ops.append((time.time(), kept))

    # In the writer thread ----------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while not self._stop.wait(PERIOD) and not self._run.closed:
                self._write()
            self._write(last=True)
        except Exception as error:
            self._fail(error)
        finally:
            self._recording.journal = None
            self._ops.clear()
            os.close(self._file)

    def _fail(self, error: Exception) -> None:
        self._run.note_failure(_PROBE, error)

    def _open(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = journals(folder)
        now = time.time()
        name = f"{int(now):010d}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}{SUFFIX}"
        self.path = (folder / f"events.out.tfevents.{name}").absolute()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._file = os.open(self.path, flags, 0o644)
        self._columns = self._recording.parameters, self._recording.layers
        self._state = describe_state(self._run)
        meta = {
            "run": describe_run(self._run, self._recording),
            "layout": describe_layout(self._run, self._recording),
            "state": self._state,
        }
        head = records.opening(now, restart=bool(earlier)) + records.blob(now, 0, pack(meta, []))
        try:
            self._put(head)
        except OSError:
            os.close(self._file)
            raise
        if earlier:
            count = "a run" if len(earlier) == 1 else f"{len(earlier)} runs"
            warnings.warn(
                f"{str(folder)!r} holds {count} already; this one goes to a file of its own beside "
                "it and is the one that widgets and TensorBoard show from now on; "
                "nd.runs() gives all of them",
                stacklevel=5,
            )

    def _write(self, *, last: bool = False) -> None:
        recording = self._run.recording  # fetches what waits on an accelerator
        recording.version  # noqa: B018 - so do the logged tensors
        ops = list(self._drain())
        meta: dict[str, Any] = {}
        # The columns stand once there is a row; before, the training may be amid arranging them.
        columns = recording.parameters, recording.layers
        if columns != self._columns and any(op["op"] in _WIDE for _, op in ops):
            self._columns = columns
            meta["layout"] = describe_layout(self._run, recording)
        state = describe_state(self._run)
        if last:
            meta["closed"] = True
        if state != self._state or last:
            self._state = meta["state"] = state
        if self._too_slow:
            raise OSError(f"the disk is too slow: {WAITING_AT_MOST / 2**20:.0f} MiB waited for it")
        now = time.time()
        if ops or meta:
            content = pack(meta, [op for _, op in ops])
            # Ours last: when a reader sees the rows, TensorBoard's points are there as well.
            shown = self._board.records(recording, ops)
            self._put(shown + records.blob(now, int(state["step"]), content))
        elif now - self._touched >= BEAT:
            self._beat(now)

    def _drain(self) -> Iterator[Timed]:
        for _ in range(len(self._ops)):
            yield self._ops.popleft()
        self._waiting = 0

    def _put(self, data: bytes) -> None:
        self._check()
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self._touched = time.time()

    def _beat(self, now: float) -> None:
        self._check()
        os.utime(self._file if os.utime in os.supports_fd else str(self.path))
        self._touched = now

    def _check(self) -> None:
        if os.fstat(self._file).st_nlink == 0:  # writing on would fill a file without a name
            raise FileNotFoundError(f"{self.path} was deleted while it was being written")


@atexit.register
def _at_exit() -> None:
    """A script that ends without `close()` has been recorded to its end all the same."""
    for writer in list(_writing):
        writer.close()
