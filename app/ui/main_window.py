"""The main window: trunks on the left, the chosen one on the right."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, Signal
from PySide6.QtGui import QCloseEvent, QPaintEvent
from PySide6.QtWidgets import (
    QMainWindow,
    QVBoxLayout,
    QWidget,
)

from app.errors import UserError
from app.model.trunk import Trunk
from app.model.visible import one_line
from app.ui.bridge import DeskBridge, FirstLook
from app.ui.bugs import BugReporter
from app.ui.closing import Closing
from app.ui.main_stack import MainStack
from app.ui.models.trunk_list import TrunkList
from app.ui.storage_notes import StorageNotes
from app.ui.style import Tone
from app.ui.tool_bar import ToolBar
from app.ui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from app.desk import Desk
    from app.model.settings import Mended
    from app.paths import Paths
    from app.sip.notices import Notice
    from app.ui.call_alert import CallAlert
    from app.ui.demo_run import DemoRun
    from app.ui.trunk_keeping import TrunkKeeping
    from app.ui.trunk_page import TrunkPage
    from app.ui.trunk_pane import TrunkPane
    from app.ui.widgets.banner import Banner
    from app.ui.widgets.log_panel import LogPanel

REMEMBERED = _GEOMETRY, _SPLIT, _CHOSEN = "geometry", "split", "trunk"
"""What the window remembers from one run to the next."""


class MainWindow(QMainWindow):
    """Everything on screen; owns the pages, not the bridge.

    Args:
        bridge: To the desk; not started yet.
        paths: Where data and logs are, for those who ask.

    Signals:
        painted: It is on screen for the first time.

    Attributes:
        ready: Whether the desk is there and its trunks are shown.
    """

    painted = Signal()

    def __init__(self, bridge: DeskBridge, paths: Paths | None = None) -> None:
        super().__init__()
        self._paths = paths
        self._painted = False
        self.setWindowTitle("Ringback")
        self.resize(960, 640)
        self.setMinimumSize(880, 480)
        self._bridge = bridge
        self._closing = Closing(self, bridge, self._calls_up, self._remembered, lambda: self.stack.unsaved)
        self.ready = False
        self._remembered_trunk = ""
        self.bugs = BugReporter(self)
        self.trunks = TrunkList(self)
        self.notes = StorageNotes(bridge, lambda: self.banner, self)
        self._build()
        self._connect()

    # Building

    def _build(self) -> None:
        self.tool_bar = ToolBar()
        self.addToolBar(self.tool_bar)
        self.stack = MainStack(self._bridge, lambda: self.pane.names())
        middle = QWidget()
        self._column = QVBoxLayout(middle)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._top = QVBoxLayout()
        self._column.addLayout(self._top)
        self._column.addWidget(self.stack, 1)
        self.setCentralWidget(middle)
        self.status = StatusLine()
        self.setStatusBar(self.status)

    def _connect(self) -> None:
        bar = self.tool_bar
        bar.add_trunk.triggered.connect(self.show_wizard)
        bar.place_call.triggered.connect(self._on_call_asked)
        bar.start_demo.triggered.connect(self.start_demo)
        bar.import_trunks.triggered.connect(lambda: self.keeping.ask_import())
        bar.export_trunks.triggered.connect(lambda: self.keeping.ask_export())
        bar.show_log.toggled.connect(self._on_log_toggled)
        bar.about.triggered.connect(self._on_about_asked)
        bar.quit.triggered.connect(self.close)
        bar.filter.textChanged.connect(lambda text: self.pane.set_filter(text))
        self.status.log_button.toggled.connect(bar.show_log.setChecked)
        self.stack.add_asked.connect(self.show_wizard)
        self.stack.demo_asked.connect(self.start_demo)
        self.stack.added.connect(self._on_added)
        self.stack.cancelled.connect(self._on_add_cancelled)
        self.stack.password_asked.connect(self.notes.ask_vault)
        self.stack.quit_asked.connect(self.close)
        self.notes.keyring_known.connect(self.stack.set_keyring)
        # The first look shows trunks before it is known whether their settings are still valid
        self.notes.trunks_unread.connect(self._refresh_trunks)
        self.trunks.watch_woken.connect(lambda watch: self._alert.follow(watch))
        self._bridge.looked.connect(self._on_known)
        self._bridge.ready.connect(self._on_ready)
        self._bridge.unusable.connect(self._on_unusable)
        self._bridge.notice.connect(self._on_notice)
        self._bridge.refused.connect(self._on_refused)
        self._bridge.bug.connect(self.bugs.report)
        self._closing.begun.connect(self._on_closing_begun)
        self._closing.desk_lost.connect(self._on_desk_lost)
        self._enable_actions()

    # Parts that the first paint does without, imported when they are needed

    @cached_property
    def pane(self) -> TrunkPane:
        """The list and the page of the chosen trunk."""
        from app.ui.trunk_pane import TrunkPane

        made = TrunkPane(self._bridge, self.trunks, self._paths.recordings if self._paths else None)
        made.chosen_changed.connect(self._on_chosen_changed)
        made.saved.connect(self._on_saved)
        made.delete_asked.connect(lambda trunk_id: self.keeping.delete(trunk_id))
        made.list.delete_asked.connect(lambda trunk_id: self.keeping.delete(trunk_id))
        made.list.order_asked.connect(lambda trunk_ids: self.keeping.set_order(trunk_ids))
        made.list.menu_asked.connect(lambda watch, place: self.keeping.show_menu(watch, place))
        self.trunks.rename_asked.connect(lambda trunk_id, name: self.keeping.rename(trunk_id, name))
        self.stack.addWidget(made)
        return made

    @cached_property
    def keeping(self) -> TrunkKeeping:
        """What can be done with trunks that are there."""
        from app.ui.trunk_keeping import TrunkKeeping

        made = TrunkKeeping(self._bridge, self.trunks, self.pane, self.stack, lambda: self.banner)
        made.changed.connect(self._on_kept)
        made.left.connect(self._on_add_cancelled)
        return made

    @cached_property
    def _alert(self) -> CallAlert:
        from app.ui.call_alert import CallAlert

        return CallAlert(self, lambda: self.banner, self.pane.shows_calls, self.show_calls)

    @cached_property
    def banner(self) -> Banner:
        """The line for notes."""
        from app.ui.widgets.banner import Banner

        made = Banner()
        self._top.insertWidget(0, made)
        return made

    @cached_property
    def demo(self) -> DemoRun:
        """The strip with the demo's steps."""
        from app.ui.demo_run import DemoRun

        made = DemoRun(self._bridge)
        made.trunks_known.connect(self._on_demo_trunk)
        made.calling.connect(self._on_demo_calling)
        made.add_asked.connect(self.show_wizard)
        self._top.addWidget(made)
        return made

    @cached_property
    def log(self) -> LogPanel:
        """The lines that the status bar has shown."""
        from app.ui.widgets.log_panel import LogPanel

        made = LogPanel()
        self._column.addWidget(made)
        return made

    # What can be asked for

    def show_wizard(self) -> None:
        """Go to the wizard for a new trunk."""
        if self.ready:
            self.stack.show_wizard()

    def start_demo(self) -> None:
        """Run the demo."""
        if self.ready:
            self._show_list()
            self.demo.start()

    def choose(self, trunk_id: str) -> TrunkPage | None:
        """Select a trunk and show its page."""
        if self.pane.choose(trunk_id) is None:
            # The filter may hide it
            self.tool_bar.filter.clear()
        page = self.pane.choose(trunk_id)
        if page:
            self._show_list()
        return page

    def show_calls(self, trunk_id: str) -> None:
        """Select a trunk and go to its calls."""
        page = self.choose(trunk_id)
        if page:
            page.show_calls()

    @property
    def chosen(self) -> TrunkPage | None:
        """The page of the chosen trunk."""
        return self.pane.chosen if self.trunks.watches else None

    # The desk

    def _on_ready(self) -> None:
        self._bridge.submit(self, self._warm_up)
        # Calls that the window shows are for a person, who hears and speaks
        self._bridge.submit(self, lambda desk: desk.use_audio())
        # Calls that a former run has left open are marked, and old ones deleted
        self._bridge.submit(self, lambda desk: desk.history.open())
        if self.ready:
            return

        async def work(desk: Desk) -> FirstLook:
            recalled = {key: desk.recall(key) for key in REMEMBERED}
            return FirstLook(trunks=desk.trunks(), recalled=recalled)

        self._bridge.submit(self, work, self._on_known)

    @staticmethod
    async def _warm_up(_desk: Desk) -> None:
        import asyncio

        from app.ui.warm_up import warm_up

        await asyncio.to_thread(warm_up)

    def _on_known(self, known: FirstLook) -> None:
        trunks, remembered = known.trunks, known.recalled
        self.ready = True
        if remembered[_GEOMETRY]:
            self.restoreGeometry(QByteArray.fromBase64(remembered[_GEOMETRY].encode()))
        if trunks and remembered[_SPLIT]:
            self.pane.restoreState(QByteArray.fromBase64(remembered[_SPLIT].encode()))
        self._remembered_trunk = remembered[_CHOSEN]
        self.notes.ask_store()
        self._set_trunks(trunks)
        self._enable_actions()

    def _on_unusable(self, error: UserError) -> None:
        self.stack.show_failure(error)
        self._enable_actions()

    def _on_refused(self, error: UserError) -> None:
        self.banner.show_note(str(error), Tone.BAD)

    def _on_notice(self, notice: Notice) -> None:
        from app.ui.notice_lines import notice_line

        watch = self.trunks.watch(notice.trunk_id)
        if not watch:
            return
        self.trunks.take(notice)
        line = notice_line(notice, watch.trunk.name)
        if line:
            self.say(line)

    def say(self, line: str) -> None:
        """Put a line into the status bar and the log."""
        self.status.show_line(line)
        self.log.add(line)

    def _refresh_trunks(self, then: Callable[[], object] | None = None) -> None:
        async def work(desk: Desk) -> tuple[Trunk, ...]:
            return desk.trunks()

        def done(trunks: tuple[Trunk, ...]) -> None:
            self._set_trunks(trunks)
            if then:
                then()

        self._bridge.submit(self, work, done)

    # Trunks

    def _set_trunks(self, trunks: tuple[Trunk, ...]) -> None:
        self.trunks.set_trunks(trunks)
        if not trunks:
            # Not away from a wizard or an import that is being looked at
            if not self.stack.filling_in and not self._importing:
                self._show_start()
        elif not self.chosen and not self.tool_bar.filter.text():
            known = {trunk.id for trunk in trunks}
            chosen = self._remembered_trunk
            self.choose(chosen if chosen in known else trunks[0].id)
            self.pane.list.setFocus()
        self._note_passwords()
        self._enable_actions()

    def _note_passwords(self) -> None:
        """Find out where passwords are kept, once a saved trunk has one."""
        saved = map(self.trunks.watch, self.trunks.ids)
        if any(watch.trunk.needs_password for watch in saved if watch):
            self.notes.ask_vault()

    @property
    def _importing(self) -> bool:
        return "keeping" in self.__dict__ and self.keeping.import_page is self.stack.currentWidget()

    def _on_kept(self, trunk_id: str) -> None:
        self._refresh_trunks(partial(self.choose, trunk_id) if trunk_id else None)

    def _on_chosen_changed(self) -> None:
        if self.chosen:
            self._show_list()
        self._enable_actions()

    def _on_added(self, trunk: Trunk, mended: tuple[Mended, ...]) -> None:
        for note in mended:
            self.say(f"{one_line(trunk.name)}: {note.what}")

        def connect_it() -> None:
            page = self.choose(trunk.id)
            if page:
                page.overview.connect_trunk()

        self._refresh_trunks(connect_it)

    def _on_saved(self, trunk: Trunk, connect_again: bool) -> None:
        watch = self.trunks.watch(trunk.id)
        if watch:
            watch.set_trunk(trunk)
        self._note_passwords()
        page = self.pane.pages.get(trunk.id)
        if page and connect_again:
            page.overview.connect_trunk()

    # The demo

    def _on_demo_trunk(self, trunk: Trunk, trunks: tuple[Trunk, ...]) -> None:
        self.pane.mark_this_run(trunk)
        self._set_trunks(trunks)
        self.choose(trunk.id)
        watch = self.trunks.watch(trunk.id)
        if watch:
            self.demo.follow(watch)

    def _on_demo_calling(self, trunk_id: str, number: str) -> None:
        page = self.choose(trunk_id)
        if page:
            page.calls.set_number(number)
            page.show_calls()

    # Calls

    def _on_call_asked(self) -> None:
        page = self.chosen
        if page:
            self._show_list()
            page.show_calls()

    # What is shown

    def _show_start(self) -> None:
        if "demo" in self.__dict__ and self.demo.running:
            return
        self.stack.show_start()

    def _show_list(self) -> None:
        self.stack.setCurrentWidget(self.pane)

    def _on_add_cancelled(self) -> None:
        if self.trunks.watches:
            self._show_list()
            # Else Qt gives the focus to the filter, where Up and Down do nothing
            self.pane.list.setFocus()
        else:
            self._show_start()

    def _enable_actions(self) -> None:
        bar, some = self.tool_bar, bool(self.trunks.watches)
        bar.add_trunk.setEnabled(self.ready)
        bar.start_demo.setEnabled(self.ready)
        bar.place_call.setEnabled(self.chosen is not None)
        bar.filter.setEnabled(some)
        bar.import_trunks.setEnabled(self.ready)
        bar.export_trunks.setEnabled(bool(self.trunks.ids))

    def _on_about_asked(self) -> None:
        from app.ui.about import show_about

        show_about(self, self._paths)

    def _on_log_toggled(self, shown: bool) -> None:
        self.log.setVisible(shown)
        self.status.log_button.setChecked(shown)

    # Closing

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._closing.allowed:
            event.accept()
            return
        event.ignore()
        self._closing.ask()

    def close_now(self) -> None:
        """Hang up, sign out, remember the window, and close when that is done; asks nothing."""
        self._closing.now()

    def _calls_up(self) -> int:
        return sum(len(watch.active_calls) for watch in self.trunks.watches)

    def _remembered(self) -> dict[str, str] | None:
        if not self.ready:
            return None
        return {
            _GEOMETRY: self.saveGeometry().toBase64().toStdString(),
            _SPLIT: self.pane.saveState().toBase64().toStdString() if self.trunks.watches else "",
            _CHOSEN: self.chosen.watch.trunk.id if self.chosen else "",
        }

    def _on_closing_begun(self) -> None:
        self.stack.drop_wizard()
        self.status.show_line(self.tr("Signing out…"))
        self.stack.setEnabled(False)

    def _on_desk_lost(self) -> None:
        was_ready, self.ready = self.ready, False
        if was_ready:
            self._on_unusable(
                UserError(
                    self.tr("The part of Ringback that does the work has stopped."),
                    do=self.tr("Close Ringback and open it again."),
                )
            )

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            self.painted.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "tool_bar"):
            self.tool_bar.retint()
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow() and self.ready:
            # The command line may have added or changed a trunk meanwhile
            self._refresh_trunks()
