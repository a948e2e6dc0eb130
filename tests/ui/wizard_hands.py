"""What a person does in the wizard: opens it, answers, presses a button, types where the keyboard is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget, QWizard
from pytestqt.qtbot import QtBot

from app.flows.form import PASSWORD
from app.ui.wizards.add_trunk import AddTrunkWizard
from app.ui.wizards.form_page import FormPage
from tests.ui.scene import Scene

VOIPMS = {"user": "123456_desk", PASSWORD: "example-secret", "caller_id": "5145550100"}
TWILIO = {"user": "office", PASSWORD: "Example-Secret-1", "trunk": "my-company", "caller_id": "+15145550100"}
GAMMA = {"sbc_ip": "203.0.113.20", "public_address": "203.0.113.10", "caller_id": "+442079460100"}
OTHER_ONE = {"name": "Main office", "host": "sip.example.com", "user": "4930123456", PASSWORD: "example"}


def open_wizard(scene: Scene) -> AddTrunkWizard:
    """Show the wizard."""
    scene.window.show_wizard()
    wizard = scene.window.stack.wizard
    assert wizard
    scene.wait(wizard.provider_page.search.hasFocus)
    return wizard


def go_on(scene: Scene, provider: str, answers: dict[str, str], to: int) -> AddTrunkWizard:
    """Open the wizard, choose, answer, and go to a page.

    Args:
        scene: Its window is open.
        provider: Its id.
        answers: By key, the password among them; each is typed on the page that asks for it.
        to: The page's place.
    """
    wizard = open_wizard(scene)
    wizard.provider_page.choose(provider)
    while wizard.currentId() < to:
        before = wizard.currentId()
        wizard.next()
        assert wizard.currentId() > before, [row.note for row in wizard.step_page.form.rows.values()]  # type: ignore[attr-defined]  # only a page with a form refuses
        if wizard.currentId() < 4:
            answer(wizard, answers)
    return wizard


def answer(wizard: AddTrunkWizard, answers: dict[str, str]) -> None:
    """Fill in what the shown page asks for."""
    form = wizard.step_page.form  # type: ignore[attr-defined]  # called on pages with a form
    for key, text in answers.items():
        if key in form.rows:
            row = form.rows[key]
            row.set_text(text)
            row.edited.emit()


def form_of(wizard: AddTrunkWizard) -> FormPage:
    """The page that is shown, one with a form."""
    page = wizard.step_page
    assert isinstance(page, FormPage)
    return page


def press(qtbot: QtBot, wizard: AddTrunkWizard, which: QWizard.WizardButton) -> None:
    """Click one of the buttons."""
    qtbot.mouseClick(wizard.button(which), Qt.MouseButton.LeftButton)


def focused() -> QWidget:
    """Where the keyboard is."""
    widget = QApplication.focusWidget()
    assert widget
    return widget
