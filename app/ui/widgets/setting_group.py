"""A heading of a form with its rows."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.ui.style import GRID
from app.ui.widgets.text import Text, TextRole

_LABEL_WIDTH = 18 * GRID


class SettingGroup(QWidget):
    """Labels on the left, fields on the right, as wide in every group.

    Args:
        heading: Its words.
    """

    def __init__(self, heading: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heading = Text(heading, role=TextRole.HEADING, wrap=False)
        self._heading.setContentsMargins(0, 0, 0, GRID)
        self._visible = True
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(GRID // 2)
        self._grid.setColumnMinimumWidth(0, _LABEL_WIDTH)
        self._grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 2 * GRID)
        column.setSpacing(0)
        column.addWidget(self._heading)
        column.addLayout(self._grid)

    def place(self, label: QWidget, field: QWidget) -> None:
        """Add a row."""
        at = self._grid.rowCount()
        self._grid.addWidget(label, at, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(field, at, 1)

    def set_visible(self, visible: bool) -> None:
        """Show or hide it; what does not change costs nothing."""
        if visible != self._visible:
            self._visible = visible
            self.setVisible(visible)
