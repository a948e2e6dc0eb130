"""Leaving the wizard: nothing is left of it, and answers are not lost unasked."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton, QWizard
from pytestqt.qtbot import QtBot

from app.flows.add_trunk import OTHER
from tests.helpers.office import office
from tests.ui.scene import Scene
from tests.ui.wizard_desk import hold
from tests.ui.wizard_hands import VOIPMS, focused, go_on, open_wizard, press

# The offscreen plugin says so of every window of a fixed size
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)

_Button = QWizard.WizardButton


def asked_by_the_wizard(scene: Scene) -> set[object]:
    """What the desk was asked for, without what the window asks for when it opens."""
    return {entry[0] for entry in scene.desk.asked} - {"check_vault", "use_audio", "history.open"}


def test_cancel_leaves_no_trace(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 4)
    scene.wait(lambda: not wizard.try_page.running)
    press(qtbot, wizard, _Button.CancelButton)
    assert window.stack.wizard is None
    assert window.stack.currentWidget() is window.stack.start_page
    scene.wait(lambda: bool(scene.desk.asked_for("end_trial")))
    assert asked_by_the_wizard(scene) == {"start_trial", "connect", "end_trial"}
    assert not open_wizard(scene).dirty


def test_escape_before_the_try_asks_the_desk_for_nothing(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open()
    go_on(scene, "voipms", VOIPMS, 3)
    qtbot.keyClick(focused(), Qt.Key.Key_Escape)
    assert window.stack.wizard is None
    assert not asked_by_the_wizard(scene)


def test_trial_ends_when_the_page_is_left(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 4)
    scene.wait(lambda: not wizard.try_page.running)
    press(qtbot, wizard, _Button.BackButton)
    scene.wait(lambda: len(scene.desk.asked_for("end_trial")) == 1)
    press(qtbot, wizard, _Button.NextButton)
    scene.wait(lambda: len(scene.desk.asked_for("start_trial")) == 2)


def test_trial_that_is_still_being_made_ends_as_soon_as_it_is_there(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    hold(scene, "start_trial")
    wizard = go_on(scene, "voipms", VOIPMS, 4)
    scene.wait(lambda: bool(scene.desk.asked_for("start_trial")))
    press(qtbot, wizard, _Button.CancelButton)
    scene.desk.release("start_trial")
    scene.wait(lambda: len(scene.desk.asked_for("end_trial")) == 1)
    assert not scene.desk.asked_for("connect")


def test_trial_ends_while_something_else_is_looked_at_and_begins_again(scene: Scene) -> None:
    window = scene.open(office())
    wizard = go_on(scene, "voipms", VOIPMS, 4)
    scene.wait(lambda: not wizard.try_page.running)
    scene.page("office")
    scene.wait(lambda: len(scene.desk.asked_for("end_trial")) == 1)
    window.show_wizard()
    assert window.stack.wizard is wizard
    scene.wait(lambda: len(scene.desk.asked_for("start_trial")) == 2)


def test_closing_the_window_over_answers_asks(scene: Scene) -> None:
    window = scene.open()
    go_on(scene, "voipms", VOIPMS, 2)
    window.close()
    window.close()
    (box,) = window.findChildren(QMessageBox)
    assert box.text() == "The new trunk is not saved."
    _choose(box, "Go on with it")
    assert window.stack.wizard
    scene.wait(lambda: window.findChild(QMessageBox) is None)
    window.close()
    (box,) = window.findChildren(QMessageBox)
    _choose(box, "Close without it")
    scene.wait(lambda: scene.closed and window.isHidden())
    assert not scene.desk.asked_for("add")


def test_closing_asks_also_when_the_answers_are_for_another_provider(scene: Scene) -> None:
    window = scene.open()
    wizard = go_on(scene, OTHER, {"host": "sip.example.com", "user": "1", "password": "x", "name": "A"}, 2)
    wizard.back()
    wizard.back()
    wizard.provider_page.choose("voipms")
    wizard.next()
    window.close()
    (box,) = window.findChildren(QMessageBox)
    _choose(box, "Close without it")
    scene.wait(lambda: scene.closed and window.isHidden())


def test_closing_the_window_over_an_untouched_wizard_does_not_ask(scene: Scene) -> None:
    window = scene.open()
    open_wizard(scene)
    window.close()
    scene.wait(lambda: scene.closed and window.isHidden())


def _choose(box: QMessageBox, words: str) -> None:
    next(each for each in box.findChildren(QPushButton) if each.text() == words).click()


def test_wizard_stays_when_the_window_is_come_back_to(scene: Scene) -> None:
    window = scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 1)
    window._refresh_trunks()
    done: list[int] = []

    async def after(desk: object) -> int:
        return 1

    scene.bridge.submit(window, after, done.append)
    scene.wait(lambda: bool(done))
    assert window.stack.currentWidget() is wizard
    assert wizard.password == "example-secret"


def test_after_cancel_the_list_has_the_keyboard(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open(office())
    wizard = open_wizard(scene)
    qtbot.keyClick(wizard, Qt.Key.Key_Escape)
    scene.wait(window.pane.list.hasFocus)
