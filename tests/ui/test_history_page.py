"""The page with the calls that were made: deleting, keeping, giving out, trouble, keyboard."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QWidget

from app.errors import StoreError
from app.model.history import FOR_EVER, HistoryQuery
from app.sip.notices import HistoryTrouble
from tests.helpers.fake_desk import FakeDesk
from tests.ui.history_scenes import (
    ANNA,
    HISTORY_SCENES,
    calls,
    choose,
    fill,
    history_empty,
    history_filled,
    history_loading,
    history_unreadable,
    open_history,
    shown,
)
from tests.ui.scene import Scene

# The offscreen platform has no size hints for the window manager that it has not either
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


def answer(box: QMessageBox | None, words: str) -> None:
    """Press a button of a question."""
    if box is None:
        (box,) = _questions()
    (button,) = [each for each in box.findChildren(QPushButton) if each.text() == words]
    button.click()


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
