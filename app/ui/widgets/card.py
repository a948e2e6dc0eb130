"""A card: one thing, set apart from the page by a ground of its own."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.ui.style import GRID, Tone, line_colour, tone_colour

_RADIUS = 6.0


class Card(QWidget):
    """A rounded area with a column layout; `layout_` takes its parts.

    Args:
        tone: Draws a stripe of this tone at the left edge; None draws none.
    """

    def __init__(self, parent: QWidget | None = None, *, tone: Tone | None = None) -> None:
        super().__init__(parent)
        self._tone = tone
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self.column.setSpacing(GRID)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)

    def set_tone(self, tone: Tone | None) -> None:
        """Change the stripe."""
        self._tone = tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(line_colour(palette), 1))
        painter.setBrush(palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(box, _RADIUS, _RADIUS)
        if self._tone is not None:
            painter.setClipRect(QRectF(0, 0, GRID / 2, self.height()))
            colour = tone_colour(palette, self._tone)
            painter.setPen(QPen(colour, 1))
            painter.setBrush(colour)
            painter.drawRoundedRect(box, _RADIUS, _RADIUS)
        painter.end()
