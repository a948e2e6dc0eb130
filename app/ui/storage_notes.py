"""What the person should know about where trunks, passwords and calls are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.ui.bridge import DeskBridge
from app.ui.style import Tone

if TYPE_CHECKING:
    from app.desk import Desk
    from app.sip.notices import Notice
    from app.ui.widgets.banner import Banner


class StorageNotes(QObject):
    """Asks the desk, once each for trunks and passwords, and tells what there is to tell.

    Args:
        bridge: To the desk.
        banner: Gets the line for notes; what it shows already stays.
        parent: The window.

    Signals:
        keyring_known: Whether there is a keyring.
        trunks_unread: There are trunks that are not to be shown, because they can't be used.
    """

    keyring_known = Signal(bool)
    trunks_unread = Signal()

    def __init__(self, bridge: DeskBridge, banner: Callable[[], Banner], parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._banner = banner
        self._store_asked = self._vault_asked = False
        bridge.notice.connect(self._on_notice)

    def ask_store(self) -> None:
        """Find out whether a trunk can't be read, and what opening the data folder met."""
        if self._store_asked:
            return
        self._store_asked = True

        async def work(desk: Desk) -> str:
            return desk.store_note

        self._bridge.submit(self, work, self._on_store_note)

    def ask_vault(self) -> None:
        """Find out where passwords are kept; only once one is needed, because that may wake a keyring."""
        if not self._vault_asked:
            self._vault_asked = True
            self._bridge.submit(self, lambda desk: desk.check_vault(), self._on_vault_note)

    def _on_store_note(self, note: str) -> None:
        self._add(note)
        if note:
            self.trunks_unread.emit()

    def _on_vault_note(self, note: str) -> None:
        self._add(note)
        self.keyring_known.emit(not note)

    def _on_notice(self, notice: Notice) -> None:
        # Imported here: it brings asyncio along, which the first paint does not need
        from app.sip.notices import HistoryTrouble

        if isinstance(notice, HistoryTrouble):
            self._add(notice.words)

    def _add(self, note: str) -> None:
        if note:
            self._banner().add_note(note, Tone.WARNING)
