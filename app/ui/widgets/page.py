"""A page that scrolls: a column of parts with the window's margins."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.ui.style import GRID


class ScrollPage(QScrollArea):
    """Words wrap at its width; `column` takes the parts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        # Qt gives scroll areas the tab stop, but everything in them can be reached and scrolls into view
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget()
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 3 * GRID)
        self.column.setSpacing(2 * GRID)
        self.setWidget(body)
        # Setting the widget has switched it on; the page's own ground shows through
        body.setAutoFillBackground(False)
