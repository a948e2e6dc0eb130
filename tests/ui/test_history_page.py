"""The page with the calls that were made: found, read, called again, given out, deleted."""

from __future__ import annotations

import csv
import time
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.errors import StoreError
from app.model.history import FOR_EVER, HistoryQuery
from app.sip.notices import HistoryChanged, HistoryTrouble, TraceAdded
from app.ui.history_page import HistoryPage
from app.ui.history_words import NOTHING, begun_words
from app.ui.models.history_table import Column, HistoryTable
from tests.helpers.calls import details, entry, message, running
from tests.helpers.fake_desk import FakeDesk
from tests.ui.history_scenes import (
    ANNA,
    HISTORY_SCENES,
    INVITE,
    calls,
    choose,
    fill,
    history_empty,
    history_failed_call,
    history_filled,
    history_found_nothing,
    history_loading,
    history_messages,
    history_unreadable,
    open_history,
)
from tests.ui.scenes import Scene

# The offscreen platform has no size hints for the window manager that it has not either
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


def shown(page: HistoryPage) -> list[str]:
    """The numbers in the table, top first."""
    return [each.number for each in page.table.entries]


def cells(page: HistoryPage, row: int) -> list[str]:
    """The words of a row."""
    return [page.table.index(row, column).data() for column in Column]


def many(desk: FakeDesk, count: int = 450) -> None:
    """More calls than one page takes."""
    desk.history.put(*(details(entry(str(number), begun_at=time.time())) for number in range(count)))


def answer(box: QMessageBox | None, words: str) -> None:
    """Press a button of a question."""
    if box is None:
        (box,) = _questions()
    (button,) = [each for each in box.findChildren(QPushButton) if each.text() == words]
    button.click()


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


# One call


def test_a_chosen_call_shows_what_came_of_it(scene: Scene) -> None:
    history_failed_call(scene)
    pane = scene.page().history.details
    assert "does not accept the caller ID" in pane.headline
    assert "403 Caller ID not allowed" in pane._story.text()
    assert "UTC" in pane._story.text()
    assert "sent as 15145550199" in pane._route.text()
    assert "Planned: Test tone, at most 30 s" in pane._route.text()
    assert pane.findings.findings[0].causes
    assert not pane._fold.isVisible(), "without sound there are no figures"


