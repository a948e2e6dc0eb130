"""The real window on the real desk: calls with a real engine, seen in the history and after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.desk import Desk
from app.model.finding import Verdict
from app.model.outcome import CallResult
from app.paths import paths_in
from app.store import Store
from app.ui.bridge import DeskBridge
from app.ui.history_page import HistoryPage
from app.ui.main_window import MainWindow
from app.vault import RunOnlyVault

LIMIT_MS = 40_000


@contextmanager
def window_on(folder: Path, qtbot: QtBot) -> Iterator[MainWindow]:
    """A window on a real desk, closed as a person does it."""
    bugs: list[str] = []
    ended: list[bool] = []
    bridge = DeskBridge(lambda: Desk(Store.open(paths_in(folder)), lambda: (RunOnlyVault(), None)))
    bridge.bug.connect(bugs.append)
    bridge.closed.connect(lambda: ended.append(True))
    window = MainWindow(bridge, paths_in(folder))
    window.show()
    bridge.start()
    qtbot.waitUntil(lambda: window.ready, timeout=LIMIT_MS)
    try:
        yield window
    finally:
        window.close_now()
        qtbot.waitUntil(lambda: bool(ended), timeout=LIMIT_MS)
        window.deleteLater()
        bridge.deleteLater()
    assert not bugs, bugs[0]


@pytest.fixture
def wait(qtbot: QtBot) -> Callable[[Callable[[], bool]], None]:
    """Wait until something is so, with a limit for a real engine."""
    return lambda condition: qtbot.waitUntil(condition, timeout=LIMIT_MS)


def test_a_call_is_in_the_history_while_it_is_up_when_it_is_over_and_after_a_restart(
    tmp_path: Path, qtbot: QtBot, wait: Callable[[Callable[[], bool]], None]
) -> None:
    with window_on(tmp_path, qtbot) as window:
        window.start_demo()
        wait(lambda: bool(window.pane.pages) and not window.demo.running)
        trunk_page = window.chosen
        assert trunk_page
        trunk_page.show_history()
        page = trunk_page.history
        wait(lambda: page.table.rowCount() == 1 and not page.table.entry(0).running)
        assert page.table.entry(0).number == "600"

        window.show_calls(trunk_page.watch.trunk.id)
        trunk_page.calls.call_number("601")
        trunk_page.show_history()
        wait(lambda: page.table.rowCount() == 2)
        assert page.table.entry(0).running
        page.view.selectRow(0)
        wait(lambda: bool(page.details.call and page.details.call.entry.answered_at))
        wait(lambda: any(call.rx_dbm0 is not None for call in trunk_page.watch.active_calls))
        trunk_page.calls.hang_up_newest()
        wait(lambda: page.table.entry(0).result == CallResult.ANSWERED)
        wait(lambda: bool(page.details.call and page.details.call.outcome))
        _check(page, "601")
        # In memory, so the trace has them
        page.details.trace.click()
        assert trunk_page.tabs.currentWidget() is trunk_page._trace.place
        assert trunk_page.trace.text.toPlainText().startswith("INVITE sip:601@")

    with window_on(tmp_path, qtbot) as window:
        window.start_demo()
        wait(lambda: bool(window.pane.pages) and not window.demo.running)
        trunk_page = window.chosen
        assert trunk_page
        trunk_page.show_history()
        page = trunk_page.history
        page.filters.trunk.setCurrentIndex(1)
        wait(lambda: [each.number for each in page.table.entries] == ["600", "601", "600"])
        page.view.selectRow(1)
        wait(lambda: bool(page.details.call and page.details.call.entry.number == "601"))
        _check(page, "601")
        page.details.trace.click()
        assert page.details.shows_messages
        assert "INVITE sip:601@" in page.details.messages.toPlainText()


def _check(page: HistoryPage, number: str) -> None:
    call = page.details.call
    assert call
    assert call.entry.number == number
    assert call.entry.verdict is Verdict.PASS
    assert call.findings
    assert call.outcome
    assert call.outcome.media
    assert page.details.headline == call.entry.headline
    starts = [message.text.partition(" ")[0] for message in call.messages]
    assert starts[0] == "INVITE"
    assert "BYE" in starts
