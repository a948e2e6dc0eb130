"""Which server is the nearest: asks all of them, and lists them by the time of their answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.model.trunk import Transport
from app.sip.nearest import LIMIT_S, Reply, ServerAddress
from app.ui.bridge import DeskBridge, Submission
from app.ui.plain_text import cell
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.selection import paint_focus
from app.ui.widgets.text import Text, TextRole
from app.ui.wizards.answer_form import INDENT

if TYPE_CHECKING:
    from app.desk import Desk

_MOST_ROWS = 8
_WIDTH = 72 * GRID


class NearestPanel(QWidget):
    """A button, then progress and a way to stop, then a table.

    Args:
        bridge: To the desk.

    Signals:
        chosen: A server was chosen from the table; carries its host.
        ended: All have answered, or are not going to.
    """

    chosen = Signal(str)
    ended = Signal()

    def __init__(self, bridge: DeskBridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._servers: tuple[ServerAddress, ...] = ()
        self._regions: dict[str, str] = {}
        self._work: Submission | None = None
        self._replies: list[Reply] = []
        self.find_button = IconButton(self.tr("Find the nearest"), "filter")
        self.find_button.clicked.connect(self.start)
        self.stop_button = IconButton(self.tr("Stop"), "close")
        self.stop_button.setAccessibleName(self.tr("Stop looking for the nearest server"))
        self.stop_button.clicked.connect(self._on_stop_clicked)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(24 * GRID, GRID)
        self._bar.setAccessibleName(self.tr("Servers that have answered"))
        self._words = Text(
            self.tr("Asks each server once and measures how long its answer takes."),
            role=TextRole.SMALL,
            tone=Tone.QUIET,
        )
        row = QHBoxLayout()
        row.setSpacing(GRID)
        for part in (self.find_button, self._bar, self.stop_button):
            row.addWidget(part)
        row.addWidget(self._words, 1)
        self.table = self._make_table()
        column = QVBoxLayout(self)
        column.setContentsMargins(INDENT, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(row)
        column.addWidget(self.table)
        self._show_running(running=False)
        self.table.hide()
        self.hide()

    def _make_table(self) -> QTableWidget:
        table = _ServerTable(0, 3)
        table.setAccessibleName(self.tr("Servers, the nearest first"))
        table.setHorizontalHeaderLabels([self.tr("Server"), self.tr("Region"), self.tr("Answer")])
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + GRID)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for at in (1, 2):
            header.setSectionResizeMode(at, QHeaderView.ResizeMode.ResizeToContents)
        table.setMaximumWidth(_WIDTH)
        table.itemSelectionChanged.connect(self._on_selected)
        return table

    @property
    def stops(self) -> list[QWidget]:
        """Where the Tab key stops, in order."""
        return [self.find_button, self.stop_button, self.table]

    @property
    def running(self) -> bool:
        """Whether servers are being asked."""
        return self._work is not None

    @property
    def words(self) -> str:
        """What stands beside the button."""
        return self._words.text()

    def offer(self, hosts: Sequence[tuple[str, str]], port: int | None, transport: Transport) -> None:
        """Offer to compare these servers; what was found about others is taken away.

        Args:
            hosts: Each with its region; none hides the panel.
            port: Where to ask, or None to look it up.
            transport: How.
        """
        servers = tuple(ServerAddress(host=host, port=port, transport=transport) for host, _ in hosts)
        if servers != self._servers:
            self.stop()
            self._replies = []
            self._servers = servers
            self._regions = dict(hosts)
            self._show_replies()
        self.setVisible(bool(servers))

    def start(self) -> None:
        """Ask them all."""
        self.stop()
        self._replies = []
        self._show_replies()
        servers = self._servers
        self._bar.setRange(0, len(servers))
        self._bar.setValue(0)

        async def work(desk: Desk) -> tuple[Reply, ...]:
            return await desk.find_nearest(
                servers, lambda reply: self._bridge.post(self, lambda: self._on_reply(work, reply)), LIMIT_S
            )

        self._asked = work
        self._work = self._bridge.submit(self, work, self._on_all, self._on_failed)
        self._show_running(running=True)
        self.stop_button.setFocus()

    def stop(self) -> None:
        """Ask no more; what has answered stays."""
        if self._work:
            self._work.cancel()
            self._work = None
            self._show_running(running=False)

    def _on_stop_clicked(self) -> None:
        self.stop()
        reached = sum(reply.ms is not None for reply in self._replies)
        if reached:
            words = self.tr("Stopped; {count} have answered so far.").format(count=reached)
        else:
            words = self.tr("Stopped before any server answered.")
        self._words.setText(words)
        self.find_button.setFocus()

    def _on_reply(self, asked: object, reply: Reply) -> None:
        # News of a search that was stopped may still be under way
        if self._work and asked is self._asked:
            self._replies.append(reply)
            self._bar.setValue(len(self._replies))
            self._show_replies()

    def _on_all(self, replies: tuple[Reply, ...]) -> None:
        self._work = None
        self._replies = list(replies)
        self._show_running(running=False)
        self._show_replies()
        reached = [reply for reply in replies if reply.ms is not None]
        if reached:
            self._words.setText(self.tr("The nearest one is chosen. Choose another one if you like."))
            self.table.setFocus()
            self.table.selectRow(0)
        else:
            self._words.setText(
                self.tr("No server answered. Your network may block SIP. You can still choose one yourself.")
            )
            self.find_button.setFocus()
        self.ended.emit()

    def _on_failed(self, error: object) -> None:
        self._work = None
        self._show_running(running=False)
        self._words.setText(str(error))

    def _show_running(self, *, running: bool) -> None:
        self._bar.setVisible(running)
        self.stop_button.setVisible(running)
        self.find_button.setVisible(not running)
        if running:
            self._words.setText(self.tr("Asking {count} servers…").format(count=len(self._servers)))

    def _show_replies(self) -> None:
        order = sorted(self._replies, key=lambda reply: float("inf") if reply.ms is None else reply.ms)
        self.table.blockSignals(True)
        self.table.clearSelection()
        self.table.setRowCount(len(order))
        for at, reply in enumerate(order):
            answer = reply.words if reply.ms is None else f"{reply.ms:.0f} ms"
            host = reply.server.host
            for column, words in enumerate((host, self._regions.get(host, ""), answer)):
                item = QTableWidgetItem(cell(words))
                item.setData(Qt.ItemDataRole.UserRole, host)
                self.table.setItem(at, column, item)
        self.table.blockSignals(False)
        self.table.setVisible(bool(order))
        rows = min(len(self._servers), _MOST_ROWS)
        height = self.table.horizontalHeader().sizeHint().height() + 2 * self.table.frameWidth()
        self.table.setFixedHeight(height + rows * self.table.verticalHeader().defaultSectionSize())

    def _on_selected(self) -> None:
        items = self.table.selectedItems()
        if items:
            self.chosen.emit(items[0].data(Qt.ItemDataRole.UserRole))


class _ServerTable(QTableWidget):
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        paint_focus(self)
