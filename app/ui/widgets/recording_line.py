"""Says that a call is recorded, and where the file is afterwards."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.models.call_view import CallView
from app.ui.show_file import show_in_folder
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.text import ElidedText
from app.ui.widgets.tone_icon import ToneIcon
from app.ui.words import clock


class RecordingLine(QWidget):
    """A red sign with the time while a recording runs; then its name, and the way to it.

    Signals:
        shown: The folder was asked for.
    """

    shown = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = ""
        self._mark = ToneIcon(Tone.BAD, "record")
        self._words = ElidedText(elide=Qt.TextElideMode.ElideMiddle)
        self.show_button = IconButton(self.tr("Show in folder"), "folder")
        self.show_button.clicked.connect(self._on_show_clicked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self._mark)
        row.addWidget(self._words, 1)
        column.addLayout(row)
        # Below it, because a name is as long as the card is wide
        column.addWidget(self.show_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.hide()

    @property
    def words(self) -> str:
        """What is shown; empty while there is nothing to say."""
        return "" if self.isHidden() else self._words.text()

    def show_call(self, call: CallView) -> None:
        """Show the recording of this call as it is now."""
        if call.recording:
            time = clock(call.recording_seconds)
            self._show(Tone.BAD, "record", self.tr("Recording  {time}").format(time=time))
        elif call.recording_trouble:
            words = self.tr("The recording ended: {trouble}").format(trouble=call.recording_trouble)
            self._show(Tone.WARNING, "warning", words)
        elif call.recorded:
            words = self.tr("Recorded: {name}").format(name=Path(call.recorded).name)
            self._show(Tone.QUIET, "record", words)
        self._path = call.recording or call.recorded
        self.show_button.setVisible(bool(call.recorded))
        self.setVisible(bool(self._path))

    def _show(self, tone: Tone, icon_name: str, words: str) -> None:
        self._mark.show_tone(tone, icon_name)
        self._words.set_tone(tone if tone is Tone.BAD else None)
        self._words.setText(words)

    def _on_show_clicked(self) -> None:
        show_in_folder(Path(self._path))
        self.shown.emit()
