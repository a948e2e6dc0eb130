"""Messages that ended an engine: the next one is not given them again."""

from __future__ import annotations

import time

from app.sip.child import ChildOutcome, GivenMessage

MOST = 16
"""Messages that are remembered of a trunk; the newest ones."""
KEEP_S = 3600.0
"""Seconds that one is remembered: if it was innocent, the trunk works again after that."""


class Quarantine:
    """What one trunk's engines ended by; outlives its sessions."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, GivenMessage]] = {}

    def learn(self, outcome: ChildOutcome) -> bool:
        """Remember the message that an engine ended by; whether there was one."""
        message = outcome.last_message
        if message is None:
            return False
        self._held.pop(message.fingerprint, None)
        self._held[message.fingerprint] = time.monotonic(), message
        for fingerprint in list(self._held)[:-MOST]:
            del self._held[fingerprint]
        return True

    def clear(self) -> None:
        """Let every message through again."""
        self._held.clear()

    @property
    def messages(self) -> tuple[GivenMessage, ...]:
        """What is held back now."""
        since = time.monotonic() - KEEP_S
        return tuple(message for at, message in self._held.values() if at >= since)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """How they are known again."""
        return tuple(message.fingerprint for message in self.messages)