def test_details_can_be_copied(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    page.view.setFocus()
    QTest.keyClick(page.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    text = QGuiApplication.clipboard().text()
    for words in ("Trunk: Main office", "Call-ID: abc@192.0.2.1", "Codec: PCMU", "MOS: 4.28", "CALL-OK"):
        assert words in text


def test_call_again_calls_the_number_through_the_trunk(scene: Scene) -> None:
    history_filled(scene)
    trunk_page = scene.page()
    trunk_page.history.details.again.click()
    scene.wait(lambda: bool(scene.desk.asked_for("place_call")))
    assert scene.desk.asked_for("place_call")[0][:2] == ("office", "+1 514 555-0199")
    assert trunk_page.shows_calls


def test_a_caller_is_called_back_by_the_number_only(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    choose(scene, page, ANNA)
    page.details.again.click()
    scene.wait(lambda: bool(scene.desk.asked_for("place_call")))
    assert scene.desk.asked_for("place_call")[0][1] == "+493012345678"


def test_a_call_of_another_trunk_is_placed_through_that_trunk(scene: Scene) -> None:
    history_failed_call(scene)
    page = scene.page().history
    choose(scene, page, "4443")
    page.details.again.click()
    scene.wait(lambda: bool(scene.desk.asked_for("place_call")))
    assert scene.desk.asked_for("place_call")[0][:2] == ("backup", "4443")
    assert scene.window.chosen is scene.page("backup")


def test_a_call_of_a_trunk_that_is_gone_is_placed_through_this_one(scene: Scene) -> None:
    gone = details(entry("4443", trunk_id="gone", trunk="Old one", begun_at=time.time()))
    page = open_history(scene, lambda desk: desk.history.put(gone))
    page.filters.trunk.setCurrentIndex(1)
    scene.wait(lambda: shown(page) == ["4443"])
    choose(scene, page, "4443")
    page.details.again.click()
    scene.wait(lambda: bool(scene.desk.asked_for("place_call")))
    assert scene.desk.asked_for("place_call")[0][0] == "office"


def test_the_trace_of_a_call_is_shown_where_it_is_still_in_memory(scene: Scene) -> None:
    history_filled(scene)
    trunk_page = scene.page()
    other = message("OPTIONS sip:x SIP/2.0\r\nCall-ID: other\r\n\r\n")
    for each in (other, message(INVITE.replace("\n", "\r\n"))):
        scene.desk.tell(TraceAdded(trunk_id="office", message=each))
    scene.wait(lambda: len(trunk_page.watch.trace) == 2)
    trunk_page.history.details.trace.click()
    assert trunk_page.tabs.tabText(trunk_page.tabs.currentIndex()) == "Trace"
    assert trunk_page.trace.text.toPlainText().startswith("INVITE sip:15145550199@")


def test_the_messages_that_were_kept_are_shown_otherwise(scene: Scene) -> None:
    history_messages(scene)
    pane = scene.page().history.details
    text = pane.messages.toPlainText()
    assert "INVITE sip:15145550199@montreal1.voip.example SIP/2.0" in text
    assert "→ UDP 192.0.2.10:5060" in text
    assert pane.messages.hasFocus()
    pane.copy_messages.click()
    assert QGuiApplication.clipboard().text() == text
    pane.back.click()
    assert pane.headline
    assert pane.trace.hasFocus()


def test_messages_that_were_left_out_are_counted(scene: Scene) -> None:
    messages = tuple(message(f"MESSAGE {number}") for number in range(4))
    call = details(entry("600", begun_at=time.time()), messages=messages, left_out=7)
    page = open_history(scene, lambda desk: desk.history.put(call))
    choose(scene, page, "600")
    page.details.trace.click()
    lines = page.details.messages.toPlainText()
    assert (
        lines.index("MESSAGE 1") < lines.index("(7 more messages were not kept.)") < lines.index("MESSAGE 2")
    )


def test_a_call_without_messages_has_none_to_show(scene: Scene) -> None:
    page = open_history(scene, lambda desk: desk.history.put(details(entry("600", begun_at=time.time()))))
    choose(scene, page, "600")
    assert not page.details.trace.isEnabled()


def test_a_finding_leads_to_its_setting(scene: Scene) -> None:
    history_failed_call(scene)
    trunk_page = scene.page()
    trunk_page.history.details.findings.field_asked.emit("caller_id")
    assert trunk_page.shows_settings


def test_a_recording_that_is_gone_says_so(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr("app.ui.widgets.history_details.show_in_folder", opened.append)
    history_filled(scene)
    pane = scene.page().history.details
    assert pane._recorded.text() == "Recorded: call.wav"
    pane.show_recording.click()
    assert "not there any more" in pane._recorded.text()
    assert opened == [Path("/home/anna/Music/call.wav")]


# Deleting


def test_a_call_is_deleted_after_a_question(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    page.view.setFocus()
    QTest.keyClick(page.view, Qt.Key.Key_Delete)
    answer(None, "Keep")
    assert not scene.desk.asked_for("history.delete")
    scene.wait(lambda: not _questions())
    page.details.delete.click()
    assert "the call with +1 514 555-0199" in _questions()[0].text()
    answer(None, "Delete")
    scene.wait(lambda: "+1 514 555-0199" not in shown(page))
    assert page.foot.line == "9 calls"
    assert page.chosen
    assert scene.desk.history.store.count(HistoryQuery()) == len(calls()) - 1


def _questions() -> list[QMessageBox]:
    boxes = [each for each in QApplication.topLevelWidgets() if isinstance(each, QMessageBox)]
    return [box for box in boxes if box.isVisible()]


def test_a_call_that_is_up_is_not_deleted(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    choose(scene, page, "15145550144")
    assert not page.details.delete.isEnabled()
    QTest.keyClick(page.view, Qt.Key.Key_Delete)
    assert not _questions()


@pytest.mark.parametrize("which", ["trunk", "all", "found"])
def test_all_that_are_shown_are_deleted_after_a_question_that_says_which(scene: Scene, which: str) -> None:
    history_filled(scene)
    page = scene.page().history
    words = "all calls of Main office (10 calls)"
    left = ["15145550144", "4443"]
    if which == "all":
        page.filters.trunk.setCurrentIndex(1)
        scene.wait(lambda: page.foot.line == "11 calls")
        words, left = "all calls of all trunks (11 calls)", ["15145550144"]
    elif which == "found":
        page.filters.search.setText("anna")
        scene.wait(lambda: page.foot.line == "1 call")
        words, left = "the 1 call found here", []
    page.foot.delete.click()
    (box,) = _questions()
    assert words in box.text()
    answer(box, "Delete")
    scene.wait(lambda: bool(scene.desk.asked_for("history.clear")))
    if which == "found":
        scene.wait(lambda: "No call found" in page.note.words)
        assert len(scene.desk.history.store.page(HistoryQuery(), limit=100)) == len(calls()) - 1
    else:
        scene.wait(lambda: page.table.rowCount() == 1)
        numbers = [each.number for each in scene.desk.history.store.page(HistoryQuery(), limit=100)]
        assert numbers == left


def test_a_call_that_was_deleted_elsewhere_leaves_the_table(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    row = shown(page).index("112")
    scene.desk.history.store.delete(page.table.entry(row).id)
    page.view.selectRow(row)
    scene.wait(lambda: "112" not in shown(page))


# How long calls are kept


def test_keeping_calls_longer_is_done_at_once_and_shorter_after_a_question(scene: Scene) -> None:
    history_filled(scene)
    foot = scene.page().history.foot
    assert foot.keep.currentText() == "90 days"
    assert foot.keep.itemText(foot.keep.count() - 1) == "for ever"

    foot.keep.setCurrentIndex(foot.keep.findData(FOR_EVER))
    foot.keep.activated.emit(foot.keep.currentIndex())
    scene.wait(lambda: scene.desk.asked_for("history.set_keep_days") == [(FOR_EVER,)])

    foot.keep.setCurrentIndex(foot.keep.findData(7))
    foot.keep.activated.emit(foot.keep.currentIndex())
    answer(foot.question, "Keep as before")
    scene.wait(lambda: foot.keep.currentText() == "for ever")
    assert len(scene.desk.asked_for("history.set_keep_days")) == 1

    foot.keep.setCurrentIndex(foot.keep.findData(7))
    foot.keep.activated.emit(foot.keep.currentIndex())
    answer(foot.question, "Delete older calls")
    scene.wait(lambda: scene.desk.asked_for("history.set_keep_days") == [(FOR_EVER,), (7,)])
    scene.wait(lambda: foot.keep.currentText() == "7 days")


def test_a_time_that_was_chosen_elsewhere_is_offered_too(scene: Scene) -> None:
    def keep(desk: FakeDesk) -> None:
        fill(desk)
        desk.history.keep_days = 14

    page = open_history(scene, keep)
    scene.wait(lambda: page.foot.keep.currentText() == "14 days")


def test_what_can_not_be_remembered_is_told(scene: Scene) -> None:
    history_filled(scene)
    foot = scene.page().history.foot
    scene.desk.refuse["history.set_keep_days"] = StoreError("The disk is full.")
    foot.keep.activated.emit(foot.keep.findData(FOR_EVER))
    scene.wait(lambda: "The disk is full." in scene.window.banner.words)
    scene.wait(lambda: foot.keep.currentText() == "90 days")


# Giving out


def test_what_is_found_is_exported(scene: Scene, tmp_path: Path) -> None:
    history_filled(scene)
    page = scene.page().history
    page.filters.search.setText("anna")
    scene.wait(lambda: shown(page) == [ANNA])
    page.write_csv(tmp_path / "calls")
    scene.wait(lambda: page.foot.line == "1 call written to calls.csv")
    with (tmp_path / "calls.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["number"], row["name"]) == ("'+493012345678", "Anna Smith")


def test_an_export_that_fails_is_told(scene: Scene, tmp_path: Path) -> None:
    history_filled(scene)
    page = scene.page().history
    scene.desk.refuse["history.export_csv"] = StoreError("It can't be written.", do="Choose another place.")
    page.write_csv(tmp_path / "calls.csv")
    scene.wait(lambda: "Choose another place." in scene.window.banner.words)
    assert page.foot.line == "10 calls"


# Trouble


def test_an_empty_history_says_what_will_be_here(scene: Scene) -> None:
    history_empty(scene)
    page = scene.page().history
    assert page.note.words == (
        "No calls through this trunk yet Every call is entered here when it begins, and kept for 90 days."
    )
    assert not page.foot.delete.isEnabled()


def test_calls_that_are_being_read_are_announced(scene: Scene) -> None:
    history_loading(scene)
    page = scene.page().history
    assert page.note.words == "Reading the calls…"
    scene.desk.release("history.page")
    scene.wait(lambda: "No calls" in page.note.words)


def test_calls_that_can_not_be_read_can_be_asked_for_again(scene: Scene) -> None:
    history_unreadable(scene)
    page = scene.page().history
    assert "Check the disk." in page.note.words
    del scene.desk.refuse["history.page"]
    fill(scene.desk)
    page.note.retry.click()
    scene.wait(lambda: page.table.rowCount() > 5)
    assert page.view.isVisible()


def test_a_history_that_can_not_be_written_is_told_in_the_banner(scene: Scene) -> None:
    history_filled(scene)
    scene.desk.tell(HistoryTrouble(trunk_id="", words="A call could not be entered in the history."))
    scene.wait(lambda: "could not be entered" in scene.window.banner.words)


def test_a_number_that_is_refused_on_the_call_page_is_told_to_the_desk(scene: Scene) -> None:
    history_filled(scene)
    trunk_page = scene.page()
    trunk_page.show_calls()
    trunk_page.calls.call_number("112")
    scene.wait(lambda: scene.desk.asked_for("check_call") == [("office", "112", True)])


# Keyboard and names


def test_the_keyboard_reaches_everything(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    page.view.setFocus()
    QTest.keyClick(page.view, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert page.filters.search.hasFocus()
    QTest.keyClick(page.filters.search, Qt.Key.Key_Down)
    assert page.view.hasFocus()
    before = page.view.currentIndex().row()
    QTest.keyClick(page.view, Qt.Key.Key_Down)
    assert page.view.currentIndex().row() == before + 1
    reached = []
    page.filters.search.setFocus()
    for _ in range(40):
        focus = QApplication.focusWidget()
        if focus in reached:
            break
        reached.append(focus)
        QTest.keyClick(scene.window, Qt.Key.Key_Tab)
    scene.wait(lambda: page.details.call is not None)
    for part in (*page.filters.combos, page.view, page.details.again, page.details.copy_button):
        assert part in reached, part.accessibleName()
    for part in (page.foot.keep, page.foot.delete, page.foot.export):
        assert part in reached, part.accessibleName()


@pytest.mark.parametrize("name", sorted(HISTORY_SCENES))
def test_every_control_that_takes_the_focus_has_an_accessible_name(name: str, scene: Scene) -> None:
    HISTORY_SCENES[name](scene)
    nameless = [
        type(widget).__name__
        for widget in scene.window.findChildren(QWidget)
        if widget.isVisible() and widget.focusPolicy().value & 1 and not _name(widget)
    ]
    assert not nameless


def _name(widget: QWidget) -> str:
    text = getattr(widget, "text", None)
    return widget.accessibleName() or (str(text()) if callable(text) else "")
