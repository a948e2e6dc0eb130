"""Where a number is typed, and what was called last."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QToolButton, QWidget

from app.ui.plain_text import key_free, set_spoken, set_tool_tip
from app.ui.style import GRID, title_font
from app.ui.widgets.buttons import IconToolButton


class EnterField(QLineEdit):
    """Keeps Enter to itself; Qt's own field passes it on as well, and on the call page it answers calls."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()


class NumberField(EnterField):
    """A number, in large type.

    Signals:
        recent_asked: The person wants to see the numbers called last.
    """

    recent_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Number to call"))
        self.setAccessibleDescription(self.tr("The Down key shows the numbers called last"))
        self.setPlaceholderText(self.tr("Number"))
        self.setFont(title_font(self.font()))
        self.setClearButtonEnabled(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.recent_asked.emit()
        else:
            super().keyPressEvent(event)


class RedialButton(IconToolButton):
    """Calls the last number again; its menu has the ones before.

    Signals:
        redial_asked: Call this number.
        number_chosen: Put this number into the field.
        clear_asked: Forget them all.
    """

    redial_asked = Signal(str)
    number_chosen = Signal(str)
    clear_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", "redial", parent)
        self._numbers: tuple[str, ...] = ()
        self.menu_ = QMenu(self)
        self.setAutoRaise(False)
        self.setFixedHeight(4 * GRID)
        self.setMinimumWidth(5 * GRID)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.setMenu(self.menu_)
        self.clicked.connect(self._on_clicked)
        self.show_numbers(())

    def show_numbers(self, numbers: Sequence[str]) -> None:
        """Offer these, the last one first."""
        self._numbers = tuple(numbers)
        self.menu_.clear()
        for number in numbers:
            action = self.menu_.addAction(key_free(number))
            # Else Qt makes one of the words
            set_tool_tip(action, number)
            action.triggered.connect(lambda _checked=False, number=number: self.number_chosen.emit(number))
        self.menu_.addSeparator()
        self.menu_.addAction(self.tr("Clear this list")).triggered.connect(self.clear_asked)
        self.setEnabled(bool(numbers))
        words = self.tr("Redial {number}").format(number=numbers[0]) if numbers else self.tr("Redial")
        set_spoken(self, words)
        set_tool_tip(self, words)

    def pop_up(self, below: QWidget) -> None:
        """Show the list below this widget, ready for the arrow keys."""
        if self._numbers:
            self.menu_.setActiveAction(self.menu_.actions()[0])
            self.menu_.popup(below.mapToGlobal(QPoint(0, below.height())))

    def _on_clicked(self) -> None:
        if self._numbers:
            self.redial_asked.emit(self._numbers[0])
