"""A calm line across the window: a note, with one thing to do about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.model.visible import few_lines
from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone, mix, tone_colour
from app.ui.widgets.buttons import IconButton, IconToolButton
from app.ui.widgets.text import Text
from app.ui.widgets.tone_icon import ToneIcon

_NOTE_LINES, _LONGEST_NOTE = 4, 500


class Banner(QWidget):
    """Hidden while there is no note; closes by its own button."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = Tone.QUIET
        self._notes: list[str] = []
        self._act: Callable[[], None] | None = None
        self._icon = ToneIcon()
        self._words = Text()
        self._button = IconButton("")
        self._button.clicked.connect(self._on_button_clicked)
        self._close = IconToolButton(self.tr("Close this note"), "close")
        self._close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        row.setSpacing(GRID)
        row.addWidget(self._icon)
        row.addWidget(self._words, 1)
        row.addWidget(self._button)
        row.addWidget(self._close)
        self.hide()

    def show_note(
        self, words: str, tone: Tone = Tone.QUIET, *, button: str = "", act: Callable[[], None] | None = None
    ) -> None:
        """Show a note.

        Args:
            words: The note.
            tone: Its colour and icon.
            button: Words of its button; empty for none.
            act: What the button does; the note closes then.
        """
        self._show([words], tone, button, act)

    def add_note(self, words: str, tone: Tone) -> None:
        """Show a note below the one that is shown, whose button stays."""
        if not self.words:
            self.show_note(words, tone)
        elif words not in self._notes:
            self._say([*self._notes, words], tone)

    def drop_note(self, words: str) -> None:
        """Take back a note and its button; one that came below it stays."""
        left = [note for note in self._notes if note != words]
        if not left:
            self.hide()
        elif left != self._notes:
            self._show(left, self._tone)

    def _show(
        self, notes: list[str], tone: Tone, button: str = "", act: Callable[[], None] | None = None
    ) -> None:
        self._act = act
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self._say(notes, tone)

    def _say(self, notes: list[str], tone: Tone) -> None:
        self._tone = tone
        self._notes = notes
        self._icon.show_tone(tone)
        # The window is below it
        words = "\n".join(few_lines(note, _NOTE_LINES, _LONGEST_NOTE) for note in notes)
        self._words.setText(words)
        set_spoken(self, words)
        self.show()
        self.update()

    @property
    def words(self) -> str:
        """The note that is shown, empty when hidden."""
        return "" if self.isHidden() else self._words.text()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        window = self.palette().color(QPalette.ColorRole.Window)
        painter.fillRect(self.rect(), self._ground(window))
        painter.end()

    def _ground(self, window: QColor) -> QColor:
        return mix(window, tone_colour(self.palette(), self._tone), 0.14)

    def _on_button_clicked(self) -> None:
        self.hide()
        if self._act:
            self._act()
