"""No text from outside is ever rich text, hides what stands beside it, or pushes it out of sight."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.ui.hostile_scenes import HOSTILE_SCENES, Marks
from tests.ui.scene import Scene
from tests.ui.shown_text import WITH_KEY, everything_shown, problems

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)

HOSTILE = {
    "bold": "<b>x</b>",
    "image": '<img src="file:///nowhere/probe.png">',
    "link": '<a href="https://evil.example/">x</a>',
    "entity": "&amp; &lt;b&gt;x&lt;/b&gt;",
    "key": WITH_KEY,
    "unseen": "a\u202egnp.exe\u2066b\u200bc\ufeffd\u200ee\x1b[2Jf\x07g\x00h\u2028i\x85j\u00adk\U000e0041l",
    "lines": "first\nsecond\r\nthird\r" + "\n" * 300 + "last",
    "long": "W" * 5000,
    "gaps": "a" + " \t" * 2500 + "b",
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("play", HOSTILE_SCENES.values(), ids=HOSTILE_SCENES)
def test_text_from_outside_is_shown_as_it_is(
    play: Callable[[Scene, Marks], None], hostile: str, scene: Scene, qtbot: QtBot
) -> None:
    mark = Marks(hostile)
    play(scene, mark)
    assert not problems()
    seen = "\n".join(each.seen for each in everything_shown())
    assert not [what for key, what in mark.given.items() if key not in seen]
    window = scene.window
    qtbot.waitUntil(lambda: window.size().width() == 960)
    assert window.minimumSizeHint().width() <= window.minimumWidth()
    assert window.minimumSizeHint().height() <= 640
    for box in QApplication.topLevelWidgets():
        if box.isVisible() and box is not window:
            assert box.width() <= 800, box
            assert box.height() <= 700, box
    scene.bugs.clear()


def _label(parent: QWidget) -> None:
    QLabel("Call <b>x</b>", parent)


def _reversed_label(parent: QWidget) -> None:
    QLabel("Call a\u202eb", parent).setTextFormat(Qt.TextFormat.PlainText)


def _tip(parent: QWidget) -> None:
    QPushButton(parent).setToolTip('Call <img src="file:///nowhere/probe.png">')


def _help(parent: QWidget) -> None:
    QPushButton(parent).setWhatsThis("<b>x</b>")


def _box(parent: QWidget) -> None:
    QMessageBox(parent).setInformativeText("<b>x</b>")


def _action(parent: QWidget) -> None:
    parent.addAction(QAction("<b>x</b>", parent))


def _key(parent: QWidget) -> None:
    QPushButton(f"Connect with {WITH_KEY}", parent)


def _cell(parent: QWidget) -> None:
    item = QListWidgetItem("x")
    item.setToolTip("<b>x</b>")
    QListWidget(parent).addItem(item)


def _reversed_cell(parent: QWidget) -> None:
    QListWidget(parent).addItem("a\u202eb")


def _spoken(parent: QWidget) -> None:
    QPushButton(parent).setAccessibleName("a\u200bb")


@pytest.mark.parametrize(
    "plant",
    [_label, _reversed_label, _tip, _help, _box, _action, _key, _cell, _reversed_cell, _spoken],
)
def test_a_part_that_shows_text_from_outside_otherwise_is_found(
    plant: Callable[[QWidget], None], qtbot: QtBot
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    assert not problems()
    plant(window)
    assert problems()
