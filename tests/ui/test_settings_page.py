"""A trunk's settings: changed, undone, deleted."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.errors import SettingError
from app.model.settings import SETTINGS, Group
from app.model.trunk import SignIn
from app.providers import catalogue
from app.ui.settings_page import SettingsPage
from app.ui.widgets.text import Text
from tests.helpers.office import office
from tests.ui.scene import BACKUP, Scene
from tests.ui.trunk_scenes import settings_of_a_provider

# The offscreen plugin says so of every window of a fixed size
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


def _open(scene: Scene) -> SettingsPage:
    page = scene.page()
    page.show_field("name")
    assert page.settings
    scene.wait(page.settings.form.isVisible)
    return page.settings


def _change(page: SettingsPage, qtbot: QtBot, key: str, text: str) -> None:
    row = page.form.rows[key]
    row.set_text("")
    qtbot.keyClicks(row.input, text)


def _answer(page: SettingsPage, words: str) -> None:
    box = page.window().findChild(QMessageBox)
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
    qtbot.keyClicks(page.form.password.input.line, "new secret")
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


def _shown(page: SettingsPage) -> set[str]:
    return {key for key, row in page.form.rows.items() if row.field.isVisible()}


def _headings(page: SettingsPage) -> list[str]:
    words = {group.value for group in Group}
    return [
        each.text()
        for each in page.form.findChildren(Text)
        if each.isVisible() and each.text() in words and each.buddy() is None
    ]


def _press(qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    widget = QApplication.focusWidget()
    assert widget
    qtbot.keyClick(widget, key, modifier)


def test_every_setting_of_the_table_stands_under_its_heading(scene: Scene) -> None:
    scene.open(office())
    page = _open(scene)
    assert _shown(page) == {setting.key for setting in SETTINGS}
    assert _headings(page) == [group.value for group in Group]


def test_search_keeps_what_has_the_words_in_label_help_or_key(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    for words, found in (
        ("caller id header", {"caller_id_header"}),
        ("keep_alive", {"keep_alive"}),
        ("router", {"keep_alive"}),
        ("TLS encrypted", {"transport"}),
    ):
        page.search.setText(words)
        assert _shown(page) == found, words
    assert _headings(page) == ["Server"]
    page.search.setText("fax")
    assert not _shown(page)
    assert page.form._nothing.text() == "No setting has “fax” in it."
    page.search.setFocus()
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    assert len(_shown(page)) == len(SETTINGS)


def test_search_is_reached_and_left_by_keyboard(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open(office())
    page = _open(scene)
    page.focus_field("host")
    scene.wait(page.form.rows["host"].input.hasFocus)
    _press(qtbot, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert page.search.hasFocus()
    assert not window.tool_bar.filter.hasFocus()
    qtbot.keyClicks(page.search, "codecs")
    _press(qtbot, Qt.Key.Key_Return)
    assert page.form.rows["codecs"].input.hasFocus()


def test_window_keeps_its_own_search_outside_of_the_settings(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open(office())
    _open(scene)
    window.pane.list.setFocus()
    _press(qtbot, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert window.tool_bar.filter.hasFocus()


def test_search_does_not_hide_a_mistake(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    _change(page, qtbot, "port", "99999")
    page.search.setText("codecs")
    assert _shown(page) == {"codecs", "port"}


def test_field_that_is_asked_for_is_shown_in_spite_of_a_search(scene: Scene) -> None:
    scene.open(office())
    page = _open(scene)
    page.search.setText("codecs")
    page.focus_field("host")
    scene.wait(page.form.rows["host"].input.hasFocus)
    page.focus_field("password")
    assert page.form.password.input.line.isVisible()


def _origin(page: SettingsPage, key: str) -> str:
    line = page.form.rows[key].origin_line
    return line.words if line and line.isVisible() else ""


def test_settings_say_whether_they_are_the_providers(scene: Scene) -> None:
    scene.open(office(provider="voipms", expires=120))
    page = _open(scene)
    defaults = catalogue.defaults("voipms", SignIn.REGISTER)
    assert defaults["transport"] == "udp"
    assert _origin(page, "transport") == "Changed; VoIP.ms: UDP"
    page.form.rows["transport"].set_text("udp")
    page.form.rows["transport"].edited.emit()
    assert _origin(page, "transport") == "As VoIP.ms has it"
    assert not _origin(page, "host")


def test_providers_value_is_put_back_by_keyboard(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office(provider="voipms"))
    page = _open(scene)
    row = page.form.rows["transport"]
    row.input.setFocus()
    _press(qtbot, Qt.Key.Key_Tab)
    assert row.origin_line
    assert row.origin_line.button.hasFocus()
    assert row.origin_line.button.accessibleName() == "Put back Transport"
    _press(qtbot, Qt.Key.Key_Space)
    assert row.text == "udp"
    assert row.input.hasFocus()
    assert not row.origin_line.button.isVisible()
    assert page.save_button.isEnabled()
    page.undo_button.click()
    assert row.text == "tls"
    assert _origin(page, "transport") == "Changed; VoIP.ms: UDP"


def test_usual_value_is_put_back_where_the_provider_says_nothing(scene: Scene) -> None:
    scene.open(office(expires=120))
    page = _open(scene)
    row = page.form.rows["expires"]
    assert _origin(page, "expires") == "Changed; usual: 300"
    assert row.origin_line
    row.origin_line.button.click()
    assert row.text == "300"
    assert not _origin(page, "expires")


def test_same_codecs_in_other_words_are_not_changed(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    _change(page, qtbot, "codecs", "pcmu, PCMA,G722")
    assert not _origin(page, "codecs")
    _change(page, qtbot, "codecs", "PCMA,PCMU,G722")
    assert _origin(page, "codecs") == "Changed; usual: PCMU, PCMA, G722"


def test_provider_is_chosen_by_name_and_changes_what_is_usual(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    combo = page.form.rows["provider"].input
    assert page.form.rows["provider"].text == ""
    combo.setFocus()
    qtbot.keyClicks(combo, "VoIP.ms")
    assert page.form.rows["provider"].text == "voipms"
    assert _origin(page, "transport") == "Changed; VoIP.ms: UDP"


def test_provider_that_the_catalogue_does_not_know_stays(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office(provider="oldtel"))
    page = _open(scene)
    page.form.rows["provider"].input.setFocus()
    assert page.form.rows["provider"].text == "oldtel"
    assert not page.form.dirty


def test_settings_without_effect_are_switched_off_and_say_why(scene: Scene) -> None:
    scene.open(office(sign_in=SignIn.ADDRESS, user=""))
    page = _open(scene)
    for key in ("auth_id", "realm", "expires"):
        row = page.form.rows[key]
        assert not row.input.isEnabled(), key
        assert row.note == "Not used: your provider knows you by your IP address."
    assert not page.form.password.input.line.isEnabled()
    assert page.form.rows["user"].input.isEnabled()
    assert page.form.valid
    sign_in = page.form.rows["sign_in"]
    sign_in.set_text("credentials")
    sign_in.edited.emit()
    assert page.form.password.input.line.isEnabled()
    assert page.form.rows["realm"].input.isEnabled()
    assert page.form.rows["expires"].note == "Not used: this trunk does not register."
    # A name to sign in with is needed now
    assert not page.form.valid


def test_password_typed_for_a_trunk_that_has_none_is_not_saved(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    qtbot.keyClicks(page.form.password.input.line, "new secret")
    sign_in = page.form.rows["sign_in"]
    sign_in.set_text("address")
    sign_in.edited.emit()
    page.save_button.click()
    scene.wait(lambda: bool(scene.desk.asked_for("change")))
    assert scene.desk.asked_for("change")[0][3] is None


def test_numbers_stand_one_a_line_and_tab_leaves_them(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office(dids=("101", "300-450")))
    page = _open(scene)
    row = page.form.rows["dids"]
    assert row.input.toPlainText() == "101\n300-450"  # type: ignore[attr-defined]  # a field of several lines
    assert row.text == "101;300-450"
    assert not page.form.dirty
    row.input.setFocus()
    _press(qtbot, Qt.Key.Key_Tab)
    assert page.form.rows["channels"].input.hasFocus()


def test_notes_keep_their_lines(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    notes = page.form.rows["notes"].input
    qtbot.keyClicks(notes, "Contract 12;")
    qtbot.keyClick(notes, Qt.Key.Key_Return)
    qtbot.keyClicks(notes, "call Anna")
    page.save_button.click()
    scene.wait(lambda: scene.window.trunks.watches[0].trunk.notes == "Contract 12;\ncall Anna")


def test_pasted_address_is_mended_and_fills_the_port(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office(port=None))
    page = _open(scene)
    _change(page, qtbot, "host", "sip:sip.office.example:5070")
    page.form.rows["host"].input.setFocus()
    _press(qtbot, Qt.Key.Key_Tab)
    assert page.form.rows["host"].text == "sip.office.example"
    assert page.form.rows["port"].text == "5070"
    assert "port 5070 is now in Port" in page.form.rows["host"].note


def test_trunks_in_each_others_way_are_told_when_the_page_opens(scene: Scene) -> None:
    settings_of_a_provider(scene)
    page = scene.page().settings
    assert page
    assert "Second desk" in page.conflicts.words


def test_conflict_goes_once_it_is_settled(scene: Scene, qtbot: QtBot) -> None:
    settings_of_a_provider(scene)
    page = scene.page().settings
    assert page
    _change(page, qtbot, "user", "123456_other")
    page.save_button.click()
    scene.wait(lambda: page.conflicts.words == "")


def test_what_was_put_right_on_saving_is_told(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    row = page.form.rows["caller_id"]
    row.set_text("+1 514 555 0101")
    page.form.changed.emit()
    page.save_button.click()
    scene.wait(lambda: page._note.text() == "Saved.")
    assert row.text == "+15145550101"
    assert row.note != row.setting.help
