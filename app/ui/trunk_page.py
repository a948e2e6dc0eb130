"""The page of one trunk: its name and state, and its tabs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.bridge import DeskBridge
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.overview_page import OverviewPage
from app.ui.style import GRID, Tone
from app.ui.widgets.later import Later
from app.ui.widgets.state_mark import StateBadge
from app.ui.widgets.tabs import Tabs
from app.ui.widgets.text import ElidedText, TextRole
from app.ui.words import server_line, trunk_state_line

if TYPE_CHECKING:
    from pathlib import Path

    from app.ui.call_page import CallPage
    from app.ui.history_page import HistoryPage
    from app.ui.settings_page import SettingsPage
    from app.ui.trace_page import TracePage


class TrunkPage(QWidget):
    """Overview, calls, trace, history and settings of one trunk.

    Args:
        bridge: To the desk.
        watch: The trunk.
        taken_names: Gives the names of the other trunks.
        saved_here: Whether the trunk is kept in the data folder, and so has settings to change.
        recordings: As in `CallPage`.

    Signals:
        saved, delete_asked: As in `SettingsPage`.
        call_asked: A call of the history is to be placed again; carries its trunk's id and the number.
    """

    saved = Signal(object, bool)
    delete_asked = Signal(str)
    call_asked = Signal(str, str)

    def __init__(
        self,
        bridge: DeskBridge,
        watch: TrunkWatch,
        taken_names: Callable[[], Iterable[str]],
        *,
        saved_here: bool = True,
        recordings: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.watch = watch
        self.overview = OverviewPage(bridge, watch, saved_here=saved_here)
        self._bridge = bridge
        self._taken_names = taken_names
        self._recordings = recordings
        # The other tabs cost as much as the window; most of the time nobody looks at them all
        self._calls = Later(self._make_calls)
        self._trace = Later(self._make_trace)
        self._history = Later(self._make_history)
        self._settings = Later(self._make_settings) if saved_here else None
        self.tabs = Tabs(self.tr("Pages of the trunk"))
        # Brings the first tab into line with the title
        inset = QWidget()
        QHBoxLayout(inset).setContentsMargins(3 * GRID, 0, 0, 0)
        self.tabs.setCornerWidget(inset, Qt.Corner.TopLeftCorner)
        self.tabs.addTab(self.overview, self.tr("Overview"))
        self.tabs.addTab(self._calls.place, self.tr("Call"))
        self.tabs.addTab(self._trace.place, self.tr("Trace"))
        self.tabs.addTab(self._history.place, self.tr("History"))
        if self._settings:
            self.tabs.addTab(self._settings.place, self.tr("Settings"))
        self.overview.field_asked.connect(self.show_field)
        self.overview.call_asked.connect(self.show_calls)
        self.overview.saved.connect(self.saved)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2 * GRID, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(self._build_head())
        column.addWidget(self.tabs, 1)
        watch.changed.connect(self._refresh)
        self._refresh()

    @property
    def calls(self) -> CallPage:
        """The calls."""
        return self._calls.page

    @property
    def trace(self) -> TracePage:
        """The trace."""
        return self._trace.page

    @property
    def history(self) -> HistoryPage:
        """The calls that were made."""
        return self._history.page

    @property
    def settings(self) -> SettingsPage | None:
        """The settings, where there are any to change."""
        return self._settings.page if self._settings else None

    @property
    def shows_calls(self) -> bool:
        """Whether the calls are on screen."""
        return self.isVisible() and self.tabs.currentWidget() is self._calls.place

    @property
    def shows_settings(self) -> bool:
        """Whether the settings are the chosen tab."""
        return self._settings is not None and self.tabs.currentWidget() is self._settings.place

    def show_overview(self) -> None:
        """Go to the overview."""
        self.tabs.setCurrentWidget(self.overview)

    def show_calls(self) -> None:
        """Go to the calls, ready to type a number."""
        self.tabs.setCurrentWidget(self._calls.place)
        self.calls.number.setFocus()

    def show_field(self, key: str) -> None:
        """Go to a setting."""
        if self._settings:
            self.tabs.setCurrentWidget(self._settings.place)
            self._settings.page.focus_field(key)

    def show_trace(self) -> None:
        """Go to the trace."""
        self.tabs.setCurrentWidget(self._trace.place)

    def show_history(self) -> None:
        """Go to the calls that were made."""
        self.tabs.setCurrentWidget(self._history.place)

    def show_trace_of(self, trunk_id: str, sip_call_id: str) -> None:
        """Go to the SIP messages of a call; without them in the trace, to those that the history has kept."""
        if trunk_id == self.watch.trunk.id and self.trace.choose_call(sip_call_id):
            self.show_trace()
        else:
            self.history.show_messages()

    def _make_calls(self) -> CallPage:
        from app.ui.call_page import CallPage

        page = CallPage(self._bridge, self.watch, self._recordings)
        page.field_asked.connect(self.show_field)
        page.overview_asked.connect(self.show_overview)
        return page

    def _make_trace(self) -> TracePage:
        from app.ui.trace_page import TracePage

        return TracePage(self.watch)

    def _make_history(self) -> HistoryPage:
        from app.ui.history_page import HistoryPage

        page = HistoryPage(self._bridge, self.watch)
        page.call_asked.connect(self.call_asked)
        page.trace_asked.connect(self.show_trace_of)
        page.field_asked.connect(self.show_field)
        return page

    def _make_settings(self) -> SettingsPage:
        from app.ui.settings_page import SettingsPage

        page = SettingsPage(self._bridge, self.watch, self._taken_names)
        page.saved.connect(self.saved)
        page.delete_asked.connect(self.delete_asked)
        return page

    def _build_head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setContentsMargins(3 * GRID, 0, 3 * GRID, 0)
        head.setSpacing(2 * GRID)
        titles = QVBoxLayout()
        titles.setSpacing(0)
        self._title = ElidedText(role=TextRole.TITLE)
        self._server = ElidedText(role=TextRole.SMALL, tone=Tone.QUIET)
        titles.addWidget(self._title)
        titles.addWidget(self._server)
        self._badge = StateBadge()
        head.addLayout(titles, 1)
        head.addWidget(self._badge)
        return head

    def _refresh(self) -> None:
        watch = self.watch
        self._title.setText(watch.trunk.name)
        self._server.setText(server_line(watch.trunk))
        self._badge.show_state(watch.state, trunk_state_line(watch.state, watch.outcome))
