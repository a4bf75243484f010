"""One training being watched: its recording, its controls, and what it says about itself."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from nbdiag.measures.failures import ProbeFailure as ProbeFailure
from nbdiag.measures.findings import Finding
from nbdiag.measures.judged import Judged
from nbdiag.measures.listeners import Listener, Listeners
from nbdiag.measures.recording import Codes, Floats, LayerInfo, Recording
from nbdiag.measures.sampler import Every, Sampler, check_every
from nbdiag.measures.scalars import CLOSED

State = Literal["waiting", "live", "paused", "done", "failed"]
Done = Callable[[dict[str, Any]], None]

_IDLE_SECONDS = 2.0
_TIMED, _LOGGING_SECONDS = 32, 2e-5  # to log is timed once in so many steps, and takes no longer


class _Request(NamedTuple):
    name: str
    args: Mapping[str, Any]
    done: Done | None


class Run:
    """One training: what was recorded, how it is sampled, and what is wrong with it.

    `nbdiag.watch` makes it. It is a context manager, and `close()` does the same by hand; it never
    keeps the model alive.

    >>> from nbdiag.measures.recording import LayerInfo
    >>> recording = Recording(["w"], [LayerInfo("fc", "Linear", ("w",), 6, 2)], [0])
    >>> Run("mlp", recording)
    Run 'mlp': 0 optimizer steps, 1 layer, 6 parameters
    waiting for the first optimizer step
    """

    def __init__(
        self,
        name: str,
        recording: Recording,
        *,
        every: Every = "auto",
        budget: float = 0.03,
        config: Mapping[str, Any] | None = None,
        model_name: str = "",
        model_kinds: frozenset[str] = frozenset(),
        on_close: Callable[[], None] = lambda: None,
        collect: Callable[[], None] = lambda: None,
        on_mark: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.config = dict(config or {})
        self.model_name = model_name or name
        self.model_kinds = model_kinds
        """Class names of all modules, those without parameters too."""
        self.sampler = Sampler(every, budget)
        self._recording, self._scalar_log = recording, recording.scalar_log
        self._steady = recording.scalar_log.steady
        self._failures: list[ProbeFailure] = []
        self._on_close, self._collect, self._on_mark = on_close, collect, on_mark
        self.skipped_steps = 0
        """Steps that a fused optimizer left out because the scaled gradients overflowed."""
        self._closed = self._failed = False
        self._lock = threading.RLock()
        self._requests: deque[_Request] = deque()
        self._listeners = Listeners(budget)
        self._unseen = False
        self.look_at: Callable[[Any], None] | None = None
        """A probe that wants to see some of the losses as they are logged."""
        self._thread: threading.Thread | None = None
        self._judged = Judged()
        self._telling = False

    # What it holds -----------------------------------------------------------------------------

    @property
    def recording(self) -> Recording:
        """The norms and scalars so far; samples still on an accelerator are fetched first."""
        self._collect()
        return self._recording

    @property
    def state(self) -> State:
        """One of "waiting" (for the first step), "live", "paused", "done" (closed), "failed"."""
        if self._failed:
            return "failed"
        if self._closed:
            return "done"
        if self.sampler.paused:
            return "paused"
        return "live" if self.step else "waiting"

    @property
    def every(self) -> Every:
        """As asked for: "auto" or a number of steps."""
        return self.sampler.every

    @property
    def stride(self) -> int:
        """In force now: every how many optimizer steps one is sampled."""
        return self.sampler.stride

    @property
    def budget(self) -> float:
        """Share of the training time that "auto" may spend, 0 to 1."""
        return self.sampler.budget

    @property
    def step(self) -> int:
        """Optimizer steps seen, those while paused included."""
        return self.sampler.step

    @property
    def probe_seconds(self) -> float:
        """Time spent in probes and listeners, in seconds, as the training thread felt it."""
        return self.sampler.seconds

    @property
    def probe_share(self) -> float:
        """That time over the rest of the training time, 0 to 1."""
        return self.sampler.share

    controllable = True  # pause, resume and sample_every reach the training

    @property
    def failures(self) -> tuple[ProbeFailure, ...]:
        """Probes that switched themselves off, and why. The training went on without them."""
        return tuple(self._failures)

    def findings(self) -> list[Finding]:
        """What is wrong with this training, most severe first; empty when nothing is.

        A listener that asks while it trains may hear what was found a moment ago.
        """
        from nbdiag.measures import verdict

        judge = partial(verdict.judge_training, recording := self.recording, self.model_kinds)
        lately = self._telling and not self.closed
        return self._judged.findings(recording.version, judge, self.budget, lately=lately)

    def log(self, **scalars: Any) -> None:
        """Record named numbers at the current step.

        `loss` is meant for every step, `train_loss` and `val_loss` for every epoch; any other name
        is yours. Python numbers, numpy scalars and one-element tensors; a tensor is copied where it
        lives and read later, so that logging does not wait for an accelerator.

        Raises
        ------
        ValueError : for an array or tensor of more than one element.
        TypeError : for anything that is not a number.
        """
        # One loss a step, between two kernels, where each call is dear: kept without a further one.
        steady = self._steady
        step = self.sampler.step
        if step == steady.due and len(scalars) == 1:
            for value in scalars.values():
                try:
                    number = value.tolist() if getattr(value, "is_cpu", False) else value
                except RuntimeError:  # no plain tensor: below
                    break
                if type(number) is float and steady.key in scalars:
                    steady.values.append(number)
                    steady.due = step + 1 if step % _TIMED else CLOSED
                    return
        if self.look_at is not None and "loss" in scalars:
            self.look_at(scalars["loss"])
        again = self._scalar_log.reopen(step)
        started = time.perf_counter()
        # As those that are not timed, or what is no loss of each step.
        self.log(**scalars) if again else self._scalar_log.add(step, scalars)
        took = time.perf_counter() - started
        self.sampler.spent(_TIMED * min(took, _LOGGING_SECONDS) if again else took)

    def log_at(self, step: int, **scalars: Any) -> None:
        """As `log`, at the optimizer step given."""
        self._scalar_log.add(step, scalars)

    def mark_step(self) -> None:
        """One training step of a loop without `torch.optim`: after backward(), before the update.

        Raises
        ------
        RuntimeError : when no training is attached to this run.
        """
        if self._on_mark is None:
            raise RuntimeError("mark_step() needs a training: make the run with nbdiag.watch()")
        if not self._closed:
            self._on_mark()

    # Controls ----------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop sampling; steps go on being counted."""
        self.request("pause", {})

    def resume(self) -> None:
        """Sample again."""
        self.request("resume", {})

    def sample_every(self, n: Every) -> None:
        """Sample every n-th optimizer step, or as often as the budget allows ("auto").

        Raises
        ------
        ValueError : when n is neither "auto" nor a whole number from 1 upwards.
        """
        self.request("every", {"every": n})

    def request(self, name: str, args: Mapping[str, Any], done: Done | None = None) -> None:
        """Ask for "pause", "resume" or "every"; may be called from any thread.

        It takes effect at the training's next step, or at once when no training is under way in
        another thread. Then `done({"step": ...})` is called, in the thread that applied it.

        Raises
        ------
        ValueError : for another name, or an `every` that makes no sense. Nothing is queued then.
        """
        if name not in ("pause", "resume", "every"):
            raise ValueError(f"no request {name!r}; there are pause, resume and every")
        if name == "every":
            check_every(args.get("every"))
        self._requests.append(_Request(name, args, done))
        self.sampler.wake = float("-inf")
        if not self.training_elsewhere():
            self.drain()

    def training_elsewhere(self) -> bool:
        """Whether another thread is training, as far as the last two seconds tell."""
        thread = self._thread
        if self._closed or thread is None or thread is threading.current_thread():
            return False
        return thread.is_alive() and time.perf_counter() - self.sampler.last < _IDLE_SECONDS

    def drain(self) -> None:
        """Apply what was asked for, and tell the listeners of rows that they were not told of.

        A training does the former at each step, a widget calls this when a cell ends.
        """
        applied: list[_Request] = []
        with self._lock:
            before = self.state
            while self._requests:
                request = self._requests.popleft()
                if request.name == "every":
                    self.sampler.sample_every(request.args["every"])
                else:
                    self.sampler.paused = request.name == "pause"
                applied.append(request)
        if not applied:
            if self._unseen and not self.training_elsewhere():
                self.notify()
            return
        for request in applied:
            if request.done is not None:
                try:
                    request.done({"step": self.step})
                except Exception as error:
                    self.note_failure(f"reply to {request.name}", error)
        if self.state != before or any(request.name == "every" for request in applied):
            self.notify()

    # Listeners ---------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(run)` after new samples, at most 12 times a second, and on state changes.

        It is called in the training thread. One that raises is dropped and noted in `failures`.
        Returns a function that ends the subscription.
        """
        return self._listeners.add(listener)

    def notify(self) -> None:
        """Call the listeners now."""
        self._unseen = False
        self._telling = True
        for error in self._listeners.tell(self):
            self.note_failure("listener", error)
        self._telling = False

    # For probes --------------------------------------------------------------------------------

    def next_step(self) -> bool:
        """A probe says: an optimizer step begins. Whether to sample it."""
        self._thread = threading.current_thread()
        if self._requests:
            self.drain()
        now = time.perf_counter()
        sample = self.sampler.next_step(now)
        if self.step == 1 or (not sample and self._news(now)):
            self.notify()
        self.sampler.wake = float("-inf") if sample else self._wake(now)
        return sample

    def _news(self, now: float) -> bool:
        """Whether the listeners are due and would hear of something: losses between samples."""
        return now >= self._listeners.due_at and (self._unseen or self._scalar_log.waiting)

    def _wake(self, now: float) -> float:
        """Until when steps may go by."""
        return now if self._requests else self._listeners.wake_at(now)

    def append(
        self, step: int, grad_norm: Floats, weight_norm: Floats, status: Codes, **more: Floats
    ) -> None:
        """A probe hands over one row."""
        self._recording.append(step, grad_norm, weight_norm, status, **more)

    def arrange(
        self,
        parameters: Sequence[str],
        layers: Sequence[LayerInfo],
        layer_of: Sequence[int],
        kinds: frozenset[str],
        sizes: Sequence[int] | None = None,
    ) -> None:
        """A probe says, before the first row, which layers there are and in which order."""
        self._recording.arrange(parameters, layers, layer_of, sizes)
        self.model_kinds = kinds

    def abandon(self) -> None:
        """The model is gone: done, without telling anybody. Safe in a garbage collection."""
        self._closed = True

    def sampled(self) -> None:
        """A probe says: there are new rows. Calls the listeners when they are due."""
        self._unseen = True
        if self.listener_due():
            self.notify()
        self.sampler.wake = self._wake(self.sampler.last)

    def listener_due(self) -> bool:
        """Whether somebody listens and was not called for long enough."""
        return bool(self._listeners) and time.perf_counter() >= self._listeners.due_at

    @property
    def unsettled(self) -> Recording:
        """The recording without fetching what is still on an accelerator: for probes."""
        return self._recording

    def note_activations(self, text: str) -> None:
        """A probe says what of the activations it cannot see, and why."""
        self._recording.apply({"op": "note", "text": text})

    def note_failure(self, probe: str, reason: BaseException | str) -> None:
        """Keep why a probe or a listener was switched off."""
        if isinstance(reason, BaseException):
            reason = f"{type(reason).__name__}: {reason}"
        self._failures.append(ProbeFailure(probe, reason, self.step))

    def fail(self, probe: str, reason: BaseException | str) -> None:
        """The probe that fills the recording switches itself off; the training goes on."""
        self.note_failure(probe, reason)
        self._failed = True
        self.notify()

    # End ---------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Take every hook off the model and the optimizer. Calling it again does nothing."""
        with self._lock:
            already, self._closed = self._closed, True
        try:
            if not already:
                self._collect()
        except Exception as error:
            self.note_failure("gradient_flow", error)
        finally:
            # Also the second time: hooks outlive a close() that comes from within one of them.
            self._on_close()
        if already:
            return
        self.drain()
        self.notify()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        from nbdiag.measures.run_text import run_text

        return run_text(self)
