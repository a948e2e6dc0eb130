"""Every state that there is a picture of can be shown, in light and in dark."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.palette import dark_palette
from tests.ui.scene import Scene
from tests.ui.scenes import SCENES


@pytest.mark.parametrize("name", SCENES)
def test_state_can_be_shown_in_light_and_dark(
    name: str, scene: Scene, qapp: QApplication, qtbot: QtBot
) -> None:
    light = QPalette(qapp.palette())
    SCENES[name](scene)
    bright = scene.window.grab().toImage()
    qapp.setPalette(dark_palette())
    try:
        qtbot.waitUntil(lambda: scene.window.grab().toImage() != bright)
    finally:
        qapp.setPalette(light)


@pytest.mark.parametrize(
    "name",
    [
        "in_call",
        "wrong_password",
        "settings",
        "settings_of_a_provider",
        "import_preview",
        "import_mangled",
        "incoming",
        "empty",
        "wizard_providers",
        "wizard_sign_in",
        "wizard_nearest",
        "wizard_numbers",
        "wizard_works",
        "wizard_wrong_password",
    ],
)
def test_every_control_that_takes_the_focus_has_an_accessible_name(name: str, scene: Scene) -> None:
    SCENES[name](scene)
    nameless = [
        f"{type(widget).__name__} in {type(widget.parent()).__name__}"
        for widget in scene.window.findChildren(QWidget)
        if widget.isVisible() and widget.focusPolicy().value & 1 and not _name(widget)
    ]
    assert not nameless


def _name(widget: QWidget) -> str:
    text = getattr(widget, "text", None)
    return widget.accessibleName() or (str(text()) if callable(text) else "")
