"""The wizard's last page: trying the trunk, the test call, and saving it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWizard
from pytestqt.qtbot import QtBot

from app.errors import StoreError, VaultError
from app.flows.form import PASSWORD
from app.ui.widgets.step_list import StepState
from tests.ui.scene import Scene
from tests.ui.wizard_desk import hold
from tests.ui.wizard_hands import TWILIO, VOIPMS, form_of, go_on, press
from tests.ui.wizard_scenes import wizard_wrong_password

# The offscreen plugin says so of every window of a fixed size
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)

_Button = QWizard.WizardButton


def test_failure_leads_back_to_its_field_and_forward_again(scene: Scene, qtbot: QtBot) -> None:
    wizard_wrong_password(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    page = wizard.try_page
    assert page.steps.states == (StepState.DONE, StepState.DONE, StepState.FAILED, StepState.WAITING)
    assert wizard.button(_Button.FinishButton).text() == "&Save and fix later"
    assert page.change_button.text() == "Change Main SIP/IAX Password…"
    assert page.change_button.visibleRegion().boundingRect() == page.change_button.rect()
    assert not page.findings.findChildren(QPushButton)
    page.change_button.click()
    assert wizard.currentId() == 1
    assert form_of(wizard).form.rows[PASSWORD].stops[0].hasFocus()
    scene.desk.outcomes = {}
    for _ in range(3):
        press(qtbot, wizard, _Button.NextButton)
    scene.wait(lambda: not page.running)
    assert page.steps.states[2] is StepState.DONE
    assert len(scene.desk.asked_for("start_trial")) == 2


def test_trunk_that_does_not_work_can_be_saved_all_the_same(scene: Scene, qtbot: QtBot) -> None:
    wizard_wrong_password(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    press(qtbot, wizard, _Button.FinishButton)
    scene.wait(lambda: bool(scene.window.trunks.watches))


@pytest.mark.parametrize(
    "error",
    [
        StoreError("There is a trunk named VoIP.ms already.", do="Choose another name.", field="name"),
        VaultError("The keyring refused the password.", do="Unlock it and try again.", field="password"),
    ],
)
def test_what_keeps_it_from_being_saved_is_told_and_nothing_is_lost(
    error: StoreError | VaultError, scene: Scene, qtbot: QtBot
) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 4)
    scene.wait(lambda: not wizard.try_page.running)
    scene.desk.refuse["add"] = error
    press(qtbot, wizard, _Button.FinishButton)
    scene.wait(lambda: wizard.try_page.words == str(error))
    assert wizard.button(_Button.FinishButton).isEnabled()
    assert wizard.button(_Button.FinishButton).hasFocus()
    wizard.try_page.change_button.click()
    assert wizard.currentId() == 1
    rows = form_of(wizard).form.rows
    assert rows[error.field].stops[0].hasFocus()
    assert (rows["user"].text, rows[PASSWORD].text) == ("123456_desk", "example-secret")


def test_saving_is_said_while_the_keyring_asks(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 4)
    scene.wait(lambda: not wizard.try_page.running)
    hold(scene, "add")
    press(qtbot, wizard, _Button.FinishButton)
    assert wizard.try_page.words == "Saving…"
    assert not any(stop.isEnabled() for stop in wizard.try_page.stops if stop.isVisible())
    scene.wait(lambda: bool(scene.desk.asked_for("add")))
    scene.desk.release("add")
    scene.wait(lambda: scene.window.stack.wizard is None)


def test_try_can_be_stopped_and_begun_again(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    hold(scene, "connect")
    wizard = go_on(scene, "voipms", VOIPMS, 4)
    scene.wait(lambda: bool(scene.desk.asked_for("connect")))
    page = wizard.try_page
    qtbot.mouseClick(page.cancel_button, Qt.MouseButton.LeftButton)
    assert not page.running
    scene.wait(lambda: bool(scene.desk.asked_for("end_trial")))
    scene.desk.hold.clear()
    qtbot.mouseClick(page.again_button, Qt.MouseButton.LeftButton)
    scene.wait(lambda: page.steps.states[2] is StepState.DONE)


def test_call_is_placed_only_when_the_person_says_so(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 4)
    page = wizard.try_page
    scene.wait(lambda: page.call_button.isVisible() and page.call_button.isEnabled())
    assert not scene.desk.asked_for("place_call")
    page.number.setText("15145550199")
    qtbot.mouseClick(page.call_button, Qt.MouseButton.LeftButton)
    scene.wait(lambda: bool(scene.desk._calls))
    assert wizard.button(_Button.FinishButton).text() == "&Save trunk"
    ((trunk_id, number, seconds, _),) = scene.desk.asked_for("place_call")
    assert (number, seconds) == ("15145550199", 10.0)
    scene.desk.end_call(str(trunk_id), next(iter(scene.desk._calls))[1])
    scene.wait(lambda: page.steps.states[3] is StepState.DONE)


def test_call_shows_whether_signing_in_works_without_registration(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "twilio", TWILIO, 4)
    page = wizard.try_page
    scene.wait(lambda: page.number.isVisible())
    assert page.steps.states[2] is StepState.WAITING
    assert "test call" in page.words
    qtbot.keyClicks(page.number, "+15145550199")
    qtbot.keyClick(page.number, Qt.Key.Key_Return)
    assert wizard.currentId() == 4
    scene.wait(lambda: bool(scene.desk._calls))
    trunk_id, call_id = next(iter(scene.desk._calls))
    scene.desk.end_call(trunk_id, call_id)
    scene.wait(lambda: page.steps.states[2:] == (StepState.DONE, StepState.DONE))


def test_call_can_be_hung_up(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 4)
    page = wizard.try_page
    scene.wait(lambda: page.call_button.isVisible())
    page.number.setText("15145550199")
    page.call_button.click()
    scene.wait(lambda: bool(scene.desk._calls) and bool(page._trial and page._trial._call_id))
    qtbot.mouseClick(page.cancel_button, Qt.MouseButton.LeftButton)
    scene.wait(lambda: not page.running)
    assert scene.desk.asked_for("hang_up")
