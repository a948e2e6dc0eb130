"""What a person does in calls: presses a key, walks by Tab, clicks."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

LEFT = Qt.MouseButton.LeftButton


def press(key: Qt.Key, qtbot: QtBot) -> None:
    """A key where the focus is."""
    focused = QApplication.focusWidget()
    assert focused
    qtbot.keyClick(focused, key)


def walk_to(button: QAbstractButton, key: Qt.Key, qtbot: QtBot) -> None:
    """Tab or Backtab from where the focus is to a button, at most once around the window."""
    qtbot.waitUntil(button.isVisible)
    seen: list[QWidget | None] = []
    while (focused := QApplication.focusWidget()) is not button:
        assert focused not in seen, f"{key.name} goes around without {button.text()}"
        seen.append(focused)
        press(key, qtbot)


def click(button: QAbstractButton, qtbot: QtBot) -> None:
    """A click on what can be seen."""
    qtbot.waitUntil(button.isVisible)
    qtbot.mouseClick(button, LEFT)
