"""The trunks on the left and the page of the chosen one on the right."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QSplitter, QStackedWidget, QWidget

from app.model.trunk import Trunk
from app.ui.bridge import DeskBridge
from app.ui.models.trunk_list import TrunkFilter, TrunkList, TrunkRole
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.style import GRID
from app.ui.trunk_page import TrunkPage
from app.ui.widgets.trunk_list_view import TrunkListView

_LIST_WIDTH = 30 * GRID
_PAGE_WIDTH = 90 * GRID


class TrunkPane(QSplitter):
    """Owns the list and the pages; a page is made when its trunk is first chosen.

    Args:
        bridge: To the desk.
        trunks: All trunks.
        recordings: As in `CallPage`.

    Attributes:
        pages: By trunk id, those made so far.

    Signals:
        chosen_changed: Another trunk is chosen, or was clicked again.
        saved: As in `TrunkPage`.
        delete_asked: As in `TrunkPage`.
    """

    chosen_changed = Signal()
    saved = Signal(object, bool)
    delete_asked = Signal(str)

    def __init__(
        self,
        bridge: DeskBridge,
        trunks: TrunkList,
        recordings: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._bridge = bridge
        self._trunks = trunks
        self._recordings = recordings
        self._filter = TrunkFilter(trunks, self)
        self.pages: dict[str, TrunkPage] = {}
        self.list = TrunkListView(self._filter, trunks)
        self._right = QStackedWidget()
        self._right.addWidget(QWidget())
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)
        self.addWidget(self.list)
        self.addWidget(self._right)
        self.setStretchFactor(1, 1)
        self.setSizes([_LIST_WIDTH, _PAGE_WIDTH])
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)
        self.list.clicked.connect(self._on_current_changed)
        trunks.watch_removed.connect(self._on_watch_removed)

    @property
    def chosen(self) -> TrunkPage | None:
        """The page of the chosen trunk."""
        watch = self.list.currentIndex().data(TrunkRole.WATCH)
        return self.page(watch) if isinstance(watch, TrunkWatch) else None

    def choose(self, trunk_id: str) -> TrunkPage | None:
        """Select a trunk; None when it is not there, or the filter hides it."""
        watch = self._trunks.watch(trunk_id)
        if not watch:
            return None
        at = self._filter.mapFromSource(self._trunks.index(self._trunks.row(trunk_id)))
        if not at.isValid():
            return None
        self.list.setCurrentIndex(at)
        return self.page(watch)

    def set_filter(self, text: str) -> None:
        """Show only the trunks with this text in name, host or user."""
        self._filter.set_text(text)
        self.list.refresh_dragging()

    def mark_this_run(self, trunk: Trunk) -> None:
        """Say of a trunk that it is not saved, and so has no settings to change."""
        self._trunks.fix(trunk.id)

    def names(self, without: str = "") -> tuple[str, ...]:
        """The names of the trunks, but for the one with this id."""
        return tuple(watch.trunk.name for watch in self._trunks.watches if watch.trunk.id != without)

    def shows_calls(self, watch: TrunkWatch) -> bool:
        """Whether the calls of this trunk are on screen."""
        page = self.pages.get(watch.trunk.id)
        return page is not None and page.shows_calls

    def page(self, watch: TrunkWatch) -> TrunkPage:
        """The page of a trunk."""
        trunk_id = watch.trunk.id
        page = self.pages.get(trunk_id)
        if page is None:
            page = TrunkPage(
                self._bridge,
                watch,
                lambda: self.names(without=trunk_id),
                saved_here=not self._trunks.is_fixed(trunk_id),
                recordings=self._recordings,
            )
            page.saved.connect(self.saved)
            page.delete_asked.connect(self.delete_asked)
            page.call_asked.connect(self._on_call_asked)
            self.pages[trunk_id] = page
            self._right.addWidget(page)
        return page

    def _on_call_asked(self, trunk_id: str, number: str) -> None:
        """Through the trunk of that call, or through the chosen one when it is gone."""
        page = self.choose(trunk_id) or self.chosen
        if page:
            page.show_calls()
            page.calls.call_number(number)

    def _on_watch_removed(self, watch: TrunkWatch) -> None:
        page = self.pages.pop(watch.trunk.id, None)
        if page:
            self._right.removeWidget(page)
            page.deleteLater()

    def _on_current_changed(self, current: QModelIndex) -> None:
        watch = current.data(TrunkRole.WATCH)
        if isinstance(watch, TrunkWatch):
            self._right.setCurrentWidget(self.page(watch))
        else:
            self._right.setCurrentIndex(0)
        self.chosen_changed.emit()
