"""Calls of the history as a table that is read a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QGuiApplication, QIcon, QPalette

from app.model.history import HistoryEntry
from app.ui.history_words import (
    begun_words,
    direction_look,
    length_words,
    mos_words,
    party,
    result_look,
    whole_time,
)
from app.ui.icons import pixmap
from app.ui.plain_text import cell, tool_tip
from app.ui.style import Tone, tone_colour

Index = QModelIndex | QPersistentModelIndex

_EDGE = 16


class Column(IntEnum):
    """The columns, in order."""

    TIME = 0
    DIRECTION = 1
    NUMBER = 2
    TRUNK = 3
    RESULT = 4
    DURATION = 5
    MOS = 6


class HistoryTable(QAbstractTableModel):
    """The newest calls first; whoever owns it gets what `more_asked` asks for.

    Signals:
        more_asked: The page behind the last call is wanted; `add_page` or `stop_waiting` follows.
    """

    more_asked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[HistoryEntry] = []
        self._ids: set[int] = set()
        self._more = False
        self._waiting = False
        self._icons: dict[tuple[str, Tone | None], QIcon] = {}

    # What it shows

    @property
    def entries(self) -> Sequence[HistoryEntry]:
        """The calls that are loaded."""
        return self._entries

    def entry(self, row: int) -> HistoryEntry:
        """The call in a row."""
        return self._entries[row]

    def row_of(self, entry_id: int) -> int:
        """The row of a call, -1 when it is not loaded."""
        if entry_id not in self._ids:
            return -1
        return next(row for row, entry in enumerate(self._entries) if entry.id == entry_id)

    def show_page(self, entries: Sequence[HistoryEntry], *, more: bool) -> None:
        """Show these in place of all others.

        Args:
            entries: The first page.
            more: Whether another one may follow.
        """
        self.beginResetModel()
        self._entries, self._more, self._waiting = list(entries), more, False
        self._ids = {entry.id for entry in entries}
        self.endResetModel()

    def add_page(self, entries: Sequence[HistoryEntry], *, more: bool) -> None:
        """Show these below the others."""
        self._more, self._waiting = more, False
        if entries:
            first = len(self._entries)
            self.beginInsertRows(QModelIndex(), first, first + len(entries) - 1)
            self._entries.extend(entries)
            self._ids.update(entry.id for entry in entries)
            self.endInsertRows()

    def stop_waiting(self) -> None:
        """The page that was asked for does not come."""
        self._waiting = False

    def put(self, entry: HistoryEntry) -> None:
        """Bring a call up to date, or enter a new one in its place."""
        row = self.row_of(entry.id)
        if row >= 0:
            self._entries[row] = entry
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(Column) - 1))
            return
        place = next((row for row, other in enumerate(self._entries) if other.id < entry.id), None)
        if place is None:
            if self._more:
                return  # it comes with its page
            place = len(self._entries)
        self.beginInsertRows(QModelIndex(), place, place)
        self._entries.insert(place, entry)
        self._ids.add(entry.id)
        self.endInsertRows()

    def drop(self, entry_id: int) -> None:
        """Take a call out."""
        row = self.row_of(entry_id)
        if row >= 0:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._entries[row]
            self._ids.discard(entry_id)
            self.endRemoveRows()

    def retint(self) -> None:
        """Draw the icons in the palette's new colours."""
        self._icons.clear()

    # As Qt asks for it

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(Column)

    def canFetchMore(self, parent: Index) -> bool:  # noqa: N802  Qt's name
        return not parent.isValid() and self._more and not self._waiting

    def fetchMore(self, parent: Index) -> None:  # noqa: N802  Qt's name
        if self.canFetchMore(parent):
            self._waiting = True
            self.more_asked.emit()

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        translate = QCoreApplication.translate
        return {
            Column.TIME: translate("HistoryTable", "Begun"),
            Column.DIRECTION: translate("HistoryTable", "In/out"),
            Column.NUMBER: translate("HistoryTable", "Number"),
            Column.TRUNK: translate("HistoryTable", "Trunk"),
            Column.RESULT: translate("HistoryTable", "Result"),
            Column.DURATION: translate("HistoryTable", "Length"),
            Column.MOS: translate("HistoryTable", "MOS"),
        }[Column(section)]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self._entries):
            return None
        entry, column = self._entries[index.row()], Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return cell(_words(entry, column))
            case Qt.ItemDataRole.DecorationRole:
                return self._icon(entry, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ToolTipRole:
                return tool_tip(_tool_tip(entry, column)) or None
        return None

    def _icon(self, entry: HistoryEntry, column: Column) -> QIcon | None:
        if column is Column.DIRECTION:
            return self._tinted(direction_look(entry.direction)[1], None)
        if column is Column.RESULT:
            _, tone, name = result_look(entry)
            return self._tinted(name, tone)
        return None

    def _tinted(self, name: str, tone: Tone | None) -> QIcon:
        """An icon in a tone, and as the words on a row that is chosen."""
        made = self._icons.get((name, tone))
        if made is None:
            palette = QGuiApplication.palette()
            screen = QGuiApplication.primaryScreen()
            ratio = screen.devicePixelRatio() if screen else 1.0
            usual = tone_colour(palette, tone) if tone else palette.color(QPalette.ColorRole.Text)
            chosen = palette.color(QPalette.ColorRole.HighlightedText)
            made = QIcon()
            made.addPixmap(pixmap(name, usual, _EDGE, ratio), QIcon.Mode.Normal)
            made.addPixmap(pixmap(name, chosen, _EDGE, ratio), QIcon.Mode.Selected)
            self._icons[name, tone] = made
        return made


def _words(entry: HistoryEntry, column: Column) -> str:
    match column:
        case Column.TIME:
            return begun_words(entry.begun_at)
        case Column.DIRECTION:
            return direction_look(entry.direction)[0]
        case Column.NUMBER:
            return party(entry)
        case Column.TRUNK:
            return entry.trunk
        case Column.RESULT:
            return result_look(entry)[0]
        case Column.DURATION:
            return length_words(entry)
        case Column.MOS:
            return mos_words(entry)


def _alignment(column: Column) -> Qt.AlignmentFlag:
    figures = column in (Column.DURATION, Column.MOS)
    side = Qt.AlignmentFlag.AlignRight if figures else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _tool_tip(entry: HistoryEntry, column: Column) -> str:
    match column:
        case Column.TIME:
            return whole_time(entry.begun_at)
        case Column.NUMBER | Column.TRUNK:
            return _words(entry, column)
        case Column.RESULT:
            return entry.headline
    return ""
