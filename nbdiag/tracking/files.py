"""Reading event files while they may still grow."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from nbdiag.tracking.crc import masked, table

_CHUNK = 64 * 2**20
_SETTLED = 3.0


class DamagedFileError(ValueError):
    """An event file holds what nobody wrote."""


class Tail:
    """The records of one file that were not read yet; one that is being written is left for later.

    Parameters
    ----------
    path : of the event file.
    mark : only messages with these bytes near their beginning are returned, and checked.
    """

    def __init__(self, path: Path, mark: bytes = b"") -> None:
        self.path = path
        self.at = 0
        """Bytes read so far."""
        self._mark = mark
        self._suspect: tuple[int, float] | None = None

    def touched(self) -> float:
        """When it was last written to, or touched by a writer that had nothing to write."""
        return os.stat(self.path).st_mtime

    def news(self, at_most: int | None = None) -> list[bytes]:
        """The messages since the last call, the first `at_most` of them.

        Raises
        ------
        OSError : when the file cannot be read.
        DamagedFileError : when a checksum is wrong and stays so; all that came before has been
            returned by earlier calls.
        """
        messages: list[bytes] = []
        chunk = _CHUNK if at_most is None else 2**18
        with open(self.path, "rb") as file:
            while at_most is None or len(messages) < at_most:
                file.seek(self.at)
                data = file.read(chunk)
                used = self._split(data, messages, at_most)
                if not used:
                    size = 16 + int.from_bytes(data[:8], "little")
                    here = os.fstat(file.fileno()).st_size - self.at
                    if self._suspect or len(data) < chunk or size > here:
                        break
                    chunk = size  # one record longer than a chunk
                self.at += used
        return messages

    def _split(self, data: bytes, messages: list[bytes], at_most: int | None) -> int:
        """Append whole messages; the number of bytes that they took."""
        at = 0
        self._suspect = self._suspect if self._suspect and self._suspect[0] == self.at else None
        while at + 16 <= len(data) and (at_most is None or len(messages) < at_most):
            end = at + 12 + int.from_bytes(data[at : at + 8], "little")
            if not _sound(data[at : at + 8], data[at + 8 : at + 12]):
                self._doubt(at, messages)
                break
            if end + 4 > len(data):
                break
            message = data[at + 12 : end]
            if self._mark in message[:64]:
                if not _sound(message, data[end : end + 4]):
                    self._doubt(at, messages)
                    break
                messages.append(message)
            at = end + 4
        return at

    def _doubt(self, at: int, messages: list[bytes]) -> None:
        # Over a network a file may be seen longer than it is filled: look again before judging,
        # unless nobody has written for a while.
        place, now = self.at + at, time.time()
        if self._suspect is None or self._suspect[0] != place:
            self._suspect = place, now
        settled = now - min(self._suspect[1], self.touched()) >= _SETTLED
        if settled and not messages:
            raise DamagedFileError(
                f"{self.path} is damaged at byte {place:,}: "
                "the record there does not match its checksum"
            )


_SHORT = 64
_FIRST = table()[:256].tolist()


def _sound(data: bytes, check: bytes) -> bool:
    if len(data) > _SHORT:
        crc = int(masked(np.frombuffer(data, np.uint8)[None])[0])
    else:  # a call into numpy costs more than this
        state = 0xFFFFFFFF
        for byte in data:
            state = _FIRST[(state ^ byte) & 0xFF] ^ (state >> 8)
        state ^= 0xFFFFFFFF
        crc = ((state >> 15 | state << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return crc == int.from_bytes(check, "little")
