"""The table of calls as it is looked at."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from app.ui.models.history_table import Column, HistoryTable
from app.ui.style import GRID

_ICON_WIDTH = 16 + 6
_SHARING = frozenset({Column.NUMBER, Column.TRUNK})
_NUMBER_SHARE = 0.55


class HistoryView(QTableView):
    """One row is chosen at a time; the keyboard does everything.

    Args:
        table: The calls.

    Signals:
        delete_asked, copy_asked: For the chosen call.
    """

    delete_asked = Signal()
    copy_asked = Signal()

    def __init__(self, table: HistoryTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        wide = self.fontMetrics().horizontalAdvance
        self._least = {
            Column.NUMBER: wide("+15145550199") + GRID,
            Column.TRUNK: wide("Office") + GRID,
        }
        self.setModel(table)
        self.setAccessibleName(self.tr("Calls"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        rows = self.verticalHeader()
        rows.hide()
        # Of one height: asking each of 100,000 rows how high it is takes seconds
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self.fontMetrics().height() + GRID)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(False)
        header.setMinimumSectionSize(4 * GRID)
        # The last one would take the room that number and trunk need
        header.setStretchLastSection(False)
        for column, width in self._widths().items():
            self.setColumnWidth(column, width)
        self.show_trunks(False)

    def show_trunks(self, shown: bool) -> None:
        """Whether there is a column with the trunk of each call."""
        self.setColumnHidden(Column.TRUNK, not shown)
        self._share_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        """Number and trunk have what the others leave, but can always be read; then the table scrolls."""
        header = self.horizontalHeader()
        taken = sum(header.sectionSize(column) for column in Column if column not in _SHARING)
        room = self.viewport().width() - taken
        if self.isColumnHidden(Column.TRUNK):
            self.setColumnWidth(Column.NUMBER, max(room, self._least[Column.NUMBER]))
        else:
            number = max(round(room * _NUMBER_SHARE), self._least[Column.NUMBER])
            self.setColumnWidth(Column.NUMBER, number)
            self.setColumnWidth(Column.TRUNK, max(room - number, self._least[Column.TRUNK]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_asked.emit()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy_asked.emit()
        else:
            super().keyPressEvent(event)

    def _widths(self) -> dict[Column, int]:
        wide = self.fontMetrics().horizontalAdvance
        margin = GRID + GRID // 2
        return {
            Column.TIME: wide("Yesterday 00:00:00") + margin,
            Column.DIRECTION: _ICON_WIDTH + wide("In/out") + margin,
            Column.RESULT: _ICON_WIDTH + wide("Not answered") + margin,
            Column.DURATION: wide("00:00:00") + margin,
            Column.MOS: wide("MOS") + margin,
        }
