"""Shown instead of everything else when the data folder can't be used."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.errors import UserError
from app.ui.clipboard import copy_text
from app.ui.details import error_details
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.text import Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon

_TEXT_WIDTH = 60 * GRID


class FailedPage(QWidget):
    """Says what happened and what to do.

    Args:
        error: What went wrong.

    Signals:
        quit_asked: The person wants to leave.
    """

    quit_asked = Signal()

    def __init__(self, error: UserError, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        middle = QWidget()
        middle.setFixedWidth(_TEXT_WIDTH)
        column = QVBoxLayout(middle)
        column.setSpacing(2 * GRID)
        column.addWidget(ToneIcon(Tone.BAD, edge=32))
        column.addWidget(Text(self.tr("Ringback can't start working"), role=TextRole.TITLE))
        column.addWidget(Text(error.what))
        if error.do:
            column.addWidget(Text(error.do, tone=Tone.QUIET))
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        copy = IconButton(self.tr("Copy details"), "copy")
        copy.clicked.connect(lambda: copy_text(error_details(error)))
        leave = IconButton(self.tr("Quit"), "close")
        leave.clicked.connect(self.quit_asked)
        buttons.addWidget(copy)
        buttons.addWidget(leave)
        buttons.addStretch(1)
        column.addLayout(buttons)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        # Stretches, not an alignment: that would not ask how high the words get at this width
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(middle)
        across.addStretch(1)
        outer.addLayout(across)
        outer.addStretch(3)
