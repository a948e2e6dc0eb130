"""A password field whose text can be seen while a button is held."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.ui.style import GRID
from app.ui.widgets.buttons import IconToolButton


class PasswordField(QWidget):
    """A line that hides what is typed, and an eye to hold.

    Attributes:
        stops: Where the Tab key stops, in order.

    Signals:
        edited: The text was changed by the person.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLineEdit()
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
        self.line.setAccessibleName(self.tr("Password"))
        self.line.textEdited.connect(self.edited)
        self._eye = IconToolButton(self.tr("Show the password while held"), "show")
        self._eye.pressed.connect(self._on_pressed)
        self._eye.released.connect(self._on_released)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        row.addWidget(self.line, 1)
        row.addWidget(self._eye)
        # No focus proxy: Qt would stop at the line a second time, where this widget stands in its own order
        self.stops: tuple[QWidget, ...] = (self.line, self._eye)

    def _on_pressed(self) -> None:
        self.line.setEchoMode(QLineEdit.EchoMode.Normal)

    def _on_released(self) -> None:
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
