"""The rows of a table of trunks before they are imported."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QGuiApplication, QIcon, QPalette

from app.model.settings import was_and_is
from app.model.trunk_csv import CsvPreview, CsvRow
from app.model.typed import shown
from app.ui.icons import pixmap
from app.ui.plain_text import cell, tool_tip
from app.ui.style import Tone, tone_colour

Index = QModelIndex | QPersistentModelIndex
translate = QCoreApplication.translate

MARK_EDGE = 16
"""Edge of a row's mark in device-independent pixels."""


class Column(IntEnum):
    """The columns, in order."""

    LINE = 0
    NAME = 1
    HOST = 2
    USER = 3
    PASSWORD = 4
    NOTE = 5


class ImportTable(QAbstractTableModel):
    """One row a trunk; what can't be imported says why."""

    def __init__(self, preview: CsvPreview, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preview = preview
        self._rows = preview.rows

    def show_only_bad(self, only_bad: bool) -> None:
        """Show only what can't be imported, or everything."""
        self.beginResetModel()
        self._rows = self._preview.bad if only_bad else self._preview.rows
        self.endResetModel()

    def row(self, row: int) -> CsvRow:
        """What stands in a row."""
        return self._rows[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return {
            Column.LINE: translate("ImportTable", "Line"),
            Column.NAME: translate("ImportTable", "Name"),
            Column.HOST: translate("ImportTable", "Host"),
            Column.USER: translate("ImportTable", "User"),
            Column.PASSWORD: translate("ImportTable", "Password"),
            Column.NOTE: translate("ImportTable", "Note"),
        }[Column(section)]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self._rows):
            return None
        row, column = self._rows[index.row()], Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return cell(self._text(row, column))
            case Qt.ItemDataRole.ToolTipRole if column is Column.NOTE:
                return tool_tip(note(row))
            case Qt.ItemDataRole.DecorationRole if column is Column.LINE:
                tone = _tone(row)
                return _mark(_MARKS[tone], tone)
            case Qt.ItemDataRole.ForegroundRole if column is Column.NOTE:
                tone = Tone.QUIET if row.trunk else Tone.BAD
                return tone_colour(QGuiApplication.palette(), tone)
            case Qt.ItemDataRole.AccessibleTextRole if column is Column.LINE:
                line = translate("ImportTable", "line {line}").format(line=row.line)
                return f"{line}, {_state(row)}"
        return None

    def _text(self, row: CsvRow, column: Column) -> str:
        match column:
            case Column.LINE:
                return str(row.line)
            case Column.NAME:
                return row.name
            case Column.HOST:
                return row.trunk.host if row.trunk else row.settings.get("host", "")
            case Column.USER:
                return row.trunk.user if row.trunk else row.settings.get("user", "")
            case Column.PASSWORD if row.password:
                return translate("ImportTable", "given")
            case Column.PASSWORD if row.trunk and not row.trunk.needs_password:
                return translate("ImportTable", "not needed")
            case Column.PASSWORD:
                return translate("ImportTable", "none")
            case Column.NOTE:
                return note(row)


_MARKS = {Tone.GOOD: "pass", Tone.WARNING: "warning", Tone.BAD: "fail"}


def _tone(row: CsvRow) -> Tone:
    if row.trunk is None:
        return Tone.BAD
    return Tone.WARNING if row.mended else Tone.GOOD


def _state(row: CsvRow) -> str:
    match _tone(row):
        case Tone.BAD:
            return translate("ImportTable", "can't be imported")
        case Tone.WARNING:
            return translate("ImportTable", "can be imported, with values that were put right")
    return translate("ImportTable", "can be imported")


def _mark(name: str, tone: Tone) -> QIcon:
    palette = QGuiApplication.palette()
    ratio = QGuiApplication.primaryScreen().devicePixelRatio()
    mark = QIcon(pixmap(name, tone_colour(palette, tone), MARK_EDGE, ratio))
    chosen = palette.color(QPalette.ColorRole.HighlightedText)
    mark.addPixmap(pixmap(name, chosen, MARK_EDGE, ratio), QIcon.Mode.Selected)
    return mark


def _in_column(row: CsvRow, field: str, words: str) -> str:
    if field not in row.headings:
        return words
    column = translate("ImportTable", "Column {heading}: {words}")
    return column.format(heading=shown(row.headings[field]), words=words)


def note(row: CsvRow) -> str:
    """Why a row can't be imported, or what was put right and what is still to do; a line each."""
    if row.problems:
        return "\n".join(
            _in_column(row, each.field, f"{each.what} {each.do}".strip()) for each in row.problems
        )
    lines = [_in_column(row, mended.key, was_and_is(mended)) for mended in row.mended]
    if row.trunk and row.trunk.needs_password and not row.password:
        lines.append(translate("ImportTable", "Type its password in its settings afterwards."))
    return "\n".join(lines)
