"""What a person does in the wizard: finds the form, presses a button, types where the keyboard is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget, QWizard
from pytestqt.qtbot import QtBot

from app.ui.wizards.add_trunk import AddTrunkWizard
from app.ui.wizards.form_page import FormPage


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
