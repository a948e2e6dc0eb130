"""The last lines of the status bar, to look back."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from app.model.visible import one_line
from app.ui.style import GRID, fixed_font

_LINES_KEPT = 1000
_LONGEST_LINE = 1000


class LogPanel(QPlainTextEdit):
    """Lines with their time, the newest last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setMaximumBlockCount(_LINES_KEPT)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setFont(fixed_font(self.font()))
        self.setFixedHeight(20 * GRID)
        self.setAccessibleName(self.tr("Log"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.hide()

    def add(self, line: str) -> None:
        """Append a line with the time of now; whatever is in it, it stays one line."""
        self.appendPlainText(f"{datetime.now():%H:%M:%S}  {one_line(line, _LONGEST_LINE)}")
