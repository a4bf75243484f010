"""Samples on their way from an accelerator to the recording, without a step that waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import torch

from nbdiag.probes.step_sample import Sample, Sent

_PENDING_AT_MOST, _WAIT_FROM = 64, 512
_SEND_SECONDS = 0.25


def capturing() -> bool:
    """Whether a CUDA graph records what this thread does: nothing must be added to it."""
    return torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()


class Outbox:
    """Hands complete samples to `deliver`, in order; what waits on a device is fetched together."""

    def __init__(self, deliver: Callable[[Sample], None]) -> None:
        self._deliver = deliver
        self._lock = threading.Lock()
        self._pending: list[Sample] = []  # whose numbers are still on a device
        self._sent: Sent | None = None  # before those: whose numbers are on their way
        self._send_at = 0.0

    def put(self, sample: Sample) -> bool:
        """Whether it was delivered at once."""
        with self._lock:
            if sample.waiting or self:
                self._pending.append(sample)
                return False
            self._deliver(sample)
            return True

    def __bool__(self) -> bool:
        """Whether there is something in it."""
        return bool(self._pending or self._sent)

    def send(self, *, now: bool = False) -> bool:
        """From time to time, or `now`, take what has arrived and send what is there.

        Returns whether something was delivered.
        """
        clock = time.perf_counter()
        if not now and clock < self._send_at and len(self._pending) < _PENDING_AT_MOST:
            return False
        self._send_at = clock + _SEND_SECONDS
        return self.collect(hurry=len(self._pending) < _WAIT_FROM)

    def collect(self, *, hurry: bool) -> bool:
        """Take what has arrived and send the rest; in a hurry without waiting for it."""
        with self._lock:
            news = self._land(hurry)
            if self._sent is None and self._pending:
                self._sent, self._pending = Sent(self._pending), []
                news |= self._land(hurry)
        return news

    def take(self) -> None:
        """Take what has arrived, and nothing else: no call to the device."""
        with self._lock:
            self._land(hurry=True)

    def _land(self, hurry: bool) -> bool:
        sent = self._sent
        if sent is None or (hurry and not sent.ready()):
            return False
        self._sent = None
        sent.arrive()
        for sample in sent.samples:
            self._deliver(sample)
        return True
