"""A combo box for pages that scroll: turning the wheel over it moves the page, not its value."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QWidget

from app.ui.plain_text import cell


class StillCombo(QComboBox):
    """Changes by a click or a key only."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def addItem(self, words: str, value: object) -> None:  # type: ignore[override]  # noqa: N802  Qt's name; Qt has forms with an icon, which nobody here needs
        super().addItem(cell(words), value)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  Qt's name
        event.ignore()
