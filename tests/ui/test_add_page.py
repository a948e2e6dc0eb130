"""Adding a trunk: by keyboard alone, checked while typing, mended and told."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.errors import SettingError, StoreError
from app.model.trunk import Transport, TrunkState
from app.ui.add_page import AddPage
from tests.helpers.fake_desk import office
from tests.ui.scenes import Scene, no_keyring


def _open(scene: Scene) -> AddPage:
    scene.window.show_add_page()
    page = scene.window.stack.add_page
    assert page
    scene.wait(lambda: QApplication.focusWidget() is page.form.rows["name"].input)
    return page


def _type(scene: Scene, qtbot: QtBot, page: AddPage, key: str, text: str) -> None:
    """Type into a field and go on."""
    field = page.form.rows[key].input
    field.setFocus()
    qtbot.keyClicks(field, text)
    page.form.password.line.setFocus()


def _focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget
    return widget


def test_trunk_is_added_with_the_keyboard_alone(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open()
    scene.wait(lambda: QApplication.focusWidget() is not None)
    qtbot.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    page = window.stack.add_page
    assert page
    scene.wait(lambda: page.form.rows["name"].input.hasFocus())
    typed = {"Name": "Main office", "Host": "sip.example.com", "User": "4930123456", "Password": "s3cret!"}
    for _ in range(30):
        field = _focused()
        if field is page.save_button:
            break
        if isinstance(field, QLineEdit) and field.accessibleName() in typed:
            qtbot.keyClicks(field, typed.pop(field.accessibleName()))
        qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert not typed
    assert _focused() is page.save_button
    qtbot.keyClick(page.save_button, Qt.Key.Key_Space)
    scene.wait(lambda: bool(window.trunks.watches))
    scene.wait(lambda: window.trunks.watches[0].state is TrunkState.REGISTERED)
    (name, settings, password), *_ = scene.desk.asked_for("add")
    assert (name, password) == ("Main office", "s3cret!")
    assert isinstance(settings, dict)
    assert settings["host"] == "sip.example.com"
    assert window.chosen
    assert window.chosen.watch.trunk.name == "Main office"
    # Nothing of it waits in the hidden form
    assert not page.form.password_text()
    assert not page.form.name


def test_tab_goes_through_the_fields_in_reading_order(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = _open(scene)
    seen: list[str] = []
    for _ in range(12):
        seen.append(_focused().accessibleName())
        qtbot.keyClick(_focused(), Qt.Key.Key_Tab)
    assert seen == [
        "Name",
        "Host",
        "Port",
        "Transport",
        "User",
        "Authentication ID",
        "Password",
        "Show the password while held",
        "Outbound proxy",
        "Register",
        "Caller ID",
        "",
    ]
    assert page.form._more.text() == "More settings"


def test_save_is_possible_once_all_that_is_needed_is_there(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = _open(scene)
    for key, text in (("name", "A"), ("host", "sip.example.com"), ("user", "1")):
        assert not page.save_button.isEnabled()
        _type(scene, qtbot, page, key, text)
    assert page.save_button.isEnabled()


def test_user_is_not_needed_without_registration(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = _open(scene)
    _type(scene, qtbot, page, "name", "A")
    _type(scene, qtbot, page, "host", "sip.example.com")
    register = page.form.rows["register"].input
    qtbot.keyClick(register, Qt.Key.Key_Space)
    assert page.save_button.isEnabled()
    assert page.form.settings()["register"] == "no"


def test_wrong_value_is_told_beside_its_field_while_typing(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = _open(scene)
    row = page.form.rows["port"]
    qtbot.keyClicks(row.input, "99999")
    assert "not a port" in row.note
    for _ in range(2):
        qtbot.keyClick(row.input, Qt.Key.Key_Backspace)
    assert row.note == row.setting.help


def test_missing_value_is_told_only_after_the_field_was_left(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = _open(scene)
    row = page.form.rows["host"]
    row.input.setFocus()
    assert row.note == row.setting.help
    page.form.rows["port"].input.setFocus()
    assert row.note == "Host is needed."


def test_name_that_is_taken_is_told(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    page = _open(scene)
    _type(scene, qtbot, page, "name", "main OFFICE")
    assert page.form.rows["name"].note == "Another trunk has this name. Choose another one."
    assert not page.form.valid


def test_pasted_address_is_taken_apart_and_told(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = _open(scene)
    _type(scene, qtbot, page, "host", " sips:sip.example.com:5071 ")
    assert page.form.rows["host"].text == "sip.example.com"
    assert page.form.rows["port"].text == "5071"
    assert page.form.rows["transport"].text == Transport.TLS
    assert "5071" in page.form.rows["host"].note


def test_error_of_the_desk_is_shown_at_its_field(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = _open(scene)
    for key, text in (("name", "A"), ("host", "sip.example.com"), ("user", "1")):
        _type(scene, qtbot, page, key, text)
    scene.desk.refuse["add"] = SettingError("ca_file can't be read.", do="Choose another.", field="ca_file")
    page.save_button.click()
    scene.wait(lambda: page.form.rows["ca_file"].note == "ca_file can't be read. Choose another.")
    assert page.form.rows["ca_file"].input.isVisible()
    assert page.save_button.isEnabled()


def test_error_without_a_field_is_shown_beside_the_button_and_nothing_is_lost(
    scene: Scene, qtbot: QtBot
) -> None:
    scene.open()
    page = _open(scene)
    for key, text in (("name", "A"), ("host", "sip.example.com"), ("user", "1")):
        _type(scene, qtbot, page, key, text)
    scene.desk.refuse["add"] = StoreError("The disk is full.", do="Make some room.")
    page.save_button.click()
    scene.wait(lambda: page._note.text() == "The disk is full. Make some room.")
    assert page.form.name == "A"


def test_cancel_goes_back_and_leaves_no_trace(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = _open(scene)
    _type(scene, qtbot, page, "name", "A")
    page.cancel_button.click()
    assert scene.window.stack.currentWidget() is scene.window.stack.start_page
    _open(scene)
    assert not page.form.name
    assert not scene.desk.asked_for("add")


def test_password_is_shown_only_while_the_eye_is_held(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    field = _open(scene).form.password
    qtbot.mousePress(field._eye, Qt.MouseButton.LeftButton)
    assert field.line.echoMode() is QLineEdit.EchoMode.Normal
    qtbot.mouseRelease(field._eye, Qt.MouseButton.LeftButton)
    assert field.line.echoMode() is QLineEdit.EchoMode.Password


def test_missing_keyring_is_said_calmly(scene: Scene) -> None:
    no_keyring(scene)
    assert "no keyring" in scene.window.banner.words
    page = scene.window.stack.add_page
    assert page
    assert page.form._password_hint.text() == "Kept until you close Ringback, never in a file."


def test_keyring_is_not_woken_for_the_start_page_or_the_demo(scene: Scene) -> None:
    scene.open()
    scene.window.start_demo()
    scene.wait(lambda: bool(scene.desk.asked_for("place_call")))
    assert not scene.desk.asked_for("check_vault")


def test_form_stays_when_the_window_is_come_back_to(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = _open(scene)
    _type(scene, qtbot, page, "name", "A")
    scene.window._refresh_trunks()
    done: list[int] = []

    async def after(desk: object) -> int:
        return 1

    scene.bridge.submit(scene.window, after, done.append)
    scene.wait(lambda: bool(done))
    assert scene.window.stack.currentWidget() is page
    assert page.form.name == "A"
