"""The add-trunk wizard on a fake desk: what it asks and saves, by mouse and by keyboard alone."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QWizard
from pytestqt.qtbot import QtBot

from app.flows.add_trunk import OTHER
from app.flows.form import PASSWORD
from app.model.trunk import SignIn, TrunkState
from app.ui.widgets.step_list import StepState
from app.ui.wizards.form_page import FormPage
from tests.helpers.office import office, registered
from tests.ui.scene import Scene
from tests.ui.wizard_desk import fail_with
from tests.ui.wizard_hands import (
    GAMMA,
    OTHER_ONE,
    TWILIO,
    VOIPMS,
    answer,
    focused,
    form_of,
    go_on,
    open_wizard,
    press,
)

# The offscreen plugin says so of every window of a fixed size
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)

_Button = QWizard.WizardButton


@dataclass
class Walk:
    """One provider, and what its saved settings must hold."""

    search: str
    provider: str
    answers: dict[str, str]
    saved: dict[str, str]


WALKS = {
    "register": Walk(
        "voip.ms", "voipms", VOIPMS, {"provider": "voipms", "sign_in": "register", "user": "123456_desk"}
    ),
    "credentials": Walk(
        "twilio",
        "twilio",
        TWILIO,
        {"sign_in": "credentials", "user": "office", "host": "my-company.pstn.twilio.com"},
    ),
    "address": Walk("gamma", "gamma", GAMMA, {"provider": "gamma", "sign_in": "address"}),
    "other": Walk("nobody knows it", OTHER, OTHER_ONE, {"provider": "", "host": "sip.example.com"}),
}


def _check_saved(scene: Scene, walk: Walk, expected: dict[str, str]) -> None:
    (name, settings, password), *_ = scene.desk.asked_for("add")
    assert isinstance(settings, dict)
    assert {**settings, "name": name} == expected
    assert walk.saved.items() <= settings.items()
    assert password == walk.answers.get(PASSWORD, "")


@pytest.mark.parametrize("name", WALKS)
def test_trunk_is_added_with_the_mouse(name: str, scene: Scene, qtbot: QtBot) -> None:
    walk = WALKS[name]
    window = scene.open()
    wizard = open_wizard(scene)
    qtbot.keyClicks(wizard.provider_page.search, walk.search)
    rows = wizard.provider_page.more if walk.provider == OTHER else wizard.provider_page.list
    at = rows.ids().index(walk.provider)
    items = [rows.item(row) for row in range(rows.count()) if rows.item(row).flags()]
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=rows.visualItemRect(items[at]).center())
    for page_id in (1, 2, 3, 4):
        press(qtbot, wizard, _Button.NextButton)
        assert wizard.currentId() == page_id
        if page_id < 4:
            answer(wizard, walk.answers)
    scene.wait(lambda: not wizard.try_page.running)
    expected = wizard.flow.settings()
    assert wizard.button(_Button.FinishButton).text() == "&Save trunk"
    press(qtbot, wizard, _Button.FinishButton)
    scene.wait(lambda: bool(window.trunks.watches))
    _check_saved(scene, walk, expected)
    scene.wait(lambda: window.trunks.watches[0].state is TrunkState.REGISTERED)
    assert window.chosen
    assert window.chosen.watch.trunk.name == expected["name"]
    assert window.stack.wizard is None
    assert len(scene.desk.asked_for("end_trial")) == 1


@pytest.mark.parametrize("name", WALKS)
def test_trunk_is_added_with_the_keyboard_alone(name: str, scene: Scene, qtbot: QtBot) -> None:
    walk = WALKS[name]
    window = scene.open()
    scene.wait(lambda: QApplication.focusWidget() is not None)
    qtbot.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    wizard = window.stack.wizard
    assert wizard
    scene.wait(wizard.provider_page.search.hasFocus)
    qtbot.keyClicks(focused(), walk.search)
    qtbot.keyClick(focused(), Qt.Key.Key_Down)
    qtbot.keyClick(focused(), Qt.Key.Key_Return)
    for page_id in (1, 2, 3):
        assert wizard.currentId() == page_id
        _type_in(qtbot, form_of(wizard), walk.answers)
        if page_id == 2:
            qtbot.keyClick(focused(), Qt.Key.Key_N, Qt.KeyboardModifier.AltModifier)
            # The button is seen to go down first
            scene.wait(lambda: wizard.currentId() == 3)
        else:
            qtbot.keyClick(focused(), Qt.Key.Key_Return)
    assert wizard.currentId() == 4
    scene.wait(lambda: not wizard.try_page.running)
    expected = wizard.flow.settings()
    qtbot.keyClick(focused(), Qt.Key.Key_Return)
    scene.wait(lambda: bool(window.trunks.watches))
    _check_saved(scene, walk, expected)


def _type_in(qtbot: QtBot, page: FormPage, answers: dict[str, str]) -> None:
    """Go through a page's fields with the Tab key and type; ends in a field of one line."""
    page.form.rows[next(iter(page.form.rows))].focus()
    wanted = {key: text for key, text in answers.items() if key in page.form.rows}
    for _ in range(40):
        if not wanted:
            return
        for key, row in page.form.rows.items():
            if key in wanted and row.stops[0].hasFocus():
                qtbot.keyClick(focused(), Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
                qtbot.keyClicks(focused(), wanted.pop(key))
                break
        else:
            qtbot.keyClick(focused(), Qt.Key.Key_Tab)
    assert not wanted


def test_tab_goes_through_a_page_from_top_to_bottom_and_on_to_next(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", {}, 1)
    form = form_of(wizard).form
    form.rows["name"].focus()
    for stop in form.stops:
        assert focused() is stop
        qtbot.keyClick(focused(), Qt.Key.Key_Tab)
    assert isinstance(focused(), QPushButton)


# Answers


def test_back_keeps_every_answer(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 3)
    for page_id in (2, 1, 0):
        press(qtbot, wizard, _Button.BackButton)
        assert wizard.currentId() == page_id
    press(qtbot, wizard, _Button.NextButton)
    rows = form_of(wizard).form.rows
    assert (rows["user"].text, rows[PASSWORD].text) == ("123456_desk", "example-secret")


def test_answers_outlive_a_look_at_another_provider_and_are_not_mixed_up(scene: Scene) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 1)
    wizard.back()
    wizard.provider_page.choose("twilio")
    wizard.next()
    rows = form_of(wizard).form.rows
    assert not rows["user"].text
    assert not rows[PASSWORD].text
    wizard.back()
    wizard.provider_page.choose("voipms")
    wizard.next()
    rows = form_of(wizard).form.rows
    assert (rows["user"].text, rows[PASSWORD].text) == ("123456_desk", "example-secret")


def test_another_way_to_sign_in_changes_the_fields_and_keeps_the_answers(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, OTHER, OTHER_ONE, 1)
    form = form_of(wizard).form
    combo = form.rows["sign_in"].input
    assert isinstance(combo, QComboBox)
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_End)
    assert "user" not in form.rows
    assert PASSWORD not in form.rows
    qtbot.keyClick(form.rows["sign_in"].input, Qt.Key.Key_Home)
    assert form.rows["user"].text == "4930123456"
    assert form.rows[PASSWORD].text == "example"


