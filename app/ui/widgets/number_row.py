"""A number asked for in place: where to send or to transfer a call."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.model.trunk import Trunk
from app.ui.dialled_line import DialledLine, dialled_line
from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton, IconToolButton
from app.ui.widgets.number_field import EnterField
from app.ui.widgets.text import Text, TextRole


class NumberRow(QWidget):
    """A field, a button, and below them how the number will be sent.

    Args:
        prompt: What the field is for.
        words: On the button.
        icon_name: On the button.
        trunk: Gives the trunk that the number goes through.

    Signals:
        asked: The number is to be used; carries it.
        closed: The row is not wanted any more.
    """

    asked = Signal(str)
    closed = Signal()

    def __init__(
        self,
        prompt: str,
        words: str,
        icon_name: str,
        trunk: Callable[[], Trunk],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._trunk = trunk
        self.number = EnterField()
        self.number.setPlaceholderText(prompt)
        set_spoken(self.number, prompt)
        self.number.textChanged.connect(self._on_text_changed)
        self.number.returnPressed.connect(self._ask)
        self.button = IconButton(words, icon_name)
        self.button.clicked.connect(self._ask)
        self.close_button = IconToolButton(self.tr("Close (Esc)"), "close")
        self.close_button.clicked.connect(self.closed)
        self._line = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.number, 1)
        row.addWidget(self.button)
        row.addWidget(self.close_button)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(GRID // 2)
        self.column.addLayout(row)
        self.column.addWidget(self._line)
        self._on_text_changed()

    @property
    def line(self) -> str:
        """What stands below the field."""
        return self._line.text()

    def begin(self) -> None:
        """Show the row, empty, with the focus in it."""
        self.number.clear()
        self.show()
        self.number.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_text_changed(self) -> None:
        text = self.number.text()
        if text.strip():
            self._say(dialled_line(text, self._trunk(), short=True))
        else:
            self._line.clear()
            self._line.hide()
        self.button.setEnabled(bool(text.strip()))

    def _say(self, said: DialledLine) -> None:
        self._line.setText(str(said.refusal) if said.refusal else said.words)
        self._line.set_tone(Tone.QUIET if said.good else Tone.BAD)
        self._line.show()

    def _ask(self) -> None:
        text = self.number.text()
        if text.strip() and dialled_line(text, self._trunk(), short=True).good:
            self.asked.emit(text)
