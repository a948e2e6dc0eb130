"""Closing the window: ask, remember, hang up and sign out, and only then leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.ui.bridge import DeskBridge

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMessageBox

    from app.desk import Desk


class Closing(QObject):
    """Knows how far the window is on its way out.

    Args:
        window: Is asked over, and closed in the end.
        bridge: To the desk.
        calls_up: Counts the calls that would be hung up.
        remembered: Gives what to remember, by key; None while there is no desk to do it.
        unsaved: Whether a trunk is being filled in.

    Attributes:
        allowed: Whether the window may close now: nothing is left to be done.

    Signals:
        begun: It is being left; nothing can be asked for any more.
        desk_lost: The desk's thread ended without having been asked.
    """

    begun = Signal()
    desk_lost = Signal()

    def __init__(
        self,
        window: QWidget,
        bridge: DeskBridge,
        calls_up: Callable[[], int],
        remembered: Callable[[], dict[str, str] | None],
        unsaved: Callable[[], bool],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._bridge = bridge
        self._calls_up = calls_up
        self._remembered = remembered
        self._unsaved = unsaved
        self._begun = False
        self._question: QMessageBox | None = None
        self.allowed = False
        bridge.closed.connect(self._on_bridge_closed)

    def ask(self) -> None:
        """Close; with a trunk half filled in, or with calls up, only once the person agrees."""
        if not self._unsaved() or self._begun:
            self._ask_about_calls()
        elif self._question is None:
            from app.ui.questions import ask_before_dropping

            self._put(ask_before_dropping(self._window, self._on_drop_agreed))

    def _ask_about_calls(self) -> None:
        calls = self._calls_up()
        if not calls:
            self.now()
        elif self._question is None and not self._begun:
            from app.ui.questions import ask_before_closing

            self._put(ask_before_closing(self._window, calls, self.now))

    def _put(self, question: QMessageBox) -> None:
        self._question = question
        question.finished.connect(self._on_answered)

    def _on_drop_agreed(self) -> None:
        # One more question may follow this one
        if self._question:
            self._question.finished.disconnect(self._on_answered)
        self._question = None
        self._ask_about_calls()

    def now(self) -> None:
        """Close without asking."""
        if self.allowed:
            self._window.close()
        if self._begun or self.allowed:
            return
        self._begun = True
        self.begun.emit()
        kept = self._remembered()
        if kept is None:
            self._bridge.close()
            return

        async def work(desk: Desk) -> None:
            for key, value in kept.items():
                desk.remember(key, value)

        # What can't be remembered, as on a full disk, keeps nobody from leaving
        self._bridge.submit(self, work, lambda _: self._bridge.close(), lambda _: self._bridge.close())

    def _on_answered(self) -> None:
        self._question = None

    def _on_bridge_closed(self) -> None:
        self.allowed = True
        if self._begun:
            self._window.close()
        else:
            self.desk_lost.emit()
