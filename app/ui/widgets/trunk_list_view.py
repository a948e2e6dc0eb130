"""The list of trunks: chosen, dragged, renamed in place, and with a menu for each."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QDropEvent, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QWidget

from app.ui.models.trunk_list import TrunkFilter, TrunkList, TrunkRole
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.style import GRID
from app.ui.widgets.selection import paint_focus
from app.ui.widgets.trunk_delegate import TrunkDelegate


class TrunkListView(QListView):
    """Draws rows, has no widget for any of them.

    Args:
        shown: The trunks, as filtered.

    Signals:
        order_asked: The trunks are to stand in another order; carries the ids.
        menu_asked: Carries the `TrunkWatch` and where the menu belongs, in the screen's coordinates.
        delete_asked: The Delete key on a trunk; carries its id.
    """

    order_asked = Signal(object)
    menu_asked = Signal(object, QPoint)
    delete_asked = Signal(str)

    def __init__(self, shown: TrunkFilter, trunks: TrunkList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trunks = trunks
        self._shown = shown
        self.setModel(shown)
        self.setItemDelegate(TrunkDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Trunks"))
        self.setAccessibleDescription(
            self.tr("Alt and an arrow key move a trunk, F2 renames it, the menu key has more.")
        )
        self.setUniformItemSizes(True)
        self.setMinimumWidth(20 * GRID)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDropIndicatorShown(True)
        self.refresh_dragging()

    def refresh_dragging(self) -> None:
        """Rows can be dragged only while all of them are shown."""
        modes = QAbstractItemView.DragDropMode
        self.setDragDropMode(modes.NoDragDrop if self._shown.filters else modes.InternalMove)

    def move_by(self, step: int) -> None:
        """Move the chosen trunk up (-1) or down (1)."""
        watch = self.watch_at(self.currentIndex())
        if watch and not self._shown.filters:
            ids = list(self._trunks.ids)
            if watch.trunk.id in ids:
                self._move(watch.trunk.id, ids.index(watch.trunk.id) + step)

    def can_move(self, watch: TrunkWatch, step: int) -> bool:
        """Whether `move_by` would change anything."""
        ids = self._trunks.ids
        if self._shown.filters or watch.trunk.id not in ids:
            return False
        return 0 <= ids.index(watch.trunk.id) + step < len(ids)

    def rename_chosen(self) -> None:
        """Edit the chosen trunk's name in its place."""
        at = self.currentIndex()
        if at.flags() & Qt.ItemFlag.ItemIsEditable:
            self.edit(at)

    def watch_at(self, index: QModelIndex) -> TrunkWatch | None:
        """The trunk in a row."""
        watch = index.data(TrunkRole.WATCH)
        return watch if isinstance(watch, TrunkWatch) else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        alt = event.modifiers() == Qt.KeyboardModifier.AltModifier
        watch = self.watch_at(self.currentIndex())
        if alt and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_by(-1 if event.key() == Qt.Key.Key_Up else 1)
        elif event.key() == Qt.Key.Key_F2:
            # On macOS Qt has another key for it; both work there
            self.rename_chosen()
        elif event.key() == Qt.Key.Key_Delete and watch and not self._trunks.is_fixed(watch.trunk.id):
            self.delete_asked.emit(watch.trunk.id)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        paint_focus(self)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            at = self.currentIndex()
            place = self.visualRect(at).bottomLeft() + QPoint(2 * GRID, 0)
        else:
            at, place = self.indexAt(event.pos()), event.pos()
        watch = self.watch_at(at)
        if watch:
            self.menu_asked.emit(watch, self.viewport().mapToGlobal(place))

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802  Qt's name
        watch = self.watch_at(self.currentIndex())
        if event.source() is not self or not watch:
            return
        at = self.indexAt(event.position().toPoint())
        row = at.row() if at.isValid() else self._trunks.rowCount()
        if at.isValid() and self.dropIndicatorPosition() == self.DropIndicatorPosition.BelowItem:
            row += 1
        before = self._trunks.row(watch.trunk.id)
        # The view must not take the row out itself: the list is made anew from what is saved
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self._move(watch.trunk.id, row - 1 if row > before else row)

    def _move(self, trunk_id: str, row: int) -> None:
        ids = list(self._trunks.ids)
        row = max(0, min(row, len(ids) - 1))
        if ids.index(trunk_id) != row:
            ids.remove(trunk_id)
            ids.insert(row, trunk_id)
            self.order_asked.emit(tuple(ids))
