"""Counts who was refused because they are not the provider: quietly, as scanners come every day."""

from __future__ import annotations

from app.sip.messages import StrangerRefused
from app.sip.notices import StrangersRefused


class Strangers:
    """The count of one trunk, over the lives of its engines.

    Args:
        trunk_id: Which trunk.
    """

    def __init__(self, trunk_id: str) -> None:
        self._trunk_id = trunk_id
        self._before = 0
        self._now = 0

    def count(self, event: StrangerRefused) -> StrangersRefused:
        """Take an engine's count, which begins at nothing with each engine and each account."""
        if event.total < self._now:
            self._before += self._now
        self._now = event.total
        return StrangersRefused(
            trunk_id=self._trunk_id,
            total=self._before + self._now,
            peer=event.peer,
            method=event.method,
            user=event.user,
        )
