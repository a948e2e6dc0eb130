"""One field of a wizard's page: a row that also says where to find what is asked."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QComboBox, QWidget

from app.flows.form import FormField
from app.ui.plain_text import set_spoken
from app.ui.style import Tone
from app.ui.widgets.field_row import FieldRow
from app.ui.widgets.text import Text, TextRole


class AnswerRow(FieldRow):
    """A field in the provider's words; they may change while it is shown.

    Args:
        asked: What is asked.
        parent: The form.
    """

    def __init__(self, asked: FormField, parent: QWidget) -> None:
        super().__init__(asked, parent)
        self._after = ""
        self._where = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self.column.addWidget(self._where)
        self.set_words(asked)
        self.set_text(asked.value)

    def set_words(self, asked: FormField) -> None:
        """Show a field of the same make in these words; its value stays."""
        others = asked.words != self.asked.words or asked.choices != self.asked.choices
        self.asked = asked
        self.label.setText(asked.label)
        set_spoken(self.stops[0], asked.label)
        where = self.tr("Where to find it: {place}").format(place=asked.where) if asked.where else ""
        self._where.setText(where)
        self._where.setVisible(bool(where))
        if others and isinstance(self.input, QComboBox):
            kept = self.text
            self.input.clear()
            for value, words in zip(asked.choices, asked.words, strict=True):
                self.input.addItem(words, value)
            self.set_text(kept)
        self.set_after(self._after)

    def set_after(self, words: str) -> None:
        """A sentence that follows the help, such as where a password is kept."""
        self._after = words
        self.set_help(" ".join(each for each in (self.asked.help, words) if each))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # A row that is taken away loses the focus too, but nobody has left it
        if event.type() is QEvent.Type.FocusOut and not self.field.isVisible():
            return False
        return super().eventFilter(watched, event)
