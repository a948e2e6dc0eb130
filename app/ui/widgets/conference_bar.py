"""Joins the calls that are up, or separates them again."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.ui.models.call_view import CallView
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.text import Text


class ConferenceBar(QWidget):
    """A line above the cards, while two or more calls are answered.

    Signals:
        join_asked: All of them are to hear each other.
        separate_asked: None of them any more.
    """

    join_asked = Signal()
    separate_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = Text(tone=Tone.QUIET)
        self.join = IconButton(self.tr("Join calls"), "join")
        self.join.setToolTip(self.tr("Let all of them, and you, hear each other (J)"))
        self.separate = IconButton(self.tr("Separate"), "separate")
        self.separate.setToolTip(self.tr("Each of them hears only you again (J)"))
        self.join.clicked.connect(self.join_asked)
        self.separate.clicked.connect(self.separate_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self._words, 1)
        row.addWidget(self.join)
        row.addWidget(self.separate)
        self.hide()

    @property
    def words(self) -> str:
        """What it says; empty while it is not needed."""
        return "" if self.isHidden() else self._words.text()

    def show_calls(self, calls: Sequence[CallView]) -> None:
        """Show what can be done with these answered calls."""
        joined = [call for call in calls if call.in_conference]
        if joined:
            words = self.tr("{count} calls hear each other.").format(count=len(joined))
        else:
            words = self.tr("{count} calls are up.").format(count=len(calls))
        self._words.setText(words)
        self.join.setVisible(len(joined) < len(calls))
        self.separate.setVisible(bool(joined))
        self.setVisible(len(calls) > 1)
