"""A trunk's settings: changed, undone, deleted."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.errors import SettingError
from app.ui.settings_page import SettingsPage
from tests.helpers.fake_desk import office
from tests.ui.scenes import BACKUP, Scene

# The offscreen plugin says so of every window of a fixed size
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


def _open(scene: Scene) -> SettingsPage:
    page = scene.page()
    page.show_field("name")
    assert page.settings
    return page.settings


def _change(page: SettingsPage, qtbot: QtBot, key: str, text: str) -> None:
    row = page.form.rows[key]
    row.set_text("")
    qtbot.keyClicks(row.input, text)


def _answer(page: SettingsPage, words: str) -> None:
    box = page.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    button = next(each for each in box.findChildren(QPushButton) if each.text() == words)
    button.click()


def test_saved_values_are_shown_and_the_password_is_not(scene: Scene) -> None:
    scene.open(office())
    page = _open(scene)
    assert page.form.rows["host"].text == "montreal1.voip.example"
    assert page.form.rows["transport"].text == "tls"
    assert page.form.password_text() == ""
    assert not page.save_button.isEnabled()


def test_change_is_saved_without_touching_the_password(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    _change(page, qtbot, "name", "Head office")
    page.save_button.click()
    scene.wait(lambda: scene.window.trunks.watches[0].trunk.name == "Head office")
    assert scene.desk.asked_for("change")[0][3] is None
    assert page._note.text() == "Saved."
    assert not page.form.dirty


def test_typed_password_replaces_the_saved_one(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    qtbot.keyClicks(page.form.password.line, "new secret")
    page.save_button.click()
    scene.wait(lambda: bool(scene.desk.asked_for("change")))
    assert scene.desk.asked_for("change")[0][3] == "new secret"
    scene.wait(lambda: page.form.password_text() == "")


def test_connected_trunk_is_connected_again_with_the_new_settings(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    scene.sign_in()
    page = _open(scene)
    _change(page, qtbot, "caller_id", "+15145550101")
    page.save_button.click()
    scene.wait(lambda: len(scene.desk.asked_for("connect")) == 2)


def test_trunk_that_is_off_stays_off(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    _change(page, qtbot, "caller_id", "+15145550101")
    page.save_button.click()
    scene.wait(lambda: page._note.text() == "Saved.")
    assert not scene.desk.asked_for("connect")


def test_changes_can_be_undone(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    _change(page, qtbot, "name", "Head office")
    page.undo_button.click()
    assert page.form.name == "Main office"
    assert not page.save_button.isEnabled()


def test_what_was_typed_survives_a_change_of_state(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    _change(page, qtbot, "name", "Head office")
    scene.sign_in()
    assert page.form.name == "Head office"


def test_refused_change_is_told_at_its_field(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    scene.desk.refuse["change"] = SettingError("The name is taken.", field="name")
    _change(page, qtbot, "name", "Head office")
    page.save_button.click()
    scene.wait(lambda: page.form.rows["name"].note == "The name is taken.")
    assert page.form.name == "Head office"


def test_own_name_does_not_count_as_taken(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office(), BACKUP)
    page = _open(scene)
    _change(page, qtbot, "caller_id", "+15145550101")
    assert page.save_button.isEnabled()
    _change(page, qtbot, "name", "backup")
    assert not page.save_button.isEnabled()


def test_trunk_is_deleted_after_a_question(scene: Scene) -> None:
    scene.open(office(), BACKUP)
    page = _open(scene)
    page.delete_button.click()
    assert not scene.desk.asked_for("remove")
    _answer(page, "Delete")
    scene.wait(lambda: len(scene.window.trunks.watches) == 1)
    assert scene.desk.asked_for("remove") == [("office",)]
    assert scene.window.chosen
    assert scene.window.chosen.watch.trunk.name == "Backup"


def test_trunk_is_kept_when_the_question_is_declined(scene: Scene) -> None:
    scene.open(office())
    page = _open(scene)
    page.delete_button.click()
    _answer(page, "Keep it")
    assert not scene.desk.asked_for("remove")


def test_start_page_comes_back_after_the_last_trunk(scene: Scene) -> None:
    scene.open(office())
    scene.sign_in()
    page = _open(scene)
    page.delete_button.click()
    _answer(page, "Delete")
    scene.wait(lambda: scene.window.stack.currentWidget() is scene.window.stack.start_page is not None)
