"""Requests of strangers: counted, and reported now and then. Every public address gets them daily."""

from __future__ import annotations

from collections.abc import Callable

from app.sip.engine.edge.hop import Hop
from app.sip.messages import Event, StrangerRefused
from app.sip.syntax.text import one_line

EVERY_S = 5.0
"""Seconds between two reports."""


class Strangers:
    """Counts for one account.

    Args:
        emit: Gets the reports.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._next = 0.0
        self._total = 0
        self._last: StrangerRefused | None = None

    def reset(self) -> None:
        """Begin again, for another account."""
        self._total, self._last = 0, None

    def count(self, method: str, user: str, source: Hop, code: int) -> None:
        """A stranger asked for something and got this code, 0 for no answer."""
        self._total += 1
        self._last = StrangerRefused(
            total=self._total,
            peer=str(source),
            method=one_line(method, 32),
            user=one_line(user, 80),
            code=code,
        )

    def watch(self, now: float) -> None:
        """Report what has come since the last report; `now` is monotonic seconds."""
        if self._last is not None and now >= self._next:
            self._next = now + EVERY_S
            self._emit(self._last)
            self._last = None
