"""The calls that were made through a trunk, or through all of them, and what came of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QEvent, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QFileDialog, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.errors import UserError
from app.model.history import HistoryDetails, HistoryEntry, HistoryQuery
from app.model.visible import one_line
from app.sip.notices import HistoryChanged, Notice
from app.ui.bridge import DeskBridge, Submission
from app.ui.history_words import count_words, kept_words, party
from app.ui.models.history_table import HistoryTable
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.questions import ask_before_deleting_calls
from app.ui.style import GRID
from app.ui.widgets.history_details import HistoryDetailsPane
from app.ui.widgets.history_filters import HistoryFilters
from app.ui.widgets.history_foot import HistoryFoot
from app.ui.widgets.history_note import HistoryNote
from app.ui.widgets.history_view import HistoryView

if TYPE_CHECKING:
    from app.desk import Desk

PAGE = 200
"""Calls that are read at a time."""


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a query.

    Attributes:
        entries: The first page.
        count: How many calls there are in all.
        keep_days: How long calls are kept.
    """

    entries: tuple[HistoryEntry, ...]
    count: int
    keep_days: int


class HistoryPage(QWidget):
    """Search, table, details.

    Args:
        bridge: To the desk.
        watch: The trunk whose page this is on.

    Signals:
        call_asked: Call again: carries the trunk's id and the number.
        trace_asked: The trace of a call is wanted: carries the trunk's id and the Call-ID. Whoever has it not
            says so with `show_messages`.
        field_asked: A finding's setting is to be changed; carries its key.
    """

    call_asked = Signal(str, str)
    trace_asked = Signal(str, str)
    field_asked = Signal(str)

    def __init__(self, bridge: DeskBridge, watch: TrunkWatch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._watch = watch
        self._count = 0
        self._stale = True
        self._asked: Submission | None = None
        self._asked_details: Submission | None = None
        self.table = HistoryTable(self)
        self._build()
        self._connect_parts()

    def _build(self) -> None:
        self.filters = HistoryFilters()
        self.view = HistoryView(self.table)
        self.details = HistoryDetailsPane()
        self.note = HistoryNote()
        self.foot = HistoryFoot()
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self.view)
        self._split.addWidget(self.details)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.note)
        self._stack.addWidget(self._split)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addWidget(self.filters)
        column.addWidget(self._stack, 1)
        column.addWidget(self.foot)
        self.note.show_loading()

    def _connect_parts(self) -> None:
        self.filters.changed.connect(self.reload)
        self.filters.search.left_down.connect(self._on_left_down)
        self.table.more_asked.connect(self._read_more)
        self.view.selectionModel().currentRowChanged.connect(self._on_row_changed)
        self.view.delete_asked.connect(self.ask_delete)
        self.view.copy_asked.connect(self.details.copy)
        self.details.again_asked.connect(self._on_again_asked)
        self.details.trace_asked.connect(self._on_trace_asked)
        self.details.delete_asked.connect(self.ask_delete)
        self.details.field_asked.connect(self.field_asked)
        self.note.retry_asked.connect(self.reload)
        self.note.all_asked.connect(self.filters.reset)
        self.foot.keep_asked.connect(self._on_keep_asked)
        self.foot.delete_asked.connect(self.ask_delete_all)
        self.foot.export_asked.connect(self.ask_export)
        self._bridge.notice.connect(self._on_notice)

    # What it says

    @property
    def chosen(self) -> HistoryEntry | None:
        """The call that is chosen in the table."""
        row = self.view.currentIndex().row()
        return self.table.entry(row) if 0 <= row < self.table.rowCount() else None

    def show_messages(self) -> None:
        """Show the messages that were kept of the chosen call."""
        self.details.show_messages()

    # Reading

    @property
    def _query(self) -> HistoryQuery:
        return self.filters.query(self._watch.trunk.id)

    def reload(self) -> None:
        """Read the calls anew."""
        query = self._query
        self._stale = False

        async def work(desk: Desk) -> _Found:
            entries = await desk.history.page(query, limit=PAGE)
            count = len(entries) if len(entries) < PAGE else await desk.history.count(query)
            return _Found(entries=entries, count=count, keep_days=desk.history.keep_days)

        if self._asked:
            self._asked.drop()
        self._asked = self._bridge.submit(self, work, self._on_found, self._on_failed)
        self.view.show_trunks(self.filters.all_trunks)

    def _on_found(self, found: _Found) -> None:
        self._count = found.count
        self.foot.show_keep_days(found.keep_days)
        loaded = self.table.entries
        if list(found.entries) != list(loaded[: len(found.entries)]) or len(loaded) > found.count:
            chosen = self.chosen
            self.table.show_page(found.entries, more=len(found.entries) == PAGE)
            self._choose(self.table.row_of(chosen.id) if chosen else 0)
        self._refresh()

    def _on_failed(self, error: UserError) -> None:
        self._count = 0
        self.table.show_page((), more=False)
        self.foot.show_count(0)
        self.note.show_error(error)
        self._show_note()

    def _read_more(self) -> None:
        query, below = self._query, self.table.entries[-1]

        async def work(desk: Desk) -> tuple[HistoryEntry, ...]:
            return await desk.history.page(query, below=below, limit=PAGE)

        def done(entries: tuple[HistoryEntry, ...]) -> None:
            # Not behind what another query has found meanwhile
            if self.table.entries and self.table.entries[-1] is below:
                self.table.add_page(entries, more=len(entries) == PAGE)

        def failed(error: UserError) -> None:
            self.table.stop_waiting()
            self._bridge.refused.emit(error)

        self._bridge.submit(self, work, done, failed)

    def _on_notice(self, notice: Notice) -> None:
        if not isinstance(notice, HistoryChanged):
            return
        if not self.isVisible():
            self._stale = True
            return
        query, entry_id = self._query, notice.entry_id

        async def work(desk: Desk) -> tuple[HistoryEntry | None, int]:
            return await desk.history.find(query, entry_id), await desk.history.count(query)

        def done(answer: tuple[HistoryEntry | None, int]) -> None:
            if query == self._query:
                self._on_changed(entry_id, *answer)

        self._bridge.submit(self, work, done, lambda _: None)

    def _on_changed(self, entry_id: int, entry: HistoryEntry | None, count: int) -> None:
        self._count = count
        if entry is None:
            self.table.drop(entry_id)
        else:
            self.table.put(entry)
        self._refresh()
        if self.chosen is None and self.table.rowCount():
            self._choose(0)
        elif self.chosen and self.chosen.id == entry_id:
            self._read_details(entry_id)

    # What is shown

    def _refresh(self) -> None:
        self.foot.show_count(self._count)
        if self.table.rowCount():
            self._stack.setCurrentWidget(self._split)
            return
        if self.filters.narrowed:
            self.note.show_nothing_found()
        else:
            self.note.show_empty(kept_words(self.foot.keep_days), all_trunks=self.filters.all_trunks)
        self._show_note()

    def _show_note(self) -> None:
        self._stack.setCurrentWidget(self.note)
        self.details.show_call(None)

    def _choose(self, row: int) -> None:
        if 0 <= row < self.table.rowCount():
            self.view.setCurrentIndex(self.table.index(row, 0))
        else:
            self.details.show_call(None)

    def _on_row_changed(self, current: QModelIndex) -> None:
        if current.isValid():
            self._read_details(self.table.entry(current.row()).id)

    def _read_details(self, entry_id: int) -> None:
        def done(call: HistoryDetails | None) -> None:
            if call is None:
                self.table.drop(entry_id)
                self._refresh()
            elif self.chosen and self.chosen.id == entry_id:
                self.details.show_call(call)

        if self._asked_details:
            self._asked_details.drop()
        self._asked_details = self._bridge.submit(
            self, lambda desk: desk.history.details(entry_id), done, self._on_failed
        )

    def _on_left_down(self) -> None:
        if self.table.rowCount():
            self.view.setFocus()

    # What can be done with calls

    def _on_again_asked(self) -> None:
        if self.details.call:
            entry = self.details.call.entry
            self.call_asked.emit(entry.trunk_id, entry.to_call)

    def _on_trace_asked(self) -> None:
        if self.details.call:
            self.trace_asked.emit(self.details.call.entry.trunk_id, self.details.call.sip_call_id)

    def ask_delete(self) -> None:
        """Delete the chosen call, after a question."""
        entry = self.chosen
        if entry is None or entry.running:
            return
        words = self.tr("the call with {number}").format(number=party(entry))

        def delete() -> None:
            self._bridge.submit(
                self, lambda desk: desk.history.delete(entry.id), lambda _: self._on_deleted(entry)
            )

        ask_before_deleting_calls(self.window(), words, delete)

    def _on_deleted(self, entry: HistoryEntry) -> None:
        self._count = max(0, self._count - 1)
        self.table.drop(entry.id)
        self._refresh()
        self.view.setFocus()

    def ask_delete_all(self) -> None:
        """Delete all calls that are found, after a question."""
        query = self._query
        which = count_words(self._count)
        if self.filters.narrowed:
            words = self.tr("the {count} found here")
        elif self.filters.all_trunks:
            words = self.tr("all calls of all trunks ({count})")
        else:
            words = self.tr("all calls of {trunk} ({count})")

        def delete() -> None:
            self._bridge.submit(self, lambda desk: desk.history.clear(query), lambda _: self.reload())

        ask_before_deleting_calls(
            self.window(), words.format(count=which, trunk=one_line(self._watch.trunk.name)), delete
        )

    def ask_export(self) -> None:
        """Write the calls that are found to a file of the person's choice."""
        name, _ = QFileDialog.getSaveFileName(
            self, self.tr("Export calls"), "calls.csv", self.tr("Table (*.csv)")
        )
        if name:
            self.write_csv(Path(name))

    def write_csv(self, file: Path) -> None:
        """Write the calls that are found to a file."""
        query = self._query
        path = file if file.suffix else file.with_suffix(".csv")

        def done(count: int) -> None:
            words = self.tr("{calls} written to {name}")
            self.foot.say(words.format(calls=count_words(count), name=one_line(path.name)))

        self.foot.say(self.tr("Writing {name}…").format(name=one_line(path.name)))
        self._bridge.submit(
            self, lambda desk: desk.history.export_csv(query, path), done, self._on_export_failed
        )

    def _on_export_failed(self, error: UserError) -> None:
        self._refresh()
        self._bridge.refused.emit(error)

    def _on_keep_asked(self, days: int) -> None:
        def failed(error: UserError) -> None:
            self._bridge.refused.emit(error)
            self.reload()

        self._bridge.submit(
            self, lambda desk: desk.history.set_keep_days(days), lambda _: self.reload(), failed
        )

    # As Qt tells it

    def event(self, event: QEvent) -> bool:
        # The window has the same keys for its own filter; in here they are for the calls
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.matches(QKeySequence.StandardKey.Find)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Find):
            self.filters.search.setFocus()
            self.filters.search.selectAll()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.reload()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "table"):
            self.table.retint()
        # A command line may have made a call meanwhile
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            if self.isVisible():
                self.reload()
            else:
                self._stale = True
