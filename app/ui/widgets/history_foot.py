"""The line below the calls: how many there are, how long they are kept, what can be done with all of them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMessageBox, QWidget

from app.model.history import FOR_EVER, KEEP_DAYS
from app.ui.history_words import count_words, keep_words
from app.ui.plain_text import set_spoken
from app.ui.questions import ask_before_keeping_shorter
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.still_combo import StillCombo
from app.ui.widgets.text import ElidedText, Text

_OFFERED_DAYS = (7, 30, 90, 365)


class HistoryFoot(QWidget):
    """Asks before calls are kept for a shorter time than before.

    Attributes:
        keep_days: How long calls are kept.
        question: The last question that was asked.

    Signals:
        keep_asked: Calls are to be kept for another time, which the person agrees to; carries the days.
        delete_asked: All calls that are found are to be deleted.
        export_asked: They are to be written to a file.
    """

    keep_asked = Signal(int)
    delete_asked = Signal()
    export_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keep_days = KEEP_DAYS
        self.question: QMessageBox | None = None
        self._line = ElidedText(tone=Tone.QUIET)
        label = Text(self.tr("Keep calls"), tone=Tone.QUIET, wrap=False)
        self.keep = StillCombo()
        label.setBuddy(self.keep)
        self.keep.setAccessibleName(self.tr("How long calls of all trunks are kept"))
        self.keep.setToolTip(self.tr("How long calls of all trunks are kept; older ones are deleted."))
        self.keep.activated.connect(self._on_chosen)
        self.delete = IconButton(self.tr("Delete all…"), "delete")
        self.delete.clicked.connect(self.delete_asked)
        self.export = IconButton(self.tr("Export CSV…"), "export")
        self.export.clicked.connect(self.export_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self._line, 1)
        for part in (label, self.keep, self.delete, self.export):
            row.addWidget(part)
        self.show_count(0)
        self._fill()

    @property
    def line(self) -> str:
        """How many calls there are, or what was done with them."""
        return self._line.text()

    def show_count(self, count: int) -> None:
        """Show how many calls there are."""
        self.say(count_words(count) if count else "")
        self.delete.setEnabled(bool(count))
        self.export.setEnabled(bool(count))

    def say(self, words: str) -> None:
        """Say something in the count's place."""
        self._line.setText(words)
        set_spoken(self._line, words)

    def show_keep_days(self, days: int) -> None:
        """Show how long calls are kept."""
        if days != self.keep_days:
            self.keep_days = days
            self._fill()

    def _fill(self) -> None:
        days = sorted({*_OFFERED_DAYS, self.keep_days} - {FOR_EVER})
        self.keep.clear()
        for each in (*days, FOR_EVER):
            self.keep.addItem(keep_words(each), each)
        self.keep.setCurrentIndex(self.keep.findData(self.keep_days))

    def _on_chosen(self, place: int) -> None:
        days, before = int(self.keep.itemData(place)), self.keep_days
        if days == before:
            return
        if days != FOR_EVER and (before == FOR_EVER or days < before):
            self.question = ask_before_keeping_shorter(
                self.window(), keep_words(days), lambda: self._keep(days)
            )
            self.question.finished.connect(lambda _: self._fill())
        else:
            self._keep(days)

    def _keep(self, days: int) -> None:
        self.keep_days = days
        self._fill()
        self.keep_asked.emit(days)
