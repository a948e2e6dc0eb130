"""How fast calls may begin: PJSIP's sockets of a call that is over stay taken for half a second."""

from __future__ import annotations

BURST = 10.0
PER_S = 10.0
"""Calls a second. PJMEDIA takes two of 64 places for each; when none is free, an assertion ends the process.

WORKAROUND: PJ_IOQUEUE_MAX_HANDLES and PJ_IOQUEUE_KEY_FREE_DELAY of PJLIB 2.15.1, both fixed in the wheel.
"""


class CallRate:
    """Calls in both directions together; belongs to the engine's thread."""

    def __init__(self) -> None:
        self._left = BURST
        self._at = 0.0

    def allows(self, now: float) -> bool:
        """Whether another call may begin at this time, monotonic seconds; it then counts."""
        self._left = min(BURST, self._left + max(now - self._at, 0.0) * PER_S)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
