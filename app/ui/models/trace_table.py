"""The SIP messages of one trunk as a table, secrets hidden."""

from __future__ import annotations

from datetime import datetime
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

from app.model.outcome import Direction, TraceMessage
from app.model.visible import visible
from app.redact import redact_sip
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.plain_text import cell

Index = QModelIndex | QPersistentModelIndex


class Column(IntEnum):
    """The columns, in order."""

    TIME = 0
    DIRECTION = 1
    PEER = 2
    MESSAGE = 3


class TraceTable(QAbstractTableModel):
    """Follows a watch's trace; old messages leave at the top as they leave the watch."""

    def __init__(self, watch: TrunkWatch, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._messages: list[TraceMessage] = list(watch.trace)
        self._kept = watch.trace.maxlen or 0
        watch.traced.connect(self._on_traced)

    def message(self, row: int) -> TraceMessage:
        """The message in a row, secrets and all."""
        return self._messages[row]

    def shown_text(self, row: int) -> str:
        """The message in a row as it may be shown."""
        return visible(redact_sip(self._messages[row].text))

    def row_of_call(self, sip_call_id: str) -> int:
        """The first message with this Call-ID, -1 when there is none."""
        if not sip_call_id:
            return -1
        return next((row for row, each in enumerate(self._messages) if sip_call_id in each.text), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._messages)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        translate = QCoreApplication.translate
        return {
            Column.TIME: translate("TraceTable", "Time"),
            Column.DIRECTION: "",
            Column.PEER: translate("TraceTable", "Peer"),
            Column.MESSAGE: translate("TraceTable", "Message"),
        }[Column(section)]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole or not 0 <= index.row() < len(self._messages):
            return None
        message = self._messages[index.row()]
        match Column(index.column()):
            case Column.TIME:
                return datetime.fromtimestamp(message.at).strftime("%H:%M:%S.%f")[:-3]
            case Column.DIRECTION:
                return "\N{RIGHTWARDS ARROW}" if message.direction is Direction.OUT else "\N{LEFTWARDS ARROW}"
            case Column.PEER:
                return cell(f"{message.transport.upper()} {message.peer}")
            case Column.MESSAGE:
                return cell(message.text.lstrip().partition("\n")[0])

    def _on_traced(self, message: TraceMessage) -> None:
        if self._kept and len(self._messages) >= self._kept:
            # A tenth at a time: taking one from the front for each new one would move all the others
            leaving = max(1, self._kept // 10)
            self.beginRemoveRows(QModelIndex(), 0, leaving - 1)
            del self._messages[:leaving]
            self.endRemoveRows()
        row = len(self._messages)
        self.beginInsertRows(QModelIndex(), row, row)
        self._messages.append(message)
        self.endInsertRows()
