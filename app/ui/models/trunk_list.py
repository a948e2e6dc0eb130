"""The list of trunks, in the person's order, each with its state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from app.ui.plain_text import cell, tool_tip
from app.ui.words import list_state_word

if TYPE_CHECKING:
    from app.sip.notices import Notice

Index = QModelIndex | QPersistentModelIndex


class TrunkRole(IntEnum):
    """Own roles of the list."""

    WATCH = Qt.ItemDataRole.UserRole + 1
    FILTER = Qt.ItemDataRole.UserRole + 2


class TrunkList(QAbstractListModel):
    """One row a trunk; owns the watches. A row can be dragged, and its name edited in place.

    Signals:
        watch_woken: The first notice of a trunk is about to be taken; carries its `TrunkWatch`. Most of many
            trunks have none for long, and to connect them all takes longer than to show them.
        watch_removed: Carries the `TrunkWatch`, which is deleted afterwards.
        rename_asked: A name was typed in place; carries the trunk's id and the name.
    """

    watch_woken = Signal(object)
    watch_removed = Signal(object)
    rename_asked = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watches: list[TrunkWatch] = []
        self._rows: dict[str, int] = {}
        self._fixed: set[str] = set()
        self._woken: set[str] = set()

    @property
    def watches(self) -> tuple[TrunkWatch, ...]:
        """All, in order."""
        return tuple(self._watches)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all that are saved, in order."""
        return tuple(watch.trunk.id for watch in self._watches if watch.trunk.id not in self._fixed)

    def row(self, trunk_id: str) -> int:
        """Where this trunk stands; -1 when it is not in the list."""
        return self._rows.get(trunk_id, -1)

    def watch(self, trunk_id: str) -> TrunkWatch | None:
        """The watch of this trunk, if it is in the list."""
        row = self._rows.get(trunk_id)
        return None if row is None else self._watches[row]

    def fix(self, trunk_id: str) -> None:
        """Say of a trunk that it is not saved: it has no name to change, and its place is the end."""
        self._fixed.add(trunk_id)

    def is_fixed(self, trunk_id: str) -> bool:
        """Whether a trunk is of this run only."""
        return trunk_id in self._fixed

    def set_trunks(self, trunks: Iterable[Trunk]) -> None:
        """Show exactly these; a watch is kept as long as its trunk is."""
        wanted = {trunk.id: trunk for trunk in trunks}
        self._remove_others(wanted)
        for watch in self._watches:
            watch.set_trunk(wanted[watch.trunk.id])
        self._sort([trunk_id for trunk_id in wanted if trunk_id in self._rows])
        self._insert_new(list(wanted.values()))

    def take(self, notice: Notice) -> None:
        """Hand a notice to its trunk's watch; of a trunk just removed, nothing is shown any more."""
        watch = self.watch(notice.trunk_id)
        if watch is None:
            return
        if watch.trunk.id not in self._woken:
            self._woken.add(watch.trunk.id)
            watch.calls_counted.connect(self._on_watch_changed)
            self.watch_woken.emit(watch)
        watch.take(notice)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._watches)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if not index.isValid():
            # Between rows, not into one
            return flags | Qt.ItemFlag.ItemIsDropEnabled
        if self._watches[index.row()].trunk.id in self._fixed:
            return flags
        return flags | Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemIsEditable

    def supportedDropActions(self) -> Qt.DropAction:  # noqa: N802  Qt's name
        return Qt.DropAction.MoveAction

    def setData(  # noqa: N802  Qt's name
        self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        if role != Qt.ItemDataRole.EditRole or not 0 <= index.row() < len(self._watches):
            return False
        trunk = self._watches[index.row()].trunk
        name = str(value).strip()
        if name and name != trunk.name:
            # The list shows it once it is saved
            self.rename_asked.emit(trunk.id, name)
        return True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self._watches):
            return None
        watch = self._watches[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return cell(watch.trunk.name)
            case Qt.ItemDataRole.EditRole:
                return watch.trunk.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return cell(f"{watch.trunk.name}, {self._state(watch)}, {watch.trunk.host}")
            case Qt.ItemDataRole.ToolTipRole:
                return tool_tip(f"{watch.trunk.name}\n{self._state(watch)}\n{watch.cause}")
            case TrunkRole.WATCH:
                return watch
            case TrunkRole.FILTER:
                return "\n".join((watch.trunk.name, watch.trunk.host, watch.trunk.user))
        return None

    def _state(self, watch: TrunkWatch) -> str:
        return list_state_word(watch.state, watch.trunk)

    # Each of these goes through the list once, however much changes

    def _remove_others(self, wanted: dict[str, Trunk]) -> None:
        gone: list[TrunkWatch] = []
        last = len(self._watches) - 1
        while last >= 0:
            first = last
            while first >= 0 and self._watches[first].trunk.id not in wanted:
                first -= 1
            if first < last:
                self.beginRemoveRows(QModelIndex(), first + 1, last)
                gone += self._watches[first + 1 : last + 1]
                del self._watches[first + 1 : last + 1]
                self._number()
                self.endRemoveRows()
            last = first - 1
        for watch in gone:
            self._woken.discard(watch.trunk.id)
            self.watch_removed.emit(watch)
            watch.deleteLater()

    def _sort(self, ids: Sequence[str]) -> None:
        ordered = [self._watches[self._rows[trunk_id]] for trunk_id in ids]
        if ordered == self._watches:
            return
        self.layoutAboutToBeChanged.emit()
        before = self._watches
        self._watches = ordered
        self._number()
        for index in self.persistentIndexList():
            watch = before[index.row()]
            self.changePersistentIndex(index, self.index(self._rows[watch.trunk.id]))
        self.layoutChanged.emit()

    def _insert_new(self, wanted: Sequence[Trunk]) -> None:
        row = 0
        while row < len(wanted):
            end = row
            while end < len(wanted) and wanted[end].id not in self._rows:
                end += 1
            if end > row:
                self._insert(row, wanted[row:end])
            row = end + 1

    def _insert(self, row: int, trunks: Sequence[Trunk]) -> None:
        new = [TrunkWatch(trunk, self) for trunk in trunks]
        self.beginInsertRows(QModelIndex(), row, row + len(new) - 1)
        self._watches[row:row] = new
        self._number()
        self.endInsertRows()
        for watch in new:
            watch.changed.connect(self._on_watch_changed)

    def _number(self) -> None:
        self._rows = {watch.trunk.id: row for row, watch in enumerate(self._watches)}

    def _on_watch_changed(self) -> None:
        watch = self.sender()
        if isinstance(watch, TrunkWatch) and self.watch(watch.trunk.id) is watch:
            at = self.index(self.row(watch.trunk.id))
            self.dataChanged.emit(at, at)


class TrunkFilter(QSortFilterProxyModel):
    """Keeps the trunks whose name, host or user has the typed text in it."""

    def __init__(self, source: TrunkList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSourceModel(source)
        self.setFilterRole(TrunkRole.FILTER)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    @property
    def filters(self) -> bool:
        """Whether some may be hidden."""
        return bool(self.filterRegularExpression().pattern())

    def set_text(self, text: str) -> None:
        """Filter by this text; empty shows all."""
        self.setFilterFixedString(text.strip())
