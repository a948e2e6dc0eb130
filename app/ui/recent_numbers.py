"""The numbers called last, from one run to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from app.ui.bridge import DeskBridge

if TYPE_CHECKING:
    from app.desk import Desk

RECENT_KEPT = 10
_KEY = "recent_numbers"


class RecentNumbers(QObject):
    """One list for all trunks: a number that failed through one is tried through another.

    The pages of several trunks share it by reading it anew when they are shown, so the desk keeps it.

    Args:
        bridge: To the desk.
        parent: Qt parent.

    Signals:
        changed: It is another list now.

    Attributes:
        numbers: As typed, the last one first.
    """

    changed = Signal()

    def __init__(self, bridge: DeskBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.numbers: tuple[str, ...] = ()

    def read(self) -> None:
        """Fetch the list."""
        self._change(lambda numbers: numbers)

    def add(self, number: str) -> None:
        """Put a number in front."""
        number = number.strip()
        self._change(lambda numbers: [number, *(each for each in numbers if each != number)][:RECENT_KEPT])

    def clear(self) -> None:
        """Forget them all."""
        self._change(lambda _: [])

    def _change(self, change: Callable[[list[str]], list[str]]) -> None:
        async def work(desk: Desk) -> list[str]:
            kept = _numbers_in(desk.recall(_KEY))
            changed = change(kept)
            if changed != kept:
                desk.remember(_KEY, msgspec.json.encode(changed).decode())
            return changed

        # A list that can't be read or kept is no reason not to call
        self._bridge.submit(self, work, self._on_known, lambda _: None)

    def _on_known(self, numbers: list[str]) -> None:
        if tuple(numbers) != self.numbers:
            self.numbers = tuple(numbers)
            self.changed.emit()


def _numbers_in(text: str) -> list[str]:
    try:
        return msgspec.json.decode(text, type=list[str])
    except msgspec.MsgspecError:
        # Empty at first; or of another version
        return []
