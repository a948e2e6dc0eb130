"""Every SIP message of a trunk, and the text of the chosen one."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.ui.clipboard import copy_text
from app.ui.models.trace_table import Column, TraceTable
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.style import GRID, Tone, fixed_font
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.text import Text


class TracePage(QWidget):
    """The trace of one trunk."""

    def __init__(self, watch: TrunkWatch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model = TraceTable(watch, self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        self._column.setSpacing(GRID)
        self.table = QTableView()
        self.table.setModel(model)
        self.table.setAccessibleName(self.tr("SIP messages"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.setFrameShape(QFrame.Shape.NoFrame)
        self.table.verticalHeader().hide()
        metrics = self.table.fontMetrics()
        self.table.verticalHeader().setDefaultSectionSize(metrics.height() + GRID)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setHighlightSections(False)
        widths = {
            Column.TIME: metrics.horizontalAdvance("00:00:00.000") + 3 * GRID,
            Column.DIRECTION: 4 * GRID,
            Column.PEER: metrics.horizontalAdvance("UDP 192.168.100.100:50600") + 2 * GRID,
        }
        for column, width in widths.items():
            self.table.setColumnWidth(column, width)
        header.setSectionResizeMode(Column.MESSAGE, QHeaderView.ResizeMode.Stretch)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setAccessibleName(self.tr("Text of the chosen message"))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(fixed_font(self.font()))
        self.text.setPlaceholderText(self.tr("Choose a message to read it."))
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(self.text)
        self._column.addWidget(split, 1)
        foot = QHBoxLayout()
        foot.setSpacing(GRID)
        hint = self.tr("Passwords and keys are hidden.")
        foot.addWidget(Text(hint, tone=Tone.QUIET), 1)
        self._copy = IconButton(self.tr("Copy message"), "copy")
        self._copy.clicked.connect(lambda: copy_text(self.text.toPlainText()))
        foot.addWidget(self._copy)
        self._column.addLayout(foot)
        self.table.selectionModel().currentRowChanged.connect(self._on_row_changed)
        model.rowsAboutToBeInserted.connect(self._on_rows_coming)
        model.rowsInserted.connect(self._on_rows_came)
        self._follow = True
        self.table.scrollToBottom()

    def choose_call(self, sip_call_id: str) -> bool:
        """Choose the first message of a call; whether there is one."""
        row = self._model.row_of_call(sip_call_id)
        if row < 0:
            return False
        self.table.selectRow(row)
        self.table.scrollTo(self._model.index(row, 0), QAbstractItemView.ScrollHint.PositionAtTop)
        return True

    def _on_row_changed(self, current: QModelIndex) -> None:
        if current.isValid():
            self.text.setPlainText(self._model.shown_text(current.row()))

    def _on_rows_coming(self) -> None:
        bar = self.table.verticalScrollBar()
        self._follow = bar.value() == bar.maximum()

    def _on_rows_came(self) -> None:
        if self._follow:
            self.table.scrollToBottom()
