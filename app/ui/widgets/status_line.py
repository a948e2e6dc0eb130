"""The status bar: the last thing that happened, and a way to what was before."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStatusBar, QWidget

from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import EnterToolButton
from app.ui.widgets.text import ElidedText, TextRole


class StatusLine(QStatusBar):
    """One line that stays until the next."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._line = ElidedText(role=TextRole.SMALL, tone=Tone.QUIET)
        self._line.setContentsMargins(GRID, 0, 0, 0)
        self.log_button = EnterToolButton()
        self.log_button.setText(self.tr("Log"))
        self.log_button.setCheckable(True)
        self.log_button.setAutoRaise(True)
        self.log_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.log_button.setAccessibleName(self.tr("Show the log"))
        self.addWidget(self._line, 1)
        self.addPermanentWidget(self.log_button)

    @property
    def line(self) -> str:
        """What it says."""
        return self._line.text()

    def show_line(self, line: str) -> None:
        """Say something else."""
        self._line.setText(line)
        set_spoken(self._line, line)
