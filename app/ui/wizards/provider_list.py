"""The list of providers: a heading for each country, two lines a provider."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.ui.plain_text import cell, set_spoken, set_tool_tip
from app.ui.style import GRID, heading_font, quiet_colour, small_font
from app.ui.widgets.selection import paint_chosen, paint_focus

_ENTRY = Qt.ItemDataRole.UserRole


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row: something to choose, or with an empty `summary` and no `id` a heading.

    Attributes:
        id: What is chosen with it; None for a heading.
        name, summary: Its two lines.
    """

    id: str | None
    name: str
    summary: str = ""


class ProviderList(QListWidget):
    """Rows to choose from; headings are passed over.

    Signals:
        picked: A row was chosen; carries its id.
        entered: A row was double-clicked, or Enter was pressed on it.
        passed: The arrow key went beyond the first row (-1) or the last one (+1).
    """

    picked = Signal(str)
    entered = Signal()
    passed = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_spoken(self, name)
        self.setItemDelegate(_EntryDelegate(self))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.itemSelectionChanged.connect(self._on_selected)
        self.itemDoubleClicked.connect(lambda _: self.entered.emit())

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these rows; what was chosen stays chosen if it is among them."""
        chosen = self.chosen
        self.blockSignals(True)
        self.clear()
        for entry in entries:
            item = QListWidgetItem(cell(entry.name))
            item.setData(_ENTRY, entry)
            words = f"{entry.name}: {entry.summary}" if entry.summary else entry.name
            item.setData(Qt.ItemDataRole.AccessibleTextRole, cell(words))
            set_tool_tip(item, entry.summary)
            if entry.id is None:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.addItem(item)
        self.blockSignals(False)
        self.choose(chosen)

    @property
    def chosen(self) -> str | None:
        """The id of the chosen row, None when there is none."""
        items = self.selectedItems()
        return _entry(items[0]).id if items else None

    def ids(self) -> list[str]:
        """The ids of all rows that can be chosen, in order."""
        found = (_entry(self.item(row)).id for row in range(self.count()))
        return [each for each in found if each is not None]

    def choose(self, wanted: str | None) -> None:
        """Choose a row; `picked` is not emitted."""
        self.blockSignals(True)
        self.clearSelection()
        self.setCurrentRow(-1)
        for row in range(self.count()):
            if wanted is not None and _entry(self.item(row)).id == wanted:
                self.setCurrentRow(row)
        self.blockSignals(False)

    def go_to(self, *, last: bool = False) -> bool:
        """Take the focus and choose the first row, or the last one; False when there is none."""
        ids = self.ids()
        if not ids:
            return False
        self.setFocus()
        self.choose(ids[-1 if last else 0])
        self._on_selected()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ids = self.ids()
        chosen = self.chosen
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        elif event.key() == Qt.Key.Key_Down and ids and chosen == ids[-1]:
            self.passed.emit(1)
        elif event.key() == Qt.Key.Key_Up and ids and chosen == ids[0]:
            self.passed.emit(-1)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        paint_focus(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for item in self.selectedItems():
            self.scrollToItem(item)

    def _on_selected(self) -> None:
        chosen = self.chosen
        if chosen is not None:
            self.picked.emit(chosen)


def _entry(item: QListWidgetItem) -> Entry:
    entry = item.data(_ENTRY)
    assert isinstance(entry, Entry)
    return entry


class _EntryDelegate(QStyledItemDelegate):
    """A quiet small line for a heading; name and summary for a provider."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        small = QFontMetrics(small_font(option.font)).height()
        if index.data(_ENTRY).id is None:
            return QSize(20 * GRID, small + GRID + GRID // 2)
        return QSize(20 * GRID, QFontMetrics(heading_font(option.font)).height() + small + GRID + 2)

    def initStyleOption(  # noqa: N802  Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        option.text = ""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry = index.data(_ENTRY)
        palette = option.palette
        box = option.rect.adjusted(GRID + GRID // 2, 0, -GRID, 0)
        painter.save()
        if entry.id is None:
            painter.setFont(small_font(option.font))
            # The row can't be chosen, but its words are to be read like any others
            painter.setPen(quiet_colour(QGuiApplication.palette()))
            place = box.adjusted(0, 0, 0, -GRID // 4)
            painter.drawText(place, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, entry.name)
            painter.restore()
            return
        chosen = paint_chosen(painter, option, index)
        if chosen:
            text = quiet = chosen
        else:
            super().paint(painter, option, index)
            text, quiet = palette.color(QPalette.ColorRole.Text), quiet_colour(palette)
        box = box.adjusted(0, GRID // 2, 0, -GRID // 2)
        painter.setFont(heading_font(option.font))
        painter.setPen(text)
        high = painter.fontMetrics().height()
        name = QRect(box.left(), box.top(), box.width(), high)
        elided = painter.fontMetrics().elidedText(cell(entry.name), Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, elided)
        painter.setFont(small_font(option.font))
        painter.setPen(quiet)
        line = QRect(box.left(), box.top() + high + 2, box.width(), painter.fontMetrics().height())
        summary = cell(entry.summary)
        elided = painter.fontMetrics().elidedText(summary, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, elided)
        painter.restore()