def test_password_is_not_sent_for_a_way_to_sign_in_without_one(scene: Scene) -> None:
    scene.open()
    go_on(scene, OTHER, {**OTHER_ONE, "sign_in": "address"}, 4)
    scene.wait(lambda: bool(scene.desk.asked_for("start_trial")))
    ((settings, password),) = scene.desk.asked_for("start_trial")
    assert isinstance(settings, dict)
    assert settings["sign_in"] == "address"
    assert not password


def test_missing_answer_is_told_once_the_person_has_been_there(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", {}, 1)
    rows = form_of(wizard).form.rows
    rows["user"].focus()
    assert "needed" not in rows["user"].note
    rows["name"].focus()
    assert rows["user"].note.endswith("is needed.")
    assert "needed" not in rows[PASSWORD].note


def test_next_tells_all_that_is_missing_and_goes_to_the_first(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", {}, 1)
    press(qtbot, wizard, _Button.NextButton)
    assert wizard.currentId() == 1
    rows = form_of(wizard).form.rows
    assert rows["user"].stops[0].hasFocus()
    assert rows["user"].note.endswith("is needed.")
    assert rows[PASSWORD].note.endswith("is needed.")


def test_wheel_over_a_choice_moves_the_page_and_not_the_choice(scene: Scene) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 2)
    combo = form_of(wizard).form.rows["server"].input
    assert isinstance(combo, QComboBox)
    before = combo.currentText()
    middle = QPointF(combo.rect().center())
    wheel = QWheelEvent(
        middle,
        combo.mapToGlobal(middle),
        QPoint(0, -120),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(combo, wheel)
    assert combo.currentText() == before


def test_pasted_address_is_taken_apart_and_told(scene: Scene) -> None:
    scene.open()
    wizard = go_on(scene, OTHER, OTHER_ONE, 2)
    rows = form_of(wizard).form.rows
    rows["host"].focus()
    rows["host"].set_text(" sips:sip.example.com:5071 ")
    rows["host"].edited.emit()
    rows["port"].focus()
    assert [rows[key].text for key in ("host", "port", "transport")] == ["sip.example.com", "5071", "tls"]
    assert "5071" in rows["host"].note
    assert "(" not in rows["host"].note


def test_name_that_is_taken_is_told(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    wizard = go_on(scene, OTHER, {"name": "main OFFICE"}, 1)
    assert form_of(wizard).form.rows["name"].note == "Another trunk has this name. Choose another one."


def test_page_without_anything_to_sign_in_with_says_why(scene: Scene) -> None:
    scene.open()
    wizard = go_on(scene, "gamma", {}, 1)
    assert list(form_of(wizard).form.rows) == ["name"]
    assert wizard.step_page.lead.startswith("Gamma SIP Trunks knows you by your public IP address. ")
    assert "no user name" in wizard.step_page.lead


# Keyring and secrets


def test_missing_keyring_is_said_where_the_password_is_typed(scene: Scene) -> None:
    scene.open(vault_note="This system has no keyring.")
    wizard = go_on(scene, "voipms", {}, 1)
    scene.wait(lambda: "never in a file" in form_of(wizard).form.rows[PASSWORD].note)


def test_keyring_is_not_woken_for_the_start_page_or_the_demo(scene: Scene) -> None:
    scene.open()
    scene.window.start_demo()
    scene.wait(lambda: bool(scene.desk.asked_for("place_call")))
    assert not scene.desk_asked_by_now("check_vault")


def test_keyring_is_not_woken_for_a_trunk_without_password(scene: Scene) -> None:
    window = scene.open(office(sign_in=SignIn.ADDRESS), vault_note="There is no keyring.")
    go_on(scene, "gamma", {}, 1)
    assert not scene.desk_asked_by_now("check_vault")
    assert not window.banner.words
    window.stack.drop_wizard()
    go_on(scene, "voipms", {}, 1)
    scene.wait(lambda: window.banner.words == "There is no keyring.")


def test_passwords_are_forgotten_with_the_wizard(scene: Scene) -> None:
    window = scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 1)
    window.stack.drop_wizard()
    assert not wizard._passwords
    assert "example-secret" not in repr(wizard.flow.draft)


def test_registration_that_fails_on_the_name_says_so(scene: Scene) -> None:
    from app.model.outcome import AnsweredBy, LocalCause

    scene.open()
    fail_with(
        scene,
        registered(
            office(),
            state=TrunkState.UNREACHABLE,
            sip_code=0,
            reason="",
            answered_by=AnsweredBy.LOCAL,
            local_cause=LocalCause.NAME_NOT_FOUND,
        ),
    )
    wizard = go_on(scene, OTHER, OTHER_ONE, 4)
    scene.wait(lambda: not wizard.try_page.running)
    assert wizard.try_page.steps.states[:2] == (StepState.FAILED, StepState.WAITING)
