"""The wizard's buttons."""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter

from app.ui.style import GRID
from app.ui.widgets.buttons import ToneButton


class LeadingButton(ToneButton):
    """Next and Finish: filled, with the key that presses it underlined."""

    def __init__(self) -> None:
        super().__init__("")

    def sizeHint(self) -> QSize:
        return QSize(max(super().sizeHint().width(), 12 * GRID), super().sizeHint().height())

    def _paint_label(self, painter: QPainter, colour: QColor) -> None:
        painter.setPen(colour)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextShowMnemonic
        painter.drawText(self.rect(), flags, self.text())

    @property
    def words(self) -> str:
        """Its text without the mark of its key."""
        return re.sub(r"&(.)", r"\1", self.text())
