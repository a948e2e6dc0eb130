"""A trunk's state as a shape and a colour; the word stands beside it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.model.trunk import TrunkState
from app.ui.plain_text import set_spoken
from app.ui.style import GRID, tone_colour
from app.ui.widgets.text import Text
from app.ui.words import TRUNK_TONES

MARK_EDGE = 12
"""Edge of a mark in device-independent pixels."""


def paint_mark(painter: QPainter, box: QRectF, state: TrunkState, colour: QColor) -> None:
    """Draw the shape of a state into a square.

    Ring: off. Half ring: connecting. Disc: registered. Disc in a ring: reachable. Triangle: rejected or wrong
    credentials. Cross: unreachable. Square: full.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    stroke = max(1.6, box.width() / 7)
    inner = box.adjusted(stroke / 2, stroke / 2, -stroke / 2, -stroke / 2)
    pen = QPen(colour, stroke, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    match state:
        case TrunkState.OFF:
            painter.drawEllipse(inner)
        case TrunkState.CONNECTING:
            painter.drawArc(inner, 90 * 16, -240 * 16)
        case TrunkState.REGISTERED:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(box)
        case TrunkState.REACHABLE:
            painter.drawEllipse(inner)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(box.center(), box.width() / 5, box.width() / 5)
        case TrunkState.REJECTED | TrunkState.WRONG_CREDENTIALS:
            painter.setBrush(colour)
            points = [
                QPointF(inner.center().x(), inner.top()),
                QPointF(inner.right(), inner.bottom()),
                QPointF(inner.left(), inner.bottom()),
            ]
            painter.drawPolygon(QPolygonF(points))
        case TrunkState.UNREACHABLE:
            painter.drawLine(inner.topLeft(), inner.bottomRight())
            painter.drawLine(inner.topRight(), inner.bottomLeft())
        case TrunkState.FULL:
            painter.setBrush(colour)
            painter.drawRect(inner)
    painter.restore()


class StateMark(QWidget):
    """A mark of its own, for a page's header."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = TrunkState.OFF
        self.setFixedSize(QSize(MARK_EDGE, MARK_EDGE))

    def set_state(self, state: TrunkState) -> None:
        """Show another state."""
        self._state = state
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colour = tone_colour(self.palette(), TRUNK_TONES[self._state])
        paint_mark(painter, QRectF(self.rect()), self._state, colour)
        painter.end()


class StateBadge(QWidget):
    """A mark and its words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark = StateMark()
        self._words = Text(wrap=False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self._mark)
        layout.addWidget(self._words)

    def show_state(self, state: TrunkState, words: str) -> None:
        """Show a state with these words."""
        self._mark.set_state(state)
        self._words.setText(words)
        self._words.set_tone(TRUNK_TONES[state])
        set_spoken(self, words)
