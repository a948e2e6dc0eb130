"""The list of trunks, in the person's order, each with its state."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)

from app.model.trunk import Trunk
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.words import trunk_state_word

if TYPE_CHECKING:
    from app.sip.notices import Notice

Index = QModelIndex | QPersistentModelIndex


class TrunkRole(IntEnum):
    """Own roles of the list."""

    WATCH = Qt.ItemDataRole.UserRole + 1
    FILTER = Qt.ItemDataRole.UserRole + 2


class TrunkList(QAbstractListModel):
    """One row a trunk; owns the watches.

    Signals:
        watch_added, watch_removed: Carry the `TrunkWatch`; a removed one is deleted afterwards.
    """

    watch_added = Signal(object)
    watch_removed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watches: list[TrunkWatch] = []

    @property
    def watches(self) -> tuple[TrunkWatch, ...]:
        """All, in order."""
        return tuple(self._watches)

    def watch(self, trunk_id: str) -> TrunkWatch | None:
        """The watch of this trunk, if it is in the list."""
        return next((watch for watch in self._watches if watch.trunk.id == trunk_id), None)

    def set_trunks(self, trunks: Iterable[Trunk]) -> None:
        """Show exactly these; a watch is kept as long as its trunk is."""
        wanted = list(trunks)
        ids = {trunk.id for trunk in wanted}
        for row in reversed(range(len(self._watches))):
            if self._watches[row].trunk.id not in ids:
                self.beginRemoveRows(QModelIndex(), row, row)
                gone = self._watches.pop(row)
                self.endRemoveRows()
                self.watch_removed.emit(gone)
                gone.deleteLater()
        for row, trunk in enumerate(wanted):
            watch = self.watch(trunk.id)
            if watch is None:
                watch = TrunkWatch(trunk, self)
                watch.changed.connect(self._on_watch_changed)
                watch.calls_counted.connect(self._on_watch_changed)
                self.beginInsertRows(QModelIndex(), row, row)
                self._watches.insert(row, watch)
                self.endInsertRows()
                self.watch_added.emit(watch)
                continue
            watch.set_trunk(trunk)
            at = self._watches.index(watch)
            if at != row:
                self.beginMoveRows(QModelIndex(), at, at, QModelIndex(), row)
                self._watches.insert(row, self._watches.pop(at))
                self.endMoveRows()

    def take(self, notice: Notice) -> None:
        """Hand a notice to its trunk's watch; of a trunk just removed, nothing is shown any more."""
        watch = self.watch(notice.trunk_id)
        if watch:
            watch.take(notice)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._watches)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self._watches):
            return None
        watch = self._watches[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return watch.trunk.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{watch.trunk.name}, {trunk_state_word(watch.state)}, {watch.trunk.host}"
            case Qt.ItemDataRole.ToolTipRole:
                return f"{watch.trunk.name}\n{trunk_state_word(watch.state)}\n{watch.cause}".strip()
            case TrunkRole.WATCH:
                return watch
            case TrunkRole.FILTER:
                return "\n".join((watch.trunk.name, watch.trunk.host, watch.trunk.user))
        return None

    def _on_watch_changed(self) -> None:
        watch = self.sender()
        if watch in self._watches:
            at = self.index(self._watches.index(watch))
            self.dataChanged.emit(at, at)


class TrunkFilter(QSortFilterProxyModel):
    """Keeps the trunks whose name, host or user has the typed text in it."""

    def __init__(self, source: TrunkList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSourceModel(source)
        self.setFilterRole(TrunkRole.FILTER)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def set_text(self, text: str) -> None:
        """Filter by this text; empty shows all."""
        self.setFilterFixedString(text.strip())
