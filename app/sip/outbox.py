"""What an engine sends up the wire: from any thread, without failing, without waiting for a slow reader."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import BinaryIO

from app.sip.messages import CallLevels, FromEngine
from app.sip.messages.faults import stand_in
from app.sip.wire import WireError, encode, encode_clean

PATIENCE_S = 0.25
"""Seconds that whoever sends waits for its line to be out; longer only when the parent does not read."""
MOST_BYTES = 8 << 20
"""Bytes that may wait for a parent that does not read; it counts as gone when there are more."""
MOST_METERS = 64
"""Lines that may wait for meters to be sent as well."""


class Outbox:
    """Writes messages in the order they were sent, in a thread of its own.

    A parent that does not read for a while, such as one that was stopped in a terminal, must not stop the
    thread that watches the limits of calls. And a line must be out before the engine goes on, where that is
    possible: what the engine does next may end the process, and the line says what that was.

    Args:
        wire: Where the lines go.
        on_gone: Told, from any thread, when nobody reads any more. Once only.
    """

    def __init__(self, wire: BinaryIO, on_gone: Callable[[], None]) -> None:
        self._wire = wire
        self._on_gone = on_gone
        self._changed = threading.Condition()
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._taken = 0
        self._written = 0
        self._behind = False
        self._gone = False
        self._closed = False
        self._thread = threading.Thread(target=self._write_all, name="wire", daemon=True)
        self._thread.start()

    def send(self, message: FromEngine) -> None:
        """Send a message; what can't be sent goes up as an error that names it. Never raises."""
        line = _line_of(message)
        meters = isinstance(message, CallLevels)
        with self._changed:
            if self._gone or self._closed or (meters and len(self._lines) > MOST_METERS):
                return  # nobody needs the meters of a minute ago
            self._lines.append(line)
            self._bytes += len(line)
            self._taken += 1
            turn = self._taken
            self._changed.notify_all()
            if not (meters or self._behind):
                out = self._changed.wait_for(lambda: self._gone or self._written >= turn, PATIENCE_S)
                self._behind = not out
            too_many = self._bytes > MOST_BYTES
        if too_many:
            self._give_up()

    def close(self, limit_s: float = 1.0) -> bool:
        """Write what is left and end the thread; whether that worked within the limit, seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(limit_s)
        return not self._thread.is_alive()

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closed or self._gone)
                if self._gone or not self._lines:
                    return
                line = self._lines.popleft()
                self._bytes -= len(line)
            try:
                left = memoryview(line)
                while left:  # a signal may cut a write short
                    left = left[self._wire.write(left) :]
            except (OSError, ValueError):  # ValueError: closed by us
                self._give_up()
                return
            with self._changed:
                self._written += 1
                self._behind = self._behind and bool(self._lines)
                self._changed.notify_all()

    def _give_up(self) -> None:
        with self._changed:
            if self._gone:
                return
            self._gone = True
            self._lines.clear()
            self._bytes = 0
            self._changed.notify_all()
        self._on_gone()


def _line_of(message: FromEngine) -> bytes:
    try:
        return encode_clean(message)
    except WireError as error:
        return encode(stand_in(message, str(error)))
