"""Ctrl-C and an end asked for by the system."""

from __future__ import annotations

import signal
import socket
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Signal


class Interrupts(QObject):
    """What the system asks for, as a signal of Qt.

    Python runs its handlers only between two of its own instructions, of which there are none while Qt waits;
    the wake-up socket brings Qt back (https://docs.python.org/3.11/library/signal.html#signal.set_wakeup_fd).

    Signals:
        came: The program was asked to end.
    """

    came = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._former_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        kinds = [signal.SIGINT, signal.SIGTERM]
        self._former = {kind: signal.signal(kind, self._on_signal) for kind in kinds}
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_readable)

    def close(self) -> None:
        """Give the signals back to who had them before."""
        self._notifier.setEnabled(False)
        for kind, handler in self._former.items():
            signal.signal(kind, handler)
        signal.set_wakeup_fd(self._former_fd)
        self._reader.close()
        self._writer.close()

    def _on_signal(self, _kind: int, _frame: FrameType | None) -> None:
        self.came.emit()

    def _on_readable(self) -> None:
        # The handler runs by itself now that Python is at work
        self._reader.recv(64)
