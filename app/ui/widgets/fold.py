"""A heading that shows or hides what belongs to it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from app.ui.style import GRID, quiet_colour, small_font


class _Heading(QAbstractButton):
    """An arrow and words, level with the text around them."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.setText(words)
        self.setFont(small_font(self.font()))
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        width = metrics.height() + GRID // 2 + metrics.horizontalAdvance(self.text()) + GRID
        return QSize(width, metrics.height() + GRID // 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = self.fontMetrics().height()
        colour = quiet_colour(self.palette())
        painter.setPen(QPen(colour, 1.5))
        middle = QPointF(edge / 2 - 2, self.height() / 2)
        for side in (-1, 1):
            # A chevron that points down when open, to the right when closed
            if self.isChecked():
                ends = QPointF(0, 2), QPointF(4 * side, -2)
            else:
                ends = QPointF(2, 0), QPointF(-2, 4 * side)
            painter.drawLine(middle + ends[0], middle + ends[1])
        painter.setPen(colour)
        words = self.rect().adjusted(edge + GRID // 2, 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.hasFocus():
            painter.setPen(self.palette().highlight().color())
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()


class Fold(QWidget):
    """Closed at first.

    Args:
        heading: Its words.
        content: What is shown when it is open.
    """

    def __init__(self, heading: str, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self.button = _Heading(heading)
        self.button.toggled.connect(content.setVisible)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(content)
        content.hide()

    def set_open(self, shown: bool) -> None:
        """Show or hide the content."""
        self.button.setChecked(shown)
