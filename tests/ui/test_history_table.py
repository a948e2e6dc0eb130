"""The table with the calls that were made: read in pages, kept up to date, searched."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from app.errors import StoreError
from app.sip.notices import HistoryChanged
from app.ui.history_page import HistoryPage
from app.ui.history_words import NOTHING, begun_words
from app.ui.models.history_table import Column, HistoryTable
from tests.helpers.calls import details, entry, running
from tests.helpers.fake_desk import FakeDesk
from tests.ui.history_scenes import (
    ANNA,
    calls,
    history_empty,
    history_failed_call,
    history_filled,
    history_found_nothing,
    open_history,
    shown,
)
from tests.ui.scene import Scene

# The offscreen platform has no size hints for the window manager that it has not either
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


def cells(page: HistoryPage, row: int) -> list[str]:
    """The words of a row."""
    return [page.table.index(row, column).data() for column in Column]


def many(desk: FakeDesk, count: int = 450) -> None:
    """More calls than one page takes."""
    desk.history.put(*(details(entry(str(number), begun_at=time.time())) for number in range(count)))


# The table


def test_calls_of_the_trunk_are_listed_newest_first(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    assert len(shown(page)) == len(calls()) - 1, "one is another trunk's"
    assert shown(page)[:2] == ["15145550144", "+1 514 555-0199"]
    assert cells(page, 0)[1:] == ["Out", "15145550144", "Main office", "In progress", NOTHING, NOTHING]
    assert cells(page, 1)[1:] == ["Out", "+1 514 555-0199", "Main office", "Answered", "0:42", "4.3"]
    row = shown(page).index(ANNA)
    assert cells(page, row)[1:3] == ["In", "Anna Smith, +493012345678"]
    assert page.foot.line == "10 calls"
    assert page.view.isColumnHidden(Column.TRUNK)


def test_calls_of_all_trunks_have_their_names(scene: Scene) -> None:
    history_failed_call(scene)
    page = scene.page().history
    assert not page.view.isColumnHidden(Column.TRUNK)
    assert "Backup" in [cells(page, row)[Column.TRUNK] for row in range(page.table.rowCount())]


def test_a_time_is_local_and_says_today(scene: Scene) -> None:
    now = datetime(2026, 7, 30, 12, 0, 0)
    at = datetime(2026, 7, 30, 0, 0, 1).timestamp()
    assert begun_words(at, now) == "Today 00:00:01"
    assert begun_words(at - 2, now) == "Yesterday 23:59:59"
    assert begun_words(at - 86_402, now) == "2026-07-28 23:59"
    history_filled(scene)
    page = scene.page().history
    tip = page.table.index(1, Column.TIME).data(Qt.ItemDataRole.ToolTipRole)
    assert " UTC+" in tip or " UTC-" in tip


def test_number_and_trunk_can_be_read_in_a_small_window(scene: Scene) -> None:
    history_failed_call(scene)
    page = scene.page().history
    scene.window.resize(scene.window.minimumSize())
    QTest.qWait(0)
    wide = page.view.fontMetrics().horizontalAdvance
    assert page.view.columnWidth(Column.NUMBER) >= wide("+15145550199")
    assert page.view.columnWidth(Column.TRUNK) >= wide("Office")
    assert not page.view.horizontalScrollBar().isVisible()


def test_more_calls_are_read_when_they_are_scrolled_to(scene: Scene) -> None:
    page = open_history(scene, many)
    scene.wait(lambda: page.table.rowCount() == 200)
    assert page.foot.line == "450 calls"
    for loaded in (400, 450):
        page.view.scrollToBottom()
        scene.wait(lambda loaded=loaded: page.table.rowCount() == loaded)
    page.view.scrollToBottom()
    assert shown(page) == [str(number) for number in range(449, -1, -1)]
    asked = len(scene.desk.asked_for("history.page"))
    page.view.scrollToTop()
    page.view.scrollToBottom()
    assert len(scene.desk.asked_for("history.page")) == asked


def test_pages_that_can_not_be_read_are_told_and_can_be_asked_for_again(scene: Scene) -> None:
    page = open_history(scene, many)
    scene.wait(lambda: page.table.rowCount() == 200)
    scene.desk.refuse["history.page"] = StoreError("The disk failed.", do="Check it.")
    page.view.scrollToBottom()
    scene.wait(lambda: "The disk failed." in scene.window.banner.words)
    scene.wait(lambda: page.table.canFetchMore(page.view.rootIndex()))
    del scene.desk.refuse["history.page"]
    page.view.scrollToTop()
    page.view.scrollToBottom()
    scene.wait(lambda: page.table.rowCount() > 200)


def test_the_table_keeps_qts_rules(qtbot: QtBot) -> None:
    table = HistoryTable()
    tester = QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Fatal)
    with qtbot.waitSignal(table.more_asked, timeout=1000, raising=False):
        table.show_page([entry("5", id=5), entry("4", id=4)], more=True)
        table.fetchMore(table.index(-1, -1))
    table.add_page([entry("2", id=2)], more=False)
    table.put(entry("3", id=3))
    table.put(entry("6", id=6))
    table.put(entry("1", id=1))
    table.put(entry("four", id=4))
    table.drop(5)
    table.drop(99)
    assert [each.number for each in table.entries] == ["6", "four", "3", "2", "1"]
    assert [table.row_of(entry_id) for entry_id in (6, 5, 1)] == [0, -1, 4]
    del tester


def test_a_call_behind_the_last_page_comes_with_its_page() -> None:
    table = HistoryTable()
    table.show_page([entry("9", id=9), entry("8", id=8)], more=True)
    table.put(entry("2", id=2))
    assert table.rowCount() == 2


# What happens meanwhile


def test_a_call_that_begins_is_added_and_its_end_is_shown(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    chosen = page.chosen
    (entry_id,) = scene.desk.history.put(details(running("15145559999", begun_at=time.time())))
    scene.desk.tell(HistoryChanged(trunk_id="office", entry_id=entry_id))
    scene.wait(lambda: shown(page)[0] == "15145559999")
    assert page.chosen == chosen, "the choice stays with its call"
    assert page.foot.line == "11 calls"
    page.view.selectRow(0)
    scene.wait(lambda: page.details.headline == "This call is still up.")
    ended = entry("15145559999", begun_at=time.time(), headline="This call works.")
    scene.desk.history.change(entry_id, details(ended))
    scene.desk.tell(HistoryChanged(trunk_id="office", entry_id=entry_id))
    scene.wait(lambda: page.details.headline == "This call works.")
    assert cells(page, 0)[Column.RESULT] == "Answered"


def test_a_call_that_is_not_looked_for_is_not_added(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    page.filters.direction.setCurrentIndex(2)
    scene.wait(lambda: shown(page) == [ANNA])
    (entry_id,) = scene.desk.history.put(details(running("600")))
    before = len(scene.desk.asked_for("history.find"))
    scene.desk.tell(HistoryChanged(trunk_id="office", entry_id=entry_id))
    scene.wait(lambda: len(scene.desk.asked_for("history.find")) > before)
    QTest.qWait(0)
    assert shown(page) == [ANNA]


def test_the_first_call_of_all_takes_the_empty_pages_place(scene: Scene) -> None:
    history_empty(scene)
    page = scene.page().history
    (entry_id,) = scene.desk.history.put(details(running("600")))
    scene.desk.tell(HistoryChanged(trunk_id="office", entry_id=entry_id))
    scene.wait(lambda: page.details.headline == "This call is still up.")
    assert page.view.isVisible()


def test_calls_made_while_another_tab_is_shown_are_there_on_coming_back(scene: Scene) -> None:
    history_filled(scene)
    trunk_page = scene.page()
    page = trunk_page.history
    chosen = page.chosen
    trunk_page.show_overview()
    (entry_id,) = scene.desk.history.put(details(entry("15145559999", begun_at=time.time())))
    scene.desk.tell(HistoryChanged(trunk_id="office", entry_id=entry_id))
    scene.wait(lambda: page._stale)
    trunk_page.show_history()
    scene.wait(lambda: shown(page)[0] == "15145559999")
    assert page.chosen == chosen


# Looking for calls


@pytest.mark.parametrize(
    ("choose_it", "found"),
    [
        (lambda filters: filters.search.setText("anna"), [ANNA]),
        (lambda filters: filters.search.setText("+1 514 555 0199"), ["+1 514 555-0199", "15145550199"]),
        (lambda filters: filters.search.setText("busy"), ["15145550186"]),
        (lambda filters: filters.direction.setCurrentIndex(2), [ANNA]),
        (lambda filters: filters.result.setCurrentIndex(2), ["15145550177", "15145550186"]),
        (lambda filters: filters.result.setCurrentIndex(3), ["+4930123456", "600", "15145550199"]),
        (lambda filters: filters.result.setCurrentIndex(4), ["112"]),
    ],
)
def test_calls_are_looked_for(scene: Scene, choose_it: object, found: list[str]) -> None:
    history_filled(scene)
    page = scene.page().history
    assert callable(choose_it)
    choose_it(page.filters)
    scene.wait(lambda: shown(page) == found)
    assert page.foot.line == ("1 call" if len(found) == 1 else f"{len(found)} calls")


def test_a_time_can_be_chosen(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    for place, days in ((1, 1), (2, 7), (3, 30)):
        page.filters.period.setCurrentIndex(place)
        query = page.filters.query("office")
        assert 0 < time.time() - query.since <= days * 86_400 + 3600
    page.filters.period.setCurrentIndex(2)
    scene.wait(lambda: page.foot.line == "8 calls")


def test_nothing_found_says_so_and_leads_back(scene: Scene) -> None:
    history_found_nothing(scene)
    page = scene.page().history
    assert page.foot.line == ""
    assert not page.foot.export.isEnabled()
    page.note.all.click()
    scene.wait(lambda: page.table.rowCount() == len(calls()) - 1)
    assert page.filters.search.text() == ""


def test_typing_asks_once_and_not_for_each_letter(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    before = len(scene.desk.asked_for("history.page"))
    QTest.keyClicks(page.filters.search, "anna")
    scene.wait(lambda: shown(page) == [ANNA])
    assert len(scene.desk.asked_for("history.page")) == before + 1
