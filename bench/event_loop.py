"""Qt's event loop in a measurement: let it run, and see when it does not come round."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEventLoop, Qt, QTimer

_BEAT_MS = 5


class Beats:
    """How long the loop does not come round.

    Args:
        clock: Seconds; `time.monotonic` for what a person would wait, `time.thread_time` for the window's own
            work, which a machine that is busy with other things does not spoil.

    Attributes:
        longest_ms: The longest time between two beats, beyond that of a beat, ms.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.longest_ms = 0.0
        self._clock = clock
        self._beat_ms = _BEAT_MS if clock is time.monotonic else 0
        self._at = clock()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timeout)
        self._timer.start(_BEAT_MS)

    def stop(self) -> None:
        """Count no more."""
        self._timer.stop()

    def _on_timeout(self) -> None:
        now = self._clock()
        self.longest_ms = max(self.longest_ms, 1000 * (now - self._at) - self._beat_ms)
        self._at = now


def spin(seconds: float) -> None:
    """Let the loop run."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def wait(condition: Callable[[], bool], limit_s: float = 40.0) -> None:
    """Let the loop run until something is so.

    Raises:
        TimeoutError: It did not come to be.
    """
    until = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("the window did not come to what is measured")
        spin(0.01)
    spin(0.05)
